/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shortest mix that still loses: apart from score.c, which plays one as often as it takes. */
#include "oracle/score.h"

#include <inttypes.h>

static bool is_lost(const struct score *score)
{
	return score->wrong_subject + score->wrong_state + score->wrong_remedy + score->healthy_alerts +
			       score->useless_writes + score->remedies_taken_back + score->owed +
			       score->contradictions + score->false_claims >
		       0 ||
	       score->slow_told_before < score->slow_shortages;
}

static bool loses(const struct mix *mix)
{
	struct score score = { 0 };

	score_mix(&score, mix, NULL, false);
	return is_lost(&score);
}

static void tell(const struct mix *mix, FILE *story)
{
	struct world *world = world_new(mix);

	fprintf(story, "  still with these alone (%" PRIu64 "/%x):\n", mix->seed, mix->without);
	for (unsigned i = 0; i < world->program_count; i++)
		if (!(mix->without >> i & 1))
			world_tell_program(world, i, story);
	world_free(world);
}

void score_shrink(const struct mix *whole, FILE *story)
{
	struct mix mix = *whole;
	bool shrank = true;

	if (!loses(&mix))
		return;
	while (shrank) {
		shrank = false;
		for (unsigned i = 0; i < WORLD_PROGRAMS_MAX; i++) {
			struct mix less = { mix.seed, mix.without | 1u << i };

			if (less.without == mix.without || !loses(&less))
				continue;
			mix = less;
			shrank = true;
		}
	}
	tell(&mix, story);
}
