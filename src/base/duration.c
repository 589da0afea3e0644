/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/duration.h"

#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

struct unit {
	const char *name;
	usec_t usec;
};

/* Longest unit first, and of each its first name is the one that tw_duration_format() writes. */
static const struct unit units[] = {
	{ "w", 7 * TW_USEC_PER_DAY },
	{ "week", 7 * TW_USEC_PER_DAY },
	{ "weeks", 7 * TW_USEC_PER_DAY },
	{ "d", TW_USEC_PER_DAY },
	{ "day", TW_USEC_PER_DAY },
	{ "days", TW_USEC_PER_DAY },
	{ "h", TW_USEC_PER_HOUR },
	{ "hr", TW_USEC_PER_HOUR },
	{ "hour", TW_USEC_PER_HOUR },
	{ "hours", TW_USEC_PER_HOUR },
	{ "min", TW_USEC_PER_MINUTE },
	{ "m", TW_USEC_PER_MINUTE },
	{ "minute", TW_USEC_PER_MINUTE },
	{ "minutes", TW_USEC_PER_MINUTE },
	{ "s", TW_USEC_PER_SEC },
	{ "sec", TW_USEC_PER_SEC },
	{ "second", TW_USEC_PER_SEC },
	{ "seconds", TW_USEC_PER_SEC },
	{ "ms", TW_USEC_PER_MSEC },
	{ "msec", TW_USEC_PER_MSEC },
	{ "us", 1 },
	{ "usec", 1 },
};

/* A number as it is written: whole + fraction / scale. */
struct number {
	uint64_t whole;
	uint64_t fraction;
	uint64_t scale;
	bool fits;
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static void skip_blanks(const char **cursor, const char *end)
{
	while (*cursor < end && (**cursor == ' ' || **cursor == '\t' || **cursor == '\n' || **cursor == '\r'))
		(*cursor)++;
}

/* Digits behind the point. Those behind the 18th are dropped: they are far below a microsecond of any unit. */
static void take_fraction(const char **cursor, const char *end, struct number *number)
{
	for (; *cursor < end && is_digit(**cursor); (*cursor)++) {
		if (number->scale >= UINT64_C(1000000000000000000))
			continue;
		number->fraction = number->fraction * 10 + (uint64_t)(**cursor - '0');
		number->scale *= 10;
	}
}

/* "12", "1.5" or ".5". */
static int take_number(const char **cursor, const char *end, struct number *ret)
{
	struct number number = { .scale = 1, .fits = true };
	const char *start = *cursor;

	for (; *cursor < end && is_digit(**cursor); (*cursor)++)
		number.fits = number.fits && !__builtin_mul_overflow(number.whole, 10, &number.whole) &&
			      !__builtin_add_overflow(number.whole, (uint64_t)(**cursor - '0'), &number.whole);

	if (*cursor < end && **cursor == '.') {
		(*cursor)++;
		start = *cursor;
		take_fraction(cursor, end, &number);
	}
	if (*cursor == start)
		return -EINVAL;

	*ret = number;
	return 0;
}

/* The unit behind a number, blanks before it free; seconds where there is none. */
static int take_unit(const char **cursor, const char *end, usec_t *ret_usec)
{
	const char *after_number = *cursor;
	const char *start;
	size_t length;

	skip_blanks(cursor, end);
	start = *cursor;
	while (*cursor < end && is_letter(**cursor))
		(*cursor)++;
	length = (size_t)(*cursor - start);

	if (length == 0) {
		/* "1.2.3" is no two numbers. */
		if (start == after_number && start < end)
			return -EINVAL;
		*ret_usec = TW_USEC_PER_SEC;
		return 0;
	}
	for (size_t i = 0; i < TW_ARRAY_SIZE(units); i++) {
		if (tw_parse_is(start, length, units[i].name)) {
			*ret_usec = units[i].usec;
			return 0;
		}
	}
	return -EINVAL;
}

/* Adds number * unit, rounded down to the microsecond; returns false where that does not fit. */
static bool add_span(usec_t *total, const struct number *number, usec_t unit)
{
	usec_t span;
	/* Below 10^18 * 6 * 10^11: past 64 bits, far from 128. */
	usec_t fraction = (usec_t)((unsigned __int128)number->fraction * unit / number->scale);

	return number->fits && !__builtin_mul_overflow(number->whole, unit, &span) &&
	       !__builtin_add_overflow(span, fraction, &span) && !__builtin_add_overflow(*total, span, total) &&
	       *total != TW_USEC_INFINITY;
}

int tw_duration_parse(const char *text, size_t length, usec_t *ret_usec)
{
	const char *cursor = text;
	const char *end = text + length;
	usec_t total = 0;
	bool fits = true;

	skip_blanks(&cursor, end);
	if (cursor == end)
		return -EINVAL;

	while (cursor < end) {
		struct number number;
		usec_t unit;
		int r;

		r = take_number(&cursor, end, &number);
		if (r < 0)
			return r;
		r = take_unit(&cursor, end, &unit);
		if (r < 0)
			return r;
		fits = fits && add_span(&total, &number, unit);
		skip_blanks(&cursor, end);
	}
	if (!fits)
		return -ERANGE;

	*ret_usec = total;
	return 0;
}

const char *tw_duration_format(char text[TW_DURATION_TEXT_MAX], usec_t span_usec)
{
	struct tw_text out;

	tw_text_init(&out, text, TW_DURATION_TEXT_MAX);
	if (span_usec == TW_USEC_INFINITY) {
		tw_text_add(&out, "infinity");
		return text;
	}
	if (span_usec == 0) {
		tw_text_add(&out, "0");
		return text;
	}

	for (size_t i = 0; i < TW_ARRAY_SIZE(units); i++) {
		if (span_usec < units[i].usec)
			continue;
		tw_text_addf(&out, "%s%" PRIu64 "%s", out.length > 0 ? " " : "", span_usec / units[i].usec,
			     units[i].name);
		span_usec %= units[i].usec;
	}
	return text;
}
