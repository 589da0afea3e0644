/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/settings.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

static const struct {
	enum tw_severity severity;
	const char *name;
	int priority;
} rows[] = {
	{ TW_SEVERITY_INFO, "info", LOG_INFO },		 { TW_SEVERITY_NOTICE, "notice", LOG_NOTICE },
	{ TW_SEVERITY_WARNING, "warning", LOG_WARNING }, { TW_SEVERITY_ERROR, "error", LOG_ERR },
	{ TW_SEVERITY_CRITICAL, "critical", LOG_CRIT },
};

static void test_table(TW_UNUSED void **state)
{
	assert_int_equal(TW_ARRAY_SIZE(rows), TW_SEVERITY_COUNT);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		enum tw_severity found = TW_SEVERITY_COUNT;

		assert_string_equal(tw_severity_name(rows[i].severity), rows[i].name);
		assert_int_equal(tw_severity_priority(rows[i].severity), rows[i].priority);
		assert_true(tw_severity_from_name(rows[i].name, strlen(rows[i].name), &found));
		assert_int_equal(found, rows[i].severity);
	}
}

static void test_unknown_names(TW_UNUSED void **state)
{
	static const char *const names[] = { "", "warn", "Warning", "err", "errors", "4", "debug", "emerg" };
	enum tw_severity found = TW_SEVERITY_COUNT;

	for (size_t i = 0; i < TW_ARRAY_SIZE(names); i++)
		assert_false(tw_severity_from_name(names[i], strlen(names[i]), &found));
	assert_int_equal(found, TW_SEVERITY_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_unknown_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
