/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An address as it is written: apart from the fixtures because several of them, and tests without one, need it. */

#include "model/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static inline struct tw_address address(const char *text)
{
	struct tw_address parsed = { 0 };

	assert_int_equal(tw_address_parse(text, strlen(text), &parsed), 0);
	return parsed;
}
