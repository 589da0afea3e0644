/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sample.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC

/* Large: not for the stack of each test. */
static struct tw_sample sample;

static int clear(void **data)
{
	(void)data;
	memset(&sample, 0, sizeof(sample));
	return 0;
}

static void set_counter(enum tw_counter counter, uint64_t before, uint64_t now)
{
	sample.previous.counters[counter] = (struct tw_count){ before, true };
	sample.gauge.counters[counter] = (struct tw_count){ now, true };
}

static void check_known(struct tw_value value, int64_t milli)
{
	assert_true(value.known);
	assert_int_equal(value.milli, milli);
}

static void test_rates(TW_UNUSED void **state)
{
	static const struct {
		usec_t span;
		uint64_t before, now;
		int64_t milli;
	} rows[] = {
		{ S, 10, 10, 0 },
		{ S, 10, 11, 1000 },
		{ S / 2, 10, 11, 2000 },
		{ 3 * S, 0, 1, 333 },
		{ 2 * S, 0, 10000, 5000000 },
		{ S, 0, UINT64_MAX / 1000, INT64_MAX }, /* held */
		{ 1, 0, UINT64_MAX, INT64_MAX },	/* held */
		{ S, UINT64_MAX - 1, UINT64_MAX, 1000 },
		{ 4000 * S, 0, UINT64_C(18446744073709551000),
		  INT64_C(4611686018427387750) }, /* past 64 bits between */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		sample.previous.at_usec = 7;
		sample.gauge.at_usec = 7 + rows[i].span;
		set_counter(TW_COUNTER_ACTIVE_OPEN, rows[i].before, rows[i].now);
		check_known(tw_sample_rate(&sample, TW_COUNTER_ACTIVE_OPEN), rows[i].milli);
	}
}

static void test_no_rate(TW_UNUSED void **state)
{
	set_counter(TW_COUNTER_RESET, 5, 6);
	assert_false(tw_sample_rate(&sample, TW_COUNTER_RESET).known); /* nothing yet */

	sample.gauge.at_usec = 10 * S;
	assert_false(tw_sample_rate(&sample, TW_COUNTER_RESET).known); /* the first gauge */

	sample.previous.at_usec = 10 * S;
	assert_false(tw_sample_rate(&sample, TW_COUNTER_RESET).known); /* no time in between */
	sample.previous.at_usec = 11 * S;
	assert_false(tw_sample_rate(&sample, TW_COUNTER_RESET).known); /* backwards */

	sample.previous.at_usec = 9 * S;
	check_known(tw_sample_rate(&sample, TW_COUNTER_RESET), 1000);

	set_counter(TW_COUNTER_RESET, 6, 5);
	assert_false(tw_sample_rate(&sample, TW_COUNTER_RESET).known); /* it fell */

	set_counter(TW_COUNTER_RESET, 5, 6);
	sample.previous.counters[TW_COUNTER_RESET].known = false;
	assert_false(tw_sample_rate(&sample, TW_COUNTER_RESET).known);
	set_counter(TW_COUNTER_RESET, 5, 6);
	sample.gauge.counters[TW_COUNTER_RESET].known = false;
	assert_false(tw_sample_rate(&sample, TW_COUNTER_RESET).known);
}

/* Each rate reads its own counter: all of them grow, each by another number. */
static void test_rate_metrics(TW_UNUSED void **state)
{
	static const struct {
		enum tw_metric metric;
		enum tw_counter counter;
	} rows[] = {
		{ TW_METRIC_TIME_WAIT_OVERFLOW, TW_COUNTER_TIME_WAIT_OVERFLOW },
		{ TW_METRIC_LISTEN_OVERFLOW, TW_COUNTER_LISTEN_OVERFLOW },
		{ TW_METRIC_LISTEN_DROP, TW_COUNTER_LISTEN_DROP },
		{ TW_METRIC_SYN_COOKIES, TW_COUNTER_SYN_COOKIES },
		{ TW_METRIC_CONNECT_FAIL, TW_COUNTER_CONNECT_FAIL },
		{ TW_METRIC_RESET, TW_COUNTER_RESET },
		{ TW_METRIC_MEMORY_ABORT, TW_COUNTER_MEMORY_ABORT },
		{ TW_METRIC_TIME_WAIT_REUSED, TW_COUNTER_TIME_WAIT_REUSED },
	};

	sample.previous.at_usec = S;
	sample.gauge.at_usec = 2 * S;
	for (int i = 0; i < TW_COUNTER_COUNT; i++)
		set_counter((enum tw_counter)i, 100, 101 + (uint64_t)i);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++)
		check_known(tw_sample_metric(&sample, rows[i].metric), 1000 + 1000 * (int64_t)rows[i].counter);
}

static void test_state_counts(TW_UNUSED void **state)
{
	for (int i = 0; i < TW_STATE_COUNT; i++) {
		enum tw_metric metric = TW_METRIC_OF_STATE(i);

		assert_int_equal(clear(NULL), 0);
		sample.census.count[i] = 812;
		sample.census.known[i] = true;
		assert_false(tw_sample_metric(&sample, metric).known); /* no census yet */
		sample.census.at_usec = S;
		check_known(tw_sample_metric(&sample, metric), 812000);
		sample.census.partial = true;
		assert_false(tw_sample_metric(&sample, metric).known);
		sample.census.partial = false;
		sample.census.known[i] = false;
		assert_false(tw_sample_metric(&sample, metric).known);

		sample.census.known[i] = true;
		sample.census.count[i] = 0;
		check_known(tw_sample_metric(&sample, metric), 0); /* known to be none */
	}
}

static void check_share(enum tw_metric metric, enum tw_tunable limit)
{
	struct tw_live_value *live = &sample.gauge.sysctls[limit];

	*live = (struct tw_live_value){ .value = { .numbers = { 4096 } }, .known = true };
	assert_false(tw_sample_metric(&sample, metric).known); /* no gauge yet */
	sample.gauge.at_usec = S;
	check_known(tw_sample_metric(&sample, metric), 25000);
	live->value.numbers[0] = 0;
	assert_false(tw_sample_metric(&sample, metric).known);
	live->value.numbers[0] = -1;
	assert_false(tw_sample_metric(&sample, metric).known);
	*live = (struct tw_live_value){ .value = { .numbers = { 4096 } }, .known = false };
	assert_false(tw_sample_metric(&sample, metric).known);
}

static void test_time_wait_buckets(TW_UNUSED void **state)
{
	sample.gauge.time_wait = 1024;
	check_share(TW_METRIC_TIME_WAIT_BUCKETS, TW_TUNABLE_MAX_TW_BUCKETS);
}

static void test_orphans(TW_UNUSED void **state)
{
	sample.gauge.orphan = 1024;
	check_share(TW_METRIC_ORPHANS, TW_TUNABLE_MAX_ORPHANS);
}

static void test_memory(TW_UNUSED void **state)
{
	sample.gauge.memory_pages = 30;
	sample.gauge.memory_limit_pages = (struct tw_count){ 40, true };
	assert_false(tw_sample_metric(&sample, TW_METRIC_TCP_MEMORY).known);
	sample.gauge.at_usec = S;
	check_known(tw_sample_metric(&sample, TW_METRIC_TCP_MEMORY), 75000);
	sample.gauge.memory_limit_pages.known = false;
	assert_false(tw_sample_metric(&sample, TW_METRIC_TCP_MEMORY).known);
	sample.gauge.memory_limit_pages = (struct tw_count){ 0, true };
	assert_false(tw_sample_metric(&sample, TW_METRIC_TCP_MEMORY).known);
}

static void test_port_use(TW_UNUSED void **state)
{
	sample.survey.port_use = tw_value_of(45200);
	assert_false(tw_sample_metric(&sample, TW_METRIC_PORT_USE).known);
	sample.survey.at_usec = S;
	check_known(tw_sample_metric(&sample, TW_METRIC_PORT_USE), 45200);
	sample.survey.partial = true;
	assert_false(tw_sample_metric(&sample, TW_METRIC_PORT_USE).known);
	sample.survey.partial = false;
	sample.survey.port_use = tw_value_unknown();
	assert_false(tw_sample_metric(&sample, TW_METRIC_PORT_USE).known);
}

static void test_port_eta(TW_UNUSED void **state)
{
	sample.survey.port_eta = tw_value_of(3900);
	assert_false(tw_sample_metric(&sample, TW_METRIC_PORT_ETA).known);
	sample.survey.at_usec = S;
	check_known(tw_sample_metric(&sample, TW_METRIC_PORT_ETA), 3900);
	sample.survey.partial = true;
	assert_false(tw_sample_metric(&sample, TW_METRIC_PORT_ETA).known);
}

static void test_accept_queue(TW_UNUSED void **state)
{
	sample.accepting.accept_queue = tw_value_of(45200);
	assert_false(tw_sample_metric(&sample, TW_METRIC_ACCEPT_QUEUE).known);
	sample.accepting.at_usec = S;
	check_known(tw_sample_metric(&sample, TW_METRIC_ACCEPT_QUEUE), 45200);
	sample.accepting.partial = true;
	assert_false(tw_sample_metric(&sample, TW_METRIC_ACCEPT_QUEUE).known);
}

static void test_close_wait_age(TW_UNUSED void **state)
{
	static const struct tw_close_wait_socket waiters[] = {
		{ .since_usec = 50 * S },
		{ .since_usec = 28 * S + 800 * TW_USEC_PER_MSEC },
		{ .since_usec = 101 * S }, /* later than the census */
	};
	struct tw_close_wait *close_wait = &sample.close_wait;

	close_wait->sockets = waiters;
	close_wait->socket_count = TW_ARRAY_SIZE(waiters);
	assert_false(tw_sample_metric(&sample, TW_METRIC_CLOSE_WAIT_AGE).known);
	close_wait->at_usec = 100 * S;
	check_known(tw_sample_metric(&sample, TW_METRIC_CLOSE_WAIT_AGE), 71200);
	close_wait->partial = true;
	assert_false(tw_sample_metric(&sample, TW_METRIC_CLOSE_WAIT_AGE).known);
	close_wait->partial = false;
	close_wait->sockets = NULL;
	assert_false(tw_sample_metric(&sample, TW_METRIC_CLOSE_WAIT_AGE).known);
	close_wait->socket_count = 0;
	check_known(tw_sample_metric(&sample, TW_METRIC_CLOSE_WAIT_AGE), 0); /* known to be none */
}

/* Nothing has moved: who waits is older by that time, and what waits to be sent is not. */
static void test_confirm(TW_UNUSED void **state)
{
	static const struct tw_close_wait_socket waiters[] = {
		{ .since_usec = 50 * S, .unit = 0 },
		{ .since_usec = 60 * S, .unit = 0 },
		{ .since_usec = TW_USEC_INFINITY, .unit = 1 },
		{ .since_usec = 20 * S, .unit = TW_NO_UNIT },
	};
	struct tw_close_wait *close_wait = &sample.close_wait;

	close_wait->sockets = waiters;
	close_wait->socket_count = TW_ARRAY_SIZE(waiters);
	close_wait->row_count = 2;
	close_wait->rows[0].oldest_usec = 50 * S;
	tw_sample_confirm(&sample, 150 * S);
	assert_int_equal(close_wait->at_usec, 0);
	close_wait->at_usec = 100 * S;
	tw_sample_confirm(&sample, 170 * S);
	assert_int_equal(sample.gauge.at_usec, 170 * S);
	assert_int_equal(close_wait->at_usec, 170 * S);
	assert_int_equal(close_wait->rows[0].oldest_usec, 120 * S);
	assert_int_equal(close_wait->rows[1].oldest_usec, 0);
	check_known(tw_sample_metric(&sample, TW_METRIC_CLOSE_WAIT_AGE), 150000);
}

/* An empty sample knows nothing; one that was measured but not in these parts neither. */
static void test_unknown(TW_UNUSED void **state)
{
	static const enum tw_metric untold[] = { TW_METRIC_PORT_ETA, TW_METRIC_ACCEPT_QUEUE,
						 TW_METRIC_CLOSE_WAIT_AGED };

	for (int i = 0; i < TW_METRIC_COUNT; i++)
		assert_false(tw_sample_metric(&sample, (enum tw_metric)i).known);

	sample.gauge.at_usec = sample.census.at_usec = sample.survey.at_usec = S;
	sample.accepting.at_usec = sample.close_wait.at_usec = S;
	for (size_t i = 0; i < TW_ARRAY_SIZE(untold); i++)
		assert_false(tw_sample_metric(&sample, untold[i]).known);
}

static void test_measured_at(TW_UNUSED void **state)
{
	for (int i = 0; i < TW_METRIC_COUNT; i++)
		assert_int_equal(tw_sample_metric_at(&sample, (enum tw_metric)i), 0);

	sample.gauge.at_usec = 3;
	sample.census.at_usec = 2;
	sample.survey.at_usec = 1;
	sample.accepting.at_usec = 4;
	sample.close_wait.at_usec = 5;
	assert_int_equal(tw_sample_metric_at(&sample, TW_METRIC_RESET), 3);
	assert_int_equal(tw_sample_metric_at(&sample, TW_METRIC_ORPHANS), 3);
	assert_int_equal(tw_sample_metric_at(&sample, TW_METRIC_STATE_FIRST), 2);
	assert_int_equal(tw_sample_metric_at(&sample, TW_METRIC_STATE_LAST), 2);
	assert_int_equal(tw_sample_metric_at(&sample, TW_METRIC_PORT_USE), 1);
	assert_int_equal(tw_sample_metric_at(&sample, TW_METRIC_PORT_ETA), 1);
	assert_int_equal(tw_sample_metric_at(&sample, TW_METRIC_ACCEPT_QUEUE), 4);
	assert_int_equal(tw_sample_metric_at(&sample, TW_METRIC_CLOSE_WAIT_AGE), 5);
	assert_int_equal(tw_sample_metric_at(&sample, TW_METRIC_CLOSE_WAIT_AGED), 5);
}

static void set_census(uint64_t listeners, uint64_t bound)
{
	sample.census.at_usec = S;
	sample.census.partial = false;
	sample.census.count[TW_STATE_LISTEN] = listeners;
	sample.census.known[TW_STATE_LISTEN] = true;
	sample.census.count[TW_STATE_BOUND] = bound;
	sample.census.known[TW_STATE_BOUND] = true;
}

static void test_port_bound(TW_UNUSED void **state)
{
	/* Nothing known may never spare a survey. */
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), UINT64_MAX);

	sample.gauge.at_usec = S;
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 0);
	sample.gauge.tcp_inuse = 100;
	sample.gauge.tcp6_inuse = 20;
	sample.gauge.time_wait = 1000;
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 1120);

	/* Listeners are few, and hold ports too. */
	set_census(30, 7);
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 1127);
	sample.census.known[TW_STATE_BOUND] = false;
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 1120);

	set_census(30, 7);
	sample.census.partial = true;
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 1120);
}

/* 60 000 sockets, of which a survey has found 300 on one destination's ports. */
static void set_surveyed(void)
{
	sample.gauge = (struct tw_gauge){ .at_usec = 2 * S, .tcp_inuse = 60000 };
	sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN] = (struct tw_count){ 5000, true };
	sample.gauge.sysctls[TW_TUNABLE_TW_REUSE] = (struct tw_live_value){ .value.numbers = { 2 }, .known = true };
	sample.survey = (struct tw_survey){
		.at_usec = S,
		.usable = 28232,
		.exclusive_ports = 100,
		.reuse = 2,
		.reuse_delay_ms = 1000,
		.opened = { 5000, true },
		.bound_sockets = 40,
		.top_count = 1,
		.top = { { .ports = 20000, .blocked = 400 } },
	};
	set_census(30, 10);
}

/* What a survey has found, and what has come since. */
static void test_port_bound_surveyed(TW_UNUSED void **state)
{
	set_surveyed();
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 400);
	sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN].value += 700;
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 1100);
	/* bound, or listening, since */
	set_census(35, 25);
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 1120);
	set_census(1, 1);
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 1100);
	sample.survey.top_count = 0;
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 800);
	/* never more than there are */
	sample.gauge.tcp_inuse = 500;
	assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 501);
}

/* Where the survey does not hold, or what has come is not known, all sockets count. */
static void test_port_bound_not_surveyed(TW_UNUSED void **state)
{
	enum { NONE, PARTIAL, REUSE, DELAY, CENSUS, UNKNOWN_NOW, UNKNOWN_THEN, RESET, CASES };

	for (unsigned i = 0; i < CASES; i++) {
		struct tw_count *opened = &sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN];

		set_surveyed();
		assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), 400);
		sample.survey.at_usec = i == NONE ? 0 : S;
		sample.survey.partial = i == PARTIAL;
		sample.survey.reuse = i == REUSE ? 1 : 2;
		sample.survey.reuse_delay_ms = i == DELAY ? 500 : 1000;
		sample.census.partial = i == CENSUS;
		opened->known = i != UNKNOWN_NOW;
		sample.survey.opened.known = i != UNKNOWN_THEN;
		opened->value -= i == RESET;
		assert_int_equal(tw_sample_port_bound(&sample, UINT64_MAX), i == CENSUS ? 60000 : 60010);
	}
}

static void test_holders(TW_UNUSED void **state)
{
	assert_string_equal(tw_holder_name(TW_HOLDER_TIME_WAIT), "time-wait");
	assert_string_equal(tw_holder_name(TW_HOLDER_CLOSING), "closing");
	for (unsigned i = 0; i < TW_HOLDER_COUNT; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(tw_holder_name((enum tw_holder)i), tw_holder_name((enum tw_holder)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rates, clear),
		cmocka_unit_test_setup(test_no_rate, clear),
		cmocka_unit_test_setup(test_rate_metrics, clear),
		cmocka_unit_test_setup(test_state_counts, clear),
		cmocka_unit_test_setup(test_time_wait_buckets, clear),
		cmocka_unit_test_setup(test_orphans, clear),
		cmocka_unit_test_setup(test_memory, clear),
		cmocka_unit_test_setup(test_port_use, clear),
		cmocka_unit_test_setup(test_port_eta, clear),
		cmocka_unit_test_setup(test_accept_queue, clear),
		cmocka_unit_test_setup(test_close_wait_age, clear),
		cmocka_unit_test_setup(test_confirm, clear),
		cmocka_unit_test_setup(test_unknown, clear),
		cmocka_unit_test_setup(test_measured_at, clear),
		cmocka_unit_test_setup(test_port_bound, clear),
		cmocka_unit_test_setup(test_port_bound_surveyed, clear),
		cmocka_unit_test_setup(test_port_bound_not_surveyed, clear),
		cmocka_unit_test_setup(test_holders, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
