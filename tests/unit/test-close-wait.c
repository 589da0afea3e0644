/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "close-wait-fixture.h"

static void test_empty(void **state)
{
	struct tw_close_wait_work *work = *state;

	scan(work, EPOCH, 1, 1);
	assert_int_equal(known.count, 0);
	assert_int_equal(work->question_count, 0);
}

static void test_fields(void **state)
{
	struct tw_close_wait_work *work = *state;
	struct tw_flow flow = {
		.state = TW_STATE_CLOSE_WAIT,
		.cookie = UINT64_C(0x123456789abcdef0),
		.receive_queue = 77,
		.inode = 1,
	};
	const struct tw_close_wait_socket *waiter;

	tw_close_wait_work_begin(work, &known, EPOCH, 0);
	tw_close_wait_work_add(work, &flow);
	end(work);
	assert_int_equal(known.count, 1);
	waiter = &known.sockets[0];
	assert_true(waiter->cookie == flow.cookie);
	assert_int_equal(waiter->since_usec, EPOCH);
	assert_int_equal(waiter->unread, 76);
	assert_int_equal(waiter->unit, 0);
	assert_int_equal(result.row_count, 1);
	assert_string_equal(result.rows[0].unit, "");
	/* What changes is told anew. */
	flow.receive_queue = 0;
	tw_close_wait_work_begin(work, &known, EPOCH + SECOND, 0);
	tw_close_wait_work_add(work, &flow);
	end(work);
	assert_int_equal(known.sockets[0].unread, 0);
	assert_int_equal(known.sockets[0].since_usec, EPOCH);
}

/* Comes, stays, goes. */
static void test_tracking(void **state)
{
	struct tw_close_wait_work *work = *state;

	scan(work, EPOCH, 10, 20);
	scan(work, EPOCH + 5 * SECOND, 15, 25);
	assert_int_equal(known.count, 10);
	assert_ptr_equal(find(14), &nobody);
	assert_int_equal(find(15)->since_usec, EPOCH);
	assert_int_equal(find(19)->since_usec, EPOCH);
	assert_int_equal(find(20)->since_usec, EPOCH + 5 * SECOND);
	/* Who was away for one scan is new. */
	scan(work, EPOCH + 10 * SECOND, 10, 16);
	assert_int_equal(find(10)->since_usec, EPOCH + 10 * SECOND);
	assert_int_equal(find(15)->since_usec, EPOCH);
	scan(work, EPOCH + 15 * SECOND, 1, 1);
	assert_int_equal(known.count, 0);
}

static void test_seen_twice(void **state)
{
	struct tw_close_wait_work *work = *state;

	tw_close_wait_work_begin(work, &known, EPOCH, 0);
	for (unsigned twice = 0; twice < 2; twice++)
		for (uint64_t cookie = 1; cookie <= 300; cookie++)
			add(work, cookie);
	assert_int_equal(work->question_count, TW_CLOSE_WAIT_ASKED_MAX);
	end(work);
	assert_int_equal(known.count, 300);
	assert_int_equal(result.untracked, 0);
}

/* A scan that is begun anew or never ends changes nothing of what is known. */
static void test_given_up(void **state)
{
	struct tw_close_wait_work *work = *state;
	const struct tw_close_wait_socket *handed_on;

	scan(work, EPOCH, 1, 5);
	handed_on = known.sockets;
	tw_close_wait_work_begin(work, &known, EPOCH + SECOND, 0);
	for (uint64_t cookie = 3; cookie < 2000; cookie++)
		add(work, cookie);
	tw_close_wait_work_results(work, true, &result);
	assert_int_equal(result.socket_count, 0);
	assert_ptr_equal(known.sockets, handed_on);
	assert_int_equal(known.count, 4);
	assert_int_equal(find(4)->since_usec, EPOCH);
	scan(work, EPOCH + 2 * SECOND, 1, 4);
	assert_int_equal(known.count, 3);
	assert_int_equal(find(3)->since_usec, EPOCH);
	assert_ptr_equal(find(5), &nobody);
}

/* What was handed on stands while the next scan gathers, and grows. */
static void test_handed_on(void **state)
{
	struct tw_close_wait_work *work = *state;
	const struct tw_close_wait_socket *handed_on;

	scan(work, EPOCH, 1, 101);
	handed_on = known.sockets;
	tw_close_wait_work_begin(work, &known, EPOCH + SECOND, 0);
	for (uint64_t cookie = 1000; cookie < 11000; cookie++)
		add(work, cookie);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(handed_on[i].cookie, i + 1);
		assert_int_equal(handed_on[i].since_usec, EPOCH);
	}
	end(work);
	assert_int_equal(known.count, 10000);
}

static void test_growth_and_bound(void **state)
{
	struct tw_close_wait_work *work = *state;

	assert_int_equal(known.room, 0);
	assert_true(TW_CLOSE_WAIT_MIN * sizeof(struct tw_close_wait_socket) == 8192);
	for (unsigned round = 0; round < 3; round++) {
		scan(work, EPOCH + round * SECOND, 1, TW_CLOSE_WAIT_MAX + 1001);
		assert_int_equal(known.count, TW_CLOSE_WAIT_MAX);
		assert_int_equal(known.room, TW_CLOSE_WAIT_MAX);
		assert_int_equal(result.untracked, 1000);
		for (uint32_t i = 0; i < known.count; i++) {
			assert_int_equal(known.sockets[i].cookie, i + 1);
			assert_int_equal(known.sockets[i].since_usec, EPOCH);
		}
	}
	/* There is room for those again, and memory is given back. */
	scan(work, EPOCH + 10 * SECOND, TW_CLOSE_WAIT_MAX - 999, TW_CLOSE_WAIT_MAX + 1001);
	assert_int_equal(known.count, 2000);
	assert_int_equal(result.untracked, 0);
	assert_int_equal(find(TW_CLOSE_WAIT_MAX)->since_usec, EPOCH);
	assert_int_equal(find(TW_CLOSE_WAIT_MAX + 1)->since_usec, EPOCH + 10 * SECOND);
	assert_int_equal(known.room, 2048);
	scan(work, EPOCH + 11 * SECOND, TW_CLOSE_WAIT_MAX - 999, TW_CLOSE_WAIT_MAX + 1001);
	assert_int_equal(find(TW_CLOSE_WAIT_MAX)->since_usec, EPOCH);
	scan(work, EPOCH + 12 * SECOND, 1, 2);
	assert_int_equal(known.room, TW_CLOSE_WAIT_MIN);
	assert_int_equal(known.count, 1);
	scan(work, EPOCH + 13 * SECOND, 1, 1);
	assert_null(known.sockets);
}

static uint32_t next_random(uint64_t *seed)
{
	/* Steele, Lea and Flood 2014: splitmix64. */
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z ^ z >> 31);
}

/* Sockets come and go at random, scans fail at random: each is as old as the first of its scans in a row. */
static void test_walk(void **state)
{
	enum { COOKIES = 3000, SCANS = 300 };
	struct tw_close_wait_work *work = *state;
	static usec_t since[COOKIES];
	uint64_t seed = 20;

	memset(since, 0, sizeof(since));
	for (unsigned round = 1; round <= SCANS; round++) {
		usec_t now = EPOCH + round * SECOND;
		bool whole = next_random(&seed) % 5 != 0;
		uint32_t density = next_random(&seed) % 100, seen = 0;

		tw_close_wait_work_begin(work, &known, now, 0);
		for (unsigned i = 0; i < COOKIES; i++) {
			bool here = next_random(&seed) % 100 < density;

			if (here)
				add(work, i * UINT64_C(0x100000001) + 1);
			seen += here;
			if (whole)
				since[i] = !here ? 0 : since[i] ? since[i] : now;
		}
		if (!whole)
			continue;
		end(work);
		assert_int_equal(known.count, seen);
		for (uint32_t i = 0; i < seen; i++) {
			const struct tw_close_wait_socket *waiter = &known.sockets[i];

			assert_int_equal(waiter->since_usec, since[waiter->cookie >> 32]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),    TEST(test_fields),	   TEST(test_tracking),		TEST(test_seen_twice),
		TEST(test_given_up), TEST(test_handed_on), TEST(test_growth_and_bound), TEST(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
