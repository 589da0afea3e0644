/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-rule.h"

#include "explain-fixture.h"

/* The shipped rule for ports: over at 45%. */
static void test_standing(TW_UNUSED void **state)
{
	static const struct {
		unsigned ports;
		enum tw_standing standing;
	} rows[] = {
		{ 0, TW_STANDING_WELL },
		{ 12704, TW_STANDING_WELL }, /* of 28232 */
		{ 12705, TW_STANDING_OVER },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		tw_fake_source_clear(&fake);
		if (rows[i].ports > 0)
			tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 1, 443, 33000, rows[i].ports, 1000);
		look();
		if (tw_explain_rule_standing(&settings->rules[0], &sample) != rows[i].standing)
			fail_msg("%u ports", rows[i].ports);
	}
	sample.survey.partial = true;
	assert_int_equal(tw_explain_rule_standing(&settings->rules[0], &sample), TW_STANDING_UNKNOWN);
}

static void test_downward(TW_UNUSED void **state)
{
	struct tw_rule_settings *rule = &settings->rules[0];

	rule->metric = TW_METRIC_OF_STATE(TW_STATE_LISTEN);
	rule->raise_milli = 0;
	rule->clear_milli = 1000;
	rule->forecast_usec = 0;
	look();
	assert_int_equal(tw_explain_rule_standing(rule, &sample), TW_STANDING_OVER);
	tw_fake_source_add_listener(&fake, 80);
	look();
	assert_int_equal(tw_explain_rule_standing(rule, &sample), TW_STANDING_WELL);
}

static void test_levels(TW_UNUSED void **state)
{
	look();
	tw_explain_rule_say(&page, &settings->rules[0], &sample);
	has("Rule: port-exhaustion (warning) watches port-use: raised at 45%, cleared at 25% held for 1min. It reads "
	    "0% "
	    "here now, which is well.");
	tw_explain_rule_say(&page, &settings->rules[2], &sample);
	has("close-wait-leak (error) watches close-wait-aged older than 1min: raised at 100 held for 30s, cleared at "
	    "20");
}

static void set_action(struct tw_rule_settings *rule, const struct tw_action *action)
{
	rule->action_count = 1;
	rule->actions[0] = *action;
}

static void say_actions(const struct tw_action *action)
{
	tw_page_init(&page, page_bytes, sizeof(page_bytes));
	set_action(&settings->rules[0], action);
	tw_explain_rule_say_actions(&page, &settings->rules[0], &sample);
}

static void test_actions(TW_UNUSED void **state)
{
	static const struct tw_action reuse = { .kind = TW_ACTION_SET,
						.tunable = TW_TUNABLE_TW_REUSE,
						.value = { { 1 } } };
	static const struct tw_action recycle = { .kind = TW_ACTION_SET,
						  .tunable = TW_TUNABLE_TW_RECYCLE,
						  .value = { { 1 } } };
	static const struct tw_action step = { .kind = TW_ACTION_STEP,
					       .tunable = TW_TUNABLE_KEEPALIVE_TIME,
					       .step = { .by = -60, .limit = 600 } };
	static const struct tw_action destroy = {
		.kind = TW_ACTION_DESTROY,
		.destroy = { .state = TW_STATE_CLOSE_WAIT,
			     .older_than_usec = 10 * TW_USEC_PER_MINUTE,
			     .max_per_second = 100 },
	};

	look();
	say_actions(&reuse);
	has("The rule's own remedy cannot help now: no destination is short of ports");
	has("Instead: no sysctl is needed");
	settings->rules[0].gate = false;
	say_actions(&reuse);
	has("The rule's own remedy: net.ipv4.tcp_tw_reuse=1, for letting outgoing connections");
	has_not("cannot help");
	say_actions(&recycle);
	has("net.ipv4.tcp_tw_recycle, which is not there.");
	fake.gauge.sysctls[TW_TUNABLE_KEEPALIVE_TIME] = (struct tw_live_value){ { { 7200 } }, true };
	look();
	say_actions(&step);
	has("net.ipv4.tcp_keepalive_time, step by step up to 600");
	say_actions(&destroy);
	has("to end sockets that are in CLOSE-WAIT for more than 10min, at most 100 a second. That frees the kernel's "
	    "half");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_standing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_downward, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_actions, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
