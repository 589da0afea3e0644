/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "decide/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC

/* Large: not for the stack of each test. */
static struct tw_sample sample;
static struct tw_policy policy;
static struct tw_settings *settings;

static int begin(TW_UNUSED void **state)
{
	memset(&sample, 0, sizeof(sample));
	memset(&policy, 0, sizeof(policy));
	settings = tw_settings_new_empty();
	return settings ? 0 : -1;
}

static int end(TW_UNUSED void **state)
{
	settings = tw_settings_free(settings);
	return 0;
}

/* Over port-use, raised from 45 % on, or when all ports are in use within 15 s. */
static struct tw_rule_settings *add_rule(void)
{
	struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

	tw_rule_settings_init(rule);
	rule->metric = TW_METRIC_PORT_USE;
	rule->raise_milli = 45000;
	rule->clear_milli = 20000;
	rule->forecast_usec = 15 * S;
	return rule;
}

static void set_survey(void)
{
	sample.survey = (struct tw_survey){
		.at_usec = S,
		.usable = 1000,
		.reuse_delay_ms = 1000,
		.has_busiest = true,
		.top_count = 1,
		.port_use = tw_value_of(0),
		.port_demand = tw_value_of(0),
	};
	sample.census.at_usec = S;
}

/* Sockets in two gauges a second apart, and half a second apart: what the growth says of 1000 ports. */
static void test_growth(TW_UNUSED void **state)
{
	static const struct {
		usec_t apart;
		uint64_t before, now;
		bool survey; /* wanted: from 225 sockets on, and 1000 within 15 s */
		bool hurries;
	} rows[] = {
		{ S, 225, 225, false, false },	 { S, 180, 224, false, false }, /* 224 + 44 * 15 = 884 */
		{ S, 172, 224, false, true },  /* 224 + 52 * 15 = 1004, but less than half of the level */
		{ S, 174, 225, false, false }, /* 225 + 51 * 15 = 990 */
		{ S, 173, 225, true, true },   /* 225 + 52 * 15 = 1005 */
		{ S / 2, 199, 225, true, true }, { S / 2, 200, 225, false, false },
		{ S, 0, 70, false, true },				       /* 70 + 70 * 15 = 1120 */
		{ S, 450, 449, false, false },	 { S, 450, 450, true, false }, /* the level, without any growth */
		{ 0, 0, 300, false, false },	 { S, 0, UINT64_MAX / 2, true, true },
	};

	add_rule();
	add_rule()->forecast_usec = 0;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		set_survey();
		sample.peak.at_usec = 10 * S;
		sample.gauge.at_usec = 10 * S + rows[i].apart;
		sample.peak.sockets = rows[i].before;
		sample.gauge.time_wait = rows[i].now;
		sample.survey.top[0].ports = UINT32_MAX;
		assert_int_equal(tw_policy_survey_need(&policy, settings, &sample).survey, rows[i].survey);
		assert_int_equal(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)), rows[i].hurries);
	}
	/* Without an earlier gauge there is no growth, without a forecast nothing to hurry for. */
	assert_true(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)));
	sample.peak.at_usec = 0;
	assert_false(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)));
	sample.peak.at_usec = 10 * S;
	settings->rules[0].forecast_usec = 0;
	assert_false(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)));
}

static bool asks_with(uint32_t held, uint32_t unclear)
{
	set_survey();
	sample.survey.top[0].ports = held;
	sample.survey.unclear_ports = unclear;
	sample.peak = (struct tw_tally){ .at_usec = 10 * S, .sockets = held };
	sample.gauge.at_usec = 11 * S;
	sample.gauge.time_wait = held;
	return tw_policy_survey_need(&policy, settings, &sample).exclusive;
}

/* The survey that raises a rule knows already who is exclusive, and so does the first one. */
static void test_what_is_asked(TW_UNUSED void **state)
{
	add_rule();
	assert_false(asks_with(449, 0));
	assert_true(asks_with(450, 0));
	assert_false(asks_with(0, 449));
	assert_true(asks_with(0, 450));
	sample.survey = (struct tw_survey){ 0 };
	assert_true(tw_policy_survey_need(&policy, settings, &sample).exclusive);
}

/* The last survey tells that what there is are a server's connections, which take no port of the range. */
static void test_server_does_not_hurry(TW_UNUSED void **state)
{

	add_rule();
	sample.peak.at_usec = 10 * S;
	sample.gauge.at_usec = 11 * S;
	sample.peak.sockets = 100000;
	sample.gauge.tcp_inuse = 100050;
	set_survey();
	sample.survey.top[0].blocked = 200;
	sample.survey.opened = (struct tw_count){ 1000, true };
	sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN] = (struct tw_count){ 1049, true };
	assert_false(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)));
	/* 200 + 50 + 50 * 15 = 1000 */
	sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN].value++;
	assert_true(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)));
	sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN].value--;
	sample.survey.partial = true;
	assert_true(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)));
}

/* One that has no port left is known by then: it is no reason to hurry, but for what is opened towards others. */
static void test_hurry_for_others(TW_UNUSED void **state)
{
	static const struct {
		uint32_t first, second, destinations;
		uint64_t opened;
		bool hurries;
	} rows[] = {
		{ 1000, 0, 2, 49, false },   { 450, 0, 2, 49, false },	 { 449, 0, 2, 49, true },
		{ 1000, 200, 2, 49, false }, { 1000, 200, 2, 50, true }, /* 200 + 50 + 50 * 15 = 1000 */
		{ 1000, 450, 2, 49, false }, { 1000, 450, 3, 49, true }, /* the third may have as many */
	};

	add_rule();
	sample.peak.at_usec = 10 * S;
	sample.gauge.at_usec = 11 * S;
	sample.peak.sockets = 100000;
	sample.gauge.tcp_inuse = 100050;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		set_survey();
		sample.survey.top_count = 2;
		sample.survey.destinations = rows[i].destinations;
		sample.survey.top[0].blocked = rows[i].first;
		sample.survey.top[1].blocked = rows[i].second;
		sample.survey.opened = (struct tw_count){ 1000, true };
		sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN] = (struct tw_count){ 1000 + rows[i].opened, true };
		assert_int_equal(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)), rows[i].hurries);
	}
}

/* Before the first survey the range is that of the sysctl, without the reserved ports. */
static void test_hurry_without_survey(TW_UNUSED void **state)
{
	static const struct {
		int64_t low, high;
		bool known, hurries;
	} rows[] = {
		{ 1001, 2000, true, true }, /* 1000 - 40 reserved, 210 + 50 * 15 = 960 */
		{ 1000, 2000, true, false }, { 1001, 2000, false, false }, { 2000, 1001, true, false },
		{ -1, 10, true, false },     { 1, 65536, true, false },
	};

	add_rule();
	sample.peak.at_usec = 10 * S;
	sample.gauge.at_usec = 11 * S;
	sample.peak.sockets = 160;
	sample.gauge.tcp_inuse = 210;
	sample.gauge.reserved_ports = 40;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		sample.gauge.sysctls[TW_TUNABLE_PORT_RANGE] =
			(struct tw_live_value){ { { rows[i].low, rows[i].high } }, rows[i].known };
		assert_int_equal(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)), rows[i].hurries);
	}
}

/* Whoever narrows the range leaves fewer ports than the last survey knew of; a wider one only that survey knows. */
static void test_the_range_is_changed(TW_UNUSED void **state)
{
	static const struct {
		int64_t low, high;
		uint32_t reserved;
		bool known, survey;
	} rows[] = {
		{ 1001, 2000, 0, true, false }, /* 100 of 1000 */
		{ 1001, 1222, 0, true, true },	/* of 222: 45.05 % */
		{ 1001, 1223, 0, true, false },	 { 1001, 1223, 1, true, true },
		{ 1001, 1222, 0, false, false }, { 1001, 9999, 0, true, false },
	};

	add_rule();
	set_survey();
	sample.gauge.at_usec = 10 * S;
	sample.gauge.tcp_inuse = 100;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		sample.gauge.sysctls[TW_TUNABLE_PORT_RANGE] =
			(struct tw_live_value){ { { rows[i].low, rows[i].high } }, rows[i].known };
		sample.gauge.reserved_ports = rows[i].reserved;
		if (tw_policy_survey_need(&policy, settings, &sample).survey != rows[i].survey)
			fail_msg("row %zu", i);
	}
}

/* Then there is less time too. */
static void test_hurry_in_a_range_that_is_changed(TW_UNUSED void **state)
{
	add_rule();
	set_survey();
	sample.peak.at_usec = 10 * S;
	sample.gauge.at_usec = 11 * S;
	sample.gauge.tcp_inuse = 10; /* 150 within 15 s */
	assert_false(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)));
	sample.gauge.sysctls[TW_TUNABLE_PORT_RANGE] = (struct tw_live_value){ { { 1001, 1150 } }, true };
	assert_true(tw_policy_hurries(settings, &sample, tw_gauge_tally(&sample.gauge)));
}

/* port-eta is pruned by the growth, the metrics of each census ask for no survey at all. */
static void test_survey_for_other_metrics(TW_UNUSED void **state)
{
	static const enum tw_metric of_census[] = { TW_METRIC_ACCEPT_QUEUE, TW_METRIC_CLOSE_WAIT_AGE,
						    TW_METRIC_CLOSE_WAIT_AGED };
	struct tw_rule_settings *rule = add_rule();

	sample.peak.at_usec = S;
	sample.gauge.at_usec = 2 * S;
	sample.gauge.tcp_inuse = 62;
	for (size_t i = 0; i < TW_ARRAY_SIZE(of_census); i++) {
		rule->metric = of_census[i];
		assert_false(tw_policy_survey_need(&policy, settings, &sample).survey);
	}
	rule->metric = TW_METRIC_PORT_ETA;
	rule->raise_milli = 15000;
	rule->clear_milli = 60000;
	assert_true(tw_policy_survey_need(&policy, settings, &sample).survey);
	set_survey();
	assert_false(tw_policy_survey_need(&policy, settings, &sample).survey);
	sample.gauge.tcp_inuse = 63; /* 63 + 63 * 15 = 1008 */
	assert_true(tw_policy_survey_need(&policy, settings, &sample).survey);
	/* Upward, no growth speaks against it. */
	sample.gauge.tcp_inuse = 0;
	rule->clear_milli = 0;
	assert_true(tw_policy_survey_need(&policy, settings, &sample).survey);
}

/* While somebody is over the level, or was within clear-for, always; without a rule over ports never. */
static void test_alerts_want_surveys(TW_UNUSED void **state)
{
	static const struct {
		enum tw_rule_state state;
		bool survey;
	} rows[] = {
		{ TW_RULE_NORMAL, false }, /* it rests after something made no difference */
		{ TW_RULE_RISING, true },
		{ TW_RULE_RAISED, true },
		{ TW_RULE_CLEARING, true },
	};
	struct tw_rule_settings *rule = add_rule();

	rule->forecast_usec = 0;
	sample.gauge.at_usec = S;
	/* Nothing is known of the ports yet. */
	assert_true(tw_policy_survey_need(&policy, settings, &sample).survey);
	set_survey();
	assert_false(tw_policy_survey_need(&policy, settings, &sample).survey);
	policy.alert_count = 1;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		policy.alerts[0].state = rows[i].state;
		assert_int_equal(tw_policy_survey_need(&policy, settings, &sample).survey, rows[i].survey);
	}
	rule->metric = TW_METRIC_RESET;
	assert_false(tw_policy_survey_need(&policy, settings, &sample).survey);
}

/* 60 000 accepted connections hold no port: only what is opened since the last survey asks for the next one. */
static void test_server_is_not_surveyed(TW_UNUSED void **state)
{
	struct tw_count *opened = &sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN];

	add_rule();
	set_survey();
	sample.gauge.at_usec = 10 * S;
	sample.gauge.tcp_inuse = 60000;
	assert_true(tw_policy_survey_need(&policy, settings, &sample).survey); /* ActiveOpens is not known */
	*opened = sample.survey.opened = (struct tw_count){ 1000, true };
	assert_false(tw_policy_survey_need(&policy, settings, &sample).survey);
	sample.survey.top[0].blocked = 200;
	opened->value += 249;
	assert_false(tw_policy_survey_need(&policy, settings, &sample).survey);
	opened->value++; /* 200 + 250: 45 % of 1000 */
	assert_true(tw_policy_survey_need(&policy, settings, &sample).survey);
}

/* The kernel is asked where it matters: while a rule is not normal, or where what is not known could raise one. */
static void test_asks_exclusive(TW_UNUSED void **state)
{
	add_rule()->metric = TW_METRIC_ACCEPT_QUEUE;
	add_rule();
	sample.gauge.at_usec = 10 * S;
	sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN] = (struct tw_count){ 1000, true };
	/* Nothing is known of the ports yet. */
	assert_true(tw_policy_survey_need(&policy, settings, &sample).exclusive);
	set_survey();
	sample.survey.opened = (struct tw_count){ 1000, true };
	sample.survey.unclear_ports = 449;
	assert_false(tw_policy_survey_need(&policy, settings, &sample).exclusive);
	sample.survey.unclear_ports = 450;
	assert_true(tw_policy_survey_need(&policy, settings, &sample).exclusive);
	sample.survey.partial = true;
	assert_false(tw_policy_survey_need(&policy, settings, &sample).exclusive);
	sample.survey.partial = false;
	sample.survey.unclear_ports = 100;
	sample.survey.top[0].blocked = 350;
	assert_true(tw_policy_survey_need(&policy, settings, &sample).exclusive);
	sample.survey.top[0].blocked = 0;
	sample.survey.top_count = 0;
	sample.survey.exclusive_ports = 350;
	assert_true(tw_policy_survey_need(&policy, settings, &sample).exclusive);
	sample.survey.exclusive_ports = 349;
	assert_false(tw_policy_survey_need(&policy, settings, &sample).exclusive);
	policy.alert_count = 1;
	policy.alerts[0].state = TW_RULE_RISING; /* of no ports */
	assert_false(tw_policy_survey_need(&policy, settings, &sample).exclusive);
	policy.alerts[0].rule = 1;
	assert_true(tw_policy_survey_need(&policy, settings, &sample).exclusive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_alerts_want_surveys, begin, end),
		cmocka_unit_test_setup_teardown(test_growth, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_asked, begin, end),
		cmocka_unit_test_setup_teardown(test_server_does_not_hurry, begin, end),
		cmocka_unit_test_setup_teardown(test_hurry_for_others, begin, end),
		cmocka_unit_test_setup_teardown(test_hurry_without_survey, begin, end),
		cmocka_unit_test_setup_teardown(test_survey_for_other_metrics, begin, end),
		cmocka_unit_test_setup_teardown(test_the_range_is_changed, begin, end),
		cmocka_unit_test_setup_teardown(test_server_is_not_surveyed, begin, end),
		cmocka_unit_test_setup_teardown(test_asks_exclusive, begin, end),
		cmocka_unit_test_setup_teardown(test_hurry_in_a_range_that_is_changed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
