/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desired-fixture.h"

/* ---- who wins */

/* One that acts goes before one that advises, then the higher severity, then the one that was added first. */
static void test_who_wins(void **state TW_UNUSED)
{
	static const struct {
		enum tw_severity severities[2];
		bool advised[2];
		int64_t wanted;
	} rows[] = {
		{ { TW_SEVERITY_WARNING, TW_SEVERITY_WARNING }, { false, false }, 70000 },
		{ { TW_SEVERITY_WARNING, TW_SEVERITY_ERROR }, { false, false }, 80000 },
		{ { TW_SEVERITY_ERROR, TW_SEVERITY_WARNING }, { false, false }, 70000 },
		{ { TW_SEVERITY_CRITICAL, TW_SEVERITY_INFO }, { true, false }, 80000 },
		{ { TW_SEVERITY_INFO, TW_SEVERITY_CRITICAL }, { false, true }, 70000 },
		{ { TW_SEVERITY_WARNING, TW_SEVERITY_ERROR }, { true, true }, 80000 },
		{ { TW_SEVERITY_WARNING, TW_SEVERITY_WARNING }, { true, true }, 70000 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const struct tw_scene scene = { &settings, &sample, &in_force, S, &recorder, "blue" };

		(void)clear(NULL);
		memset(&desires, 0, sizeof(desires));
		for (unsigned rule = 0; rule < 2; rule++) {
			struct tw_desired to = { &desires, &kills, rows[i].advised[rule] };

			rules[rule].gate = false;
			rules[rule].severity = rows[i].severities[rule];
			add_set(rule, BUCKETS, 70000 + 10000 * (int64_t)rule);
			raise_alert(2 * rule);
			tw_desired_add(to, &alerts[2 * rule], true, &scene);
		}
		assert_true(desires.any);
		assert_int_equal(wanted(BUCKETS), rows[i].wanted);
		assert_ptr_equal(desires.rows[BUCKETS].rule, &rules[rows[i].wanted == 80000]);
		assert_int_equal(desires.rows[BUCKETS].advised, rows[i].advised[rows[i].wanted == 80000]);
		assert_int_equal(desires.rows[BUCKETS].metric_value.milli, 52700);
		assert_int_equal(desires.rows[BUCKETS].subject.destination.port, 80);
	}
}

/* ---- the gate */

/* Each alert's own destination is judged: one is busier, the other is held by live connections. */
static void test_own_subject(void **state TW_UNUSED)
{
	add_set(0, REUSE, 1);
	raise_alert(B);
	turn(1);
	assert_int_equal(wanted(REUSE), 0);
	assert_false(desires.any);
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].kind, TW_EVENT_REFUSED);
	assert_int_equal(told[0].severity, TW_SEVERITY_WARNING);
	assert_ptr_equal(told[0].rule, &rules[0]);
	assert_true(told[0].has_metric && told[0].has_sysctl && told[0].old.known && told[0].new.known);
	assert_int_equal(told[0].metric, TW_METRIC_PORT_USE);
	assert_int_equal(told[0].value.milli, 52700);
	assert_int_equal(told[0].sysctl, REUSE);
	assert_int_equal(told[0].old.value.numbers[0], 2);
	assert_int_equal(told[0].new.value.numbers[0], 1);
	assert_int_equal(told[0].subject.destination.port, 81);
	assert_non_null(strstr(told[0].reason, "490 of 500 ports towards 10.0.0.2:81"));
	assert_non_null(strstr(told[0].advice, "pool"));
	/* The busier one does want it; to the other it is as useless as before. */
	raise_alert(A);
	turn(2);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(desires.rows[REUSE].subject.destination.port, 80);
	assert_true(alerts[A].actions[0].wanted);
	assert_false(alerts[B].actions[0].wanted);
	turn(3);
	assert_int_equal(told_count, 1);
	end_alert(A);
	turn(4);
	assert_int_equal(wanted(REUSE), 0);
	assert_int_equal(told_count, 1);
	/* Until its ports are held by TIME-WAIT too. */
	set_row(B, 500, 100);
	turn(5);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(desires.rows[REUSE].subject.destination.port, 81);
}

/* Told once as long as its reason stands; another reason, or an alert that comes back, is news. */
static void test_refused_once(void **state TW_UNUSED)
{
	static const struct {
		bool raised;
		uint32_t ports, established;
		unsigned told;
	} rows[] = {
		{ true, 500, 490, 1 }, { true, 510, 490, 1 }, { true, 100, 90, 2 },
		{ true, 100, 90, 2 },  { true, 500, 490, 3 }, { false, 500, 490, 3 },
		{ true, 500, 490, 4 }, { true, 500, 100, 4 }, { true, 500, 490, 5 }, /* nothing was done meanwhile */
	};

	disobeys = true;
	add_set(0, REUSE, 1);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		alerts[B].state = rows[i].raised ? TW_RULE_RAISED : TW_RULE_NORMAL;
		set_row(B, rows[i].ports, rows[i].established);
		turn(1 + (unsigned)i);
		assert_int_equal(told_count, rows[i].told);
	}
}

/* What is in force for it stays, whatever the gate would say now, until the alert ends; that it turned is told once. */
static void test_in_force_stays(void **state TW_UNUSED)
{
	add_set(0, REUSE, 1);
	raise_alert(A);
	turn(1);
	set_row(A, 600, 590);
	turn(2);
	set_row(A, 600, 50);
	turn(3);
	set_row(A, 600, 590);
	turn(3);
	alerts[A].state = TW_RULE_CLEARING;
	turn(3);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(told_count, 1);
	/* Where it was taken away, the gate is asked anew. */
	in_force.rows[REUSE].ours = false;
	turn(4);
	assert_int_equal(wanted(REUSE), 0);
	assert_int_equal(told_count, 1);
}

/* Of the few that are left when it is nearly over most may well be in another state: that is no news. */
static void test_what_is_left_does_not_turn(void **state TW_UNUSED)
{
	add_set(0, REUSE, 1);
	raise_alert(A);
	turn(1);
	alerts[A].state = TW_RULE_CLEARING;
	set_row(A, 20, 19);
	turn(2);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(told_count, 0);
}

/* The alert is kept because something rests: what it wanted before it came back goes through the gate again. */
static void test_comes_back(void **state TW_UNUSED)
{
	add_set(0, REUSE, 1);
	raise_alert(A);
	raise_alert(B);
	set_row(B, 500, 100);
	turn(1);
	assert_true(alerts[A].actions[0].wanted && alerts[B].actions[0].wanted);
	end_alert(A);
	turn(2);
	assert_false(alerts[A].actions[0].wanted);
	set_row(A, 600, 590);
	raise_alert(A);
	turn(3);
	assert_int_equal(wanted(REUSE), 1);
	assert_false(alerts[A].actions[0].wanted);
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].subject.destination.port, 80);
}

static void test_gate_off(void **state TW_UNUSED)
{
	rules[0].gate = false;
	add_set(0, REUSE, 1);
	raise_alert(B);
	turn(1);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(told_count, 0);
}

/* Of what has only not cleared yet nobody is short; what has begun goes on. */
static void test_begins_over_the_level(void **state TW_UNUSED)
{
	rules[0].gate = false;
	add_set(0, REUSE, 1);
	raise_alert(B);
	alerts[B].over = false;
	turn(1);
	assert_int_equal(wanted(REUSE), 0);
	alerts[B].over = true;
	turn(2);
	assert_int_equal(wanted(REUSE), 1);
	alerts[B].over = false;
	turn(3);
	assert_int_equal(wanted(REUSE), 1);
}

/* Or it would be forgotten that it is somebody else's; what holds the ports instead is told, whoever's it is. */
static void test_yielded_passes(void **state TW_UNUSED)
{
	add_set(0, REUSE, 1);
	raise_alert(B);
	in_force.rows[REUSE].yielded = true;
	turn(1);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(told_count, 1);
	in_force.rows[REUSE].yielded = false;
	turn(2);
	assert_int_equal(wanted(REUSE), 0);
	assert_int_equal(told_count, 1);
}

/* ---- steps */

static void test_steps(void **state TW_UNUSED)
{
	static const struct {
		unsigned at;
		int64_t wanted;
		unsigned told;
	} rows[] = {
		{ 2, 131072, 0 },  { 31, 131072, 0 }, { 32, 262144, 0 },  { 62, 300000, 0 },
		{ 91, 300000, 0 }, { 92, 300000, 1 }, { 200, 300000, 1 },
	};

	rules[0].gate = rules[0].proof = false;
	add_step(0, 2000, 300000);
	turn(1);
	assert_int_equal(wanted(BUCKETS), 0);
	raise_alert(A);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		turn(rows[i].at);
		assert_int_equal(wanted(BUCKETS), rows[i].wanted);
		assert_int_equal(told_count, rows[i].told);
	}
	assert_ptr_equal(desires.rows[BUCKETS].rule, &rules[0]);
	assert_int_equal(desires.rows[BUCKETS].subject.destination.port, 80);
	assert_int_equal(told[0].kind, TW_EVENT_REFUSED);
	assert_int_equal(told[0].sysctl, BUCKETS);
	assert_int_equal(told[0].old.value.numbers[0], 300000);
	assert_int_equal(told[0].new.value.numbers[0], 600000);
	assert_true(told[0].reason[0] != '\0' && told[0].advice[0] != '\0');
	end_alert(A);
	turn(201);
	assert_int_equal(wanted(BUCKETS), 0);
	raise_alert(A);
	turn(202);
	assert_int_equal(wanted(BUCKETS), 131072);
}

/* A step that is refused wants nothing, and leaves the field to others. */
static void test_steps_and_the_gate(void **state TW_UNUSED)
{
	sample.gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW].known = true;
	sample.previous = sample.gauge;
	sample.previous.at_usec = 0;
	rules[0].severity = TW_SEVERITY_ERROR;
	add_step(0, 2000, 300000);
	add_set(1, BUCKETS, 70000);
	rules[1].gate = false;
	raise_alert(A);
	raise_alert(2);
	sample.previous = sample.gauge;
	sample.previous.at_usec = S;
	turn(2);
	assert_int_equal(wanted(BUCKETS), 70000);
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].new.value.numbers[0], 131072);
	assert_non_null(strstr(told[0].reason, "no connection is closed without it"));
}

static void test_rebase(void **state TW_UNUSED)
{
	struct tw_rule_settings next;
	struct tw_stepper moved[TW_ACTIONS_MAX];

	add_set(0, REUSE, 1);
	add_step(0, 2000, 1048576);
	rules[0].gate = false;
	raise_alert(A);
	turn(1);
	turn(31);
	assert_int_equal(wanted(BUCKETS), 262144);

	/* Elsewhere in the rule it is the same; a set of what was a step goes on, and the other way round. */
	next = rules[0];
	next.action_count = 0;
	rules[1] = next;
	add_destroy(1, 80);
	add_step(1, 2000, 1048576);
	add_set(1, REUSE, 1);
	next = rules[1];
	tw_desired_rebase_alert(&alerts[A], &rules[0], &next);
	tw_desired_rebase_steps(moved, &next, steppers[0], &rules[0]);
	assert_int_equal(moved[1].wanted, 262144);
	assert_false(moved[0].started || moved[2].started);
	assert_false(alerts[A].actions[0].wanted);
	assert_true(alerts[A].actions[1].wanted && alerts[A].actions[2].wanted);
	assert_int_equal(alerts[A].actions[1].proof.state, TW_PROOF_WAITING);
	assert_int_equal(alerts[A].actions[1].proof.value.numbers[0], 262144);
	assert_int_equal(alerts[A].actions[2].proof.value.numbers[0], 1);

	/* What is not there any more is forgotten. */
	rules[0] = next;
	next.action_count = 1;
	tw_desired_rebase_alert(&alerts[A], &rules[0], &next);
	for (unsigned i = 0; i < TW_ACTIONS_MAX; i++)
		assert_false(alerts[A].actions[i].wanted);
}

/* ---- sockets to end */

/* One order serves all alerts of a rule. */
static void test_destroys(void **state TW_UNUSED)
{
	rules[0].gate = false;
	add_destroy(0, 80);
	add_set(0, BUCKETS, 70000);
	add_destroy(0, 443);
	add_destroy(1, 8080);
	turn(1);
	assert_int_equal(kills.count, 0);
	raise_alert(A);
	raise_alert(B);
	turn(2);
	assert_int_equal(kills.count, 2);
	assert_ptr_equal(kills.rows[0].destroy, &rules[0].actions[0].destroy);
	assert_ptr_equal(kills.rows[1].destroy, &rules[0].actions[2].destroy);
	assert_ptr_equal(kills.rows[1].rule, &rules[0]);
	assert_int_equal(kills.rows[1].subject.destination.port, 80);
	assert_false(kills.rows[0].advised);
	assert_int_equal(wanted(BUCKETS), 70000);
	raise_alert(2);
	advised = true;
	turn(3);
	assert_int_equal(kills.count, 3);
	assert_int_equal(kills.rows[2].destroy->port, 8080);
	assert_true(kills.rows[2].advised);
	end_alert(A);
	turn(4);
	assert_int_equal(kills.count, 3);
	assert_int_equal(kills.rows[0].subject.destination.port, 81);
}

/* More than there is room for, which no file can bring about. */
static void test_destroys_are_bounded(void **state TW_UNUSED)
{
	const struct tw_scene scene = { &settings, &sample, &in_force, S, &recorder, "blue" };
	struct tw_desired to = { &desires, &kills, false };

	for (unsigned at = 0; at < TW_ACTIONS_MAX; at++)
		add_destroy(0, (uint16_t)(1 + at));
	for (unsigned i = 0; i < 3; i++)
		tw_desired_add(to, &alerts[A], true, &scene);
	assert_int_equal(kills.count, TW_KILLS_MAX);
	for (unsigned i = 0; i < TW_KILLS_MAX; i++)
		assert_int_equal(kills.rows[i].destroy->port, 1 + i % TW_ACTIONS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_who_wins, clear),
		cmocka_unit_test_setup(test_own_subject, clear),
		cmocka_unit_test_setup(test_refused_once, clear),
		cmocka_unit_test_setup(test_in_force_stays, clear),
		cmocka_unit_test_setup(test_what_is_left_does_not_turn, clear),
		cmocka_unit_test_setup(test_comes_back, clear),
		cmocka_unit_test_setup(test_gate_off, clear),
		cmocka_unit_test_setup(test_begins_over_the_level, clear),
		cmocka_unit_test_setup(test_yielded_passes, clear),
		cmocka_unit_test_setup(test_steps, clear),
		cmocka_unit_test_setup(test_steps_and_the_gate, clear),
		cmocka_unit_test_setup(test_rebase, clear),
		cmocka_unit_test_setup(test_destroys, clear),
		cmocka_unit_test_setup(test_destroys_are_bounded, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
