/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A sample and a rule, filled by hand, and their rows: apart because all tests of decide/reading need them. */

#include "address.h"
#include "base/macros.h"
#include "decide/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define UNKNOWN INT64_MIN

/* Large: not for the stack of each test. */
static struct tw_sample sample;
static struct tw_rule_settings rule;

static inline int clear(TW_UNUSED void **state)
{
	memset(&sample, 0, sizeof(sample));
	tw_rule_settings_init(&rule);
	return 0;
}

static inline void check(struct tw_value value, int64_t milli)
{
	assert_int_equal(value.known, milli != UNKNOWN);
	if (value.known)
		assert_int_equal(value.milli, milli);
}

/* The row of this index that the sample gives; false where it gives fewer. */
static inline bool nth(unsigned index, struct tw_reading_row *ret)
{
	static struct tw_readings all;

	tw_reading_all(&sample, &rule, &all);
	*ret = index < all.count ? all.rows[index] : (struct tw_reading_row){ 0 };
	return index < all.count;
}

static inline struct tw_reading_row worst(void)
{
	struct tw_reading_row row;

	tw_reading_worst(&sample, &rule, &row);
	return row;
}
