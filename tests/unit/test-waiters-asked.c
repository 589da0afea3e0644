/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of sockets, and whose age need not be: apart from test-waiters because that is about what scans see. */
#include "waiters-fixture.h"

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
	tw_waiters_answer(waiters, 0, &(struct tw_idle){ 3000, 2500, TW_TIMESTAMPS_UNKNOWN });
	/* Older than the clock: as old as can be. */
	tw_waiters_answer(waiters, 2, &(struct tw_idle){ UINT32_MAX, UINT32_MAX, TW_TIMESTAMPS_UNKNOWN });
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
static const struct tw_idle never = { UINT32_MAX, UINT32_MAX, TW_TIMESTAMPS_UNKNOWN };

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
	const struct tw_idle sent_long_before = { 8000, 4000, TW_TIMESTAMPS_UNKNOWN }, has_sent = { 1000, 500, TW_TIMESTAMPS_UNKNOWN };
	usec_t now = EPOCH;

	scan_asking(waiters, now, 1, &sent_long_before);
	assert_int_equal(find(waiters, 1)->since_usec, EPOCH - 4 * SECOND);
	scan_asking(waiters, now += 10 * SECOND, 0, NULL);
	/* An ACK that came later is no news. */
	scan_asking(waiters, now += 6 * SECOND, 1, &(struct tw_idle){ 24000, 1000, TW_TIMESTAMPS_UNKNOWN });
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
	scan_asking(waiters, now += AGE, 1, &(struct tw_idle){ 21000, 20500, TW_TIMESTAMPS_UNKNOWN });
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
		flow.idle = flow.cookie % 2 ? never : (struct tw_idle){ 3000, 2000, TW_TIMESTAMPS_UNKNOWN };
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers), TEST(test_asked_again),  TEST(test_asked_within_a_minute),
		TEST(test_unsent),  TEST(test_not_accepted), TEST(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
