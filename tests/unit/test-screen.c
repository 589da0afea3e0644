/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/screen.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char bytes[1024];
static struct tw_text text;
static struct tw_screen screen;

static void begin(unsigned width, bool colour)
{
	tw_text_init(&text, bytes, sizeof(bytes));
	screen = (struct tw_screen){ .text = &text, .width = width, .colour = colour };
}

static void test_wrap(TW_UNUSED void **state)
{
	static const struct {
		const char *words;
		unsigned width, indent;
		const char *lines;
	} cases[] = {
		{ "", 20, 0, "\n" },
		{ "one two", 20, 0, "one two\n" },
		{ "twelve  bytes and more", 20, 2, "twelve bytes and\n  more\n" },
		{ "exactly twenty bytes", 20, 2, "exactly twenty bytes\n" },
		{ "abcdefghijklmnopqrstuvwxyz", 20, 2, "abcdefghijklmnopqrst\n  uvwxyz\n" },
		{ "a abcdefghijklmnopqrstuvwxyz", 20, 2, "a\n  abcdefghijklmnopqr\n  stuvwxyz\n" },
		{ "deep indent is held at half", 20, 99, "deep indent is held\n          at half\n" },
		{ "\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9 abcdefghijklm", 20, 0,
		  "\xc3\xa9\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9 abcdefghijklm\n" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		begin(cases[i].width, false);
		tw_screen_words(&screen, TW_STYLE_BAD, cases[i].indent, cases[i].words);
		tw_screen_end(&screen);
		assert_string_equal(bytes, cases[i].lines);
	}
}

/* Words of several styles are one line; a blank in front joins them, its lack does not. */
static void test_joined(TW_UNUSED void **state)
{
	begin(20, false);
	tw_screen_words(&screen, TW_STYLE_TITLE, 2, "Raised:");
	tw_screen_words(&screen, TW_STYLE_PLAIN, 2, " nothing");
	tw_screen_words(&screen, TW_STYLE_PLAIN, 2, ", of ten rules");
	tw_screen_end(&screen);
	assert_string_equal(bytes, "Raised: nothing, of\n  ten rules\n");
}

static void test_colour(TW_UNUSED void **state)
{
	begin(20, true);
	tw_screen_words(&screen, TW_STYLE_BAD, 0, "bad");
	tw_screen_words(&screen, TW_STYLE_PLAIN, 0, " plain");
	assert_string_equal(bytes, "\033[1;31mbad\033[0m plain");
	assert_int_equal(screen.column, 9);
}

static void test_grid(TW_UNUSED void **state)
{
	static const struct tw_grid_column columns[] = { { "PORTS", TW_UNIT_SOCKETS, 2 },
							 { "USE", TW_UNIT_PERCENT, 1 } };
	static struct tw_grid grid;

	tw_grid_init(&grid, columns, 2, "NAME");
	tw_grid_add(&grid, "short", (struct tw_value[]){ tw_value_of(5000), tw_value_of(1000) });
	tw_grid_add(&grid, "10.0.0.1 -> 10.0.0.2:50000", (struct tw_value[]){ tw_value_of(70000), tw_value_of(1000) });
	begin(24, false);
	tw_screen_grid(&screen, &grid);
	assert_string_equal(bytes, "  PORTS  NAME\n      5  short\n     70\n    10.0.0.1 ->\n    10.0.0.2:50000\n");
}

static void test_severities(TW_UNUSED void **state)
{
	assert_int_equal(tw_style_of_severity(TW_SEVERITY_NOTICE), TW_STYLE_PLAIN);
	assert_int_equal(tw_style_of_severity(TW_SEVERITY_WARNING), TW_STYLE_WARN);
	assert_int_equal(tw_style_of_severity(TW_SEVERITY_CRITICAL), TW_STYLE_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap), cmocka_unit_test(test_joined),	cmocka_unit_test(test_colour),
		cmocka_unit_test(test_grid), cmocka_unit_test(test_severities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
