/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/near.h"

#include "base/macros.h"

#include <string.h>

/* Longest word that is compared: keys, names of metrics and sysctls are shorter. */
#define WORD_MAX 64
#define EDITS_MAX 2

/*
 * Levenshtein's distance, one row of its table at a time; both words at most WORD_MAX long. More than `limit` is told
 * as any number above it: no later row holds less than the least of this one, and no path is shorter than the
 * difference in length.
 */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length, size_t limit)
{
	size_t row[WORD_MAX + 1];

	if (a_length > b_length + limit || b_length > a_length + limit)
		return limit + 1;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;

	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0], least = i;

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
			size_t moved = TW_MIN(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = TW_MIN(replaced, moved);
			least = TW_MIN(least, row[j]);
		}
		if (least > limit)
			return limit + 1;
	}
	return row[b_length];
}

const char *tw_near(const char *word, const char *const *words, size_t count)
{
	size_t length = strlen(word);
	const char *nearest = NULL;
	size_t limit;

	if (length == 0 || length > WORD_MAX)
		return NULL;

	/* Fewer edits than half of the word, so that not every short word is near. */
	limit = TW_MIN((length - 1) / 2, (size_t)EDITS_MAX);
	for (size_t i = 0; i < count; i++) {
		size_t other_length = strlen(words[i]);
		size_t edits;

		if (other_length > WORD_MAX)
			continue;
		edits = distance(word, length, words[i], other_length, limit);
		if (edits > limit)
			continue;
		nearest = words[i];
		if (edits == 0)
			break;
		limit = edits - 1;
	}
	return nearest;
}
