/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/survey.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND TW_USEC_PER_SEC
#define EPOCH (1000 * SECOND)
#define UNKNOWN INT64_MIN

static struct tw_destination destination(uint8_t host)
{
	return (struct tw_destination){
		.source = tw_address_from_ipv4("\x0a\x00\x00\x01"),
		.destination = tw_address_from_ipv4((uint8_t[]){ 10, 0, 1, host }),
		.port = 80,
	};
}

/* With 1000 ports in the range. */
static struct tw_survey survey_at(usec_t at_usec)
{
	return (struct tw_survey){ .at_usec = at_usec, .usable = 1000 };
}

static void add(struct tw_survey *survey, uint8_t host, uint32_t blocked)
{
	survey->top[survey->top_count++] = (struct tw_destination_row){
		.key = destination(host),
		.blocked = blocked,
		/* To be overwritten. */
		.port_eta = tw_value_of(-1),
	};
}

static void assert_eta(struct tw_value value, int64_t milli)
{
	assert_int_equal(value.known, milli != UNKNOWN);
	if (value.known)
		assert_int_equal(value.milli, milli);
}

/* One destination, `before` ports, then `after`. */
static void test_one_row(void **state TW_UNUSED)
{
	static const struct {
		uint32_t before, after;
		usec_t span_usec;
		int64_t milli;
	} cases[] = {
		{ 100, 200, SECOND, 8000 },
		{ 100, 200, 10 * SECOND, 80000 },
		{ 100, 103, SECOND, 299000 },
		{ 0, 999, SECOND, 1 },
		{ 0, 1000, SECOND, 0 }, /* now */
		{ 900, 1200, SECOND, 0 },
		{ 100, 100, SECOND, UNKNOWN },
		{ 100, 99, SECOND, UNKNOWN },
		{ 1000, 1000, SECOND, UNKNOWN },
		{ 100, 200, 30 * SECOND, 240000 },
		{ 100, 200, 30 * SECOND + 1, UNKNOWN }, /* too coarse */
		{ 100, 200, 1, 0 },
		{ 100, 200, 0, UNKNOWN },
		{ 0, 1, 30 * SECOND, 29970000 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_survey before = survey_at(EPOCH), after = survey_at(EPOCH + cases[i].span_usec);

		add(&before, 1, cases[i].before);
		add(&after, 1, cases[i].after);
		tw_survey_forecast(&before, &after);
		assert_eta(after.top[0].port_eta, cases[i].milli);
		assert_eta(after.port_eta, cases[i].milli);
	}
}

static void test_nothing_to_compare(void **state TW_UNUSED)
{
	enum { NONE, PARTIAL_BEFORE, PARTIAL_AFTER, BACKWARDS, EMPTY, CASES };

	for (unsigned i = 0; i < CASES; i++) {
		struct tw_survey before = survey_at(EPOCH), after = survey_at(EPOCH + SECOND);

		add(&before, 1, 100);
		if (i != EMPTY)
			add(&after, 1, 200);
		if (i == NONE)
			before.at_usec = 0;
		before.partial = i == PARTIAL_BEFORE;
		after.partial = i == PARTIAL_AFTER;
		if (i == BACKWARDS)
			before.at_usec = after.at_usec + 1;
		tw_survey_forecast(&before, &after);
		assert_eta(after.port_eta, UNKNOWN);
		if (i != EMPTY)
			assert_eta(after.top[0].port_eta, UNKNOWN);
	}
}

/* Rows change places; the soonest need not be the busiest. */
static void test_rows(void **state TW_UNUSED)
{
	struct tw_survey before = survey_at(EPOCH), after = survey_at(EPOCH + SECOND);

	add(&before, 1, 500);
	add(&before, 2, 400);
	add(&before, 3, 300);
	add(&after, 1, 600);
	add(&after, 3, 500);
	add(&after, 2, 350);
	add(&after, 4, 100);
	add(&after, 5, 100);
	tw_survey_forecast(&before, &after);
	assert_eta(after.top[0].port_eta, 4000);
	assert_eta(after.top[1].port_eta, 2500);
	assert_eta(after.top[2].port_eta, UNKNOWN);
	/* Not there before: from 0. */
	assert_eta(after.top[3].port_eta, 9000);
	assert_eta(after.port_eta, 2500);

	after.top[1].blocked = 300;
	after.top[0].blocked = 500;
	tw_survey_forecast(&before, &after);
	assert_eta(after.port_eta, 9000);
}

/* What is new began with what is blocked for everybody, and ports that reuse can take do not count. */
static void test_new_beside_exclusive(void **state TW_UNUSED)
{
	struct tw_survey before = survey_at(EPOCH), after = survey_at(EPOCH + SECOND);

	before.exclusive_ports = after.exclusive_ports = 300;
	add(&after, 1, 400);
	after.top[0].ports = 900;
	tw_survey_forecast(&before, &after);
	assert_eta(after.top[0].port_eta, 6000);
	after.top[0].blocked = 300;
	tw_survey_forecast(&before, &after);
	assert_eta(after.top[0].port_eta, UNKNOWN);
}

/*
 * What grows because more is blocked for everybody uses up all ports, and no destination's; half and half it is the
 * destination's too.
 */
static void test_exclusive_grows(void **state TW_UNUSED)
{
	struct tw_survey before = survey_at(EPOCH), after = survey_at(EPOCH + SECOND);

	before.exclusive_ports = 300;
	after.exclusive_ports = 400;
	add(&before, 1, 350);
	add(&after, 1, 500);
	tw_survey_forecast(&before, &after);
	assert_eta(after.exclusive_eta, 6000);
	assert_eta(after.top[0].port_eta, UNKNOWN);
	assert_eta(after.port_eta, 6000);
	after.top[0].blocked = 550;
	tw_survey_forecast(&before, &after);
	assert_eta(after.top[0].port_eta, 2250);
	assert_eta(after.port_eta, 2250);
	after.exclusive_ports = 300;
	tw_survey_forecast(&before, &after);
	assert_eta(after.exclusive_eta, UNKNOWN);
}

/* Each part of the key tells destinations apart. */
static void test_keys(void **state TW_UNUSED)
{
	for (size_t i = 0; i < sizeof(struct tw_destination); i++) {
		struct tw_survey before = survey_at(EPOCH), after = survey_at(EPOCH + SECOND);

		add(&before, 1, 400);
		add(&after, 1, 500);
		((uint8_t *)&after.top[0].key)[i] ^= 1;
		tw_survey_forecast(&before, &after);
		assert_eta(after.port_eta, 1000);
	}
}

/* Where the one before had no room for more rows, a new one may have had as much as its last. */
static void test_full_before(void **state TW_UNUSED)
{
	for (unsigned rows = TW_TOP_MAX - 1; rows <= TW_TOP_MAX; rows++) {
		struct tw_survey before = survey_at(EPOCH), after = survey_at(EPOCH + SECOND);

		for (unsigned i = 0; i < rows; i++)
			add(&before, (uint8_t)i, 400 - i);
		add(&after, 200, 501);
		add(&after, 201, 300);
		tw_survey_forecast(&before, &after);
		if (rows < TW_TOP_MAX) {
			assert_eta(after.top[0].port_eta, 499 * 1000 / 501);
			assert_eta(after.top[1].port_eta, 700 * 1000 / 300);
		} else {
			/* Of the last row that is there for its rank: thirty-two may be there because they are watched.
			 */
			assert_eta(after.top[0].port_eta, 499 * 1000 / (501 - 333));
			assert_eta(after.top[1].port_eta, UNKNOWN);
		}
	}
}

/* What reuse takes in a moment does not add up: as long as it is in force, and does what it is for. */
static void test_unripe(void **state TW_UNUSED)
{
	static const struct {
		int64_t reuse;
		bool refuted;
		uint32_t unripe_before, unripe;
		int64_t milli;
	} cases[] = {
		{ 1, false, 100, 300, UNKNOWN },
		{ 1, false, 100, 200, 7000 }, /* 0 -> 100 of 1000, and 300 are blocked */
		{ 1, true, 100, 300, 3500 },
		{ 0, false, 100, 300, 3500 },
		{ 2, false, 100, 300, 3500 }, /* no loopback */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_survey before = survey_at(EPOCH), after = survey_at(EPOCH + SECOND);

		add(&before, 1, 100);
		add(&after, 1, 300);
		before.reuse = after.reuse = cases[i].reuse;
		before.top[0].unripe_time_wait = cases[i].unripe_before;
		after.top[0].unripe_time_wait = cases[i].unripe;
		before.top[0].reuse_refuted = after.top[0].reuse_refuted = cases[i].refuted;
		tw_survey_forecast(&before, &after);
		assert_eta(after.top[0].port_eta, cases[i].milli);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_row),
		cmocka_unit_test(test_nothing_to_compare),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_full_before),
		cmocka_unit_test(test_new_beside_exclusive),
		cmocka_unit_test(test_exclusive_grows),
		cmocka_unit_test(test_unripe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
