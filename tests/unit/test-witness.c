/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What living sockets say of TCP timestamps, and what a survey makes of it. */
#include "survey-fixture.h"

#include <errno.h>

/* It holds for all that go there, for two lives of those that wait beside them; then nothing is known again. */
static void test_said(void **state TW_UNUSED)
{
	static const struct {
		unsigned at, living, waiting;
		enum tw_timestamps said;
		bool lacks;
		uint32_t blocked;
	} looks[] = {
		{ 0, 3, 97, TW_TIMESTAMPS_UNKNOWN, false, 3 },
		{ 5, 3, 96, TW_TIMESTAMPS_NO, false, 3 }, /* too few to ask */
		{ 10, 3, 97, TW_TIMESTAMPS_NO, true, 100 },
		{ 129, 0, 300, TW_TIMESTAMPS_UNKNOWN, true, 300 },
		{ 130, 0, 300, TW_TIMESTAMPS_UNKNOWN, false, 0 },
		{ 135, 1, 500, TW_TIMESTAMPS_NO, true, 501 },
		{ 140, 0, 500, TW_TIMESTAMPS_YES, true, 500 }, /* nobody is asked */
		{ 145, 1, 500, TW_TIMESTAMPS_YES, false, 1 },
		{ 150, 0, 500, TW_TIMESTAMPS_NO, false, 0 },
	};
	struct fixture fixture;

	begin(&fixture, 1000, 1999);
	set_reuse(&fixture, 1);
	for (size_t i = 0; i < TW_ARRAY_SIZE(looks); i++) {
		const struct tw_survey *survey;

		again(&fixture);
		fixture.timestamps = looks[i].said;
		fixture.asked = 0;
		add(&fixture, TW_STATE_TIME_WAIT, 1, 1000, looks[i].waiting, 30000);
		add(&fixture, TW_STATE_ESTABLISHED, 1, 1900, looks[i].living, 0);
		survey = look(&fixture, 1000 + looks[i].at);
		assert_int_equal(survey->top[0].no_timestamps_usec != 0, looks[i].lacks);
		assert_int_equal(survey->top[0].reuse_refuted, looks[i].lacks);
		assert_int_equal(survey->top[0].blocked, looks[i].blocked);
		assert_int_equal(fixture.asked, looks[i].living + looks[i].waiting < 100 ? 0 : looks[i].living);
	}
	tw_survey_work_done(&fixture.work);
}

/* Beside those that listen, who has a few of what is left is asked: what it holds may be all that it gets. */
static void test_few_are_left(void **state TW_UNUSED)
{
	struct fixture fixture;

	begin(&fixture, 1000, 1999);
	fixture.timestamps = TW_TIMESTAMPS_NO;
	for (uint16_t port = 1000; port < 1970; port++)
		tw_port_set_add(&fixture.listening, port);
	again(&fixture);
	fixture.asked = 0;
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1980, 3, 0);
	assert_true(look(&fixture, 1000)->top[0].reuse_refuted);
	assert_int_equal(fixture.asked, 3);
	tw_survey_work_done(&fixture.work);
}

static int say_by_port(struct tw_source *source TW_UNUSED, const struct tw_flow *flow, struct tw_idle *ret)
{
	*ret = (struct tw_idle){ .timestamps = flow->local.port % 2 ? TW_TIMESTAMPS_YES : TW_TIMESTAMPS_NO };
	return 0;
}

static int say_gone(struct tw_source *source TW_UNUSED, const struct tw_flow *flow TW_UNUSED,
		    struct tw_idle *ret TW_UNUSED)
{
	return -ENOENT;
}

/* Several machines behind one address, or those that were gone when they were asked: not known. */
static void test_no_verdict(void **state TW_UNUSED)
{
	int (*const says[])(struct tw_source *, const struct tw_flow *, struct tw_idle *) = { say_by_port, say_gone };

	for (size_t i = 0; i < TW_ARRAY_SIZE(says); i++) {
		const struct tw_survey *survey;
		struct fixture fixture;

		begin(&fixture, 1000, 1999);
		fixture.source.idle = says[i];
		add(&fixture, TW_STATE_ESTABLISHED, 1, 1000, 200, 0);
		survey = end(&fixture);
		assert_int_equal(survey->top[0].no_timestamps_usec, 0);
		assert_false(survey->top[0].reuse_refuted);
	}
}

/* That none has them is over as soon as one says that it has, though another still says that it has none. */
static void test_mixed_after_none(void **state TW_UNUSED)
{
	struct fixture fixture;

	begin(&fixture, 1000, 1999);
	fixture.timestamps = TW_TIMESTAMPS_NO;
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1000, 200, 0);
	assert_int_not_equal(look(&fixture, 1000)->top[0].no_timestamps_usec, 0);
	again(&fixture);
	fixture.source.idle = say_by_port;
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1000, 200, 0);
	assert_int_equal(look(&fixture, 1005)->top[0].no_timestamps_usec, 0);
	tw_survey_work_done(&fixture.work);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_said),
		cmocka_unit_test(test_few_are_left),
		cmocka_unit_test(test_no_verdict),
		cmocka_unit_test(test_mixed_after_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
