/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Scans of sockets in CLOSE-WAIT by their cookies: apart because what is seen and what is asked are tried with them. */

#include "base/macros.h"
#include "measure/close-wait.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND TW_USEC_PER_SEC
#define EPOCH (1000 * SECOND)

/* Of the namespace. */
static struct tw_close_wait_set known;
static struct tw_close_wait result;

static inline int set_up(void **state)
{
	static struct tw_close_wait_work work;

	*state = &work;
	return 0;
}

static inline int tear_down(void **state)
{
	tw_close_wait_set_done(&known);
	tw_close_wait_work_done(*state);
	/* Twice is no matter. */
	tw_close_wait_work_done(*state);
	return 0;
}

static inline void add(struct tw_close_wait_work *work, uint64_t cookie)
{
	struct tw_flow flow = { .state = TW_STATE_CLOSE_WAIT, .cookie = cookie, .inode = 1 };

	tw_close_wait_work_add(work, &flow);
}

/* The kernel's answer to a question, as of the scan's begin. */
static inline void answer(struct tw_close_wait_work *work, unsigned question, const struct tw_idle *idle)
{
	struct tw_flow flow = work->questions[question];

	flow.has_idle = true;
	flow.idle = *idle;
	(void)tw_close_wait_work_sort(work);
	tw_close_wait_work_tell(work, &flow);
}

static inline int no_unit(struct tw_source *source TW_UNUSED, uint64_t cgroup_id TW_UNUSED, char ret[] TW_UNUSED)
{
	return -ENOENT;
}

/* The scan is whole; no question is asked any more. */
static inline void end(struct tw_close_wait_work *work)
{
	struct tw_source source = { .unit = no_unit };

	(void)tw_close_wait_work_sort(work);
	work->asked = work->question_count;
	while (tw_close_wait_work_step(work, &source))
		;
	tw_close_wait_work_results(work, false, &result);
	assert_ptr_equal(result.sockets, known.sockets);
	assert_int_equal(result.socket_count, known.count);
}

/* A whole scan that sees the cookies from `first` up to but without `last`. */
static inline void scan(struct tw_close_wait_work *work, usec_t at_usec, uint64_t first, uint64_t last)
{
	tw_close_wait_work_begin(work, &known, at_usec, 0);
	for (uint64_t cookie = first; cookie < last; cookie++)
		add(work, cookie);
	end(work);
}

/* None of them. */
static const struct tw_close_wait_socket nobody;

static inline const struct tw_close_wait_socket *find(uint64_t cookie)
{
	const struct tw_close_wait_socket *found = &nobody;

	for (uint32_t i = 0; i < known.count; i++)
		if (known.sockets[i].cookie == cookie) {
			assert_ptr_equal(found, &nobody);
			found = &known.sockets[i];
		}
	assert_true(found == &nobody || found == tw_close_wait_find(known.sockets, known.count, cookie));
	return found;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
