/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/cpu-budget.h"

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
	struct tw_cpu_budget budget = { 0 };

	assert_true(tw_cpu_budget_allows(&budget));
	tw_cpu_budget_spend(&budget, 1000);
	assert_false(tw_cpu_budget_allows(&budget));
	assert_int_equal(tw_cpu_budget_pay(&budget, 999), 0);
	assert_false(tw_cpu_budget_allows(&budget));
	assert_int_equal(tw_cpu_budget_pay(&budget, 5), 4);
	assert_true(tw_cpu_budget_allows(&budget));
	assert_int_equal(tw_cpu_budget_pay(&budget, 5), 5);
	assert_int_equal(budget.spent_usec, 1000);
}

/* What could not wait is paid off last, and holds nothing up. */
static void test_borrows(void **state TW_UNUSED)
{
	struct tw_cpu_budget budget = { 0 };

	tw_cpu_budget_borrow(&budget, 1000);
	assert_true(tw_cpu_budget_allows(&budget));
	assert_int_equal(tw_cpu_budget_debt(&budget), 1000);
	tw_cpu_budget_spend(&budget, 300);
	assert_false(tw_cpu_budget_allows(&budget));
	assert_int_equal(tw_cpu_budget_pay(&budget, 300), 0);
	assert_true(tw_cpu_budget_allows(&budget));
	assert_int_equal(tw_cpu_budget_pay(&budget, 400), 0);
	assert_int_equal(tw_cpu_budget_debt(&budget), 600);
	assert_int_equal(tw_cpu_budget_pay(&budget, 700), 100);
	assert_int_equal(tw_cpu_budget_debt(&budget), 0);
	assert_int_equal(budget.spent_usec, 1300);
	tw_cpu_budget_borrow(&budget, TW_USEC_INFINITY - 5);
	assert_int_equal(budget.borrowed_usec, TW_CPU_BUDGET_OWED_MAX);
}

static void test_debt_is_bounded(void **state TW_UNUSED)
{
	struct tw_cpu_budget budget = { 0 };

	tw_cpu_budget_spend(&budget, TW_USEC_INFINITY - 5);
	tw_cpu_budget_spend(&budget, TW_USEC_INFINITY - 5);
	assert_int_equal(budget.owed_usec, TW_CPU_BUDGET_OWED_MAX);
	assert_true(budget.spent_usec == TW_USEC_INFINITY);
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
