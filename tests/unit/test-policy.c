/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC

/* A recorder that remembers kinds and rules. */
struct told {
	struct tw_recorder base;
	unsigned count;
	struct {
		enum tw_event_kind kind;
		char rule[TW_RULE_NAME_MAX];
		struct tw_event event;
	} events[32];
};

static void remember(struct tw_recorder *recorder, const char *namespace, const struct tw_event *event)
{
	struct told *told = (struct told *)recorder;

	assert_string_equal(namespace, "host");
	assert_true(told->count < TW_ARRAY_SIZE(told->events));
	told->events[told->count].kind = event->kind;
	strcpy(told->events[told->count].rule, event->rule->name);
	told->events[told->count++].event = *event;
}

struct stage {
	struct told told;
	struct tw_settings *settings;
	struct tw_policy policy;
	struct tw_sample sample;
	struct tw_desires desires;
	struct tw_kill_orders kills;
};

static int begin(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->told.base.tell = remember;
	stage->settings = tw_settings_new_empty();
	*state = stage;
	return stage->settings ? 0 : -1;
}

static int end(void **state)
{
	struct stage *stage = *state;

	tw_settings_free(stage->settings);
	free(stage);
	return 0;
}

/* A rule on the number of listeners: raised from 10, cleared at 5, without any hold. */
static struct tw_rule_settings *add_rule(struct tw_settings *settings, const char *name, enum tw_severity severity)
{
	struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

	tw_rule_settings_init(rule);
	strcpy(rule->name, name);
	rule->metric = TW_METRIC_STATE_FIRST;
	rule->raise_milli = 10000;
	rule->clear_milli = 5000;
	rule->raise_for_usec = rule->clear_for_usec = 0;
	rule->severity = severity;
	return rule;
}

static void add_set(struct tw_rule_settings *rule, enum tw_tunable tunable, int64_t value)
{
	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_SET,
		.tunable = tunable,
		.value.numbers[0] = value,
	};
}

static void step(struct stage *stage, unsigned at, uint64_t listeners)
{
	stage->sample.census.at_usec = at * S;
	stage->sample.census.known[TW_STATE_LISTEN] = true;
	stage->sample.census.count[TW_STATE_LISTEN] = listeners;
	tw_policy_step(&stage->policy, stage->settings, &stage->sample, at * S, &stage->told.base, "host",
		       &stage->desires, &stage->kills);
}

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
	tw_policy_step(&stage->policy, stage->settings, &stage->sample, 10 * S, &stage->told.base, "host",
		       &stage->desires, &stage->kills);
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
	step(stage, 3, 20);
	assert_int_equal(stage->told.count, 1);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_PARTIAL);
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
	tw_policy_rebase(&stage->policy, stage->settings, next, 3 * S, &stage->told.base, "host");
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

static void set_survey(struct stage *stage, unsigned at, int64_t use_milli, int64_t demand_milli)
{
	stage->sample.survey.at_usec = at * S;
	stage->sample.survey.range_ports = 1000;
	stage->sample.survey.port_use = tw_value_of(use_milli);
	stage->sample.survey.port_demand = tw_value_of(demand_milli);
	stage->sample.survey.has_busiest = true;
	stage->sample.survey.top_count = 1;
	stage->sample.survey.top[0].key.port = 8080;
	stage->sample.survey.top[0].port_use = tw_value_of(use_milli);
}

static void set_eta(struct stage *stage, struct tw_value eta)
{
	stage->sample.survey.port_eta = stage->sample.survey.top[0].port_eta = eta;
}

static void test_port_use(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_rule(stage->settings, "ports", TW_SEVERITY_WARNING);

	rule->metric = TW_METRIC_PORT_USE;
	rule->raise_milli = 45000;
	rule->clear_milli = 25000;
	add_set(rule, TW_TUNABLE_TW_REUSE, 1);
	set_survey(stage, 1, 45000, 99000);
	step(stage, 1, 0);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_RAISED);
	assert_true(stage->told.events[0].event.subject.has_destination);
	assert_int_equal(stage->told.events[0].event.subject.destination.port, 8080);
	assert_int_equal(stage->desires.rows[TW_TUNABLE_TW_REUSE].subject.destination.port, 8080);
	/* Low use while the load goes on: raised still. */
	set_survey(stage, 2, 10000, 99000);
	step(stage, 2, 0);
	assert_int_equal(stage->told.count, 1);
	set_survey(stage, 3, 10000, 1000);
	step(stage, 3, 0);
	assert_int_equal(stage->told.events[1].kind, TW_EVENT_CLEARED);
}

static void test_survey_is_spared(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_rule(stage->settings, "ports", TW_SEVERITY_WARNING);

	rule->metric = TW_METRIC_PORT_USE;
	rule->raise_milli = 45000;
	rule->clear_milli = 25000;
	stage->sample.gauge.at_usec = S;
	/* Nothing known of the ports yet. */
	assert_true(tw_policy_wants_survey(&stage->policy, stage->settings, &stage->sample));
	set_survey(stage, 1, 0, 0);
	stage->sample.gauge.tcp_inuse = 400;
	stage->sample.gauge.time_wait = 49;
	assert_false(tw_policy_wants_survey(&stage->policy, stage->settings, &stage->sample));
	stage->sample.gauge.time_wait = 50;
	assert_true(tw_policy_wants_survey(&stage->policy, stage->settings, &stage->sample));
	/* While it is raised, always. */
	set_survey(stage, 2, 50000, 50000);
	step(stage, 2, 0);
	stage->sample.gauge.tcp_inuse = stage->sample.gauge.time_wait = 0;
	assert_true(tw_policy_wants_survey(&stage->policy, stage->settings, &stage->sample));
	/* Without a rule over an attributed metric, never. */
	rule->metric = TW_METRIC_RESET;
	assert_false(tw_policy_wants_survey(&stage->policy, stage->settings, &stage->sample));
}

static struct tw_rule_settings *add_forecast_rule(struct tw_settings *settings)
{
	struct tw_rule_settings *rule = add_rule(settings, "ports", TW_SEVERITY_WARNING);

	rule->metric = TW_METRIC_PORT_USE;
	rule->raise_milli = 45000;
	rule->clear_milli = 20000;
	rule->forecast_usec = 15 * S;
	return rule;
}

static void test_forecast(void **state)
{
	struct stage *stage = *state;

	add_set(add_forecast_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	set_survey(stage, 1, 30000, 99000);
	set_eta(stage, tw_value_of(7900));
	step(stage, 1, 0);
	assert_int_equal(stage->told.count, 0);
	set_survey(stage, 2, 38000, 99000);
	set_eta(stage, tw_value_of(3900));
	step(stage, 2, 0);
	assert_int_equal(stage->told.count, 1);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_RAISED);
	assert_true(stage->told.events[0].event.forecast);
	assert_string_equal(stage->told.events[0].event.reason, "all ports are in use in 3.9s at the present rate");
	assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
}

/* The level itself needs no forecast, and is not told as one. */
static void test_level_before_forecast(void **state)
{
	struct stage *stage = *state;

	add_forecast_rule(stage->settings);
	set_survey(stage, 1, 45000, 99000);
	set_eta(stage, tw_value_of(3900));
	step(stage, 1, 0);
	assert_int_equal(stage->told.count, 1);
	assert_false(stage->told.events[0].event.forecast);
	assert_string_equal(stage->told.events[0].event.reason, "");
}

/* With a raise-for the forecast comes before its end, at a value that is no longer ahead of the level. */
static void test_forecast_before_hold(void **state)
{
	struct stage *stage = *state;

	add_forecast_rule(stage->settings)->raise_for_usec = 60 * S;
	set_survey(stage, 1, 45000, 99000);
	set_eta(stage, tw_value_of(3900));
	step(stage, 1, 0);
	assert_int_equal(stage->told.count, 1);
	assert_false(stage->told.events[0].event.forecast);
	assert_string_equal(stage->told.events[0].event.reason, "all ports are in use in 3.9s at the present rate");
}

/* Nothing grows: that is far away, not missing, so that the rule is neither frozen nor kept from clearing. */
static void test_port_eta_clears(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_rule(stage->settings, "eta", TW_SEVERITY_WARNING);

	rule->metric = TW_METRIC_PORT_ETA;
	rule->raise_milli = 15000;
	rule->clear_milli = 60000;
	for (unsigned at = 1; at <= 3; at++) {
		set_survey(stage, at, 0, 0);
		step(stage, at, 0);
	}
	assert_int_equal(stage->told.count, 0);
	set_survey(stage, 4, 40000, 0);
	set_eta(stage, tw_value_of(15000));
	step(stage, 4, 0);
	assert_int_equal(stage->told.count, 1);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_RAISED);
	assert_true(stage->told.events[0].event.subject.has_destination);
	set_eta(stage, tw_value_unknown());
	set_survey(stage, 5, 40000, 0);
	step(stage, 5, 0);
	assert_int_equal(stage->told.count, 2);
	assert_int_equal(stage->told.events[1].kind, TW_EVENT_CLEARED);
}

/* A leak is told with its unit and how many sockets of it count; a reminder has no such count. */
static void test_close_wait_count(void **state)
{
	static const struct tw_waiter waiters[] = {
		{ .unit = 1 }, { .unit = 1 }, { .since_usec = 95 * S, .unit = 1 }, { .unit = 0 }
	};
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_rule(stage->settings, "leak", TW_SEVERITY_ERROR);
	struct tw_close_wait *close_wait = &stage->sample.close_wait;

	rule->metric = TW_METRIC_CLOSE_WAIT_AGED;
	rule->age_usec = 60 * S;
	rule->raise_milli = 3000;
	rule->clear_milli = 1000;
	rule->remind_usec = S;
	close_wait->waiters = waiters;
	close_wait->waiter_count = TW_ARRAY_SIZE(waiters);
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
	assert_int_equal(stage->told.events[0].event.value.milli, 3000);
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
		cmocka_unit_test_setup_teardown(test_partial_census_freezes, begin, end),
		cmocka_unit_test_setup_teardown(test_unknown_here, begin, end),
		cmocka_unit_test_setup_teardown(test_steps_still_needed, begin, end),
		cmocka_unit_test_setup_teardown(test_rebase_keeps_by_name, begin, end),
		cmocka_unit_test_setup_teardown(test_port_use, begin, end),
		cmocka_unit_test_setup_teardown(test_survey_is_spared, begin, end),
		cmocka_unit_test_setup_teardown(test_forecast, begin, end),
		cmocka_unit_test_setup_teardown(test_level_before_forecast, begin, end),
		cmocka_unit_test_setup_teardown(test_forecast_before_hold, begin, end),
		cmocka_unit_test_setup_teardown(test_port_eta_clears, begin, end),
		cmocka_unit_test_setup_teardown(test_close_wait_count, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
