/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/scan.h"

#include "scan-fixture.h"

#include <errno.h>
#include <limits.h>

/*
 * The listeners first, then all others, both families at once: bits 1 to 11 but CLOSE, and 13; nothing that costs
 * extra.
 */
static void assert_dumps(const struct tw_fake_source *fake, uint32_t without)
{
	assert_int_equal(fake->dumps, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(fake->queries[i].family, AF_UNSPEC);
		assert_int_equal(fake->queries[i].states, i == 0 ? BIT(LISTEN) : 0x2f7e & ~BIT(LISTEN) & ~without);
		assert_int_equal(fake->queries[i].extensions, 0);
	}
}

static void test_census(void **state)
{
	struct fixture *fixture = *state;

	populate(fixture);
	memset(&fixture->sample.survey, 1, sizeof(fixture->sample.survey));
	assert_int_equal(run(fixture, TW_SCAN_CENSUS), 0);
	assert_full_census(&fixture->sample.census);
	/* A census leaves the survey alone. */
	assert_int_equal(fixture->sample.survey.usable, 0x01010101);
	assert_int_equal(fixture->fake.port_ranges, 0);
	assert_dumps(&fixture->fake, 0);
}

static void test_census_derived(void **state)
{
	struct fixture *fixture = *state;

	populate(fixture);
	fixture->order.derive_time_wait = true;
	assert_int_equal(run(fixture, TW_SCAN_CENSUS), 0);
	assert_full_census(&fixture->sample.census);
	assert_dumps(&fixture->fake, BIT(TIME_WAIT));

	/* The dump comes later than the gauge, and may know of more. */
	fixture->order.gauge.time_wait = 3;
	assert_int_equal(run(fixture, TW_SCAN_CENSUS), 0);
	assert_int_equal(fixture->sample.census.count[TW_STATE_TIME_WAIT], 0);
	assert_int_equal(fixture->sample.census.mini_fin_wait_2, 4);
}

static void test_bound_unknown(void **state)
{
	struct fixture *fixture = *state;

	populate(fixture);
	fixture->order.bound_known = false;
	assert_int_equal(run(fixture, TW_SCAN_SURVEY), 0);
	assert_int_equal(fixture->fake.queries[1].states & BIT(BOUND), 0);
	assert_false(fixture->sample.census.known[TW_STATE_BOUND]);
	assert_int_equal(fixture->sample.census.count[TW_STATE_BOUND], 0);
	assert_true(fixture->sample.census.known[TW_STATE_ESTABLISHED]);
	assert_int_equal(fixture->sample.survey.bound_ports, 0);
}

static void test_survey(void **state)
{
	struct fixture *fixture = *state;
	const struct tw_survey *survey = &fixture->sample.survey;

	populate(fixture);
	/* Has no meaning in a survey: it sees TIME-WAIT in any case. */
	fixture->order.derive_time_wait = true;
	assert_int_equal(run(fixture, TW_SCAN_SURVEY), 0);
	assert_full_census(&fixture->sample.census);
	assert_dumps(&fixture->fake, 0);
	assert_false(survey->partial);
	assert_int_equal(survey->at_usec, 1234);
	assert_true(survey->has_busiest);
	/* The range, without the listener on 40000. */
	assert_int_equal(survey->usable, 28232);
	assert_int_equal(survey->bound_ports, 5);
	assert_int_equal(survey->destinations, 3);
	assert_int_equal(survey->top_count, 3);
	assert_int_equal(survey->top[0].ports, 37);
	assert_int_equal(survey->top[0].time_wait, 30);
	assert_int_equal(survey->top[0].young_time_wait, 30);
	assert_int_equal(survey->top[0].other, 7);
	/* 37 of its own, 5 bound, 1 listened on. */
	assert_int_equal(survey->usable, 28232);
	assert_int_equal(survey->exclusive_ports, 6);
	assert_int_equal(survey->top[0].blocked, 43);
	assert_int_equal(survey->port_use.milli, 43 * 100000 / 28232);
	assert_int_equal(survey->port_demand.milli, 43 * 100000 / 28232);
	assert_int_equal(survey->bound_sockets, 7);
	/* The v4-mapped one is the tenth to that destination. */
	assert_int_equal(survey->top[1].ports, 12);
	assert_int_equal(survey->top[1].established, 10);
	assert_int_equal(survey->top[2].ports, 1);
}

static void test_empty_machine(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(run(fixture, TW_SCAN_SURVEY), 0);
	assert_false(fixture->sample.census.partial);
	assert_false(fixture->sample.survey.has_busiest);
	assert_true(fixture->sample.survey.port_use.known);
	assert_int_equal(fixture->sample.survey.port_use.milli, 0);
	assert_true(fixture->sample.census.known[TW_STATE_TIME_WAIT]);
}

/* Passing troubles, at any datagram of a scan: it is begun anew, and nothing is counted twice. */
static void test_repeats(void **state)
{
	static const struct {
		enum tw_fake_fault fault;
		int error;
	} cases[] = {
		{ TW_FAKE_DUMP_NEXT, -EINTR },	{ TW_FAKE_DUMP_NEXT, -ENOBUFS }, { TW_FAKE_DUMP_NEXT, -ETIMEDOUT },
		{ TW_FAKE_DUMP_NEXT, -EPROTO }, { TW_FAKE_INTERRUPTED, 0 },	 { TW_FAKE_SEQUENCE, 0 },
		{ TW_FAKE_TRUNCATED, 0 },	{ TW_FAKE_ERROR, -ENOBUFS },	 { TW_FAKE_DONE, -EINTR },
	};
	struct fixture *fixture = *state;

	populate(fixture);
	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++)
		for (unsigned after = 0; after < 12; after++)
			for (unsigned times = 1; times <= 2; times++) {
				tw_fake_source_fail(&fixture->fake, cases[i].fault, after, times, cases[i].error);
				assert_int_equal(run(fixture, TW_SCAN_SURVEY), 0);
				assert_int_equal(fixture->fake.plans[cases[i].fault].times, 0);
				assert_full_census(&fixture->sample.census);
				assert_int_equal(fixture->sample.survey.top[0].ports, 37);
				assert_int_equal(fixture->sample.survey.usable, 28232);
			}
}

static void test_partial(void **state)
{
	static const enum tw_scan_kind kinds[] = { TW_SCAN_CENSUS, TW_SCAN_SURVEY };
	struct fixture *fixture = *state;

	populate(fixture);
	for (size_t i = 0; i < TW_ARRAY_SIZE(kinds); i++) {
		unsigned before;

		tw_fake_source_fail(&fixture->fake, TW_FAKE_INTERRUPTED, 3, UINT_MAX, 0);
		before = fixture->fake.datagrams;
		memset(&fixture->sample.survey, 1, sizeof(fixture->sample.survey));
		fixture->sample.survey.need_count = 1;
		assert_int_equal(run(fixture, kinds[i]), 0);
		/* The fourth datagram fails, then the first of both repeats. */
		assert_int_equal(fixture->fake.datagrams - before, 6);
		assert_true(fixture->sample.census.partial);
		assert_int_equal(fixture->sample.census.at_usec, 1234);
		for (unsigned s = 0; s < TW_STATE_COUNT; s++) {
			assert_false(fixture->sample.census.known[s]);
			assert_int_equal(fixture->sample.census.count[s], 0);
		}
		/* It is over. */
		assert_int_equal(tw_scan_step(fixture->scan, &fixture->fake.base), 0);
	}
	assert_true(fixture->sample.survey.partial);
	assert_int_equal(fixture->sample.survey.at_usec, 1234);
	assert_false(fixture->sample.survey.has_busiest);
	assert_false(fixture->sample.survey.port_use.known);
	/* Who binds first is not forgotten by that. */
	assert_int_equal(fixture->sample.survey.need_count, 1);
	assert_int_equal(fixture->sample.survey.needs[0].own, 0x01010101);
	fixture->sample.survey.need_count = 0;

	/* The next scan is whole again. */
	tw_fake_source_fail(&fixture->fake, TW_FAKE_INTERRUPTED, 0, 0, 0);
	assert_int_equal(run(fixture, TW_SCAN_SURVEY), 0);
	assert_full_census(&fixture->sample.census);
	assert_false(fixture->sample.survey.partial);
}

/* What no repetition mends is handed on at once. */
static void test_errors(void **state)
{
	static const struct {
		enum tw_fake_fault fault;
		unsigned after, times;
		int error;
	} cases[] = {
		{ TW_FAKE_DUMP_BEGIN, 0, 1, -EPERM },  { TW_FAKE_DUMP_BEGIN, 1, 1, -ENOMEM },
		{ TW_FAKE_DUMP_NEXT, 0, 1, -EBADF },   { TW_FAKE_ERROR, 0, 1, -EPERM },
		{ TW_FAKE_ERROR, 0, 1, -ENOENT },      { TW_FAKE_DONE, 0, 1, -ENOENT },
		{ TW_FAKE_DONE, 2, 1, -EOPNOTSUPP },   { TW_FAKE_DONE, 3, 1, -EOPNOTSUPP },
		{ TW_FAKE_PORT_RANGE, 0, 1, -EINVAL },
	};
	struct fixture *fixture = *state;

	populate(fixture);
	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		unsigned dumps = fixture->fake.dumps;

		tw_fake_source_fail(&fixture->fake, cases[i].fault, cases[i].after, cases[i].times, cases[i].error);
		assert_int_equal(run(fixture, TW_SCAN_SURVEY), cases[i].error);
		assert_true(fixture->fake.dumps - dumps <= 2);
	}
	assert_int_equal(run(fixture, TW_SCAN_SURVEY), 0);
	assert_full_census(&fixture->sample.census);
}

static void test_begin_fails_in_passing(void **state)
{
	struct fixture *fixture = *state;

	populate(fixture);
	/* The second dump of the first try, then the first dump of the second try. */
	tw_fake_source_fail(&fixture->fake, TW_FAKE_DUMP_BEGIN, 1, 2, -ETIMEDOUT);
	assert_int_equal(run(fixture, TW_SCAN_CENSUS), 0);
	assert_full_census(&fixture->sample.census);
	tw_fake_source_fail(&fixture->fake, TW_FAKE_DUMP_BEGIN, 1, 3, -ETIMEDOUT);
	assert_int_equal(run(fixture, TW_SCAN_CENSUS), 0);
	assert_true(fixture->sample.census.partial);
	/* In tw_scan_begin() itself the caller is told. */
	tw_fake_source_fail(&fixture->fake, TW_FAKE_DUMP_BEGIN, 0, 1, -ETIMEDOUT);
	assert_int_equal(run(fixture, TW_SCAN_CENSUS), -ETIMEDOUT);
}

/* An empty answer on a machine that has sockets is a failure, not an empty machine. */
static void test_silence(void **state)
{
	static const struct {
		enum tw_scan_kind kind;
		bool derive;
		uint64_t inuse, inuse6, time_wait;
		unsigned after; /* dumps that answer truly */
		bool partial;
	} cases[] = {
		{ TW_SCAN_CENSUS, false, 64, 0, 64, 0, false },
		{ TW_SCAN_CENSUS, false, 65, 0, 0, 0, true },
		{ TW_SCAN_CENSUS, false, 33, 33, 0, 0, true },
		{ TW_SCAN_CENSUS, false, 0, 0, 65, 0, true },
		{ TW_SCAN_CENSUS, true, 0, 0, 65, 0, false },
		{ TW_SCAN_SURVEY, false, 64, 0, 64, 0, false },
		{ TW_SCAN_SURVEY, false, 65, 0, 0, 0, true },
		{ TW_SCAN_SURVEY, false, 0, 0, 65, 0, true },
		/* The two listeners answered, the rest did not: a burst may be over by now, but TIME-WAIT cannot be. */
		{ TW_SCAN_CENSUS, false, 4098, 0, 0, 1, false },
		{ TW_SCAN_CENSUS, true, 4099, 0, 0, 1, true },
		{ TW_SCAN_SURVEY, false, 33, 4065, 0, 1, false },
		{ TW_SCAN_SURVEY, false, 33, 4066, 0, 1, true },
		{ TW_SCAN_SURVEY, false, 0, 0, 65, 1, true },
	};
	struct fixture *fixture = *state;

	populate(fixture);
	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		fixture->order.derive_time_wait = cases[i].derive;
		fixture->order.gauge.tcp_inuse = cases[i].inuse;
		fixture->order.gauge.tcp6_inuse = cases[i].inuse6;
		fixture->order.gauge.time_wait = cases[i].time_wait;
		tw_fake_source_fail(&fixture->fake, TW_FAKE_SILENT, cases[i].after, UINT_MAX, 0);
		/* The listeners of the repeats are told no more. */
		assert_int_equal(run(fixture, cases[i].kind), 0);
		assert_int_equal(fixture->sample.census.partial, cases[i].partial);
	}

	/* Once only: the repeat tells the truth. */
	tw_fake_source_fail(&fixture->fake, TW_FAKE_SILENT, 0, 2, 0);
	fixture->order.gauge.tcp_inuse = 65;
	assert_int_equal(run(fixture, TW_SCAN_CENSUS), 0);
	assert_full_census(&fixture->sample.census);
}

/* Begun anew while under way: the old one's counts are gone. */
static void test_begin_again(void **state)
{
	struct fixture *fixture = *state;
	struct tw_source *source = &fixture->fake.base;

	populate(fixture);
	fixture->order.kind = TW_SCAN_SURVEY;
	assert_int_equal(tw_scan_begin(fixture->scan, &fixture->past, source, &fixture->order), 0);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(tw_scan_step(fixture->scan, source), 1);
	assert_int_equal(run(fixture, TW_SCAN_SURVEY), 0);
	assert_full_census(&fixture->sample.census);
	assert_int_equal(fixture->sample.survey.top[0].ports, 37);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_census, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_census_derived, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bound_unknown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_survey, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty_machine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_repeats, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_partial, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_begin_fails_in_passing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_begin_again, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
