/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "remote/snapshot-read.h"

#include "tell-sample.h"
#include "tell/snapshot.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct tw_view *read_json(const char *json)
{
	struct tw_view *view = NULL;

	assert_int_equal(tw_snapshot_read(json, strlen(json), &view), 0);
	return view;
}

static void test_no_snapshot(TW_UNUSED void **state)
{
	static const char *const cases[] = { "",      " ", "[]",  "7",		"null",
					     "\"x\"", "{", "{}}", "{\"a\":1,}", "{\"a\":\"\\u0000\"}" };
	struct tw_view *view = (struct tw_view *)&cases;

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		assert_int_equal(tw_snapshot_read(cases[i], strlen(cases[i]), &view), -EBADMSG);
		assert_ptr_equal(view, &cases);
	}
}

static void test_nothing_is_known(TW_UNUSED void **state)
{
	static const char *const cases[] = {
		"{\"namespaces\":[{}]}",
		"{\"namespaces\":[{\"states\":[],\"metrics\":7,\"limits\":null,\"ages\":\"x\",\"cost\":false}]}",
		"{\"namespaces\":[{\"states\":{\"listen\":\"3\",\"time-wait\":null},\"rules\":{}}]}",
		"{\"namespaces\":[{\"destinations\":null}]}",
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		TW_CLEANUP_VIEW struct tw_view *view = read_json(cases[i]);
		const struct tw_view_namespace *of = &view->namespaces[0];

		assert_int_equal(view->namespace_count, 1);
		assert_false(view->now.known);
		for (unsigned j = 0; j < TW_STATE_COUNT; j++)
			assert_false(of->states[j].known);
		assert_false(of->metrics[TW_METRIC_PORT_USE].known || of->usable_ports.known || of->cost_total.known);
		assert_false(of->destinations.known || of->rules.known || of->changes.known);
	}
}

static void test_numbers(TW_UNUSED void **state)
{
	static const struct {
		const char *number;
		struct tw_value value;
	} cases[] = {
		{ "0", { 0, true } },
		{ "12", { 12000, true } },
		{ "-3", { -3000, true } },
		{ "47.254", { 47254, true } },
		{ "0.001", { 1, true } },
		{ "-0.5", { -500, true } },
		{ "1700000000.125", { 1700000000125, true } },
		{ "9223372036854775807", { INT64_MAX, true } },
		{ "-9223372036854775808", { INT64_MIN, true } },
		{ "1e300", { 0, false } },
		{ "0.00001", { 0, false } },
		{ "true", { 0, false } },
		{ "[1]", { 0, false } },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		char json[128];
		struct tw_text text;

		tw_text_init(&text, json, sizeof(json));
		tw_text_addf(&text, "{\"now\":%s}", cases[i].number);
		TW_CLEANUP_VIEW struct tw_view *view = read_json(json);

		assert_int_equal(view->now.known, cases[i].value.known);
		assert_int_equal(view->now.milli, cases[i].value.milli);
	}
}

/* What the telling wing writes comes back. */
static void test_own_words(TW_UNUSED void **state)
{
	static char bytes[65536];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_json_begin(&text, '{');
	tw_json_key(&text, "namespaces");
	tw_json_begin(&text, '[');
	tw_snapshot_add_json(&text, "host", &sample, TW_TOP_MAX, NULL);
	tw_json_end(&text, ']');
	tw_json_end(&text, '}');
	TW_CLEANUP_VIEW struct tw_view *view = read_json(bytes);
	const struct tw_view_namespace *of = &view->namespaces[0];

	assert_string_equal(of->name, "host");
	assert_int_equal(of->states[TW_STATE_TIME_WAIT].milli, 3866000);
	assert_false(of->states[TW_STATE_LISTEN].known);
	assert_int_equal(of->metrics[TW_METRIC_PORT_USE].milli, 47254);
	assert_int_equal(of->usable_ports.milli, 8192000);
	assert_int_equal(of->reserved_ports.milli, 12000);
	assert_int_equal(of->range_high.milli, 40999000);
	assert_int_equal(of->sysctls[TW_TUNABLE_TW_REUSE].milli, 2000);
	assert_false(of->sysctls[TW_TUNABLE_PORT_RANGE].known || of->sysctls[TW_TUNABLE_FIN_TIMEOUT].known);
	assert_int_equal(of->counters[TW_COUNTER_ACTIVE_OPEN].milli, 99000);
	assert_false(of->counters[TW_COUNTER_RESET].known);
	assert_int_equal(of->destinations.count, 3);
	assert_string_equal(of->destinations.rows[0].name, "10.0.0.1 -> 10.0.0.2:8080");
	assert_int_equal(of->destinations.rows[0].port_eta.milli, 3940);
	assert_false(of->destinations.rows[1].port_eta.known);
	assert_string_equal(of->listeners.rows[1].address, "[::1]:443");
	assert_int_equal(of->units.rows[0].oldest.milli, 71200);
	assert_string_equal(of->units.rows[1].name, "");
	assert_false(of->rules.known);
}

static void test_rules(TW_UNUSED void **state)
{
	TW_CLEANUP_VIEW struct tw_view *view = read_json(
		"{\"namespaces\":[{\"rules\":[{\"name\":\"a\",\"state\":\"raised\",\"severity\":\"error\",\"metric\":"
		"\"port-use\",\"finding\":\"x\\u001b[31my\\n\"},null,{\"state\":\"clearing\",\"severity\":\"odd\","
		"\"metric\":\"odd\",\"new\":[1]},{\"state\":\"rising\"},{\"state\":\"normal\"},{}],\"changes\":[{"
		"\"sysctl\":"
		"\"net.ipv4.tcp_tw_reuse\",\"baseline\":\"2\",\"value\":1}]}]}");
	const struct tw_view_namespace *of = &view->namespaces[0];
	static const bool raised[] = { true, true, false, false, false };

	assert_int_equal(of->rules.count, TW_ARRAY_SIZE(raised));
	for (unsigned i = 0; i < TW_ARRAY_SIZE(raised); i++)
		assert_int_equal(tw_view_rule_is_raised(&of->rules.rows[i]), raised[i]);
	assert_string_equal(of->rules.rows[0].finding, "x?[31my?");
	assert_int_equal(of->rules.rows[0].severity, TW_SEVERITY_ERROR);
	assert_int_equal(of->rules.rows[0].metric, TW_METRIC_PORT_USE);
	assert_int_equal(of->rules.rows[1].severity, TW_SEVERITY_WARNING);
	assert_int_equal(of->rules.rows[1].metric, TW_METRIC_COUNT);
	assert_string_equal(of->changes.rows[0].baseline, "2");
	assert_string_equal(of->changes.rows[0].value, "");
}

/* More than there is room for is left out: rows and namespaces. */
static void test_too_much(TW_UNUSED void **state)
{
	static char json[65536];
	struct tw_text text;

	tw_text_init(&text, json, sizeof(json));
	tw_text_add(&text, "{\"namespaces\":[{\"rules\":[{}");
	for (unsigned i = 0; i < 2 * TW_RULES_MAX; i++)
		tw_text_add(&text, ",{}");
	tw_text_add(&text, "]}");
	for (unsigned i = 0; i < TW_NAMESPACES_MAX + 1; i++)
		tw_text_add(&text, ",{}");
	tw_text_add(&text, "]}");
	TW_CLEANUP_VIEW struct tw_view *view = read_json(json);

	assert_int_equal(view->namespace_count, TW_NAMESPACES_MAX);
	assert_int_equal(view->namespaces[0].rules.count, TW_RULES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_snapshot), cmocka_unit_test(test_nothing_is_known),
		cmocka_unit_test(test_numbers),	    cmocka_unit_test(test_own_words),
		cmocka_unit_test(test_rules),	    cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
