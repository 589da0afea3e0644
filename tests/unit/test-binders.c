/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/binders.h"

#include "base/macros.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct tw_binders binders;
static struct tw_survey survey;
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

static struct tw_source source = { .unit = tell_unit };

static int begin(void **state TW_UNUSED)
{
	memset(&binders, 0x5a, sizeof(binders));
	memset(&survey, 0x5a, sizeof(survey));
	tw_binders_clear(&binders);
	asked = 0;
	return 0;
}

static void add(uint64_t cgroup_id, unsigned sockets)
{
	struct tw_flow flow = { .state = TW_STATE_BOUND, .has_cgroup = cgroup_id != 0, .cgroup_id = cgroup_id };

	for (unsigned i = 0; i < sockets; i++)
		tw_binders_add(&binders, &flow);
}

static void finish(void)
{
	while (tw_binders_step(&binders, &source))
		;
	tw_binders_results(&binders, &survey);
}

static void assert_row(unsigned row, const char *unit, uint32_t sockets)
{
	assert_true(row < survey.bound_row_count);
	assert_string_equal(survey.bound_rows[row].unit, unit);
	assert_int_equal(survey.bound_rows[row].sockets, sockets);
}

static void test_none(void **state TW_UNUSED)
{
	finish();
	assert_int_equal(survey.bound_row_count, 0);
	assert_int_equal(asked, 0);
}

static void test_summed_by_unit(void **state TW_UNUSED)
{
	add(10, 3);
	add(19, 4);
	add(5, 5);
	add(7, 2);
	add(0, 1);
	finish();
	assert_int_equal(survey.bound_row_count, 3);
	assert_row(0, "u10.service", 7);
	assert_row(1, "u5.service", 5);
	assert_row(2, "", 3);
	/* A socket without a cgroup is no question. */
	assert_int_equal(asked, 4);
}

static void test_ties_by_name(void **state TW_UNUSED)
{
	add(3, 2);
	add(2, 2);
	finish();
	assert_row(0, "u2.service", 2);
	assert_row(1, "u3.service", 2);
}

static void test_most_are_kept(void **state TW_UNUSED)
{
	for (uint64_t id = 100; id < 140; id++)
		add(id, (unsigned)(id - 99));
	finish();
	assert_int_equal(survey.bound_row_count, TW_BOUND_ROWS_MAX);
	for (unsigned i = 0; i < TW_BOUND_ROWS_MAX; i++)
		assert_int_equal(survey.bound_rows[i].sockets, 40 - i);
}

/* More cgroups than there is room for: those that came first are told, and the table stays whole. */
static void test_bounded(void **state TW_UNUSED)
{
	add(1, 9);
	for (uint64_t id = 100; id < 100 + 4 * TW_BINDERS_MAX; id++)
		add(id, 1);
	add(1, 1);
	assert_int_equal(binders.count, TW_BINDERS_MAX);
	finish();
	assert_row(0, "u1.service", 10);
	assert_int_equal(asked, TW_BINDERS_MAX);
}

static void test_begun_anew(void **state TW_UNUSED)
{
	add(3, 2);
	finish();
	tw_binders_clear(&binders);
	add(2, 1);
	finish();
	assert_int_equal(survey.bound_row_count, 1);
	assert_row(0, "u2.service", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, begin),	  cmocka_unit_test_setup(test_summed_by_unit, begin),
		cmocka_unit_test_setup(test_ties_by_name, begin), cmocka_unit_test_setup(test_most_are_kept, begin),
		cmocka_unit_test_setup(test_bounded, begin),	  cmocka_unit_test_setup(test_begun_anew, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
