/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/snapshot.h"

#include "base/macros.h"
#include "tell-sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static char page[16384];

static const char *as_json(const struct tw_sample *shown, unsigned top)
{
	struct tw_text text;
	struct tw_json json;

	tw_text_init(&text, page, sizeof(page));
	tw_json_init(&json, &text);
	tw_snapshot_add_json(&json, "host", shown, top);
	assert_false(text.cut);
	return page;
}

static const char *as_text(const struct tw_sample *shown, unsigned top)
{
	struct tw_text text;

	tw_text_init(&text, page, sizeof(page));
	tw_snapshot_add_text(&text, "host", shown, top);
	assert_false(text.cut);
	return page;
}

#define NO_SYSCTLS_BEHIND_RANGE                                                                 \
	"\"tcp_fin_timeout\":null,\"tcp_max_orphans\":null,\"tcp_orphan_retries\":null,"        \
	"\"tcp_max_syn_backlog\":null,\"somaxconn\":null,\"tcp_syncookies\":null,"              \
	"\"tcp_synack_retries\":null,\"tcp_keepalive_time\":null,\"tcp_keepalive_intvl\":null," \
	"\"tcp_keepalive_probes\":null,\"tcp_timestamps\":null,\"tcp_rfc1337\":null,"           \
	"\"tcp_tw_timeout\":null,\"tcp_tw_recycle\":null}"

static void test_json(void **state TW_UNUSED)
{
	assert_string_equal(
		as_json(&sample, 2),
		"{\"name\":\"host\",\"partial\":false,"
		"\"states\":{\"listen\":null,\"syn-sent\":null,\"syn-recv\":null,\"established\":12,"
		"\"fin-wait-1\":null,\"fin-wait-2\":null,\"close-wait\":0,\"last-ack\":null,\"closing\":null,"
		"\"time-wait\":3866,\"bound\":null},"
		"\"metrics\":{\"port-use\":47.254,\"port-eta\":null,\"time-wait-buckets\":2.949,\"orphans\":null,"
		"\"tcp-memory\":10,\"accept-queue\":null,\"close-wait-age\":null,\"close-wait-aged\":null,"
		"\"time-wait-overflow\":0.5,\"listen-overflow\":null,\"listen-drop\":null,\"syn-cookies\":null,"
		"\"connect-fail\":null,\"reset\":null,\"memory-abort\":null,\"time-wait-reused\":null},"
		"\"limits\":{\"usable-ports\":8192,\"range-low\":32768,\"range-high\":40999,\"reserved-ports\":12,"
		"\"tcp_tw_reuse\":2,\"tcp_tw_reuse_delay\":null,\"tcp_max_tw_buckets\":131072,"
		"\"ip_local_port_range\":\"32768 40999\"," NO_SYSCTLS_BEHIND_RANGE ","
		"\"destinations\":[{\"source\":\"10.0.0.1\",\"destination\":\"10.0.0.2:8080\",\"ports\":3871,"
		"\"time-wait\":3866,\"established\":4,\"port-use\":47.254},"
		"{\"source\":\"::1\",\"destination\":\"[::2]:443\",\"ports\":9,\"time-wait\":0,\"established\":9,"
		"\"port-use\":0.11}],"
		"\"listeners\":null,\"close-wait\":null}");
}

/* Of what was never measured nothing is claimed: neither zero nor an empty table. */
static void test_json_unknown(void **state TW_UNUSED)
{
	static const struct tw_sample nothing;

	assert_string_equal(
		as_json(&nothing, 10),
		"{\"name\":\"host\",\"partial\":false,"
		"\"states\":{\"listen\":null,\"syn-sent\":null,\"syn-recv\":null,\"established\":null,"
		"\"fin-wait-1\":null,\"fin-wait-2\":null,\"close-wait\":null,\"last-ack\":null,\"closing\":null,"
		"\"time-wait\":null,\"bound\":null},"
		"\"metrics\":{\"port-use\":null,\"port-eta\":null,\"time-wait-buckets\":null,\"orphans\":null,"
		"\"tcp-memory\":null,\"accept-queue\":null,\"close-wait-age\":null,\"close-wait-aged\":null,"
		"\"time-wait-overflow\":null,\"listen-overflow\":null,\"listen-drop\":null,\"syn-cookies\":null,"
		"\"connect-fail\":null,\"reset\":null,\"memory-abort\":null,\"time-wait-reused\":null},"
		"\"limits\":{\"usable-ports\":null,\"range-low\":null,\"range-high\":null,\"reserved-ports\":null,"
		"\"tcp_tw_reuse\":null,\"tcp_tw_reuse_delay\":null,\"tcp_max_tw_buckets\":null,"
		"\"ip_local_port_range\":null," NO_SYSCTLS_BEHIND_RANGE ","
		"\"destinations\":null,\"listeners\":null,\"close-wait\":null}");
}

/* Numbers of a dump that moved too much are not shown, and the page says why. */
static void test_partial(void **state TW_UNUSED)
{
	struct tw_sample census = sample, survey = sample;

	census.census.partial = true;
	as_json(&census, 2);
	assert_non_null(strstr(page, "\"partial\":true"));
	assert_non_null(strstr(page, "\"time-wait\":null,\"bound\":null"));
	assert_non_null(strstr(page, "\"usable-ports\":8192"));
	as_text(&census, 2);
	assert_non_null(strstr(page, "Network namespace host (measured in part only"));
	assert_non_null(strstr(page, "  TIME-WAIT        unknown\n"));

	survey.survey.partial = true;
	as_json(&survey, 2);
	assert_non_null(strstr(page, "\"partial\":true"));
	assert_non_null(strstr(page, "\"time-wait\":3866,\"bound\":null"));
	assert_non_null(strstr(page, "\"usable-ports\":null"));
	assert_non_null(strstr(page, "\"port-use\":null"));
	assert_non_null(strstr(page, "\"destinations\":null"));
	as_text(&survey, 2);
	assert_non_null(strstr(page, "Ports by destination\n  unknown\n"));
	assert_null(strstr(page, "usable ports"));
}

static void test_top(void **state TW_UNUSED)
{
	struct tw_sample idle = sample;

	as_json(&sample, 0);
	assert_non_null(strstr(page, "\"destinations\":[],"));
	as_json(&sample, 1);
	assert_non_null(strstr(page, "10.0.0.2:8080"));
	assert_null(strstr(page, "[::2]:443"));
	as_text(&sample, 1);
	assert_non_null(strstr(page, "\n  and 2 more\n"));

	idle.survey.top_count = 0;
	idle.survey.destinations = 0;
	as_text(&idle, 10);
	assert_non_null(strstr(page, "Ports by destination\n  none in use\n"));
	assert_null(strstr(page, "more"));
}

/* A name is a stranger's text. */
static void test_hostile_name(void **state TW_UNUSED)
{
	struct tw_text text;
	struct tw_json json;

	tw_text_init(&text, page, sizeof(page));
	tw_json_init(&json, &text);
	tw_snapshot_add_json(&json, "a\"\n", &sample, 2);
	assert_memory_equal(page, "{\"name\":\"a\\\"\\n\",", 16);
}

static void test_text(void **state TW_UNUSED)
{
	assert_string_equal(as_text(&sample, 2),
			    "Network namespace host\n"
			    "\n"
			    "State              sockets   of them IPv6\n"
			    "  LISTEN           unknown\n"
			    "  SYN-SENT         unknown\n"
			    "  SYN-RECV         unknown\n"
			    "  ESTABLISHED           12              2\n"
			    "  FIN-WAIT-1       unknown\n"
			    "  FIN-WAIT-2       unknown\n"
			    "  CLOSE-WAIT             0              0\n"
			    "  LAST-ACK         unknown\n"
			    "  CLOSING          unknown\n"
			    "  TIME-WAIT           3866              0\n"
			    "  BOUND            unknown\n"
			    "\n"
			    "Metrics\n"
			    "  port-use             47.3%\n"
			    "  time-wait-buckets    2.9%\n"
			    "  tcp-memory           10%\n"
			    "  time-wait-overflow   0.5/s\n"
			    "\n"
			    "Limits\n"
			    "  usable ports                     8192\n"
			    "  reserved ports of the range      12\n"
			    "  net.ipv4.tcp_tw_reuse            2\n"
			    "  net.ipv4.tcp_max_tw_buckets      131072\n"
			    "  net.ipv4.ip_local_port_range     32768 40999\n"
			    "\n"
			    "Ports by destination\n"
			    "    ports  TIME-WAIT  ESTABLISHED   other     use  source -> destination\n"
			    "     3871       3866            4       1   47.3%  10.0.0.1 -> 10.0.0.2:8080\n"
			    "        9          0            9       0    0.1%  ::1 -> [::2]:443\n"
			    "  and 1 more\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json), cmocka_unit_test(test_json_unknown), cmocka_unit_test(test_partial),
		cmocka_unit_test(test_top),  cmocka_unit_test(test_hostile_name), cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
