/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alerts beyond those that a rule tells one by one. Apart from test-policy-subjects for its length. */
#include "policy-fixture.h"

/* Holds its ports with living connections: reuse would not help it. */
static struct tw_destination_row *add_held(struct stage *stage, uint16_t port, uint32_t ports)
{
	struct tw_destination_row *row = add_destination(stage, port, ports, ports, 0);

	row->held[TW_HOLDER_ESTABLISHED] = ports;
	row->held[TW_HOLDER_TIME_WAIT] = row->time_wait = 0;
	return row;
}

/* Destinations from 9000 + `from` up to 9000 + `to`, that one left out. */
static void survey_held(struct stage *stage, unsigned at, unsigned from, unsigned to, uint32_t ports)
{
	begin_survey(stage, at);
	for (unsigned i = from; i < to; i++)
		add_held(stage, (uint16_t)(9000 + i), ports);
	look(stage);
}

/* The seventeenth alone is one that reuse helps: it is wanted for it, and then it is told, too. */
static void test_all_count_for_what_is_wanted(void **state)
{
	struct stage *stage = *state;
	const struct tw_desire *desire = &stage->desires.rows[TW_TUNABLE_TW_REUSE];

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	for (unsigned at = 1; at <= 3; at++) {
		begin_survey(stage, at);
		for (uint16_t i = 0; i < 40; i++) {
			if (i == 20 || i == 30)
				add_destination(stage, (uint16_t)(9000 + i), 900 - i, 900 - i, 0);
			else
				add_held(stage, (uint16_t)(9000 + i), 900 - i);
		}
		look(stage);
		assert_true(desire->wanted);
		assert_int_equal(desire->subject.destination.port, 9020);
		assert_int_equal(told_of(stage, TW_EVENT_RAISED), TW_ALERTS_PER_RULE + 2);
		assert_int_equal(told_of(stage, TW_EVENT_REFUSED), TW_ALERTS_PER_RULE);
		assert_non_null(told_about(stage, TW_EVENT_RAISED, 9020));
		assert_null(told_about(stage, TW_EVENT_RAISED, 9030));
	}
	/* It is not one of so many more. */
	assert_true(stage->told.events[stage->told.count - 1].event.more);
	assert_int_equal(stage->told.events[stage->told.count - 1].event.count, 40 - TW_ALERTS_PER_RULE - 1);
	/* Who goes on wanting it is told when the first one is gone. */
	begin_survey(stage, 4);
	add_destination(stage, 9030, 870, 870, 0);
	add_destination(stage, 9031, 869, 869, 0);
	look(stage);
	assert_true(desire->wanted);
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), TW_ALERTS_PER_RULE + 1);
	assert_non_null(told_about(stage, TW_EVENT_RAISED, 9030));
	for (unsigned at = 5; at < 7; at++) {
		begin_survey(stage, at);
		look(stage);
	}
	assert_false(desire->wanted);
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), told_of(stage, TW_EVENT_RAISED) - 1);
	assert_int_equal(stage->policy.alert_count, 0);
}

/* Who is told late is told with all that it would have said: why the rule's remedy does not help it. */
static void test_the_next_one_says_all(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	survey_held(stage, 1, 0, 17, 500);
	assert_null(told_about(stage, TW_EVENT_REFUSED, 9016));
	survey_held(stage, 2, 1, 17, 500);
	survey_held(stage, 3, 1, 17, 500);
	assert_non_null(told_about(stage, TW_EVENT_RAISED, 9016));
	assert_non_null(told_about(stage, TW_EVENT_REFUSED, 9016));
	assert_int_equal(told_of(stage, TW_EVENT_REFUSED), 17);
}

/* Those that are over and only remember what made no difference are in nobody's way. */
static void test_who_rests_makes_room(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	survey_held(stage, 1, 0, 17, 500);
	for (unsigned i = 0; i < TW_ALERTS_PER_RULE; i++)
		stage->policy.alerts[i].actions[0].proof = (struct tw_proof){
			.state = TW_PROOF_RESTING,
			.since_usec = S,
			.cooldown_usec = 600 * S,
			.value.numbers[0] = 1,
		};
	for (unsigned at = 2; at < 5; at++)
		survey_held(stage, at, 16, 17, 500);
	assert_int_equal(stage->policy.alert_count, TW_ALERTS_PER_RULE + 1);
	assert_non_null(told_about(stage, TW_EVENT_RAISED, 9016));
}

/* What is nearly over is not told late. */
static void test_what_clears_stays_quiet(void **state)
{
	struct stage *stage = *state;

	add_ports_rule(stage->settings)->clear_for_usec = 10 * S;
	survey_held(stage, 1, 0, 17, 500);
	survey_held(stage, 2, 16, 17, 500);
	for (unsigned at = 12; at < 30; at++)
		survey_held(stage, at, 16, 17, 100);
	assert_null(told_about(stage, TW_EVENT_RAISED, 9016));
	assert_null(told_about(stage, TW_EVENT_CLEARED, 9016));
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), TW_ALERTS_PER_RULE);
	assert_int_equal(stage->policy.alert_count, 0);
}

/* A forecast that is long past is no reason to give. */
static void test_no_stale_grounds(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_ports_rule(stage->settings);

	rule->forecast_usec = 60 * S;
	rule->raise_for_usec = 600 * S;
	for (unsigned at = 1; at < 3; at++) {
		begin_survey(stage, at);
		for (uint16_t i = 0; i < 17; i++)
			add_held(stage, (uint16_t)(9000 + i), 300)->port_eta = tw_value_of(20000);
		look(stage);
	}
	assert_string_equal(stage->told.events[0].event.reason, "all ports are in use in 20s at the present rate");
	survey_held(stage, 3, 1, 17, 300);
	survey_held(stage, 4, 1, 17, 300);
	assert_string_equal(surely_told(stage, TW_EVENT_RAISED, 9016)->reason, "");
	assert_false(surely_told(stage, TW_EVENT_RAISED, 9016)->forecast);
}

/* What is one a rule is done in the name of the worst: that one is told, whatever its number. */
static void test_the_worst_is_told(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_ports_rule(stage->settings);

	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_DESTROY,
		.destroy = { .state = TW_STATE_TIME_WAIT, .older_than_usec = 30 * S },
	};
	for (unsigned at = 1; at < 3; at++) {
		begin_survey(stage, at);
		for (uint16_t i = 0; i < 18; i++)
			add_held(stage, (uint16_t)(9000 + i), at == 2 && i == 17 ? 900 : 500);
		look(stage);
	}
	assert_int_equal(stage->kills.count, 1);
	assert_int_equal(stage->kills.rows[0].subject.destination.port, 9017);
	assert_non_null(told_about(stage, TW_EVENT_RAISED, 9017));
	assert_null(told_about(stage, TW_EVENT_RAISED, 9016));
}

/* How many more there are counts nobody whom what is in force helps, or may well help. */
static void test_more_are_those_that_matter(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	set_reuse_ours(stage, true);
	for (unsigned at = 5; at <= 60; at += 5) {
		begin_survey(stage, at);
		for (uint16_t i = 0; i < 20; i++)
			add_destination(stage, (uint16_t)(9000 + i), 300, 20, 60);
		look(stage);
	}
	assert_int_equal(told_of(stage, TW_EVENT_RAISED), TW_ALERTS_PER_RULE);
	for (unsigned i = 0; i < stage->told.count; i++) {
		assert_false(stage->told.events[i].event.more);
		assert_int_equal(stage->told.events[i].event.severity, TW_SEVERITY_INFO);
	}
}

/* Under another name those are told again that were told: in the same voice, and no quiet one. */
static void test_renamed(void **state)
{
	struct stage *stage = *state;
	TW_CLEANUP_SETTINGS struct tw_settings *next = tw_settings_new_empty();
	unsigned info = 0;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	add_set(add_ports_rule(next), TW_TUNABLE_TW_REUSE, 1);
	strcpy(next->rules[0].name, "renamed");
	set_reuse_ours(stage, true);
	for (unsigned at = 5; at <= 60; at += 5) {
		begin_survey(stage, at);
		for (uint16_t i = 0; i < 20; i++)
			add_destination(stage, (uint16_t)(9000 + i), i == 0 ? 600 : 300, i == 0 ? 600 : 20, 60);
		look(stage);
	}
	stage->told.count = 0;
	rebase(stage, next, 70);
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), TW_ALERTS_PER_RULE);
	assert_int_equal(told_of(stage, TW_EVENT_RAISED), TW_ALERTS_PER_RULE);
	for (unsigned i = 0; i < stage->told.count; i++)
		info += stage->told.events[i].kind == TW_EVENT_RAISED &&
			stage->told.events[i].event.severity == TW_SEVERITY_INFO;
	assert_int_equal(info, TW_ALERTS_PER_RULE - 1);
	tw_settings_free(stage->settings);
	stage->settings = TW_TAKE_PTR(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_count_for_what_is_wanted, begin, end),
		cmocka_unit_test_setup_teardown(test_the_next_one_says_all, begin, end),
		cmocka_unit_test_setup_teardown(test_who_rests_makes_room, begin, end),
		cmocka_unit_test_setup_teardown(test_what_clears_stays_quiet, begin, end),
		cmocka_unit_test_setup_teardown(test_no_stale_grounds, begin, end),
		cmocka_unit_test_setup_teardown(test_the_worst_is_told, begin, end),
		cmocka_unit_test_setup_teardown(test_more_are_those_that_matter, begin, end),
		cmocka_unit_test_setup_teardown(test_renamed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
