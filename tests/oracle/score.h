/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "oracle/world.h"

#include <stdio.h>

/* What the watcher said, held against what became of the same world without it. */

struct score {
	unsigned seeds, shortages, named_right, told_before, slow_shortages, slow_told_before;
	unsigned healthy_seeds, healthy_alerts, useless_writes, remedies_taken_back, owed, contradictions, false_claims;
	unsigned flapping; /* alerts cleared that were raised again at once */
	unsigned unseen; /* shortages of programs that never had a port: no socket tells of them, they are counted here
			    alone */
	unsigned wrong_subject, wrong_state, wrong_remedy; /* of what was not named right */
};

/*
 * Plays a mix as often as it takes, and adds what came of it. With `story` each loss is told there, with `whole` all
 * that was said in a mix that lost something.
 */
void score_mix(struct score *score, const struct mix *mix, FILE *story, bool whole);

/* Of shrink.c: leaves programs out of a mix that loses, as long as it still does, and tells what is left; nothing of
 * one that does not. */
void score_shrink(const struct mix *whole, FILE *story);
