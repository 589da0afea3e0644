/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/desired.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define M TW_USEC_PER_MINUTE
/* Not at the beginning of a minute. */
#define EPOCH (1000 * M + 17 * S)

/* At `at`, something was done `noted` times; then so many count within the hour, and this is the wait for one of 3. */
static void test_hour(void **state TW_UNUSED)
{
	static const struct {
		usec_t at, wait;
		unsigned noted, spent;
	} rows[] = {
		{ 0, 0, 0, 0 },
		{ 0, 0, 1, 1 },
		{ 30 * S, 0, 1, 2 },
		{ 10 * M, 60 * M - 9 * M - 17 * S, 1, 3 },
		{ 20 * M, 60 * M - 19 * M - 17 * S, 0, 3 },
		{ 60 * M, 60 * M - 59 * M - 17 * S, 0, 3 },
		{ 60 * M + 42 * S, 1 * S, 0, 3 },
		{ 60 * M + 43 * S, 0, 0, 1 },
		{ 60 * M + 43 * S, 70 * M + 43 * S - 60 * M - 43 * S, 2, 3 },
		{ 70 * M + 43 * S, 0, 0, 2 },
		{ 500 * M, 0, 0, 0 },
		{ 500 * M, 61 * M - 17 * S, 9, 9 },
	};
	struct tw_budget budget;

	budget = (struct tw_budget){ 0 };
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		for (unsigned n = 0; n < rows[i].noted; n++)
			tw_budget_note(&budget, EPOCH + rows[i].at);
		assert_int_equal(tw_budget_spent(&budget, EPOCH + rows[i].at), rows[i].spent);
		assert_int_equal(tw_budget_wait(&budget, 3, EPOCH + rows[i].at), rows[i].wait);
	}
}

/* Against a list of times: nothing that is younger than an hour is ever forgotten, nothing older than 61 minutes kept.
 */
static void test_against_a_list(void **state TW_UNUSED)
{
	static usec_t times[4000];
	struct tw_budget budget;
	unsigned count = 0;
	usec_t now = EPOCH;

	budget = (struct tw_budget){ 0 };
	for (unsigned i = 0; i < TW_ARRAY_SIZE(times); i++) {
		unsigned least = 0, most = 0, spent;

		now += (i * 7919 % 83) * S + (i % 500 == 499 ? 90 * M : 0);
		tw_budget_note(&budget, now);
		times[count++] = now;
		for (unsigned j = 0; j < count; j++) {
			least += now - times[j] < 60 * M;
			most += now - times[j] < 61 * M;
		}
		spent = tw_budget_spent(&budget, now);
		assert_in_range(spent, least, most);
		/* What it says to wait is enough, and a second less is not. */
		if (spent >= 5) {
			struct tw_budget later = budget;
			usec_t wait = tw_budget_wait(&budget, 5, now);

			assert_true(wait > S && wait <= 61 * M);
			assert_true(tw_budget_spent(&later, now + wait - 1) >= 5);
			assert_true(tw_budget_spent(&later, now + wait) < 5);
		} else {
			assert_int_equal(tw_budget_wait(&budget, 5, now), 0);
		}
	}
}

static void test_no_wrap(void **state TW_UNUSED)
{
	struct tw_budget budget;

	budget = (struct tw_budget){ 0 };
	for (unsigned i = 0; i < 70000; i++)
		tw_budget_note(&budget, EPOCH);
	assert_int_equal(tw_budget_spent(&budget, EPOCH), UINT16_MAX);
	/* A clock that stands, or a time from before, changes nothing. */
	assert_int_equal(tw_budget_spent(&budget, EPOCH - 10 * M), UINT16_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hour),
		cmocka_unit_test(test_against_a_list),
		cmocka_unit_test(test_no_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
