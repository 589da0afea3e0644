/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/recent-peak.h"

#include "base/macros.h"

void tw_recent_peak_add(struct tw_recent_peak *peak, struct tw_tally tally)
{
	struct tw_tally *held = &peak->seconds[tally.at_usec / TW_USEC_PER_SEC % TW_RECENT_PEAK_SECONDS];

	if (held->at_usec / TW_USEC_PER_SEC != tally.at_usec / TW_USEC_PER_SEC || held->sockets <= tally.sockets)
		*held = tally;
	peak->last = tally;
}

struct tw_tally tw_recent_peak_highest(const struct tw_recent_peak *peak, usec_t now_usec)
{
	struct tw_tally highest = peak->last;

	if (tw_usec_since(now_usec, highest.at_usec) > TW_RECENT_PEAK_SECONDS * TW_USEC_PER_SEC)
		return highest;
	for (size_t i = 0; i < TW_ARRAY_SIZE(peak->seconds); i++) {
		const struct tw_tally *held = &peak->seconds[i];

		if (tw_usec_since(now_usec, held->at_usec) <= TW_RECENT_PEAK_SECONDS * TW_USEC_PER_SEC &&
		    (held->sockets > highest.sockets ||
		     (held->sockets == highest.sockets && held->at_usec > highest.at_usec)))
			highest = *held;
	}
	return highest;
}
