/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/event.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The names are a contract with whoever filters the journal by TIMEWAITD_EVENT. */
static void test_names(TW_UNUSED void **state)
{
	static const char *const names[] = {
		"started",   "stopped",	  "reloaded", "reload-failed", "sample",	 "raised",	  "reminded",
		"cleared",   "advice",	  "adjusted", "restored",      "yielded",	 "refused",	  "effect",
		"destroyed", "stretched", "partial",  "degraded",      "namespace-gone", "namespace-new", "requested",
	};

	assert_int_equal(TW_ARRAY_SIZE(names), TW_EVENT_COUNT);
	for (int i = 0; i < TW_EVENT_COUNT; i++)
		assert_string_equal(tw_event_name((enum tw_event_kind)i), names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
