/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Strict numbers from (text, length): the whole text must be the number, decimal, without blanks, plus sign or
 * leading "0x". No locale, no NUL needed. Each returns 0, -EINVAL where it is not such a number, -ERANGE where it
 * does not fit; *ret is untouched on failure.
 */
int tw_parse_u64(const char *text, size_t length, uint64_t *ret);
int tw_parse_i64(const char *text, size_t length, int64_t *ret);

/* A decimal with at most three digits behind its point, in thousandths: "45" -> 45000, "0.5" -> 500. */
int tw_parse_milli(const char *text, size_t length, int64_t *ret);

/* "yes/no", "true/false", "on/off", "1/0". */
int tw_parse_bool(const char *text, size_t length, bool *ret);

/* The next run of non-blank bytes (blank, tab, newline divide) at or after *cursor, and moves *cursor behind it.
 * Returns false when there is none. */
bool tw_parse_word(const char **cursor, const char *end, const char **ret_word, size_t *ret_length);

/* Without its leading and trailing blanks. */
void tw_parse_trim(const char **text, size_t *length);

/* True where (text, length) is exactly the C string `word`. */
bool tw_parse_is(const char *text, size_t length, const char *word);

/*
 * Of `count` words the one nearest to `word` by edit distance, where it is near enough to be meant (at most two
 * edits, and fewer than half the word); else NULL. For "did you mean" in messages.
 */
const char *tw_near(const char *word, const char *const *words, size_t count);
