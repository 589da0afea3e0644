/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/socket-sink.h"

#include "namespace-fixture.h"

#include "act/destroyer.h"
#include "measure/destroy-search.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#define PORT 8080
#define MANY 3000u

static struct tw_source *kernel;
static struct tw_socket_netlink netlink;
static struct tw_destroy_search *searcher;

static int set_up(void **state TW_UNUSED)
{
	enter_namespace();
	if (refused)
		return 0;
	kernel = new_source();
	searcher = tw_destroy_search_new();
	tw_socket_netlink_init(&netlink, NULL);
	return searcher ? 0 : -1;
}

static int tear_down(void **state TW_UNUSED)
{
	searcher = tw_destroy_search_free(searcher);
	tw_socket_netlink_done(&netlink);
	kernel = tw_kernel_source_free(kernel);
	return 0;
}

/* All sockets in this state that the kernel tells, of any age. CLOSE-WAIT: those that a scan knows. */
static struct tw_destroy_found search(enum tw_state state)
{
	static const struct tw_rule_settings rule = { .name = "all" };
	struct tw_destroy all = { .state = state };
	struct tw_kill_orders orders = { .count = 1, .rows[0] = { .destroy = &all, .rule = &rule } };
	struct tw_kill_quota quota = { .wanted[0] = true, .most[0] = UINT32_MAX };
	struct tw_source *source = kernel;
	TW_CLEANUP_SCAN struct tw_scan *scan = tw_scan_new(&secret);
	TW_CLEANUP_SCAN_PAST struct tw_scan_past past = { 0 };
	struct tw_scan_order census = { .kind = TW_SCAN_CENSUS, .at_usec = 1000 * TW_USEC_PER_SEC };
	static struct tw_sample sample;
	struct tw_destroy_found catch = { 0 };
	int r;

	assert_non_null(scan);
	assert_int_equal(source->gauge(source, &census.gauge), 0);
	assert_int_equal(tw_scan_begin(scan, &past, source, &census), 0);
	while ((r = tw_scan_step(scan, source)) > 0)
		;
	assert_int_equal(r, 0);
	sample.gauge = census.gauge;
	tw_scan_results(scan, &sample);
	r = tw_destroy_search_begin(searcher, &orders, &quota, &sample, census.at_usec);
	while (r > 0)
		r = tw_destroy_search_step(searcher, source);
	assert_int_equal(r, 0);
	tw_destroy_search_results(searcher, &catch);
	return catch;
}

static int end_one(const struct tw_candidate *candidate)
{
	struct tw_socket_sink *sink = &netlink.sink;
	int answer = 1;

	assert_int_equal(sink->end(sink, candidate, 1, &answer), 0);
	return answer;
}

/* A connection whose client closes first: TIME-WAIT is the client's. */
static void leave_time_wait(const char *address, int listener)
{
	int client = connected(address, PORT), server = accepted(listener);
	struct pollfd closed = { .fd = server, .events = POLLIN };

	assert_int_equal(shutdown(client, SHUT_WR), 0);
	assert_int_equal(poll(&closed, 1, 60000), 1);
	(void)tw_close(server);
	(void)tw_close(client);
}

static bool kernel_can(const struct tw_candidate *candidate)
{
	int answer = end_one(candidate);

	if (answer != -EOPNOTSUPP && answer != -EINVAL)
		return true;
	print_message("skipped: this kernel cannot end such a socket\n");
	skip();
	return false;
}

static void test_time_wait_of_either_family(void **state TW_UNUSED)
{
	static const char *const addresses[] = { "127.0.0.1", "::1", "::ffff:127.0.0.1" };
	struct tw_destroy_found catch;

	need_namespace();
	/* Bound to no device, and bound to one. */
	for (size_t i = 0; i < 2 * TW_ARRAY_SIZE(addresses); i++) {
		const char *address = addresses[i % TW_ARRAY_SIZE(addresses)];
		TW_CLEANUP_CLOSE int listener = listening(address, PORT, 16);
		struct tw_candidate first;

		device = i < TW_ARRAY_SIZE(addresses) ? NULL : "lo";
		for (unsigned j = 0; j < 3; j++)
			leave_time_wait(address, listener);
		device = NULL;
		catch = search(TW_STATE_TIME_WAIT);
		assert_int_equal(catch.count, 3);
		first = catch.rows[0];
		/* A stale cookie ends nothing, though the tuple is right. */
		first.id.cookie += 1000000;
		assert_int_equal(end_one(&first), -ENOENT);
		assert_int_equal(search(TW_STATE_TIME_WAIT).count, 3);
		first.id.cookie -= 1000000;
		if (!kernel_can(&first))
			return;
		catch = search(TW_STATE_TIME_WAIT);
		assert_int_equal(catch.count, 2);
		/* It is over: the same request finds nothing. */
		assert_int_equal(end_one(&first), -ENOENT);
		for (unsigned j = 0; j < catch.count; j++) {
			struct tw_candidate one = catch.rows[j];

			assert_int_not_equal(one.id.cookie, first.id.cookie);
			assert_int_equal(end_one(&one), 0);
		}
		assert_int_equal(search(TW_STATE_TIME_WAIT).count, 0);
	}
}

static void end_close_wait(void)
{
	TW_CLEANUP_CLOSE int listener = listening("127.0.0.1", PORT, 16);
	TW_CLEANUP_CLOSE int other = connected("127.0.0.1", PORT), other_server = accepted(listener);
	TW_CLEANUP_CLOSE int client = connected("127.0.0.1", PORT), server = accepted(listener);
	struct tw_destroy_found catch;
	struct pollfd polled;

	half_close(client);
	catch = search(TW_STATE_CLOSE_WAIT);
	assert_int_equal(catch.count, 1);
	assert_int_equal(catch.rows[0].id.local.port, PORT);
	if (!kernel_can(&catch.rows[0]))
		return;
	assert_int_equal(search(TW_STATE_CLOSE_WAIT).count, 0);
	polled = (struct pollfd){ .fd = server, .events = POLLIN };
	assert_int_equal(poll(&polled, 1, 0), 1);
	assert_true(polled.revents & POLLERR);
	assert_true(polled.revents & POLLHUP);
	/* The connection beside it is as it was. */
	assert_int_equal(send(other, "x", 1, MSG_NOSIGNAL), 1);
	polled = (struct pollfd){ .fd = other_server, .events = POLLIN };
	assert_int_equal(poll(&polled, 1, 60000), 1);
	assert_int_equal(polled.revents, POLLIN);
}

/* The kernel's half of a leak goes; the descriptor stays, and tells of it. */
static void test_close_wait(void **state TW_UNUSED)
{
	need_namespace();
	end_close_wait();
	device = "lo";
	end_close_wait();
	device = NULL;
}

static uint64_t cpu_usec(void)
{
	struct timespec time;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* Every second cookie is stale: each answer is to its own request. */
static void test_batches(void **state TW_UNUSED)
{
	static struct tw_candidate rows[MANY];
	struct tw_socket_sink *sink;
	TW_CLEANUP_CLOSE int listener = -1;
	unsigned ended = 0, there;
	uint64_t before;

	need_namespace();
	sink = &netlink.sink;
	listener = listening("127.0.0.1", PORT, 16);
	for (unsigned i = 0; i < MANY; i++)
		leave_time_wait("127.0.0.1", listener);
	/* Some take the place of one before them: tcp_tw_reuse is on for loopback. */
	there = search(TW_STATE_TIME_WAIT).count;
	assert_in_range(there, MANY / 2, MANY);
	memcpy(rows, search(TW_STATE_TIME_WAIT).rows, there * sizeof(rows[0]));
	for (unsigned i = 0; i < there; i += 2)
		rows[i].id.cookie += 1000000;
	if (!kernel_can(&rows[1]))
		return;
	before = cpu_usec();
	for (unsigned at = 0; at < there; at += TW_SOCKET_BATCH_MAX) {
		unsigned count = TW_MIN(there - at, TW_SOCKET_BATCH_MAX);
		int answers[TW_SOCKET_BATCH_MAX];

		assert_int_equal(sink->end(sink, rows + at, count, answers), 0);
		for (unsigned i = 0; i < count; i++) {
			assert_int_equal(answers[i], (at + i) % 2 == 0 || at + i == 1 ? -ENOENT : 0);
			ended += answers[i] == 0;
		}
	}
	print_message("%u requests, %u sockets ended: %llu us of CPU time\n", there, ended,
		      (unsigned long long)(cpu_usec() - before));
	assert_int_equal(ended, there / 2 - 1);
	assert_int_equal(search(TW_STATE_TIME_WAIT).count, there - there / 2);
}

static void test_what_is_not_to_be_asked(void **state TW_UNUSED)
{
	struct tw_candidate any = { .id.cookie = TW_COOKIE_ANY, .family = AF_INET };
	struct tw_socket_sink *sink;
	int answers[TW_SOCKET_BATCH_MAX + 1];

	need_namespace();
	sink = &netlink.sink;
	assert_int_equal(sink->end(sink, &any, 1, answers), -EINVAL);
	assert_int_equal(sink->end(sink, &any, 0, answers), -EINVAL);
	assert_int_equal(sink->end(sink, &any, TW_SOCKET_BATCH_MAX + 1, answers), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_wait_of_either_family),
		cmocka_unit_test(test_close_wait),
		cmocka_unit_test(test_what_is_not_to_be_asked),
		cmocka_unit_test(test_batches),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
