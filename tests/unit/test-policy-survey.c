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
		.range_ports = 1000,
		.has_busiest = true,
		.top_count = 1,
		.port_use = tw_value_of(0),
		.port_demand = tw_value_of(0),
	};
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
		sample.crest.at_usec = 10 * S;
		sample.gauge.at_usec = 10 * S + rows[i].apart;
		sample.crest.sockets = rows[i].before;
		sample.gauge.time_wait = rows[i].now;
		sample.survey.top[0].ports = UINT32_MAX;
		assert_int_equal(tw_policy_wants_survey(&policy, settings, &sample), rows[i].survey);
		assert_int_equal(tw_policy_hurries(settings, &sample), rows[i].hurries);
	}
	/* Without an earlier gauge there is no growth, without a forecast nothing to hurry for. */
	assert_true(tw_policy_hurries(settings, &sample));
	sample.crest.at_usec = 0;
	assert_false(tw_policy_hurries(settings, &sample));
	sample.crest.at_usec = 10 * S;
	settings->rules[0].forecast_usec = 0;
	assert_false(tw_policy_hurries(settings, &sample));
}

/* The last survey tells that what there is are a server's connections, which take no port of the range. */
static void test_server_does_not_hurry(TW_UNUSED void **state)
{

	add_rule();
	sample.crest.at_usec = 10 * S;
	sample.gauge.at_usec = 11 * S;
	sample.crest.sockets = 100000;
	sample.gauge.tcp_inuse = 100050;
	set_survey();
	sample.survey.top[0].ports = 200;
	sample.survey.bound_ports = 49;
	assert_false(tw_policy_hurries(settings, &sample));
	sample.survey.bound_ports = 50; /* 200 + 50 + 50 * 15 = 1000 */
	assert_true(tw_policy_hurries(settings, &sample));
	sample.survey.bound_ports = 0;
	sample.survey.partial = true;
	assert_true(tw_policy_hurries(settings, &sample));
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
	sample.crest.at_usec = 10 * S;
	sample.gauge.at_usec = 11 * S;
	sample.crest.sockets = 160;
	sample.gauge.tcp_inuse = 210;
	sample.gauge.reserved_ports = 40;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		sample.gauge.sysctls[TW_TUNABLE_PORT_RANGE] =
			(struct tw_live_value){ { { rows[i].low, rows[i].high } }, rows[i].known };
		assert_int_equal(tw_policy_hurries(settings, &sample), rows[i].hurries);
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
		if (tw_policy_wants_survey(&policy, settings, &sample) != rows[i].survey)
			fail_msg("row %zu", i);
	}
}

/* Then there is less time too. */
static void test_hurry_in_a_range_that_is_changed(TW_UNUSED void **state)
{
	add_rule();
	set_survey();
	sample.crest.at_usec = 10 * S;
	sample.gauge.at_usec = 11 * S;
	sample.gauge.tcp_inuse = 10; /* 150 within 15 s */
	assert_false(tw_policy_hurries(settings, &sample));
	sample.gauge.sysctls[TW_TUNABLE_PORT_RANGE] = (struct tw_live_value){ { { 1001, 1150 } }, true };
	assert_true(tw_policy_hurries(settings, &sample));
}

/* port-eta is pruned by the growth, the metrics of each census ask for no survey at all. */
static void test_survey_for_other_metrics(TW_UNUSED void **state)
{
	static const enum tw_metric of_census[] = { TW_METRIC_ACCEPT_QUEUE, TW_METRIC_CLOSE_WAIT_AGE,
						    TW_METRIC_CLOSE_WAIT_AGED };
	struct tw_rule_settings *rule = add_rule();

	sample.crest.at_usec = S;
	sample.gauge.at_usec = 2 * S;
	sample.gauge.tcp_inuse = 62;
	for (size_t i = 0; i < TW_ARRAY_SIZE(of_census); i++) {
		rule->metric = of_census[i];
		assert_false(tw_policy_wants_survey(&policy, settings, &sample));
	}
	rule->metric = TW_METRIC_PORT_ETA;
	rule->raise_milli = 15000;
	rule->clear_milli = 60000;
	assert_true(tw_policy_wants_survey(&policy, settings, &sample));
	set_survey();
	assert_false(tw_policy_wants_survey(&policy, settings, &sample));
	sample.gauge.tcp_inuse = 63; /* 63 + 63 * 15 = 1008 */
	assert_true(tw_policy_wants_survey(&policy, settings, &sample));
	/* Upward, no growth speaks against it. */
	sample.gauge.tcp_inuse = 0;
	rule->clear_milli = 0;
	assert_true(tw_policy_wants_survey(&policy, settings, &sample));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_growth, begin, end),
		cmocka_unit_test_setup_teardown(test_server_does_not_hurry, begin, end),
		cmocka_unit_test_setup_teardown(test_hurry_without_survey, begin, end),
		cmocka_unit_test_setup_teardown(test_survey_for_other_metrics, begin, end),
		cmocka_unit_test_setup_teardown(test_the_range_is_changed, begin, end),
		cmocka_unit_test_setup_teardown(test_hurry_in_a_range_that_is_changed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
