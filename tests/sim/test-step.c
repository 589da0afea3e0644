/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The kernel closes without TIME-WAIT: so many more of them each second, for so long. */
static void overflow(struct sim *sim, unsigned seconds, uint64_t each)
{
	for (unsigned i = 0; i < seconds; i++) {
		sim->source.gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW].value += each;
		sim_run(sim, 1);
	}
}

/* Room for TIME-WAIT is made by degrees while it overflows, and taken back in one go. */
static void test_step(void **state)
{
	struct sim *sim = *state;
	unsigned writes;

	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	overflow(sim, 12, 50);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 262144);
	overflow(sim, 30, 50);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 524288);
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 2);
	/* It was enough: no further step, and a record that it helped. */
	sim_run(sim, 55);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 524288);
	assert_int_equal(sim->told[TW_EVENT_EFFECT], 1);
	assert_string_equal(sim_last(sim, TW_EVENT_EFFECT)->event.advice, "");
	writes = sim->act.writes;
	sim_run(sim, 10);
	assert_int_equal(sim->told[TW_EVENT_CLEARED], 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 131072);
	assert_int_equal(sim->act.writes - writes, 1);
	assert_int_equal(sim_last(sim, TW_EVENT_RESTORED)->event.new.value.numbers[0], 131072);
	assert_int_equal(sim->told[TW_EVENT_REFUSED], 0);
	sim_assert_untouched(sim);
	/* And all over again, from the same baseline. */
	overflow(sim, 15, 50);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 262144);
}

/* Overflow without end: up to the limit and no further. There it is judged: what made no difference goes back. */
static void test_step_to_the_limit(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	overflow(sim, 75, 50);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 1048576);
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 3);
	assert_int_equal(sim->told[TW_EVENT_EFFECT], 0);
	overflow(sim, 60, 50);
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 3);
	assert_int_equal(sim->told[TW_EVENT_EFFECT], 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 131072);
	/* The limit; the rest was told with the effect. */
	assert_int_equal(sim->told[TW_EVENT_REFUSED], 1);
	sim_stop(sim);
	sim_assert_untouched(sim);
}

/* Put back on request, it goes on where it was: the time of rest is not made up for by a leap. */
static void test_a_rest_is_no_step(void **state)
{
	struct sim *sim = *state;
	unsigned count;

	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	overflow(sim, 12, 50);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 262144);
	assert_int_equal(tw_manager_restore(&sim->manager, &count), 0);
	assert_int_equal(count, 1);
	overflow(sim, 595, 50);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 131072);
	/* The rest alone is told, and no limit, which it never came to. */
	assert_int_equal(sim->told[TW_EVENT_REFUSED], 1);
	overflow(sim, 25, 50);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 262144);
	overflow(sim, 15, 50);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 524288);
	sim_stop(sim);
	sim_assert_untouched(sim);
}

/* Where a rule begins to rise the sysctls are looked at anew: what is live is where a step begins. */
static void test_what_is_live_is_known(void **state)
{
	struct sim *sim = *state;
	unsigned refreshes;

	sim_start(sim, sim_settings());
	sim_run(sim, 60);
	refreshes = sim->source.refreshes;
	sim_run(sim, 60);
	assert_int_equal(sim->source.refreshes, refreshes);
	overflow(sim, 5, 50);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 0);
	assert_in_range(sim->source.refreshes - refreshes, 2, 5);
	overflow(sim, 6, 50);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
}

/* A rule that goes to and fro all day: no more changes an hour than allowed, and nothing is left behind. */
static void test_max_changes(void **state)
{
	struct sim *sim = *state;
	struct tw_settings *settings = sim_settings();

	settings->max_changes = 3;
	settings->rules[1].clear_for_usec = TW_USEC_PER_SEC;
	settings->rules[1].raise_for_usec = 0;
	sim_start(sim, settings);
	sim_run(sim, 5);
	for (unsigned i = 0; i < 6 * 60; i++) {
		overflow(sim, 3, 50);
		sim_run(sim, 57);
	}
	assert_in_range(sim->told[TW_EVENT_RAISED], 300, 360);
	assert_in_range(sim->told[TW_EVENT_ADJUSTED], 15, 18);
	assert_int_equal(sim->told[TW_EVENT_RESTORED], sim->told[TW_EVENT_ADJUSTED]);
	assert_in_range(sim->told[TW_EVENT_REFUSED], 5, 6);
	sim_stop(sim);
	sim_assert_untouched(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_step, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_step_to_the_limit, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_a_rest_is_no_step, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_what_is_live_is_known, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_max_changes, sim_begin, sim_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
