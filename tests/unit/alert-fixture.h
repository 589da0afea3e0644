/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Readings in plain units: apart because the stories about the level and those about the forecast both need them. */

#include "decide/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
/* A measurement that did not take place. */
#define NONE INT64_MIN

#define N TW_RULE_NORMAL
#define UP TW_RULE_RISING
#define R TW_RULE_RAISED
#define C TW_RULE_CLEARING

static inline struct tw_reading reading_of(int64_t value, unsigned at, bool confirmed)
{
	struct tw_value v = tw_value_of(value * 1000);

	return (struct tw_reading){ .value = v, .pressure = v, .at_usec = at * S, .confirmed = confirmed };
}
