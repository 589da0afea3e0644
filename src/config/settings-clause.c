/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-clause.h"

#include "base/duration.h"
#include "base/parse.h"

/* Clauses of one value, at most: see the callers. */
#define CLAUSES_MAX 8
/* No clause's word is longer. */
#define WORD_MAX 64

static struct tw_clause *find(struct tw_clause *clauses, size_t count, const char *word, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (tw_parse_is(word, length, clauses[i].word))
			return &clauses[i];
	return NULL;
}

static const char *near_clause(const struct tw_clause *clauses, size_t count, const char *word, size_t length)
{
	const char *words[CLAUSES_MAX];
	char copy[WORD_MAX];

	count = TW_MIN(count, TW_ARRAY_SIZE(words));
	for (size_t i = 0; i < count; i++)
		words[i] = clauses[i].word;
	return tw_text_copy_bytes(copy, sizeof(copy), word, length) ? tw_near(copy, words, count) : NULL;
}

/* "expected limit or every, found 'limt'; did you mean 'limit'?" */
static void explain_unknown(struct tw_text *why, const struct tw_clause *clauses, size_t count, const char *word,
			    size_t length)
{
	const char *near = near_clause(clauses, count, word, length);

	tw_text_add(why, "expected ");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			tw_text_add(why, i + 1 < count ? ", " : " or ");
		tw_text_add(why, clauses[i].word);
	}
	tw_text_add(why, ", found '");
	tw_text_add_bytes(why, word, length);
	tw_text_add(why, "'");
	if (near)
		tw_text_addf(why, "; did you mean '%s'?", near);
}

/* Whether the word goes on with the value of the clause. A time span has several, each of which is whole so far. */
static bool goes_on(const struct tw_clause *open, const char *word, size_t length)
{
	usec_t span_usec;

	if (!open || open->length == 0)
		return open != NULL;
	return open->spaced && tw_duration_parse(open->text, (size_t)(word + length - open->text), &span_usec) == 0;
}

static bool is_whole(const struct tw_clause *open, struct tw_text *why)
{
	if (!open || open->length > 0)
		return true;
	tw_text_addf(why, "expected a value behind '%s'", open->word);
	return false;
}

bool tw_clauses_find(struct tw_clause *clauses, size_t count, const char *text, size_t length, struct tw_text *why)
{
	const char *cursor = text, *end = text + length, *word;
	struct tw_clause *open = NULL;
	size_t word_length;

	while (tw_parse_word(&cursor, end, &word, &word_length)) {
		struct tw_clause *next = find(clauses, count, word, word_length);

		if (next) {
			if (!is_whole(open, why))
				return false;
			if (next->text) {
				tw_text_addf(why, "'%s' stands there twice", next->word);
				return false;
			}
			next->text = word + word_length;
			open = next;
		} else if (goes_on(open, word, word_length)) {
			if (open->length == 0)
				open->text = word;
			open->length = (size_t)(word + word_length - open->text);
		} else {
			explain_unknown(why, clauses, count, word, word_length);
			return false;
		}
	}
	return is_whole(open, why);
}
