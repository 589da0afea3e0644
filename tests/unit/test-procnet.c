/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/procnet.h"

#include "base/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char sockstat_text[] = "sockets: used 290\n"
				    "TCP: inuse 12 orphan 3 tw 4567 alloc 18 mem 7\n"
				    "UDP: inuse 4 mem 2\n"
				    "UDPLITE: inuse 0\n"
				    "RAW: inuse 0\n"
				    "FRAG: inuse 0 memory 0\n";

static void test_sockstat(void **state TW_UNUSED)
{
	struct tw_procnet_sockstat sockstat;

	assert_int_equal(tw_procnet_parse_sockstat(sockstat_text, strlen(sockstat_text), &sockstat), 0);
	assert_int_equal(sockstat.inuse, 12);
	assert_int_equal(sockstat.orphan, 3);
	assert_int_equal(sockstat.time_wait, 4567);
	assert_int_equal(sockstat.alloc, 18);
	assert_int_equal(sockstat.memory_pages, 7);
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
		struct tw_procnet_sockstat sockstat = { .inuse = 1000 };

		assert_int_equal(tw_procnet_parse_sockstat(cases[i].text, strlen(cases[i].text), &sockstat),
				 cases[i].r);
		assert_int_equal(sockstat.inuse, cases[i].r < 0 ? 1000 : 1);
		assert_int_equal(sockstat.time_wait, cases[i].r < 0 ? 0 : 3);
	}
}

static void test_sockstat6(void **state TW_UNUSED)
{
	uint64_t inuse = 9;

	assert_int_equal(tw_procnet_parse_sockstat6("TCP6: inuse 3\nUDP6: inuse 1\n", 28, &inuse), 0);
	assert_int_equal(inuse, 3);
	assert_int_equal(tw_procnet_parse_sockstat6("UDP6: inuse 1\n", 14, &inuse), -EINVAL);
	assert_int_equal(tw_procnet_parse_sockstat6("TCP6: inuse\n", 12, &inuse), -EINVAL);
	assert_int_equal(tw_procnet_parse_sockstat6("", 0, &inuse), -EINVAL);
	assert_int_equal(inuse, 3);
}

static const char snmp_text[] =
	"Ip: Forwarding DefaultTTL\nIp: 1 64\n"
	"Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs\n"
	"Tcp: 1 200 120000 -1 101 102 103 104 105 106\n"
	"Udp: InDatagrams\nUdp: 7\n";

static void test_snmp(void **state TW_UNUSED)
{
	struct tw_proc_layout layout = { 0 };
	struct tw_count counters[TW_COUNTER_COUNT] = { 0 };
	struct tw_procnet_snmp snmp = { 0 };

	counters[TW_COUNTER_LISTEN_DROP] = (struct tw_count){ .value = 5, .known = true };
	assert_int_equal(tw_procnet_parse_snmp(snmp_text, strlen(snmp_text), &layout, counters, &snmp), 0);
	assert_int_equal(snmp.established, 105);
	assert_int_equal(snmp.segments, 106);
	assert_int_equal(counters[TW_COUNTER_ACTIVE_OPEN].value, 101);
	assert_int_equal(counters[TW_COUNTER_PASSIVE_OPEN].value, 102);
	assert_int_equal(counters[TW_COUNTER_CONNECT_FAIL].value, 103);
	assert_int_equal(counters[TW_COUNTER_RESET].value, 104);
	assert_true(counters[TW_COUNTER_RESET].known);
	/* The other file's counters are none of its business. */
	assert_int_equal(counters[TW_COUNTER_LISTEN_DROP].value, 5);
	assert_false(counters[TW_COUNTER_TIME_WAIT_OVERFLOW].known);
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
		struct tw_count counters[TW_COUNTER_COUNT] = { 0 };
		struct tw_proc_layout layout = { 0 };
		struct tw_procnet_snmp snmp = { .established = 77 };

		assert_int_equal(tw_procnet_parse_snmp(bad[i], strlen(bad[i]), &layout, counters, &snmp), -EINVAL);
		assert_int_equal(snmp.established, 77);
		assert_false(counters[TW_COUNTER_ACTIVE_OPEN].known);
	}
}

static const char netstat_text[] = "TcpExt: SyncookiesSent TWRecycled TWKilled ListenOverflows ListenDrops "
				   "TCPTimeWaitOverflow TCPAbortOnMemory TCPNew\n"
				   "TcpExt: 1 2 3 4 5 18446744073709551615 7 8\n"
				   "IpExt: InNoRoutes\nIpExt: 9\n";

static void test_netstat(void **state TW_UNUSED)
{
	struct tw_proc_layout layout = { 0 };
	struct tw_count counters[TW_COUNTER_COUNT] = { 0 };

	assert_int_equal(tw_procnet_parse_netstat(netstat_text, strlen(netstat_text), &layout, counters), 0);
	assert_int_equal(counters[TW_COUNTER_SYN_COOKIES].value, 1);
	assert_int_equal(counters[TW_COUNTER_TIME_WAIT_REUSED].value, 2);
	assert_int_equal(counters[TW_COUNTER_LISTEN_OVERFLOW].value, 4);
	assert_int_equal(counters[TW_COUNTER_LISTEN_DROP].value, 5);
	assert_true(counters[TW_COUNTER_TIME_WAIT_OVERFLOW].value == UINT64_MAX);
	assert_int_equal(counters[TW_COUNTER_MEMORY_ABORT].value, 7);
	assert_false(counters[TW_COUNTER_ACTIVE_OPEN].known);
	assert_int_equal(tw_procnet_parse_netstat(snmp_text, strlen(snmp_text), &layout, counters), -EINVAL);
}

/* An older kernel has fewer names: what is absent stays unknown. */
static void test_netstat_absent(void **state TW_UNUSED)
{
	struct tw_proc_layout layout = { 0 };
	static const char text[] = "TcpExt: TWRecycled ListenDrops\nTcpExt: 2 x\n";
	struct tw_count counters[TW_COUNTER_COUNT] = { 0 };

	assert_int_equal(tw_procnet_parse_netstat(text, strlen(text), &layout, counters), 0);
	assert_true(counters[TW_COUNTER_TIME_WAIT_REUSED].known);
	assert_false(counters[TW_COUNTER_LISTEN_DROP].known);
	assert_false(counters[TW_COUNTER_TIME_WAIT_OVERFLOW].known);
}

/* Cut anywhere, a text is either refused or tells only what is true. */
static void test_cuts(void **state TW_UNUSED)
{
	struct tw_proc_layout layout = { 0 };
	for (size_t cut = 0; cut < strlen(netstat_text); cut++) {
		struct tw_count counters[TW_COUNTER_COUNT] = { 0 };
		struct tw_procnet_sockstat sockstat;
		bool values = cut > (size_t)(strstr(netstat_text, "TcpExt: 1") - netstat_text) + strlen("TcpExt:");

		if (tw_procnet_parse_netstat(netstat_text, cut, &layout, counters) == 0 &&
		    counters[TW_COUNTER_SYN_COOKIES].known) {
			assert_true(values);
			assert_int_equal(counters[TW_COUNTER_SYN_COOKIES].value, 1);
		}
		if (cut < strlen("sockets: used 290\nTCP: inuse 12 orphan 3 tw 4567 alloc 18 mem 7"))
			assert_int_equal(tw_procnet_parse_sockstat(sockstat_text, cut, &sockstat), -EINVAL);
	}
}

static void test_tcp_mem(void **state TW_UNUSED)
{
	uint64_t limit = 1;

	assert_int_equal(tw_procnet_parse_tcp_mem("94206\t125610\t188412\n", 20, &limit), 0);
	assert_int_equal(limit, 188412);
	assert_int_equal(tw_procnet_parse_tcp_mem("1\t2\n", 4, &limit), -EINVAL);
	assert_int_equal(tw_procnet_parse_tcp_mem("1 2 3 4\n", 8, &limit), -EINVAL);
	assert_int_equal(tw_procnet_parse_tcp_mem("1 2 -3\n", 7, &limit), -EINVAL);
	assert_int_equal(limit, 188412);
}

static void test_port_range(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		int r;
		uint16_t low, high;
	} cases[] = {
		{ "32768\t60999\n", 0, 32768, 60999 }, { "0 65535", 0, 0, 65535 },	{ "5\t5\n", 0, 5, 5 },
		{ "6\t5\n", -EINVAL, 1, 2 },	       { "1\t65536\n", -EINVAL, 1, 2 }, { "1\n", -EINVAL, 1, 2 },
		{ "1\t2\t3\n", -EINVAL, 1, 2 },	       { "", -EINVAL, 1, 2 },		{ "-1\t2\n", -EINVAL, 1, 2 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		uint16_t low = 1, high = 2;

		assert_int_equal(tw_procnet_parse_port_range(cases[i].text, strlen(cases[i].text), &low, &high),
				 cases[i].r);
		assert_int_equal(low, cases[i].low);
		assert_int_equal(high, cases[i].high);
	}
}

static void test_number(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		int r;
		uint64_t number;
	} cases[] = {
		{ "262144\n", 0, 262144 }, { "0", 0, 0 },	   { "18446744073709551615\n", 0, UINT64_MAX },
		{ "", -EINVAL, 3 },	   { "\n", -EINVAL, 3 },   { "-1\n", -EINVAL, 3 },
		{ "1 2\n", -EINVAL, 3 },   { "1x\n", -EINVAL, 3 }, { "18446744073709551616\n", -EINVAL, 3 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		uint64_t number = 3;

		assert_int_equal(tw_procnet_parse_number(cases[i].text, strlen(cases[i].text), &number), cases[i].r);
		assert_true(number == cases[i].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockstat),       cmocka_unit_test(test_sockstat_harm),
		cmocka_unit_test(test_sockstat6),      cmocka_unit_test(test_snmp),
		cmocka_unit_test(test_snmp_harm),      cmocka_unit_test(test_netstat),
		cmocka_unit_test(test_netstat_absent), cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_tcp_mem),	       cmocka_unit_test(test_port_range),
		cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
