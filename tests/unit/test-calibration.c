/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/calibration.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct tw_calibration calibration;

static int set_up(void **state TW_UNUSED)
{
	calibration = (struct tw_calibration){ 0 };
	return 0;
}

static void learn(uint64_t gauge, uint64_t established, uint64_t close_wait)
{
	tw_calibration_learn(&calibration, gauge, &(struct tw_calibration_dump){ established, close_wait });
}

static bool derives(uint64_t gauge, uint64_t close_wait, uint64_t expected)
{
	uint64_t established = 77777777;

	if (!tw_calibration_derive(&calibration, gauge, close_wait, &established)) {
		assert_int_equal(established, 77777777);
		return false;
	}
	assert_int_equal(established, expected);
	return true;
}

static void test_nothing_learned(void **state TW_UNUSED)
{
	assert_false(tw_calibration_allows(&calibration));
	assert_false(derives(1000, 0, 1000));
	assert_false(tw_calibration_allows(&calibration));
}

/* One dump, and what may be derived after it. */
static void test_one_dump(void **state TW_UNUSED)
{
	static const struct {
		uint64_t gauge, established, close_wait;
		enum tw_counting counting;
		bool allows;
	} cases[] = {
		/* Nobody in CLOSE-WAIT: both ways of counting come to the same. */
		{ 50000, 50000, 0, TW_COUNTING_UNKNOWN, true },
		{ 50000, 49600, 0, TW_COUNTING_UNKNOWN, true },
		{ 50000, 49500, 0, TW_COUNTING_UNKNOWN, false },
		{ 50000, 50500, 0, TW_COUNTING_UNKNOWN, false },
		{ 0, 16, 0, TW_COUNTING_UNKNOWN, true },
		{ 0, 17, 0, TW_COUNTING_UNKNOWN, false },
		/* A few. */
		{ 50005, 50000, 5, TW_COUNTING_UNKNOWN, false },
		{ 50015, 50000, 15, TW_COUNTING_UNKNOWN, false },
		{ 50016, 50000, 16, TW_COUNTING_BOTH, true },
		{ 50000, 50000, 16, TW_COUNTING_ESTABLISHED, true },
		/* Enough, held against how far off the gauge is. */
		{ 50790, 50000, 800, TW_COUNTING_BOTH, true },
		{ 50900, 50000, 800, TW_COUNTING_BOTH, true },
		{ 50901, 50000, 800, TW_COUNTING_UNKNOWN, false },
		{ 50600, 50000, 800, TW_COUNTING_UNKNOWN, false },
		{ 50100, 50000, 800, TW_COUNTING_ESTABLISHED, true },
		{ 49900, 50000, 800, TW_COUNTING_ESTABLISHED, true },
		{ 49899, 50000, 800, TW_COUNTING_UNKNOWN, false },
		/* Neither. */
		{ 50400, 50000, 800, TW_COUNTING_UNKNOWN, false },
		{ 60000, 50000, 800, TW_COUNTING_UNKNOWN, false },
		{ 0, 50000, 800, TW_COUNTING_UNKNOWN, false },
		/* Nonsense. */
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, TW_COUNTING_ESTABLISHED, true },
		{ UINT64_MAX, 0, UINT64_MAX, TW_COUNTING_BOTH, true },
		{ 0, UINT64_MAX, UINT64_MAX, TW_COUNTING_UNKNOWN, false },
		{ UINT64_MAX, 0, 0, TW_COUNTING_UNKNOWN, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		calibration = (struct tw_calibration){ 0 };
		learn(cases[i].gauge, cases[i].established, cases[i].close_wait);
		if (calibration.counting != cases[i].counting || tw_calibration_allows(&calibration) != cases[i].allows)
			fail_msg("case %zu: %d", i, (int)calibration.counting);
	}
}

/* Not known how: then with nobody in CLOSE-WAIT alone, in the very dump that left ESTABLISHED out. */
static void test_derive_unknown(void **state TW_UNUSED)
{
	learn(50000, 50000, 0);
	assert_true(derives(60000, 0, 60000));
	assert_false(derives(60000, 1, 60000));
	/* The next one is not even tried. */
	assert_false(tw_calibration_allows(&calibration));
	learn(60001, 60000, 1);
	assert_false(tw_calibration_allows(&calibration));
	learn(60000, 60000, 0);
	assert_true(derives(60000, 0, 60000));
}

static void test_derive_both(void **state TW_UNUSED)
{
	learn(50100, 50000, 100);
	assert_true(derives(60000, 0, 60000));
	assert_true(derives(60000, 2500, 57500));
	assert_true(derives(60000, 60000, 0));
	/* More than there can be. */
	assert_false(derives(60000, 60001, 0));
	assert_true(tw_calibration_allows(&calibration));
}

static void test_derive_established(void **state TW_UNUSED)
{
	learn(50000, 50000, 100);
	assert_true(derives(60000, 0, 60000));
	assert_true(derives(60000, 2500, 60000));
}

/* A few in CLOSE-WAIT in each of several dumps add up. */
static void test_evidence_adds_up(void **state TW_UNUSED)
{
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(calibration.counting, TW_COUNTING_UNKNOWN);
		learn(50003, 50000, 3);
	}
	assert_int_equal(calibration.counting, TW_COUNTING_UNKNOWN);
	learn(50003, 50000, 3);
	assert_int_equal(calibration.counting, TW_COUNTING_BOTH);
}

/* What the kernel was believed to do turns out wrong: back to dumps, and nothing is kept of it. */
static void test_wrong_is_noticed(void **state TW_UNUSED)
{
	static const struct {
		uint64_t gauge, established, close_wait;
	} cases[] = {
		{ 20000, 20000, 1000 },	    /* out by CLOSE-WAIT, and far */
		{ 1000000, 1000000, 1000 }, /* by no more than what comes and goes, but just by CLOSE-WAIT */
		{ 19000, 20000, 0 },	    /* gone astray */
		{ 21000, 20000, 0 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		calibration = (struct tw_calibration){ 0 };
		learn(50100, 50000, 100);
		assert_int_equal(calibration.counting, TW_COUNTING_BOTH);
		learn(cases[i].gauge, cases[i].established, cases[i].close_wait);
		assert_int_equal(calibration.counting, TW_COUNTING_UNKNOWN);
		assert_false(tw_calibration_allows(&calibration));
		assert_false(derives(50000, 0, 50000));
		learn(50100, 50000, 100);
		assert_true(derives(50000, 10, 49990));
	}
}

/* A load that comes and goes, over many dumps: what is told is true, and it is told in the end. */
static void test_churn(void **state TW_UNUSED)
{
	const char *text = getenv("TW_SEED");
	unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : 20261122;

	print_message("TW_SEED=%u\n", seed);
	srandom(seed);
	for (unsigned both = 0; both < 2; both++) {
		unsigned dumps = 0;

		calibration = (struct tw_calibration){ 0 };
		for (; calibration.counting == TW_COUNTING_UNKNOWN; dumps++) {
			uint64_t established = 40000 + (uint64_t)random() % 100, close_wait = (uint64_t)random() % 11;
			uint64_t gauge = established + (both ? close_wait : 0) + (uint64_t)random() % 61 - 30;

			assert_true(dumps < 20000);
			learn(gauge, established, close_wait);
			assert_true(calibration.agrees);
		}
		assert_int_equal(calibration.counting, both ? TW_COUNTING_BOTH : TW_COUNTING_ESTABLISHED);
		/* Not by one look. */
		assert_true(dumps > 10);
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
		cmocka_unit_test_setup(test_evidence_adds_up, set_up),
		cmocka_unit_test_setup(test_wrong_is_noticed, set_up),
		cmocka_unit_test_setup(test_churn, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
