/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/policy.h"
#include "decide/wish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define BUCKETS TW_TUNABLE_MAX_TW_BUCKETS

/* Large: not for the stack of each test. */
static struct tw_sample sample;
static struct tw_policy policy;
static struct tw_settings *settings;
static struct tw_desires desires;
static struct tw_kill_orders kills;
static struct tw_event told[16];
static unsigned told_count;

static void remember(struct tw_recorder *recorder TW_UNUSED, const char *namespace, const struct tw_event *event)
{
	assert_string_equal(namespace, "blue");
	assert_true(told_count < TW_ARRAY_SIZE(told));
	told[told_count++] = *event;
}

static struct tw_recorder recorder = { .tell = remember };

static int begin(void **state TW_UNUSED)
{
	memset(&sample, 0, sizeof(sample));
	sample.gauge.memory_bound_pages = (struct tw_count){ UINT64_MAX, true };
	memset(&policy, 0, sizeof(policy));
	told_count = 0;
	settings = tw_settings_new_empty();
	sample.gauge.sysctls[BUCKETS] = (struct tw_live_value){ { { 65536 } }, true };
	return settings ? 0 : -1;
}

static int end(void **state TW_UNUSED)
{
	settings = tw_settings_free(settings);
	return 0;
}

/* A rule on the number of listeners: raised from 10, cleared at 5, without any hold. */
static struct tw_rule_settings *add_rule(struct tw_settings *to, const char *name, enum tw_severity severity)
{
	struct tw_rule_settings *rule = &to->rules[to->rule_count++];

	tw_rule_settings_init(rule);
	strcpy(rule->name, name);
	rule->metric = TW_METRIC_STATE_FIRST;
	rule->raise_milli = 10000;
	rule->clear_milli = 5000;
	rule->clear_for_usec = 0;
	rule->severity = severity;
	return rule;
}

static void add_step(struct tw_rule_settings *rule, int64_t by, int64_t limit)
{
	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_STEP,
		.tunable = BUCKETS,
		.step = { .multiplies = true, .by = by, .limit = limit, .every_usec = 30 * S },
	};
}

static void add_set(struct tw_rule_settings *rule, int64_t value)
{
	rule->actions[rule->action_count++] =
		(struct tw_action){ .kind = TW_ACTION_SET, .tunable = BUCKETS, .value.numbers[0] = value };
}

static void add_destroy(struct tw_rule_settings *rule, uint16_t port)
{
	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_DESTROY,
		.destroy = { .state = TW_STATE_TIME_WAIT, .older_than_usec = 30 * S, .port = port },
	};
}

static void step(unsigned at, uint64_t listeners)
{
	sample.census.at_usec = at * S;
	sample.census.known[TW_STATE_LISTEN] = true;
	sample.census.count[TW_STATE_LISTEN] = listeners;
	tw_policy_step(&policy, settings, &sample, at * S, &recorder, "blue", &desires, &kills);
}

/* What is wanted of the buckets; 0 for nothing. What is wanted is live at the next look. */
static int64_t wanted(void)
{
	const struct tw_desire *desire = &desires.rows[BUCKETS];

	sample.gauge.sysctls[BUCKETS].value.numbers[0] = desire->wanted ? desire->value.numbers[0] : 65536;
	return desire->wanted ? desire->value.numbers[0] : 0;
}

static void test_step_follows_the_rule(void **state TW_UNUSED)
{
	static const struct {
		unsigned at;
		uint64_t listeners;
		int64_t wanted;
		unsigned told;
	} rows[] = {
		{ 1, 20, 0, 0 },       { 2, 20, 131072, 1 },  { 31, 20, 131072, 1 }, { 32, 20, 262144, 1 },
		{ 62, 20, 300000, 1 }, { 91, 20, 300000, 1 }, { 92, 20, 300000, 2 }, { 200, 20, 300000, 2 },
		{ 201, 9, 300000, 2 }, { 202, 5, 0, 3 },      { 203, 20, 0, 3 },     { 204, 20, 131072, 4 },
	};
	struct tw_rule_settings *rule = add_rule(settings, "one", TW_SEVERITY_WARNING);

	add_step(rule, 2000, 300000);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		step(rows[i].at, rows[i].listeners);
		assert_int_equal(wanted(), rows[i].wanted);
		assert_int_equal(told_count, rows[i].told);
	}
	assert_ptr_equal(desires.rows[BUCKETS].rule, rule);
	assert_int_equal(told[1].kind, TW_EVENT_REFUSED);
	assert_int_equal(told[1].severity, TW_SEVERITY_WARNING);
	assert_ptr_equal(told[1].rule, rule);
	assert_true(told[1].has_sysctl && told[1].has_metric && told[1].old.known && told[1].new.known);
	assert_int_equal(told[1].sysctl, BUCKETS);
	assert_int_equal(told[1].old.value.numbers[0], 300000);
	assert_int_equal(told[1].new.value.numbers[0], 600000);
	assert_true(told[1].reason[0] != '\0' && told[1].advice[0] != '\0');
}

/* Sets and steps of one tunable compete by severity, then by order. */
static void test_who_wins(void **state TW_UNUSED)
{
	static const struct {
		enum tw_severity first, second;
		int64_t wanted;
	} rows[] = {
		{ TW_SEVERITY_WARNING, TW_SEVERITY_WARNING, 131072 },
		{ TW_SEVERITY_WARNING, TW_SEVERITY_ERROR, 70000 },
		{ TW_SEVERITY_ERROR, TW_SEVERITY_WARNING, 131072 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)end(NULL);
		(void)begin(NULL);
		add_step(add_rule(settings, "steps", rows[i].first), 2000, 1048576);
		add_set(add_rule(settings, "sets", rows[i].second), 70000);
		step(1, 20);
		step(2, 20);
		assert_int_equal(wanted(), rows[i].wanted);
	}
	/* A step that can do nothing leaves the field to others. */
	(void)end(NULL);
	(void)begin(NULL);
	add_step(add_rule(settings, "steps", TW_SEVERITY_ERROR), 2000, 65536);
	add_set(add_rule(settings, "sets", TW_SEVERITY_WARNING), 70000);
	step(1, 20);
	step(2, 20);
	assert_int_equal(wanted(), 70000);
}

static void test_rebase(void **state TW_UNUSED)
{
	struct tw_settings *next;

	add_rule(settings, "other", TW_SEVERITY_WARNING);
	add_step(add_rule(settings, "one", TW_SEVERITY_WARNING), 2000, 1048576);
	step(1, 20);
	step(2, 20);
	(void)wanted();
	step(32, 20);
	assert_int_equal(wanted(), 262144);

	/* Elsewhere in the file and in the rule, it is the same. */
	next = tw_settings_new_empty();
	add_destroy(add_rule(next, "one", TW_SEVERITY_WARNING), 80);
	add_step(&next->rules[0], 2000, 1048576);
	tw_policy_rebase(&policy, settings, next, 33 * S, &recorder, "blue");
	(void)tw_settings_free(settings);
	settings = next;
	step(34, 20);
	assert_int_equal(wanted(), 262144);
	step(62, 20);
	assert_int_equal(wanted(), 524288);

	/* Another step goes on from what is in force. */
	next = tw_settings_new_empty();
	add_step(add_rule(next, "one", TW_SEVERITY_WARNING), 3000, 1048576);
	tw_policy_rebase(&policy, settings, next, 63 * S, &recorder, "blue");
	(void)tw_settings_free(settings);
	settings = next;
	step(64, 20);
	assert_int_equal(wanted(), 524288);
	step(92, 20);
	assert_int_equal(wanted(), 1048576);

	/* Without it, nothing is wanted. */
	next = tw_settings_new_empty();
	add_rule(next, "one", TW_SEVERITY_WARNING);
	tw_policy_rebase(&policy, settings, next, 93 * S, &recorder, "blue");
	(void)tw_settings_free(settings);
	settings = next;
	step(94, 20);
	assert_int_equal(wanted(), 0);
}

/* Another name alone: the old one is told as over and the new one as raised, and the step goes on. */
static void test_rebase_renamed(void **state TW_UNUSED)
{
	struct tw_settings *next = tw_settings_new_empty();

	add_step(add_rule(settings, "old", TW_SEVERITY_WARNING), 2000, 1048576);
	step(1, 20);
	step(2, 20);
	(void)wanted();
	told_count = 0;
	add_step(add_rule(next, "new", TW_SEVERITY_WARNING), 2000, 1048576);
	tw_policy_rebase(&policy, settings, next, 3 * S, &recorder, "blue");
	assert_int_equal(told_count, 2);
	assert_int_equal(told[0].kind, TW_EVENT_CLEARED);
	assert_ptr_equal(told[0].rule, &settings->rules[0]);
	assert_int_equal(told[1].kind, TW_EVENT_RAISED);
	assert_ptr_equal(told[1].rule, &next->rules[0]);
	(void)tw_settings_free(settings);
	settings = next;
	step(4, 20);
	assert_int_equal(wanted(), 131072);
	step(32, 20);
	assert_int_equal(wanted(), 262144);
	assert_int_equal(told_count, 2);
}

static void test_kills(void **state TW_UNUSED)
{
	struct tw_rule_settings *one = add_rule(settings, "one", TW_SEVERITY_WARNING);
	struct tw_rule_settings *two = add_rule(settings, "two", TW_SEVERITY_ERROR);

	add_destroy(one, 80);
	add_set(one, 70000);
	add_destroy(one, 443);
	two->raise_milli = 30000;
	add_destroy(two, 8080);
	step(1, 20);
	assert_int_equal(kills.count, 0);
	step(2, 20);
	assert_int_equal(kills.count, 2);
	assert_ptr_equal(kills.rows[0].destroy, &one->actions[0].destroy);
	assert_ptr_equal(kills.rows[1].destroy, &one->actions[2].destroy);
	assert_ptr_equal(kills.rows[1].rule, one);
	assert_int_equal(wanted(), 70000);
	step(3, 30);
	step(4, 30);
	assert_int_equal(kills.count, 3);
	assert_int_equal(kills.rows[2].destroy->port, 8080);
	step(5, 5);
	assert_int_equal(kills.count, 0);
}

/* More than there is room for, which no file can bring about. */
static void test_kills_are_bounded(void **state TW_UNUSED)
{
	for (unsigned i = 0; i < 3; i++) {
		struct tw_rule_settings *rule =
			add_rule(settings, (const char *[]){ "a", "b", "c" }[i], TW_SEVERITY_INFO);

		for (unsigned at = 0; at < TW_ACTIONS_MAX; at++)
			add_destroy(rule, (uint16_t)(1 + i * TW_ACTIONS_MAX + at));
	}
	step(1, 20);
	step(2, 20);
	assert_int_equal(kills.count, TW_KILLS_MAX);
	for (unsigned i = 0; i < TW_KILLS_MAX; i++)
		assert_int_equal(kills.rows[i].destroy->port, 1 + i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_step_follows_the_rule, begin, end),
		cmocka_unit_test_setup_teardown(test_who_wins, begin, end),
		cmocka_unit_test_setup_teardown(test_rebase, begin, end),
		cmocka_unit_test_setup_teardown(test_rebase_renamed, begin, end),
		cmocka_unit_test_setup_teardown(test_kills, begin, end),
		cmocka_unit_test_setup_teardown(test_kills_are_bounded, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
