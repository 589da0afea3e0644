/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left to who binds first: apart from test-survey-blocked, which is about what it takes from others. */
#include "survey-fixture.h"

#define LOW 10000
#define HALF 200 /* ports of either parity */

static struct fixture fixture;

static int start(void **state TW_UNUSED)
{
	begin(&fixture, LOW, LOW + 2 * HALF - 1);
	return 0;
}

static int finish(void **state TW_UNUSED)
{
	tw_survey_work_done(&fixture.work);
	return 0;
}

/* Sockets of 10.0.0.`source` on so many ports of one parity: 0 is what connect() takes first, 1 what bind() does. */
static void hold(uint8_t source, enum tw_state state, uint8_t host, unsigned parity, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++)
		add_of(&fixture, source, state, host, (uint16_t)(LOW + 2 * i + parity), 1, 30000);
}

static const struct tw_binder_need *need_of(const struct tw_survey *survey, uint8_t source)
{
	struct tw_address address = tw_address_from_ipv4((uint8_t[]){ 10, 0, 0, source });

	return tw_survey_binder_need(survey, &address);
}

static void assert_need(const struct tw_survey *survey, uint8_t source, uint32_t ports, uint32_t own, int64_t milli)
{
	const struct tw_binder_need *need = need_of(survey, source);

	assert_non_null(need);
	assert_int_equal(need->ports, ports);
	assert_int_equal(need->own, own);
	assert_percent(need->use, milli);
}

static void test_nobody_binds(TW_UNUSED void **state)
{
	hold(1, TW_STATE_ESTABLISHED, 1, 0, 0, HALF);
	assert_int_equal(look(&fixture, 1000)->need_count, 0);
}

/* bind() goes on to the other half, so that the emptier one tells how much is left. */
static void test_halves(TW_UNUSED void **state)
{
	const struct tw_survey *survey;

	hold(1, TW_STATE_ESTABLISHED, 1, 1, 0, 40); /* bound first */
	hold(1, TW_STATE_TIME_WAIT, 2, 0, 0, 150);
	survey = look(&fixture, 1000);
	assert_int_equal(survey->need_count, 1);
	assert_need(survey, 1, 190, 40, 20000);
	assert_int_equal(need_of(survey, 1)->holder, TW_HOLDER_TIME_WAIT);
	assert_int_equal(need_of(survey, 1)->seen_usec, 1000 * TW_USEC_PER_SEC);
	/* Of two destinations, the same ports; and those of another address are not in its way. */
	again(&fixture);
	hold(1, TW_STATE_ESTABLISHED, 1, 1, 0, 40);
	hold(1, TW_STATE_CLOSE_WAIT, 2, 0, 0, 20);
	hold(1, TW_STATE_CLOSE_WAIT, 3, 0, 0, 30);
	hold(2, TW_STATE_ESTABLISHED, 4, 0, 50, 100);
	survey = look(&fixture, 1001);
	assert_int_equal(survey->need_count, 1);
	assert_need(survey, 1, 70, 40, 15000);
	assert_int_equal(need_of(survey, 1)->holder, TW_HOLDER_CLOSE_WAIT);
}

/*
 * Who finds no port any more has none: it is still the one that needs some, for ten minutes, and for an hour while next
 * to none is left, where it does not show whether it still tries.
 */
static void test_it_is_remembered(TW_UNUSED void **state)
{
	static const struct {
		unsigned far; /* of the emptier half, held by others */
		int64_t milli;
		unsigned until;
	} rows[] = { { 60, 30000, 1600 }, { 189, 94500, 1600 }, { 190, 95000, 4600 } };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const struct tw_survey *survey;
		unsigned at;

		again(&fixture);
		hold(1, TW_STATE_ESTABLISHED, 1, 1, 0, 40);
		(void)look(&fixture, 1000 + 10000 * i);
		for (at = 1300; at <= rows[i].until; at += 100) {
			again(&fixture);
			hold(1, TW_STATE_ESTABLISHED, 2, 0, 0, HALF);
			hold(1, TW_STATE_ESTABLISHED, 2, 1, 0, rows[i].far);
			survey = look(&fixture, at + 10000 * i);
			if (at == rows[i].until)
				break;
			assert_need(survey, 1, HALF + rows[i].far, 0, rows[i].milli);
			assert_int_equal(need_of(survey, 1)->seen_usec, (1000 + 10000 * i) * TW_USEC_PER_SEC);
		}
		assert_int_equal(survey->need_count, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody_binds, start, finish),
		cmocka_unit_test_setup_teardown(test_halves, start, finish),
		cmocka_unit_test_setup_teardown(test_it_is_remembered, start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
