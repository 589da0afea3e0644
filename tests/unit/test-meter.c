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

static void test_owes_what_was_spent(void **state TW_UNUSED)
{
	struct tw_meter meter = { 0 };

	assert_true(tw_meter_allows(&meter));
	tw_meter_spend(&meter, 1000);
	assert_false(tw_meter_allows(&meter));
	assert_int_equal(tw_meter_pay(&meter, 999), 0);
	assert_false(tw_meter_allows(&meter));
	assert_int_equal(tw_meter_pay(&meter, 5), 4);
	assert_true(tw_meter_allows(&meter));
	assert_int_equal(tw_meter_pay(&meter, 5), 5);
	assert_int_equal(meter.spent_usec, 1000);
}

/* What could not wait is paid off last, and holds nothing up. */
static void test_borrows(void **state TW_UNUSED)
{
	struct tw_meter meter = { 0 };

	tw_meter_borrow(&meter, 1000);
	assert_true(tw_meter_allows(&meter));
	assert_int_equal(tw_meter_debt(&meter), 1000);
	tw_meter_spend(&meter, 300);
	assert_false(tw_meter_allows(&meter));
	assert_int_equal(tw_meter_pay(&meter, 300), 0);
	assert_true(tw_meter_allows(&meter));
	assert_int_equal(tw_meter_pay(&meter, 400), 0);
	assert_int_equal(tw_meter_debt(&meter), 600);
	assert_int_equal(tw_meter_pay(&meter, 700), 100);
	assert_int_equal(tw_meter_debt(&meter), 0);
	assert_int_equal(meter.spent_usec, 1300);
	tw_meter_borrow(&meter, TW_USEC_INFINITY - 5);
	assert_int_equal(meter.borrowed_usec, TW_METER_OWED_MAX);
}

static void test_debt_is_bounded(void **state TW_UNUSED)
{
	struct tw_meter meter = { 0 };

	tw_meter_spend(&meter, TW_USEC_INFINITY - 5);
	tw_meter_spend(&meter, TW_USEC_INFINITY - 5);
	assert_int_equal(meter.owed_usec, TW_METER_OWED_MAX);
	assert_true(meter.spent_usec == TW_USEC_INFINITY);
}

/* Nineteen twentieths of 1 % of a core, whatever the steps. */
static void test_income(void **state TW_UNUSED)
{
	struct tw_income income = { .taken_usec = 100 * S };
	usec_t sum_usec = 0;

	assert_int_equal(tw_income_take(&income, ONE_PERCENT, 102 * S), 19 * TW_USEC_PER_MSEC);
	assert_int_equal(tw_income_take(&income, ONE_PERCENT, 102 * S), 0);
	for (unsigned i = 1; i <= 8; i++)
		sum_usec += tw_income_take(&income, ONE_PERCENT, 102 * S + i * S / 4);
	assert_int_equal(sum_usec, 19 * TW_USEC_PER_MSEC);
	/* A clock that goes back brings nothing in. */
	assert_int_equal(tw_income_take(&income, ONE_PERCENT, 50 * S), 0);
	/* An hour at the most. */
	assert_int_equal(tw_income_take(&income, 100 * ONE_PERCENT, TW_USEC_PER_DAY * 365), 57 * TW_USEC_PER_MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owes_what_was_spent),
		cmocka_unit_test(test_borrows),
		cmocka_unit_test(test_debt_is_bounded),
		cmocka_unit_test(test_income),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
