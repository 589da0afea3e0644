/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record tells of its sample: apart from test-record because that is about what it tells of its event. */
#include "record-fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flight_recorder),	 cmocka_unit_test(test_sample),
		cmocka_unit_test(test_sample_of_nobody), cmocka_unit_test(test_never),
		cmocka_unit_test(test_unknown_sample),	 cmocka_unit_test(test_dropped_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
