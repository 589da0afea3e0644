/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reading-fixture.h"

#define CLOSE_WAIT TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT)

static const struct tw_close_wait_socket waiters[] = {
	{ .since_usec = 100 * S, .unit = 0 }, /* 100 s old */
	{ .since_usec = 140 * S, .unit = 0 }, /* 60 s */
	{ .since_usec = 190 * S, .unit = 0 }, /* 10 s */
	{ .since_usec = 30 * S, .unit = 1 },  /* 170 s */
	{ .since_usec = 139 * S, .unit = 1 }, /* 61 s */
	{ .since_usec = 20 * S, .unit = TW_NO_UNIT },
	{ .since_usec = 201 * S, .unit = 2 }, /* later than the census: 0 s */
};

static void add_waiters(void)
{
	struct tw_close_wait *close_wait = &sample.close_wait;

	close_wait->at_usec = 200 * S;
	close_wait->sockets = waiters;
	close_wait->socket_count = TW_ARRAY_SIZE(waiters);
	close_wait->row_count = 3;
	strcpy(close_wait->rows[0].unit, "web.service");
	strcpy(close_wait->rows[1].unit, "db.service");
	sample.census.at_usec = 199 * S;
	sample.census.known[TW_STATE_CLOSE_WAIT] = true;
	sample.census.count[TW_STATE_CLOSE_WAIT] = 8;
}

static const struct {
	enum tw_metric metric;
	const char *scope;
	usec_t age;
	unsigned count; /* of subjects */
	struct {
		const char *unit;
		int64_t milli;
	} rows[4]; /* the worst first among equals, else in the order of the table */
	unsigned worst;
} units[] = {
	/* The number of them is the census's, of the namespace; of a unit it is counted. */
	{ CLOSE_WAIT, "", 60 * S, 1, { { "web.service", 8000 } }, 0 },
	{ CLOSE_WAIT, "web.service", 60 * S, 1, { { "web.service", 3000 } }, 0 },
	{ CLOSE_WAIT, "db.service", 0, 1, { { "db.service", 2000 } }, 0 },
	{ CLOSE_WAIT, "none.service", 0, 1, { { "", 0 } }, 0 },
	{ TW_METRIC_CLOSE_WAIT_AGED,
	  "",
	  60 * S,
	  3,
	  { { "web.service", 1000 }, { "db.service", 2000 }, { "", 1000 } },
	  1 },
	{ TW_METRIC_CLOSE_WAIT_AGED, "web.service", 60 * S, 1, { { "web.service", 1000 } }, 0 }, /* strictly older */
	{ TW_METRIC_CLOSE_WAIT_AGED,
	  "",
	  5 * S,
	  3,
	  { { "web.service", 3000 }, { "db.service", 2000 }, { "", 1000 } },
	  0 },
	{ TW_METRIC_CLOSE_WAIT_AGED, "web.service", 100 * S, 0, { { "", 0 } }, 0 },
	{ TW_METRIC_CLOSE_WAIT_AGED, "none.service", 0, 0, { { "", 0 } }, 0 },
	{ TW_METRIC_CLOSE_WAIT_AGED, "", 175 * S, 1, { { "", 1000 } }, 0 }, /* whose it is nobody knows */
	{ TW_METRIC_CLOSE_WAIT_AGE,
	  "",
	  60 * S,
	  3,
	  { { "web.service", 100000 }, { "db.service", 170000 }, { "", 180000 } },
	  2 },
	{ TW_METRIC_CLOSE_WAIT_AGE, "db.service", 60 * S, 1, { { "db.service", 170000 } }, 0 },
	{ TW_METRIC_CLOSE_WAIT_AGE, "none.service", 60 * S, 0, { { "", 0 } }, 0 },
};

static void test_close_wait(TW_UNUSED void **state)
{
	add_waiters();
	for (size_t i = 0; i < TW_ARRAY_SIZE(units); i++) {
		bool whole = units[i].metric == CLOSE_WAIT && units[i].scope[0] == '\0';
		struct tw_reading_row row;

		rule.metric = units[i].metric;
		rule.age_usec = units[i].age;
		strcpy(rule.scope.unit, units[i].scope);
		for (unsigned k = 0; k < units[i].count; k++) {
			if (!nth(k, &row))
				fail_msg("row %zu: no subject %u", i, k);
			assert_string_equal(row.subject.unit, units[i].rows[k].unit);
			check(row.reading.value, units[i].rows[k].milli);
			check(row.reading.pressure, units[i].rows[k].milli);
			assert_false(row.reading.confirmed);
			assert_int_equal(row.reading.at_usec, whole ? 199 * S : 200 * S);
		}
		assert_false(nth(units[i].count, &row));
		row = worst();
		assert_string_equal(row.subject.unit, units[i].rows[units[i].worst].unit);
		check(row.reading.value, units[i].rows[units[i].worst].milli);
	}
}

/* How many sockets of a unit count: for a record. */
static void test_count(TW_UNUSED void **state)
{
	static const struct {
		enum tw_metric metric;
		usec_t age;
		const char *unit;
		uint64_t count;
	} rows[] = {
		{ CLOSE_WAIT, 60 * S, "web.service", 3 },
		{ TW_METRIC_CLOSE_WAIT_AGE, 60 * S, "db.service", 2 },
		{ TW_METRIC_CLOSE_WAIT_AGED, 60 * S, "web.service", 1 },
		{ TW_METRIC_CLOSE_WAIT_AGED, 60 * S, "db.service", 2 },
		{ TW_METRIC_CLOSE_WAIT_AGED, 0, "none.service", 0 },
	};

	add_waiters();
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		uint64_t count = 99;

		rule.metric = rows[i].metric;
		rule.age_usec = rows[i].age;
		assert_true(tw_reading_count(&sample, &rule, rows[i].unit, &count));
		assert_int_equal(count, rows[i].count);
	}
}

static void test_waiters_unknown(TW_UNUSED void **state)
{
	static const enum tw_metric metrics[] = { CLOSE_WAIT, TW_METRIC_CLOSE_WAIT_AGE, TW_METRIC_CLOSE_WAIT_AGED };

	for (size_t i = 0; i < 9; i++) {
		uint64_t count;

		(void)clear(NULL);
		add_waiters();
		rule.metric = metrics[i / 3];
		strcpy(rule.scope.unit, "web.service");
		if (i % 3 == 0)
			sample.close_wait.at_usec = 0;
		else if (i % 3 == 1)
			sample.close_wait.partial = true;
		else
			sample.close_wait.sockets = NULL;
		assert_false(tw_reading_known(&sample, &rule));
		check(worst().reading.value, UNKNOWN);
		assert_string_equal(worst().subject.unit, "");
		assert_false(tw_reading_count(&sample, &rule, "web.service", &count));
	}
}

static void test_no_waiter(TW_UNUSED void **state)
{
	static const enum tw_metric metrics[] = { CLOSE_WAIT, TW_METRIC_CLOSE_WAIT_AGE, TW_METRIC_CLOSE_WAIT_AGED };

	sample.close_wait.at_usec = S;
	strcpy(rule.scope.unit, "web.service");
	for (size_t i = 0; i < TW_ARRAY_SIZE(metrics); i++) {
		rule.metric = metrics[i];
		check(worst().reading.value, 0);
	}
}

/* Any other metric is that of the namespace, whatever the scope. */
static void test_plain_metric(TW_UNUSED void **state)
{
	struct tw_reading_row row;
	uint64_t count;

	add_waiters();
	sample.gauge.at_usec = 3 * S;
	sample.gauge.time_wait = 1;
	sample.gauge.sysctls[TW_TUNABLE_MAX_TW_BUCKETS] = (struct tw_live_value){ { { 4 } }, true };
	strcpy(rule.scope.unit, "web.service");
	rule.metric = TW_METRIC_TIME_WAIT_BUCKETS;
	assert_true(nth(0, &row));
	check(row.reading.value, 25000);
	check(row.reading.pressure, 25000);
	assert_int_equal(row.reading.at_usec, 3 * S);
	assert_false(row.reading.confirmed);
	assert_string_equal(row.subject.unit, "");
	assert_false(nth(1, &row));
	assert_false(tw_reading_count(&sample, &rule, "web.service", &count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_close_wait, clear),	     cmocka_unit_test_setup(test_count, clear),
		cmocka_unit_test_setup(test_waiters_unknown, clear), cmocka_unit_test_setup(test_no_waiter, clear),
		cmocka_unit_test_setup(test_plain_metric, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
