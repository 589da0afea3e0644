/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/meter.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define ONE_PERCENT 1000

static void test_pays_at_the_budget(void **state TW_UNUSED)
{
	struct tw_meter meter;

	tw_meter_init(&meter, 100 * S);
	assert_true(tw_meter_allows(&meter));
	tw_meter_spend(&meter, 19 * TW_USEC_PER_MSEC);
	assert_false(tw_meter_allows(&meter));
	/* 19 ms at nineteen twentieths of 1 % of a core are paid off after 2 s, not before. */
	tw_meter_pay(&meter, ONE_PERCENT, 101 * S);
	assert_false(tw_meter_allows(&meter));
	assert_int_equal(meter.owed_usec, 9500);
	tw_meter_pay(&meter, ONE_PERCENT, 102 * S);
	assert_true(tw_meter_allows(&meter));
	assert_int_equal(meter.spent_usec, 19 * TW_USEC_PER_MSEC);
}

static void test_idle_time_is_no_credit(void **state TW_UNUSED)
{
	struct tw_meter meter;

	tw_meter_init(&meter, 0);
	tw_meter_pay(&meter, ONE_PERCENT, TW_USEC_PER_DAY);
	tw_meter_spend(&meter, 1000);
	assert_false(tw_meter_allows(&meter));
}

static void test_debt_is_bounded(void **state TW_UNUSED)
{
	struct tw_meter meter;

	tw_meter_init(&meter, 0);
	tw_meter_spend(&meter, TW_USEC_INFINITY - 5);
	tw_meter_spend(&meter, TW_USEC_INFINITY - 5);
	assert_int_equal(meter.owed_usec, TW_METER_OWED_MAX);
	tw_meter_pay(&meter, ONE_PERCENT, 1052 * S);
	assert_false(tw_meter_allows(&meter));
	tw_meter_pay(&meter, ONE_PERCENT, 1053 * S);
	assert_true(tw_meter_allows(&meter));
}

static void test_clock_going_back(void **state TW_UNUSED)
{
	struct tw_meter meter;

	tw_meter_init(&meter, 100 * S);
	tw_meter_spend(&meter, 1000);
	tw_meter_pay(&meter, ONE_PERCENT, 50 * S);
	assert_int_equal(meter.owed_usec, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pays_at_the_budget),
		cmocka_unit_test(test_idle_time_is_no_credit),
		cmocka_unit_test(test_debt_is_bounded),
		cmocka_unit_test(test_clock_going_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
