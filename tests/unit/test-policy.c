/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy-fixture.h"

static void test_desire_follows_the_rule(void **state)
{
	struct stage *stage = *state;

	add_set(add_rule(stage->settings, "one", TW_SEVERITY_WARNING), TW_TUNABLE_TW_REUSE, 1);
	step(stage, 1, 10);
	assert_false(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	step(stage, 2, 10);
	assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	assert_int_equal(stage->desires.rows[TW_TUNABLE_TW_REUSE].value.numbers[0], 1);
	assert_int_equal(stage->told.count, 1);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_RAISED);
	assert_int_equal(stage->told.events[0].event.value.milli, 10000);
	assert_ptr_equal(stage->told.events[0].event.sample, &stage->sample);
	step(stage, 3, 5);
	assert_false(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	assert_int_equal(stage->told.count, 2);
	assert_int_equal(stage->told.events[1].kind, TW_EVENT_CLEARED);
	assert_int_equal(stage->told.events[1].event.threshold.milli, 5000);
	assert_int_equal(stage->told.events[1].event.lasted_usec, 1 * S);
}

static void test_how_a_rule_stands(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_rule(stage->settings, "one", TW_SEVERITY_WARNING);
	struct tw_rule_situation now;

	now = tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample);
	assert_ptr_equal(now.rule, rule);
	assert_true(now.state == TW_RULE_NORMAL && now.since_usec == 0 && !now.value.known);
	step(stage, 1, 4);
	step(stage, 2, 10);
	now = tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample);
	assert_true(now.state == TW_RULE_RISING && now.since_usec == 2 * S && now.value.milli == 10000);
	step(stage, 3, 11);
	step(stage, 9, 12);
	now = tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample);
	assert_true(now.state == TW_RULE_RAISED && now.since_usec == 3 * S && now.value.milli == 12000);
	assert_false(now.forecast);
	/* It has none while it cannot be measured. */
	stage->sample.census.known[TW_STATE_LISTEN] = false;
	stage->sample.census.at_usec = 10 * S;
	step_at(stage, 10 * S);
	now = tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample);
	assert_true(now.state == TW_RULE_RAISED && now.since_usec == 3 * S && !now.value.known);
}

/* Rows of (severity, value) in the order of the file, and the value that wins. */
static void test_who_wins(void **state)
{
	static const struct {
		enum tw_severity severities[3];
		int64_t winner; /* index + 1 */
	} rows[] = {
		{ { TW_SEVERITY_WARNING, TW_SEVERITY_WARNING, TW_SEVERITY_WARNING }, 1 },
		{ { TW_SEVERITY_INFO, TW_SEVERITY_WARNING, TW_SEVERITY_WARNING }, 2 },
		{ { TW_SEVERITY_INFO, TW_SEVERITY_WARNING, TW_SEVERITY_CRITICAL }, 3 },
		{ { TW_SEVERITY_CRITICAL, TW_SEVERITY_CRITICAL, TW_SEVERITY_ERROR }, 1 },
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		stage->settings->rule_count = 0;
		stage->told.count = 0;
		memset(&stage->policy, 0, sizeof(stage->policy));
		for (int k = 0; k < 3; k++)
			add_set(add_rule(stage->settings, (const char *[]){ "a", "b", "c" }[k], rows[i].severities[k]),
				TW_TUNABLE_FIN_TIMEOUT, k + 1);
		step(stage, 1, 20);
		step(stage, 2, 20);
		assert_int_equal(stage->desires.rows[TW_TUNABLE_FIN_TIMEOUT].value.numbers[0], rows[i].winner);
	}
}

static void test_winner_clears(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *high;

	add_set(add_rule(stage->settings, "low", TW_SEVERITY_INFO), TW_TUNABLE_FIN_TIMEOUT, 30);
	high = add_rule(stage->settings, "high", TW_SEVERITY_ERROR);
	high->clear_milli = 8000;
	add_set(high, TW_TUNABLE_FIN_TIMEOUT, 10);
	step(stage, 1, 20);
	step(stage, 2, 20);
	assert_int_equal(stage->desires.rows[TW_TUNABLE_FIN_TIMEOUT].value.numbers[0], 10);
	step(stage, 3, 8);
	assert_int_equal(stage->desires.rows[TW_TUNABLE_FIN_TIMEOUT].value.numbers[0], 30);
	step(stage, 4, 5);
	assert_false(stage->desires.rows[TW_TUNABLE_FIN_TIMEOUT].wanted);
}

/* With more buckets nothing overflows; that alone is no reason to take them away. */
static void test_steps_still_needed(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_rule(stage->settings, "room", TW_SEVERITY_WARNING);
	const struct tw_desire *desire = &stage->desires.rows[TW_TUNABLE_MAX_TW_BUCKETS];

	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_STEP,
		.tunable = TW_TUNABLE_MAX_TW_BUCKETS,
		.step = { .multiplies = true, .by = 2000, .limit = 1048576, .every_usec = 30 * S },
	};
	stage->sample.gauge.at_usec = 1 * S;
	stage->sample.gauge.memory_bound_pages = (struct tw_count){ UINT64_MAX, true };
	stage->sample.gauge.sysctls[TW_TUNABLE_MAX_TW_BUCKETS] = (struct tw_live_value){ { { 4096 } }, true };
	stage->sample.gauge.time_wait = 4096;
	step(stage, 1, 10);
	step(stage, 2, 10);
	assert_true(desire->wanted);
	assert_int_equal(desire->value.numbers[0], 8192);
	stage->sample.gauge.sysctls[TW_TUNABLE_MAX_TW_BUCKETS].value = desire->value;
	for (unsigned at = 3; at < 300; at++)
		step(stage, at, 0);
	assert_true(desire->wanted);
	assert_int_equal(desire->value.numbers[0], 8192);
	assert_int_equal(stage->told.count, 1);
	stage->sample.gauge.time_wait = 3000;
	step(stage, 300, 0);
	assert_false(desire->wanted);
	assert_int_equal(stage->told.events[1].kind, TW_EVENT_CLEARED);
}

static void test_partial_census_freezes(void **state)
{
	struct stage *stage = *state;

	add_set(add_rule(stage->settings, "one", TW_SEVERITY_WARNING), TW_TUNABLE_TW_REUSE, 1);
	step(stage, 1, 20);
	stage->sample.census.partial = true;
	step(stage, 2, 20);
	assert_int_equal(stage->told.count, 0);
	assert_false(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	step(stage, 3, 20);
	assert_int_equal(stage->told.count, 1);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_PARTIAL);
	assert_false(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	stage->sample.census.partial = false;
	step(stage, 4, 20);
	assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
}

/* One that is raised, and was refused: an interrupted dump is no reason to do after all what did not help. */
static void test_partial_survey_begins_nothing(void **state)
{
	struct stage *stage = *state;

	add_set(add_rule(stage->settings, "one", TW_SEVERITY_WARNING), TW_TUNABLE_TW_REUSE, 1);
	stage->sample.gauge.sysctls[TW_TUNABLE_TIMESTAMPS] = (struct tw_live_value){ { { 0 } }, true };
	step(stage, 1, 20);
	step(stage, 2, 20);
	assert_false(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	stage->sample.gauge.sysctls[TW_TUNABLE_TIMESTAMPS] = (struct tw_live_value){ 0 };
	stage->sample.census.partial = true;
	step(stage, 3, 20);
	assert_false(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	stage->sample.census.partial = false;
	step(stage, 4, 20);
	assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
}

/* What this kernel never tells is said once, and since when others do. */
static void test_unknown_here(void **state)
{
	struct stage *stage = *state;

	add_rule(stage->settings, "bound", TW_SEVERITY_WARNING)->metric = TW_METRIC_OF_STATE(TW_STATE_BOUND);
	for (unsigned at = 1; at <= 5; at++)
		step(stage, at, 0);
	assert_int_equal(stage->told.count, 1);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_PARTIAL);
	assert_non_null(strstr(stage->told.events[0].event.reason, "since Linux 6.8"));
}

static void test_rebase_keeps_by_name(void **state)
{
	struct stage *stage = *state;
	TW_CLEANUP_SETTINGS struct tw_settings *next = tw_settings_new_empty();

	add_set(add_rule(stage->settings, "goes", TW_SEVERITY_WARNING), TW_TUNABLE_FIN_TIMEOUT, 10);
	add_set(add_rule(stage->settings, "stays", TW_SEVERITY_WARNING), TW_TUNABLE_TW_REUSE, 1);
	add_rule(stage->settings, "other-metric", TW_SEVERITY_WARNING);
	step(stage, 1, 20);
	step(stage, 2, 20);
	stage->told.count = 0;
	add_rule(next, "new", TW_SEVERITY_WARNING);
	add_set(add_rule(next, "stays", TW_SEVERITY_ERROR), TW_TUNABLE_TW_REUSE, 0);
	add_rule(next, "other-metric", TW_SEVERITY_WARNING)->metric = TW_METRIC_RESET;
	rebase(stage, next, 3);
	assert_int_equal(stage->told.count, 2);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_CLEARED);
	assert_string_equal(stage->told.events[0].rule, "goes");
	assert_string_equal(stage->told.events[1].rule, "other-metric");
	assert_true(stage->told.events[0].event.reason[0] != '\0');
	assert_int_equal(tw_policy_raised(&stage->policy, next), 1);
	tw_settings_free(stage->settings);
	stage->settings = TW_TAKE_PTR(next);
	stage->told.count = 0;
	step(stage, 3, 20);
	/* It is raised since before: the new value is wanted at once, and nothing is raised a second time. */
	assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	assert_int_equal(stage->desires.rows[TW_TUNABLE_TW_REUSE].value.numbers[0], 0);
	assert_false(stage->desires.rows[TW_TUNABLE_FIN_TIMEOUT].wanted);
	assert_int_equal(stage->told.count, 0);
}

/* A leak is told of its unit, with how many sockets of it count; a reminder has no such count. */
static void test_close_wait_count(void **state)
{
	static const struct tw_close_wait_socket waiters[] = {
		{ .unit = 1 }, { .unit = 1 }, { .since_usec = 95 * S, .unit = 1 }, { .unit = 0 }
	};
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_rule(stage->settings, "leak", TW_SEVERITY_ERROR);
	struct tw_close_wait *close_wait = &stage->sample.close_wait;

	rule->metric = TW_METRIC_CLOSE_WAIT_AGED;
	rule->age_usec = 60 * S;
	rule->raise_milli = 2000;
	rule->clear_milli = 1000;
	rule->remind_usec = S;
	close_wait->sockets = waiters;
	close_wait->socket_count = TW_ARRAY_SIZE(waiters);
	close_wait->row_count = 2;
	strcpy(close_wait->rows[0].unit, "db.service");
	strcpy(close_wait->rows[1].unit, "web.service");
	for (unsigned at = 100; at < 103; at++) {
		close_wait->at_usec = at * S;
		step(stage, at, 0);
	}
	assert_int_equal(stage->told.count, 2);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_RAISED);
	assert_string_equal(stage->told.events[0].event.subject.unit, "web.service");
	assert_true(stage->told.events[0].event.has_count);
	assert_int_equal(stage->told.events[0].event.count, 2);
	assert_int_equal(stage->told.events[0].event.value.milli, 2000);
	assert_int_equal(stage->told.events[1].kind, TW_EVENT_REMINDED);
	assert_false(stage->told.events[1].event.has_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_desire_follows_the_rule, begin, end),
		cmocka_unit_test_setup_teardown(test_how_a_rule_stands, begin, end),
		cmocka_unit_test_setup_teardown(test_who_wins, begin, end),
		cmocka_unit_test_setup_teardown(test_winner_clears, begin, end),
		cmocka_unit_test_setup_teardown(test_steps_still_needed, begin, end),
		cmocka_unit_test_setup_teardown(test_partial_survey_begins_nothing, begin, end),
		cmocka_unit_test_setup_teardown(test_partial_census_freezes, begin, end),
		cmocka_unit_test_setup_teardown(test_unknown_here, begin, end),
		cmocka_unit_test_setup_teardown(test_rebase_keeps_by_name, begin, end),
		cmocka_unit_test_setup_teardown(test_close_wait_count, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
