/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Half-hours whose truth is known: `oracle [-v|-vv] FIRST LAST` plays the seeds and prints the score as one JSON object
 * on standard output; with -v what was lost goes to standard error, as a story of some lines a seed, with -vv with all
 * that was said.
 */
#include "oracle/score.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const struct score *score)
{
	const struct {
		const char *key;
		unsigned value;
	} all[] = {
		{ "seeds", score->seeds },
		{ "shortages", score->shortages },
		{ "named_right", score->named_right },
		{ "told_before", score->told_before },
		{ "slow_shortages", score->slow_shortages },
		{ "slow_told_before", score->slow_told_before },
		{ "healthy_seeds", score->healthy_seeds },
		{ "healthy_alerts", score->healthy_alerts },
		{ "useless_writes", score->useless_writes },
		{ "remedies_taken_back", score->remedies_taken_back },
		{ "owed", score->owed },
		{ "contradictions", score->contradictions },
		{ "unseen", score->unseen },
		{ "wrong_subject", score->wrong_subject },
		{ "wrong_state", score->wrong_state },
		{ "wrong_remedy", score->wrong_remedy },
	};

	printf("{");
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		printf("%s\"%s\":%u", i ? "," : "", all[i].key, all[i].value);
	printf("}\n");
}

int main(int argc, char **argv)
{
	bool whole = argc == 4 && strcmp(argv[1], "-vv") == 0;
	bool verbose = whole || (argc == 4 && strcmp(argv[1], "-v") == 0);
	struct score score = { 0 };

	if (argc != 3 && !verbose) {
		fprintf(stderr, "usage: oracle [-v|-vv] FIRST LAST\n");
		return 2;
	}
	for (uint64_t seed = strtoull(argv[argc - 2], NULL, 10); seed <= strtoull(argv[argc - 1], NULL, 10); seed++)
		score_seed(&score, seed, verbose ? stderr : NULL, whole);
	print(&score);
	return 0;
}
