/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record.h"

#include "base/macros.h"
#include "tell-sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct tw_rule_settings exhaustion = {
	.name = "port-exhaustion",
	.metric = TW_METRIC_PORT_USE,
	.raise_milli = 45000,
	.clear_milli = 25000,
};

/* 68 KiB: not for the stack. */
static struct tw_record record;

static const struct tw_event raised = {
	.kind = TW_EVENT_RAISED,
	.severity = TW_SEVERITY_ERROR,
	.rule = &exhaustion,
	.has_metric = true,
	.metric = TW_METRIC_PORT_USE,
	.value = KNOWN(47254),
	.threshold = KNOWN(45000),
	.subject = { .has_destination = true, .destination = TO_8080 },
	.sample = &sample,
	.top = 2,
};

struct field {
	const char *name;
	const char *value; /* NULL: not there */
};

static void check_fields(const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = tw_record_get(&record, fields[i].name);

		if (!fields[i].value && value)
			fail_msg("%s is there: %s", fields[i].name, value);
		if (fields[i].value && !value)
			fail_msg("%s is missing", fields[i].name);
		if (fields[i].value)
			assert_string_equal(value, fields[i].value);
	}
}

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

static void test_flight_recorder(void **state TW_UNUSED)
{
	static const struct field fields[] = {
		{ "TIMEWAITD_RULE", "port-exhaustion" },
		{ "TIMEWAITD_METRIC", "port-use" },
		{ "TIMEWAITD_VALUE", "47.254" },
		{ "TIMEWAITD_THRESHOLD", "45" },
		{ "TIMEWAITD_SOURCE", "10.0.0.1" },
		{ "TIMEWAITD_DESTINATION", "10.0.0.2:8080" },
		{ "TIMEWAITD_SYSCTL", NULL },
		{ "TIMEWAITD_COUNT", NULL },
		{ "TIMEWAITD_FORECAST", NULL },
		{ "TIMEWAITD_REASON", NULL },
		{ "TIMEWAITD_TIME_WAIT", "3866" },
		{ "TIMEWAITD_ESTABLISHED", "12" },
		{ "TIMEWAITD_CLOSE_WAIT", "4" },
		{ "TIMEWAITD_SYN_SENT", "0" },
		{ "TIMEWAITD_SYN_RECV", NULL },
		{ "TIMEWAITD_PORT_USE", "47.254" },
		{ "TIMEWAITD_PORT_ETA", "3.94" },
		{ "TIMEWAITD_ACCEPT_QUEUE", "98.238" },
		{ "TIMEWAITD_CLOSE_WAIT_AGE", "71.2" },
		{ "TIMEWAITD_CLOSE_WAIT_AGED", NULL },
		{ "TIMEWAITD_TIME_WAIT_OVERFLOW", "0.5" },
		{ "TIMEWAITD_TOTAL_TIME_WAIT_OVERFLOW", "1250" },
		{ "TIMEWAITD_TOTAL_ACTIVE_OPEN", "99" },
		{ "TIMEWAITD_TOTAL_RESET", NULL },
		{ "TIMEWAITD_TIME_WAIT_BUCKETS", "2.949" },
		{ "TIMEWAITD_TCP_MEMORY", "10" },
		{ "TIMEWAITD_ORPHANS", NULL },
		{ "TIMEWAITD_USABLE_PORTS", "8192" },
		{ "TIMEWAITD_COST_TICK", "0.038" },
		{ "TIMEWAITD_COST_CENSUS", NULL },
		{ "TIMEWAITD_COST_SURVEY", "1234.567" },
		{ "TIMEWAITD_COST_TOTAL", "2000" },
		{ "TIMEWAITD_RESERVED_PORTS", "12" },
		{ "TIMEWAITD_BOUND_PORTS", "8" },
		{ "TIMEWAITD_SYSCTL_TCP_TW_REUSE", "2" },
		{ "TIMEWAITD_SYSCTL_IP_LOCAL_PORT_RANGE", "32768 40999" },
		{ "TIMEWAITD_SYSCTL_TCP_TIMESTAMPS", NULL },
		{ "TIMEWAITD_ORPHAN_SOCKETS", "17" },
		{ "TIMEWAITD_MEMORY_PAGES", "40" },
		{ "TIMEWAITD_MEMORY_LIMIT_PAGES", "400" },
		{ "TIMEWAITD_CONNTRACK_COUNT", "5000" },
		{ "TIMEWAITD_CONNTRACK_MAX", NULL },
		{ "TIMEWAITD_DESTINATIONS", "3" },
		{ "TIMEWAITD_PORT_DEMAND", "120.5" },
		{ "TIMEWAITD_TOP_DESTINATIONS", "10.0.0.1 10.0.0.2:8080 3871 3866 4 1 47.3%\n"
						"::1 [::2]:443 9 0 9 0 0.1%\n... and 1 more" },
		{ "TIMEWAITD_TOP_LISTENERS",
		  "0.0.0.0:80 502/511 12 3 1 0 3.4%\n[::1]:443 0/4096 0 0 0 unknown 0%\n... and 1 more" },
		{ "TIMEWAITD_TOP_UNITS", "web.service 3 71.2s 10\nunknown 1 5s 0" },
		/* Who is behind it is the subject's to say. */
		{ "TIMEWAITD_LISTENER", NULL },
		{ "TIMEWAITD_UNIT", NULL },
	};

	tw_record_build(&record, "host", &raised);
	check_fields(fields, TW_ARRAY_SIZE(fields));
	assert_null(tw_record_get(&record, "TIMEWAITD_DROPPED_SOCKETS"));
}

/* What a full table could not tell apart is in the record of the moment. */
static void test_dropped_sockets(void **state TW_UNUSED)
{
	struct tw_sample flooded = sample;
	struct tw_event event = raised;

	flooded.survey.dropped = 868928;
	event.sample = &flooded;
	tw_record_build(&record, "host", &event);
	assert_string_equal(tw_record_get(&record, "TIMEWAITD_DROPPED_SOCKETS"), "868928");
}

static void test_sample(void **state TW_UNUSED)
{
	static const struct tw_event event = {
		.kind = TW_EVENT_SAMPLE, .severity = TW_SEVERITY_CRITICAL, .sample = &sample, .top = 10
	};
	static const struct field fields[] = {
		{ "PRIORITY", "6" },
		{ "TIMEWAITD_EVENT", "sample" },
		{ "TIMEWAITD_NAMESPACE", "blue" },
		{ "TIMEWAITD_TIME_WAIT", "3866" },
		{ "TIMEWAITD_PORT_USE", "47.254" },
		{ "TIMEWAITD_USABLE_PORTS", "8192" },
		{ "TIMEWAITD_SOURCE", "10.0.0.1" },
		{ "TIMEWAITD_DESTINATION", "10.0.0.2:8080" },
		{ "TIMEWAITD_LISTENER", "0.0.0.0:80" },
		{ "TIMEWAITD_UNIT", "web.service" },
		{ "TIMEWAITD_RULE", NULL },
		/* The history need not tell each minute what stands in /proc/sys. */
		{ "TIMEWAITD_SYSCTL_TCP_TW_REUSE", NULL },
		{ "TIMEWAITD_TOP_DESTINATIONS", NULL },
		{ "TIMEWAITD_TOP_LISTENERS", NULL },
		{ "TIMEWAITD_TOP_UNITS", NULL },
	};

	tw_record_build(&record, "blue", &event);
	check_fields(fields, TW_ARRAY_SIZE(fields));
}

/* Tables of a dump that moved too much name nobody, and a leak of nobody known has no unit. */
static void test_sample_of_nobody(void **state TW_UNUSED)
{
	struct tw_sample moved = sample, unknown = sample;
	struct tw_event event = { .kind = TW_EVENT_SAMPLE, .sample = &moved, .top = 10 };
	static const struct field fields[] = {
		{ "TIMEWAITD_TIME_WAIT", "3866" },  { "TIMEWAITD_SOURCE", NULL },
		{ "TIMEWAITD_DESTINATION", NULL },  { "TIMEWAITD_LISTENER", NULL },
		{ "TIMEWAITD_UNIT", NULL },	    { "TIMEWAITD_PORT_ETA", NULL },
		{ "TIMEWAITD_ACCEPT_QUEUE", NULL }, { "TIMEWAITD_CLOSE_WAIT_AGE", NULL },
	};

	moved.survey.partial = true;
	moved.accepting.partial = true;
	moved.close_wait.partial = true;
	tw_record_build(&record, "host", &event);
	check_fields(fields, TW_ARRAY_SIZE(fields));

	unknown.close_wait.rows[0].unit[0] = '\0';
	event.sample = &unknown;
	tw_record_build(&record, "host", &event);
	assert_null(tw_record_get(&record, "TIMEWAITD_UNIT"));
	assert_string_equal(tw_record_get(&record, "TIMEWAITD_LISTENER"), "0.0.0.0:80");

	/* The flight recorder has no table of them either. */
	event.kind = TW_EVENT_RAISED;
	event.sample = &moved;
	tw_record_build(&record, "host", &event);
	assert_null(tw_record_get(&record, "TIMEWAITD_TOP_DESTINATIONS"));
	assert_null(tw_record_get(&record, "TIMEWAITD_TOP_LISTENERS"));
	assert_null(tw_record_get(&record, "TIMEWAITD_TOP_UNITS"));
	assert_non_null(tw_record_get(&record, "TIMEWAITD_TOTAL_ACTIVE_OPEN"));
}

/* A port-eta that never comes is no number. A thousandth less is one, and other metrics have no such figure. */
static void test_never(void **state TW_UNUSED)
{
	struct tw_sample steady = sample;
	struct tw_event event = { .kind = TW_EVENT_CLEARED,
				  .has_metric = true,
				  .metric = TW_METRIC_PORT_ETA,
				  .value = { .known = true, .milli = INT64_MAX / 2 },
				  .threshold = KNOWN(60000),
				  .sample = &steady };

	steady.survey.port_eta = tw_value_of(INT64_MAX / 2);
	tw_record_build(&record, "host", &event);
	assert_null(tw_record_get(&record, "TIMEWAITD_VALUE"));
	assert_null(tw_record_get(&record, "TIMEWAITD_PORT_ETA"));
	assert_string_equal(tw_record_get(&record, "TIMEWAITD_METRIC"), "port-eta");
	assert_string_equal(tw_record_get(&record, "TIMEWAITD_THRESHOLD"), "60");

	event.value.milli--;
	tw_record_build(&record, "host", &event);
	assert_string_equal(tw_record_get(&record, "TIMEWAITD_VALUE"), "4611686018427387.902");
	event.value.milli++;
	event.metric = TW_METRIC_RESET;
	tw_record_build(&record, "host", &event);
	assert_string_equal(tw_record_get(&record, "TIMEWAITD_VALUE"), "4611686018427387.903");
}

/* A sample of which nothing is known claims nothing: no state, no port, no counter. */
static void test_unknown_sample(void **state TW_UNUSED)
{
	static const struct tw_sample nothing;
	static const struct tw_event event = { .kind = TW_EVENT_RAISED, .sample = &nothing, .top = 10 };

	tw_record_build(&record, "host", &event);
	assert_int_equal(record.count, 6);
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
		[TW_EVENT_REFUSED] = '4',	 [TW_EVENT_EFFECT] = '5',	 [TW_EVENT_DESTROYED] = '5',
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
	assert_true(tw_record_add(&record, "TIMEWAITD_DROPPED", "1"));
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
	struct tw_json json;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_json_init(&json, &text);
	tw_record_build(&record, "host", &event);
	tw_record_add_json(&record, &json);
	assert_string_equal(bytes, "{\"MESSAGE\":\"Stopped: a \\\"b\\\"\\n\xef\xbf\xbd.\","
				   "\"MESSAGE_ID\":\"296e2e01887549feb5ba8f710efd259d\",\"PRIORITY\":\"5\","
				   "\"SYSLOG_IDENTIFIER\":\"timewaitd\",\"TIMEWAITD_EVENT\":\"stopped\","
				   "\"TIMEWAITD_NAMESPACE\":\"host\","
				   "\"TIMEWAITD_REASON\":\"a \\\"b\\\"\\n\xef\xbf\xbd\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_flight_recorder),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_sample_of_nobody),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_unknown_sample),
		cmocka_unit_test(test_acting_fields),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_widest),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_dropped_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
