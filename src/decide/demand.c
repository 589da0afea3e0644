/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/demand.h"

#include "base/macros.h"

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
