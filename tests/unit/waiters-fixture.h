/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Scans of sockets in CLOSE-WAIT by their cookies: apart because what is seen and what is asked are tried with them. */

#include "base/macros.h"
#include "measure/waiters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND TW_USEC_PER_SEC
#define EPOCH (1000 * SECOND)

static const struct tw_hash_key secret = { .k0 = 7, .k1 = 8 };

/* Of the namespace. */
static struct tw_waiter_set known;

static inline int set_up(void **state)
{
	static struct tw_waiters waiters;

	*state = &waiters;
	return tw_waiters_init(&waiters, &secret);
}

static inline int tear_down(void **state)
{
	tw_waiter_set_done(&known);
	tw_waiters_done(*state);
	/* Twice is no matter. */
	tw_waiters_done(*state);
	return 0;
}

static inline void add(struct tw_waiters *waiters, uint64_t cookie)
{
	struct tw_flow flow = { .state = TW_STATE_CLOSE_WAIT, .cookie = cookie, .inode = 1 };

	tw_waiters_add(waiters, &flow, 0);
}

/* A whole scan that sees the cookies from `first` up to but without `end`. */
static inline void scan(struct tw_waiters *waiters, usec_t at_usec, uint64_t first, uint64_t end)
{
	tw_waiters_begin(waiters, &known, at_usec, 0);
	for (uint64_t cookie = first; cookie < end; cookie++)
		add(waiters, cookie);
	tw_waiters_end(waiters);
}

/* None of them. */
static const struct tw_close_wait_socket nobody;

static inline const struct tw_close_wait_socket *find(const struct tw_waiters *waiters, uint64_t cookie)
{
	const struct tw_close_wait_socket *found = &nobody;

	for (uint32_t i = 0; i < waiters->known->count; i++)
		if (waiters->known->waiters[i].cookie == cookie) {
			assert_ptr_equal(found, &nobody);
			found = &waiters->known->waiters[i];
		}
	return found;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
