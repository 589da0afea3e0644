/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/demand.h"

#include "base/macros.h"
#include "model/port-model.h"

/* Timers are late by some milliseconds, one more and the other less. */
#define APART_MIN_USEC (TW_SURVEY_YOUNG_USEC * 9 / 10)

void tw_demand_add(struct tw_demand *demand, uint32_t young_time_wait, usec_t at_usec)
{
	if (demand->count > 0 && tw_usec_since(at_usec, demand->at_usec) < APART_MIN_USEC)
		return;
	demand->looks[demand->next] = (struct tw_demand_look){ at_usec, young_time_wait };
	demand->next = (demand->next + 1) % TW_DEMAND_LOOKS;
	demand->at_usec = at_usec;
	if (demand->count < TW_DEMAND_LOOKS)
		demand->count++;
}

struct tw_demand_count tw_demand_time_wait(const struct tw_demand *demand, uint32_t life_ms)
{
	usec_t life_usec = life_ms * TW_USEC_PER_MSEC, young_usec = TW_MIN(life_usec, TW_SURVEY_YOUNG_USEC);
	struct tw_demand_count ret = { 0 };
	unsigned count = 0;

	for (unsigned i = 0; i < demand->count; i++) {
		const struct tw_demand_look *look = &demand->looks[i];

		/* Looks further apart than they should be tell of a load that may be over. */
		if (tw_usec_since(demand->at_usec, look->at_usec) >= life_usec)
			continue;
		ret.seen += look->young;
		count++;
	}
	if (count > 0 && young_usec > 0)
		ret.expected = ret.seen * life_usec / young_usec / count;
	return ret;
}

void tw_demand_judge(const struct tw_demand *demand, const struct tw_rule_settings *settings,
		     const struct tw_sample *sample, const struct tw_in_force *in_force, struct tw_reading *reading)
{
	const struct tw_reading_ports *ports = &reading->ports;
	struct tw_demand_count waiting;
	struct tw_value seen;

	if (!ports->known || !in_force->rows[TW_TUNABLE_TW_REUSE].ours)
		return;
	waiting = tw_demand_time_wait(demand, tw_time_wait_life_ms(&sample->gauge));
	reading->pressure =
		tw_value_percent(TW_MAX(ports->steady + waiting.expected, (uint64_t)ports->baseline), ports->usable);
	if (reading->pressure.milli <= reading->value.milli)
		return;
	reading->judged = reading->pressure;
	seen = tw_value_percent(TW_MAX(ports->steady + waiting.seen, (uint64_t)ports->baseline), ports->usable);
	reading->guessed = tw_rule_settings_upward(settings) && reading->value.milli < settings->raise_milli &&
			   seen.milli < settings->raise_milli;
}
