/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/top-model.h"

#include "base/macros.h"
#include "view-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct tw_top top;

static void update(const char *json)
{
	TW_CLEANUP_VIEW struct tw_view *view = view_of(json);

	assert_non_null(view);
	tw_top_update(&top, view);
}

static int fill(TW_UNUSED void **state)
{
	memset(&top, 0, sizeof(top));
	update(VIEW(VIEW_NAMESPACE("host", VIEW_DESTINATIONS)));
	return 0;
}

static void press(const char *keys)
{
	for (; *keys != '\0'; keys++)
		assert_true(tw_top_key(&top, *keys, 10));
}

/* The names of the pane in the order that they stand in, up to their first blank. */
static void stands(const char *wanted)
{
	const struct tw_top_table *table = &top.tables[top.pane];
	char bytes[512];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	for (unsigned i = 0; i < table->shown_count; i++) {
		const char *name = table->rows[table->shown[i]].name;
		const char *arrow = strstr(name, "-> ");

		tw_text_addf(&text, "%s%s", i > 0 ? " " : "", arrow ? arrow + 3 : name);
	}
	assert_string_equal(bytes, wanted);
}

static void test_panes(TW_UNUSED void **state)
{
	stands("10.0.0.2:443 10.0.0.9:80 x:1");
	press("\t");
	stands("0.0.0.0:80 [::1]:443");
	press("3");
	stands("web.service unknown dns.service");
	press("\t");
	stands("host");
	press("\t");
	assert_int_equal(top.pane, TW_TOP_DESTINATIONS);
	assert_true(tw_top_key(&top, TW_TOP_KEY_BACK_TAB, 10));
	assert_int_equal(top.pane, TW_TOP_NAMESPACES);
}

static void test_figures(TW_UNUSED void **state)
{
	const struct tw_top_row *row = &top.tables[TW_TOP_LISTENERS].rows[0];

	assert_int_equal(row->figures[2].milli, 50000);
	/* Three wait where there is room for one. */
	assert_int_equal(top.tables[TW_TOP_LISTENERS].rows[1].figures[2].milli, 300000);
	row = &top.tables[TW_TOP_UNITS].rows[2];
	assert_string_equal(row->name, "dns.service");
	assert_true(row->figures[0].known && row->figures[0].milli == 0);
	assert_int_equal(row->figures[3].milli, 8000);
	assert_int_equal(top.tables[TW_TOP_UNITS].rows[0].figures[3].milli, 1000);
	row = &top.tables[TW_TOP_NAMESPACES].rows[0];
	assert_int_equal(row->figures[5].milli, 3000);
	assert_int_equal(row->figures[6].milli, 2000);
}

/* The unknown stands last, whichever way it goes; the last column is the name. */
static void test_sort(TW_UNUSED void **state)
{
	press("r");
	stands("10.0.0.9:80 10.0.0.2:443 x:1");
	press("rs");
	assert_int_equal(top.tables[0].sort, 1);
	stands("10.0.0.2:443 10.0.0.9:80 x:1");
	press("sssss");
	assert_int_equal(top.tables[0].sort, tw_top_pane_info(TW_TOP_DESTINATIONS)->column_count);
	stands("10.0.0.2:443 10.0.0.9:80 x:1");
	press("r");
	stands("x:1 10.0.0.9:80 10.0.0.2:443");
	press("s");
	assert_int_equal(top.tables[0].sort, 0);
}

static void test_filter(TW_UNUSED void **state)
{
	press("/X:1q");
	assert_string_equal(top.filter, "X:1q");
	stands("");
	assert_true(tw_top_key(&top, TW_TOP_KEY_BACKSPACE, 10));
	stands("x:1");
	press("\n");
	assert_false(top.editing);
	press("3");
	stands("");
	press("1\033");
	assert_string_equal(top.filter, "");
	press("/abc\033");
	assert_false(top.editing || top.filter[0] != '\0');
	press("/");
	for (unsigned i = 0; i < 2 * TW_TOP_FILTER_MAX; i++)
		press("a");
	assert_int_equal(strlen(top.filter), TW_TOP_FILTER_MAX - 1);
	press("\025");
	assert_string_equal(top.filter, "");
}

static void test_scroll(TW_UNUSED void **state)
{
	struct tw_top_table *table = &top.tables[TW_TOP_DESTINATIONS];

	assert_true(tw_top_key(&top, TW_TOP_KEY_DOWN, 10));
	assert_int_equal(table->first, 0);
	assert_true(tw_top_key(&top, TW_TOP_KEY_PAGE_DOWN, 2));
	assert_int_equal(table->first, 1);
	assert_true(tw_top_key(&top, TW_TOP_KEY_END, 1));
	assert_int_equal(table->first, 2);
	press("/> 1\n");
	assert_int_equal(table->first, 1);
	assert_true(tw_top_key(&top, TW_TOP_KEY_PAGE_UP, 10));
	assert_int_equal(table->first, 0);
	assert_true(tw_top_key(&top, TW_TOP_KEY_UP, 10));
	assert_int_equal(table->first, 0);
}

static void test_pause_help_and_quit(TW_UNUSED void **state)
{
	press(" ");
	assert_true(top.paused);
	press(" ?");
	assert_false(top.paused);
	assert_true(top.help);
	press("2");
	assert_false(top.help);
	assert_int_equal(top.pane, TW_TOP_DESTINATIONS);
	assert_true(tw_top_key(&top, TW_TOP_KEY_NONE, 10));
	assert_false(tw_top_key(&top, 'q', 10));
	press("?");
	assert_false(tw_top_key(&top, 'q', 10));
}

static void test_namespaces(TW_UNUSED void **state)
{
	update(VIEW(VIEW_NAMESPACE("host", VIEW_TO("a:1", "1")) "," VIEW_NAMESPACE("blue", VIEW_TO("a:1", "2"))));
	stands("a:1 (blue) a:1 (host)");
	press("4");
	stands("blue host");
}

static void test_nothing(TW_UNUSED void **state)
{
	update(VIEW(""));
	assert_false(top.tables[TW_TOP_DESTINATIONS].known);
	stands("");
	update(VIEW("{\"destinations\":[]}"));
	assert_true(top.tables[TW_TOP_DESTINATIONS].known);
	assert_false(top.tables[TW_TOP_LISTENERS].known);
}

static void test_trace_goes_on(TW_UNUSED void **state)
{
	char bytes[128];
	struct tw_text text;

	for (unsigned i = 0; i < 10; i++)
		update(VIEW(VIEW_NAMESPACE("host", VIEW_TO("a:1", "150"))));
	update(VIEW(VIEW_NAMESPACE("host", VIEW_TO("a:1", "300"))));
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_trace_add(&top.tables[0].trace, "10.0.0.1 -> a:1", 90, false, &text);
	assert_string_equal(bytes + strlen(bytes) - 4, "---#");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_panes, fill),
		cmocka_unit_test_setup(test_figures, fill),
		cmocka_unit_test_setup(test_sort, fill),
		cmocka_unit_test_setup(test_filter, fill),
		cmocka_unit_test_setup(test_scroll, fill),
		cmocka_unit_test_setup(test_pause_help_and_quit, fill),
		cmocka_unit_test_setup(test_namespaces, fill),
		cmocka_unit_test_setup(test_nothing, fill),
		cmocka_unit_test_setup(test_trace_goes_on, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
