/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record-fixture.h"

#include <stdlib.h>

static void test_head(void **state TW_UNUSED)
{
	static const char *const names[] = { "MESSAGE",		  "MESSAGE_ID",	     "PRIORITY",
					     "SYSLOG_IDENTIFIER", "TIMEWAITD_EVENT", "TIMEWAITD_NAMESPACE" };
	static const struct field fields[] = {
		{ "MESSAGE",
		  "port-exhaustion raised: 10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports (threshold 45%), "
		  "3871 of 8192, TIME-WAIT 3866, ESTABLISHED 4." },
		{ "PRIORITY", "3" },
		{ "SYSLOG_IDENTIFIER", "timewaitd" },
		{ "TIMEWAITD_EVENT", "raised" },
		{ "TIMEWAITD_NAMESPACE", "host" },
	};

	tw_record_build(&record, "host", &raised);
	for (size_t i = 0; i < TW_ARRAY_SIZE(names); i++) {
		assert_int_equal(record.fields[i].name_length, strlen(names[i]));
		assert_memory_equal(record.fields[i].text, names[i], strlen(names[i]));
	}
	check_fields(fields, TW_ARRAY_SIZE(fields));
}

static void test_acting_fields(void **state TW_UNUSED)
{
	static const struct tw_event event = {
		.kind = TW_EVENT_YIELDED,
		.rule_name = "port-exhaustion",
		.has_sysctl = true,
		.sysctl = TW_TUNABLE_TW_REUSE,
		.old = LIVE(0),
		.new = LIVE(1),
		.subject = { .has_listener = true,
			     .listener = { .address = { { [15] = 1 } }, .port = 80 },
			     .unit = "web.service" },
		.has_count = true,
		.count = UINT64_MAX,
		.lasted_usec = 1500000,
		.forecast = true,
		.reason = "somebody else",
		.advice = "ask them",
	};
	static const struct field fields[] = {
		{ "PRIORITY", "4" },
		{ "TIMEWAITD_RULE", "port-exhaustion" },
		{ "TIMEWAITD_METRIC", NULL },
		{ "TIMEWAITD_SYSCTL", "net.ipv4.tcp_tw_reuse" },
		{ "TIMEWAITD_OLD", "0" },
		{ "TIMEWAITD_NEW", "1" },
		{ "TIMEWAITD_BASELINE", NULL },
		{ "TIMEWAITD_LISTENER", "[::1]:80" },
		{ "TIMEWAITD_UNIT", "web.service" },
		{ "TIMEWAITD_COUNT", "18446744073709551615" },
		{ "TIMEWAITD_LASTED", "1.5" },
		{ "TIMEWAITD_FORECAST", "1" },
		{ "TIMEWAITD_REASON", "somebody else" },
		{ "TIMEWAITD_ADVICE", "ask them" },
		{ "TIMEWAITD_SOURCE", NULL },
		{ "TIMEWAITD_DESTINATION", NULL },
	};

	tw_record_build(&record, "host", &event);
	check_fields(fields, TW_ARRAY_SIZE(fields));
}

/* Every kind has a MESSAGE_ID of 32 hex digits, its own, and a priority that does not hang on a stray severity. */
static void test_kinds(void **state TW_UNUSED)
{
	static const char priorities[] = {
		[TW_EVENT_STARTED] = '5',	 [TW_EVENT_STOPPED] = '5',	 [TW_EVENT_RELOADED] = '5',
		[TW_EVENT_SAMPLE] = '6',	 [TW_EVENT_RELOAD_FAILED] = '4', [TW_EVENT_RAISED] = '2',
		[TW_EVENT_REMINDED] = '2',	 [TW_EVENT_CLEARED] = '5',	 [TW_EVENT_ADVICE] = '5',
		[TW_EVENT_ADJUSTED] = '5',	 [TW_EVENT_RESTORED] = '5',	 [TW_EVENT_YIELDED] = '4',
		[TW_EVENT_REFUSED] = '2',	 [TW_EVENT_EFFECT] = '5',	 [TW_EVENT_DESTROYED] = '5',
		[TW_EVENT_STRETCHED] = '6',	 [TW_EVENT_PARTIAL] = '4',	 [TW_EVENT_DEGRADED] = '4',
		[TW_EVENT_NAMESPACE_GONE] = '6', [TW_EVENT_NAMESPACE_NEW] = '6', [TW_EVENT_REQUESTED] = '5',
	};
	char ids[TW_EVENT_COUNT][33];

	for (unsigned i = 0; i < TW_EVENT_COUNT; i++) {
		struct tw_event event = { .kind = (enum tw_event_kind)i, .severity = TW_SEVERITY_CRITICAL };
		const char *id;

		tw_record_build(&record, "host", &event);
		id = tw_record_get(&record, "MESSAGE_ID");
		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		memcpy(ids[i], id, 33);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(ids[j], id);
		assert_int_equal(tw_record_get(&record, "PRIORITY")[0], priorities[i]);
		assert_string_equal(tw_record_get(&record, "TIMEWAITD_EVENT"), tw_event_name(event.kind));
	}
}

/* journald drops fields with other names: at most 64 of A-Z, 0-9 and _, no digit first. */
static void test_names(void **state TW_UNUSED)
{
	tw_record_build(&record, "host", &raised);
	assert_true(record.count > 30);
	for (size_t i = 0; i < record.count; i++) {
		size_t length = record.fields[i].name_length;

		assert_in_range(length, 1, 64);
		assert_int_equal(strspn(record.fields[i].text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), length);
		assert_int_equal(record.fields[i].text[length], '=');
		assert_int_equal(strlen(record.fields[i].text), record.fields[i].length);
		for (size_t j = 0; j < i; j++)
			assert_false(record.fields[j].name_length == length &&
				     memcmp(record.fields[j].text, record.fields[i].text, length) == 0);
	}
}

/* The widest event with the widest tables fits. */
static void test_widest(void **state TW_UNUSED)
{
	struct tw_sample *wide = calloc(1, sizeof(*wide));
	struct tw_event event = raised;

	assert_non_null(wide);
	*wide = sample;
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		wide->gauge.sysctls[i] = (struct tw_live_value){ { { INT64_MIN, INT64_MIN } }, true };
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++) {
		wide->gauge.counters[i] = (struct tw_count){ UINT64_MAX, true };
		wide->previous.counters[i] = (struct tw_count){ 0, true };
	}
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		wide->census.known[i] = true;
	wide->survey.top_count = TW_TOP_MAX;
	for (unsigned i = 0; i < TW_TOP_MAX; i++) {
		memset(&wide->survey.top[i], 0xff, sizeof(wide->survey.top[i]));
		wide->survey.top[i].bound_first_known = true;
		wide->survey.top[i].reuse_refuted = true;
		wide->survey.top[i].port_eta = tw_value_of(INT64_MAX);
		wide->survey.top[i].port_use = tw_value_of(INT64_MAX);
		memset(&wide->accepting.rows[i], 0xff, sizeof(wide->accepting.rows[i]));
		wide->accepting.rows[i].connections = (struct tw_count){ UINT64_MAX, true };
		wide->accepting.rows[i].time_wait = (struct tw_count){ UINT64_MAX, true };
		memset(&wide->close_wait.rows[i], 'u', sizeof(wide->close_wait.rows[i]));
		wide->close_wait.rows[i].unit[TW_UNIT_MAX - 1] = '\0';
	}
	wide->accepting.row_count = TW_TOP_MAX;
	wide->accepting.listeners = UINT32_MAX;
	wide->close_wait.row_count = TW_TOP_MAX;
	event.sample = wide;
	event.top = TW_TOP_MAX;
	memset(event.reason, '"', sizeof(event.reason) - 1);
	memset(event.advice, '"', sizeof(event.advice) - 1);
	event.has_sysctl = true;
	event.has_count = true;
	tw_record_build(&record, "host", &event);
	assert_non_null(tw_record_get(&record, "TIMEWAITD_TOP_DESTINATIONS"));
	assert_non_null(tw_record_get(&record, "TIMEWAITD_TOP_LISTENERS"));
	assert_non_null(tw_record_get(&record, "TIMEWAITD_TOP_UNITS"));
	assert_true(tw_record_addf(&record, "", "TIMEWAITD_DROPPED", "%s", "1"));
	free(wide);
}

static void test_text(void **state TW_UNUSED)
{
	static const struct tw_event hostile = { .kind = TW_EVENT_RELOAD_FAILED, .reason = "a\n\x1b[2Jb\x7f\tc" };
	char bytes[1024];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_record_build(&record, "host", &raised);
	tw_record_add_text(&record, &text);
	assert_string_equal(bytes, "error: port-exhaustion raised: 10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports "
				   "(threshold 45%), 3871 of 8192, TIME-WAIT 3866, ESTABLISHED 4.");

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_record_build(&record, "host", &hostile);
	tw_record_add_text(&record, &text);
	assert_string_equal(bytes, "warning: Configuration not reloaded, the old one stays in force: a??[2Jb??c.");
}

static void test_json(void **state TW_UNUSED)
{
	static const struct tw_event event = { .kind = TW_EVENT_STOPPED, .reason = "a \"b\"\n\xff" };
	char bytes[1024];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_record_build(&record, "host", &event);
	tw_record_add_json(&record, &text);
	assert_string_equal(bytes, "{\"MESSAGE\":\"Stopped: a \\\"b\\\"\\n\xef\xbf\xbd.\","
				   "\"MESSAGE_ID\":\"296e2e01887549feb5ba8f710efd259d\",\"PRIORITY\":\"5\","
				   "\"SYSLOG_IDENTIFIER\":\"timewaitd\",\"TIMEWAITD_EVENT\":\"stopped\","
				   "\"TIMEWAITD_NAMESPACE\":\"host\","
				   "\"TIMEWAITD_REASON\":\"a \\\"b\\\"\\n\xef\xbf\xbd\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),  cmocka_unit_test(test_acting_fields), cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_names), cmocka_unit_test(test_widest),	    cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
