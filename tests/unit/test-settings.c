/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/settings.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check_daemon_defaults(const struct tw_settings *settings)
{
	assert_int_equal(settings->mode, TW_MODE_ENFORCE);
	assert_int_equal(settings->interval_usec, 1 * TW_USEC_PER_SEC);
	assert_int_equal(settings->census_usec, 5 * TW_USEC_PER_SEC);
	assert_int_equal(settings->survey_usec, 60 * TW_USEC_PER_SEC);
	assert_int_equal(settings->cpu_budget_milli, 1000);
	assert_int_equal(settings->top, 10);
	assert_int_equal(settings->sample_record_usec, 60 * TW_USEC_PER_SEC);
	assert_int_equal(settings->proof_after_usec, 30 * TW_USEC_PER_SEC);
	assert_false(settings->allow_unsafe);
	assert_int_equal(settings->max_changes, 60);
	assert_false(settings->destroy_time_wait);
	assert_false(settings->destroy_close_wait);
	assert_string_equal(settings->namespaces.words, "host");
}

static void check_rule_defaults(const struct tw_rule_settings *rule)
{
	assert_int_equal(rule->clear_for_usec, 60 * TW_USEC_PER_SEC);
	assert_int_equal(rule->age_usec, 60 * TW_USEC_PER_SEC);
	assert_int_equal(rule->remind_usec, 3600 * TW_USEC_PER_SEC);
	assert_int_equal(rule->cooldown_usec, 600 * TW_USEC_PER_SEC);
	assert_string_equal(rule->scope.unit, "");
	assert_false(rule->scope.has_destination);
	assert_false(rule->scope.has_listener);
	assert_true(rule->gate);
	assert_true(rule->proof);
}

static void test_empty(TW_UNUSED void **state)
{
	TW_CLEANUP_SETTINGS struct tw_settings *settings = tw_settings_new_empty();

	assert_non_null(settings);
	check_daemon_defaults(settings);
	assert_int_equal(settings->rule_count, 0);
}

static void test_rule(TW_UNUSED void **state)
{
	struct tw_rule_settings rule;

	memset(&rule, 0xff, sizeof(rule));
	tw_rule_settings_init(&rule);
	check_rule_defaults(&rule);
	assert_string_equal(rule.name, "");
	assert_int_equal(rule.raise_for_usec, 0);
	assert_int_equal(rule.forecast_usec, 0);
	assert_int_equal(rule.raise_milli, 0);
	assert_int_equal(rule.clear_milli, 0);
	assert_int_equal(rule.severity, TW_SEVERITY_WARNING);
	assert_int_equal(rule.action_count, 0);
}

static void test_builtin_rules(TW_UNUSED void **state)
{
	static const struct {
		const char *name, *metric;
		int64_t raise, clear;
		unsigned raise_for, forecast;
		enum tw_severity severity;
		unsigned action_count;
	} rows[] = {
		{ "port-exhaustion", "port-use", 45, 25, 0, 15, TW_SEVERITY_WARNING, 1 },
		{ "time-wait-overflow", "time-wait-overflow", 1, 0, 10, 0, TW_SEVERITY_WARNING, 1 },
		{ "close-wait-leak", "close-wait-aged", 100, 20, 30, 0, TW_SEVERITY_ERROR, 0 },
		{ "accept-queue", "accept-queue", 80, 30, 10, 0, TW_SEVERITY_WARNING, 0 },
		{ "listen-overflow", "listen-overflow", 10, 0, 0, 0, TW_SEVERITY_WARNING, 0 },
		{ "syn-cookies", "syn-cookies", 1, 0, 10, 0, TW_SEVERITY_WARNING, 0 },
	};
	TW_CLEANUP_SETTINGS struct tw_settings *settings = tw_settings_new();

	assert_non_null(settings);
	check_daemon_defaults(settings);
	assert_int_equal(settings->rule_count, TW_ARRAY_SIZE(rows));
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const struct tw_rule_settings *rule = &settings->rules[i];

		check_rule_defaults(rule);
		assert_string_equal(rule->name, rows[i].name);
		assert_string_equal(tw_metric_info(rule->metric)->name, rows[i].metric);
		assert_int_equal(rule->raise_milli, rows[i].raise * 1000);
		assert_int_equal(rule->clear_milli, rows[i].clear * 1000);
		assert_int_equal(rule->raise_for_usec, rows[i].raise_for * TW_USEC_PER_SEC);
		assert_int_equal(rule->forecast_usec, rows[i].forecast * TW_USEC_PER_SEC);
		assert_int_equal(rule->severity, rows[i].severity);
		assert_int_equal(rule->action_count, rows[i].action_count);
		assert_true(tw_rule_settings_upward(rule));
	}
}

static void test_builtin_action(TW_UNUSED void **state)
{
	TW_CLEANUP_SETTINGS struct tw_settings *settings = tw_settings_new();
	const struct tw_action *action;

	assert_non_null(settings);
	action = &settings->rules[0].actions[0];
	assert_int_equal(action->kind, TW_ACTION_SET);
	assert_int_equal(action->tunable, TW_TUNABLE_TW_REUSE);
	assert_int_equal(action->value.numbers[0], 1);
	action = &settings->rules[1].actions[0];
	assert_int_equal(action->kind, TW_ACTION_STEP);
	assert_int_equal(action->tunable, TW_TUNABLE_MAX_TW_BUCKETS);
	assert_true(action->step.multiplies);
	assert_int_equal(action->step.by, 2000);
	assert_int_equal(action->step.limit, 1048576);
	assert_int_equal(action->step.every_usec, 30 * TW_USEC_PER_SEC);
}

/* What is built in obeys what a file must obey. */
static void test_builtin_actions_are_lawful(TW_UNUSED void **state)
{
	TW_CLEANUP_SETTINGS struct tw_settings *settings = tw_settings_new();

	assert_non_null(settings);
	for (unsigned i = 0; i < settings->rule_count; i++) {
		const struct tw_rule_settings *rule = &settings->rules[i];

		assert_int_not_equal(rule->raise_milli, rule->clear_milli);
		for (unsigned at = 0; at < rule->action_count; at++) {
			const struct tw_action *action = &rule->actions[at];
			struct tw_tunable_value value = action->value;

			/* As shipped, no socket is ended. */
			assert_int_not_equal(action->kind, TW_ACTION_DESTROY);
			if (action->kind == TW_ACTION_STEP)
				value.numbers[0] = action->step.limit;
			assert_true(tw_tunable_in_bounds(action->tunable, &value));
			assert_false(tw_tunable_info(action->tunable)->unsafe);
		}
	}
}

static void test_direction(TW_UNUSED void **state)
{
	struct tw_rule_settings rule = { .raise_milli = 2, .clear_milli = 1 };

	assert_true(tw_rule_settings_upward(&rule));
	rule.clear_milli = 3;
	assert_false(tw_rule_settings_upward(&rule));
}

/* The least of what rules look at and orders end, in microseconds. */
static void test_close_wait_age(TW_UNUSED void **state)
{
	TW_CLEANUP_SETTINGS struct tw_settings *settings = tw_settings_new_empty();
	struct tw_rule_settings *rules = settings->rules;

	assert_int_equal(tw_settings_close_wait_age(settings), 0);
	settings->rule_count = 1;
	rules[0].metric = TW_METRIC_CLOSE_WAIT_AGED;
	rules[0].age_usec = TW_USEC_PER_MINUTE;
	rules[1].metric = TW_METRIC_CLOSE_WAIT_AGE;
	rules[1].raise_milli = 12000;
	rules[1].clear_milli = 1500;
	rules[2].metric = TW_METRIC_PORT_USE;
	rules[2].action_count = 2;
	rules[2].actions[0] = (struct tw_action){ .kind = TW_ACTION_DESTROY, .destroy.state = TW_STATE_TIME_WAIT };
	rules[2].actions[1] = rules[2].actions[0];
	assert_int_equal(tw_settings_close_wait_age(settings), TW_USEC_PER_MINUTE);
	settings->rule_count = 3;
	assert_int_equal(tw_settings_close_wait_age(settings), 1500 * TW_USEC_PER_MSEC);
	rules[2].actions[1].destroy =
		(struct tw_destroy){ .state = TW_STATE_CLOSE_WAIT, .older_than_usec = TW_USEC_PER_SEC };
	assert_int_equal(tw_settings_close_wait_age(settings), TW_USEC_PER_SEC);
	rules[1].clear_milli = -1;
	assert_int_equal(tw_settings_close_wait_age(settings), TW_USEC_PER_MSEC);
}

static void test_destructor(TW_UNUSED void **state)
{
	assert_null(tw_settings_free(NULL));
	assert_null(tw_settings_free(tw_settings_new()));
}

static struct tw_rule_settings *add_rule(struct tw_settings *settings, const char *name, enum tw_tunable tunable)
{
	struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

	tw_rule_settings_init(rule);
	strcpy(rule->name, name);
	rule->action_count = 1;
	rule->actions[0] = (struct tw_action){ .kind = TW_ACTION_SET, .tunable = tunable };
	return rule;
}

/* From both sides alike: as many rules as there are find each other, or none. */
static void test_counterpart(TW_UNUSED void **state)
{
	TW_CLEANUP_SETTINGS struct tw_settings *old = tw_settings_new_empty(), *new = tw_settings_new_empty();
	static const struct {
		const char *name;
		enum tw_tunable tunable;
		enum tw_metric metric;
		uint16_t port;
		int counterpart;
	} rows[] = {
		{ "a", TW_TUNABLE_FIN_TIMEOUT, TW_METRIC_PORT_USE, 0, 0 }, /* by its name, whatever it does */
		{ "a", TW_TUNABLE_TW_REUSE, TW_METRIC_RESET, 0, -1 },
		{ "z", TW_TUNABLE_TW_REUSE, TW_METRIC_PORT_USE, 0, 0 }, /* renamed */
		{ "z", TW_TUNABLE_FIN_TIMEOUT, TW_METRIC_PORT_USE, 0, -1 },
		{ "z", TW_TUNABLE_TW_REUSE, TW_METRIC_RESET, 0, -1 },
		{ "z", TW_TUNABLE_TW_REUSE, TW_METRIC_PORT_USE, 80, -1 },
	};

	add_rule(old, "a", TW_TUNABLE_TW_REUSE)->metric = TW_METRIC_PORT_USE;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		new->rule_count = 0;
		add_rule(new, rows[i].name, rows[i].tunable)->metric = rows[i].metric;
		new->rules[0].scope.destination_port = rows[i].port;
		assert_int_equal(tw_settings_counterpart(old, new, &new->rules[0]), rows[i].counterpart);
		assert_int_equal(tw_settings_counterpart(new, old, &old->rules[0]), rows[i].counterpart);
	}
	/* Which of two it was cannot be told; nor is it renamed where its name is still there. */
	new->rule_count = 0;
	add_rule(new, "y", TW_TUNABLE_TW_REUSE)->metric = TW_METRIC_PORT_USE;
	add_rule(new, "z", TW_TUNABLE_TW_REUSE)->metric = TW_METRIC_PORT_USE;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(tw_settings_counterpart(old, new, &new->rules[i]), -1);
	assert_int_equal(tw_settings_counterpart(new, old, &old->rules[0]), -1);
	strcpy(new->rules[0].name, "a");
	assert_int_equal(tw_settings_counterpart(old, new, &new->rules[1]), -1);
	assert_int_equal(tw_settings_counterpart(new, old, &old->rules[0]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_builtin_rules),
		cmocka_unit_test(test_builtin_action),
		cmocka_unit_test(test_builtin_actions_are_lawful),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_close_wait_age),
		cmocka_unit_test(test_destructor),
		cmocka_unit_test(test_counterpart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
