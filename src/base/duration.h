/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Times and spans in microseconds; a time is CLOCK_MONOTONIC unless its name says otherwise. */
typedef uint64_t usec_t;

#define TW_USEC_PER_MSEC ((usec_t)1000)
#define TW_USEC_PER_SEC (1000 * TW_USEC_PER_MSEC)
#define TW_USEC_PER_MINUTE (60 * TW_USEC_PER_SEC)
#define TW_USEC_PER_HOUR (60 * TW_USEC_PER_MINUTE)
#define TW_USEC_PER_DAY (24 * TW_USEC_PER_HOUR)
#define TW_USEC_INFINITY UINT64_MAX

/* Longest text that tw_duration_format() writes, with its final NUL. */
#define TW_DURATION_TEXT_MAX 64

/*
 * Parses a time span as systemd.time(7) writes it: a sequence of numbers with units, blanks between them free
 * ("500ms", "1min 30s", "2h", "1.5s"); a bare number is seconds. Units: us usec, ms msec, s sec second(s),
 * m min minute(s), h hr hour(s), d day(s), w week(s). No sign, no "infinity".
 *
 * Returns 0, -EINVAL for anything else (also the empty text), -ERANGE where it does not fit. *ret_usec is
 * untouched on failure.
 */
int tw_duration_parse(const char *text, size_t length, usec_t *ret_usec);

/*
 * Writes a span so that tw_duration_parse() reads the same back: "1min 30s", "500ms", "0". Returns `text`.
 */
const char *tw_duration_format(char text[TW_DURATION_TEXT_MAX], usec_t span_usec);

/* a - b, and 0 where b is later. */
static inline usec_t tw_usec_since(usec_t a, usec_t b)
{
	return a > b ? a - b : 0;
}

/* a + b, held at infinity. */
static inline usec_t tw_usec_add(usec_t a, usec_t b)
{
	return a > TW_USEC_INFINITY - b ? TW_USEC_INFINITY : a + b;
}
