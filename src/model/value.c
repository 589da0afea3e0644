/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/value.h"

#include "base/duration.h"
#include "base/parse.h"

#include <errno.h>

#define MILLI 1000
/* From a minute on, a span is told in whole seconds: "1min 11s". */
#define WHOLE_SECONDS_FROM_MILLI (60 * MILLI)
/* What is rounded to a tenth reaches the minute from here on: 59.95 s. */
#define ROUNDS_TO_MINUTE_MILLI (WHOLE_SECONDS_FROM_MILLI - 50)

struct tw_value tw_value_percent(uint64_t part, uint64_t whole)
{
	unsigned __int128 milli;

	if (whole == 0)
		return tw_value_unknown();

	milli = (unsigned __int128)part * 100 * MILLI / whole;
	return tw_value_of(milli > INT64_MAX ? INT64_MAX : (int64_t)milli);
}

static void add_seconds(struct tw_text *text, int64_t milli)
{
	char span[TW_DURATION_TEXT_MAX];
	uint64_t magnitude = milli < 0 ? 0 - (uint64_t)milli : (uint64_t)milli;
	uint64_t seconds;

	if (magnitude < ROUNDS_TO_MINUTE_MILLI) {
		tw_text_add_milli_rounded(text, milli, 1);
		tw_text_add_char(text, 's');
		return;
	}

	seconds = (magnitude + MILLI / 2) / MILLI;
	if (milli < 0)
		tw_text_add_char(text, '-');
	/* 2^63 ms are 2^73 us: held at what the format calls infinity. */
	tw_text_add(text,
		    tw_duration_format(span, seconds > TW_USEC_INFINITY / TW_USEC_PER_SEC ? TW_USEC_INFINITY
											  : seconds * TW_USEC_PER_SEC));
}

void tw_value_add(struct tw_text *text, struct tw_value value, enum tw_unit unit)
{
	if (!value.known) {
		tw_text_add(text, "unknown");
		return;
	}

	switch (unit) {
	case TW_UNIT_SOCKETS:
		tw_text_add_milli_rounded(text, value.milli, 1);
		break;
	case TW_UNIT_PERCENT:
		tw_text_add_milli_rounded(text, value.milli, 1);
		tw_text_add_char(text, '%');
		break;
	case TW_UNIT_PER_SECOND:
		tw_text_add_milli_rounded(text, value.milli, 1);
		tw_text_add(text, "/s");
		break;
	case TW_UNIT_SECONDS:
		add_seconds(text, value.milli);
		break;
	}
}

/* A number that is not negative, with `suffix` right behind it. */
static int parse_suffixed(const char *text, size_t length, const char *suffix, size_t suffix_length, int64_t *ret_milli)
{
	/* No metric is ever negative. */
	if (length <= suffix_length || text[0] == '-')
		return -EINVAL;
	if (!tw_parse_is(text + length - suffix_length, suffix_length, suffix))
		return -EINVAL;
	return tw_parse_milli(text, length - suffix_length, ret_milli);
}

/* There is no half socket. */
static int parse_sockets(const char *text, size_t length, int64_t *ret_milli)
{
	uint64_t count;
	int r;

	r = tw_parse_u64(text, length, &count);
	if (r < 0)
		return r;
	if (count > INT64_MAX / MILLI)
		return -ERANGE;

	*ret_milli = (int64_t)count * MILLI;
	return 0;
}

/* Finer than a thousandth of a second has no place in the result: -ERANGE rather than another number. */
static int parse_seconds(const char *text, size_t length, int64_t *ret_milli)
{
	usec_t span;
	int r;

	r = tw_duration_parse(text, length, &span);
	if (r < 0)
		return r;
	if (span % TW_USEC_PER_MSEC != 0)
		return -ERANGE;

	*ret_milli = (int64_t)(span / TW_USEC_PER_MSEC);
	return 0;
}

int tw_value_parse(const char *text, size_t length, enum tw_unit unit, int64_t *ret_milli)
{
	switch (unit) {
	case TW_UNIT_SOCKETS:
		return parse_sockets(text, length, ret_milli);
	case TW_UNIT_PERCENT:
		return parse_suffixed(text, length, "%", 1, ret_milli);
	case TW_UNIT_PER_SECOND:
		return parse_suffixed(text, length, "/s", 2, ret_milli);
	case TW_UNIT_SECONDS:
		return parse_seconds(text, length, ret_milli);
	}
	return -EINVAL;
}
