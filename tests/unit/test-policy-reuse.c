/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alerts while tcp_tw_reuse is ours: raised for what it would come to without it. Apart from test-policy-subjects for
 * its length.
 */
#include "policy-fixture.h"

/*
 * While reuse is ours: a second destination that it helps is no matter for anybody on call, but it is told, and keeps
 * what it needs after the first one has ended.
 */
static void test_a_second_one_that_is_helped(void **state)
{
	struct stage *stage = *state;
	const struct tw_event *event;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	begin_survey(stage, 1);
	add_destination(stage, 8000, 500, 500, 0);
	look(stage);
	assert_int_equal(surely_told(stage, TW_EVENT_RAISED, 8000)->severity, TW_SEVERITY_WARNING);
	set_reuse_ours(stage, true);
	begin_survey(stage, 2);
	add_destination(stage, 8000, 500, 50, 0);
	add_destination(stage, 8001, 460, 40, 0);
	add_destination(stage, 8002, 449, 30, 0);
	look(stage);
	event = surely_told(stage, TW_EVENT_RAISED, 8001);
	assert_int_equal(event->severity, TW_SEVERITY_INFO);
	assert_int_equal(event->value.milli, 4000);
	assert_string_equal(event->reason, "net.ipv4.tcp_tw_reuse is in force; without that it would come to 46%");
	assert_null(told_about(stage, TW_EVENT_RAISED, 8002));
	assert_int_equal(told_of(stage, TW_EVENT_REFUSED), 0);
	begin_survey(stage, 3);
	add_destination(stage, 8001, 460, 40, 0);
	look(stage);
	assert_non_null(told_about(stage, TW_EVENT_CLEARED, 8000));
	assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	assert_int_equal(stage->desires.rows[TW_TUNABLE_TW_REUSE].subject.destination.port, 8001);
	/* One that it does not help is told as loud as ever. */
	begin_survey(stage, 4);
	add_destination(stage, 8001, 460, 40, 0);
	add_destination(stage, 8003, 570, 570, 0)->held[TW_HOLDER_ESTABLISHED] = 570;
	stage->sample.survey.top[1].held[TW_HOLDER_TIME_WAIT] = stage->sample.survey.top[1].time_wait = 0;
	look(stage);
	assert_int_equal(surely_told(stage, TW_EVENT_RAISED, 8003)->severity, TW_SEVERITY_WARNING);
	assert_string_equal(surely_told(stage, TW_EVENT_RAISED, 8003)->reason, "");
	assert_non_null(strstr(surely_told(stage, TW_EVENT_REFUSED, 8003)->reason, "ESTABLISHED"));
}

/* A pool of living connections, which no change of ours makes smaller. */
static void add_pool(struct stage *stage, uint32_t ports)
{
	struct tw_destination_row *row = add_destination(stage, 8000, ports, ports, 0);

	row->held[TW_HOLDER_ESTABLISHED] = ports;
	row->held[TW_HOLDER_TIME_WAIT] = row->time_wait = 0;
}

/* Up to half of the ports nobody waits for one: that is a notice, and no alarm before it is more. */
static void test_nobody_waits_yet(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	begin_survey(stage, 1);
	add_pool(stage, 470);
	look(stage);
	assert_int_equal(surely_told(stage, TW_EVENT_RAISED, 8000)->severity, TW_SEVERITY_NOTICE);
	assert_int_equal(surely_told(stage, TW_EVENT_REFUSED, 8000)->severity, TW_SEVERITY_NOTICE);
	begin_survey(stage, 2);
	add_pool(stage, 500);
	look(stage);
	assert_int_equal(told_of(stage, TW_EVENT_REMINDED), 0);
	begin_survey(stage, 3);
	add_pool(stage, 501);
	look(stage);
	assert_int_equal(surely_told(stage, TW_EVENT_REMINDED, 8000)->severity, TW_SEVERITY_WARNING);
	assert_int_equal(surely_told(stage, TW_EVENT_REFUSED, 8000)->severity, TW_SEVERITY_WARNING);
}

/* What is done in time is a notice too, and no more than that when it is over. */
static void test_ahead_of_the_level(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	stage->settings->rules[0].forecast_usec = 15 * S;
	stage->settings->rules[0].clear_for_usec = 60 * S;
	for (unsigned at = 1; at <= 2; at++) {
		begin_survey(stage, at);
		add_destination(stage, 8000, 300, 300, 0)->port_eta = tw_value_of(10000);
		look(stage);
	}
	assert_int_equal(surely_told(stage, TW_EVENT_RAISED, 8000)->severity, TW_SEVERITY_NOTICE);
	assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	begin_survey(stage, 3);
	look(stage);
	assert_int_equal(told_of(stage, TW_EVENT_REMINDED), 0);
	begin_survey(stage, 4);
	add_destination(stage, 8000, 450, 450, 0);
	look(stage);
	assert_int_equal(surely_told(stage, TW_EVENT_REMINDED, 8000)->severity, TW_SEVERITY_WARNING);
}

/* A rule that does nothing is there to tell. */
static void test_a_rule_that_only_tells(void **state)
{
	struct stage *stage = *state;

	(void)add_ports_rule(stage->settings);
	begin_survey(stage, 1);
	add_pool(stage, 470);
	look(stage);
	assert_int_equal(surely_told(stage, TW_EVENT_RAISED, 8000)->severity, TW_SEVERITY_WARNING);
}

/* What it helps already is told again, loudly, once it is over the level all the same; it was raised once. */
static void test_no_longer_helped(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	stage->settings->rules[0].remind_usec = 60 * S;
	set_reuse_ours(stage, true);
	for (unsigned at = 1; at < 200; at++) {
		begin_survey(stage, at);
		add_destination(stage, 8001, 460, at < 100 ? 40 : 460, 0);
		look(stage);
	}
	assert_int_equal(stage->told.count, 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct tw_event *event = &stage->told.events[i].event;

		assert_int_equal(stage->told.events[i].kind, i > 0 ? TW_EVENT_REMINDED : TW_EVENT_RAISED);
		assert_int_equal(event->severity, i < 2 ? TW_SEVERITY_INFO : TW_SEVERITY_WARNING);
		assert_int_equal(event->reason[0] != '\0', i == 0);
	}
}

/*
 * What was measured for some seconds alone says little of a minute: a burst that is over is no alert, while the same
 * that goes on is one as soon as what was seen would be over the level.
 */
static void test_what_is_expected_is_not_seen(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	set_reuse_ours(stage, true);
	begin_survey(stage, 5);
	add_destination(stage, 8001, 60, 5, 60);
	look(stage);
	assert_int_equal(stage->told.count, 0);
	assert_int_equal(tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample).state, TW_RULE_RISING);
	for (unsigned at = 10; at <= 60; at += 5) {
		begin_survey(stage, at);
		add_destination(stage, 8001, 60 * at / 5, 5, 60);
		look(stage);
		assert_int_equal(told_of(stage, TW_EVENT_RAISED), at >= 40);
	}
}

/* It is told loudly, too, when it is about to be over the level. */
static void test_no_longer_helped_soon(void **state)
{
	struct stage *stage = *state;

	add_ports_rule(stage->settings)->forecast_usec = 60 * S;
	set_reuse_ours(stage, true);
	for (unsigned at = 5; at <= 70; at += 5) {
		begin_survey(stage, at);
		add_destination(stage, 8001, 300, 250, 60)->port_eta =
			at == 70 ? tw_value_of(20000) : tw_value_unknown();
		look(stage);
	}
	assert_int_equal(stage->told.count, 2);
	assert_int_equal(surely_told(stage, TW_EVENT_RAISED, 8001)->severity, TW_SEVERITY_INFO);
	assert_int_equal(surely_told(stage, TW_EVENT_REMINDED, 8001)->severity, TW_SEVERITY_WARNING);
}

/*
 * A steady load of 4 a second beside 220 ports that are blocked for all: what reuse takes away does not make these the
 * most of it, so that it would be put back, and set again.
 */
static void test_who_answers_stays(void **state)
{
	struct stage *stage = *state;
	unsigned changes = 0;
	bool ours = false;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	stage->settings->rules[0].clear_for_usec = 60 * S;
	for (unsigned at = 5; at <= 900; at += 5) {
		uint32_t waiting = ours ? 60 : 240;
		struct tw_destination_row *row;

		begin_survey(stage, at);
		stage->sample.survey.exclusive_ports = 220;
		row = add_destination(stage, 8001, waiting, 220 + (ours ? 4 : waiting), 20);
		row->blocked_baseline = 220 + waiting;
		row->port_demand = tw_value_percent(220 + 240, 1000);
		look(stage);
		if (ours == stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted)
			continue;
		ours = !ours;
		changes++;
		set_reuse_ours(stage, ours);
	}
	assert_int_equal(changes, 1);
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), 0);
}

/* A rule over the time that is left judges no share of ports: what reuse does to these says nothing of it. */
static void test_time_left_while_reuse_is_ours(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_ports_rule(stage->settings);

	rule->metric = TW_METRIC_PORT_ETA;
	rule->raise_milli = 20000;
	rule->clear_milli = 60000;
	set_reuse_ours(stage, true);
	for (unsigned at = 5; at < 60; at += 5) {
		begin_survey(stage, at);
		add_destination(stage, 8001, 400, 40, 100)->port_eta = tw_value_of(90000);
		look(stage);
	}
	assert_int_equal(stage->told.count, 0);
	begin_survey(stage, 60);
	add_destination(stage, 8001, 400, 40, 100)->port_eta = tw_value_of(10000);
	look(stage);
	assert_int_equal(told_of(stage, TW_EVENT_RAISED), 1);
	assert_int_equal(stage->told.events[0].event.value.milli, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_second_one_that_is_helped, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_waits_yet, begin, end),
		cmocka_unit_test_setup_teardown(test_ahead_of_the_level, begin, end),
		cmocka_unit_test_setup_teardown(test_a_rule_that_only_tells, begin, end),
		cmocka_unit_test_setup_teardown(test_no_longer_helped, begin, end),
		cmocka_unit_test_setup_teardown(test_no_longer_helped_soon, begin, end),
		cmocka_unit_test_setup_teardown(test_who_answers_stays, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_expected_is_not_seen, begin, end),
		cmocka_unit_test_setup_teardown(test_time_left_while_reuse_is_ours, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
