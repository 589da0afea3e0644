/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Half-hours whose truth is known: `oracle [-v|-s|-vv] FIRST[/WITHOUT] LAST` plays the seeds and prints the score as
 * one JSON object on standard output. With -v what was lost goes to standard error, as a story of some lines a seed;
 * with -s also the fewest programs with which the seed still loses, and what plays that mix again; with -vv all that
 * was said.
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
		{ "false_claims", score->false_claims },
		{ "flapping", score->flapping },
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

/* "12", or "12/5": without the programs of the bits of hexadecimal 5. */
static bool read_mix(const char *text, struct mix *ret)
{
	char *end;

	ret->seed = strtoull(text, &end, 10);
	ret->without = *end == '/' ? (unsigned)strtoul(end + 1, &end, 16) : 0;
	return end != text && *end == '\0';
}

int main(int argc, char **argv)
{
	bool shrink = argc == 4 && strcmp(argv[1], "-s") == 0, whole = argc == 4 && strcmp(argv[1], "-vv") == 0;
	bool verbose = whole || shrink || (argc == 4 && strcmp(argv[1], "-v") == 0);
	struct score score = { 0 };
	struct mix mix, last;

	if ((argc != 3 && !verbose) || !read_mix(argv[argc - 2], &mix) || !read_mix(argv[argc - 1], &last)) {
		fprintf(stderr, "usage: oracle [-v|-vv|-s] FIRST[/WITHOUT] LAST\n");
		return 2;
	}
	for (; mix.seed <= last.seed; mix.seed++) {
		score_mix(&score, &mix, verbose ? stderr : NULL, whole);
		if (shrink)
			score_shrink(&mix, stderr);
	}
	print(&score);
	return 0;
}
