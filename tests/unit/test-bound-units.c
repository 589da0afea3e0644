/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The units that hold bound ports. */
#include "survey-fixture.h"

#include <errno.h>
#include <stdio.h>

static struct fixture fixture;
static unsigned asked;

/* Cgroup 7 has no unit; 10 to 19 are of one. */
static int tell_unit(struct tw_source *source TW_UNUSED, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	asked++;
	if (cgroup_id == 7)
		return -ENOENT;
	(void)snprintf(ret, TW_UNIT_MAX, "u%llu.service",
		       (unsigned long long)(cgroup_id >= 10 && cgroup_id < 20 ? 10 : cgroup_id));
	return 0;
}

static int set_up(void **state TW_UNUSED)
{
	begin(&fixture, 1001, 2000);
	fixture.source.unit = tell_unit;
	asked = 0;
	return 0;
}

static int tear_down(void **state TW_UNUSED)
{
	tw_survey_work_done(&fixture.work);
	return 0;
}

static void add_of_cgroup(uint64_t cgroup_id, unsigned sockets)
{
	struct tw_flow flow = {
		.state = TW_STATE_BOUND,
		.has_cgroup = cgroup_id != 0,
		.cgroup_id = cgroup_id,
		.local.port = 1001,
	};

	for (unsigned i = 0; i < sockets; i++)
		tw_survey_work_add(&fixture.work, &flow);
}

static void finish(void)
{
	(void)look(&fixture, 1000);
}

static void assert_row(unsigned row, const char *unit, uint32_t sockets)
{
	assert_true(row < fixture.survey.bound_row_count);
	assert_string_equal(fixture.survey.bound_rows[row].unit, unit);
	assert_int_equal(fixture.survey.bound_rows[row].sockets, sockets);
}

static void test_none(void **state TW_UNUSED)
{
	finish();
	assert_int_equal(fixture.survey.bound_row_count, 0);
	assert_int_equal(asked, 0);
}

static void test_summed_by_unit(void **state TW_UNUSED)
{
	add_of_cgroup(10, 3);
	add_of_cgroup(19, 4);
	add_of_cgroup(5, 5);
	add_of_cgroup(7, 2);
	add_of_cgroup(0, 1);
	finish();
	assert_int_equal(fixture.survey.bound_row_count, 3);
	assert_row(0, "u10.service", 7);
	assert_row(1, "u5.service", 5);
	assert_row(2, "", 3);
	/* A socket without a cgroup is no question. */
	assert_int_equal(asked, 4);
}

static void test_ties_by_name(void **state TW_UNUSED)
{
	add_of_cgroup(3, 2);
	add_of_cgroup(2, 2);
	finish();
	assert_row(0, "u2.service", 2);
	assert_row(1, "u3.service", 2);
}

static void test_most_are_kept(void **state TW_UNUSED)
{
	for (uint64_t id = 100; id < 140; id++)
		add_of_cgroup(id, (unsigned)(id - 99));
	finish();
	assert_int_equal(fixture.survey.bound_row_count, TW_BOUND_ROWS_MAX);
	for (unsigned i = 0; i < TW_BOUND_ROWS_MAX; i++)
		assert_int_equal(fixture.survey.bound_rows[i].sockets, 40 - i);
}

/* More cgroups than there is room for: those that came first are told, and the table stays whole. */
static void test_bounded(void **state TW_UNUSED)
{
	add_of_cgroup(1, 9);
	for (uint64_t id = 100; id < 100 + 4 * TW_SURVEY_CGROUPS_MAX; id++)
		add_of_cgroup(id, 1);
	add_of_cgroup(1, 1);
	assert_int_equal(fixture.work.cgroup_count, TW_SURVEY_CGROUPS_MAX);
	finish();
	assert_row(0, "u1.service", 10);
	assert_int_equal(asked, TW_SURVEY_CGROUPS_MAX);
}

static void test_begun_anew(void **state TW_UNUSED)
{
	add_of_cgroup(3, 2);
	finish();
	again(&fixture);
	add_of_cgroup(2, 1);
	finish();
	assert_int_equal(fixture.survey.bound_row_count, 1);
	assert_row(0, "u2.service", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_summed_by_unit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ties_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_most_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_begun_anew, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
