/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each destination, listener, unit or binder that is over its level has an alert of its own. */
#include "policy-fixture.h"

#include <stdio.h>

/* A survey with these destinations, all of whose ports wait and are blocked; 0: it is not there. */
static void survey(struct stage *stage, unsigned at, const uint32_t ports[4])
{
	begin_survey(stage, at);
	for (uint16_t i = 0; i < 4; i++)
		if (ports[i] > 0)
			add_destination(stage, (uint16_t)(8000 + i), ports[i], ports[i], 0);
	look(stage);
}

/* Three of them, each raised at its time and cleared at its own; one that is gone from the survey is at 0. */
static void test_each_for_itself(void **state)
{
	static const struct {
		uint32_t ports[4];
		unsigned raised, cleared; /* bits: told by this survey */
		unsigned up;		  /* how many are up then */
	} rows[] = {
		{ { 500, 300, 0, 0 }, 1, 0, 1 },
		{ { 500, 450, 0, 0 }, 2, 0, 2 }, /* a second one is not silent because the first is known */
		{ { 500, 450, 900, 0 }, 4, 0, 3 },
		{ { 300, 900, 900, 449 }, 0, 0, 3 },
		{ { 100, 900, 300, 0 }, 0, 1, 2 },
		{ { 500, 900, 300, 0 }, 1, 0, 3 }, /* anew */
		{ { 500, 0, 300, 0 }, 0, 2, 2 },
		{ { 0, 0, 0, 0 }, 0, 5, 0 },
	};
	struct stage *stage = *state;

	add_ports_rule(stage->settings);
	for (unsigned i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		unsigned up = 0;

		stage->told.count = 0;
		survey(stage, i + 1, rows[i].ports);
		for (uint16_t k = 0; k < 4; k++) {
			const struct tw_event *raised = told_about(stage, TW_EVENT_RAISED, (uint16_t)(8000 + k));
			bool cleared = told_about(stage, TW_EVENT_CLEARED, (uint16_t)(8000 + k));

			if (!raised != !(rows[i].raised >> k & 1) || cleared != (rows[i].cleared >> k & 1))
				fail_msg("survey %u, destination %u", i, k);
			if (raised)
				assert_int_equal(raised->value.milli, rows[i].ports[k] * 100);
		}
		for (unsigned k = 0; k < stage->policy.alert_count; k++)
			up += tw_alert_active(&stage->policy.alerts[k]);
		assert_int_equal(up, rows[i].up);
		assert_int_equal(tw_policy_is_raised(&stage->policy, 0), rows[i].up > 0);
		assert_int_equal(tw_policy_raised(&stage->policy, stage->settings), rows[i].up > 0);
	}
	assert_int_equal(stage->policy.alert_count, 0);
	assert_true(tw_policy_rests(&stage->policy));
}

/* How the rule stands is its worst one: what is raised before what rises, then the higher value. */
static void test_the_worst_stands_for_the_rule(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_situation now;

	add_ports_rule(stage->settings);
	survey(stage, 1, (const uint32_t[4]){ 500, 600, 0, 0 });
	stage->settings->rules[0].raise_for_usec = 60 * S;
	survey(stage, 2, (const uint32_t[4]){ 550, 520, 900, 0 });
	now = tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample);
	assert_int_equal(now.state, TW_RULE_RAISED);
	assert_int_equal(now.subject.destination.port, 8000);
	assert_int_equal(now.value.milli, 55000);
	assert_int_equal(now.since_usec, 1 * S);
	survey(stage, 3, (const uint32_t[4]){ 0, 0, 900, 460 });
	now = tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample);
	assert_int_equal(now.state, TW_RULE_RISING);
	assert_int_equal(now.subject.destination.port, 8002);
	assert_int_equal(now.since_usec, 2 * S);
	assert_false(tw_policy_rests(&stage->policy));
	survey(stage, 4, (const uint32_t[4]){ 10, 0, 20, 0 });
	now = tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample);
	assert_int_equal(now.state, TW_RULE_NORMAL);
	assert_false(now.subject.has_destination);
	assert_int_equal(now.value.milli, 2000);
	assert_int_equal(now.since_usec, 4 * S);
}

/* A survey with `count` destinations, each with as many blocked ports. */
static void survey_many(struct stage *stage, unsigned at, unsigned count, uint32_t ports)
{
	begin_survey(stage, at);
	for (unsigned i = 0; i < count; i++)
		add_destination(stage, (uint16_t)(9000 + i), ports, ports, 0);
	look(stage);
}

/* Beyond sixteen one line tells how many more there are. */
static void test_more_than_sixteen(void **state)
{
	struct stage *stage = *state;

	add_ports_rule(stage->settings);
	survey_many(stage, 1, 19, 500);
	assert_int_equal(told_of(stage, TW_EVENT_RAISED), TW_ALERTS_PER_RULE + 1);
	for (unsigned i = 0; i < TW_ALERTS_PER_RULE; i++) {
		assert_false(stage->told.events[i].event.more);
		assert_int_equal(stage->told.events[i].event.subject.destination.port, 9000 + i);
	}
	assert_true(stage->told.events[TW_ALERTS_PER_RULE].event.more);
	assert_true(stage->told.events[TW_ALERTS_PER_RULE].event.has_count);
	assert_int_equal(stage->told.events[TW_ALERTS_PER_RULE].event.count, 3);
	/* Told once, whatever their number. */
	survey_many(stage, 2, 25, 500);
	survey_many(stage, 3, 18, 500);
	assert_int_equal(stage->told.count, TW_ALERTS_PER_RULE + 1);
	/* They are all over. */
	stage->told.count = 0;
	survey_many(stage, 4, 0, 0);
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), TW_ALERTS_PER_RULE);
	assert_int_equal(stage->told.count, TW_ALERTS_PER_RULE);
	survey_many(stage, 5, 17, 500);
	assert_int_equal(told_of(stage, TW_EVENT_RAISED), TW_ALERTS_PER_RULE + 1);
}

/* A place that is free is for the next one: it is no longer one of many. */
static void test_a_place_is_taken(void **state)
{
	struct stage *stage = *state;

	add_ports_rule(stage->settings);
	survey_many(stage, 1, 17, 500);
	begin_survey(stage, 2);
	for (unsigned i = 1; i < 17; i++)
		add_destination(stage, (uint16_t)(9000 + i), 500, 500, 0);
	look(stage);
	assert_non_null(told_about(stage, TW_EVENT_CLEARED, 9000));
	stage->sample.survey.at_usec = 3 * S;
	look(stage);
	assert_non_null(told_about(stage, TW_EVENT_RAISED, 9016));
}

/*
 * Those that only rise were told to nobody: how many more there are is not told before its hold is over, and a worse
 * one that comes late takes the place of one of them.
 */
static void test_more_is_held_too(void **state)
{
	static const struct {
		unsigned at, told;
	} rows[] = { { 5, 0 }, { 10, 0 }, { 11, 15 }, { 14, 15 }, { 15, 17 }, { 16, 17 } };
	struct stage *stage = *state;

	add_ports_rule(stage->settings)->raise_for_usec = 10 * S;
	survey_many(stage, 1, 16, 500);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		begin_survey(stage, rows[i].at);
		for (uint16_t k = 0; k < 16; k++)
			add_destination(stage, (uint16_t)(9000 + k), 500, 500, 0);
		add_destination(stage, 7000, 900, 900, 0);
		look(stage);
		if (told_of(stage, TW_EVENT_RAISED) != rows[i].told)
			fail_msg("survey %zu: %u", i, told_of(stage, TW_EVENT_RAISED));
		assert_int_equal(stage->policy.alert_count, TW_ALERTS_PER_RULE + 1);
		assert_int_equal(!told_about(stage, TW_EVENT_RAISED, 7000), rows[i].at < 15);
	}
	assert_true(stage->told.events[16].event.more);
	assert_int_equal(stage->told.events[16].event.count, 1);
}

/* One look of a census proves nothing, of those without a place neither. */
static void test_more_needs_two_looks(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_rule(stage->settings, "queue", TW_SEVERITY_WARNING);
	struct tw_accepting *accepting = &stage->sample.accepting;
	unsigned cleared = 0;

	rule->metric = TW_METRIC_ACCEPT_QUEUE;
	rule->raise_milli = 80000;
	rule->clear_milli = 30000;
	rule->clear_for_usec = 10 * S;
	for (unsigned at = 1; at <= 40; at++) {
		unsigned raised = at == 4 || at == 21 ? 17 : 0;
		bool full = at == 1 || at == 3 || at == 4 || at == 6 || at == 20 || at == 21;

		accepting->at_usec = at * S;
		accepting->listeners = accepting->row_count = 20;
		for (uint16_t i = 0; i < 20; i++)
			accepting->rows[i] = (struct tw_listener_row){ .address.port = (uint16_t)(80 + i),
								       .queue = full ? 10 : 0,
								       .backlog = 10 };
		step(stage, at, 0);
		/* It stands until it has been over for as long as an alert has to. */
		if (told_of(stage, TW_EVENT_RAISED) != raised)
			fail_msg("at %u: %u", at, told_of(stage, TW_EVENT_RAISED));
		if (raised > 0)
			assert_int_equal(stage->told.events[16].event.count, 4);
		cleared += told_of(stage, TW_EVENT_CLEARED);
		stage->told.count = 0;
	}
	assert_int_equal(cleared, 32);
}

/* What makes no value of a metric is told once a rule, however many alerts it has; they stay as they are. */
static void test_frozen_once(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	add_ports_rule(stage->settings);
	strcpy(stage->settings->rules[1].name, "second");
	survey(stage, 1, (const uint32_t[4]){ 500, 600, 700, 0 });
	stage->told.count = 0;
	for (unsigned at = 2; at < 6; at++) {
		stage->sample.survey.at_usec = at * S;
		stage->sample.survey.partial = true;
		look(stage);
		assert_int_equal(stage->told.count, at < 3 ? 0 : 2);
		assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
		assert_false(tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample).value.known);
	}
	assert_int_equal(stage->told.count, 2);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_PARTIAL);
	assert_string_equal(stage->told.events[0].rule, "ports");
	assert_string_equal(stage->told.events[1].rule, "second");
	survey(stage, 6, (const uint32_t[4]){ 500, 600, 700, 0 });
	assert_int_equal(stage->told.count, 2);
	/* It is told again when it is missing again. */
	for (unsigned at = 7; at < 9; at++) {
		stage->sample.survey.at_usec = at * S;
		stage->sample.survey.partial = true;
		look(stage);
	}
	assert_int_equal(stage->told.count, 4);
}

/* What is blocked for all is one alert, of who holds it. */
static void test_a_binder(void **state)
{
	struct stage *stage = *state;
	const struct tw_event *event = &stage->told.events[0].event;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	begin_survey(stage, 1);
	stage->sample.survey.exclusive_ports = stage->sample.survey.bound_first_ports = 700;
	stage->sample.survey.binder_count = 1;
	stage->sample.survey.binders[0] = (struct tw_binder_row){ .source.bytes = { [15] = 7 }, .ports = 700 };
	for (uint16_t i = 0; i < 10; i++)
		add_destination(stage, (uint16_t)(8000 + i), 20, 720, 0);
	look(stage);
	assert_int_equal(told_of(stage, TW_EVENT_RAISED), 1);
	assert_true(event->subject.has_binder && event->subject.binder.bytes[15] == 7);
	assert_int_equal(event->value.milli, 72000);
	assert_int_equal(told_of(stage, TW_EVENT_REFUSED), 1);
	assert_non_null(strstr(stage->told.events[1].event.reason, "bind() before connect()"));
	assert_false(stage->desires.any);
}

/* Who had bound first is not gone because parity tells nothing any more. */
static void test_a_binder_that_hides(void **state)
{
	struct stage *stage = *state;

	add_ports_rule(stage->settings)->clear_for_usec = 0;
	begin_survey(stage, 1);
	stage->sample.survey.exclusive_ports = stage->sample.survey.bound_first_ports = 700;
	stage->sample.survey.binder_count = 1;
	stage->sample.survey.binders[0] = (struct tw_binder_row){ .source.bytes = { [15] = 7 }, .ports = 700 };
	look(stage);
	assert_int_equal(told_of(stage, TW_EVENT_RAISED), 1);
	for (unsigned second = 2; second < 5; second++) {
		begin_survey(stage, second);
		stage->sample.survey.unclear_ports = 700;
		look(stage);
		assert_int_equal(told_of(stage, TW_EVENT_CLEARED), 0);
	}
	/* Were all of these bound first, it would be over all the same. */
	begin_survey(stage, 5);
	stage->sample.survey.exclusive_ports = 100;
	stage->sample.survey.unclear_ports = 150;
	look(stage);
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), 1);
}

/* An order to end sockets is one a rule, in the name of its worst alert. */
static void test_one_order_for_all(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_ports_rule(stage->settings);

	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_DESTROY,
		.destroy = { .state = TW_STATE_TIME_WAIT, .older_than_usec = 30 * S },
	};
	survey(stage, 1, (const uint32_t[4]){ 500, 600, 460, 0 });
	assert_int_equal(stage->kills.count, 1);
	assert_int_equal(stage->kills.rows[0].subject.destination.port, 8001);
	survey(stage, 2, (const uint32_t[4]){ 0, 0, 0, 0 });
	assert_int_equal(stage->kills.count, 0);
}

/* A reload takes every alert along by the name of its rule; who was told is not told again. */
static void test_reload_keeps_them(void **state)
{
	struct stage *stage = *state;
	struct tw_scene scene;
	TW_CLEANUP_SETTINGS struct tw_settings *next = tw_settings_new_empty();

	add_ports_rule(stage->settings);
	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	strcpy(stage->settings->rules[0].name, "goes");
	strcpy(stage->settings->rules[1].name, "stays");
	survey(stage, 1, (const uint32_t[4]){ 500, 600, 0, 0 });
	assert_int_equal(told_of(stage, TW_EVENT_RAISED), 4);
	set_reuse_ours(stage, true);
	stage->told.count = 0;
	add_rule(next, "new", TW_SEVERITY_WARNING);
	add_set(add_ports_rule(next), TW_TUNABLE_TW_REUSE, 1);
	strcpy(next->rules[1].name, "stays");
	rebase(stage, next, 2);
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), 2);
	assert_int_equal(stage->told.count, 2);
	assert_string_equal(stage->told.events[0].rule, "goes");
	assert_true(told_about(stage, TW_EVENT_CLEARED, 8000) && told_about(stage, TW_EVENT_CLEARED, 8001));
	tw_settings_free(stage->settings);
	stage->settings = TW_TAKE_PTR(next);
	stage->told.count = 0;
	survey(stage, 3, (const uint32_t[4]){ 500, 600, 700, 0 });
	assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	assert_int_equal(stage->told.count, 1);
	assert_non_null(told_about(stage, TW_EVENT_RAISED, 8002));
	survey(stage, 4, (const uint32_t[4]){ 0, 0, 0, 0 });
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), 3);
	/* Nobody watches here any more: there is none left to be told of. */
	survey(stage, 5, (const uint32_t[4]){ 500, 600, 0, 0 });
	stage->told.count = 0;
	scene = scene_at(stage, 6 * S);
	tw_policy_leave(&stage->policy, &scene, "it is gone");
	assert_int_equal(told_of(stage, TW_EVENT_CLEARED), 2);
	assert_string_equal(stage->told.events[1].event.reason, "it is gone");
	assert_int_equal(stage->policy.alert_count, 0);
}

static void ignore(struct tw_recorder *recorder TW_UNUSED, const char *namespace TW_UNUSED,
		   const struct tw_event *event TW_UNUSED)
{
}

/* A rule has a place even when others have all theirs. */
static void test_every_rule_has_a_place(void **state)
{
	struct stage *stage = *state;

	for (unsigned i = 0; i < 20; i++)
		(void)snprintf(add_ports_rule(stage->settings)->name, TW_RULE_NAME_MAX, "r%u", i);
	stage->told.count = 0;
	begin_survey(stage, 1);
	for (unsigned i = 0; i < 20; i++)
		add_destination(stage, (uint16_t)(9000 + i), 500, 500, 0);
	stage->told.base.tell = ignore;
	look(stage);
	assert_true(stage->policy.alert_count <= TW_ALERTS_MAX);
	for (unsigned i = 0; i < 20; i++)
		assert_true(tw_policy_is_raised(&stage->policy, i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_for_itself, begin, end),
		cmocka_unit_test_setup_teardown(test_the_worst_stands_for_the_rule, begin, end),
		cmocka_unit_test_setup_teardown(test_more_than_sixteen, begin, end),
		cmocka_unit_test_setup_teardown(test_a_place_is_taken, begin, end),
		cmocka_unit_test_setup_teardown(test_more_is_held_too, begin, end),
		cmocka_unit_test_setup_teardown(test_more_needs_two_looks, begin, end),
		cmocka_unit_test_setup_teardown(test_frozen_once, begin, end),
		cmocka_unit_test_setup_teardown(test_a_binder, begin, end),
		cmocka_unit_test_setup_teardown(test_a_binder_that_hides, begin, end),
		cmocka_unit_test_setup_teardown(test_one_order_for_all, begin, end),
		cmocka_unit_test_setup_teardown(test_reload_keeps_them, begin, end),
		cmocka_unit_test_setup_teardown(test_every_rule_has_a_place, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
