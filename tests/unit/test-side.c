/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/side.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_accepting(TW_UNUSED void **state)
{
	static const struct {
		uint64_t all;		/* TIME-WAIT */
		uint32_t destinations;	/* how many there are; the table has two at most */
		uint32_t first, second; /* their TIME-WAIT */
		uint64_t dropped;
		uint64_t accepting;
		bool exact;
	} rows[] = {
		{ 0, 0, 0, 0, 0, 0, true },
		{ 200000, 0, 0, 0, 0, 200000, true },
		{ 100, 1, 60, 0, 0, 40, true },
		{ 100, 2, 60, 40, 0, 0, true },
		/* Three more that have no more ports than the second. */
		{ 100, 5, 60, 10, 0, 0, false },
		{ 1000, 5, 60, 10, 0, 900, false },
		{ 100, 2, 10, 10, 50, 30, false },
		/* A dump is no snapshot: more than there are. */
		{ 50, 2, 60, 40, 0, 0, true },
	};
	static struct tw_sample sample;

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		bool exact;
		uint64_t accepting;

		memset(&sample, 0, sizeof(sample));
		sample.census.at_usec = sample.survey.at_usec = 1;
		sample.census.known[TW_STATE_TIME_WAIT] = true;
		sample.census.count[TW_STATE_TIME_WAIT] = rows[i].all;
		sample.survey.destinations = rows[i].destinations;
		sample.survey.top_count = TW_MIN(rows[i].destinations, 2u);
		sample.survey.top[0].time_wait = sample.survey.top[0].ports = rows[i].first;
		sample.survey.top[1].time_wait = sample.survey.top[1].ports = rows[i].second;
		sample.survey.dropped = rows[i].dropped;
		accepting = tw_side_accepting_time_wait(&sample, &exact);
		if (accepting != rows[i].accepting || exact != rows[i].exact)
			fail_msg("row %zu: %ju, %s", i, (uintmax_t)accepting, exact ? "exact" : "at least");
	}
}

static void test_not_known(TW_UNUSED void **state)
{
	static struct tw_sample sample = { .census.count[TW_STATE_TIME_WAIT] = 7 };
	bool exact;

	assert_int_equal(tw_side_accepting_time_wait(&sample, &exact), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepting),
		cmocka_unit_test(test_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
