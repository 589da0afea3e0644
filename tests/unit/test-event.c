/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/event.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static void test_skipped(TW_UNUSED void **state)
{
	static const struct tw_skipped skipped = { .tunable = TW_TUNABLE_PORT_RANGE, .rule = "wide", .place = "a:7" };
	struct tw_event event;

	tw_event_of_skipped(&skipped, &event);
	assert_int_equal(event.kind, TW_EVENT_REFUSED);
	assert_int_equal(event.severity, TW_SEVERITY_WARNING);
	assert_true(event.has_sysctl && event.sysctl == TW_TUNABLE_PORT_RANGE);
	assert_string_equal(event.rule_name, "wide");
	assert_memory_equal(event.reason, "a:7 asks for it, and", 20);
	assert_non_null(strstr(event.advice, "/etc/sysctl.d"));
	assert_non_null(strstr(event.advice, "timewaitctl explain net.ipv4.ip_local_port_range"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
