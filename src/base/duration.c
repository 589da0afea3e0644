/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/duration.h"

#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Longest unit first, and of each its first name is the one that tw_duration_format() writes. */
static const struct {
	const char *names[4];
	usec_t usec;
} units[] = {
	{ { "w", "week", "weeks" }, 7 * TW_USEC_PER_DAY },
	{ { "d", "day", "days" }, TW_USEC_PER_DAY },
	{ { "h", "hr", "hour", "hours" }, TW_USEC_PER_HOUR },
	{ { "min", "m", "minute", "minutes" }, TW_USEC_PER_MINUTE },
	{ { "s", "sec", "second", "seconds" }, TW_USEC_PER_SEC },
	{ { "ms", "msec" }, TW_USEC_PER_MSEC },
	{ { "us", "usec" }, 1 },
};

static const char blanks[] = " \t\n\r";

/* How many bytes at `text` are among these. */
static size_t count_of(const char *text, const char *end, const char *bytes)
{
	size_t count = 0;

	while (text + count < end && text[count] != '\0' && strchr(bytes, text[count]))
		count++;
	return count;
}

/* The unit behind a number, blanks before it free; seconds where there is none. 0 for no unit at all. */
static usec_t take_unit(const char **cursor, const char *end)
{
	const char *start = *cursor + count_of(*cursor, end, blanks);
	size_t length = count_of(start, end, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	bool bare = start > *cursor || start == end;

	*cursor = start + length;
	/* "1.2.3" is no two numbers. */
	if (length == 0)
		return bare ? TW_USEC_PER_SEC : 0;
	for (size_t i = 0; i < TW_ARRAY_SIZE(units); i++) {
		for (size_t j = 0; j < TW_ARRAY_SIZE(units[i].names) && units[i].names[j]; j++)
			if (tw_parse_is(start, length, units[i].names[j]))
				return units[i].usec;
	}
	return 0;
}

/* "12s", "1.5" or ".5 min", rounded down to the microsecond. Where it does not fit the cursor is behind it too. */
static int take_span(const char **cursor, const char *end, usec_t *ret_usec)
{
	static const char digits[] = "0123456789";
	size_t count = count_of(*cursor, end, digits);
	uint64_t whole = 0, fraction = 0, scale = 1;
	unsigned __int128 span;
	int r = count > 0 ? tw_parse_u64(*cursor, count, &whole) : 0;
	usec_t unit;

	*cursor += count;
	if (*cursor < end && **cursor == '.') {
		(*cursor)++;
		count = count_of(*cursor, end, digits);
		/* Those behind the 18th are far below a microsecond of any unit. */
		for (size_t i = 0; i < TW_MIN(count, (size_t)18); i++) {
			fraction = fraction * 10 + (uint64_t)((*cursor)[i] - '0');
			scale *= 10;
		}
		*cursor += count;
	}
	unit = count > 0 ? take_unit(cursor, end) : 0;
	if (unit == 0)
		return -EINVAL;
	/* Two numbers of 64 and 40 bits. */
	span = (unsigned __int128)whole * unit + (unsigned __int128)fraction * unit / scale;
	if (r < 0 || span >= TW_USEC_INFINITY)
		return -ERANGE;

	*ret_usec = (usec_t)span;
	return 0;
}

int tw_duration_parse(const char *text, size_t length, usec_t *ret_usec)
{
	const char *end = text + length;
	usec_t total = 0;
	int result = 0;

	text += count_of(text, end, blanks);
	if (text == end)
		return -EINVAL;

	/* To the end even where it no longer fits: what is no span at all is -EINVAL, however long. */
	while (text < end) {
		usec_t span = 0;
		int r = take_span(&text, end, &span);

		if (r == -EINVAL)
			return r;
		if (r < 0 || tw_usec_add(total, span) == TW_USEC_INFINITY)
			result = -ERANGE;
		total = tw_usec_add(total, span);
		text += count_of(text, end, blanks);
	}
	if (result == 0)
		*ret_usec = total;
	return result;
}

const char *tw_duration_format(char text[TW_DURATION_TEXT_MAX], usec_t span_usec)
{
	struct tw_text out;

	tw_text_init(&out, text, TW_DURATION_TEXT_MAX);
	if (span_usec == 0 || span_usec == TW_USEC_INFINITY) {
		tw_text_add(&out, span_usec == 0 ? "0" : "infinity");
		return text;
	}
	for (size_t i = 0; i < TW_ARRAY_SIZE(units); i++) {
		if (span_usec >= units[i].usec)
			tw_text_addf(&out, "%s%" PRIu64 "%s", out.length > 0 ? " " : "", span_usec / units[i].usec,
				     units[i].names[0]);
		span_usec %= units[i].usec;
	}
	return text;
}
