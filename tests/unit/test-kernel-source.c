/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running kernel, in a network namespace of the test's own: what it made is what must be counted. */
#include "measure/kernel-source.h"

#include "namespace-fixture.h"

#include <stdio.h>

#include <cmocka.h>

static void write_sysctl(const char *path, const char *text)
{
	TW_CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(text), done = 0;

	assert_true(fd >= 0);
	while (done < length) {
		ssize_t n = write(fd, text + done, length - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
}

/* One whose handshake is not answered: the listener's queue is full. */
static int syn_sent(const char *text, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(&address, text, port);
	int fd = open_socket(address.ss_family);

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, length), -1);
	assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* A connection that its client closes first. */
static void make_time_wait(const char *text, uint16_t port, int listener, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int client = connected(text, port), server = accepted(listener);
		char byte;

		(void)tw_close(client);
		assert_int_equal(read(server, &byte, 1), 0);
		(void)tw_close(server);
	}
}

/* What the scene below makes, by state. */
/* Of the namespace that the tests were started in. */
static struct tw_source *outside;

static const uint64_t expected[TW_STATE_COUNT] = {
	[TW_STATE_LISTEN] = 3,	   [TW_STATE_SYN_SENT] = 1,   [TW_STATE_ESTABLISHED] = 8, [TW_STATE_FIN_WAIT_2] = 2,
	[TW_STATE_CLOSE_WAIT] = 2, [TW_STATE_TIME_WAIT] = 30, [TW_STATE_BOUND] = 2,
};

static const uint64_t expected_ipv6[TW_STATE_COUNT] = {
	[TW_STATE_LISTEN] = 1,
	[TW_STATE_ESTABLISHED] = 2,
	[TW_STATE_TIME_WAIT] = 10,
	[TW_STATE_BOUND] = 1,
};

static void make_scene(int kept[32], unsigned *count)
{
	int ipv4 = listening("127.0.0.1", 8080, 64), ipv6 = listening("::", 8081, 64);
	int narrow = listening("127.0.0.1", 40000, 0);
	unsigned n = 0;
	int client, server;

	kept[n++] = ipv4;
	kept[n++] = ipv6;
	kept[n++] = narrow;
	/* ESTABLISHED: both ends of one of each kind. */
	kept[n++] = connected("127.0.0.1", 8080);
	kept[n++] = accepted(ipv4);
	kept[n++] = connected("::1", 8081);
	kept[n++] = accepted(ipv6);
	kept[n++] = connected("::ffff:127.0.0.1", 8080);
	kept[n++] = accepted(ipv4);
	/* CLOSE-WAIT, and its peer in FIN-WAIT-2: once with its owner, once orphaned. */
	client = connected("127.0.0.1", 8080);
	kept[n++] = accepted(ipv4);
	half_close(client);
	kept[n++] = client;
	client = connected("127.0.0.1", 8080);
	server = accepted(ipv4);
	half_close(client);
	(void)tw_close(client);
	kept[n++] = server;
	make_time_wait("127.0.0.1", 8080, ipv4, 20);
	make_time_wait("::1", 8081, ipv6, 10);
	/* A queue of 0 holds one connection; the next SYN is dropped. */
	kept[n++] = connected("127.0.0.1", 40000);
	kept[n++] = syn_sent("127.0.0.1", 40000);
	kept[n++] = bound("127.0.0.1", 50001);
	kept[n++] = bound("::1", 50003);
	*count = n;
}

static void assert_scene(const struct tw_census *census, bool derived)
{
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		if (i == TW_STATE_BOUND && !tw_kernel_source_tells_bound()) {
			assert_false(census->known[i]);
			continue;
		}
		assert_true(census->known[i]);
		assert_int_equal(census->count[i], expected[i]);
		assert_int_equal(census->ipv6_known[i], !(derived && i == TW_STATE_TIME_WAIT));
		assert_int_equal(census->count_ipv6[i], census->ipv6_known[i] ? expected_ipv6[i] : 0);
	}
	assert_int_equal(census->mini_fin_wait_2, 1);
}

/* Who accepted the scene's connections: in rows by fullest queue, then by connections. */
static void assert_accepted(const struct tw_accepting *accepting)
{
	static const struct {
		uint16_t port;
		uint32_t connections, close_wait, queue, backlog;
	} rows[] = { { 40000, 1, 0, 1, 0 }, { 8080, 4, 2, 0, 64 }, { 8081, 1, 0, 0, 64 } };

	assert_int_equal(accepting->listeners, TW_ARRAY_SIZE(rows));
	assert_int_equal(accepting->row_count, TW_ARRAY_SIZE(rows));
	for (unsigned i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		assert_int_equal(accepting->rows[i].address.port, rows[i].port);
		assert_int_equal(accepting->rows[i].sockets, 1);
		assert_int_equal(accepting->rows[i].connections.value, rows[i].connections);
		assert_int_equal(accepting->rows[i].close_wait, rows[i].close_wait);
		assert_int_equal(accepting->rows[i].queue, rows[i].queue);
		assert_int_equal(accepting->rows[i].backlog, rows[i].backlog);
		/* The clients closed first. */
		assert_int_equal(accepting->rows[i].time_wait.value, 0);
	}
	assert_int_equal(accepting->accept_queue.milli, 100000);
}

/* What must not depend on how a socket was asked for; time goes on meanwhile. */
struct told {
	unsigned count;
	struct tw_flow flows[256];
};

static void remember(void *context, const struct tw_flow *flow)
{
	struct told *told = context;

	assert_true(told->count < TW_ARRAY_SIZE(told->flows));
	told->flows[told->count++] = *flow;
}

static void tell(struct tw_source *source, uint8_t family, uint32_t states, struct told *told)
{
	struct tw_diag_query query = { .family = family, .states = states };
	uint32_t sequence;
	int r;

	assert_int_equal(source->dump_begin(source, &query, &sequence), 0);
	do {
		const void *datagram;
		size_t length;

		assert_int_equal(source->dump_next(source, &datagram, &length), 0);
		r = tw_diag_parse(datagram, length, sequence, remember, told);
		assert_true(r >= 0);
	} while (r == TW_DIAG_MORE);
}

static const struct tw_flow *find_told(const struct told *told, uint64_t cookie)
{
	static const struct tw_flow nobody;

	for (unsigned i = 0; i < told->count; i++)
		if (told->flows[i].cookie == cookie)
			return &told->flows[i];
	return &nobody;
}

/* One walk for both families tells the same sockets as one for each, with all that is said of them. */
static void assert_same_in_one_walk(struct tw_source *source)
{
	static struct told apart, both;
	uint32_t states = UINT32_MAX;

	memset(&apart, 0, sizeof(apart));
	memset(&both, 0, sizeof(both));
	tell(source, AF_INET, states, &apart);
	tell(source, AF_INET6, states, &apart);
	tell(source, AF_UNSPEC, states, &both);
	assert_int_equal(both.count, apart.count);
	for (unsigned i = 0; i < apart.count; i++) {
		const struct tw_flow *one = &apart.flows[i], *other = find_told(&both, one->cookie);

		assert_int_equal(other->cookie, one->cookie);
		assert_int_equal(other->state, one->state);
		assert_int_equal(other->mini, one->mini);
		assert_int_equal(other->family, one->family);
		assert_memory_equal(&other->local, &one->local, sizeof(one->local));
		assert_memory_equal(&other->remote, &one->remote, sizeof(one->remote));
		assert_int_equal(other->has_cgroup, one->has_cgroup);
		assert_int_equal(other->cgroup_id, one->cgroup_id);
		assert_int_equal(other->inode, one->inode);
		assert_int_equal(other->uid, one->uid);
		assert_int_equal(other->receive_queue, one->receive_queue);
		assert_int_equal(other->send_queue, one->send_queue);
	}
}

/* TCP's part of the memory as it is guessed where it is not shown: below the kernel's own, which is six sixty-fourths.
 */
static void assert_bound(const struct tw_gauge *gauge)
{
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 4096;

	assert_false(gauge->memory_limit_pages.known);
	assert_true(gauge->memory_bound_pages.known);
	assert_in_range(gauge->memory_bound_pages.value, pages / 17, pages * 6 / 64);
}

static void test_scene(void **state TW_UNUSED)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *source = NULL;
	static struct tw_sample sample;
	int kept[32];
	unsigned count = 0;

	need_sysctls();
	write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999\n");
	/* What waits is blocked however old it is: the rows keep their order on a slow machine, too. */
	write_sysctl("/proc/sys/net/ipv4/tcp_tw_reuse", "0\n");
	source = new_source();
	make_scene(kept, &count);

	assert_same_in_one_walk(source);
	run(source, TW_SCAN_CENSUS, false, 1, &sample);
	assert_scene(&sample.census, false);
	assert_accepted(&sample.accepting);
	assert_int_equal(sample.gauge.time_wait, 31);
	assert_int_equal(sample.gauge.sysctls[TW_TUNABLE_PORT_RANGE].value.numbers[1], 60999);
	assert_true(sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN].known);
	assert_true(sample.gauge.counters[TW_COUNTER_TIME_WAIT_REUSED].known);
	assert_int_equal(sample.gauge.counters[TW_COUNTER_ACTIVE_OPEN].value, 37);
	assert_false(sample.gauge.sysctls[TW_TUNABLE_TW_RECYCLE].known);
	assert_bound(&sample.gauge);
	run(source, TW_SCAN_CENSUS, true, 1, &sample);
	assert_scene(&sample.census, true);
	run(source, TW_SCAN_SURVEY, false, 1, &sample);
	assert_scene(&sample.census, false);
	assert_int_equal(sample.survey.usable, 28232);
	assert_int_equal(sample.survey.destinations, 3);
	/* 20 in TIME-WAIT, two in FIN-WAIT-2, two connected, one of them v4-mapped. */
	assert_int_equal(sample.survey.top[0].ports, 24);
	assert_int_equal(sample.survey.top[0].time_wait, 20);
	assert_in_range(sample.survey.top[0].young_time_wait, 0, 20);
	assert_int_equal(sample.survey.top[0].established, 2);
	assert_int_equal(sample.survey.top[0].key.port, 8080);
	assert_int_equal(sample.survey.top[1].ports, 11);
	assert_int_equal(sample.survey.top[2].key.port, 40000);
	assert_int_equal(sample.survey.bound_ports, tw_kernel_source_tells_bound() ? 2 : 0);
	for (unsigned i = 0; i < count; i++)
		(void)tw_close(kept[i]);
}

static void count_flow(void *context, const struct tw_flow *flow TW_UNUSED)
{
	++*(unsigned *)context;
}

/* Reads a dump to its end; every datagram must be its own. */
static unsigned count_dump(struct tw_source *source, uint32_t sequence)
{
	unsigned count = 0;
	int r;

	do {
		const void *datagram;
		size_t length;

		assert_int_equal(source->dump_next(source, &datagram, &length), 0);
		r = tw_diag_parse(datagram, length, sequence, count_flow, &count);
		assert_true(r >= 0);
	} while (r == TW_DIAG_MORE);
	return count;
}

/* The kernel refuses a dump while an older one, given up, still has rows to tell. */
static void test_abandoned_dumps(void **state TW_UNUSED)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *kernel = NULL;
	struct tw_diag_query all = { .family = AF_INET, .states = tw_state_kernel_bit(TW_STATE_TIME_WAIT) };
	struct tw_diag_query listeners = { .family = AF_INET, .states = tw_state_kernel_bit(TW_STATE_LISTEN) };
	struct tw_source *source;
	uint32_t sequence, first;
	int listener;

	need_namespace();
	kernel = new_source();
	source = kernel;
	listener = listening("127.0.0.1", 9090, 64);
	make_time_wait("127.0.0.1", 9090, listener, 3000);
	assert_int_equal(source->dump_begin(source, &all, &first), 0);
	assert_true(count_dump(source, first) >= 3000);
	for (unsigned read = 0; read < 12; read++) {
		const void *datagram;
		size_t length;

		/* Given up after `read` datagrams, the second one at once. */
		assert_int_equal(source->dump_begin(source, &all, &sequence), 0);
		for (unsigned i = 0; i < read && i < 5; i++)
			assert_int_equal(source->dump_next(source, &datagram, &length), 0);
		if (read % 2)
			assert_int_equal(source->dump_begin(source, &all, &sequence), 0);
		assert_int_equal(source->dump_begin(source, &listeners, &sequence), 0);
		assert_int_equal(count_dump(source, sequence), 1);
	}
	assert_true(sequence > first);
	assert_int_equal(source->dump_begin(source, &all, &sequence), 0);
	assert_true(count_dump(source, sequence) >= 3000);
	(void)tw_close(listener);
}

/* Many reserved ports make a long text; a changed one is noticed. */
static void test_reserved_ports(void **state TW_UNUSED)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *kernel = NULL;
	static struct tw_port_set range;
	static struct tw_gauge gauge;
	static char text[256 * 1024];
	struct tw_source *source;
	size_t length = 0;

	need_sysctls();
	write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "20000 60999\n");
	kernel = new_source();
	source = kernel;
	assert_int_equal(source->gauge(source, &gauge), 0);
	assert_int_equal(gauge.reserved_ports, 0);
	assert_int_equal(source->port_range(source, &range), 0);
	assert_int_equal(tw_port_set_size(&range), 41000);

	for (unsigned port = 10001; port < 65536; port += 2)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%u", length ? "," : "", port);
	write_sysctl("/proc/sys/net/ipv4/ip_local_reserved_ports", text);
	for (unsigned twice = 0; twice < 2; twice++) {
		source->refresh(source);
		assert_int_equal(source->gauge(source, &gauge), 0);
		assert_int_equal(gauge.reserved_ports, 20500);
		assert_int_equal(source->port_range(source, &range), 0);
		assert_int_equal(tw_port_set_size(&range), 20500);
		assert_true(tw_port_set_has(&range, 20000));
		assert_false(tw_port_set_has(&range, 60999));
	}
	write_sysctl("/proc/sys/net/ipv4/ip_local_reserved_ports", "100,20000-20099\n");
	write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "20050 20149\n");
	assert_int_equal(source->port_range(source, &range), 0);
	assert_int_equal(tw_port_set_size(&range), 50);
	source->refresh(source);
	assert_int_equal(source->gauge(source, &gauge), 0);
	assert_int_equal(gauge.reserved_ports, 50);
	write_sysctl("/proc/sys/net/ipv4/ip_local_reserved_ports", "\n");
	source->refresh(source);
	assert_int_equal(source->gauge(source, &gauge), 0);
	assert_int_equal(gauge.reserved_ports, 0);
}

/* Sysctls are read by every eighth gauge, and at once where that is asked for. */
static void test_slow_sysctls(void **state TW_UNUSED)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *kernel = NULL;
	static struct tw_gauge gauge;
	const struct tw_live_value *rfc1337 = &gauge.sysctls[TW_TUNABLE_RFC1337];
	const struct tw_live_value *reuse = &gauge.sysctls[TW_TUNABLE_TW_REUSE];
	struct tw_source *source;

	need_sysctls();
	write_sysctl("/proc/sys/net/ipv4/tcp_rfc1337", "0\n");
	write_sysctl("/proc/sys/net/ipv4/tcp_tw_reuse", "0\n");
	kernel = new_source();
	source = kernel;
	assert_int_equal(source->gauge(source, &gauge), 0);
	assert_true(rfc1337->known);
	assert_int_equal(rfc1337->value.numbers[0], 0);
	write_sysctl("/proc/sys/net/ipv4/tcp_rfc1337", "1\n");
	write_sysctl("/proc/sys/net/ipv4/tcp_tw_reuse", "1\n");
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(rfc1337->value.numbers[0], 0);
		assert_int_equal(source->gauge(source, &gauge), 0);
	}
	assert_int_equal(rfc1337->value.numbers[0], 1);
	assert_int_equal(reuse->value.numbers[0], 1);
	for (unsigned value = 0; value < 2; value++) {
		write_sysctl("/proc/sys/net/ipv4/tcp_rfc1337", value ? "1\n" : "0\n");
		write_sysctl("/proc/sys/net/ipv4/tcp_tw_reuse", value ? "1\n" : "0\n");
		source->refresh(source);
		assert_int_equal(source->gauge(source, &gauge), 0);
		assert_int_equal(rfc1337->value.numbers[0], value);
		assert_int_equal(reuse->value.numbers[0], value);
	}
}

/* The machine's own figure, where there is a source that sees it. */
static void test_borrowed_memory(void **state TW_UNUSED)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *source = NULL;
	struct tw_gauge there, here;

	need_namespace();
	assert_int_equal(outside->gauge(outside, &there), 0);
	if (!there.memory_limit_pages.known)
		skip(); /* these tests do not run in the first namespace themselves */
	assert_int_equal(there.memory_bound_pages.value, there.memory_limit_pages.value);
	assert_int_equal(tw_kernel_source_new(NULL, outside, &source), 0);
	assert_int_equal(source->gauge(source, &here), 0);
	assert_false(here.memory_limit_pages.known);
	assert_true(here.memory_bound_pages.known);
	assert_int_equal(here.memory_bound_pages.value, there.memory_limit_pages.value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scene),		cmocka_unit_test(test_abandoned_dumps),
		cmocka_unit_test(test_reserved_ports),	cmocka_unit_test(test_slow_sysctls),
		cmocka_unit_test(test_borrowed_memory),
	};
	int r;

	if (tw_kernel_source_new(NULL, NULL, &outside) < 0)
		return 1;
	enter_namespace();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	outside = tw_kernel_source_free(outside);
	return r;
}
