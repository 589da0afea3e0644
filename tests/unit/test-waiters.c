/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/waiters.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND TW_USEC_PER_SEC
#define EPOCH (1000 * SECOND)

static const struct tw_hash_key secret = { .k0 = 7, .k1 = 8 };

/* Of the namespace. */
static struct tw_waiter_set known;

static int set_up(void **state)
{
	static struct tw_waiters waiters;

	*state = &waiters;
	return tw_waiters_init(&waiters, &secret);
}

static int tear_down(void **state)
{
	tw_waiter_set_done(&known);
	tw_waiters_done(*state);
	/* Twice is no matter. */
	tw_waiters_done(*state);
	return 0;
}

static void add(struct tw_waiters *waiters, uint64_t cookie)
{
	struct tw_flow flow = { .state = TW_STATE_CLOSE_WAIT, .cookie = cookie, .inode = 1 };

	tw_waiters_add(waiters, &flow, 0);
}

/* A whole scan that sees the cookies from `first` up to but without `end`. */
static void scan(struct tw_waiters *waiters, usec_t at_usec, uint64_t first, uint64_t end)
{
	tw_waiters_begin(waiters, &known, at_usec, 0);
	for (uint64_t cookie = first; cookie < end; cookie++)
		add(waiters, cookie);
	tw_waiters_end(waiters);
}

/* None of them. */
static const struct tw_waiter nobody;

static const struct tw_waiter *find(const struct tw_waiters *waiters, uint64_t cookie)
{
	const struct tw_waiter *found = &nobody;

	for (uint32_t i = 0; i < waiters->known->count; i++)
		if (waiters->known->waiters[i].cookie == cookie) {
			assert_ptr_equal(found, &nobody);
			found = &waiters->known->waiters[i];
		}
	return found;
}

static void test_empty(void **state)
{
	struct tw_waiters *waiters = *state;

	scan(waiters, EPOCH, 1, 1);
	assert_int_equal(waiters->known->count, 0);
	assert_int_equal(waiters->question_count, 0);
}

static void test_fields(void **state)
{
	struct tw_waiters *waiters = *state;
	struct tw_flow flow = {
		.state = TW_STATE_CLOSE_WAIT,
		.cookie = UINT64_C(0x123456789abcdef0),
		.receive_queue = 77,
		.inode = 1,
	};
	const struct tw_waiter *waiter;

	tw_waiters_begin(waiters, &known, EPOCH, 0);
	tw_waiters_add(waiters, &flow, 42);
	tw_waiters_end(waiters);
	assert_int_equal(waiters->known->count, 1);
	waiter = &waiters->known->waiters[0];
	assert_true(waiter->cookie == flow.cookie);
	assert_int_equal(waiter->since_usec, EPOCH);
	assert_int_equal(waiter->unread, 76);
	assert_int_equal(waiter->unit, 42);
	/* What changes is told anew. */
	flow.receive_queue = 0;
	tw_waiters_begin(waiters, &known, EPOCH + SECOND, 0);
	tw_waiters_add(waiters, &flow, 43);
	tw_waiters_end(waiters);
	assert_int_equal(waiters->known->waiters[0].unread, 0);
	assert_int_equal(waiters->known->waiters[0].unit, 43);
	assert_int_equal(waiters->known->waiters[0].since_usec, EPOCH);
}

/* Comes, stays, goes. */
static void test_tracking(void **state)
{
	struct tw_waiters *waiters = *state;

	scan(waiters, EPOCH, 10, 20);
	scan(waiters, EPOCH + 5 * SECOND, 15, 25);
	assert_int_equal(waiters->known->count, 10);
	assert_ptr_equal(find(waiters, 14), &nobody);
	assert_int_equal(find(waiters, 15)->since_usec, EPOCH);
	assert_int_equal(find(waiters, 19)->since_usec, EPOCH);
	assert_int_equal(find(waiters, 20)->since_usec, EPOCH + 5 * SECOND);
	/* Who was away for one scan is new. */
	scan(waiters, EPOCH + 10 * SECOND, 10, 16);
	assert_int_equal(find(waiters, 10)->since_usec, EPOCH + 10 * SECOND);
	assert_int_equal(find(waiters, 15)->since_usec, EPOCH);
	scan(waiters, EPOCH + 15 * SECOND, 1, 1);
	assert_int_equal(waiters->known->count, 0);
}

static void test_seen_twice(void **state)
{
	struct tw_waiters *waiters = *state;

	tw_waiters_begin(waiters, &known, EPOCH, 0);
	for (unsigned twice = 0; twice < 2; twice++)
		for (uint64_t cookie = 1; cookie <= 300; cookie++)
			add(waiters, cookie);
	assert_int_equal(waiters->question_count, TW_WAITERS_ASKED_MAX);
	tw_waiters_end(waiters);
	assert_int_equal(waiters->known->count, 300);
	assert_int_equal(waiters->known_untracked, 0);
}

static void test_answers(void **state)
{
	struct tw_waiters *waiters = *state;

	scan(waiters, EPOCH, 1, 3);
	tw_waiters_begin(waiters, &known, EPOCH + SECOND, 0);
	for (uint64_t cookie = 1; cookie < 6; cookie++)
		add(waiters, cookie);
	/* Of those that are known nothing is asked. */
	assert_int_equal(waiters->question_count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(waiters->questions[i].flow.cookie, 3 + i);
	tw_waiters_answer(waiters, 0, &(struct tw_idle){ 3000, 2500 });
	/* Older than the clock: as old as can be. */
	tw_waiters_answer(waiters, 2, &(struct tw_idle){ UINT32_MAX, UINT32_MAX });
	tw_waiters_end(waiters);
	assert_int_equal(find(waiters, 1)->since_usec, EPOCH);
	assert_int_equal(find(waiters, 3)->since_usec, EPOCH + SECOND - 2500 * TW_USEC_PER_MSEC);
	assert_int_equal(find(waiters, 4)->since_usec, EPOCH + SECOND);
	assert_int_equal(find(waiters, 5)->since_usec, 0);
	/* It stays so. */
	scan(waiters, EPOCH + 50 * SECOND, 1, 6);
	assert_int_equal(waiters->question_count, 0);
	assert_int_equal(find(waiters, 3)->since_usec, EPOCH + SECOND - 2500 * TW_USEC_PER_MSEC);
}

#define AGE (20 * SECOND)
static const struct tw_idle never = { UINT32_MAX, UINT32_MAX };

/* The same scan, of which `count` sockets have to be asked for; each is answered. `age_usec` matters. */
static void scan_asking(struct tw_waiters *waiters, usec_t at_usec, unsigned count, const struct tw_idle *idle)
{
	tw_waiters_begin(waiters, &known, at_usec, AGE);
	add(waiters, 1);
	assert_int_equal(waiters->question_count, count);
	if (count > 0)
		tw_waiters_answer(waiters, 0, idle);
	tw_waiters_end(waiters);
}

/* When it is new, when it comes to the age that matters, and then once in that time. */
static void test_asked_again(void **state)
{
	struct tw_waiters *waiters = *state;
	const struct tw_idle sent_long_before = { 8000, 4000 }, has_sent = { 1000, 500 };
	usec_t now = EPOCH;

	scan_asking(waiters, now, 1, &sent_long_before);
	assert_int_equal(find(waiters, 1)->since_usec, EPOCH - 4 * SECOND);
	scan_asking(waiters, now += 10 * SECOND, 0, NULL);
	/* An ACK that came later is no news. */
	scan_asking(waiters, now += 6 * SECOND, 1, &(struct tw_idle){ 24000, 1000 });
	assert_int_equal(find(waiters, 1)->since_usec, EPOCH - 4 * SECOND);
	assert_int_equal(find(waiters, 1)->asked_usec, now);
	scan_asking(waiters, now += AGE - SECOND, 0, NULL);
	scan_asking(waiters, now += SECOND, 1, &has_sent);
	/* From now on it is as old as what it sent. */
	assert_int_equal(find(waiters, 1)->since_usec, now - SECOND);
	scan_asking(waiters, now += AGE - 2 * SECOND, 0, NULL);
	scan_asking(waiters, now += SECOND, 1, &has_sent);
	assert_int_equal(find(waiters, 1)->since_usec, now - SECOND);
	/* It has sent and is silent now: it counts in time, and at no scan before. */
	scan_asking(waiters, now += AGE, 1, &(struct tw_idle){ 21000, 20500 });
	assert_int_equal(find(waiters, 1)->since_usec, now - AGE - SECOND);
}

/* However old the age that matters is, or where none does: a minute. */
static void test_asked_within_a_minute(void **state)
{
	struct tw_waiters *waiters = *state;

	for (unsigned i = 0; i < 2; i++) {
		usec_t age_usec = i == 0 ? 0 : TW_USEC_PER_HOUR;

		scan(waiters, EPOCH, 1, 2);
		tw_waiters_begin(waiters, &known, EPOCH + 59 * SECOND, age_usec);
		add(waiters, 1);
		assert_int_equal(waiters->question_count, 0);
		tw_waiters_begin(waiters, &known, EPOCH + 60 * SECOND, age_usec);
		add(waiters, 1);
		assert_int_equal(waiters->question_count, 1);
		scan(waiters, EPOCH, 2, 2);
	}
}

/* What waits to be sent is told by each dump: it is of no age, and nothing has to be asked. */
static void test_unsent(void **state)
{
	struct tw_waiters *waiters = *state;
	struct tw_flow flow = { .state = TW_STATE_CLOSE_WAIT, .cookie = 1, .send_queue = 1, .inode = 1 };

	for (unsigned i = 0; i < 100; i++) {
		usec_t now = EPOCH + i * 10 * SECOND;

		flow.send_queue = i == 50 ? 0 : 1;
		tw_waiters_begin(waiters, &known, now, AGE);
		tw_waiters_add(waiters, &flow, 0);
		assert_int_equal(waiters->question_count, 0);
		tw_waiters_end(waiters);
		assert_int_equal(find(waiters, 1)->since_usec, i == 50 ? now : TW_USEC_INFINITY);
	}
}

/* Those that are due come before those that are new; and where they are too many none is asked for by itself. */
static void test_too_many(void **state)
{
	struct tw_waiters *waiters = *state;
	struct tw_flow flow = { .state = TW_STATE_CLOSE_WAIT, .has_idle = true, .inode = 1 };
	usec_t now = EPOCH + AGE;

	scan(waiters, EPOCH, 1, 201);
	tw_waiters_begin(waiters, &known, now, AGE);
	for (uint64_t cookie = 1000; cookie > 0; cookie--)
		add(waiters, cookie);
	assert_false(waiters->all);
	assert_int_equal(waiters->question_count, TW_WAITERS_ASKED_MAX);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(waiters->questions[TW_WAITERS_ASKED_MAX - 1 - i].flow.cookie, i + 1);

	scan(waiters, EPOCH, 1, 1);
	scan(waiters, EPOCH, 1, 301);
	tw_waiters_begin(waiters, &known, now, AGE);
	for (uint64_t cookie = 1; cookie <= 400; cookie++)
		add(waiters, cookie);
	assert_true(waiters->all);
	assert_int_equal(waiters->question_count, 0);
	for (flow.cookie = 1; flow.cookie <= 500; flow.cookie++) {
		flow.idle = flow.cookie % 2 ? never : (struct tw_idle){ 3000, 2000 };
		flow.send_queue = flow.cookie == 299;
		tw_waiters_tell(waiters, &flow);
	}
	tw_waiters_end(waiters);
	assert_int_equal(waiters->known->count, 400);
	assert_int_equal(find(waiters, 1)->since_usec, EPOCH);
	assert_int_equal(find(waiters, 2)->since_usec, now - 3 * SECOND);
	assert_true(find(waiters, 299)->since_usec == TW_USEC_INFINITY);
	/* New. */
	assert_int_equal(find(waiters, 399)->since_usec, 0);
	assert_int_equal(find(waiters, 400)->since_usec, now - 2 * SECOND);
	/* What was said holds for as long as if each had been asked. */
	tw_waiters_begin(waiters, &known, now + 16 * SECOND, AGE);
	assert_false(waiters->all);
	for (uint64_t cookie = 1; cookie <= 400; cookie++)
		add(waiters, cookie);
	assert_int_equal(waiters->question_count, 0);
	tw_waiters_end(waiters);
	tw_waiters_begin(waiters, &known, now + AGE, AGE);
	assert_true(waiters->all);
}

/* A scan that is begun anew or never ends changes nothing of what is known. */
static void test_given_up(void **state)
{
	struct tw_waiters *waiters = *state;
	const struct tw_waiter *handed_on;

	scan(waiters, EPOCH, 1, 5);
	handed_on = waiters->known->waiters;
	tw_waiters_begin(waiters, &known, EPOCH + SECOND, 0);
	for (uint64_t cookie = 3; cookie < 2000; cookie++)
		add(waiters, cookie);
	assert_ptr_equal(waiters->known->waiters, handed_on);
	assert_int_equal(waiters->known->count, 4);
	assert_int_equal(find(waiters, 4)->since_usec, EPOCH);
	scan(waiters, EPOCH + 2 * SECOND, 1, 4);
	assert_int_equal(waiters->known->count, 3);
	assert_int_equal(find(waiters, 3)->since_usec, EPOCH);
	assert_ptr_equal(find(waiters, 5), &nobody);
}

/* What was handed on stands while the next scan gathers, and grows. */
static void test_handed_on(void **state)
{
	struct tw_waiters *waiters = *state;
	const struct tw_waiter *handed_on;

	scan(waiters, EPOCH, 1, 101);
	handed_on = waiters->known->waiters;
	tw_waiters_begin(waiters, &known, EPOCH + SECOND, 0);
	for (uint64_t cookie = 1000; cookie < 11000; cookie++)
		add(waiters, cookie);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(handed_on[i].cookie, i + 1);
		assert_int_equal(handed_on[i].since_usec, EPOCH);
	}
	tw_waiters_end(waiters);
	assert_int_equal(waiters->known->count, 10000);
}

static void test_growth_and_bound(void **state)
{
	struct tw_waiters *waiters = *state;

	assert_int_equal(known.room, 0);
	assert_int_equal(waiters->fresh.room, TW_WAITERS_MIN);
	assert_true(TW_WAITERS_MIN * sizeof(struct tw_waiter) == 8192);
	for (unsigned round = 0; round < 3; round++) {
		scan(waiters, EPOCH + round * SECOND, 1, TW_WAITERS_MAX + 1001);
		assert_int_equal(waiters->known->count, TW_WAITERS_MAX);
		assert_int_equal(waiters->known->room, TW_WAITERS_MAX);
		assert_int_equal(waiters->known_untracked, 1000);
		for (uint32_t i = 0; i < waiters->known->count; i++) {
			assert_int_equal(waiters->known->waiters[i].cookie, i + 1);
			assert_int_equal(waiters->known->waiters[i].since_usec, EPOCH);
		}
	}
	/* There is room for those again, and memory is given back: one set at each scan. */
	scan(waiters, EPOCH + 10 * SECOND, TW_WAITERS_MAX - 999, TW_WAITERS_MAX + 1001);
	assert_int_equal(waiters->known->count, 2000);
	assert_int_equal(waiters->known_untracked, 0);
	assert_int_equal(find(waiters, TW_WAITERS_MAX)->since_usec, EPOCH);
	assert_int_equal(find(waiters, TW_WAITERS_MAX + 1)->since_usec, EPOCH + 10 * SECOND);
	scan(waiters, EPOCH + 11 * SECOND, TW_WAITERS_MAX - 999, TW_WAITERS_MAX + 1001);
	assert_int_equal(waiters->known->room, 8192);
	assert_int_equal(find(waiters, TW_WAITERS_MAX)->since_usec, EPOCH);
	for (unsigned i = 0; i < 3; i++)
		scan(waiters, EPOCH + 12 * SECOND, 1, 2);
	assert_int_equal(waiters->known->room, TW_WAITERS_MIN);
	assert_int_equal(waiters->fresh.room, TW_WAITERS_MIN);
	assert_int_equal(waiters->known->count, 1);
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
	struct tw_waiters *waiters = *state;
	static usec_t since[COOKIES];
	uint64_t seed = 20;

	memset(since, 0, sizeof(since));
	for (unsigned round = 1; round <= SCANS; round++) {
		usec_t now = EPOCH + round * SECOND;
		bool whole = next_random(&seed) % 5 != 0;
		uint32_t density = next_random(&seed) % 100, seen = 0;

		tw_waiters_begin(waiters, &known, now, 0);
		for (unsigned i = 0; i < COOKIES; i++) {
			bool here = next_random(&seed) % 100 < density;

			if (here)
				add(waiters, i * UINT64_C(0x100000001) + 1);
			seen += here;
			if (whole)
				since[i] = !here ? 0 : since[i] ? since[i] : now;
		}
		if (!whole)
			continue;
		tw_waiters_end(waiters);
		assert_int_equal(waiters->known->count, seen);
		for (uint32_t i = 0; i < seen; i++) {
			const struct tw_waiter *waiter = &waiters->known->waiters[i];

			assert_int_equal(waiter->since_usec, since[waiter->cookie >> 32]);
		}
	}
}

/* What is in an accept queue has no age, however long; it begins when a program has it. */
static void test_not_accepted(void **state)
{
	struct tw_waiters *waiters = *state;
	struct tw_flow flow = { .state = TW_STATE_CLOSE_WAIT, .cookie = 1 };

	for (unsigned i = 0; i < 10; i++) {
		usec_t now = EPOCH + i * 100 * SECOND;

		flow.inode = i < 8 ? 0 : 1;
		tw_waiters_begin(waiters, &known, now, AGE);
		tw_waiters_add(waiters, &flow, 0);
		tw_waiters_end(waiters);
		assert_int_equal(waiters->known->count, 1);
		if (i < 8)
			assert_true(waiters->known->waiters[0].since_usec == TW_USEC_INFINITY);
		else
			assert_true(waiters->known->waiters[0].since_usec == EPOCH + 800 * SECOND);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_fields),
		TEST(test_tracking),
		TEST(test_seen_twice),
		TEST(test_answers),
		TEST(test_given_up),
		TEST(test_asked_again),
		TEST(test_asked_within_a_minute),
		TEST(test_unsent),
		TEST(test_not_accepted),
		TEST(test_too_many),
		TEST(test_handed_on),
		TEST(test_growth_and_bound),
		TEST(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
