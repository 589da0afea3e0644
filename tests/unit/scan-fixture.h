/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A scan of a machine in memory that has something of everything. */
#include "../fake/fake-source.h"
#include "base/macros.h"
#include "measure/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const struct tw_hash_key secret = { .k0 = 3, .k1 = 4 };

#define BIT(state) (tw_state_kernel_bit(TW_STATE_##state))

struct fixture {
	struct tw_fake_source fake;
	struct tw_scan *scan;
	struct tw_scan_past past;
	struct tw_scan_order order;
	struct tw_sample sample;
};

static inline int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	tw_fake_source_init(&fixture.fake);
	fixture.fake.rows_per_datagram = 7;
	fixture.scan = tw_scan_new(&secret);
	fixture.order = (struct tw_scan_order){ .bound_known = true, .at_usec = 1234 };
	*state = &fixture;
	return fixture.scan ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;

	tw_scan_past_done(&fixture->past);
	fixture->scan = tw_scan_free(fixture->scan);
	assert_null(tw_scan_free(NULL));
	tw_fake_source_done(&fixture->fake);
	return 0;
}

/* A machine with something of everything: 2 listeners, 30 TIME-WAIT, 4 mini FIN-WAIT-2 ... */
static inline void populate(struct fixture *fixture)
{
	struct tw_fake_source *fake = &fixture->fake;
	struct tw_flow ipv6 = { .state = TW_STATE_ESTABLISHED, .family = AF_INET6 };
	size_t minis;

	tw_fake_source_add_listener(fake, 80);
	tw_fake_source_add_listener(fake, 40000);
	tw_fake_source_add_many(fake, TW_STATE_TIME_WAIT, 1, 443, 50000, 30, 1000);
	minis = fake->flow_count;
	tw_fake_source_add_many(fake, TW_STATE_FIN_WAIT_2, 1, 443, 51000, 4, 0);
	for (size_t i = minis; i < fake->flow_count; i++)
		fake->flows[i].mini = true;
	tw_fake_source_add_many(fake, TW_STATE_FIN_WAIT_2, 1, 443, 51010, 3, 0);
	tw_fake_source_add_many(fake, TW_STATE_ESTABLISHED, 2, 443, 50000, 9, 0);
	tw_fake_source_add_many(fake, TW_STATE_SYN_SENT, 2, 443, 50100, 2, 0);
	tw_fake_source_add_many(fake, TW_STATE_CLOSE_WAIT, 9, 55555, 80, 1, 0);	    /* accepted */
	tw_fake_source_add_many(fake, TW_STATE_ESTABLISHED, 9, 55556, 40000, 1, 0); /* accepted, in the range */
	tw_fake_source_add_many(fake, TW_STATE_BOUND, 0, 0, 60000, 5, 0);
	ipv6.local.port = 52000;
	ipv6.remote.port = 443;
	ipv6.local.address.bytes[0] = ipv6.remote.address.bytes[0] = 0x20;
	tw_fake_source_add(fake, &ipv6);
	/* v4-mapped: an IPv6 socket, an IPv4 connection, to the destination of the nine. */
	tw_fake_source_add_many(fake, TW_STATE_ESTABLISHED, 2, 443, 52001, 1, 0);
	fake->flows[fake->flow_count - 1].family = AF_INET6;
	tw_fake_source_settle(fake);
	fixture->order.gauge = fake->gauge;
}

static inline int run(struct fixture *fixture, enum tw_scan_kind kind)
{
	struct tw_source *source = &fixture->fake.base;
	int r;

	fixture->order.kind = kind;
	r = tw_scan_begin(fixture->scan, &fixture->past, source, &fixture->order);
	if (r < 0)
		return r;
	for (unsigned steps = 0; (r = tw_scan_step(fixture->scan, source)) > 0; steps++)
		assert_true(steps < 100000);
	if (r == 0)
		tw_scan_results(fixture->scan, &fixture->sample);
	return r;
}

static inline void assert_full_census(const struct tw_census *census)
{
	static const uint64_t expected[TW_STATE_COUNT] = {
		[TW_STATE_LISTEN] = 2,	   [TW_STATE_SYN_SENT] = 2,   [TW_STATE_ESTABLISHED] = 12,
		[TW_STATE_FIN_WAIT_2] = 7, [TW_STATE_CLOSE_WAIT] = 1, [TW_STATE_TIME_WAIT] = 30,
		[TW_STATE_BOUND] = 5,
	};

	assert_false(census->partial);
	assert_int_equal(census->at_usec, 1234);
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		assert_int_equal(census->count[i], expected[i]);
		assert_int_equal(census->count_ipv6[i], i == TW_STATE_ESTABLISHED);
		assert_true(census->known[i]);
	}
	assert_int_equal(census->mini_fin_wait_2, 4);
}
