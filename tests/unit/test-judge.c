/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/judge.h"

#include "base/macros.h"
#include "decide/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define REUSE TW_TUNABLE_TW_REUSE

static struct tw_event told[16];
static unsigned told_count;
/* Large: not for the stack of each test. */
static struct tw_sample sample;
static struct tw_rule_settings rule;
static struct tw_judge judge;
static struct tw_desires desires;
static struct tw_in_force in_force;
static unsigned max_changes;

static void remember(TW_UNUSED struct tw_recorder *recorder, const char *namespace, const struct tw_event *event)
{
	assert_string_equal(namespace, "blue");
	assert_true(told_count < TW_ARRAY_SIZE(told));
	told[told_count++] = *event;
}

static struct tw_recorder recorder = { .tell = remember };

static int clear(TW_UNUSED void **state)
{
	told_count = 0;
	max_changes = 0;
	memset(&sample, 0, sizeof(sample));
	memset(&in_force, 0, sizeof(in_force));
	tw_rule_settings_init(&rule);
	strcpy(rule.name, "ports");
	rule.metric = TW_METRIC_PORT_USE;
	rule.cooldown_usec = 600 * S;
	tw_judge_init(&judge);
	return 0;
}

/* The busiest destination holds so many of 1000 ports, so many of them in TIME-WAIT. */
static void set_ports(unsigned at, uint32_t ports, uint32_t time_wait, uint64_t reused)
{
	sample.gauge.at_usec = at * S;
	sample.gauge.counters[TW_COUNTER_TIME_WAIT_REUSED] = (struct tw_count){ reused, true };
	sample.gauge.sysctls[TW_TUNABLE_TIMESTAMPS] = (struct tw_live_value){ { { 1 } }, true };
	if (!sample.gauge.sysctls[REUSE].known)
		sample.gauge.sysctls[REUSE] = (struct tw_live_value){ { { 2 } }, true };
	sample.survey.at_usec = at * S;
	sample.survey.range_ports = 1000;
	sample.survey.has_busiest = true;
	sample.survey.top_count = sample.survey.destinations = 1;
	sample.survey.top[0].ports = ports;
	sample.survey.top[0].time_wait = time_wait;
	sample.survey.port_use = tw_value_percent(ports, 1000);
}

/* The rule wants the value, or nothing (0); what is let through is in force afterwards, where the world obeys. */
static bool turn_at(unsigned at, int64_t wanted, bool obeys)
{
	bool through;

	memset(&desires, 0, sizeof(desires));
	if (wanted)
		desires.rows[REUSE] = (struct tw_desire){
			.wanted = true,
			.value = { { wanted } },
			.rule = &rule,
			.subject = { .has_destination = true, .destination = { .port = 8080 } },
			.metric_value = tw_value_of(52700),
		};
	tw_judge_filter(&judge, &desires, &in_force, max_changes, &sample, at * S, &recorder, "blue");
	through = desires.rows[REUSE].wanted;
	if (obeys) {
		in_force.rows[REUSE].ours = through;
		in_force.rows[REUSE].value.numbers[0] = through ? wanted : 0;
		sample.gauge.sysctls[REUSE].value.numbers[0] = through ? wanted : 2;
	}
	tw_judge_prove(&judge, &desires, &in_force, 30 * S, &sample, at * S, &recorder, "blue");
	return through;
}

static void test_refused(TW_UNUSED void **state)
{
	set_ports(1, 500, 10, 0);
	assert_false(turn_at(1, 1, true));
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].kind, TW_EVENT_REFUSED);
	assert_int_equal(told[0].severity, TW_SEVERITY_WARNING);
	assert_ptr_equal(told[0].rule, &rule);
	assert_true(told[0].has_metric && told[0].has_sysctl);
	assert_int_equal(told[0].metric, TW_METRIC_PORT_USE);
	assert_int_equal(told[0].value.milli, 52700);
	assert_int_equal(told[0].sysctl, REUSE);
	assert_true(told[0].old.known && told[0].new.known);
	assert_int_equal(told[0].old.value.numbers[0], 2);
	assert_int_equal(told[0].new.value.numbers[0], 1);
	assert_int_equal(told[0].subject.destination.port, 8080);
	assert_non_null(strstr(told[0].reason, "490 of 500 ports"));
	assert_non_null(strstr(told[0].advice, "pool"));
	/* No trace of it is handed on. */
	assert_null(desires.rows[REUSE].rule);
}

/* Once as long as its reason stands; another reason, or a new wish, is news. */
/* Whatever it would do: it was put back on request. */
static void test_paused(TW_UNUSED void **state)
{
	set_ports(1, 500, 490, 0);
	assert_true(turn_at(1, 1, true));
	tw_judge_pause(&judge, REUSE, 60 * S, 2 * S);
	tw_judge_pause(&judge, REUSE, 10 * S, 3 * S); /* a shorter one takes nothing away */
	assert_false(turn_at(4, 1, true));
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].kind, TW_EVENT_REFUSED);
	assert_string_equal(told[0].reason, "everything was put back on request 2s ago, and rests for another 58s");
	assert_false(turn_at(61, 1, true));
	assert_int_equal(told_count, 1);
	assert_true(turn_at(62, 1, true));
	assert_int_equal(told_count, 1);
}

/* What is somebody else's passes, so that it is remembered as theirs. */
static void test_paused_and_yielded(TW_UNUSED void **state)
{
	set_ports(1, 500, 490, 0);
	in_force.rows[REUSE].yielded = true;
	tw_judge_pause(&judge, REUSE, 60 * S, 1 * S);
	assert_true(turn_at(2, 1, false));
	assert_int_equal(told_count, 0);
}

static void test_refused_once(TW_UNUSED void **state)
{
	static const struct {
		int64_t wanted;
		uint32_t ports, time_wait;
		bool through;
		unsigned told;
	} rows[] = {
		{ 1, 500, 10, false, 1 }, { 1, 510, 20, false, 1 }, { 1, 100, 10, false, 2 }, { 1, 100, 10, false, 2 },
		{ 1, 500, 10, false, 3 }, { 0, 500, 10, false, 3 }, { 1, 500, 10, false, 4 }, { 1, 500, 400, true, 4 },
		{ 1, 500, 10, false, 5 }, /* nothing was done meanwhile */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		set_ports(1 + (unsigned)i, rows[i].ports, rows[i].time_wait, 0);
		assert_int_equal(turn_at(1 + (unsigned)i, rows[i].wanted, false), rows[i].through);
		assert_int_equal(told_count, rows[i].told);
	}
}

/* What is in force stays, whatever the gate would say now; and so does the wish for what somebody else took over. */
static void test_settled_passes(TW_UNUSED void **state)
{
	set_ports(1, 500, 10, 0);
	in_force.rows[REUSE].ours = true;
	in_force.rows[REUSE].value.numbers[0] = 1;
	assert_true(turn_at(1, 1, false));
	in_force.rows[REUSE].ours = false;
	in_force.rows[REUSE].yielded = true;
	assert_true(turn_at(2, 1, false));
	assert_int_equal(told_count, 0);
	in_force.rows[REUSE].yielded = false;
	assert_false(turn_at(3, 1, false));
	assert_int_equal(told_count, 1);
}

static void test_gate_off(TW_UNUSED void **state)
{
	rule.gate = false;
	set_ports(1, 500, 10, 0);
	assert_true(turn_at(1, 1, true));
	assert_int_equal(told_count, 0);
}

static void test_helped(TW_UNUSED void **state)
{
	set_ports(100, 500, 400, 0);
	assert_true(turn_at(100, 1, true));
	set_ports(130, 505, 400, 5210);
	assert_true(turn_at(130, 1, true));
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].kind, TW_EVENT_EFFECT);
	assert_int_equal(told[0].severity, TW_SEVERITY_NOTICE);
	assert_ptr_equal(told[0].rule, &rule);
	assert_int_equal(told[0].sysctl, REUSE);
	assert_true(told[0].has_sysctl && told[0].new.known);
	assert_int_equal(told[0].new.value.numbers[0], 1);
	assert_int_equal(told[0].subject.destination.port, 8080);
	assert_string_equal(told[0].reason, "time-wait-reused 0 -> 5210, port-use 50% -> 50.5%");
	assert_string_equal(told[0].advice, "");
	set_ports(200, 505, 400, 5210);
	assert_true(turn_at(200, 1, true));
	assert_int_equal(told_count, 1);
}

static void test_no_difference(TW_UNUSED void **state)
{
	set_ports(100, 500, 400, 7);
	assert_true(turn_at(100, 1, true));
	set_ports(130, 505, 400, 7);
	assert_true(turn_at(130, 1, true));
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].severity, TW_SEVERITY_WARNING);
	assert_string_equal(told[0].reason, "time-wait-reused 7 -> 7, port-use 50% -> 50.5%");
	assert_string_equal(told[0].advice, "it is put back and rests for 10min");
	/* In force still, and taken out all the same: the baseline goes back. */
	assert_true(in_force.rows[REUSE].ours);
	assert_false(turn_at(132, 1, true));
	assert_int_equal(told_count, 2);
	assert_int_equal(told[1].kind, TW_EVENT_REFUSED);
	assert_int_equal(told[1].new.value.numbers[0], 1);
	assert_string_equal(told[1].reason, "it made no difference 2s ago, and rests for another 9min 58s");
	/* Once as long as it is wanted. */
	assert_false(turn_at(200, 1, true));
	assert_int_equal(told_count, 2);
	assert_false(turn_at(300, 0, true));
	assert_false(turn_at(301, 1, true));
	assert_int_equal(told_count, 3);
	assert_false(turn_at(729, 1, true));
	/* Rested: it may show again. */
	set_ports(730, 500, 400, 7);
	assert_true(turn_at(730, 1, true));
	set_ports(760, 500, 400, 8);
	assert_true(turn_at(760, 1, true));
	assert_int_equal(told_count, 4);
	assert_int_equal(told[3].severity, TW_SEVERITY_NOTICE);
}

/* A rest is that of one action: another value has not been tried, and without proof there is no rest. */
static void test_rest_of_one_value(TW_UNUSED void **state)
{
	set_ports(100, 500, 400, 7);
	(void)turn_at(100, 1, true);
	set_ports(130, 500, 400, 7);
	(void)turn_at(130, 1, true);
	assert_false(turn_at(131, 1, true));
	sample.gauge.sysctls[REUSE].value.numbers[0] = 0;
	assert_true(turn_at(132, 2, false));
	assert_false(turn_at(133, 1, false));
	rule.proof = false;
	assert_true(turn_at(134, 1, true));
}

/* Another rule had its value set meanwhile, and somebody else changed that. */
static void test_resting_and_yielded(TW_UNUSED void **state)
{
	set_ports(100, 500, 400, 7);
	(void)turn_at(100, 1, true);
	set_ports(130, 500, 400, 7);
	(void)turn_at(130, 1, true);
	assert_false(turn_at(131, 1, true));
	in_force.rows[REUSE].ours = false;
	in_force.rows[REUSE].yielded = true;
	assert_true(turn_at(132, 1, false));
	in_force.rows[REUSE].yielded = false;
	assert_false(turn_at(133, 1, false));
}

/* Told once, and it stays. */
static void test_no_cooldown(TW_UNUSED void **state)
{
	rule.cooldown_usec = 0;
	set_ports(100, 500, 400, 7);
	(void)turn_at(100, 1, true);
	set_ports(130, 500, 400, 7);
	assert_true(turn_at(130, 1, true));
	assert_string_equal(told[0].advice, "it stays: the rule's cooldown is 0");
	set_ports(200, 500, 400, 7);
	assert_true(turn_at(200, 1, true));
	assert_int_equal(told_count, 1);
}

/* The world does not obey, or the rule has cleared: nothing is in force for it, so nothing is proved. */
static void test_not_in_force(TW_UNUSED void **state)
{
	set_ports(100, 500, 400, 7);
	assert_true(turn_at(100, 1, false));
	set_ports(130, 500, 400, 8);
	assert_true(turn_at(130, 1, false));
	assert_true(turn_at(131, 1, true));
	set_ports(161, 500, 400, 9);
	in_force.rows[REUSE].ours = true;
	assert_false(turn_at(161, 0, false));
	assert_int_equal(told_count, 0);
	assert_int_equal(judge.rows[REUSE].proof.state, TW_PROOF_IDLE);
}

/* Each tunable has its own row. */
static void test_rows_are_apart(TW_UNUSED void **state)
{
	set_ports(1, 500, 10, 0);
	memset(&desires, 0, sizeof(desires));
	for (int i = 0; i < TW_TUNABLE_COUNT; i++)
		desires.rows[i] = (struct tw_desire){ .wanted = true, .value = { { 1 } }, .rule = &rule };
	tw_judge_filter(&judge, &desires, &in_force, max_changes, &sample, S, &recorder, "blue");
	for (int i = 0; i < TW_TUNABLE_COUNT; i++)
		assert_int_equal(desires.rows[i].wanted, tw_tunable_info((enum tw_tunable)i)->gate != TW_GATE_REUSE);
	assert_int_equal(told_count, 1);
}

/* Changes are counted, each way back is free; beyond the budget nothing is written, told once, until an hour is over.
 */
static void test_budget(TW_UNUSED void **state)
{
	static const struct {
		unsigned at;
		int64_t wanted;
		bool through;
		unsigned told;
	} rows[] = {
		{ 60, 1, true, 0 },    { 61, 1, true, 0 },    { 70, 0, false, 0 },
		{ 80, 1, true, 0 },    { 90, 0, false, 0 }, /* two changes, two ways back */
		{ 100, 1, false, 1 },  { 101, 1, false, 1 },  { 110, 0, false, 1 },
		{ 120, 1, false, 1 },  { 3719, 1, false, 1 }, /* the minute of the first is over an hour ago from here
								 on */
		{ 3720, 1, true, 1 },  { 3721, 0, false, 1 }, { 3722, 1, true, 1 },
		{ 3730, 0, false, 1 }, { 3731, 1, false, 2 }, /* told again: it was free in between */
	};

	rule.gate = rule.proof = false;
	max_changes = 2;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		set_ports(rows[i].at, 500, 400, 0);
		assert_int_equal(turn_at(rows[i].at, rows[i].wanted, true), rows[i].through);
		assert_int_equal(told_count, rows[i].told);
	}
	assert_int_equal(told[0].kind, TW_EVENT_REFUSED);
	assert_ptr_equal(told[0].rule, &rule);
	assert_int_equal(told[0].sysctl, REUSE);
	assert_int_equal(told[0].new.value.numbers[0], 1);
	assert_string_equal(told[0].reason,
			    "it was changed 2 times within the last hour, and max-changes is 2; the next "
			    "change can be in 1h 20s");
	assert_true(told[0].advice[0] != '\0');
}

/* What is in force stays in force: not the value that is wanted now, and not the one of before either. */
static void test_budget_holds(TW_UNUSED void **state)
{
	rule.gate = rule.proof = false;
	max_changes = 1;
	set_ports(60, 500, 400, 0);
	assert_true(turn_at(60, 1, true));
	in_force.rows[REUSE].ours = true;
	in_force.rows[REUSE].value.numbers[0] = 1;
	assert_true(turn_at(90, 2, false));
	assert_int_equal(desires.rows[REUSE].value.numbers[0], 1);
	assert_ptr_equal(desires.rows[REUSE].rule, &rule);
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].new.value.numbers[0], 2);
	/* What it is wanted to be already is no change. */
	assert_true(turn_at(91, 1, false));
	assert_int_equal(told_count, 1);
	/* Nor is what somebody else took over ours to count. */
	in_force.rows[REUSE].ours = false;
	in_force.rows[REUSE].yielded = true;
	assert_true(turn_at(92, 2, false));
	assert_int_equal(desires.rows[REUSE].value.numbers[0], 2);
	assert_int_equal(told_count, 1);
}

static void test_no_budget(TW_UNUSED void **state)
{
	rule.gate = rule.proof = false;
	for (unsigned at = 60; at <= 400; at++)
		assert_int_equal(turn_at(at, at % 2, true), at % 2);
	assert_int_equal(told_count, 0);
	/* They were counted all the same: a budget that comes with a reload knows them. */
	max_changes = 170;
	assert_false(turn_at(401, 1, true));
	max_changes = 171;
	assert_true(turn_at(402, 1, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_refused, clear),
		cmocka_unit_test_setup(test_refused_once, clear),
		cmocka_unit_test_setup(test_paused, clear),
		cmocka_unit_test_setup(test_paused_and_yielded, clear),
		cmocka_unit_test_setup(test_settled_passes, clear),
		cmocka_unit_test_setup(test_gate_off, clear),
		cmocka_unit_test_setup(test_helped, clear),
		cmocka_unit_test_setup(test_no_difference, clear),
		cmocka_unit_test_setup(test_rest_of_one_value, clear),
		cmocka_unit_test_setup(test_resting_and_yielded, clear),
		cmocka_unit_test_setup(test_no_cooldown, clear),
		cmocka_unit_test_setup(test_not_in_force, clear),
		cmocka_unit_test_setup(test_rows_are_apart, clear),
		cmocka_unit_test_setup(test_budget, clear),
		cmocka_unit_test_setup(test_budget_holds, clear),
		cmocka_unit_test_setup(test_no_budget, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
