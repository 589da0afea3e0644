/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/listeners.h"

#include "address.h"
#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct tw_listeners listeners;
static struct tw_accepting accepting;

/* The family that a socket with this address has by itself. */
static uint8_t own_family(const char *text)
{
	return strchr(text, ':') ? AF_INET6 : AF_INET;
}

static void listen_on(const char *text, uint16_t port, uint32_t queue, uint32_t backlog)
{
	struct tw_flow flow = {
		.state = TW_STATE_LISTEN,
		.family = own_family(text),
		.local = { address(text), port },
		.receive_queue = queue,
		.send_queue = backlog,
	};

	tw_listeners_add(&listeners, &flow);
}

static void attribute(enum tw_state state, uint8_t family, const char *text, uint16_t port, unsigned count)
{
	struct tw_flow flow = { .state = state, .family = family, .local = { address(text), port } };

	for (unsigned i = 0; i < count; i++)
		tw_listeners_attribute(&listeners, &flow);
}

static const struct tw_accepting *results_of(bool established_known, bool time_wait_known)
{
	struct tw_census census = { 0 };

	census.ipv6_known[TW_STATE_ESTABLISHED] = established_known;
	census.ipv6_known[TW_STATE_TIME_WAIT] = time_wait_known;
	memset(&accepting, 0, sizeof(accepting));
	tw_listeners_results(&listeners, &census, &accepting);
	return &accepting;
}

static const struct tw_accepting *results(bool time_wait_known)
{
	return results_of(true, time_wait_known);
}

static const struct tw_listener_row *row_of(const char *text, uint16_t port)
{
	static const struct tw_listener_row none;
	struct tw_address wanted = address(text);

	for (unsigned i = 0; i < accepting.row_count; i++)
		if (accepting.rows[i].address.port == port &&
		    tw_address_equal(&accepting.rows[i].address.address, &wanted))
			return &accepting.rows[i];
	fail_msg("no row of %s:%u", text, port);
	return &none;
}

static int set_up(void **state TW_UNUSED)
{
	tw_listeners_clear(&listeners);
	return 0;
}

static void test_none(void **state TW_UNUSED)
{
	attribute(TW_STATE_ESTABLISHED, AF_INET, "10.0.0.1", 80, 3);
	results(true);
	assert_int_equal(accepting.listeners, 0);
	assert_int_equal(accepting.row_count, 0);
	/* Nobody waits. */
	assert_true(accepting.accept_queue.known);
	assert_int_equal(accepting.accept_queue.milli, 0);
}

static void test_states(void **state TW_UNUSED)
{
	const struct tw_listener_row *row;

	listen_on("0.0.0.0", 80, 0, 511);
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		attribute((enum tw_state)i, AF_INET, "10.0.0.1", 80, 1u << i);
	attribute(TW_STATE_ESTABLISHED, AF_INET, "10.0.0.1", 81, 5);
	results(true);
	row = row_of("0.0.0.0", 80);
	assert_int_equal(row->sockets, 1);
	/* All but LISTEN (1), TIME-WAIT (512) and bound ones (1024). */
	assert_int_equal(row->connections.value, 2047 - 1 - 512 - 1024);
	assert_int_equal(row->syn_recv, 1 << TW_STATE_SYN_RECV);
	assert_int_equal(row->close_wait, 1 << TW_STATE_CLOSE_WAIT);
	assert_true(row->time_wait.known);
	assert_int_equal(row->time_wait.value, 1 << TW_STATE_TIME_WAIT);

	results(false);
	row = row_of("0.0.0.0", 80);
	assert_false(row->time_wait.known);
	assert_int_equal(row->time_wait.value, 0);
}

/* Whose connection it is, by local address and family. */
static void test_attribution(void **state TW_UNUSED)
{
	static const struct {
		const char *listening[3]; /* all on port 80 */
		uint8_t family;
		const char *local;
		const char *owner; /* NULL: nobody */
	} cases[] = {
		{ { "10.0.0.1" }, AF_INET, "10.0.0.1", "10.0.0.1" },
		{ { "10.0.0.1" }, AF_INET, "10.0.0.2", NULL },
		{ { "10.0.0.1" }, AF_INET6, "10.0.0.1", "10.0.0.1" },
		{ { "10.0.0.1", "10.0.0.2" }, AF_INET, "10.0.0.2", "10.0.0.2" },
		{ { "0.0.0.0" }, AF_INET, "10.0.0.1", "0.0.0.0" },
		{ { "0.0.0.0", "10.0.0.1" }, AF_INET, "10.0.0.1", "10.0.0.1" },
		{ { "0.0.0.0", "10.0.0.1" }, AF_INET, "10.0.0.2", "0.0.0.0" },
		{ { "2001:db8::1" }, AF_INET6, "2001:db8::1", "2001:db8::1" },
		{ { "2001:db8::1" }, AF_INET6, "2001:db8::2", NULL },
		{ { "::" }, AF_INET6, "2001:db8::2", "::" },
		{ { "::", "2001:db8::2" }, AF_INET6, "2001:db8::2", "2001:db8::2" },
		/* An IPv6 listener takes IPv4 connections too; they stay IPv6 sockets. */
		{ { "::" }, AF_INET6, "10.0.0.1", "::" },
		{ { "::" }, AF_INET, "10.0.0.1", "::" },
		{ { "::", "0.0.0.0" }, AF_INET6, "10.0.0.1", "::" },
		{ { "::", "0.0.0.0" }, AF_INET, "10.0.0.1", "0.0.0.0" },
		{ { "0.0.0.0" }, AF_INET6, "10.0.0.1", "0.0.0.0" },
		/* Never the other way round. */
		{ { "0.0.0.0" }, AF_INET6, "2001:db8::2", NULL },
		{ { "10.0.0.1" }, AF_INET6, "::1", NULL },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		uint64_t sum = 0;

		tw_listeners_clear(&listeners);
		for (unsigned k = 0; k < 3 && cases[i].listening[k]; k++)
			listen_on(cases[i].listening[k], 80, 0, 16);
		listen_on("0.0.0.0", 81, 0, 16);
		listen_on("::", 79, 0, 16);
		attribute(TW_STATE_ESTABLISHED, cases[i].family, cases[i].local, 80, 2);
		attribute(TW_STATE_TIME_WAIT, cases[i].family, cases[i].local, 80, 3);
		results(true);
		if (cases[i].owner) {
			assert_int_equal(row_of(cases[i].owner, 80)->connections.value, 2);
			assert_int_equal(row_of(cases[i].owner, 80)->time_wait.value, 3);
		}
		for (unsigned k = 0; k < accepting.row_count; k++)
			sum += accepting.rows[k].connections.value;
		assert_int_equal(sum, cases[i].owner ? 2 : 0);
	}
}

/* Several sockets on one address: the fullest queue is told, whatever the order. */
static void test_merged(void **state TW_UNUSED)
{
	static const struct {
		uint32_t queue, backlog;
	} sockets[] = { { 5, 10 }, { 60, 100 }, { 0, 4096 }, { 0, 0 }, { 50, 100 } };
	const size_t count = TW_ARRAY_SIZE(sockets);

	for (size_t first = 0; first < count; first++) {
		const struct tw_listener_row *row;

		tw_listeners_clear(&listeners);
		for (size_t i = 0; i < count; i++)
			listen_on("0.0.0.0", 80, sockets[(first + i) % count].queue,
				  sockets[(first + i) % count].backlog);
		results(true);
		assert_int_equal(accepting.listeners, 1);
		row = row_of("0.0.0.0", 80);
		assert_int_equal(row->sockets, count);
		assert_int_equal(row->queue, 60);
		assert_int_equal(row->backlog, 100);
		assert_int_equal(accepting.accept_queue.milli, 60000);
	}
}

static void test_accept_queue(void **state TW_UNUSED)
{
	static const struct {
		struct {
			uint32_t queue, backlog;
		} of[3];
		unsigned count;
		int64_t milli;
	} cases[] = {
		{ { { 0, 511 } }, 1, 0 },
		{ { { 256, 512 } }, 1, 50000 },
		{ { { 129, 128 } }, 1, 100781 },
		/* Without a backlog there is room for one. */
		{ { { 0, 0 } }, 1, 0 },
		{ { { 1, 0 } }, 1, 100000 },
		{ { { 2, 0 } }, 1, 200000 },
		{ { { 0, 0 }, { 0, 128 } }, 2, 0 },
		{ { { 1, 0 }, { 127, 128 } }, 2, 100000 },
		{ { { 0, 0 }, { 1, 128 } }, 2, 781 },
		{ { { 400, 4096 }, { 20, 128 }, { 1, 5 } }, 3, 20000 },
		{ { { UINT32_MAX, UINT32_MAX }, { 1, 2 } }, 2, 100000 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		tw_listeners_clear(&listeners);
		for (unsigned k = 0; k < cases[i].count; k++)
			listen_on("0.0.0.0", (uint16_t)(80 + k), cases[i].of[k].queue, cases[i].of[k].backlog);
		results(true);
		assert_true(accepting.accept_queue.known);
		assert_int_equal(accepting.accept_queue.milli, cases[i].milli);
	}
}

static void test_order(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		uint16_t port;
		uint32_t queue, backlog;
		unsigned connections;
	} sorted[] = {
		{ "0.0.0.0", 1, 2, 4, 0 },    { "10.0.0.1", 9, 100, 400, 5 }, { "10.0.0.1", 8, 25, 100, 4 },
		{ "0.0.0.0", 7, 0, 8, 50 },   { "0.0.0.0", 6, 0, 0, 49 },     { "0.0.0.0", 5, 0, 1, 48 },
		{ "10.0.0.1", 10, 0, 1, 47 }, { "10.0.0.1", 11, 0, 1, 47 },   { "10.0.0.2", 3, 0, 1, 47 },
	};
	const size_t count = TW_ARRAY_SIZE(sorted);

	for (size_t first = 0; first < count; first++) {
		tw_listeners_clear(&listeners);
		for (size_t i = 0; i < count; i++) {
			size_t at = (first + i * 4) % count;

			listen_on(sorted[at].text, sorted[at].port, sorted[at].queue, sorted[at].backlog);
		}
		for (size_t i = 0; i < count; i++)
			attribute(TW_STATE_ESTABLISHED, AF_INET, sorted[i].text, sorted[i].port, sorted[i].connections);
		results(true);
		assert_int_equal(accepting.row_count, count);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(accepting.rows[i].address.port, sorted[i].port);
	}
}

static void add_four(void)
{
	tw_listeners_clear(&listeners);
	listen_on("0.0.0.0", 80, 3, 8);
	listen_on("0.0.0.0", 81, 0, 8);
	listen_on("0.0.0.0", 82, 0, 8);
	listen_on("0.0.0.0", 83, 8, 8);
	attribute(TW_STATE_CLOSE_WAIT, AF_INET, "10.0.0.1", 82, 2);
	attribute(TW_STATE_SYN_RECV, AF_INET, "10.0.0.1", 82, 3);
	attribute(TW_STATE_TIME_WAIT, AF_INET, "10.0.0.1", 82, 4);
}

/* Not all connections were told: none is counted, and the order does not depend on some of them. */
static void test_connections_unknown(void **state TW_UNUSED)
{
	static const uint16_t ports[] = { 83, 80, 81, 82 };

	add_four();
	results_of(false, true);
	assert_int_equal(accepting.row_count, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(accepting.rows[i].address.port, ports[i]);
		assert_false(accepting.rows[i].connections.known);
		assert_int_equal(accepting.rows[i].connections.value, 0);
	}
	assert_int_equal(accepting.rows[3].close_wait, 2);
	assert_int_equal(accepting.rows[3].syn_recv, 3);
	assert_int_equal(accepting.rows[3].time_wait.value, 4);
	assert_int_equal(accepting.accept_queue.milli, 100000);
	add_four();
	assert_true(results(true)->rows[2].connections.known);
	assert_int_equal(accepting.rows[2].address.port, 82);
	assert_int_equal(accepting.rows[2].connections.value, 5);
}

/* The rows with the most connections are kept, whatever the order that they came in. */
static void test_most_rows(void **state TW_UNUSED)
{
	for (unsigned i = 0; i < 250; i++)
		listen_on("0.0.0.0", (uint16_t)(1000 + i * 7 % 250), 0, 16);
	for (unsigned i = 0; i < 250; i++)
		attribute(TW_STATE_ESTABLISHED, AF_INET, "10.0.0.1", (uint16_t)(1000 + i), i);
	results(true);
	assert_int_equal(accepting.listeners, 250);
	assert_int_equal(accepting.row_count, TW_TOP_MAX);
	for (unsigned i = 0; i < TW_TOP_MAX; i++)
		assert_int_equal(accepting.rows[i].connections.value, 249 - i);
}

/* As many addresses as are told apart, on few ports, and more. */
static void test_bound(void **state TW_UNUSED)
{
	enum { MORE = TW_LISTENERS_MAX + 100 };
	char text[32];

	for (unsigned i = 0; i < MORE; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		listen_on(text, (uint16_t)(1 + i % 3), 0, 16);
	}
	listen_on("192.168.0.1", 4000, 0, 16);
	for (unsigned i = 0; i < MORE; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		attribute(TW_STATE_ESTABLISHED, AF_INET, text, (uint16_t)(1 + i % 3), 1);
		attribute(TW_STATE_ESTABLISHED, AF_INET, text, (uint16_t)(1 + (i + 1) % 3), 1);
	}
	/* Those that are known still gather sockets. */
	listen_on("10.0.0.0", 1, 3, 16);
	assert_int_equal(listeners.rows[0].sockets, 2);
	results(true);
	assert_int_equal(accepting.rows[0].queue, 3);
	assert_int_equal(accepting.listeners, MORE + 1);
	assert_int_equal(listeners.count, TW_LISTENERS_MAX);
	for (unsigned i = 0; i < TW_LISTENERS_MAX; i++)
		assert_int_equal(listeners.rows[i].connections.value, 1);
	/* connect() must not count on their ports either. */
	assert_true(tw_port_set_has(&listeners.ports, 4000));
}

static void test_clear(void **state TW_UNUSED)
{
	listen_on("0.0.0.0", 80, 3, 4);
	attribute(TW_STATE_ESTABLISHED, AF_INET, "10.0.0.1", 80, 9);
	tw_listeners_clear(&listeners);
	assert_false(tw_port_set_has(&listeners.ports, 80));
	listen_on("0.0.0.0", 80, 0, 4);
	results(true);
	assert_int_equal(accepting.listeners, 1);
	assert_int_equal(accepting.rows[0].connections.value, 0);
	assert_int_equal(accepting.rows[0].queue, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, set_up),
		cmocka_unit_test_setup(test_states, set_up),
		cmocka_unit_test_setup(test_attribution, set_up),
		cmocka_unit_test_setup(test_merged, set_up),
		cmocka_unit_test_setup(test_accept_queue, set_up),
		cmocka_unit_test_setup(test_order, set_up),
		cmocka_unit_test_setup(test_connections_unknown, set_up),
		cmocka_unit_test_setup(test_bound, set_up),
		cmocka_unit_test_setup(test_most_rows, set_up),
		cmocka_unit_test_setup(test_bound, set_up),
		cmocka_unit_test_setup(test_clear, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
