/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/witness.h"

#include "model/port-model.h"

void tw_witnesses_begin(struct tw_witnesses *witnesses)
{
	witnesses->turn = witnesses->set = 0;
	for (unsigned set = 0; set < TW_WITNESS_SETS; set++)
		for (unsigned way = 0; way < TW_WITNESS_WAYS; way++) {
			witnesses->rows[set][way].flow.state = TW_STATE_COUNT;
			witnesses->rows[set][way].said = TW_TIMESTAMPS_UNKNOWN;
		}
}

/* Those of one set. Returns whether any was asked. */
static bool ask_set(struct tw_witnesses *witnesses, unsigned set, struct tw_source *source,
		    const struct tw_table *table, uint32_t left)
{
	bool asked = false;

	for (unsigned way = 0; way < TW_WITNESS_WAYS; way++) {
		const struct tw_flow *flow = &witnesses->rows[set][way].flow;
		const struct tw_table_entry *entry =
			flow->state < TW_STATE_COUNT ? tw_table_find_hash(table, witnesses->rows[set][way].hash) : NULL;
		struct tw_idle idle = { 0 };

		if (!entry || !tw_port_is_worth(tw_table_ports(entry), left))
			continue;
		asked = true;
		if (source->idle(source, flow, &idle) == 0)
			witnesses->rows[set][way].said = idle.timestamps;
	}
	return asked;
}

bool tw_witnesses_step(struct tw_witnesses *witnesses, struct tw_source *source, const struct tw_table *table,
		       uint32_t left)
{
	while (witnesses->set < TW_WITNESS_SETS)
		if (ask_set(witnesses, witnesses->set++, source, table, left))
			return true;
	return false;
}

enum said {
	SAID_NOTHING,
	SAID_NONE, /* all of them: no timestamps */
	SAID_ALL,
	SAID_BOTH,
};

static enum said what_was_said(const struct tw_witnesses *witnesses, uint32_t hash)
{
	static const enum said parts[] = {
		[TW_TIMESTAMPS_UNKNOWN] = SAID_NOTHING, [TW_TIMESTAMPS_NO] = SAID_NONE, [TW_TIMESTAMPS_YES] = SAID_ALL
	};
	unsigned set = hash % TW_WITNESS_SETS, all = SAID_NOTHING;

	for (unsigned way = 0; way < TW_WITNESS_WAYS; way++)
		if (witnesses->rows[set][way].hash == hash)
			all |= (unsigned)parts[witnesses->rows[set][way].said];
	return (enum said)all;
}

enum tw_timestamps tw_witnesses_said(const struct tw_witnesses *witnesses, uint32_t hash)
{
	enum said said = what_was_said(witnesses, hash);

	return said == SAID_NONE ? TW_TIMESTAMPS_NO : said == SAID_ALL ? TW_TIMESTAMPS_YES : TW_TIMESTAMPS_UNKNOWN;
}

usec_t tw_witnesses_said_none(const struct tw_witnesses *witnesses, uint32_t hash, usec_t before_usec, usec_t at_usec,
			      usec_t life_usec)
{
	switch (what_was_said(witnesses, hash)) {
	case SAID_NONE:
		return at_usec;
	case SAID_NOTHING:
		return before_usec != 0 && tw_usec_since(at_usec, before_usec) < life_usec ? before_usec : 0;
	case SAID_ALL:
	case SAID_BOTH: /* some have them */
		return 0;
	}
	return 0;
}
