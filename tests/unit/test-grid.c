/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/grid.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct tw_grid_column columns[] = {
	{ "PORTS", TW_UNIT_SOCKETS, 3 },
	{ "USE", TW_UNIT_PERCENT, 2 },
	{ "OTHER", TW_UNIT_SOCKETS, 1 },
};

static struct tw_grid grid;
static char bytes[256];
static struct tw_text text;

static int fill(TW_UNUSED void **state)
{
	tw_grid_init(&grid, columns, TW_ARRAY_SIZE(columns), "NAME");
	tw_grid_add(&grid, "a", (struct tw_value[]){ tw_value_of(1234567000), tw_value_of(47254), tw_value_unknown() });
	tw_grid_add(&grid, "b", (struct tw_value[]){ tw_value_of(0), tw_value_of(100000), tw_value_of(5000) });
	tw_text_init(&text, bytes, sizeof(bytes));
	return 0;
}

static void test_aligned(TW_UNUSED void **state)
{
	tw_grid_fit(&grid, 80, 10);
	tw_grid_add_titles(&grid, &text);
	assert_string_equal(bytes, "    PORTS    USE  OTHER  ");
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_grid_add_figures(&grid, 0, &text);
	assert_string_equal(bytes, "  1234567  47.3%      -  ");
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_grid_add_figures(&grid, 1, &text);
	assert_string_equal(bytes, "        0   100%      5  ");
	assert_int_equal(grid.figures_width, strlen(bytes));
}

/* What is missed least goes first; one column always stays. */
static void test_fit(TW_UNUSED void **state)
{
	static const struct {
		unsigned width, room, shown[3];
	} cases[] = {
		{ 35, 10, { 7, 5, 5 } }, { 34, 10, { 7, 5, 0 } }, { 28, 10, { 7, 5, 0 } },
		{ 27, 10, { 7, 0, 0 } }, { 1, 10, { 7, 0, 0 } },  { 25, 0, { 7, 5, 5 } },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		tw_grid_fit(&grid, cases[i].width, cases[i].room);
		for (unsigned j = 0; j < 3; j++)
			assert_int_equal(grid.widths[j], cases[i].shown[j]);
	}
}

static void test_room_of_names(TW_UNUSED void **state)
{
	assert_int_equal(tw_grid_name_room(&grid), 4);
	tw_grid_add(&grid, "longer", (struct tw_value[3]){ 0 });
	assert_int_equal(tw_grid_name_room(&grid), 6);
	tw_grid_add(&grid, "a name that is longer than anybody wants to read in a table", (struct tw_value[3]){ 0 });
	assert_int_equal(tw_grid_name_room(&grid), TW_GRID_NAME_ROOM);
}

static void test_full(TW_UNUSED void **state)
{
	for (unsigned i = 0; i < 2 * TW_GRID_ROWS_MAX; i++)
		tw_grid_add(&grid, "x", (struct tw_value[3]){ 0 });
	assert_int_equal(grid.row_count, TW_GRID_ROWS_MAX);
}

static void test_columns(TW_UNUSED void **state)
{
	static const struct {
		const char *text;
		unsigned columns, room;
		size_t fits;
	} cases[] = {
		{ "", 0, 5, 0 },
		{ "abc", 3, 2, 2 },
		{ "abc", 3, 3, 3 },
		{ "a\xc3\xa9z", 3, 2, 3 },
		{ "\xe2\x96\x88\xe2\x96\x88", 2, 1, 3 },
		{ "abc", 3, 0, 0 },
		{ "\x80\x80", 0, 1, 2 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		assert_int_equal(tw_columns(cases[i].text), cases[i].columns);
		assert_int_equal(tw_columns_fit(cases[i].text, cases[i].room), cases[i].fits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_aligned, fill),
		cmocka_unit_test_setup(test_fit, fill),
		cmocka_unit_test_setup(test_room_of_names, fill),
		cmocka_unit_test_setup(test_full, fill),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
