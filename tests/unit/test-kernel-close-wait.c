/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How old the running kernel's sockets in CLOSE-WAIT are, and whose. */
#include "measure/kernel-source.h"

#include "base/file-source.h"
#include "measure/proc/cgroup-source.h"
#include "namespace-fixture.h"

#include <fcntl.h>
#include <net/if.h>
#include <time.h>

#include <cmocka.h>

static usec_t now_usec(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (usec_t)now.tv_sec * TW_USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

/* The unit that this process runs in; "" where it cannot be told. */
static const char *own_unit(char unit[TW_UNIT_MAX])
{
	char text[8192], *line, *end;

	unit[0] = '\0';
	if (tw_file_read(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return unit;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (line) {
		line = strchr(line, '/');
		end = strchrnul(line, '\n');
		tw_cgroup_unit(line, (size_t)(end - line), unit);
	}
	return unit;
}

struct last_flow {
	unsigned count;
	struct tw_flow flow;
};

static void keep_flow(void *context, const struct tw_flow *flow)
{
	struct last_flow *last = context;

	last->count++;
	last->flow = *flow;
}

/* The one socket of this family in CLOSE-WAIT. */
static struct tw_flow find_waiter(struct tw_source *source, uint8_t family)
{
	struct tw_diag_query query = { .family = family, .states = tw_state_kernel_bit(TW_STATE_CLOSE_WAIT) };
	struct last_flow last = { 0 };
	uint32_t sequence;
	int r;

	assert_int_equal(source->dump_begin(source, &query, &sequence), 0);
	do {
		const void *datagram;
		size_t length;

		assert_int_equal(source->dump_next(source, &datagram, &length), 0);
		r = tw_diag_parse(datagram, length, sequence, keep_flow, &last);
		assert_true(r >= 0);
	} while (r == TW_DIAG_MORE);
	assert_int_equal(last.count, 1);
	return last.flow;
}

/*
 * Leaked sockets, first seen long after their peer has closed: since when is known to a tick of the kernel, and not as
 * of the last data, which came earlier.
 */
static void test_close_wait(void **state TW_UNUSED)
{
	static const struct {
		const char *listen, *connect;
		uint8_t family; /* of the accepted socket */
		const char *device;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1", AF_INET, NULL }, { "::", "::1", AF_INET6, NULL },
		{ "::", "127.0.0.1", AF_INET6, NULL }, /* v4-mapped */
		{ "127.0.0.1", "127.0.0.1", AF_INET, "lo" }, { "::", "::1", AF_INET6, "lo" },
		{ "::", "127.0.0.1", AF_INET6, "lo" },
	};
	static struct tw_sample sample;
	char unit[TW_UNIT_MAX];

	need_namespace();
	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		TW_CLEANUP_KERNEL_SOURCE struct tw_source *kernel = new_source();
		struct tw_source *source = kernel;
		uint16_t port = (uint16_t)(9200 + i);
		int listener, client, server;
		struct tw_idle idle = { 0 };
		struct tw_flow flow;
		usec_t closed_usec, heard_usec, took_usec;

		device = cases[i].device;
		listener = listening(cases[i].listen, port, 8);
		client = connected(cases[i].connect, port);
		server = accepted(listener);
		assert_int_equal(write(client, "12345", 5), 5);
		(void)usleep(300000);
		closed_usec = now_usec();
		half_close(client);
		heard_usec = now_usec();
		(void)usleep(200000);
		took_usec = now_usec();
		run(source, TW_SCAN_CENSUS, false, took_usec, &sample);
		took_usec = now_usec() - took_usec;
		assert_int_equal(sample.close_wait.socket_count, 1);
		/* The kernel counts in ticks of 10 ms at most, and is asked some time after the scan has begun. */
		assert_in_range(sample.close_wait.at_usec - sample.close_wait.rows[0].oldest_usec,
				closed_usec - 15000 - took_usec, heard_usec + 15000);
		assert_int_equal(sample.close_wait.rows[0].unread, 5);
		if (sample.close_wait.rows[0].unit[0])
			assert_string_equal(sample.close_wait.rows[0].unit, own_unit(unit));
		assert_int_equal(sample.accepting.row_count, 1);
		assert_int_equal(sample.accepting.rows[0].close_wait, 1);

		flow = find_waiter(source, cases[i].family);
		source->scan_begin(source);
		assert_int_equal(source->idle(source, &flow, &idle), 0);
		assert_in_range(idle.ack_received_ms, 200, (now_usec() - closed_usec) / 1000 + 15);
		/* As of the scan's begin, though asked later. */
		(void)usleep(100000);
		assert_int_equal(source->idle(source, &flow, &(struct tw_idle){ 0 }), 0);
		assert_int_equal(flow.device, device ? if_nametoindex(device) : 0);
		/* Half-closed: it sends, and is as old as that. */
		assert_int_equal(write(server, "1", 1), 1);
		(void)usleep(50000);
		source->scan_begin(source);
		assert_int_equal(source->idle(source, &flow, &idle), 0);
		assert_in_range(idle.data_sent_ms, 40, 5000);
		run(source, TW_SCAN_CENSUS, false, now_usec(), &sample);
		assert_in_range(sample.close_wait.rows[0].oldest_usec, 40000,
				sample.close_wait.at_usec - closed_usec - 150000);
		flow.cookie++;
		assert_int_equal(source->idle(source, &flow, &idle), -ENOENT);
		flow.cookie--;
		flow.remote.port ^= 1;
		assert_int_equal(source->idle(source, &flow, &idle), -ENOENT);
		(void)tw_close(server);
		(void)tw_close(client);
		(void)tw_close(listener);
	}
	device = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_wait),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
