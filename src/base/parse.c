/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"

#include "base/macros.h"

#include <errno.h>
#include <string.h>

/* Longest word that is compared: keys, names of metrics and sysctls are shorter. */
#define WORD_MAX 64
/* Edits that a word may be away to be near. */
#define EDITS_MAX 2

/* Not isdigit(): that asks the locale. */
static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n';
}

int tw_parse_u64(const char *text, size_t length, uint64_t *ret)
{
	uint64_t number = 0;
	bool fits = true;

	if (length == 0)
		return -EINVAL;

	/* To the end even where it no longer fits: what is no number at all is -EINVAL, however long. */
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(text[i]))
			return -EINVAL;
		fits = fits && !__builtin_mul_overflow(number, 10, &number) &&
		       !__builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number);
	}
	if (!fits)
		return -ERANGE;

	*ret = number;
	return 0;
}

/* Gives a magnitude its sign. */
static int apply_sign(uint64_t magnitude, bool negative, int64_t *ret)
{
	if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return -ERANGE;
	*ret = (int64_t)(negative ? 0 - magnitude : magnitude);
	return 0;
}

int tw_parse_i64(const char *text, size_t length, int64_t *ret)
{
	size_t sign = length > 0 && text[0] == '-';
	uint64_t magnitude;
	int r = tw_parse_u64(text + sign, length - sign, &magnitude);

	return r < 0 ? r : apply_sign(magnitude, sign > 0, ret);
}

int tw_parse_milli(const char *text, size_t length, int64_t *ret)
{
	static const uint64_t scales[] = { 0, 100, 10, 1 };
	size_t sign = length > 0 && text[0] == '-';
	const char *point = length > 0 ? memchr(text, '.', length) : NULL;
	size_t digits = point ? (size_t)(text + length - point) - 1 : 0;
	size_t whole_length = length - sign - (point ? digits + 1 : 0);
	uint64_t whole, fraction = 0;
	int r = 0;

	if (point)
		r = digits < TW_ARRAY_SIZE(scales) ? tw_parse_u64(point + 1, digits, &fraction) : -EINVAL;
	if (r < 0)
		return r;
	r = tw_parse_u64(text + sign, whole_length, &whole);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(whole, 1000, &whole) ||
	    __builtin_add_overflow(whole, fraction * scales[digits], &whole))
		return -ERANGE;
	return apply_sign(whole, sign > 0, ret);
}

int tw_parse_bool(const char *text, size_t length, bool *ret)
{
	/* Each no is in front of its yes. */
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < TW_ARRAY_SIZE(words); i++) {
		if (tw_parse_is(text, length, words[i])) {
			*ret = i % 2 == 1;
			return 0;
		}
	}
	return -EINVAL;
}

bool tw_parse_word(const char **cursor, const char *end, const char **ret_word, size_t *ret_length)
{
	const char *at = *cursor;
	const char *start;

	while (at < end && is_blank(*at))
		at++;
	start = at;
	while (at < end && !is_blank(*at))
		at++;

	*cursor = at;
	if (at == start)
		return false;

	*ret_word = start;
	*ret_length = (size_t)(at - start);
	return true;
}

void tw_parse_trim(const char **text, size_t *length)
{
	while (*length > 0 && is_blank((*text)[0])) {
		(*text)++;
		(*length)--;
	}
	while (*length > 0 && is_blank((*text)[*length - 1]))
		(*length)--;
}

bool tw_parse_is(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && (length == 0 || memcmp(text, word, length) == 0);
}

/* Levenshtein's distance, one row of its table at a time; both words at most WORD_MAX long. */
static size_t distance(const char *a, const char *b)
{
	size_t length = strlen(b);
	size_t row[WORD_MAX + 1];

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
			size_t moved = TW_MIN(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = TW_MIN(replaced, moved);
		}
	}
	return row[length];
}

const char *tw_near(const char *word, const char *const *words, size_t count)
{
	size_t length = strlen(word);
	/* Fewer edits than half of the word, so that not every short word is near. */
	size_t limit = TW_MIN((length + 1) / 2, (size_t)EDITS_MAX + 1);
	const char *nearest = NULL;

	for (size_t i = 0; i < count && length <= WORD_MAX; i++) {
		size_t edits = strlen(words[i]) <= WORD_MAX ? distance(word, words[i]) : limit;

		if (edits < limit) {
			nearest = words[i];
			limit = edits;
		}
	}
	return nearest;
}
