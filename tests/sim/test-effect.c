/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a change helps: apart from test-manager because that is about when a change comes and goes. */
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Reuse without timestamps does nothing: it is refused, once, and nothing is written; the other action goes its way. */
static void test_refused(void **state)
{
	struct sim *sim = *state;

	tw_fake_act_set(&sim->act, TW_TUNABLE_TIMESTAMPS, 0);
	sim_start(sim, sim_settings());
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 300);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
	assert_int_equal(sim->told[TW_EVENT_REFUSED], 1);
	assert_true(strstr(sim_last(sim, TW_EVENT_REFUSED)->event.reason, "tcp_timestamps"));
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 2);
	assert_int_equal(sim_live(sim, TW_TUNABLE_KEEPALIVE_TIME), 600);
	/* They come on, and so does the action. */
	tw_fake_act_set(&sim->act, TW_TUNABLE_TIMESTAMPS, 1);
	sim_run(sim, 2);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
}

/*
 * New connections all the time, each on a port that is free; or `takes`: on ports of what waits, as the kernel counts.
 */
static void connect_on(struct sim *sim, unsigned seconds, bool takes)
{
	for (unsigned i = 0; i < seconds; i++) {
		tw_fake_source_clear_state(&sim->source, TW_STATE_ESTABLISHED);
		tw_fake_source_add_many(&sim->source, TW_STATE_ESTABLISHED, SIM_HOST, SIM_PORT,
					takes ? 32768 : 32768 + SIM_MANY, 200, 0);
		if (takes)
			sim->source.gauge.counters[TW_COUNTER_TIME_WAIT_REUSED].value += 200;
		tw_fake_source_settle(&sim->source);
		sim_run(sim, 1);
	}
}

/* Connections come, and none takes a port over: after proof-after it is put back, and rests. */
static void test_no_difference(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_set_time_wait(sim, SIM_MANY, 2);
	connect_on(sim, 25, false);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
	assert_int_equal(sim->told[TW_EVENT_EFFECT], 0);
	connect_on(sim, 12, false);
	assert_int_equal(sim->told[TW_EVENT_EFFECT], 1);
	assert_int_equal(sim_last(sim, TW_EVENT_EFFECT)->event.effect, TW_EFFECT_NO_DIFFERENCE);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 2);
	/* What cannot be measured stays. */
	assert_int_equal(sim_live(sim, TW_TUNABLE_KEEPALIVE_TIME), 600);
	connect_on(sim, 9 * 60, false);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 2);
	connect_on(sim, 2 * 60, false);
	/* Tried again after the cool-down, and found useless again. */
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 3);
}

/* Nobody connects: whether it would help nobody knows, and it stays. */
static void test_not_tested(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_set_time_wait(sim, SIM_MANY, 0);
	sim_run(sim, 600);
	assert_int_equal(sim->told[TW_EVENT_EFFECT], 1);
	assert_int_equal(sim_last(sim, TW_EVENT_EFFECT)->event.effect, TW_EFFECT_NOT_TESTED);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
}

static void test_helped(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_set_time_wait(sim, SIM_MANY, 0);
	sim_run(sim, 10);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
	/* What waits on these ports now is what they were taken over from. */
	for (unsigned i = 0; i < 10; i++) {
		sim_set_time_wait(sim, SIM_MANY, 0);
		sim_run(sim, 5);
		tw_fake_source_clear_state(&sim->source, TW_STATE_TIME_WAIT);
		tw_fake_source_add_many(&sim->source, TW_STATE_TIME_WAIT, SIM_HOST, SIM_PORT, 32768 + 200,
					SIM_MANY - 200, 0);
		connect_on(sim, 5, true);
		tw_fake_source_clear_state(&sim->source, TW_STATE_ESTABLISHED);
	}
	assert_int_equal(sim->told[TW_EVENT_EFFECT], 1);
	assert_int_equal(sim_last(sim, TW_EVENT_EFFECT)->event.effect, TW_EFFECT_HELPED);
	assert_string_equal(sim_last(sim, TW_EVENT_EFFECT)->event.advice, "");
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_no_difference, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_not_tested, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_helped, sim_begin, sim_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
