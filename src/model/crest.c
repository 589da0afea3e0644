/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/crest.h"

#include "base/macros.h"

void tw_crest_add(struct tw_crest *crest, struct tw_tally tally)
{
	struct tw_tally *held = &crest->seconds[tally.at_usec / TW_USEC_PER_SEC % TW_CREST_SECONDS];

	if (held->at_usec / TW_USEC_PER_SEC != tally.at_usec / TW_USEC_PER_SEC || held->sockets <= tally.sockets)
		*held = tally;
	crest->last = tally;
}

struct tw_tally tw_crest_highest(const struct tw_crest *crest, usec_t now_usec)
{
	struct tw_tally highest = crest->last;

	if (tw_usec_since(now_usec, highest.at_usec) > TW_CREST_SECONDS * TW_USEC_PER_SEC)
		return highest;
	for (size_t i = 0; i < TW_ARRAY_SIZE(crest->seconds); i++) {
		const struct tw_tally *held = &crest->seconds[i];

		if (tw_usec_since(now_usec, held->at_usec) <= TW_CREST_SECONDS * TW_USEC_PER_SEC &&
		    (held->sockets > highest.sockets ||
		     (held->sockets == highest.sockets && held->at_usec > highest.at_usec)))
			highest = *held;
	}
	return highest;
}
