/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is watched. */
#include "sim/town.h"

static void test_comes_and_goes(void **state TW_UNUSED)
{
	town->houses[0].there = town->houses[1].there = true;
	town->houses[1].named = false;
	(void)strcpy(town->houses[1].namespace.name, "host"); /* as nobody else may be called */
	start(settings_of("all"));
	assert_int_equal(tw_manager_count(&town->manager), 3);
	assert_non_null(watch_of("n0"));
	assert_non_null(watch_of("host@101"));
	assert_int_equal(the("n0")->sample.census.at_usec, EPOCH);
	/* One with a name is found within a census, one without within half a survey. */
	town->houses[2].there = town->houses[3].there = true;
	town->houses[3].named = false;
	run(6, NULL);
	assert_non_null(watch_of("n2"));
	assert_null(watch_of("n3"));
	run(30, NULL);
	assert_non_null(watch_of("n3"));
	assert_int_equal(town->told[TW_EVENT_NAMESPACE_NEW], 4);
	/* One that loses its name but not its processes stays; one that is gone goes. */
	town->houses[0].named = false;
	town->houses[2].there = town->houses[3].there = false;
	run(6 + 31, NULL);
	assert_non_null(watch_of("n0"));
	assert_null(watch_of("n2"));
	assert_null(watch_of("n3"));
	assert_int_equal(town->told[TW_EVENT_NAMESPACE_GONE], 2);
	assert_int_equal(town->houses[0].opened, 1);
	assert_int_equal(town->houses[2].shut, 1);
}

/* The list decides; a new one narrows it, and puts back what was changed there. */
static void test_the_list_decides(void **state TW_UNUSED)
{
	struct tw_settings *settings = settings_of("n1* n2"), *narrow;
	struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

	tw_rule_settings_init(rule);
	(void)strcpy(rule->name, "listeners");
	(void)strcpy(rule->namespaces.words, "n1");
	rule->metric = TW_METRIC_STATE_FIRST;
	rule->raise_milli = 1000;
	rule->clear_for_usec = 0;
	rule->gate = rule->proof = false;
	rule->actions[rule->action_count++] =
		(struct tw_action){ .kind = TW_ACTION_SET, .tunable = TW_TUNABLE_TW_REUSE, .value.numbers[0] = 1 };
	for (unsigned i = 0; i < 4; i++) {
		town->houses[i].there = true;
		tw_fake_source_add_listener(&town->houses[i].source, 80);
		tw_fake_source_settle(&town->houses[i].source);
	}
	tw_fake_source_add_listener(&town->host.source, 80);
	tw_fake_source_settle(&town->host.source);
	start(settings);
	run(20, NULL);
	assert_int_equal(tw_manager_count(&town->manager), 2); /* not the host either */
	assert_int_equal(town->host.source.gauges, 0);
	assert_int_equal(town->told[TW_EVENT_RAISED], 2);
	assert_int_equal(town->told[TW_EVENT_ADJUSTED], 1);
	assert_string_equal(town->last[TW_EVENT_ADJUSTED], "n1");
	assert_int_equal(town->told[TW_EVENT_ADVICE], 1);
	assert_string_equal(town->last[TW_EVENT_ADVICE], "n2");
	assert_int_equal(town->houses[1].act.live[TW_TUNABLE_TW_REUSE].value.numbers[0], 1);
	narrow = settings_of("host n2");
	narrow->rules[narrow->rule_count++] = settings->rules[settings->rule_count - 1];
	tw_manager_reload(&town->manager, narrow);
	run(20, NULL);
	assert_null(watch_of("n1"));
	assert_non_null(watch_of("host"));
	assert_int_equal(town->houses[1].act.live[TW_TUNABLE_TW_REUSE].value.numbers[0], 2);
	assert_false(tw_ledger_owes(&town->houses[1].act.saved));
	assert_int_equal(town->told[TW_EVENT_RESTORED], 1);
	assert_string_equal(town->last[TW_EVENT_CLEARED], "n1");
	assert_int_equal(town->houses[1].shut, 1);
}

/* Told once, with what it takes; and it is tried again with each look. */
static void test_may_not_enter(void **state TW_UNUSED)
{
	town->houses[0].there = town->houses[1].there = true;
	town->houses[0].closed = town->houses[1].closed = true;
	town->denied = true;
	start(settings_of("all"));
	run(120, NULL);
	assert_int_equal(town->told[TW_EVENT_DEGRADED], 2);
	assert_int_equal(tw_manager_count(&town->manager), 1);
	town->houses[0].closed = town->houses[1].closed = false;
	run(40, NULL);
	assert_int_equal(tw_manager_count(&town->manager), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_and_goes, begin, end),
		cmocka_unit_test_setup_teardown(test_the_list_decides, begin, end),
		cmocka_unit_test_setup_teardown(test_may_not_enter, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
