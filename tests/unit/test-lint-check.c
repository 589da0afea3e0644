/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lint-fixture.h"

#define IPV4 "net.ipv4."

/* As Linux 6.18 sets them on a machine with 24 GiB. */
#define USUAL                                                                                                     \
	IPV4 "tcp_tw_reuse=2\n" IPV4 "tcp_tw_reuse_delay=1000\n" IPV4 "tcp_max_tw_buckets=131072\n" IPV4          \
	     "ip_local_port_range=32768 60999\n" IPV4 "tcp_fin_timeout=60\n" IPV4 "tcp_max_orphans=131072\n" IPV4 \
	     "tcp_orphan_retries=0\n" IPV4 "tcp_max_syn_backlog=2048\nnet.core.somaxconn=4096\n" IPV4             \
	     "tcp_syncookies=1\n" IPV4 "tcp_synack_retries=5\n" IPV4 "tcp_keepalive_time=7200\n" IPV4             \
	     "tcp_keepalive_intvl=75\n" IPV4 "tcp_keepalive_probes=9\n" IPV4 "tcp_timestamps=1\n" IPV4            \
	     "tcp_rfc1337=0\n" IPV4 "ip_local_reserved_ports=\n" IPV4 "tcp_mem=287901 383868 575802\n" IPV4       \
	     "tcp_ehash_entries=262144\n" IPV4 "tcp_congestion_control=cubic\n"

static const struct {
	const char *files;
	const char *kernel; /* NULL: another machine's files; else what differs from the usual */
	const char *found;
} cases[] = {
	{ "", NULL, "" },
	{ "", "", "" },
	{ "kernel.pid_max = 1\nnet.ipv4.conf.all.rp_filter = 1\n", NULL, "" },
	/* A value in a file, in the kernel, in both, and another one in each. */
	{ IPV4 "tcp_fin_timeout=15\n", NULL, "fin-timeout-low@a.conf:1" },
	{ "", IPV4 "tcp_fin_timeout=15\n", "fin-timeout-low@live" },
	{ IPV4 "tcp_fin_timeout=15\n", IPV4 "tcp_fin_timeout=15\n", "fin-timeout-low@a.conf:1" },
	{ IPV4 "tcp_fin_timeout=15\n", IPV4 "tcp_fin_timeout=20\n",
	  "fin-timeout-low@a.conf:1 fin-timeout-low@live drift@live" },
	{ IPV4 "tcp_fin_timeout=15\n", "", "fin-timeout-low@a.conf:1 drift@live" },
	{ IPV4 "tcp_fin_timeout=60\n", IPV4 "tcp_fin_timeout=15\n", "fin-timeout-low@live drift@live" },
	{ IPV4 "tcp_fin_timeout=120\n", NULL, "" },
	{ IPV4 "tcp_fin_timeout=-5\n", NULL, "fin-timeout-low@a.conf:1" },
	/* Only what holds at boot. */
	{ IPV4 "tcp_fin_timeout=15\n" IPV4 "tcp_fin_timeout=60\n", NULL, "overridden@a.conf:1" },
	{ IPV4 "tcp_fin_timeout=60\n" IPV4 "tcp_fin_timeout=15\n", NULL,
	  "fin-timeout-low@a.conf:2 overridden@a.conf:1" },
	{ IPV4 "tcp_fin_timeout=15\n-" IPV4 "tcp_fin_timeout\n", NULL, "overridden@a.conf:1" },
	{ IPV4 "tcp_fin_*=15\n", NULL, "fin-timeout-low@a.conf:1" },
	{ IPV4 "tcp_fin_*=15\n-" IPV4 "tcp_fin_timeout\n", NULL, "" },
	{ "kernel.a=1\nkernel.a=2\n", NULL, "" },
	/* Removed and vendors' keys. */
	{ IPV4 "tcp_tw_recycle=1\n", NULL, "tw-recycle@a.conf:1" },
	{ "net/ipv4/tcp_tw_recycle=1\n" IPV4 "tcp_tw_recycle=0\n", NULL,
	  "tw-recycle@a.conf:1 tw-recycle@a.conf:2 overridden@a.conf:1" },
	{ "-" IPV4 "tcp_tw_recycle=1\n", "", "tw-recycle@a.conf:1" },
	{ "", IPV4 "tcp_tw_recycle=1\n", "tw-recycle@live" },
	{ "", IPV4 "tcp_tw_recycle=0\n", "" },
	{ IPV4 "tcp_tw_timeout=10\n", NULL, "tw-timeout@a.conf:1" },
	{ IPV4 "tcp_tw_timeout=10\n", "", "tw-timeout@a.conf:1" },
	{ IPV4 "tcp_tw_timeout=10\n", IPV4 "tcp_tw_timeout=10\n", "tw-timeout@a.conf:1" },
	/* TIME-WAIT. */
	{ IPV4 "tcp_max_tw_buckets=5000\n", NULL, "tw-buckets-low@a.conf:1" },
	{ IPV4 "tcp_max_tw_buckets=16384\n", NULL, "" },
	{ "", IPV4 "tcp_max_tw_buckets=131071\n", "tw-buckets-low@live" },
	{ "",
	  IPV4 "tcp_max_tw_buckets=6000\n" IPV4 "tcp_ehash_entries=8192\n" IPV4 "tcp_max_orphans=4096\n" IPV4
	       "tcp_max_syn_backlog=128\n",
	  "" },
	{ "", IPV4 "tcp_max_tw_buckets=2000000\n", "" },
	{ "", IPV4 "tcp_max_tw_buckets=0\n", "tw-buckets-none@live" },
	{ IPV4 "tcp_max_tw_buckets=-1\n", NULL, "tw-buckets-none@a.conf:1" },
	{ IPV4 "tcp_tw_reuse=1\n", NULL, "tw-reuse-permanent@a.conf:1" },
	{ IPV4 "tcp_tw_reuse=2\n", NULL, "" },
	{ IPV4 "tcp_tw_reuse=0\n", NULL, "" },
	{ IPV4 "tcp_tw_reuse=1\n" IPV4 "tcp_timestamps=0\n", NULL,
	  "tw-reuse-permanent@a.conf:1 tw-reuse-no-timestamps@a.conf:1 timestamps-off@a.conf:2" },
	{ "", IPV4 "tcp_tw_reuse=1\n" IPV4 "tcp_timestamps=0\n",
	  "tw-reuse-permanent@live tw-reuse-no-timestamps@live timestamps-off@live" },
	/* The file says nothing of timestamps, the kernel does. */
	{ IPV4 "tcp_tw_reuse=1\n", IPV4 "tcp_tw_reuse=1\n" IPV4 "tcp_timestamps=0\n",
	  "tw-reuse-permanent@a.conf:1 tw-reuse-no-timestamps@a.conf:1 timestamps-off@live" },
	{ "", IPV4 "tcp_timestamps=0\n", "timestamps-off@live" },
	{ IPV4 "tcp_tw_reuse_delay=999\n", NULL, "tw-reuse-delay-short@a.conf:1" },
	{ IPV4 "tcp_tw_reuse_delay=1000\n", NULL, "" },
	{ IPV4 "tcp_rfc1337=1\n", NULL, "rfc1337@a.conf:1" },
	/* Ports. */
	{ IPV4 "ip_local_port_range=1024 65535\n", NULL, "" },
	{ IPV4 "ip_local_port_range = 1024\t65534\n", NULL, "range-parity@a.conf:1" },
	{ "", IPV4 "ip_local_port_range=1025 65535\n", "range-parity@live" },
	{ IPV4 "ip_local_port_range=1000 65535\n", NULL, "range-low@a.conf:1" },
	{ IPV4 "ip_local_port_range=50000 60001\n", NULL, "range-narrow@a.conf:1" },
	{ IPV4 "ip_local_port_range=49152 65535\n", NULL, "" },
	{ IPV4 "ip_local_port_range=49152 65535\n" IPV4 "ip_local_reserved_ports=50000\n", NULL,
	  "range-narrow@a.conf:1" },
	{ IPV4 "ip_local_reserved_ports=8080,40000\n", NULL, "reserved-outside@a.conf:1" },
	{ IPV4 "ip_local_reserved_ports=40000-40010\n", NULL, "" },
	{ IPV4 "ip_local_port_range=8000 60999\n" IPV4 "ip_local_reserved_ports=8080\n", NULL, "" },
	{ "", IPV4 "ip_local_reserved_ports=8080\n", "reserved-outside@live" },
	{ IPV4 "ip_local_reserved_ports=8080\n", IPV4 "ip_local_reserved_ports=8080\n", "reserved-outside@a.conf:1" },
	/* Queues. */
	{ IPV4 "tcp_syncookies=0\n", NULL, "syncookies-off@a.conf:1" },
	{ "", IPV4 "tcp_max_syn_backlog=1024\n", "syn-backlog-low@live" },
	{ IPV4 "tcp_max_syn_backlog=255\n", NULL, "syn-backlog-low@a.conf:1" },
	{ "net.core.somaxconn=1024\n", NULL, "somaxconn-low@a.conf:1" },
	{ "net.core.somaxconn=65535\n", NULL, "" },
	/* The others. */
	{ IPV4 "tcp_keepalive_time=5\n", NULL, "keepalive-time@a.conf:1" },
	{ IPV4 "tcp_keepalive_time=600\n", NULL, "" },
	{ IPV4 "tcp_keepalive_time=72000\n", NULL, "keepalive-time@a.conf:1" },
	{ IPV4 "tcp_orphan_retries=1\n", NULL, "orphan-retries-low@a.conf:1" },
	{ IPV4 "tcp_orphan_retries=3\n", NULL, "" },
	{ IPV4 "tcp_max_orphans=100\n", NULL, "max-orphans-low@a.conf:1" },
	{ "", IPV4 "tcp_mem=100 200 300\n", "tcp-mem-low@live" },
	{ IPV4 "tcp_mem=4096 87380 16777216\n", IPV4 "tcp_mem=4096 87380 16777216\n", "tcp-mem-high@a.conf:1" },
	{ IPV4 "tcp_mem=4096 87380 16777216\n", NULL, "" },
	{ IPV4 "tcp_mem=1 2\n", "", "drift@live" },
	/* Lines and keys. */
	{ IPV4 "tcp_fin_timeout = 15 # less\n", NULL, "value-invalid@a.conf:1" },
	{ IPV4 "tcp_fin_timeout = fast\n", "", "value-invalid@a.conf:1" },
	{ IPV4 "tcp_tw_reuse = 3\n", NULL, "value-invalid@a.conf:1" },
	{ IPV4 "ip_local_port_range = 60999 32768\n", NULL, "value-invalid@a.conf:1" },
	{ IPV4 "ip_local_port_range = 32768-60999\n", NULL, "value-invalid@a.conf:1" },
	{ IPV4 "ip_local_port_range = 1025 70000\n", NULL, "value-invalid@a.conf:1" },
	{ IPV4 "ip_local_reserved_ports = 80-\n", NULL, "value-invalid@a.conf:1" },
	{ IPV4 "tcp_fin_timout = 60\n", NULL, "" },
	{ IPV4 "tcp_fin_timout = 60\n", "", "key-absent@a.conf:1" },
	{ "-" IPV4 "tcp_fin_timout = 60\n", "", "" },
	{ "net.ipv6.ip_local_port_range = 1024 65535\n", NULL, "no-ipv6-key@a.conf:1" },
	{ "net.ipv6.tcp_fin_timeout = 60\nnet.ipv6.conf.all.forwarding = 1\n", "", "no-ipv6-key@a.conf:1" },
	{ "sysctl -w x\n", NULL, "line-invalid@a.conf:1" },
	/* The same in another spelling is no drift. */
	{ IPV4 "ip_local_port_range = 32768\t60999\n", "", "" },
	{ IPV4 "tcp_mem = 287901\t383868 575802\n", "", "" },
	{ IPV4 "ip_local_reserved_ports = 40000,40001\n", IPV4 "ip_local_reserved_ports=40000-40001\n", "" },
	{ IPV4 "tcp_congestion_control = bbr\n", "", "drift@live" },
	{ IPV4 "tcp_congestion_control = cubic\n", "", "" },
};

static void look(const char *files, const char *differs)
{
	char kernel_text[2048];
	struct tw_text text;

	tw_text_init(&text, kernel_text, sizeof(kernel_text));
	tw_text_addf(&text, "%s%s", USUAL, differs ? differs : "");
	set_up(files, differs ? kernel_text : NULL);
	/* 24 GiB. */
	if (differs)
		facts.memory_pages = (struct tw_count){ 6171023, true };
}

static void test_cases(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		look(cases[i].files, cases[i].kernel);
		assert_string_equal(found(), cases[i].found);
		tear_down();
	}
}

static void test_listeners_in_the_range(TW_UNUSED void **state)
{
	look("", IPV4 "ip_local_reserved_ports=40002\n");
	add_listener(1, 80, 128, "web.service");
	add_listener(1, 40001, 128, "cache.service");
	add_listener(2, 40001, 128, "cache.service");
	add_listener(1, 40002, 128, "");
	add_listener(1, 40004, 128, "");
	assert_string_equal(found(), "listener-in-range@live listener-in-range@live");
	assert_non_null(strstr(report.findings[0].finding, "10.0.0.1:40001 (cache.service) is listened on"));
	assert_non_null(strstr(report.findings[1].finding, "10.0.0.1:40004 is listened on"));
	assert_non_null(strstr(report.findings[0].advice, "ip_local_reserved_ports=40001-40002,40004 "));
	tear_down();
}

static void test_many_listeners_are_told_as_one(TW_UNUSED void **state)
{
	look("", "");
	for (uint16_t i = 0; i < 40; i++)
		add_listener(1, (uint16_t)(40000 + i), 128, "");
	(void)found();
	assert_int_equal(report.count, 17);
	assert_string_equal(report.findings[16].finding, "24 more ports of the range are listened on");
	tear_down();
}

static void test_backlogs(TW_UNUSED void **state)
{
	/* As long as the usual bound, and never too short. */
	look("", "");
	add_listener(1, 80, 4096, "");
	assert_string_equal(found(), "");
	facts.listen_overflows = (struct tw_count){ 1, true };
	assert_string_equal(found(), "backlog-cut@live");
	tear_down();

	look("", "net.core.somaxconn=128\n");
	add_listener(1, 80, 128, "web.service");
	add_listener(1, 81, 127, "");
	assert_string_equal(found(), "somaxconn-low@live backlog-cut@live");
	assert_non_null(strstr(report.findings[1].finding, "1 listening socket has"));
	assert_non_null(strstr(report.findings[1].finding, "10.0.0.1:80 (web.service)"));
	tear_down();
}

static void test_timewaitd_is_no_drift(TW_UNUSED void **state)
{
	look(IPV4 "tcp_tw_reuse=2\n", IPV4 "tcp_tw_reuse=1\n");
	assert_string_equal(found(), "tw-reuse-permanent@live drift@live");
	tear_down();

	look(IPV4 "tcp_tw_reuse=2\n", IPV4 "tcp_tw_reuse=1\n");
	own(TW_TUNABLE_TW_REUSE, 1);
	assert_string_equal(found(), "changed-by-timewaitd@live");
	assert_non_null(strstr(report.findings[0].finding, "for the rule port-exhaustion"));
	tear_down();

	/* Somebody else has written after it. */
	look(IPV4 "tcp_tw_reuse=2\n", IPV4 "tcp_tw_reuse=0\n");
	own(TW_TUNABLE_TW_REUSE, 1);
	assert_string_equal(found(), "drift@live");
	assert_non_null(strstr(report.findings[0].consequence, "it was not timewaitd"));
	tear_down();

	look(IPV4 "tcp_tw_reuse=2\n", IPV4 "tcp_tw_reuse=0\n");
	facts.ledger_state = TW_LINT_LEDGER_REFUSED;
	assert_string_equal(found(), "drift@live");
	assert_non_null(strstr(report.findings[0].consequence, "perhaps timewaitd"));
	tear_down();
}

/* The files are not applied there, and much of the kernel is not shown. */
static void test_another_namespace(TW_UNUSED void **state)
{
	look(IPV4 "tcp_congestion_control=bbr\n" IPV4 "tcp_something=1\n", "");
	facts.first_namespace = false;
	assert_string_equal(found(), "");
	tear_down();
}

static void test_a_file_that_is_not_read(TW_UNUSED void **state)
{
	static const char text[] = IPV4 "tcp_fin_timeout=15\nkernel.pid_max=7\n";

	look("", NULL);
	assert_int_equal(tw_sysctl_plan_add(plan, "/etc/sysctl.conf", true, text, strlen(text)), 0);
	assert_string_equal(found(), "file-unread@/etc/sysctl.conf:1");
	tear_down();
}

static const struct {
	const char *files, *kernel;
	const char *advice;
} mends[] = {
	{ IPV4 "tcp_fin_timeout=15\n", NULL, "delete line 1 of a.conf" },
	{ IPV4 "tcp_fin_timeout=15\n", IPV4 "tcp_fin_timeout=15\n",
	  "delete line 1 of a.conf, then: sysctl -w net.ipv4.tcp_fin_timeout=60" },
	{ "", IPV4 "tcp_fin_timeout=15\n", "sysctl -w net.ipv4.tcp_fin_timeout=60" },
	{ "", IPV4 "tcp_max_tw_buckets=15\n", "sysctl -w net.ipv4.tcp_max_tw_buckets=131072" },
	{ "", IPV4 "ip_local_port_range=1025 65535\n",
	  "sysctl -w net.ipv4.ip_local_port_range='32768 60999'; make one end even and the other odd" },
	{ IPV4 "tcp_fin_timout=15\n", "", "did you mean net.ipv4.tcp_fin_timeout? else delete the line" },
	{ "net/ipv6/tcp_fin_timeout=1\n", NULL, "delete the line; net.ipv4.tcp_fin_timeout is the key for both" },
	{ IPV4 "tcp_fin_timeout=1 # a\n", NULL, "a comment must have a line of its own: move it" },
	{ "", IPV4 "tcp_mem=1 2 3\n", "sysctl -w net.ipv4.tcp_mem='289266 385688 578532'" },
};

static void test_advice(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(mends); i++) {
		look(mends[i].files, mends[i].kernel);
		(void)found();
		assert_int_equal(report.count, 1);
		assert_string_equal(report.findings[0].advice, mends[i].advice);
		tear_down();
	}
}

static void test_ignored(TW_UNUSED void **state)
{
	static const char *const ignored[] = { "rfc1337", "timestamps-off" };

	look(IPV4 "tcp_rfc1337=1\n" IPV4 "tcp_timestamps=0\n" IPV4 "tcp_syncookies=0\n", NULL);
	tw_lint_run(&facts, ignored, TW_ARRAY_SIZE(ignored), &report);
	assert_int_equal(report.count, 1);
	assert_string_equal(report.findings[0].id, "syncookies-off");
	tear_down();
}

/* A line of a file can be as long as it likes. */
static void test_long_values(TW_UNUSED void **state)
{
	static char line[8192];
	struct tw_text text;

	tw_text_init(&text, line, sizeof(line));
	tw_text_add(&text, IPV4 "tcp_fin_timeout=");
	for (unsigned i = 0; i < 4000; i++)
		tw_text_add_char(&text, 'x');
	tw_text_add(&text, "\n" IPV4 "tcp_");
	for (unsigned i = 0; i < 4000; i++)
		tw_text_add_char(&text, 'y');
	tw_text_add(&text, "=1\n");
	look(line, "");
	assert_string_equal(found(), "value-invalid@a.conf:1 key-absent@a.conf:2");
	tear_down();
}

/* The manual has every check, in this order, and no other. */
static void test_the_manual(TW_UNUSED void **state)
{
	const char *source = getenv("TW_SRCDIR");
	char path[4096], line[512];
	size_t count, at = 0;
	const struct tw_lint_check *checks = tw_lint_checks(&count);
	bool inside = false;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/man/timewaitctl.1.in", source ? source : ".");
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, ".Sh ", 4) == 0)
			inside = strcmp(line, ".Sh CHECKS") == 0;
		if (!inside || strncmp(line, ".It Ic ", 7) != 0)
			continue;
		assert_true(at < count);
		assert_string_equal(line + 7, checks[at++].id);
	}
	assert_int_equal(fclose(file), 0);
	assert_int_equal(at, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_listeners_in_the_range),
		cmocka_unit_test(test_many_listeners_are_told_as_one),
		cmocka_unit_test(test_backlogs),
		cmocka_unit_test(test_timewaitd_is_no_drift),
		cmocka_unit_test(test_another_namespace),
		cmocka_unit_test(test_a_file_that_is_not_read),
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
