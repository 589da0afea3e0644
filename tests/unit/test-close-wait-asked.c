/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of sockets, and whose age need not be: apart from test-close-wait because that is about what scans see.
 */
#include "close-wait-fixture.h"

static void test_answers(void **state)
{
	struct tw_close_wait_work *work = *state;

	scan(work, EPOCH, 1, 3);
	tw_close_wait_work_begin(work, &known, EPOCH + SECOND, 0);
	for (uint64_t cookie = 1; cookie < 6; cookie++)
		add(work, cookie);
	/* Of those that are known nothing is asked. */
	assert_int_equal(work->question_count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(work->questions[i].cookie, 3 + i);
	answer(work, 0, &(struct tw_idle){ 3000, 2500, TW_TIMESTAMPS_UNKNOWN });
	/* Older than the clock: as old as can be. */
	answer(work, 2, &(struct tw_idle){ UINT32_MAX, UINT32_MAX, TW_TIMESTAMPS_UNKNOWN });
	end(work);
	assert_int_equal(find(1)->since_usec, EPOCH);
	assert_int_equal(find(3)->since_usec, EPOCH + SECOND - 2500 * TW_USEC_PER_MSEC);
	assert_int_equal(find(4)->since_usec, EPOCH + SECOND);
	assert_int_equal(find(5)->since_usec, 0);
	/* It stays so. */
	scan(work, EPOCH + 50 * SECOND, 1, 6);
	assert_int_equal(work->question_count, 0);
	assert_int_equal(find(3)->since_usec, EPOCH + SECOND - 2500 * TW_USEC_PER_MSEC);
}

#define AGE (20 * SECOND)
static const struct tw_idle never = { UINT32_MAX, UINT32_MAX, TW_TIMESTAMPS_UNKNOWN };

/* The same scan, of which `count` sockets have to be asked for; each is answered. `age_usec` matters. */
static void scan_asking(struct tw_close_wait_work *work, usec_t at_usec, unsigned count, const struct tw_idle *idle)
{
	tw_close_wait_work_begin(work, &known, at_usec, AGE);
	add(work, 1);
	assert_int_equal(work->question_count, count);
	if (count > 0)
		answer(work, 0, idle);
	end(work);
}

/* When it is new, when it comes to the age that matters, and then once in that time. */
static void test_asked_again(void **state)
{
	struct tw_close_wait_work *work = *state;
	const struct tw_idle sent_long_before = { 8000, 4000, TW_TIMESTAMPS_UNKNOWN },
			     has_sent = { 1000, 500, TW_TIMESTAMPS_UNKNOWN };
	usec_t now = EPOCH;

	scan_asking(work, now, 1, &sent_long_before);
	assert_int_equal(find(1)->since_usec, EPOCH - 4 * SECOND);
	scan_asking(work, now += 10 * SECOND, 0, NULL);
	/* An ACK that came later is no news. */
	scan_asking(work, now += 6 * SECOND, 1, &(struct tw_idle){ 24000, 1000, TW_TIMESTAMPS_UNKNOWN });
	assert_int_equal(find(1)->since_usec, EPOCH - 4 * SECOND);
	assert_int_equal(find(1)->asked_usec, now);
	scan_asking(work, now += AGE - SECOND, 0, NULL);
	scan_asking(work, now += SECOND, 1, &has_sent);
	/* From now on it is as old as what it sent. */
	assert_int_equal(find(1)->since_usec, now - SECOND);
	scan_asking(work, now += AGE - 2 * SECOND, 0, NULL);
	scan_asking(work, now += SECOND, 1, &has_sent);
	assert_int_equal(find(1)->since_usec, now - SECOND);
	/* It has sent and is silent now: it counts in time, and at no scan before. */
	scan_asking(work, now += AGE, 1, &(struct tw_idle){ 21000, 20500, TW_TIMESTAMPS_UNKNOWN });
	assert_int_equal(find(1)->since_usec, now - AGE - SECOND);
}

/* However old the age that matters is, or where none does: a minute. */
static void test_asked_within_a_minute(void **state)
{
	struct tw_close_wait_work *work = *state;

	for (unsigned i = 0; i < 2; i++) {
		usec_t age_usec = i == 0 ? 0 : TW_USEC_PER_HOUR;

		scan(work, EPOCH, 1, 2);
		tw_close_wait_work_begin(work, &known, EPOCH + 59 * SECOND, age_usec);
		add(work, 1);
		assert_int_equal(work->question_count, 0);
		tw_close_wait_work_begin(work, &known, EPOCH + 60 * SECOND, age_usec);
		add(work, 1);
		assert_int_equal(work->question_count, 1);
		scan(work, EPOCH, 2, 2);
	}
}

/* What waits to be sent is told by each dump: it is of no age, and nothing has to be asked. */
static void test_unsent(void **state)
{
	struct tw_close_wait_work *work = *state;
	struct tw_flow flow = { .state = TW_STATE_CLOSE_WAIT, .cookie = 1, .send_queue = 1, .inode = 1 };

	for (unsigned i = 0; i < 100; i++) {
		usec_t now = EPOCH + i * 10 * SECOND;

		flow.send_queue = i == 50 ? 0 : 1;
		tw_close_wait_work_begin(work, &known, now, AGE);
		tw_close_wait_work_add(work, &flow);
		assert_int_equal(work->question_count, 0);
		end(work);
		assert_int_equal(find(1)->since_usec, i == 50 ? now : TW_USEC_INFINITY);
	}
}

/* Those that are due come before those that are new; and where they are too many none is asked for by itself. */
static void test_too_many(void **state)
{
	struct tw_close_wait_work *work = *state;
	struct tw_flow flow = { .state = TW_STATE_CLOSE_WAIT, .has_idle = true, .inode = 1 };
	usec_t now = EPOCH + AGE;

	scan(work, EPOCH, 1, 201);
	tw_close_wait_work_begin(work, &known, now, AGE);
	for (uint64_t cookie = 1000; cookie > 0; cookie--)
		add(work, cookie);
	assert_false(work->all);
	assert_int_equal(work->question_count, TW_CLOSE_WAIT_ASKED_MAX);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(work->questions[TW_CLOSE_WAIT_ASKED_MAX - 1 - i].cookie, i + 1);

	scan(work, EPOCH, 1, 1);
	scan(work, EPOCH, 1, 301);
	tw_close_wait_work_begin(work, &known, now, AGE);
	for (uint64_t cookie = 1; cookie <= 400; cookie++)
		add(work, cookie);
	assert_true(work->all);
	assert_int_equal(work->question_count, 0);
	for (flow.cookie = 1; flow.cookie <= 500; flow.cookie++) {
		flow.idle = flow.cookie % 2 ? never : (struct tw_idle){ 3000, 2000, TW_TIMESTAMPS_UNKNOWN };
		flow.send_queue = flow.cookie == 299;
		tw_close_wait_work_tell(work, &flow);
	}
	end(work);
	assert_int_equal(known.count, 400);
	assert_int_equal(find(1)->since_usec, EPOCH);
	assert_int_equal(find(2)->since_usec, now - 3 * SECOND);
	assert_true(find(299)->since_usec == TW_USEC_INFINITY);
	/* New. */
	assert_int_equal(find(399)->since_usec, 0);
	assert_int_equal(find(400)->since_usec, now - 2 * SECOND);
	/* What was said holds for as long as if each had been asked. */
	tw_close_wait_work_begin(work, &known, now + 16 * SECOND, AGE);
	assert_false(work->all);
	for (uint64_t cookie = 1; cookie <= 400; cookie++)
		add(work, cookie);
	assert_int_equal(work->question_count, 0);
	end(work);
	tw_close_wait_work_begin(work, &known, now + AGE, AGE);
	assert_true(work->all);
}

/* What is in an accept queue has no age, however long; it begins when a program has it. */
static void test_not_accepted(void **state)
{
	struct tw_close_wait_work *work = *state;
	struct tw_flow flow = { .state = TW_STATE_CLOSE_WAIT, .cookie = 1 };

	for (unsigned i = 0; i < 10; i++) {
		usec_t now = EPOCH + i * 100 * SECOND;

		flow.inode = i < 8 ? 0 : 1;
		tw_close_wait_work_begin(work, &known, now, AGE);
		tw_close_wait_work_add(work, &flow);
		end(work);
		assert_int_equal(known.count, 1);
		if (i < 8)
			assert_true(known.sockets[0].since_usec == TW_USEC_INFINITY);
		else
			assert_true(known.sockets[0].since_usec == EPOCH + 800 * SECOND);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers), TEST(test_asked_again),  TEST(test_asked_within_a_minute),
		TEST(test_unsent),  TEST(test_not_accepted), TEST(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
