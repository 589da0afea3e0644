/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/page-text.h"

#include "exporter/namespace-families.h"
#include "view-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static char page[262144];

static void write_page(const char *json, enum tw_format format, unsigned top, unsigned top_other)
{
	TW_CLEANUP_VIEW struct tw_view *view = json ? view_of(json) : NULL;
	struct tw_metrics metrics = {
		.view = view,
		.top = top,
		.top_other = top_other,
		.scrapes = 3,
		.errors = 1,
		.asking = view ? tw_value_of(508) : tw_value_unknown(),
	};
	struct tw_text text;

	assert_true(!json || view);
	tw_text_init(&text, page, sizeof(page));
	tw_metrics_add(&text, format, &metrics);
	assert_false(text.cut);
}

static void has(const char *line)
{
	char whole[512];

	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (!strstr(page, whole))
		fail_msg("no '%s' in:\n%s", line, page);
}

static unsigned count(const char *words)
{
	unsigned n = 0;

	for (const char *at = page; (at = strstr(at, words)); at += strlen(words))
		n++;
	return n;
}

static void test_without_a_daemon(void **state TW_UNUSED)
{
	write_page(NULL, TW_FORMAT_TEXT, 10, 3);
	has("timewaitd_up 0");
	has("timewaitd_exporter_scrapes_total 3");
	has("timewaitd_exporter_snapshot_errors_total 1");
	has("timewaitd_exporter_snapshot_seconds NaN");
	assert_int_equal(count("# TYPE"), 4);
}

static void test_what_there_is(void **state TW_UNUSED)
{
	write_page(VIEW(VIEW_NAMESPACE("host", VIEW_DESTINATIONS)), TW_FORMAT_TEXT, 10, 3);
	has("timewaitd_up 1");
	has("timewaitd_build_info{version=\"0.1.0\"} 1");
	has("timewaitd_start_time_seconds 1000");
	has("timewaitd_snapshot_timestamp_seconds 1090");
	has("timewaitd_enforcing 0");
	has("timewaitd_sockets{namespace=\"host\",state=\"time-wait\"} 3866");
	has("timewaitd_sockets{namespace=\"host\",state=\"bound\"} NaN");
	has("timewaitd_port_use_ratio{namespace=\"host\"} 0.472");
	has("timewaitd_port_exhaustion_seconds{namespace=\"host\"} NaN");
	has("timewaitd_resets_total{namespace=\"host\"} NaN");
	has("timewaitd_age_seconds{namespace=\"host\",part=\"survey\"} 42.7");
	has("timewaitd_cost_seconds{namespace=\"host\",part=\"gauge\"} 0.00004");
	has("timewaitd_destination_ports{namespace=\"host\",source=\"10.0.0.1\",destination=\"10.0.0.2:443\"} 300");
	has("timewaitd_destination_port_use_ratio{namespace=\"host\",source=\"10.0.0.1\",destination=\"x:1\"} 0.035");
	has("timewaitd_destination_sockets{namespace=\"host\",source=\"10.0.0.1\",destination=\"x:1\",state=\"time-"
	    "wait\"} "
	    "7");
	has("timewaitd_listener_queue{namespace=\"host\",listener=\"0.0.0.0:80\"} 64");
	has("timewaitd_unit_close_wait_oldest_seconds{namespace=\"host\",unit=\"web.service\"} 71.2");
	has("timewaitd_unit_close_wait_sockets{namespace=\"host\",unit=\"\"} 2");
	has("timewaitd_unit_bound_sockets{namespace=\"host\",unit=\"dns.service\"} 8");
	has("timewaitd_rule_raised{namespace=\"host\",rule=\"ports\",severity=\"error\"} 1");
	has("timewaitd_rule_raised{namespace=\"host\",rule=\"quiet\",severity=\"critical\"} 0");
	has("timewaitd_rule_state{namespace=\"host\",rule=\"ports\",state=\"clearing\"} 1");
	has("timewaitd_rule_state{namespace=\"host\",rule=\"ports\",state=\"raised\"} 0");
	has("timewaitd_rule_value{namespace=\"host\",rule=\"small\",metric=\"port-use\"} 47.2");
	has("timewaitd_rule_raise_level{namespace=\"host\",rule=\"small\",metric=\"port-use\"} 45");
	has("timewaitd_sysctl_changed{namespace=\"host\",sysctl=\"net.ipv4.tcp_fin_timeout\",rule=\"ports\",owner="
	    "\"yielded\"} 1");
}

static void test_numbers_of_the_kernel(void **state TW_UNUSED)
{
	write_page(
		"{\"namespaces\":[{\"name\":\"host\",\"counters\":{\"connect-fail\":12,\"active-open\":99},\"limits\":{"
		"\"tcp_tw_reuse\":2,\"ip_local_port_range\":\"1 2\",\"range-low\":32768,\"range-high\":60999,"
		"\"reserved-ports\":4,\"usable-ports\":8192},\"partial\":true}]}",
		TW_FORMAT_OPEN_METRICS, 10, 3);
	has("timewaitd_connect_failures_total{namespace=\"host\"} 12");
	has("timewaitd_active_opens_total{namespace=\"host\"} 99");
	has("timewaitd_sysctl_value{namespace=\"host\",sysctl=\"tcp_tw_reuse\"} 2");
	has("timewaitd_sysctl_value{namespace=\"host\",sysctl=\"ip_local_port_range_high\"} 60999");
	assert_int_equal(count("sysctl=\"ip_local_port_range\""), 0);
	has("timewaitd_reserved_ports{namespace=\"host\"} 4");
	has("timewaitd_usable_ports{namespace=\"host\"} 8192");
	has("timewaitd_partial{namespace=\"host\"} 1");
	has("# EOF");
}

/* However many there are, so many are told. */
static void test_rows_are_bounded(void **state TW_UNUSED)
{
	write_page(VIEW(VIEW_NAMESPACE("host", VIEW_DESTINATIONS) "," VIEW_NAMESPACE("web", VIEW_DESTINATIONS)),
		   TW_FORMAT_TEXT, 2, 1);
	assert_int_equal(count("timewaitd_destination_ports{namespace=\"host\""), 2);
	assert_int_equal(count("timewaitd_destination_ports{namespace=\"web\""), 1);
	assert_int_equal(count("timewaitd_listener_queue{namespace=\"web\""), 1);
	assert_int_equal(count("timewaitd_rule_raised{namespace=\"web\""), 4);
	assert_int_equal(count("timewaitd_sockets{namespace=\"web\""), TW_STATE_COUNT);
	has("timewaitd_namespaces 2");
	write_page(VIEW(VIEW_NAMESPACE("host", VIEW_DESTINATIONS)), TW_FORMAT_TEXT, 0, 0);
	assert_int_equal(count("timewaitd_destination_ports{"), 0);
}

/* A unit closes its name, and a family is told of once. */
static void test_names(void **state TW_UNUSED)
{
	for (unsigned i = 0; i < tw_namespace_family_count; i++) {
		const struct tw_family *family = &tw_namespace_families[i].family;
		size_t length = strlen(family->name), unit_length = family->unit ? strlen(family->unit) : 0;

		assert_true(!family->unit || (length > unit_length && family->name[length - unit_length - 1] == '_'));
		assert_string_equal(family->unit ? family->unit : "", &family->name[length - unit_length]);
		assert_true(family->help[strlen(family->help) - 1] == '.');
		assert_int_equal(strspn(family->name, "abcdefghijklmnopqrstuvwxyz_"), length);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(family->name, tw_namespace_families[j].family.name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_daemon),
		cmocka_unit_test(test_what_there_is),
		cmocka_unit_test(test_numbers_of_the_kernel),
		cmocka_unit_test(test_rows_are_bounded),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
