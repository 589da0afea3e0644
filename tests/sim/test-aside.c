/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* The manager with a real thread that reads the sockets: the stories end as they do in place. */

static struct sim *set_scene(bool aside)
{
	struct tw_settings *settings = sim_settings();
	struct sim *sim = sim_new();

	/* The thread uses real CPU time, which is none of this world's. */
	settings->cpu_budget_milli = INT64_MAX / TW_USEC_PER_HOUR;
	sim_start(sim, settings);
	sim_tick(sim);
	if (aside)
		sim_use_worker(sim);
	return sim;
}

static void play(struct sim *sim)
{
	sim_run(sim, 30);
	sim_set_time_wait(sim, 20000, 0);
	sim_run(sim, 120);
	sim_set_time_wait(sim, 0, 0);
	sim_run(sim, 300);
}

static void test_the_same_story(void **state TW_UNUSED)
{
	struct sim *here = set_scene(false), *aside = set_scene(true);

	play(here);
	play(aside);
	assert_int_not_equal(here->told[TW_EVENT_RAISED], 0);
	assert_int_not_equal(here->told[TW_EVENT_RESTORED], 0);
	assert_int_equal(here->event_count, aside->event_count);
	assert_memory_equal(here->told, aside->told, sizeof(here->told));
	for (unsigned i = 0; i < here->event_count; i++) {
		assert_int_equal(here->events[i].event.kind, aside->events[i].event.kind);
		assert_int_equal(here->events[i].at_usec, aside->events[i].at_usec);
	}
	sim_stop(here);
	sim_stop(aside);
	here = sim_free(here);
	aside = sim_free(aside);
}

/* While the thread is at work ticks go on, settings change, and the rules act on what there is. */
static void test_ticks_and_reloads_meanwhile(void **state TW_UNUSED)
{
	struct sim *sim = set_scene(true);

	sim_set_time_wait(sim, 20000, 0);
	for (unsigned i = 0; i < 200; i++) {
		sim->now_usec += 10 * TW_USEC_PER_SEC;
		assert_int_equal(tw_manager_tick(&sim->manager), 0);
		if (i % 3 == 0)
			tw_manager_reload(&sim->manager, sim_settings());
		(void)tw_manager_work(&sim->manager);
	}
	sim_tick(sim);
	assert_int_not_equal(sim->told[TW_EVENT_RAISED], 0);
	assert_int_equal(sim->told[TW_EVENT_DEGRADED], 0);
	assert_int_not_equal(sim->manager.host.sample.cost.survey_usec, 0);
	sim_stop(sim);
	sim = sim_free(sim);
}

/* A stop while a scan is under way: it is given up. */
static void test_stopped_at_work(void **state TW_UNUSED)
{
	struct sim *sim = set_scene(true);

	sim_set_time_wait(sim, 20000, 0);
	sim->now_usec += 60 * TW_USEC_PER_SEC;
	assert_int_equal(tw_manager_tick(&sim->manager), 0);
	assert_true(sim->manager.host.job != TW_WATCH_IDLE);
	sim_stop(sim);
	sim = sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_story),
		cmocka_unit_test(test_ticks_and_reloads_meanwhile),
		cmocka_unit_test(test_stopped_at_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
