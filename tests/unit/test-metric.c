/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/metric.h"

#include "base/macros.h"
#include "model/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The manual's table: a name, its unit, its source, and whether it is the host's alone. */
static const struct {
	enum tw_metric metric;
	const char *name;
	enum tw_unit unit;
	enum tw_metric_source source;
	bool host_only;
} rows[] = {
	{ TW_METRIC_PORT_USE, "port-use", TW_UNIT_PERCENT, TW_METRIC_FROM_SURVEY, false },
	{ TW_METRIC_PORT_ETA, "port-eta", TW_UNIT_SECONDS, TW_METRIC_FROM_SURVEY, false },
	{ TW_METRIC_TIME_WAIT_BUCKETS, "time-wait-buckets", TW_UNIT_PERCENT, TW_METRIC_FROM_GAUGE, false },
	{ TW_METRIC_ORPHANS, "orphans", TW_UNIT_PERCENT, TW_METRIC_FROM_GAUGE, true },
	{ TW_METRIC_TCP_MEMORY, "tcp-memory", TW_UNIT_PERCENT, TW_METRIC_FROM_GAUGE, true },
	{ TW_METRIC_ACCEPT_QUEUE, "accept-queue", TW_UNIT_PERCENT, TW_METRIC_FROM_CENSUS, false },
	{ TW_METRIC_CLOSE_WAIT_AGE, "close-wait-age", TW_UNIT_SECONDS, TW_METRIC_FROM_CENSUS, false },
	{ TW_METRIC_CLOSE_WAIT_AGED, "close-wait-aged", TW_UNIT_SOCKETS, TW_METRIC_FROM_CENSUS, false },
	{ TW_METRIC_TIME_WAIT_OVERFLOW, "time-wait-overflow", TW_UNIT_PER_SECOND, TW_METRIC_FROM_GAUGE, false },
	{ TW_METRIC_LISTEN_OVERFLOW, "listen-overflow", TW_UNIT_PER_SECOND, TW_METRIC_FROM_GAUGE, false },
	{ TW_METRIC_LISTEN_DROP, "listen-drop", TW_UNIT_PER_SECOND, TW_METRIC_FROM_GAUGE, false },
	{ TW_METRIC_SYN_COOKIES, "syn-cookies", TW_UNIT_PER_SECOND, TW_METRIC_FROM_GAUGE, false },
	{ TW_METRIC_CONNECT_FAIL, "connect-fail", TW_UNIT_PER_SECOND, TW_METRIC_FROM_GAUGE, false },
	{ TW_METRIC_RESET, "reset", TW_UNIT_PER_SECOND, TW_METRIC_FROM_GAUGE, false },
	{ TW_METRIC_MEMORY_ABORT, "memory-abort", TW_UNIT_PER_SECOND, TW_METRIC_FROM_GAUGE, false },
	{ TW_METRIC_TIME_WAIT_REUSED, "time-wait-reused", TW_UNIT_PER_SECOND, TW_METRIC_FROM_GAUGE, false },
};

static void test_states_come_first(TW_UNUSED void **state)
{
	for (int i = 0; i < TW_STATE_COUNT; i++) {
		const struct tw_metric_info *info = tw_metric_info(TW_METRIC_OF_STATE(i));

		assert_string_equal(info->name, tw_state_name((enum tw_state)i));
		assert_int_equal(info->unit, TW_UNIT_SOCKETS);
		assert_int_equal(info->source, TW_METRIC_FROM_CENSUS);
		assert_false(info->host_only);
		/* The one state that came late. */
		if (i == TW_STATE_BOUND)
			assert_string_equal(info->since, "Linux 6.8");
		else
			assert_null(info->since);
	}
}

static void test_table(TW_UNUSED void **state)
{
	assert_int_equal(TW_STATE_COUNT + TW_ARRAY_SIZE(rows), TW_METRIC_COUNT);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const struct tw_metric_info *info = tw_metric_info(rows[i].metric);

		assert_string_equal(info->name, rows[i].name);
		assert_int_equal(info->unit, rows[i].unit);
		assert_int_equal(info->source, rows[i].source);
		assert_int_equal(info->host_only, rows[i].host_only);
		assert_null(info->since);
	}
}

/* Two rows of one name would not both be found again. */
static void test_names_lead_back(TW_UNUSED void **state)
{
	for (int i = 0; i < TW_METRIC_COUNT; i++) {
		const struct tw_metric_info *info = tw_metric_info((enum tw_metric)i);
		enum tw_metric found = TW_METRIC_COUNT;

		assert_true(tw_metric_from_name(info->name, strlen(info->name), &found));
		assert_int_equal(found, i);
	}
}

static void test_unknown_names(TW_UNUSED void **state)
{
	static const char *const names[] = { "", "port", "port-used", "Port-Use", "port_use", "TIME-WAIT" };
	enum tw_metric found = TW_METRIC_COUNT;

	for (size_t i = 0; i < TW_ARRAY_SIZE(names); i++)
		assert_false(tw_metric_from_name(names[i], strlen(names[i]), &found));
	assert_int_equal(found, TW_METRIC_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states_come_first),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_names_lead_back),
		cmocka_unit_test(test_unknown_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
