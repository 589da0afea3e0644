/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often is looked: within the budget, and in time. */
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Dumps that cost ten times the budget come ten times as rarely; the gauge keeps its pace. */
static void test_budget(void **state)
{
	struct sim *sim = *state;
	unsigned gauges, datagrams;

	sim->datagram_cost_usec = 1000;
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_start(sim, sim_settings());
	sim_run(sim, 60);
	gauges = sim->source.gauges;
	datagrams = sim->source.datagrams;
	sim_run(sim, 3600);
	assert_int_equal(sim->source.gauges - gauges, 3600);
	/* 1 % of 3600 s is 36 s of dumping, a datagram a millisecond. */
	assert_in_range(sim->source.datagrams - datagrams, 30000, 36500);
	assert_in_range(sim->told[TW_EVENT_STRETCHED], 1, 3);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
}

/* The kernel's timers end many at once, and they come back within seconds: nobody is in a hurry for that. */
static void test_lumps_are_no_rush(void **state)
{
	struct sim *sim = *state;
	uint64_t all;
	unsigned gauges;

	for (unsigned host = 0; host < 100; host++)
		tw_fake_source_add_many(&sim->source, TW_STATE_TIME_WAIT, (uint8_t)(SIM_HOST + host), SIM_PORT, 32768,
					200, 1000);
	tw_fake_source_settle(&sim->source);
	all = sim->source.gauge.time_wait;
	sim_start(sim, sim_settings());
	sim_run(sim, 60);
	gauges = sim->source.gauges;
	for (unsigned second = 0; second < 600; second++) {
		sim->source.gauge.time_wait = all - 4000 * (second % 3);
		sim_run(sim, 1);
	}
	assert_int_equal(sim->source.gauges - gauges, 600);
	/* As many more than ever before are a rush. */
	sim->source.gauge.time_wait = all + 4000;
	sim_run(sim, 1);
	gauges = sim->source.gauges;
	sim->source.gauge.time_wait = all + 8000;
	sim_run(sim, 2);
	assert_true(sim->source.gauges - gauges > 2);
}

/* 5000 new connections a second: looked at more often, seen coming, and acted on long before the level. */
static void test_forecast(void **state)
{
	struct sim *sim = *state;
	usec_t began_usec;

	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	began_usec = sim->now_usec;
	for (unsigned age = 0; !sim->told[TW_EVENT_ADJUSTED]; age++) {
		usec_t passed_usec;

		sim->now_usec += tw_manager_interval(&sim->manager);
		passed_usec = sim->now_usec - began_usec;
		sim_set_time_wait(sim, (unsigned)(passed_usec * 5000 / TW_USEC_PER_SEC), 1);
		sim_tick(sim);
		assert_true(age < 100);
	}
	assert_true(sim_last(sim, TW_EVENT_RAISED)->event.forecast);
	assert_true(sim_last(sim, TW_EVENT_RAISED)->event.value.milli < 45000);
	assert_true(tw_manager_interval(&sim->manager) < TW_USEC_PER_SEC);
}

/* What a rush has borrowed is paid off beside what is done as ever: it is not followed by a minute of blindness. */
static void test_rush_blinds_nobody(void **state)
{
	struct sim *sim = *state;
	const struct tw_watch *host;
	usec_t began_usec;

	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	host = tw_manager_watch(&sim->manager, 0);
	began_usec = sim->now_usec;
	while (sim->now_usec < began_usec + 10 * TW_USEC_PER_SEC) {
		usec_t passed_usec;

		sim->now_usec += tw_manager_interval(&sim->manager);
		passed_usec = sim->now_usec - began_usec;
		sim_set_time_wait(sim, (unsigned)(passed_usec * 1200 / TW_USEC_PER_SEC), 1);
		/* 20 ms a scan, however many there are. */
		sim->datagram_cost_usec = 20000 / (1 + sim->source.gauge.time_wait / 300);
		sim_tick(sim);
	}
	assert_in_range(host->debt.owed_usec + host->debt.borrowed_usec, 150000, 520000);
	for (unsigned second = 0; second < 60; second++) {
		sim_run(sim, 1);
		assert_true(sim->now_usec - host->sample.census.at_usec <= 12 * TW_USEC_PER_SEC);
	}
}

/*
 * A scan costs 170 ms, for which the budget pays in 17 s. While something is changed here it is looked each `census`
 * all the same, as long as there is credit: whether the change helps is seen then.
 */
static void test_what_is_changed_is_watched(void **state)
{
	struct sim *sim = *state;
	const struct tw_watch *host;

	sim->datagram_cost_usec = 1500;
	sim_start(sim, sim_settings());
	sim_run(sim, 60);
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 3);
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 2);
	host = tw_manager_watch(&sim->manager, 0);
	for (unsigned second = 0; second < 10; second++) {
		sim_run(sim, 1);
		assert_true(sim->now_usec - host->sample.census.at_usec <= 6 * TW_USEC_PER_SEC);
	}
}

/* A burst that ends at once, far below the level: no alarm, and the ticks calm down. */
static void test_burst_is_no_alarm(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	sim_set_time_wait(sim, 5000, 1);
	sim_run(sim, 120);
	assert_int_equal(sim->event_count, 0);
	assert_int_equal(tw_manager_interval(&sim->manager), TW_USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_budget, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_lumps_are_no_rush, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_forecast, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_rush_blinds_nobody, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_what_is_changed_is_watched, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_burst_is_no_alarm, sim_begin, sim_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
