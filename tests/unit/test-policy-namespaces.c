/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rules do in other network namespaces than the host's. */
#include "base/macros.h"
#include "decide/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define BUCKETS TW_TUNABLE_MAX_TW_BUCKETS

static struct tw_sample sample;
static struct tw_policy policy;
static struct tw_settings *settings;
static struct tw_desires desires;
static struct tw_kill_orders kills;
static struct tw_in_force in_force;
static struct {
	enum tw_event_kind kind;
	char rule[TW_RULE_NAME_MAX], reason[TW_REASON_MAX];
} told[16];
static unsigned told_count;

static void remember(struct tw_recorder *recorder TW_UNUSED, const char *namespace TW_UNUSED,
		     const struct tw_event *event)
{
	assert_true(told_count < TW_ARRAY_SIZE(told));
	told[told_count].kind = event->kind;
	(void)strcpy(told[told_count].rule, event->rule->name);
	(void)strcpy(told[told_count++].reason, event->reason);
}

static struct tw_recorder recorder = { .tell = remember };

static int begin(void **state TW_UNUSED)
{
	memset(&sample, 0, sizeof(sample));
	memset(&policy, 0, sizeof(policy));
	memset(&desires, 0, sizeof(desires));
	told_count = 0;
	settings = tw_settings_new_empty();
	return settings ? 0 : -1;
}

static int end(void **state TW_UNUSED)
{
	settings = tw_settings_free(settings);
	return 0;
}

/* On the number of listeners: raised from 10, cleared at 5, without any hold. */
static struct tw_rule_settings *add_rule(const char *name, enum tw_severity severity, const char *namespaces)
{
	struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

	tw_rule_settings_init(rule);
	(void)strcpy(rule->name, name);
	(void)strcpy(rule->namespaces.words, namespaces);
	rule->metric = TW_METRIC_STATE_FIRST;
	rule->raise_milli = 10000;
	rule->clear_milli = 5000;
	rule->clear_for_usec = 0;
	rule->severity = severity;
	return rule;
}

static void add_actions(struct tw_rule_settings *rule, int64_t buckets)
{
	rule->actions[rule->action_count++] =
		(struct tw_action){ .kind = TW_ACTION_SET, .tunable = BUCKETS, .value.numbers[0] = buckets };
	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_DESTROY,
		.destroy = { .state = TW_STATE_TIME_WAIT, .older_than_usec = 30 * S },
	};
}

/* Ten listeners, in this namespace. */
static void step(unsigned at, const char *namespace)
{
	const struct tw_scene scene = { settings, &sample, &in_force, at * S, &recorder, namespace };

	sample.census.at_usec = at * S;
	sample.census.known[TW_STATE_LISTEN] = true;
	sample.census.count[TW_STATE_LISTEN] = 10;
	tw_policy_init(&policy, settings, namespace);
	tw_policy_step(&policy, &scene, &desires, &kills);
}

/* Of two rules that want one sysctl the one that acts here wins, whatever the severities and the order. */
static void test_advice_gives_way(void **state TW_UNUSED)
{
	const struct tw_desire *desire = &desires.rows[BUCKETS];
	struct tw_rule_settings *acts;

	add_actions(add_rule("advises", TW_SEVERITY_CRITICAL, "host"), 1000);
	acts = add_rule("acts", TW_SEVERITY_INFO, "b*");
	add_actions(acts, 2000);
	step(1, "blue");
	assert_false(desires.any);
	step(2, "blue");
	assert_int_equal(desire->value.numbers[0], 2000);
	assert_false(desire->advised);
	assert_int_equal(kills.count, 2);
	assert_true(kills.rows[0].advised);
	assert_false(kills.rows[1].advised);
	/* Where neither does, the more severe one is told. */
	(void)strcpy(acts->namespaces.words, "host");
	step(3, "blue");
	assert_int_equal(desire->value.numbers[0], 1000);
	assert_true(desire->advised);
	/* Both act in the host's. */
	step(4, "host");
	assert_int_equal(desire->value.numbers[0], 1000);
	assert_false(desire->advised);
	assert_false(kills.rows[0].advised);
}

/* What the kernel tells of the host alone is not missed elsewhere. */
static void test_host_only_elsewhere(void **state TW_UNUSED)
{
	add_rule("orphans", TW_SEVERITY_WARNING, "host")->metric = TW_METRIC_ORPHANS;
	for (unsigned at = 1; at < 10; at++)
		step(at, "web");
	assert_int_equal(told_count, 0);
	assert_true(tw_policy_rests(&policy));
	for (unsigned at = 10; at < 20; at++) {
		sample.gauge.at_usec = at * S;
		step(at, "host");
	}
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].kind, TW_EVENT_PARTIAL);
}

/* It is watched no more: each that was raised is told as cleared, and begins anew if it comes back. */
static void test_leave(void **state TW_UNUSED)
{
	const struct tw_scene scene = { settings, &sample, &in_force, 3 * S, &recorder, "web" };

	(void)add_rule("a", TW_SEVERITY_WARNING, "host");
	add_rule("b", TW_SEVERITY_WARNING, "host")->raise_milli = 1000000;
	step(1, "web");
	assert_false(tw_policy_rests(&policy));
	step(2, "web");
	assert_int_equal(tw_policy_raised(&policy, settings), 1);
	told_count = 0;
	tw_policy_leave(&policy, &scene, "it is gone");
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].kind, TW_EVENT_CLEARED);
	assert_string_equal(told[0].rule, "a");
	assert_string_equal(told[0].reason, "it is gone");
	assert_true(tw_policy_rests(&policy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_advice_gives_way, begin, end),
		cmocka_unit_test_setup_teardown(test_host_only_elsewhere, begin, end),
		cmocka_unit_test_setup_teardown(test_leave, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
