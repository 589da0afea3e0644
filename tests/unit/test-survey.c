/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "survey-fixture.h"

static void test_empty(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1001, 2000);
	survey = end(&fixture);
	assert_false(survey->has_busiest);
	assert_int_equal(survey->usable, 1000);
	assert_int_equal(survey->exclusive_ports, 0);
	assert_int_equal(survey->bound_ports, 0);
	assert_int_equal(survey->destinations, 0);
	assert_int_equal(survey->top_count, 0);
	assert_percent(survey->port_use, 0);
	assert_percent(survey->port_demand, 0);
}

static void test_no_range(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 2, 1);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1, 100, 0);
	survey = end(&fixture);
	assert_int_equal(survey->usable, 0);
	assert_int_equal(survey->destinations, 0);
	assert_false(survey->port_use.known);
	assert_false(survey->port_demand.known);
}

static void test_row(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;
	const struct tw_destination_row *row;

	begin(&fixture, 1001, 2000);
	add(&fixture, TW_STATE_TIME_WAIT, 1, 1001, 100, 30000); /* 30 s old */
	add(&fixture, TW_STATE_TIME_WAIT, 1, 1101, 10, 55000);	/* just young */
	add(&fixture, TW_STATE_TIME_WAIT, 1, 1111, 5, 54999);	/* just not */
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1201, 20, 60000);
	add(&fixture, TW_STATE_FIN_WAIT_2, 1, 1301, 3, 60000);
	add(&fixture, TW_STATE_CLOSE_WAIT, 1, 1401, 2, 0);
	add(&fixture, TW_STATE_SYN_SENT, 1, 1501, 1, 0);
	add(&fixture, TW_STATE_ESTABLISHED, 2, 1001, 50, 0);
	survey = end(&fixture);
	row = &survey->top[0];
	assert_true(survey->has_busiest);
	assert_int_equal(survey->destinations, 2);
	assert_int_equal(survey->top_count, 2);
	assert_int_equal(row->ports, 141);
	assert_int_equal(row->time_wait, 115);
	assert_int_equal(row->young_time_wait, 10);
	assert_int_equal(row->established, 20);
	assert_int_equal(row->other, 6);
	assert_int_equal(row->key.port, 80);
	assert_int_equal(row->key.destination.bytes[15], 1);
	assert_int_equal(row->key.source.bytes[15], 1);
	assert_percent(row->port_use, 14100);
	assert_int_equal(row->held[TW_HOLDER_TIME_WAIT], 115);
	assert_int_equal(row->held[TW_HOLDER_ESTABLISHED], 20);
	assert_int_equal(row->held[TW_HOLDER_FIN_WAIT_2], 3);
	assert_int_equal(row->held[TW_HOLDER_CLOSE_WAIT], 2);
	assert_int_equal(row->held[TW_HOLDER_SYN_SENT], 1);
	assert_int_equal(row->held[TW_HOLDER_FIN_WAIT_2_ORPHANED] + row->held[TW_HOLDER_CLOSING], 0);
	assert_int_equal(row->blocked, 141);
	assert_int_equal(row->blocked_baseline, 141);
	assert_percent(survey->port_use, 14100);
	assert_percent(survey->port_demand, 14100);
	assert_percent(survey->top[1].port_use, 5000);
}

/* What is outside the range or cannot be a connecting side holds no port towards anybody. */
static void test_sides(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1001, 2000);
	tw_port_set_add(&fixture.listening, 1500);
	tw_port_set_add(&fixture.listening, 80);
	again(&fixture);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1000, 1, 0);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 2001, 1, 0);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1500, 1, 0);
	add(&fixture, TW_STATE_TIME_WAIT, 1, 1500, 1, 1);
	add(&fixture, TW_STATE_TIME_WAIT, 1, 80, 1, 1);
	add(&fixture, TW_STATE_TIME_WAIT, 1, 700, 5, 1); /* as rresvport() takes them */
	add(&fixture, TW_STATE_SYN_RECV, 1, 1600, 1, 0);
	add(&fixture, TW_STATE_LISTEN, 1, 1700, 1, 0);
	survey = end(&fixture);
	assert_int_equal(survey->usable, 1000);
	assert_int_equal(survey->exclusive_ports, 1); /* the listener's */
	assert_int_equal(survey->destinations, 0);
	assert_int_equal(survey->time_wait, 7);
	assert_int_equal(survey->accepting_time_wait, 2);
	assert_int_equal(survey->outside_time_wait, 5);
	assert_percent(survey->port_use, 100);
}

static void test_bound(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1001, 2000);
	for (unsigned twice = 0; twice < 2; twice++)
		add(&fixture, TW_STATE_BOUND, 0, 901, 200, 0);
	survey = end(&fixture);
	assert_int_equal(survey->bound_ports, 100);
	assert_int_equal(survey->exclusive_ports, 100);
	assert_false(survey->has_busiest);
	assert_percent(survey->port_use, 10000);
	assert_percent(survey->port_demand, 10000);

	/* A port that both have is blocked once; and what waits there is blocked whatever reuse can do. */
	begin(&fixture, 1001, 2000);
	set_reuse(&fixture, 1);
	again(&fixture);
	add(&fixture, TW_STATE_BOUND, 0, 901, 200, 0);
	add(&fixture, TW_STATE_TIME_WAIT, 1, 1091, 20, 50000);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1201, 30, 0);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1089, 2, 0);
	survey = end(&fixture);
	assert_int_equal(survey->top[0].ports, 52);
	assert_int_equal(survey->top[0].blocked, 130);
	assert_percent(survey->port_use, 13000);
}

static void test_capped(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1001, 1010);
	add(&fixture, TW_STATE_BOUND, 0, 1001, 10, 0);
	add(&fixture, TW_STATE_TIME_WAIT, 1, 1001, 10, 60000);
	survey = end(&fixture);
	assert_percent(survey->port_use, 100000);
	assert_percent(survey->top[0].port_use, 100000);
	assert_percent(survey->port_demand, 100000);
}

/* Reuse by us alone: demand is what would be without it, and not held at 100 %. */
static void begin_ours(struct fixture *fixture)
{
	begin(fixture, 1001, 2000);
	set_reuse(fixture, 1);
	fixture->baseline = (struct tw_live_value){ .value.numbers = { 2 }, .known = true };
	again(fixture);
}

/* The most wanted need not be the busiest. */
static void test_demand_of_any_row(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin_ours(&fixture);
	add(&fixture, TW_STATE_TIME_WAIT, 1, 1001, 300, 1000);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1801, 100, 1000);
	add(&fixture, TW_STATE_TIME_WAIT, 2, 1001, 90, 57000);
	survey = end(&fixture);
	assert_int_equal(survey->top_count, 2);
	assert_int_equal(survey->top[0].ports, 400);
	assert_percent(survey->port_use, 10000);
	assert_percent(survey->top[0].port_demand, 40000);
	assert_percent(survey->port_demand, 108000);
}

/* In a steady state demand and what would be blocked without reuse are the same figure. */
static void test_demand_steady(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin_ours(&fixture);
	for (unsigned second = 0; second < 60; second++)
		add(&fixture, TW_STATE_TIME_WAIT, 1, (uint16_t)(1001 + 10 * second), 10, 60000 - 1000 * second - 1);
	survey = end(&fixture);
	assert_int_equal(survey->top[0].blocked_baseline, 600);
	assert_percent(survey->port_demand, 60000);
}

static void test_life(void **state TW_UNUSED)
{
	static const struct {
		bool known;
		int64_t seconds;
		uint32_t expires_ms;
		int64_t demand_milli; /* of 10 sockets in TIME-WAIT, 1000 ports */
	} cases[] = {
		{ false, 10, 60000, 12000 },   { false, 10, 10000, 1000 }, { true, 10, 10000, 2000 },
		{ true, 10, 4999, 1000 },      { true, 3, 1, 1000 },	   { true, 5, 0, 1000 },
		{ true, 0, 60000, 12000 },     { true, -1, 10000, 1000 },  { true, INT64_MAX, 60000, 12000 },
		{ true, 600, 598000, 120000 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct fixture fixture;

		begin_ours(&fixture);
		fixture.gauge.sysctls[TW_TUNABLE_TW_TIMEOUT] = (struct tw_live_value){
			.known = cases[i].known,
			.value.numbers[0] = cases[i].seconds,
		};
		again(&fixture);
		add(&fixture, TW_STATE_TIME_WAIT, 1, 1001, 10, cases[i].expires_ms);
		assert_percent(end(&fixture)->port_demand, cases[i].demand_milli);
	}
}

static void test_top(void **state TW_UNUSED)
{
	static const unsigned cases[] = { 1, TW_TOP_MAX - 1, TW_TOP_MAX, TW_TOP_MAX + 1, 200 };

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct fixture fixture;
		const struct tw_survey *survey;

		begin(&fixture, 1001, 2000);
		for (unsigned host = 0; host < cases[i]; host++)
			add(&fixture, TW_STATE_ESTABLISHED, (uint8_t)host, 1001, host + 1, 0);
		survey = end(&fixture);
		assert_int_equal(survey->destinations, cases[i]);
		assert_int_equal(survey->dropped, 0);
		assert_int_equal(survey->top_count, TW_MIN(cases[i], (unsigned)TW_TOP_MAX));
		for (unsigned row = 0; row < survey->top_count; row++)
			assert_int_equal(survey->top[row].ports, cases[i] - row);
	}
}

/* Those that are watched stay in sight whatever their rank, in order, and the least of the others make room. */
static void test_top_with_watched(void **state TW_UNUSED)
{
	static const struct {
		uint8_t watched[3]; /* hosts with so many ports; 0: none */
		uint8_t last[3];    /* of the last rows */
	} rows[] = {
		{ { 0 }, { 103, 102, 101 } },	  { { 102 }, { 103, 102, 101 } }, { { 1 }, { 103, 102, 1 } },
		{ { 2, 103, 9 }, { 103, 9, 2 } }, { { 250 }, { 103, 102, 101 } }, /* it is not there any more */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct fixture fixture;
		const struct tw_survey *survey;

		begin(&fixture, 1001, 2000);
		for (uint8_t host = 1; host <= 200; host++)
			add(&fixture, TW_STATE_ESTABLISHED, host, 1001, host, 0);
		for (; fixture.watched.count < 3 && rows[i].watched[fixture.watched.count] != 0;
		     fixture.watched.count++)
			fixture.watched.keys[fixture.watched.count] = (struct tw_destination){
				.source = tw_address_from_ipv4("\x0a\x00\x00\x01"),
				.destination = tw_address_from_ipv4(
					(uint8_t[]){ 10, 0, 1, rows[i].watched[fixture.watched.count] }),
				.port = 80,
			};
		survey = end(&fixture);
		assert_int_equal(survey->top_count, TW_TOP_MAX);
		assert_int_equal(survey->top[0].ports, 200);
		for (unsigned k = 0; k < 3; k++)
			assert_int_equal(survey->top[TW_TOP_MAX - 3 + k].ports, rows[i].last[k]);
	}
}

/* A million destinations, more than the table holds: how many there are, and what is no longer told. */
static void test_flood(void **state TW_UNUSED)
{
	enum { FLOOD = 1000000 };
	static struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1001, 2000);
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct tw_flow flow = {
			.state = TW_STATE_TIME_WAIT,
			.family = AF_INET,
			.local = { tw_address_from_ipv4("\x0a\x00\x00\x01"), 1001 },
			.remote = { tw_address_from_ipv4(
					    (uint8_t[]){ 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }),
				    80 },
		};

		tw_survey_work_add(&fixture.work, &flow);
	}
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1001, 500, 0);
	survey = end(&fixture);
	assert_in_range(survey->destinations, FLOOD / 2, FLOOD + 1);
	/* The sides are told exactly, whatever the table had no room for. */
	assert_int_equal(survey->time_wait, FLOOD);
	assert_int_equal(survey->accepting_time_wait, 0);
	assert_in_range(survey->dropped, FLOOD - TW_TABLE_ROOM(TW_TABLE_SLOTS_MAX), FLOOD);
	assert_int_equal(survey->top_count, TW_TOP_MAX);
	assert_in_range(survey->top[0].ports, 500, 501);
	assert_int_equal(survey->top[1].ports, 1);
}

/* Nothing of the last survey is left in the next. */
static void test_again(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1001, 2000);
	add(&fixture, TW_STATE_BOUND, 0, 1001, 10, 0);
	add(&fixture, TW_STATE_TIME_WAIT, 0, 1000, 10, 0);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1001, 10, 0);
	again(&fixture);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1001, 1, 0);
	survey = end(&fixture);
	assert_int_equal(survey->bound_ports, 0);
	assert_int_equal(survey->time_wait, 0);
	assert_int_equal(survey->accepting_time_wait, 0);
	assert_int_equal(survey->top[0].ports, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_no_range),
		cmocka_unit_test(test_row),
		cmocka_unit_test(test_sides),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_capped),
		cmocka_unit_test(test_demand_of_any_row),
		cmocka_unit_test(test_demand_steady),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_top_with_watched),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
