/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time that passes without a tick (the process was stopped, the machine starved), time that stands still (the machine
 * slept: CLOCK_MONOTONIC does not go on meanwhile), and counters that went on all the same.
 */
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Connects that fail, each second: the level of the rule under test lies at ten times as many. */
#define RATE 20
#define MINUTE 60
#define HOUR 3600

static const unsigned gaps[] = { MINUTE, HOUR, 24 * HOUR };

/* One rule over a rate, without actions. */
static struct tw_settings *rate_settings(usec_t raise_for_usec)
{
	struct tw_settings *settings = tw_settings_new_empty();
	struct tw_rule_settings *rule;

	if (!settings)
		abort();
	rule = &settings->rules[settings->rule_count++];
	tw_rule_settings_init(rule);
	(void)tw_text_copy(rule->name, sizeof(rule->name), "failing");
	rule->metric = TW_METRIC_CONNECT_FAIL;
	rule->raise_milli = INT64_C(10) * RATE * 1000;
	rule->clear_milli = INT64_C(1) * RATE * 1000;
	rule->raise_for_usec = raise_for_usec;
	rule->clear_for_usec = 10 * TW_USEC_PER_SEC;
	return settings;
}

static void fail_connects(struct sim *sim, uint64_t count)
{
	struct tw_count *counter = &sim->source.gauge.counters[TW_COUNTER_CONNECT_FAIL];

	counter->known = true;
	counter->value += count;
}

/* Seconds with a tick in each, and so many failures. */
static void load(struct sim *sim, unsigned seconds, uint64_t each)
{
	for (unsigned i = 0; i < seconds; i++) {
		fail_connects(sim, each);
		sim_run(sim, 1);
	}
}

/* Seconds without a tick; the world goes on. The tick after them comes with the next second. */
static void pass_unseen(struct sim *sim, unsigned seconds, uint64_t each)
{
	fail_connects(sim, (uint64_t)seconds * each);
	sim->now_usec += seconds * TW_USEC_PER_SEC;
}

/* What came in the meantime is spread over the time that it took: a steady load stays a steady load. */
static void test_a_gap_makes_no_rate(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, rate_settings(0));
	load(sim, 30, RATE);
	for (size_t i = 0; i < TW_ARRAY_SIZE(gaps); i++) {
		unsigned gauges = sim->source.gauges;
		unsigned samples = sim->told[TW_EVENT_SAMPLE];
		unsigned ranges = sim->source.port_ranges;

		pass_unseen(sim, gaps[i], RATE);
		load(sim, 1, RATE);
		/* One tick, one survey, one line of history: what was missed is not made up for. */
		assert_int_equal(sim->source.gauges, gauges + 1);
		assert_int_equal(sim->source.port_ranges, ranges + 1);
		assert_int_equal(sim->told[TW_EVENT_SAMPLE], samples + 1);
		load(sim, 30, RATE);
		assert_int_equal(sim->source.gauges, gauges + 31);
	}
	if (sim->event_count > 0)
		fail_msg("told: %u %s", sim->events[0].event.kind, sim->events[0].event.reason);
}

/* The rule does see more than a steady load, or the test above would hold for one that sees nothing. */
static void test_a_rate_is_seen_after_a_gap(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, rate_settings(0));
	load(sim, 30, RATE);
	pass_unseen(sim, HOUR, RATE);
	load(sim, 1, RATE);
	load(sim, 2, 20 * RATE);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
}

/*
 * raise-for is time that has passed between two looks that both were over the level; one look after a gap is not two.
 */
static void test_raise_for_needs_two_looks(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, rate_settings(10 * TW_USEC_PER_SEC));
	load(sim, 5, RATE);
	pass_unseen(sim, HOUR, 20 * RATE);
	load(sim, 1, 20 * RATE);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 0);
	load(sim, 8, 20 * RATE);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 0);
	load(sim, 3, 20 * RATE);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
}

/* Between two looks the gap counts, for it did pass: over the level before and after it is over it in between. */
static void test_raise_for_goes_on_in_a_gap(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, rate_settings(10 * TW_USEC_PER_SEC));
	load(sim, 5, RATE);
	load(sim, 2, 20 * RATE);
	pass_unseen(sim, MINUTE, 20 * RATE);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 0);
	load(sim, 1, 20 * RATE);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
}

/* Ports that were taken in an hour are not the ports of a second: no forecast is made from before the gap. */
static void test_a_gap_makes_no_forecast(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_run(sim, 30);
	sim->now_usec += HOUR * TW_USEC_PER_SEC;
	sim_set_time_wait(sim, SIM_MANY / 2, 20);
	sim_run(sim, 10);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 0);
	assert_int_equal(sim->act.writes, 0);
}

/* What was owed before the gap is owed after it, and goes back. */
static void test_a_gap_loses_no_change(void **state)
{
	struct sim *sim = *state;
	struct tw_settings *settings = sim_settings();

	/* The load in this story stays as it is, so a proof would put the change back. */
	settings->rules[0].proof = false;
	sim_start(sim, settings);
	sim_run(sim, 5);
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 2);
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 2);
	sim->now_usec += HOUR * TW_USEC_PER_SEC;
	sim_run(sim, 3);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 2);
	sim_set_time_wait(sim, 0, 0);
	sim_run(sim, 120);
	assert_int_equal(sim->told[TW_EVENT_CLEARED], 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 2);
	assert_false(tw_ledger_owes(&sim->act.saved));
}

/* No time at all between two ticks, as after a sleep that the clock did not count: there is no rate then. */
static void test_no_time_makes_no_rate(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, rate_settings(0));
	load(sim, 30, RATE);
	for (unsigned i = 0; i < 5; i++) {
		fail_connects(sim, 1);
		sim_tick(sim);
	}
	load(sim, 30, RATE);
	for (unsigned i = 0; i < sim->event_count; i++)
		assert_int_not_equal(sim->events[i].event.kind, TW_EVENT_RAISED);
}

/* A counter that began anew while nobody looked (its module was loaded again) is no negative rate, nor a huge one. */
static void test_a_counter_that_fell_in_a_gap(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, rate_settings(0));
	load(sim, 30, 1000 * RATE / 500);
	sim->source.gauge.counters[TW_COUNTER_CONNECT_FAIL].value = 0;
	sim->now_usec += HOUR * TW_USEC_PER_SEC;
	load(sim, 30, RATE);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_gap_makes_no_rate, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_a_rate_is_seen_after_a_gap, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_raise_for_needs_two_looks, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_raise_for_goes_on_in_a_gap, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_a_gap_makes_no_forecast, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_a_gap_loses_no_change, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_no_time_makes_no_rate, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_a_counter_that_fell_in_a_gap, sim_begin, sim_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
