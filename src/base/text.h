/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Text that grows inside memory of a fixed size: what does not fit is cut and remembered, never written past the
 * end. Always ends in NUL. No allocation, so it serves the hot path and the fuzzers alike.
 */
struct tw_text {
	char *bytes;
	size_t capacity; /* with the final NUL */
	size_t length;
	bool cut; /* something did not fit */
};

/* Over memory that the caller owns; capacity at least 1. */
void tw_text_init(struct tw_text *text, char *bytes, size_t capacity);
void tw_text_add(struct tw_text *text, const char *string);
void tw_text_add_bytes(struct tw_text *text, const char *bytes, size_t length);
void tw_text_add_char(struct tw_text *text, char byte);
void tw_text_addf(struct tw_text *text, const char *format, ...) TW_PRINTF(2, 3);
void tw_text_addv(struct tw_text *text, const char *format, va_list arguments) TW_PRINTF(2, 0);

/*
 * Control bytes as '?': a terminal obeys them, and a newline would end a row of a table. For what comes from outside: a
 * configuration, a unit's name.
 */
void tw_text_add_scrubbed(struct tw_text *text, const char *string);

/* U+FFFD, in the place of what is no character. */
#define TW_UTF8_REPLACEMENT "\xef\xbf\xbd"

/* How many bytes at `text` are one character of UTF-8 as RFC 3629 has it, table 3-7 of Unicode; 0 for none. */
size_t tw_utf8_length(const char *text, size_t available);

/* Bytes that are no UTF-8 as U+FFFD: at most three times as long as `string`. */
void tw_utf8_add(struct tw_text *text, const char *string);

/* Copies a C string into an array, cut where it must be, always with a NUL; returns false where it was cut. */
bool tw_text_copy(char *to, size_t capacity, const char *from);

/* The same for (from, length). */
bool tw_text_copy_bytes(char *to, size_t capacity, const char *from, size_t length);

/* A decimal of thousandths with as many digits behind the point as it needs: 45000 -> "45", 500 -> "0.5". */
void tw_text_add_milli(struct tw_text *text, int64_t milli);

/* The same, rounded half away from zero to `digits` (0 to 3) behind the point. */
void tw_text_add_milli_rounded(struct tw_text *text, int64_t milli, unsigned digits);

/*
 * JSON (RFC 8259) on one line: commas and quotes are its own business, the nesting is the caller's. Bytes that are no
 * UTF-8 become U+FFFD, so that the document is valid whatever the world put in.
 */
void tw_json_begin(struct tw_text *text, char bracket);
void tw_json_end(struct tw_text *text, char bracket);
/* Returns `text`, for the value that follows. */
struct tw_text *tw_json_key(struct tw_text *text, const char *key);
void tw_json_string(struct tw_text *text, const char *string);
void tw_json_string_bytes(struct tw_text *text, const char *bytes, size_t length);
/* What stands in JSON as it is: "null", "true", a number. */
void tw_json_literal(struct tw_text *text, const char *literal);
void tw_json_u64(struct tw_text *text, uint64_t number);
/* Thousandths as a decimal number. */
void tw_json_milli(struct tw_text *text, int64_t milli);
