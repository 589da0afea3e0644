/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a rate holds its level: apart from test-alert because what it measures comes in clumps. */
#include "alert-fixture.h"

/* Once a second, from the first one over the level on: 2 a second, for ten seconds. */
static const struct {
	const char *name;
	int64_t values[12]; /* NONE: that second was not measured */
	unsigned raised_at; /* 0: never */
} rows[] = {
	{ "steady", { 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 }, 10 },
	{ "in clumps, about the double of it", { 9, 0, 7, 0, 8, 0, 5, 9, 0, 4, 9, 0 }, 10 },
	{ "below it at the end, and over it after", { 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 2 }, 11 },
	{ "a third of the time", { 9, 0, 0, 9, 0, 0, 9, 0, 0, 9, 0, 0 }, 0 },
	{ "one burst is no rate", { 9000, 9000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 0 },
	{ "nor is half of the level", { 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 0 },
	{ "a second that was not seen counts for nothing", { 2, 2, NONE, 2, 2, 2, 2, 2, 2, 2, 2, 2 }, 0 },
};

static unsigned play(enum tw_metric metric, const int64_t values[12])
{
	const struct tw_rule_settings settings = {
		.metric = metric, .raise_milli = 2000, .clear_milli = 0, .raise_for_usec = 10 * S
	};
	struct tw_alert alert = { 0 };

	for (unsigned at = 0; at < 12; at++) {
		struct tw_reading reading;

		if (values[at] == NONE) {
			(void)tw_alert_wait(&alert, &settings, (100 + at) * S);
			continue;
		}
		reading = reading_of(values[at], 100 + at, false);
		if (tw_alert_step(&alert, &settings, &reading, (100 + at) * S) == TW_ALERT_EDGE_RAISED)
			return at;
	}
	return 0;
}

static void test_rate(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		unsigned at = play(TW_METRIC_TIME_WAIT_OVERFLOW, rows[i].values);

		if (at != rows[i].raised_at)
			fail_msg("%s: raised after %u s", rows[i].name, at);
	}
}

/* What can be looked at any time, and stands below its level, has not held it. */
static void test_no_rate(void **state TW_UNUSED)
{
	assert_int_equal(play(TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT), rows[0].values), 10);
	assert_int_equal(play(TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT), rows[1].values), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_no_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
