/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ports the running kernel has taken for everybody, asked in a network namespace of the test's own. */
#include "measure/kernel-source.h"

#include "base/file-source.h"
#include "base/macros.h"
#include "namespace-fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#define LOW 40000
#define PORTS 200

/* SO_REUSEADDR is not set: it would be another way to choose a port. */
static int bound_first(const char *text, uint16_t local, uint16_t port)
{
	struct sockaddr_storage own, peer;
	socklen_t own_length = address_of(&own, text, local), length = address_of(&peer, text, port);
	int fd = socket(own.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, own_length), 0);
	if (port != 0)
		assert_int_equal(connect(fd, (struct sockaddr *)&peer, length), 0);
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

struct scene {
	int kept[64];
	unsigned count;
	bool taken[PORTS]; /* as it must be said */
};

static void keep(struct scene *scene, int fd)
{
	assert_true(scene->count < TW_ARRAY_SIZE(scene->kept));
	scene->kept[scene->count++] = fd;
}

/* Plain ones, bound ones in every family and state, and a listener in the range; odd ports, which connect() takes last.
 */
static void make_scene(struct scene *scene)
{
	int listener = listening("127.0.0.1", 8080, 64), ipv6 = listening("::1", 8081, 64);

	keep(scene, listener);
	keep(scene, ipv6);
	for (unsigned i = 0; i < 5; i++) {
		keep(scene, connected("127.0.0.1", 8080));
		keep(scene, accepted(listener));
		keep(scene, bound_first("127.0.0.1", (uint16_t)(LOW + 101 + 2 * i), 8080));
		keep(scene, accepted(listener));
		scene->taken[101 + 2 * i] = true;
	}
	keep(scene, bound_first("::1", LOW + 121, 8081));
	keep(scene, accepted(ipv6));
	keep(scene, bound_first("127.0.0.1", LOW + 131, 0));
	keep(scene, listening("127.0.0.1", LOW + 141, 1));
	scene->taken[121] = scene->taken[131] = scene->taken[141] = true;
	/* Waiting, and its port is still taken for everybody; a plain one's is not. */
	for (unsigned i = 0; i < 2; i++) {
		int client = i == 0 ? bound_first("127.0.0.1", LOW + 151, 8080) : connected("127.0.0.1", 8080);
		int server = accepted(listener);

		(void)tw_close(client);
		(void)tw_close(server);
	}
	scene->taken[151] = true;
}

static void end_scene(struct scene *scene)
{
	for (unsigned i = 0; i < scene->count; i++)
		(void)tw_close(scene->kept[i]);
}

static void write_sysctl(const char *path, const char *text)
{
	TW_CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* What the first question of a scan comes to. */
static int begin_asking(struct tw_source *base)
{
	const uint16_t port = LOW;
	bool taken;

	base->scan_begin(base);
	return base->exclusive(base, &port, 1, &taken);
}

/* Skips where this kernel cannot be asked. */
static struct tw_source *new_asker(void)
{
	struct tw_source *source = new_source();
	int r = begin_asking(source);

	if (r == -ENOPROTOOPT)
		skip(); /* before Linux 6.3 */
	assert_int_equal(r, 0);
	return source;
}

/* All counters of TCP, as text. */
static void read_counters(char *text, size_t room)
{
	long n = tw_file_read(AT_FDCWD, "/proc/thread-self/net/netstat", text, room), more;

	assert_true(n > 0);
	more = tw_file_read(AT_FDCWD, "/proc/thread-self/net/snmp", text + n, room - (size_t)n);
	assert_true(more > 0);
	more += n;
	n = tw_file_read(AT_FDCWD, "/proc/thread-self/net/dev", text + more, room - (size_t)more);
	assert_true(n > 0);
	text[more + n] = '\0';
}

/* Once nothing of the scene is under way any more: a delayed ACK, for one, comes after 200 ms at most. */
static void read_settled_counters(char *text, size_t room)
{
	static char later[65536];

	read_counters(text, room);
	for (unsigned tries = 0; tries < 200; tries++) {
		(void)usleep(300000);
		read_counters(later, sizeof(later));
		if (strcmp(later, text) == 0)
			return;
		assert_true(strlen(later) < room);
		memcpy(text, later, strlen(later) + 1);
	}
	fail_msg("the counters never rest");
}

static void ask(struct tw_source *source, bool taken[PORTS])
{
	struct tw_source *base = source;
	uint16_t ports[PORTS];

	for (unsigned i = 0; i < PORTS; i++)
		ports[i] = (uint16_t)(LOW + i);
	assert_int_equal(base->exclusive(base, ports, PORTS, taken), 0);
}

static void test_exact(void **state TW_UNUSED)
{
	struct tw_source *source;
	struct scene scene = { 0 };
	bool taken[PORTS];

	need_sysctls();
	write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "40000 40199\n");
	source = new_asker();
	make_scene(&scene);
	for (unsigned twice = 0; twice < 2; twice++) {
		ask(source, taken);
		for (unsigned i = 0; i < PORTS; i++)
			if (taken[i] != scene.taken[i])
				fail_msg("port %u: %d", LOW + i, taken[i]);
	}
	source = tw_kernel_source_free(source);
	end_scene(&scene);
}

/* No packet, no counter, and nothing is left held: each port is to be had as before. */
static void test_leaves_no_trace(void **state TW_UNUSED)
{
	static char before[65536], after[65536];
	struct tw_source *source;
	struct scene scene = { 0 };
	bool taken[PORTS];
	int fd;

	need_sysctls();
	write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "40000 40199\n");
	source = new_asker();
	make_scene(&scene);
	read_settled_counters(before, sizeof(before));
	ask(source, taken);
	read_counters(after, sizeof(after));
	assert_string_equal(after, before);
	for (unsigned i = 0; i < PORTS; i++) {
		if (taken[i] || scene.taken[i])
			continue;
		fd = bound_first("127.0.0.2", (uint16_t)(LOW + i), 0);
		assert_int_equal(port_of(fd), LOW + i);
		(void)tw_close(fd);
	}
	source = tw_kernel_source_free(source);
	end_scene(&scene);
}

/* Two processes that ask at the same time are in nobody's way, nor in each other's. */
static void test_two_at_once(void **state TW_UNUSED)
{
	struct tw_source *source;
	bool taken[PORTS];
	pid_t other;
	int status;

	need_sysctls();
	source = new_asker();
	other = fork();
	assert_true(other >= 0);
	if (other == 0) {
		struct tw_source *own;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		own = new_asker();
		for (;;)
			ask(own, taken);
	}
	for (unsigned times = 0; times < 500; times++) {
		ask(source, taken);
		for (unsigned i = 0; i < PORTS; i++)
			if (taken[i])
				fail_msg("port %u, the %uth time", LOW + i, times + 1);
	}
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, &status, 0), other);
	source = tw_kernel_source_free(source);
}

/* Where a SYN could be sent, nothing is asked. */
static void test_cannot_be_asked(void **state TW_UNUSED)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *source = NULL;
	struct tw_source *base;
	uint16_t port = LOW;
	bool taken;

	need_sysctls();
	source = new_asker();
	base = source;
	write_sysctl("/proc/sys/net/ipv4/tcp_fastopen", "2\n");
	assert_int_equal(begin_asking(base), -EOPNOTSUPP);
	write_sysctl("/proc/sys/net/ipv4/tcp_fastopen", "1\n");
	write_sysctl("/proc/sys/net/ipv4/tcp_fastopen_blackhole_timeout_sec", "3600\n");
	assert_int_equal(begin_asking(base), -EOPNOTSUPP);
	write_sysctl("/proc/sys/net/ipv4/tcp_fastopen_blackhole_timeout_sec", "0\n");
	assert_int_equal(begin_asking(base), 0);
	assert_int_equal(base->exclusive(base, &port, 1, &taken), 0);
	assert_false(taken);
}

/* What waits in one is no part of the next. */
static int begin(void **state TW_UNUSED)
{
	enter_namespace();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_exact, begin),
		cmocka_unit_test_setup(test_leaves_no_trace, begin),
		cmocka_unit_test_setup(test_two_at_once, begin),
		cmocka_unit_test_setup(test_cannot_be_asked, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
