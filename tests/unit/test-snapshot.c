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

	tw_text_init(&text, page, sizeof(page));
	tw_snapshot_add_json(&text, "host", shown, top, NULL);
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

#define NO_SYSCTLS_BEHIND_RANGE                                                                                     \
	"\"tcp_fin_timeout\":null,\"ip_autobind_reuse\":null,\"tcp_max_orphans\":null,\"tcp_orphan_retries\":null," \
	"\"tcp_max_syn_backlog\":null,\"somaxconn\":null,\"tcp_syncookies\":null,"                                  \
	"\"tcp_synack_retries\":null,\"tcp_keepalive_time\":null,\"tcp_keepalive_intvl\":null,"                     \
	"\"tcp_keepalive_probes\":null,\"tcp_timestamps\":null,\"tcp_rfc1337\":null,"                               \
	"\"tcp_tw_timeout\":null,\"tcp_tw_recycle\":null}"

static void test_json(void **state TW_UNUSED)
{
	assert_string_equal(
		as_json(&sample, 2),
		"{\"name\":\"host\",\"partial\":false,"
		"\"states\":{\"listen\":null,\"syn-sent\":0,\"syn-recv\":null,\"established\":12,"
		"\"fin-wait-1\":null,\"fin-wait-2\":null,\"close-wait\":4,\"last-ack\":null,\"closing\":null,"
		"\"time-wait\":3866,\"bound\":null},"
		"\"metrics\":{\"port-use\":47.254,\"port-eta\":3.94,\"time-wait-buckets\":2.949,\"orphans\":null,"
		"\"tcp-memory\":10,\"accept-queue\":98.238,\"close-wait-age\":71.2,\"close-wait-aged\":null,"
		"\"time-wait-overflow\":0.5,\"listen-overflow\":null,\"listen-drop\":null,\"syn-cookies\":null,"
		"\"connect-fail\":null,\"reset\":null,\"memory-abort\":null,\"time-wait-reused\":null},"
		"\"counters\":{\"time-wait-overflow\":1250,\"listen-overflow\":null,\"listen-drop\":null,\"syn-"
		"cookies\":"
		"null,\"connect-fail\":null,\"reset\":null,\"memory-abort\":null,\"time-wait-reused\":null,\"active-"
		"open\":"
		"99,\"passive-open\":null},"
		"\"limits\":{\"usable-ports\":8192,\"exclusive-ports\":100,\"bound-first-ports\":7,"
		"\"unclear-ports\":5,\"range-low\":32768,\"range-high\":40999,\"reserved-ports\":12,"
		"\"tcp_tw_reuse\":2,\"tcp_tw_reuse_delay\":null,\"tcp_max_tw_buckets\":131072,"
		"\"ip_local_port_range\":\"32768 40999\"," NO_SYSCTLS_BEHIND_RANGE ","
		"\"destinations\":[{\"source\":\"10.0.0.1\",\"destination\":\"10.0.0.2:8080\",\"device\":null,"
		"\"ports\":3871,"
		"\"time-wait\":3866,\"established\":4,\"other\":1,\"held\":{\"time-wait\":3866,\"established\":4,"
		"\"syn-sent\":1,\"fin-wait-2-orphaned\":0,\"fin-wait-2\":0,\"close-wait\":0,\"closing\":0},"
		"\"blocked\":3871,\"bound-first\":7,\"port-use\":47.254,\"port-demand\":120.5,\"port-eta\":3.94},"
		"{\"source\":\"::1\",\"destination\":\"[::2]:443\",\"device\":3,\"ports\":9,\"time-wait\":0,"
		"\"established\":9,"
		"\"other\":0,\"held\":{\"time-wait\":0,\"established\":9,\"syn-sent\":0,\"fin-wait-2-orphaned\":0,"
		"\"fin-wait-2\":0,\"close-wait\":0,\"closing\":0},\"blocked\":9,\"bound-first\":null,"
		"\"port-use\":0.11,\"port-demand\":null,\"port-eta\":null}],"
		"\"listeners\":[{\"address\":\"0.0.0.0:80\",\"sockets\":2,\"queue\":502,\"backlog\":511,"
		"\"connections\":12,\"close-wait\":3,\"syn-recv\":1,\"time-wait\":0,\"share\":3.409},"
		"{\"address\":\"[::1]:443\",\"sockets\":1,\"queue\":0,\"backlog\":4096,\"connections\":0,"
		"\"close-wait\":0,\"syn-recv\":0,\"time-wait\":null,\"share\":0}],"
		"\"close-wait\":[{\"unit\":\"web.service\",\"count\":3,\"oldest\":71.2,\"unread\":10},"
		"{\"unit\":null,\"count\":1,\"oldest\":5,\"unread\":0}],\"bound\":[],"
		"\"binders\":[{\"source\":\"10.0.0.1\",\"ports\":7,\"destinations\":2,"
		"\"most\":\"10.0.0.2:8080\"}]}");
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
		"\"counters\":{\"time-wait-overflow\":null,\"listen-overflow\":null,\"listen-drop\":null,\"syn-"
		"cookies\":"
		"null,\"connect-fail\":null,\"reset\":null,\"memory-abort\":null,\"time-wait-reused\":null,\"active-"
		"open\":"
		"null,\"passive-open\":null},"
		"\"limits\":{\"usable-ports\":null,\"exclusive-ports\":null,\"bound-first-ports\":null,"
		"\"unclear-ports\":null,\"range-low\":null,\"range-high\":null,\"reserved-ports\":null,"
		"\"tcp_tw_reuse\":null,\"tcp_tw_reuse_delay\":null,\"tcp_max_tw_buckets\":null,"
		"\"ip_local_port_range\":null," NO_SYSCTLS_BEHIND_RANGE ","
		"\"destinations\":null,\"listeners\":null,\"close-wait\":null,\"bound\":null,\"binders\":null}");
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

/* Each table of its own: one that is not whole takes no other with it. */
static void test_partial_tables(void **state TW_UNUSED)
{
	struct tw_sample accepting = sample, close_wait = sample;

	accepting.accepting.partial = true;
	as_json(&accepting, 2);
	assert_non_null(strstr(page, "\"partial\":true"));
	assert_non_null(strstr(page, "\"accept-queue\":null"));
	assert_non_null(strstr(page, "\"listeners\":null,\"close-wait\":[{"));
	as_text(&accepting, 2);
	assert_null(strstr(page, "Listeners"));
	assert_non_null(strstr(page, "CLOSE-WAIT by unit"));

	close_wait.close_wait.partial = true;
	as_json(&close_wait, 2);
	assert_non_null(strstr(page, "\"partial\":true"));
	assert_non_null(strstr(page, "\"close-wait-age\":null"));
	assert_non_null(strstr(page, "\"share\":0}],\"close-wait\":null,\"bound\":[],"
				     "\"binders\":[{\"source\":\"10.0.0.1\",\"ports\":7,\"destinations\":2,"
				     "\"most\":\"10.0.0.2:8080\"}]}"));
	as_text(&close_wait, 2);
	assert_non_null(strstr(page, "Listeners"));
	assert_null(strstr(page, "CLOSE-WAIT by unit"));
}

/* Nobody listens, nothing leaks: that is known, and no table. A share of no connection at all is not known. */
static void test_empty_tables(void **state TW_UNUSED)
{
	struct tw_sample idle = sample;

	idle.accepting.row_count = 0;
	idle.accepting.listeners = 0;
	idle.accepting.accept_queue = tw_value_unknown();
	idle.close_wait.row_count = 0;
	idle.close_wait.socket_count = 0;
	as_json(&idle, 2);
	assert_non_null(strstr(page, "\"listeners\":[],\"close-wait\":[],\"bound\":[],"
				     "\"binders\":[{\"source\":\"10.0.0.1\",\"ports\":7,\"destinations\":2,"
				     "\"most\":\"10.0.0.2:8080\"}]}"));
	assert_non_null(strstr(page, "\"accept-queue\":null,\"close-wait-age\":0,"));
	as_text(&idle, 2);
	assert_null(strstr(page, "Listeners"));
	assert_null(strstr(page, "CLOSE-WAIT by unit"));

	idle = sample;
	idle.accepting.connections.value = 0;
	as_json(&idle, 1);
	assert_non_null(strstr(page, "\"time-wait\":0,\"share\":null}]"));
}

/* A census that derived what is many knows nothing of its parts. */
static void test_derived(void **state TW_UNUSED)
{
	struct tw_sample derived = sample;

	derived.census.ipv6_known[TW_STATE_ESTABLISHED] = false;
	derived.accepting.connections = derived.accepting.rows[0].connections = (struct tw_count){ 0 };
	as_json(&derived, 1);
	assert_non_null(strstr(page, "\"established\":12,"));
	assert_non_null(
		strstr(page, "\"connections\":null,\"close-wait\":3,\"syn-recv\":1,\"time-wait\":0,\"share\":null}]"));
	as_text(&derived, 1);
	assert_non_null(strstr(page, "  ESTABLISHED           12        unknown\n"));
	assert_non_null(strstr(
		page,
		"        2      502      511      unknown unknown           3         1          0  0.0.0.0:80\n"));
}

/* Where the ports do not run out, no number says when. */
static void test_never(void **state TW_UNUSED)
{
	struct tw_sample steady = sample;

	steady.survey.port_eta = tw_value_of(INT64_MAX / 2);
	steady.survey.top[0].port_eta = tw_value_of(INT64_MAX / 2);
	as_json(&steady, 1);
	assert_non_null(strstr(page, "\"port-use\":47.254,\"port-eta\":null,\"time-wait-buckets\""));
	assert_non_null(strstr(page, "\"port-demand\":120.5,\"port-eta\":null}]"));
	as_text(&steady, 1);
	assert_null(strstr(page, "port-eta"));
}

/* A unit's name is that of a directory, which may be anything: a terminal does not obey it. */
static void test_hostile_unit(void **state TW_UNUSED)
{
	struct tw_sample hostile = sample;

	(void)tw_text_copy(hostile.close_wait.rows[0].unit, TW_UNIT_MAX, "a\n\x1b[2J\"b");
	hostile.close_wait.untracked = 7;
	as_text(&hostile, 1);
	assert_non_null(strstr(page, "  a??[2J\"b\n  and 1 more\n  and 7 more sockets that are not told apart\n"));
	as_json(&hostile, 1);
	assert_non_null(strstr(page, "\"unit\":\"a\\n\\u001b[2J\\\"b\","));
}

/* More rows than a table has are never read, whatever a sample says. */
static void test_overlong_tables(void **state TW_UNUSED)
{
	static char bytes[256 * 1024];
	struct tw_sample long_tables = sample;
	struct tw_text text;

	long_tables.survey.top_count = UINT32_MAX;
	long_tables.accepting.row_count = UINT32_MAX;
	long_tables.close_wait.row_count = UINT32_MAX;
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_snapshot_add_json(&text, "host", &long_tables, UINT32_MAX, NULL);
	tw_snapshot_add_text(&text, "host", &long_tables, UINT32_MAX);
	assert_false(text.cut);
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

	tw_text_init(&text, page, sizeof(page));
	tw_snapshot_add_json(&text, "a\"\n", &sample, 2, NULL);
	assert_memory_equal(page, "{\"name\":\"a\\\"\\n\",", 16);
}

static void test_text(void **state TW_UNUSED)
{
	assert_string_equal(
		as_text(&sample, 2),
		"Network namespace host\n"
		"\n"
		"State              sockets   of them IPv6\n"
		"  LISTEN           unknown\n"
		"  SYN-SENT               0              0\n"
		"  SYN-RECV         unknown\n"
		"  ESTABLISHED           12              2\n"
		"  FIN-WAIT-1       unknown\n"
		"  FIN-WAIT-2       unknown\n"
		"  CLOSE-WAIT             4              0\n"
		"  LAST-ACK         unknown\n"
		"  CLOSING          unknown\n"
		"  TIME-WAIT           3866        unknown\n"
		"  BOUND            unknown\n"
		"\n"
		"Metrics\n"
		"  port-use             47.3%\n"
		"  port-eta             3.9s\n"
		"  time-wait-buckets    2.9%\n"
		"  tcp-memory           10%\n"
		"  accept-queue         98.2%\n"
		"  close-wait-age       1min 11s\n"
		"  time-wait-overflow   0.5/s\n"
		"\n"
		"Limits\n"
		"  usable ports                     8192\n"
		"  of these taken for everybody     100\n"
		"  reserved ports of the range      12\n"
		"  net.ipv4.tcp_tw_reuse            2\n"
		"  net.ipv4.tcp_max_tw_buckets      131072\n"
		"  net.ipv4.ip_local_port_range     32768 40999\n"
		"\n"
		"Ports by destination\n"
		"    ports  TIME-WAIT  ESTABLISHED   other  blocked     use  source -> destination\n"
		"     3871       3866            4       1     3871   47.3%  10.0.0.1 -> 10.0.0.2:8080\n"
		"        9          0            9       0        9    0.1%  ::1 -> [::2]:443\n"
		"  and 1 more\n"
		"\n"
		"Listeners\n"
		"  sockets    queue  backlog  connections   share  CLOSE-WAIT  SYN-RECV  TIME-WAIT  address\n"
		"        2      502      511           12    3.4%           3         1          0  0.0.0.0:80\n"
		"        1        0     4096            0      0%           0         0    unknown  [::1]:443\n"
		"  and 1 more\n"
		"\n"
		"CLOSE-WAIT by unit\n"
		"  sockets        oldest  unread bytes  unit\n"
		"        3      1min 11s            10  web.service\n"
		"        1            5s             0  unknown\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_unknown),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_partial_tables),
		cmocka_unit_test(test_empty_tables),
		cmocka_unit_test(test_derived),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_hostile_unit),
		cmocka_unit_test(test_overlong_tables),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_hostile_name),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
