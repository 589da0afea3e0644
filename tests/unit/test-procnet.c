/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/procnet.h"

#include "base/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int parse(enum tw_procnet file, const char *text, struct tw_gauge *gauge)
{
	return tw_procnet_parse(file, text, strlen(text), gauge);
}

static const char sockstat_text[] = "sockets: used 290\n"
				    "TCP: inuse 12 orphan 3 tw 4567 alloc 18 mem 7\n"
				    "UDP: inuse 4 mem 2\n"
				    "UDPLITE: inuse 0\n"
				    "RAW: inuse 0\n"
				    "FRAG: inuse 0 memory 0\n";

static void test_sockstat(void **state TW_UNUSED)
{
	struct tw_gauge gauge = { 0 };

	assert_int_equal(parse(TW_PROCNET_SOCKSTAT, sockstat_text, &gauge), 0);
	assert_int_equal(gauge.tcp_inuse, 12);
	assert_int_equal(gauge.orphan, 3);
	assert_int_equal(gauge.time_wait, 4567);
	assert_int_equal(gauge.alloc, 18);
	assert_int_equal(gauge.memory_pages, 7);
}

static void test_sockstat_harm(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "TCP: inuse 1 orphan 2 tw 3 alloc 4 mem 5", 0 },	   /* no newline */
		{ "TCP: mem 5 tw 3 orphan 2 new 9 alloc 4 inuse 1\n", 0 }, /* another order, an unknown field */
		{ "", -EINVAL },
		{ "\n\n", -EINVAL },
		{ "UDP: inuse 1\n", -EINVAL },
		{ "TCP6: inuse 1 orphan 2 tw 3 alloc 4 mem 5", -EINVAL },
		{ "TCP: inuse 1 orphan 2 tw 3 alloc 4\n", -EINVAL },	 /* mem is missing */
		{ "TCP: inuse 1 orphan 2 tw 3 alloc 4 mem\n", -EINVAL }, /* its number is */
		{ "TCP: inuse 1 orphan 2 tw 3 alloc 4 mem x\n", -EINVAL },
		{ "TCP: inuse -1 orphan 2 tw 3 alloc 4 mem 5\n", -EINVAL },
		{ "TCP: inuse 99999999999999999999 orphan 2 tw 3 alloc 4 mem 5\n", -EINVAL },
		{ "TCP: inuse 1 orphan 2\nUDP: tw 3 alloc 4 mem 5\n", -EINVAL },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_gauge gauge = { 0 };

		assert_int_equal(parse(TW_PROCNET_SOCKSTAT, cases[i].text, &gauge), cases[i].r);
		assert_int_equal(gauge.tcp_inuse, cases[i].r < 0 ? 0 : 1);
		assert_int_equal(gauge.time_wait, cases[i].r < 0 ? 0 : 3);
	}
}

static void test_sockstat6(void **state TW_UNUSED)
{
	struct tw_gauge gauge = { 0 };

	assert_int_equal(parse(TW_PROCNET_SOCKSTAT6, "TCP6: inuse 3\nUDP6: inuse 1\n", &gauge), 0);
	assert_int_equal(gauge.tcp6_inuse, 3);
	assert_int_equal(parse(TW_PROCNET_SOCKSTAT6, "UDP6: inuse 1\n", &gauge), -EINVAL);
	assert_int_equal(parse(TW_PROCNET_SOCKSTAT6, "TCP6: inuse\n", &gauge), -EINVAL);
	assert_int_equal(parse(TW_PROCNET_SOCKSTAT6, "", &gauge), -EINVAL);
	assert_int_equal(gauge.tcp6_inuse, 3);
}

static const char snmp_text[] =
	"Ip: Forwarding DefaultTTL\nIp: 1 64\n"
	"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs\n"
	"Tcp: 1 200 120000 -1 101 102 103 104 105 106\n"
	"Udp: InDatagrams\nUdp: 7\n";

static void test_snmp(void **state TW_UNUSED)
{
	struct tw_gauge gauge = { .counters[TW_COUNTER_LISTEN_DROP] = { .value = 5, .known = true } };
	const struct tw_count *counters = gauge.counters;

	assert_int_equal(parse(TW_PROCNET_SNMP, snmp_text, &gauge), 0);
	assert_int_equal(gauge.established, 105);
	assert_int_equal(gauge.segments, 106);
	assert_int_equal(counters[TW_COUNTER_ACTIVE_OPEN].value, 101);
	assert_int_equal(counters[TW_COUNTER_PASSIVE_OPEN].value, 102);
	assert_int_equal(counters[TW_COUNTER_CONNECT_FAIL].value, 103);
	assert_int_equal(counters[TW_COUNTER_RESET].value, 104);
	assert_true(counters[TW_COUNTER_RESET].known);
	/* The other file's counters are none of its business. */
	assert_int_equal(counters[TW_COUNTER_LISTEN_DROP].value, 5);
	assert_false(counters[TW_COUNTER_TIME_WAIT_OVERFLOW].known);
	gauge.segments = 0;
	assert_int_equal(parse(TW_PROCNET_SNMP, "Tcp: OutSegs CurrEstab InSegs\nTcp: 3 1 4\n", &gauge), 0);
	assert_int_equal(gauge.segments, 7);
}

static void test_snmp_harm(void **state TW_UNUSED)
{
	static const char *const bad[] = {
		"",
		"Tcp:",
		"Tcp: CurrEstab\n",
		"Tcp: CurrEstab\nUdp: 5\n",
		"Tcp: CurrEstab\nTcp:\n",
		"Tcp: CurrEstab\nTcp: -1\n",
		"Tcp: ActiveOpens\nTcp: 1\n",
		"Tcp: ActiveOpens CurrEstab\nTcp: 1\n",
		"TcpExt: CurrEstab\nTcpExt: 1\n",
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(bad); i++) {
		struct tw_gauge gauge = { .established = 77 };

		assert_int_equal(parse(TW_PROCNET_SNMP, bad[i], &gauge), -EINVAL);
		assert_int_equal(gauge.established, 77);
		assert_false(gauge.counters[TW_COUNTER_ACTIVE_OPEN].known);
	}
}

static const char netstat_text[] = "TcpExt: SyncookiesSent TWRecycled TWKilled ListenOverflows ListenDrops "
				   "TCPTimeWaitOverflow TCPAbortOnMemory TCPNew\n"
				   "TcpExt: 1 2 3 4 5 18446744073709551615 7 8\n"
				   "IpExt: InNoRoutes\nIpExt: 9\n";

static void test_netstat(void **state TW_UNUSED)
{
	struct tw_gauge gauge = { 0 };
	const struct tw_count *counters = gauge.counters;

	assert_int_equal(parse(TW_PROCNET_NETSTAT, netstat_text, &gauge), 0);
	assert_int_equal(counters[TW_COUNTER_SYN_COOKIES].value, 1);
	assert_int_equal(counters[TW_COUNTER_TIME_WAIT_REUSED].value, 2);
	assert_int_equal(counters[TW_COUNTER_LISTEN_OVERFLOW].value, 4);
	assert_int_equal(counters[TW_COUNTER_LISTEN_DROP].value, 5);
	assert_true(counters[TW_COUNTER_TIME_WAIT_OVERFLOW].value == UINT64_MAX);
	assert_int_equal(counters[TW_COUNTER_MEMORY_ABORT].value, 7);
	assert_false(counters[TW_COUNTER_ACTIVE_OPEN].known);
	assert_int_equal(parse(TW_PROCNET_NETSTAT, snmp_text, &gauge), -EINVAL);
}

#define UNKNOWN UINT64_MAX

/* Names in any order: an older kernel has fewer, a newer one more. What is absent, or no number, stays unknown. */
static void test_columns(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		uint64_t reused, drop, cookies;
	} rows[] = {
		{ "TcpExt: ListenDrops SyncookiesSent TWRecycled\nTcpExt: 1 2 3\n", 3, 1, 2 },
		{ "TcpExt: TWRecycled\nTcpExt: 1", 1, UNKNOWN, UNKNOWN },
		{ "TcpExt: x TWRecycled y ListenDrops\nTcpExt: 8 1 9 2\n", 1, 2, UNKNOWN },
		{ "TcpExtx: TWRecycled\nTcpExtx: 1\nTcpExt: TWRecycled\nU: 3\nTcpExt: 2\n", 2, UNKNOWN, UNKNOWN },
		/* Parts of names are no names. */
		{ "TcpExt: TWRecycleds aTWRecycled TWRecycle TWRecycled\nTcpExt: 1 2 3 4\n", 4, UNKNOWN, UNKNOWN },
		/* Too few numbers, or what is none. */
		{ "TcpExt: ListenDrops SyncookiesSent TWRecycled\nTcpExt: 1 2\n", UNKNOWN, 1, 2 },
		{ "TcpExt: ListenDrops SyncookiesSent TWRecycled\nTcpExt: 1 x -3\n", UNKNOWN, 1, UNKNOWN },
		{ "TcpExt: ListenDrops SyncookiesSent TWRecycled\nTcpExt:\n", UNKNOWN, UNKNOWN, UNKNOWN },
		{ "TcpExt:\nTcpExt: 1\n", UNKNOWN, UNKNOWN, UNKNOWN },
		{ "TcpExt: \nTcpExt: 1\n", UNKNOWN, UNKNOWN, UNKNOWN },
		/* The first of two. */
		{ "TcpExt: ListenDrops ListenDrops\nTcpExt: 1 2\n", UNKNOWN, 1, UNKNOWN },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const uint64_t expected[] = { rows[i].reused, rows[i].drop, rows[i].cookies };
		static const enum tw_counter which[] = {
			TW_COUNTER_TIME_WAIT_REUSED,
			TW_COUNTER_LISTEN_DROP,
			TW_COUNTER_SYN_COOKIES,
		};
		struct tw_gauge gauge = { 0 };

		assert_int_equal(parse(TW_PROCNET_NETSTAT, rows[i].text, &gauge), 0);
		for (size_t k = 0; k < TW_ARRAY_SIZE(which); k++) {
			assert_int_equal(gauge.counters[which[k]].known, expected[k] != UNKNOWN);
			if (gauge.counters[which[k]].known)
				assert_int_equal(gauge.counters[which[k]].value, expected[k]);
		}
	}
}

static void test_no_table(void **state TW_UNUSED)
{
	static const char *const texts[] = { "",
					     "TcpExt: TWRecycled",
					     "TcpExt: TWRecycled\n",
					     "TcpExt: TWRecycled\nU: 1\n",
					     "tcpext: TWRecycled\ntcpext: 1\n",
					     "TTcpExt: TWRecycled\nTTcpExt: 1\n" };

	for (size_t i = 0; i < TW_ARRAY_SIZE(texts); i++) {
		struct tw_gauge gauge = { .counters[TW_COUNTER_TIME_WAIT_REUSED] = { 7, true } };

		assert_int_equal(parse(TW_PROCNET_NETSTAT, texts[i], &gauge), -EINVAL);
		assert_int_equal(gauge.counters[TW_COUNTER_TIME_WAIT_REUSED].value, 7);
	}
}

/* Cut anywhere, a text is either refused or tells only what is true. */
static void test_cuts(void **state TW_UNUSED)
{
	for (size_t cut = 0; cut < strlen(netstat_text); cut++) {
		struct tw_gauge gauge = { 0 };
		bool values = cut > (size_t)(strstr(netstat_text, "TcpExt: 1") - netstat_text) + strlen("TcpExt:");

		if (tw_procnet_parse(TW_PROCNET_NETSTAT, netstat_text, cut, &gauge) == 0 &&
		    gauge.counters[TW_COUNTER_SYN_COOKIES].known) {
			assert_true(values);
			assert_int_equal(gauge.counters[TW_COUNTER_SYN_COOKIES].value, 1);
		}
		if (cut < strlen("sockets: used 290\nTCP: inuse 12 orphan 3 tw 4567 alloc 18 mem 7"))
			assert_int_equal(tw_procnet_parse(TW_PROCNET_SOCKSTAT, sockstat_text, cut, &gauge), -EINVAL);
	}
}

static void test_numbers(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		unsigned count;
		int r;
		uint64_t last;
	} cases[] = {
		{ "94206\t125610\t188412\n", 3, 0, 188412 },
		{ "1\t2\n", 3, -EINVAL, 7 },
		{ "1 2 3 4\n", 3, -EINVAL, 7 },
		{ "1 2 -3\n", 3, -EINVAL, 7 },
		{ "262144\n", 1, 0, 262144 },
		{ "0", 1, 0, 0 },
		{ "18446744073709551615\n", 1, 0, UINT64_MAX },
		{ "", 1, -EINVAL, 7 },
		{ "\n", 1, -EINVAL, 7 },
		{ "-1\n", 1, -EINVAL, 7 },
		{ "1 2\n", 1, -EINVAL, 7 },
		{ "1x\n", 1, -EINVAL, 7 },
		{ "18446744073709551616\n", 1, -EINVAL, 7 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		uint64_t last = 7;

		assert_int_equal(tw_procnet_parse_numbers(cases[i].text, strlen(cases[i].text), cases[i].count, &last),
				 cases[i].r);
		assert_true(last == cases[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockstat), cmocka_unit_test(test_sockstat_harm), cmocka_unit_test(test_sockstat6),
		cmocka_unit_test(test_snmp),	 cmocka_unit_test(test_snmp_harm),     cmocka_unit_test(test_netstat),
		cmocka_unit_test(test_columns),	 cmocka_unit_test(test_no_table),      cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
