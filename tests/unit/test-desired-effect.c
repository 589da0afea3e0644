/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desired-fixture.h"

/* Two looks at the destination's sockets, from the second before. */
static void look(unsigned row, unsigned at, uint32_t taken, uint32_t opened)
{
	sample.survey.takeovers = (struct tw_takeovers){
		.from_usec = (at - 1) * S,
		.until_usec = at * S,
		.key = destination_of(row),
		.early = taken,
		.taken = taken,
		.near_ports = 500,
		.opened = opened,
		.waiting = 400,
	};
}

static void test_helped(void **state TW_UNUSED)
{
	add_set(0, REUSE, 1);
	raise_alert(A);
	turn(100);
	look(A, 102, 5210, 6000);
	turn(129);
	assert_int_equal(told_count, 0);
	turn(130);
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].kind, TW_EVENT_EFFECT);
	assert_int_equal(told[0].severity, TW_SEVERITY_NOTICE);
	assert_int_equal(told[0].effect, TW_EFFECT_HELPED);
	assert_ptr_equal(told[0].rule, &rules[0]);
	assert_true(told[0].has_sysctl && told[0].new.known);
	assert_int_equal(told[0].sysctl, REUSE);
	assert_int_equal(told[0].new.value.numbers[0], 1);
	assert_int_equal(told[0].subject.destination.port, 80);
	assert_non_null(strstr(told[0].reason, "5210 ports in TIME-WAIT were taken over"));
	assert_string_equal(told[0].advice, "");
	turn(300);
	assert_int_equal(told_count, 1);
}

/* Who holds ports for all is refused once, and once more when somebody is left nothing but its own TIME-WAIT. */
static void test_left_waiting_is_news(void **state TW_UNUSED)
{
	static const struct {
		uint32_t exclusive;
		unsigned told;
	} rows[] = { { 500, 1 }, { 600, 1 }, { 700, 2 }, { 600, 2 }, { 700, 2 } };

	add_set(0, REUSE, 1);
	raise_alert(A);
	alerts[A].subject = (struct tw_subject){ .has_binder = true, .holds_for_all = true };
	set_row(A, 300, 0);
	set_row(B, 0, 0);
	sample.survey.top[A].bound_first_known = true;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		sample.survey.exclusive_ports = sample.survey.bound_first_ports = rows[i].exclusive;
		turn(100 + (unsigned)i);
		assert_int_equal(wanted(REUSE), 0);
		assert_int_equal(told_count, rows[i].told);
	}
	assert_null(strstr(told[0].reason, "would give back"));
	assert_non_null(strstr(told[1].reason, "to 10.0.0.2:80 net.ipv4.tcp_tw_reuse would give back its 300 ports"));
}

static void test_not_tested(void **state TW_UNUSED)
{
	add_set(0, REUSE, 1);
	raise_alert(A);
	turn(100);
	turn(130);
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].effect, TW_EFFECT_NOT_TESTED);
	assert_int_equal(told[0].severity, TW_SEVERITY_NOTICE);
	assert_string_equal(told[0].advice, "");
	turn(1000);
	assert_int_equal(told_count, 1);
	assert_int_equal(wanted(REUSE), 1);
}

static void test_no_difference(void **state TW_UNUSED)
{
	add_set(0, REUSE, 1);
	raise_alert(A);
	turn(100);
	look(A, 102, 0, 400);
	turn(130);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(told_count, 1);
	assert_int_equal(told[0].severity, TW_SEVERITY_WARNING);
	assert_int_equal(told[0].effect, TW_EFFECT_NO_DIFFERENCE);
	assert_non_null(strstr(told[0].advice, "not tried again for 10min"));
	assert_true(tw_desired_rests(&alerts[A], 131 * S));
	/* Put back, and that was told. */
	turn(131);
	assert_int_equal(wanted(REUSE), 0);
	turn(200);
	assert_int_equal(told_count, 1);
	/* It ends and comes back within the rest: somebody waits for the remedy. */
	end_alert(A);
	turn(300);
	raise_alert(A);
	turn(330);
	turn(331);
	assert_int_equal(wanted(REUSE), 0);
	assert_int_equal(told_count, 2);
	assert_int_equal(told[1].kind, TW_EVENT_REFUSED);
	assert_int_equal(told[1].new.value.numbers[0], 1);
	assert_string_equal(told[1].reason,
			    "it made no difference 3min 20s ago, and is not tried again for another 6min 40s");
	assert_string_equal(told[1].advice, "turn net.ipv4.tcp_timestamps on at the peer, let the client pool its "
					    "connections, or widen net.ipv4.ip_local_port_range");
	assert_true(tw_desired_rests(&alerts[A], 729 * S));
	assert_false(tw_desired_rests(&alerts[A], 730 * S));
	turn(730);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(told_count, 2);
}

/* It stays in force for the other one, whom it helps. */
static void test_no_difference_for_one(void **state TW_UNUSED)
{
	set_row(B, 500, 100);
	add_set(0, REUSE, 1);
	raise_alert(A);
	raise_alert(B);
	turn(100);
	look(A, 102, 0, 400);
	turn(102);
	look(B, 104, 7, 400);
	turn(104);
	turn(130);
	assert_int_equal(told_count, 2);
	assert_int_equal(told[0].effect, TW_EFFECT_NO_DIFFERENCE);
	assert_int_equal(told[1].effect, TW_EFFECT_HELPED);
	turn(131);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(desires.rows[REUSE].subject.destination.port, 81);
	assert_false(alerts[A].actions[0].wanted);
	/* It went on for others: for this one there is no other try before its rest is over. */
	turn(700);
	assert_false(alerts[A].actions[0].wanted);
	end_alert(B);
	turn(701);
	assert_int_equal(wanted(REUSE), 0);
	assert_int_equal(told_count, 2);
}

static void test_no_cooldown(void **state TW_UNUSED)
{
	rules[0].cooldown_usec = 0;
	add_set(0, REUSE, 1);
	raise_alert(A);
	turn(100);
	look(A, 102, 0, 400);
	turn(130);
	assert_string_equal(told[0].advice, "it stays: the rule's cooldown is 0");
	turn(131);
	assert_int_equal(wanted(REUSE), 1);
	assert_int_equal(told_count, 1);
}

/* A rest is that of one value; and without proof there is none. */
static void test_rest_of_one_value(void **state TW_UNUSED)
{
	struct tw_action *action = add_set(0, BUCKETS, 70000);

	rules[0].gate = false;
	raise_alert(A);
	alerts[A].actions[0].proof = (struct tw_proof){
		.state = TW_PROOF_RESTING, .since_usec = 100 * S, .cooldown_usec = 600 * S, .value = { { 70000 } }
	};
	turn(101);
	assert_int_equal(wanted(BUCKETS), 0);
	action->value.numbers[0] = 80000;
	disobeys = true;
	turn(102);
	assert_int_equal(wanted(BUCKETS), 80000);
	action->value.numbers[0] = 70000;
	turn(103);
	assert_int_equal(wanted(BUCKETS), 0);
	rules[0].proof = false;
	turn(104);
	assert_int_equal(wanted(BUCKETS), 70000);
	/* What somebody else took over meanwhile passes. */
	rules[0].proof = true;
	in_force.rows[BUCKETS].yielded = true;
	turn(105);
	assert_int_equal(wanted(BUCKETS), 70000);
}

/* The world does not obey, or another value has won: nothing is in force for it, so nothing is proved. */
static void test_not_in_force(void **state TW_UNUSED)
{
	add_set(0, REUSE, 1);
	raise_alert(A);
	disobeys = true;
	turn(100);
	in_force.rows[REUSE].ours = true;
	in_force.rows[REUSE].value.numbers[0] = 2;
	turn(101);
	look(A, 102, 0, 400);
	turn(130);
	turn(131);
	assert_int_equal(alerts[A].actions[0].proof.state, TW_PROOF_IDLE);
	assert_int_equal(told_count, 0);
}

/* The whole of the ladder fails: it is put back, and is not climbed anew. */
static void test_ladder_that_fails(void **state TW_UNUSED)
{
	struct tw_count *overflow = &sample.gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW];
	unsigned failed_at = 0;

	rules[0].gate = false;
	add_step(0, 1020, 68000);
	overflow->known = true;
	sample.gauge.time_wait = 60000;
	alerts[A].state = TW_RULE_RISING;
	for (unsigned at = 90; at < 300; at++) {
		overflow->value += 50;
		turn(at);
		if (at == 99)
			raise_alert(A);
		if (told_count > 1 && failed_at == 0)
			failed_at = at;
		assert_true(failed_at == 0 || at == failed_at ? at < 100 || wanted(BUCKETS) > 65536
							      : wanted(BUCKETS) == 0);
	}
	assert_int_equal(told_count, 2);
	assert_int_equal(told[0].kind, TW_EVENT_REFUSED); /* at its limit */
	assert_int_equal(told[1].effect, TW_EFFECT_NO_DIFFERENCE);
	assert_int_equal(told[1].new.value.numbers[0], 68000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_helped, clear),
		cmocka_unit_test_setup(test_left_waiting_is_news, clear),
		cmocka_unit_test_setup(test_not_tested, clear),
		cmocka_unit_test_setup(test_no_difference, clear),
		cmocka_unit_test_setup(test_no_difference_for_one, clear),
		cmocka_unit_test_setup(test_no_cooldown, clear),
		cmocka_unit_test_setup(test_rest_of_one_value, clear),
		cmocka_unit_test_setup(test_not_in_force, clear),
		cmocka_unit_test_setup(test_ladder_that_fails, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
