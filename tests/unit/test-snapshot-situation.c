/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/snapshot.h"

#include "base/macros.h"
#include "tell-sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char page[16384];
static struct tw_situation situation;
static struct tw_rule_settings rule;

static int clear(void **state TW_UNUSED)
{
	memset(&situation, 0, sizeof(situation));
	situation.now_usec = 13 * TW_USEC_PER_SEC;
	tw_rule_settings_init(&rule);
	strcpy(rule.name, "port-exhaustion");
	rule.metric = TW_METRIC_PORT_USE;
	rule.raise_milli = 45000;
	rule.clear_milli = 25000;
	rule.severity = TW_SEVERITY_WARNING;
	return 0;
}

static const char *as_json(const struct tw_sample *shown)
{
	struct tw_text text;
	char *situated;

	tw_text_init(&text, page, sizeof(page));
	tw_snapshot_add_json(&text, "host", shown, 0, &situation);
	assert_false(text.cut);
	/* What the sample has of its own stands before. */
	situated = strstr(page, "\"ages\":");
	assert_non_null(situated);
	*--situated = '{';
	return situated;
}

static struct tw_rule_situation *add_rule(enum tw_rule_state stage)
{
	struct tw_rule_situation *added = &situation.rules[situation.rule_count++];

	*added = (struct tw_rule_situation){
		.rule = &rule,
		.state = stage,
		.since_usec = 500 * TW_USEC_PER_MSEC,
		.value = tw_value_of(47254),
	};
	return added;
}

/* Of what was never measured or done nothing is claimed. */
static void test_nothing(void **state TW_UNUSED)
{
	static const struct tw_sample nothing;

	assert_string_equal(as_json(&nothing), "{\"ages\":{\"gauge\":null,\"census\":null,\"survey\":null},"
					       "\"rules\":[],\"changes\":[],"
					       "\"cost\":{\"tick\":null,\"census\":null,\"survey\":null,"
					       "\"total\":null}}");
}

static void test_ages_and_cost(void **state TW_UNUSED)
{
	struct tw_sample costly = sample;

	costly.cost = (struct tw_cost){ .tick_usec = 40, .census_usec = 3100, .total_usec = 4012000 };
	as_json(&costly);
	assert_non_null(strstr(page, "\"ages\":{\"gauge\":10,\"census\":12.999,\"survey\":12.999}"));
	assert_non_null(strstr(page, "\"cost\":{\"tick\":0.04,\"census\":3.1,\"survey\":null,\"total\":4012}"));
}

#define HEAD(STATE, VALUE)                                                         \
	"{\"name\":\"port-exhaustion\",\"metric\":\"port-use\",\"state\":\"" STATE \
	"\",\"since\":12.5,\"value\":" VALUE ",\"raise\":45,\"clear\":25,\"severity\":\"warning\",\"finding\":"

static void test_rules(void **state TW_UNUSED)
{
	static const struct {
		enum tw_rule_state state;
		const char *rule;
	} rows[] = {
		{ TW_RULE_NORMAL, HEAD("normal", "47.254") "null}" },
		{ TW_RULE_RISING, HEAD("rising", "47.254") "\"10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports" },
		{ TW_RULE_RAISED, HEAD("raised", "47.254") "\"10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports" },
		{ TW_RULE_CLEARING, HEAD("clearing", "47.254") "\"10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_rule_situation *added;

		situation.rule_count = 0;
		added = add_rule(rows[i].state);
		added->subject.has_destination = true;
		added->subject.destination = sample.survey.top[0].key;
		as_json(&sample);
		if (!strstr(page, rows[i].rule))
			fail_msg("no %s in %s", rows[i].rule, page);
	}
}

static void test_a_rule_without_a_value(void **state TW_UNUSED)
{
	struct tw_rule_situation *added = add_rule(TW_RULE_RAISED);

	added->value = tw_value_unknown();
	added->since_usec = 0;
	as_json(&sample);
	assert_non_null(strstr(page, "\"state\":\"raised\",\"since\":null,\"value\":null,"));
}

/* "Never" is a figure for a rule, and none for who reads numbers. */
static void test_never(void **state TW_UNUSED)
{
	rule.metric = TW_METRIC_PORT_ETA;
	add_rule(TW_RULE_NORMAL)->value = tw_value_of(INT64_MAX);
	as_json(&sample);
	assert_non_null(strstr(page, "\"value\":null,"));
}

static void test_changes(void **state TW_UNUSED)
{

	situation.changes[situation.change_count++] = (struct tw_change_situation){
		.sysctl = TW_TUNABLE_TW_REUSE, .baseline = { { 2 } }, .value = LIVE(1), .rule = "port-exhaustion"
	};
	situation.changes[situation.change_count++] = (struct tw_change_situation){
		.sysctl = TW_TUNABLE_PORT_RANGE, .yielded = true, .baseline = { { 32768, 60999 } }, .rule = "wide"
	};
	as_json(&sample);
	assert_non_null(strstr(page, "\"changes\":[{\"sysctl\":\"net.ipv4.tcp_tw_reuse\",\"baseline\":\"2\","
				     "\"value\":\"1\",\"owner\":\"ours\",\"rule\":\"port-exhaustion\"},"
				     "{\"sysctl\":\"net.ipv4.ip_local_port_range\",\"baseline\":\"32768 60999\","
				     "\"value\":null,\"owner\":\"yielded\",\"rule\":\"wide\"}],"));
}

/* A rule's name is a stranger's text. */
static void test_hostile_name(void **state TW_UNUSED)
{
	strcpy(rule.name, "a\"\xff\n");
	(void)add_rule(TW_RULE_RAISED);
	as_json(&sample);
	assert_non_null(strstr(page, "\"name\":\"a\\\"\xef\xbf\xbd\\n\","));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing, clear),
		cmocka_unit_test_setup(test_ages_and_cost, clear),
		cmocka_unit_test_setup(test_rules, clear),
		cmocka_unit_test_setup(test_a_rule_without_a_value, clear),
		cmocka_unit_test_setup(test_never, clear),
		cmocka_unit_test_setup(test_changes, clear),
		cmocka_unit_test_setup(test_hostile_name, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
