/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "model/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC

static void add(struct tw_recent_peak *peak, usec_t at_usec, uint64_t sockets)
{
	tw_recent_peak_add(peak, (struct tw_tally){ at_usec, sockets });
}

static void assert_highest(const struct tw_recent_peak *peak, usec_t now_usec, usec_t at_usec, uint64_t sockets)
{
	struct tw_tally found = tw_recent_peak_highest(peak, now_usec);

	assert_int_equal(found.at_usec, at_usec);
	assert_int_equal(found.sockets, sockets);
}

static void test_nothing_yet(void **state TW_UNUSED)
{
	const struct tw_recent_peak peak = { 0 };

	assert_highest(&peak, 0, 0, 0);
	assert_highest(&peak, 100 * S, 0, 0);
}

/* What only grows is compared with the gauge before. */
static void test_growth(void **state TW_UNUSED)
{
	struct tw_recent_peak peak = { 0 };

	add(&peak, 100 * S, 0);
	assert_highest(&peak, 101 * S, 100 * S, 0);
	add(&peak, 101 * S, 500);
	assert_highest(&peak, 102 * S, 101 * S, 500);
	add(&peak, 101 * S + S / 4, 600);
	assert_highest(&peak, 102 * S, 101 * S + S / 4, 600);
}

/* A drop is remembered for what it fell from, within a second too, and for so long. */
static void test_drop(void **state TW_UNUSED)
{
	struct tw_recent_peak peak = { 0 };

	add(&peak, 100 * S, 1000);
	add(&peak, 100 * S + S / 2, 900);
	add(&peak, 101 * S, 950);
	assert_highest(&peak, 102 * S, 100 * S, 1000);
	assert_highest(&peak, 108 * S, 100 * S, 1000);
	assert_highest(&peak, 108 * S + 1, 101 * S, 950);
	/* The same height again counts from now on. */
	add(&peak, 103 * S, 1000);
	assert_highest(&peak, 104 * S, 103 * S, 1000);
	add(&peak, 103 * S + S / 2, 1000);
	assert_highest(&peak, 104 * S, 103 * S + S / 2, 1000);
	/* Another second of the same place in the ring. */
	add(&peak, 111 * S + 1, 10);
	assert_highest(&peak, 111 * S + 2, 111 * S + 1, 10);
}

/* Where gauges come seldom, the one before is all there is. */
static void test_far_apart(void **state TW_UNUSED)
{
	struct tw_recent_peak peak = { 0 };

	add(&peak, 100 * S, 1000);
	add(&peak, 200 * S, 10);
	assert_highest(&peak, 300 * S, 200 * S, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_yet),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_far_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
