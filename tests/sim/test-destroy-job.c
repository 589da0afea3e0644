/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define PACE 100u

/* One rule that is raised while there is TIME-WAIT, and wants what is older than 30 s ended. */
static struct tw_settings *settings_with_order(void)
{
	struct tw_settings *settings = tw_settings_new_empty();
	struct tw_rule_settings *rule;

	assert_non_null(settings);
	rule = &settings->rules[settings->rule_count++];
	tw_rule_settings_init(rule);
	(void)strcpy(rule->name, "full");
	rule->metric = TW_METRIC_OF_STATE(TW_STATE_TIME_WAIT);
	rule->raise_milli = 1000;
	rule->raise_for_usec = 0;
	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_DESTROY,
		.destroy = { .state = TW_STATE_TIME_WAIT,
			     .older_than_usec = 30 * TW_USEC_PER_SEC,
			     .max_per_second = PACE },
	};
	settings->destroy_time_wait = true;
	return settings;
}

static struct sim *set_scene(struct tw_settings *settings, unsigned old, unsigned young)
{
	struct sim *sim = sim_new();

	sim_set_time_wait(sim, old, 40);
	tw_fake_source_add_many(&sim->source, TW_STATE_TIME_WAIT, SIM_HOST, SIM_PORT, 50000, young, 20000);
	tw_fake_source_settle(&sim->source);
	sim_start(sim, settings);
	return sim;
}

/* No time passes for the sockets of this world, and none of them goes: a cookie may be ended again and again. */
static void assert_only_old(const struct sim *sim, unsigned old)
{
	for (unsigned i = 0; i < sim->act.ended_count; i++)
		assert_in_range(sim->act.ended[i], 1, old);
}

static void test_an_order_at_its_pace(void **state TW_UNUSED)
{
	struct sim *sim = set_scene(settings_with_order(), 5000, 3000);

	sim_run(sim, 21);
	/* The rule is raised by the second census, at 6 s; the bucket is empty at the tick that follows. */
	assert_in_range(sim->act.ended_count, 14 * PACE, 15 * PACE);
	assert_only_old(sim, 5000);
	assert_in_range(sim->told[TW_EVENT_DESTROYED], 14, 15);
	assert_int_equal(sim->act.probes, 1);
	/* With the sockets gone the rule clears, and nothing more is asked. */
	sim_set_time_wait(sim, 0, 0);
	sim_run(sim, 300);
	assert_in_range(sim->told[TW_EVENT_DESTROYED], 14, 15);
	assert_int_equal(sim->manager.host.ends_sockets, false);
	sim_stop(sim);
	sim = sim_free(sim);
}

static void test_ticks_come_in_time(void **state TW_UNUSED)
{
	struct tw_settings *settings = settings_with_order();
	struct sim *sim;

	settings->interval_usec = 10 * TW_USEC_PER_SEC;
	sim = set_scene(settings, 5000, 0);
	sim_run(sim, 41);
	/* From the second census on, which is at 20 s, one a second. */
	assert_in_range(sim->act.ended_count, 19 * PACE, 21 * PACE);
	sim_stop(sim);
	sim = sim_free(sim);
}

/* A scan costs so much that it owes for seconds: both kinds still get their turn. */
static void test_a_tight_budget_starves_neither(void **state TW_UNUSED)
{
	struct sim *sim = set_scene(settings_with_order(), 5000, 0);
	usec_t census_usec;
	unsigned told;

	sim->datagram_cost_usec = 2000;
	sim_run(sim, 300);
	told = sim->told[TW_EVENT_DESTROYED];
	census_usec = sim->manager.host.sample.census.at_usec;
	assert_in_range(told, 3, 290);
	sim_run(sim, 300);
	assert_true(sim->told[TW_EVENT_DESTROYED] >= told + 3);
	assert_true(sim->manager.host.sample.census.at_usec > census_usec);
	sim_stop(sim);
	sim = sim_free(sim);
}

/* The settings that a search was begun under are freed in the midst of it. */
static void test_a_reload_in_the_midst_of_a_search(void **state TW_UNUSED)
{
	struct sim *sim = set_scene(settings_with_order(), 5000, 0);
	unsigned ended;

	sim_run(sim, 5);
	for (unsigned i = 0; i < 100 && !sim->manager.host.acting->searching; i++) {
		while (tw_manager_work(&sim->manager) && !sim->manager.host.acting->searching)
			;
		if (sim->manager.host.acting->searching)
			break;
		sim->now_usec += TW_USEC_PER_SEC;
		assert_int_equal(tw_manager_tick(&sim->manager), 0);
	}
	assert_true(sim->manager.host.acting->searching);
	assert_true(tw_manager_work(&sim->manager));
	ended = sim->act.ended_count;
	tw_manager_reload(&sim->manager, settings_with_order());
	while (tw_manager_work(&sim->manager))
		;
	assert_int_equal(sim->act.ended_count, ended);
	sim_run(sim, 10);
	assert_true(sim->act.ended_count > ended);
	/* And settings without any order. */
	tw_manager_reload(&sim->manager, tw_settings_new_empty());
	ended = sim->act.ended_count;
	sim_run(sim, 10);
	assert_int_equal(sim->act.ended_count, ended);
	sim_stop(sim);
	sim = sim_free(sim);
}

static void test_observing(void **state TW_UNUSED)
{
	struct tw_settings *settings = settings_with_order();
	struct sim *sim;

	settings->mode = TW_MODE_OBSERVE;
	sim = set_scene(settings, 5000, 3000);
	sim_run(sim, 60);
	assert_int_equal(sim->act.ended_count, 0);
	assert_int_equal(sim->act.probes, 0);
	assert_int_equal(sim->told[TW_EVENT_ADVICE], 1);
	assert_int_equal(sim_last(sim, TW_EVENT_ADVICE)->event.count, 5000);
	sim_stop(sim);
	sim = sim_free(sim);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_order_at_its_pace),
		cmocka_unit_test(test_ticks_come_in_time),
		cmocka_unit_test(test_a_tight_budget_starves_neither),
		cmocka_unit_test(test_a_reload_in_the_midst_of_a_search),
		cmocka_unit_test(test_observing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
