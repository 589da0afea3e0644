/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/desired.h"

#include "base/macros.h"

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
static struct tw_limits limits;
static struct tw_desires desires;
static struct tw_in_force in_force;
static struct tw_settings settings;
#define max_changes settings.max_changes

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
	sample.gauge.sysctls[REUSE] = (struct tw_live_value){ { { 2 } }, true };
	memset(&limits, 0, sizeof(limits));
	return 0;
}

static void filter(unsigned at)
{
	const struct tw_scene scene = { &settings, &sample, &in_force, at * S, &recorder, "blue" };

	tw_limits_filter(&limits, &desires, &scene);
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
	filter(at);
	through = desires.rows[REUSE].wanted;
	if (obeys) {
		in_force.rows[REUSE].ours = through;
		in_force.rows[REUSE].value.numbers[0] = through ? wanted : 0;
		sample.gauge.sysctls[REUSE].value.numbers[0] = through ? wanted : 2;
	}
	tw_limits_note(&limits, &in_force, at * S);
	return through;
}

/* Whatever it would do: it was put back on request. Told once as long as that stands and it is wanted. */
static void test_paused(TW_UNUSED void **state)
{
	assert_true(turn_at(1, 1, true));
	tw_limits_pause(&limits, REUSE, 60 * S, 2 * S);
	tw_limits_pause(&limits, REUSE, 10 * S, 3 * S); /* a shorter one takes nothing away */
	assert_false(turn_at(4, 1, true));
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].kind, TW_EVENT_REFUSED);
	assert_int_equal(told[0].severity, TW_SEVERITY_WARNING);
	assert_ptr_equal(told[0].rule, &rule);
	assert_true(told[0].has_metric && told[0].has_sysctl && told[0].old.known && told[0].new.known);
	assert_int_equal(told[0].metric, TW_METRIC_PORT_USE);
	assert_int_equal(told[0].value.milli, 52700);
	assert_int_equal(told[0].sysctl, REUSE);
	assert_int_equal(told[0].old.value.numbers[0], 1);
	assert_int_equal(told[0].new.value.numbers[0], 1);
	assert_int_equal(told[0].subject.destination.port, 8080);
	assert_string_equal(told[0].reason,
			    "everything was put back on request 2s ago, and nothing is changed for another 58s");
	assert_non_null(strstr(told[0].advice, "let the client pool its connections"));
	/* No trace of it is handed on. */
	assert_null(desires.rows[REUSE].rule);
	assert_false(turn_at(5, 1, true));
	assert_int_equal(told_count, 1);
	assert_false(turn_at(6, 0, true));
	assert_false(turn_at(61, 1, true));
	assert_int_equal(told_count, 2);
	assert_true(turn_at(62, 1, true));
	assert_int_equal(told_count, 2);
	/* A longer one goes on from where it is asked for. */
	tw_limits_pause(&limits, REUSE, 60 * S, 63 * S);
	tw_limits_pause(&limits, REUSE, 58 * S, 66 * S);
	assert_false(turn_at(123, 1, true));
	assert_true(turn_at(124, 1, true));
}

/* What is somebody else's passes, so that it is remembered as theirs. */
static void test_paused_and_yielded(TW_UNUSED void **state)
{
	in_force.rows[REUSE].yielded = true;
	tw_limits_pause(&limits, REUSE, 60 * S, 1 * S);
	assert_true(turn_at(2, 1, false));
	assert_int_equal(told_count, 0);
}

/* Each tunable has its own row. */
static void test_rows_are_apart(TW_UNUSED void **state)
{
	memset(&desires, 0, sizeof(desires));
	for (int i = 0; i < TW_TUNABLE_COUNT; i++)
		desires.rows[i] = (struct tw_desire){ .wanted = true, .value = { { 1 } }, .rule = &rule };
	tw_limits_pause(&limits, REUSE, 60 * S, 1 * S);
	filter(2);
	for (int i = 0; i < TW_TUNABLE_COUNT; i++)
		assert_int_equal(desires.rows[i].wanted, i != REUSE);
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

	max_changes = 2;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
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
	max_changes = 1;
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

/* Each step of a ladder is a change. */
static void test_budget_of_steps(TW_UNUSED void **state)
{
	max_changes = 2;
	assert_true(turn_at(60, 1, true));
	assert_true(turn_at(61, 2, true));
	assert_true(turn_at(62, 1, false));
	assert_int_equal(desires.rows[REUSE].value.numbers[0], 2);
	assert_int_equal(told_count, 1);
}

/* What is only told changes nothing. */
static void test_budget_of_advice(TW_UNUSED void **state)
{
	max_changes = 1;
	assert_true(turn_at(60, 1, true));
	assert_false(turn_at(61, 0, true));
	desires.rows[REUSE] = (struct tw_desire){ .wanted = true, .advised = true, .value = { { 1 } }, .rule = &rule };
	filter(62);
	assert_true(desires.rows[REUSE].wanted && desires.rows[REUSE].advised);
	assert_int_equal(told_count, 0);
	assert_false(turn_at(63, 1, true));
	assert_int_equal(told_count, 1);
}

/* What the sysctl is already, by somebody else's hand, is not refused; once it is another value, it is. */
static void test_budget_of_what_is_there(TW_UNUSED void **state)
{
	max_changes = 1;
	assert_true(turn_at(60, 1, true));
	assert_false(turn_at(61, 0, true));
	sample.gauge.sysctls[REUSE].value.numbers[0] = 1;
	assert_false(turn_at(62, 1, false));
	assert_int_equal(told_count, 0);
	sample.gauge.sysctls[REUSE].value.numbers[0] = 2;
	assert_false(turn_at(63, 1, false));
	assert_int_equal(told_count, 1);
	assert_false(turn_at(64, 1, false));
	assert_int_equal(told_count, 1);
	/* Where that is not known, it is a change. */
	limits.rows[REUSE].budget_told = false;
	sample.gauge.sysctls[REUSE] = (struct tw_live_value){ { { 1 } }, false };
	assert_false(turn_at(65, 1, false));
	assert_int_equal(told_count, 2);
}

static void test_no_budget(TW_UNUSED void **state)
{
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
		cmocka_unit_test_setup(test_paused, clear),
		cmocka_unit_test_setup(test_paused_and_yielded, clear),
		cmocka_unit_test_setup(test_rows_are_apart, clear),
		cmocka_unit_test_setup(test_budget, clear),
		cmocka_unit_test_setup(test_budget_holds, clear),
		cmocka_unit_test_setup(test_budget_of_steps, clear),
		cmocka_unit_test_setup(test_budget_of_advice, clear),
		cmocka_unit_test_setup(test_budget_of_what_is_there, clear),
		cmocka_unit_test_setup(test_no_budget, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
