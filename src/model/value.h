/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* What a number counts; it decides how the configuration spells it and how records print it. */
enum tw_unit {
	TW_UNIT_SOCKETS,
	TW_UNIT_PERCENT,
	TW_UNIT_PER_SECOND,
	TW_UNIT_SECONDS,
};

/* A scalar in thousandths of its unit, or unknown. Unknown is never 0. */
struct tw_value {
	int64_t milli;
	bool known;
};

static inline struct tw_value tw_value_of(int64_t milli)
{
	return (struct tw_value){ .milli = milli, .known = true };
}

static inline struct tw_value tw_value_unknown(void)
{
	return (struct tw_value){ 0 };
}

/* 100 * part / whole in thousandths of a percent, without overflow, rounded down; unknown where whole is 0. */
struct tw_value tw_value_percent(uint64_t part, uint64_t whole);

/* "45.2%", "120/s", "812", "1min 30s", "unknown": for people; at most one digit behind the point. */
void tw_value_add(struct tw_text *text, struct tw_value value, enum tw_unit unit);

/* A span of time, as seconds or more: "1min 30s". */
static inline void tw_value_add_span(struct tw_text *text, usec_t span_usec)
{
	tw_value_add(text, tw_value_of((int64_t)(span_usec / TW_USEC_PER_MSEC)), TW_UNIT_SECONDS);
}

/*
 * Parses what the configuration writes: "45%", "1/s", "100", "30s". Returns 0, -EINVAL (wrong shape or unit) or
 * -ERANGE.
 */
int tw_value_parse(const char *text, size_t length, enum tw_unit unit, int64_t *ret_milli);
