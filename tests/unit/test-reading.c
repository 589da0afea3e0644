/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/reading.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define UNKNOWN INT64_MIN
#define FAR TW_READING_ETA_FAR_MILLI

/* Large: not for the stack of each test. */
static struct tw_sample sample;
static struct tw_rule_settings rule;

static int clear(TW_UNUSED void **state)
{
	memset(&sample, 0, sizeof(sample));
	tw_rule_settings_init(&rule);
	return 0;
}

static struct tw_address address(const char *text)
{
	struct tw_address parsed = { 0 };

	assert_int_equal(tw_address_parse(text, strlen(text), &parsed), 0);
	return parsed;
}

static struct tw_value value_of(int64_t milli)
{
	return milli == UNKNOWN ? tw_value_unknown() : tw_value_of(milli);
}

static void check(struct tw_value value, int64_t milli)
{
	assert_int_equal(value.known, milli != UNKNOWN);
	if (value.known)
		assert_int_equal(value.milli, milli);
}

/* ---- destinations */

static void add_row(const char *destination, uint16_t port, uint32_t ports, uint32_t time_wait, uint32_t young,
		    int64_t eta_milli)
{
	struct tw_survey *survey = &sample.survey;

	survey->at_usec = 9 * S;
	survey->range_ports = 1000;
	survey->has_busiest = true;
	survey->destinations++;
	survey->top[survey->top_count++] = (struct tw_destination_row){
		.key = { .source = address("10.0.0.1"), .destination = address(destination), .port = port },
		.ports = ports,
		.time_wait = time_wait,
		.young_time_wait = young,
		.port_use = tw_value_percent(ports + survey->bound_ports, survey->range_ports),
		.port_eta = value_of(eta_milli),
	};
}

static void add_rows(void)
{
	sample.survey.bound_ports = 50;
	add_row("10.0.0.2", 80, 500, 400, 10, UNKNOWN);
	add_row("10.0.0.2", 443, 300, 200, 100, 7000);
	add_row("10.0.0.3", 80, 200, 200, 0, 5000);
	add_row("::1", 80, 100, 0, 0, 0);
	sample.survey.port_use = tw_value_of(55000);
	sample.survey.port_demand = tw_value_of(135000);
	sample.survey.port_eta = tw_value_of(0);
	sample.survey.soonest = 3;
}

static void test_destinations(TW_UNUSED void **state)
{
	static const struct {
		const char *destination; /* NULL: unscoped */
		uint16_t port;
		int64_t use, pressure, eta;
		int use_row, eta_row; /* -1: none */
	} rows[] = {
		{ NULL, 0, 55000, 135000, 0, 0, 3 },
		{ "10.0.0.2", 0, 55000, 135000, 7000, 0, 1 },	/* the demand is the other row's: 100+100*12+50 */
		{ "10.0.0.2", 80, 55000, 27000, FAR, 0, -1 },	/* 100+10*12+50 */
		{ "10.0.0.2", 443, 35000, 135000, 7000, 1, 1 }, /* beyond the range is no nonsense */
		{ "10.0.0.2", 8080, 0, 0, FAR, -1, -1 },
		{ "10.0.0.3", 0, 25000, 5000, 5000, 2, 2 },
		{ "::1", 80, 15000, 15000, 0, 3, 3 },
		{ "10.0.0.9", 80, 0, 0, FAR, -1, -1 },
	};

	add_rows();
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		int expected[] = { rows[i].use_row, rows[i].eta_row };
		struct tw_reading reading;

		rule.scope.has_destination = rows[i].destination;
		if (rows[i].destination)
			rule.scope.destination = address(rows[i].destination);
		rule.scope.destination_port = rows[i].port;
		rule.metric = TW_METRIC_PORT_USE;
		reading = tw_reading_take(&sample, &rule);
		check(reading.value, rows[i].use);
		check(reading.pressure, rows[i].pressure);
		check(reading.eta, rows[i].eta == FAR ? UNKNOWN : rows[i].eta);
		assert_true(reading.confirmed);
		assert_int_equal(reading.at_usec, 9 * S);
		rule.metric = TW_METRIC_PORT_ETA;
		reading = tw_reading_take(&sample, &rule);
		check(reading.value, rows[i].eta);
		check(reading.pressure, rows[i].eta);
		assert_true(reading.confirmed);
		for (int k = 0; k < 2; k++) {
			struct tw_subject subject = { .has_listener = true };

			rule.metric = k == 0 ? TW_METRIC_PORT_USE : TW_METRIC_PORT_ETA;
			tw_reading_subject(&sample, &rule, &subject);
			assert_false(subject.has_listener);
			assert_int_equal(subject.has_destination, expected[k] >= 0);
			if (expected[k] >= 0)
				assert_memory_equal(&subject.destination, &sample.survey.top[expected[k]].key,
						    sizeof(subject.destination));
		}
	}
}

/* Two sources towards one address: the higher figure counts, in whatever order they stand. */
static void test_busiest_of_a_scope(TW_UNUSED void **state)
{
	struct tw_subject subject;

	add_row("10.0.0.2", 80, 10, 0, 0, 9000);
	add_row("10.0.0.2", 80, 90, 0, 0, 8000);
	add_row("10.0.0.2", 80, 20, 0, 0, 8500);
	rule.scope.has_destination = true;
	rule.scope.destination = address("10.0.0.2");
	rule.metric = TW_METRIC_PORT_USE;
	check(tw_reading_take(&sample, &rule).value, 9000);
	sample.survey.top[1].key.source = address("10.0.0.7");
	tw_reading_subject(&sample, &rule, &subject);
	assert_true(tw_address_equal(&subject.destination.source, &sample.survey.top[1].key.source));
	rule.metric = TW_METRIC_PORT_ETA;
	check(tw_reading_take(&sample, &rule).value, 8000);
}

static void test_no_survey(TW_UNUSED void **state)
{
	static const enum tw_metric metrics[] = { TW_METRIC_PORT_USE, TW_METRIC_PORT_ETA };

	for (size_t i = 0; i < 8; i++) {
		struct tw_subject subject;
		struct tw_reading reading;

		(void)clear(NULL);
		add_rows();
		rule.metric = metrics[i % 2];
		rule.forecast_usec = 60 * S;
		rule.scope.has_destination = i / 2 % 2;
		rule.scope.destination = address("10.0.0.2");
		if (i < 4)
			sample.survey.at_usec = 0;
		else
			sample.survey.partial = true;
		reading = tw_reading_take(&sample, &rule);
		check(reading.value, UNKNOWN);
		check(reading.pressure, UNKNOWN);
		assert_false(reading.soon);
		tw_reading_subject(&sample, &rule, &subject);
		assert_false(subject.has_destination);
	}
}

/* Without a range nothing is a share of it, not even none. */
static void test_no_range(TW_UNUSED void **state)
{
	sample.survey.at_usec = S;
	rule.metric = TW_METRIC_PORT_USE;
	rule.scope.has_destination = true;
	check(tw_reading_take(&sample, &rule).value, UNKNOWN);
}

static void test_soon(TW_UNUSED void **state)
{
	static const struct {
		int64_t raise, clear, use, eta;
		usec_t forecast;
		bool soon;
	} rows[] = {
		{ 45000, 25000, 22500, 15000, 15 * S, true },
		{ 45000, 25000, 22499, 15000, 15 * S, false }, /* not half of the level */
		{ 45001, 25000, 22500, 15000, 15 * S, false }, /* nor here */
		{ 45000, 25000, 22500, 15001, 15 * S, false },
		{ 45000, 25000, 22500, 0, 15 * S, true },
		{ 45000, 25000, 100000, 0, 0, false }, /* no forecast asked for */
		{ 45000, 25000, 22500, UNKNOWN, 15 * S, false },
		{ 45000, 25000, UNKNOWN, 0, 15 * S, false },
		{ 10000, 20000, 22500, 0, 15 * S, false }, /* downward */
	};

	rule.metric = TW_METRIC_PORT_USE;
	sample.survey.at_usec = S;
	sample.survey.has_busiest = true;
	sample.survey.top_count = 1;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		rule.raise_milli = rows[i].raise;
		rule.clear_milli = rows[i].clear;
		rule.forecast_usec = rows[i].forecast;
		sample.survey.port_use = sample.survey.top[0].port_use = value_of(rows[i].use);
		sample.survey.port_eta = sample.survey.top[0].port_eta = value_of(rows[i].eta);
		assert_int_equal(tw_reading_take(&sample, &rule).soon, rows[i].soon);
	}
}

/* Below the level the one that runs out is named, not the busiest. */
static void test_soon_subject(TW_UNUSED void **state)
{
	struct tw_subject subject;

	add_rows();
	rule.metric = TW_METRIC_PORT_USE;
	rule.raise_milli = 60000;
	rule.clear_milli = 10000;
	rule.forecast_usec = 8 * S;
	assert_true(tw_reading_take(&sample, &rule).soon);
	tw_reading_subject(&sample, &rule, &subject);
	assert_int_equal(subject.destination.port, 443);
	rule.raise_milli = 50000;
	tw_reading_subject(&sample, &rule, &subject);
	assert_int_equal(subject.destination.port, 80);
}

/* The forecast is that of the scope. */
static void test_soon_in_scope(TW_UNUSED void **state)
{
	add_rows();
	rule.metric = TW_METRIC_PORT_USE;
	rule.raise_milli = 40000;
	rule.clear_milli = 10000;
	rule.forecast_usec = 6 * S;
	assert_true(tw_reading_take(&sample, &rule).soon);
	rule.scope.has_destination = true;
	rule.scope.destination = address("10.0.0.2");
	assert_false(tw_reading_take(&sample, &rule).soon);
	rule.scope.destination = address("10.0.0.3");
	assert_true(tw_reading_take(&sample, &rule).soon);
}

/* ---- CLOSE-WAIT */

#define CLOSE_WAIT TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT)

static const struct tw_waiter waiters[] = {
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
	close_wait->waiters = waiters;
	close_wait->waiter_count = TW_ARRAY_SIZE(waiters);
	close_wait->row_count = 3;
	strcpy(close_wait->rows[0].unit, "web.service");
	strcpy(close_wait->rows[1].unit, "db.service");
	sample.census.at_usec = 199 * S;
	sample.census.known[TW_STATE_CLOSE_WAIT] = true;
	sample.census.count[TW_STATE_CLOSE_WAIT] = 8;
}

static void test_close_wait(TW_UNUSED void **state)
{
	static const struct {
		enum tw_metric metric;
		const char *unit;
		usec_t age;
		int64_t value;
		const char *subject;
		uint64_t count; /* of the subject's */
	} rows[] = {
		{ CLOSE_WAIT, "", 60 * S, 8000, "web.service", 3 },
		{ CLOSE_WAIT, "web.service", 60 * S, 3000, "web.service", 3 },
		{ CLOSE_WAIT, "db.service", 0, 2000, "db.service", 2 },
		{ CLOSE_WAIT, "none.service", 0, 0, "", 0 },
		{ TW_METRIC_CLOSE_WAIT_AGED, "", 60 * S, 4000, "db.service", 2 }, /* strictly older */
		{ TW_METRIC_CLOSE_WAIT_AGED, "web.service", 60 * S, 1000, "web.service", 1 },
		{ TW_METRIC_CLOSE_WAIT_AGED, "", 5 * S, 6000, "web.service", 3 },
		{ TW_METRIC_CLOSE_WAIT_AGED, "", 0, 6000, "web.service", 3 },
		{ TW_METRIC_CLOSE_WAIT_AGED, "web.service", 100 * S, 0, "", 0 },
		{ TW_METRIC_CLOSE_WAIT_AGED, "none.service", 0, 0, "", 0 },
		{ TW_METRIC_CLOSE_WAIT_AGED, "", 175 * S, 1000, "", 0 }, /* whose it is nobody knows */
		{ TW_METRIC_CLOSE_WAIT_AGE, "", 60 * S, 180000, "", 0 },
		{ TW_METRIC_CLOSE_WAIT_AGE, "web.service", 60 * S, 100000, "web.service", 3 },
		{ TW_METRIC_CLOSE_WAIT_AGE, "db.service", 60 * S, 170000, "db.service", 2 },
		{ TW_METRIC_CLOSE_WAIT_AGE, "none.service", 60 * S, 0, "", 0 },
	};

	add_waiters();
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_reading reading;
		struct tw_subject subject;
		uint64_t count = 99;

		rule.metric = rows[i].metric;
		rule.age_usec = rows[i].age;
		strcpy(rule.scope.unit, rows[i].unit);
		reading = tw_reading_take(&sample, &rule);
		check(reading.value, rows[i].value);
		check(reading.pressure, rows[i].value);
		assert_false(reading.confirmed);
		assert_int_equal(reading.at_usec, rows[i].metric == CLOSE_WAIT && !*rows[i].unit ? 199 * S : 200 * S);
		tw_reading_subject(&sample, &rule, &subject);
		assert_string_equal(subject.unit, rows[i].subject);
		if (!*rows[i].subject)
			continue;
		assert_true(tw_reading_count(&sample, &rule, subject.unit, &count));
		assert_int_equal(count, rows[i].count);
	}
}

/* Of an age the oldest socket's unit, though another one has more sockets. */
static void test_unit_of_the_oldest(TW_UNUSED void **state)
{
	struct tw_subject subject;

	add_waiters();
	sample.close_wait.waiter_count = 5;
	rule.metric = TW_METRIC_CLOSE_WAIT_AGE;
	check(tw_reading_take(&sample, &rule).value, 170000);
	tw_reading_subject(&sample, &rule, &subject);
	assert_string_equal(subject.unit, "db.service");
}

static void test_waiters_unknown(TW_UNUSED void **state)
{
	static const enum tw_metric metrics[] = { CLOSE_WAIT, TW_METRIC_CLOSE_WAIT_AGE, TW_METRIC_CLOSE_WAIT_AGED };

	for (size_t i = 0; i < 9; i++) {
		struct tw_subject subject;
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
			sample.close_wait.waiters = NULL;
		check(tw_reading_take(&sample, &rule).value, UNKNOWN);
		tw_reading_subject(&sample, &rule, &subject);
		assert_string_equal(subject.unit, "");
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
		check(tw_reading_take(&sample, &rule).value, 0);
	}
}

/* Any other metric is that of the namespace, whatever the scope. */
static void test_plain_metric(TW_UNUSED void **state)
{
	struct tw_reading reading;
	struct tw_subject subject;
	uint64_t count;

	add_waiters();
	sample.gauge.at_usec = 3 * S;
	sample.gauge.time_wait = 1;
	sample.gauge.sysctls[TW_TUNABLE_MAX_TW_BUCKETS] = (struct tw_live_value){ { { 4 } }, true };
	strcpy(rule.scope.unit, "web.service");
	rule.metric = TW_METRIC_TIME_WAIT_BUCKETS;
	reading = tw_reading_take(&sample, &rule);
	check(reading.value, 25000);
	check(reading.pressure, 25000);
	assert_int_equal(reading.at_usec, 3 * S);
	assert_false(reading.confirmed);
	tw_reading_subject(&sample, &rule, &subject);
	assert_string_equal(subject.unit, "");
	assert_false(tw_reading_count(&sample, &rule, "web.service", &count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_destinations, clear),
		cmocka_unit_test_setup(test_busiest_of_a_scope, clear),
		cmocka_unit_test_setup(test_no_survey, clear),
		cmocka_unit_test_setup(test_no_range, clear),
		cmocka_unit_test_setup(test_soon, clear),
		cmocka_unit_test_setup(test_soon_subject, clear),
		cmocka_unit_test_setup(test_soon_in_scope, clear),
		cmocka_unit_test_setup(test_close_wait, clear),
		cmocka_unit_test_setup(test_unit_of_the_oldest, clear),
		cmocka_unit_test_setup(test_waiters_unknown, clear),
		cmocka_unit_test_setup(test_no_waiter, clear),
		cmocka_unit_test_setup(test_plain_metric, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
