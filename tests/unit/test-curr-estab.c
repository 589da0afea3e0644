/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether ESTABLISHED can be told from the gauge. */
#include "measure/scan.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct tw_curr_estab curr_estab;

static int set_up(void **state TW_UNUSED)
{
	curr_estab = (struct tw_curr_estab){ 0 };
	return 0;
}

static void learn(uint64_t gauge, uint64_t established, uint64_t close_wait)
{
	const struct tw_census census = {
		.count = { [TW_STATE_ESTABLISHED] = established, [TW_STATE_CLOSE_WAIT] = close_wait },
	};

	tw_curr_estab_learn(&curr_estab, gauge, &census);
}

static bool derives(uint64_t gauge, uint64_t close_wait, uint64_t expected)
{
	uint64_t established = 77777777;

	if (!tw_curr_estab_derive(&curr_estab, gauge, close_wait, &established)) {
		assert_int_equal(established, 77777777);
		/* The next one is not even tried. */
		assert_int_equal(curr_estab.counts, TW_CURR_ESTAB_UNKNOWN);
		return false;
	}
	assert_int_equal(established, expected);
	return true;
}

static void test_nothing_learned(void **state TW_UNUSED)
{
	assert_false(derives(1000, 0, 1000));
}

/* The same dump twice, and what it tells. */
static void test_one_dump(void **state TW_UNUSED)
{
	static const struct {
		uint64_t gauge, established, close_wait;
		enum tw_curr_estab_counts counts;
	} cases[] = {
		/* Nobody in CLOSE-WAIT: both ways of counting come to the same. */
		{ 50000, 50000, 0, TW_CURR_ESTAB_EITHER },
		{ 50000, 49600, 0, TW_CURR_ESTAB_EITHER },
		{ 50000, 49500, 0, TW_CURR_ESTAB_UNKNOWN },
		{ 50000, 50500, 0, TW_CURR_ESTAB_UNKNOWN },
		{ 0, 16, 0, TW_CURR_ESTAB_EITHER },
		{ 0, 17, 0, TW_CURR_ESTAB_UNKNOWN },
		/* A few: as many as may come and go at any time. */
		{ 50005, 50000, 5, TW_CURR_ESTAB_EITHER },
		{ 50406, 50000, 406, TW_CURR_ESTAB_EITHER },
		{ 50000, 50000, 406, TW_CURR_ESTAB_EITHER },
		{ 50812, 50000, 406, TW_CURR_ESTAB_EITHER },
		{ 50813, 50000, 406, TW_CURR_ESTAB_UNKNOWN },
		{ 16, 0, 33, TW_CURR_ESTAB_ESTABLISHED },
		{ 17, 0, 33, TW_CURR_ESTAB_BOTH },
		/* More than that, but not by enough. */
		{ 50407, 50000, 407, TW_CURR_ESTAB_UNKNOWN },
		{ 50812, 50000, 812, TW_CURR_ESTAB_UNKNOWN },
		{ 50000, 50000, 812, TW_CURR_ESTAB_UNKNOWN },
		/* Enough, held against how far off the gauge is. */
		{ 50813, 50000, 813, TW_CURR_ESTAB_BOTH },
		{ 50407, 50000, 813, TW_CURR_ESTAB_BOTH },
		{ 51219, 50000, 813, TW_CURR_ESTAB_BOTH },
		{ 51220, 50000, 813, TW_CURR_ESTAB_UNKNOWN },
		{ 50000, 50000, 813, TW_CURR_ESTAB_ESTABLISHED },
		{ 50406, 50000, 813, TW_CURR_ESTAB_ESTABLISHED },
		{ 49594, 50000, 813, TW_CURR_ESTAB_ESTABLISHED },
		{ 49593, 50000, 813, TW_CURR_ESTAB_UNKNOWN },
		/* Neither. */
		{ 50500, 50000, 1000, TW_CURR_ESTAB_UNKNOWN },
		{ 60000, 50000, 800, TW_CURR_ESTAB_UNKNOWN },
		{ 0, 50000, 800, TW_CURR_ESTAB_UNKNOWN },
		/* Nonsense. */
		{ UINT64_MAX, 0, UINT64_MAX, TW_CURR_ESTAB_BOTH },
		{ 0, UINT64_MAX, 0, TW_CURR_ESTAB_UNKNOWN },
		{ UINT64_MAX, 0, 0, TW_CURR_ESTAB_UNKNOWN },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		curr_estab = (struct tw_curr_estab){ 0 };
		learn(cases[i].gauge, cases[i].established, cases[i].close_wait);
		/* Once may be by chance. */
		if (cases[i].counts >= TW_CURR_ESTAB_BOTH)
			assert_int_equal(curr_estab.counts, TW_CURR_ESTAB_UNKNOWN);
		learn(cases[i].gauge, cases[i].established, cases[i].close_wait);
		if (curr_estab.counts != cases[i].counts)
			fail_msg("case %zu: %d", i, (int)curr_estab.counts);
	}
}

/* Not known how: then with no more in CLOSE-WAIT than may come and go, in the very dump that left ESTABLISHED out. */
static void test_derive_unknown(void **state TW_UNUSED)
{
	learn(50000, 50000, 0);
	assert_true(derives(60000, 0, 60000));
	assert_true(derives(60000, 484, 60000 - 484));
	assert_false(derives(60000, 485, 60000));
	learn(60485, 60000, 485);
	assert_false(derives(60000, 0, 60000));
	learn(60000, 60000, 0);
	assert_true(derives(60000, 0, 60000));
}

static void learn_twice(uint64_t gauge, uint64_t established, uint64_t close_wait)
{
	learn(gauge, established, close_wait);
	learn(gauge, established, close_wait);
}

static void test_derive_both(void **state TW_UNUSED)
{
	learn_twice(51000, 50000, 1000);
	assert_true(derives(60000, 0, 60000));
	assert_true(derives(60000, 2500, 57500));
	assert_true(derives(60000, 60000, 0));
	/* Few are in CLOSE-WAIT for a while: it stays known. */
	learn(50001, 50000, 1);
	learn(50500, 50000, 500);
	assert_true(derives(60000, 2500, 57500));
	/* More than there can be. */
	assert_false(derives(60000, 60001, 0));
	learn(51000, 50000, 1000);
	assert_true(derives(60000, 2500, 57500));
}

static void test_derive_established(void **state TW_UNUSED)
{
	learn_twice(50000, 50000, 1000);
	assert_true(derives(60000, 0, 60000));
	assert_true(derives(60000, 2500, 60000));
}

/* Their peers close as many between gauge and dump as make it look as if the gauge counted them: that is no proof. */
static void test_closed_in_between(void **state TW_UNUSED)
{
	learn(50000, 50000, 0);
	learn(50000, 48000, 2000);
	assert_false(derives(48000, 2000, 48000));
	learn(48000, 48000, 2000);
	assert_false(derives(48000, 2000, 48000));
	learn(48000, 48000, 2000);
	assert_true(derives(48000, 2000, 48000));
}

/* What the kernel was believed to do turns out wrong: back to dumps, and nothing is kept of it. */
static void test_wrong_is_noticed(void **state TW_UNUSED)
{
	static const struct {
		uint64_t gauge, established, close_wait;
	} cases[] = {
		{ 20000, 20000, 1000 },	     /* out by CLOSE-WAIT, and far */
		{ 1000000, 1000000, 20000 }, /* by little more than what comes and goes */
		{ 19000, 20000, 0 },	     /* gone astray */
		{ 21000, 20000, 0 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		curr_estab = (struct tw_curr_estab){ 0 };
		learn_twice(51000, 50000, 1000);
		assert_int_equal(curr_estab.counts, TW_CURR_ESTAB_BOTH);
		learn(cases[i].gauge, cases[i].established, cases[i].close_wait);
		assert_false(derives(50000, 0, 50000));
		learn(51000, 50000, 1000);
		assert_false(derives(50000, 0, 50000));
		learn(51000, 50000, 1000);
		assert_true(derives(50000, 10, 49990));
	}
}

/* A load that comes and goes, over many dumps: what is told is never farther off than what comes and goes. */
static void test_churn(void **state TW_UNUSED)
{
	const char *text = getenv("TW_SEED");
	unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : 20261122;

	print_message("TW_SEED=%u\n", seed);
	srandom(seed);
	for (unsigned both = 0; both < 2; both++) {
		unsigned derived = 0;

		curr_estab = (struct tw_curr_estab){ 0 };
		for (unsigned dumps = 0; dumps < 20000; dumps++) {
			uint64_t established = 40000 + (uint64_t)random() % 100;
			uint64_t close_wait = (uint64_t)random() % (dumps < 10000 ? 500 : 2000);
			uint64_t gauge = established + (both ? close_wait : 0) + (uint64_t)random() % 61 - 30, told;

			if (curr_estab.counts != TW_CURR_ESTAB_UNKNOWN &&
			    tw_curr_estab_derive(&curr_estab, gauge, close_wait, &told)) {
				assert_in_range(told, established - 400, established + 400);
				derived++;
			} else {
				learn(gauge, established, close_wait);
			}
		}
		assert_int_equal(curr_estab.counts, both ? TW_CURR_ESTAB_BOTH : TW_CURR_ESTAB_ESTABLISHED);
		assert_true(derived > 12000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_learned, set_up),
		cmocka_unit_test_setup(test_one_dump, set_up),
		cmocka_unit_test_setup(test_derive_unknown, set_up),
		cmocka_unit_test_setup(test_derive_both, set_up),
		cmocka_unit_test_setup(test_derive_established, set_up),
		cmocka_unit_test_setup(test_closed_in_between, set_up),
		cmocka_unit_test_setup(test_wrong_is_noticed, set_up),
		cmocka_unit_test_setup(test_churn, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
