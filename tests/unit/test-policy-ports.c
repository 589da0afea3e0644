/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy-fixture.h"

static void test_port_use(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	survey_one(stage, 1, 450, -1);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_RAISED);
	assert_true(stage->told.events[0].event.subject.has_destination);
	assert_int_equal(stage->told.events[0].event.subject.destination.port, 8080);
	assert_int_equal(stage->desires.rows[TW_TUNABLE_TW_REUSE].subject.destination.port, 8080);
	/* The level between the two neither clears it nor raises it again. */
	survey_one(stage, 2, 251, -1);
	assert_int_equal(stage->told.count, 1);
	survey_one(stage, 3, 250, -1);
	assert_int_equal(stage->told.count, 2);
	assert_int_equal(stage->told.events[1].kind, TW_EVENT_CLEARED);
	assert_true(stage->told.events[1].event.subject.has_destination);
	assert_false(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
}

/* While reuse is ours the ports are free because of it: it is needed as long as they would not be. */
static void test_demand_keeps_it_up(void **state)
{
	static const struct {
		uint32_t ports, young;
		bool raised;
	} rows[] = {
		{ 450, 0, true }, /* they wait still: put back, they would be blocked at once */
		{ 251, 0, true },
		{ 100, 21, true },  /* 21 * 12 looks: 252 */
		{ 100, 20, false }, /* 240 */
	};
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		memset(&stage->policy, 0, sizeof(stage->policy));
		stage->told.count = 0;
		set_reuse_ours(stage, false);
		survey_one(stage, 1, 450, -1);
		assert_true(tw_policy_is_raised(&stage->policy, 0));
		set_reuse_ours(stage, true);
		/* A whole TIME-WAIT of looks, so that the burst at the beginning is forgotten. */
		for (unsigned at = 6; at <= 6 + 12 * 5; at += 5) {
			begin_survey(stage, at);
			add_destination(stage, 8080, rows[i].ports, 10, rows[i].young);
			look(stage);
		}
		if (tw_policy_is_raised(&stage->policy, 0) != rows[i].raised)
			fail_msg("row %zu", i);
		assert_int_equal(told_of(stage, TW_EVENT_CLEARED), !rows[i].raised);
		assert_int_equal(told_of(stage, TW_EVENT_RAISED), 1);
		assert_int_equal(told_of(stage, TW_EVENT_REFUSED), 0);
	}
}

static struct tw_rule_settings *add_forecast_rule(struct tw_settings *settings)
{
	struct tw_rule_settings *rule = add_ports_rule(settings);

	rule->forecast_usec = 15 * S;
	return rule;
}

static void test_forecast(void **state)
{
	struct stage *stage = *state;

	add_set(add_forecast_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	survey_one(stage, 1, 300, 7900);
	assert_int_equal(stage->told.count, 0);
	survey_one(stage, 2, 380, 3900);
	assert_int_equal(stage->told.count, 1);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_RAISED);
	assert_true(stage->told.events[0].event.forecast);
	assert_string_equal(stage->told.events[0].event.reason, "all ports are in use in 3.9s at the present rate");
	assert_true(stage->desires.rows[TW_TUNABLE_TW_REUSE].wanted);
	assert_true(tw_policy_situation(&stage->policy, stage->settings, 0, &stage->sample).forecast);
}

/* The level itself needs no forecast, and is not told as one. */
static void test_level_before_forecast(void **state)
{
	struct stage *stage = *state;

	add_forecast_rule(stage->settings);
	survey_one(stage, 1, 450, 3900);
	assert_int_equal(stage->told.count, 1);
	assert_false(stage->told.events[0].event.forecast);
	assert_string_equal(stage->told.events[0].event.reason, "");
}

/* With a raise-for the forecast comes before its end, at a value that is no longer ahead of the level. */
static void test_forecast_before_hold(void **state)
{
	struct stage *stage = *state;

	add_forecast_rule(stage->settings)->raise_for_usec = 60 * S;
	survey_one(stage, 1, 450, 3900);
	assert_int_equal(stage->told.count, 1);
	assert_false(stage->told.events[0].event.forecast);
	assert_string_equal(stage->told.events[0].event.reason, "all ports are in use in 3.9s at the present rate");
}

/* Nothing grows: that is far away, not missing, so that the rule is neither frozen nor kept from clearing. */
static void test_port_eta_clears(void **state)
{
	struct stage *stage = *state;
	struct tw_rule_settings *rule = add_rule(stage->settings, "eta", TW_SEVERITY_WARNING);

	rule->metric = TW_METRIC_PORT_ETA;
	rule->raise_milli = 15000;
	rule->clear_milli = 60000;
	for (unsigned at = 1; at <= 3; at++)
		survey_one(stage, at, 0, -1);
	assert_int_equal(stage->told.count, 0);
	survey_one(stage, 4, 400, 15000);
	assert_int_equal(stage->told.count, 1);
	assert_int_equal(stage->told.events[0].kind, TW_EVENT_RAISED);
	assert_true(stage->told.events[0].event.subject.has_destination);
	survey_one(stage, 5, 400, -1);
	assert_int_equal(stage->told.count, 2);
	assert_int_equal(stage->told.events[1].kind, TW_EVENT_CLEARED);
}

/* ---- take-overs are looked for where somebody waits for them */

static uint16_t evidence(struct stage *stage)
{
	struct tw_destination key;

	return tw_policy_evidence(&stage->policy, stage->settings, &stage->sample, &key) ? key.port : 0;
}

/* The last survey looked at the sockets to this port, and at those of `from` before. */
static void seen(struct stage *stage, uint16_t port, usec_t from_usec)
{
	stage->sample.survey.takeovers = (struct tw_takeovers){ .from_usec = from_usec, .key.port = port };
}

static void test_evidence(void **state)
{
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	assert_int_equal(evidence(stage), 0);
	/* Before anything is raised the busiest, so that there is a look from before the change. */
	begin_survey(stage, 1);
	add_destination(stage, 8080, 300, 300, 0);
	add_destination(stage, 9090, 200, 200, 0);
	look(stage);
	assert_int_equal(evidence(stage), 8080);
	/* Of two that are about as busy the one of which there is one look already. */
	seen(stage, 9090, 0);
	assert_int_equal(evidence(stage), 9090);
	seen(stage, 9090, 1);
	assert_int_equal(evidence(stage), 8080);
	stage->sample.survey.partial = true;
	assert_int_equal(evidence(stage), 0);
	/* The one that is raised, though it is not the busiest any more. */
	survey_one(stage, 2, 500, -1);
	begin_survey(stage, 3);
	add_destination(stage, 9090, 440, 440, 0);
	add_destination(stage, 8080, 400, 400, 0);
	look(stage);
	assert_int_equal(evidence(stage), 8080);
	/* Nothing is looked for where nothing is done: no second one that reuse cannot help, no rule that only advises.
	 */
	begin_survey(stage, 4);
	add_destination(stage, 9090, 500, 500, 0);
	add_destination(stage, 8080, 400, 400, 0);
	stage->sample.survey.top[0].held[TW_HOLDER_ESTABLISHED] = 500;
	stage->sample.survey.top[0].held[TW_HOLDER_TIME_WAIT] = stage->sample.survey.top[0].time_wait = 0;
	look(stage);
	assert_int_equal(told_of(stage, TW_EVENT_RAISED), 2);
	seen(stage, 9090, 1);
	assert_int_equal(evidence(stage), 8080);
	stage->policy.advising = 1;
	assert_int_equal(evidence(stage), 9090); /* the busiest, as if nothing were raised */
	stage->policy.advising = 0;
	stage->settings->rules[0].proof = false;
	assert_int_equal(evidence(stage), 9090);
}

/* Two looks at each of those that wait, in turn, however long there is between two surveys. */
static void test_evidence_takes_turns(void **state)
{
	static const uint16_t ports[] = { 8080, 8080, 9090, 9090, 7070, 7070, 8080, 8080, 9090 };
	struct stage *stage = *state;

	add_set(add_ports_rule(stage->settings), TW_TUNABLE_TW_REUSE, 1);
	begin_survey(stage, 10);
	add_destination(stage, 8080, 500, 500, 0);
	add_destination(stage, 9090, 500, 500, 0);
	add_destination(stage, 7070, 500, 500, 0);
	look(stage);
	for (unsigned i = 0; i < TW_ARRAY_SIZE(ports); i++) {
		stage->sample.survey.at_usec += 20 * S;
		assert_int_equal(evidence(stage), ports[i]);
		seen(stage, ports[i], i % 2 == 0 ? 0 : stage->sample.survey.at_usec - 20 * S);
	}
	/* One that is looked at for the first time and is over then is nobody's turn. */
	seen(stage, 6060, 0);
	assert_int_equal(evidence(stage), 8080);
}

/* All that have an alert are to be told of, those that are raised first. */
static void test_watched(void **state)
{
	struct stage *stage = *state;
	struct tw_watched watched;

	add_ports_rule(stage->settings);
	strcpy(add_ports_rule(stage->settings)->name, "slow");
	stage->settings->rules[1].raise_milli = 20000;
	stage->settings->rules[1].clear_milli = 10000;
	stage->settings->rules[1].raise_for_usec = 60 * S;
	begin_survey(stage, 1);
	add_destination(stage, 7070, 300, 300, 0);
	add_destination(stage, 8080, 500, 500, 0);
	add_destination(stage, 9090, 100, 100, 0);
	look(stage);
	tw_policy_watched(&stage->policy, &watched);
	assert_int_equal(watched.count, 2);
	assert_int_equal(watched.keys[0].port, 8080);
	assert_int_equal(watched.keys[1].port, 7070);
	begin_survey(stage, 2);
	for (uint16_t i = 0; i < 40; i++)
		add_destination(stage, 9000 + i, 500, 500, 0);
	look(stage);
	tw_policy_watched(&stage->policy, &watched);
	assert_int_equal(watched.count, TW_WATCHED_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_port_use, begin, end),
		cmocka_unit_test_setup_teardown(test_demand_keeps_it_up, begin, end),
		cmocka_unit_test_setup_teardown(test_forecast, begin, end),
		cmocka_unit_test_setup_teardown(test_level_before_forecast, begin, end),
		cmocka_unit_test_setup_teardown(test_forecast_before_hold, begin, end),
		cmocka_unit_test_setup_teardown(test_port_eta_clears, begin, end),
		cmocka_unit_test_setup_teardown(test_evidence, begin, end),
		cmocka_unit_test_setup_teardown(test_evidence_takes_turns, begin, end),
		cmocka_unit_test_setup_teardown(test_watched, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
