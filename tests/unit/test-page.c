/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/page.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char bytes[1024], out[2048];
static struct tw_page page;

static int clear(TW_UNUSED void **state)
{
	tw_page_init(&page, bytes, sizeof(bytes));
	return 0;
}

static const char *wrapped(unsigned width)
{
	struct tw_text text;

	tw_text_init(&text, out, sizeof(out));
	tw_page_add_text(&page, width, &text);
	return out;
}

static const char *json(const char *topic)
{
	struct tw_text text;

	tw_text_init(&text, out, sizeof(out));
	tw_page_add_json(&page, topic, &text);
	return out;
}

static void test_nothing(TW_UNUSED void **state)
{
	assert_string_equal(wrapped(80), "");
	assert_string_equal(json(NULL), "{\"topic\":null,\"text\":[],\"numbers\":{}}\n");
}

static void test_paragraphs(TW_UNUSED void **state)
{
	tw_text_addf(tw_page_begin(&page, "Here"), "%d now.", 3);
	tw_page_say(&page, "Left out", NULL);
	tw_page_say(&page, NULL, "Plain words.");
	assert_string_equal(wrapped(80), "Here: 3 now.\n\nPlain words.\n");
}

static void test_wrap(TW_UNUSED void **state)
{
	static const struct {
		const char *words;
		unsigned width;
		const char *lines;
	} rows[] = {
		{ "one two three", 80, "one two three\n" },
		{ "one two three", 13, "one two three\n" },
		{ "one two three", 12, "one two\nthree\n" },
		{ "one two three", 7, "one two\nthree\n" },
		{ "one two three", 6, "one\ntwo\nthree\n" },
		{ "longer-than-a-line is", 6, "longer-than-a-line\nis\n" },
		{ "is longer-than-a-line", 6, "is\nlonger-than-a-line\n" },
		{ "a", 1, "a\n" },
		{ "", 80, "" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		clear(NULL);
		tw_page_say(&page, NULL, rows[i].words);
		if (strcmp(wrapped(rows[i].width), rows[i].lines) != 0)
			fail_msg("'%s' at %u: '%s'", rows[i].words, rows[i].width, out);
	}
}

/* A unit's name comes from outside: a terminal would obey it. */
static void test_control_bytes(TW_UNUSED void **state)
{
	tw_page_say(&page, NULL, "a\033[2Jb \x7f");
	assert_string_equal(wrapped(80), "a?[2Jb ?\n");
	assert_string_equal(json("x"), "{\"topic\":\"x\",\"text\":[\"a\\u001b[2Jb \x7f\"],\"numbers\":{}}\n");
}

static void test_numbers(TW_UNUSED void **state)
{
	tw_page_note(&page, "first", tw_value_of(1500));
	tw_page_note(&page, "unknown", tw_value_unknown());
	tw_page_note(&page, "first", tw_value_of(7));
	tw_page_note(&page, "zero", tw_value_of(0));
	assert_string_equal(json("t"),
			    "{\"topic\":\"t\",\"text\":[],\"numbers\":{\"first\":1.5,\"unknown\":null,\"zero\":0}}\n");
}

static void test_too_many_numbers(TW_UNUSED void **state)
{
	static char names[TW_PAGE_NUMBERS_MAX + 1][8];

	for (unsigned i = 0; i < TW_ARRAY_SIZE(names); i++) {
		names[i][0] = (char)('a' + i / 26);
		names[i][1] = (char)('a' + i % 26);
		tw_page_note(&page, names[i], tw_value_of(i));
	}
	assert_int_equal(page.number_count, TW_PAGE_NUMBERS_MAX);
}

static void test_too_many_words(TW_UNUSED void **state)
{
	for (unsigned i = 0; i < 200; i++)
		tw_page_say(&page, "Again", "and again.");
	assert_true(page.text.cut);
	assert_int_equal(strlen(bytes), sizeof(bytes) - 1);
}

/* Words that go on behind what stands on a line already. */
static void test_words(TW_UNUSED void **state)
{
	static const struct {
		const char *words;
		size_t column;
		const char *wanted;
	} rows[] = {
		{ "", 5, "\n" },
		{ "one two", 3, "one two\n" },
		{ "one two three", 3, "one two\n  three\n" },
		{ "longword one", 3, "\n  longword\n  one\n" },
		{ "much-longer-than-that on", 2, "much-longer-than-that\n  on\n" },
		{ "\033 a\nb", 0, "? a?b\n" },
	};
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_text text;

		tw_text_init(&text, bytes, sizeof(bytes));
		tw_page_add_words(&text, rows[i].words, strlen(rows[i].words), 10, rows[i].column, 2);
		assert_string_equal(bytes, rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test_setup(test_nothing, clear),
		cmocka_unit_test_setup(test_paragraphs, clear),
		cmocka_unit_test_setup(test_wrap, clear),
		cmocka_unit_test_setup(test_control_bytes, clear),
		cmocka_unit_test_setup(test_numbers, clear),
		cmocka_unit_test_setup(test_too_many_numbers, clear),
		cmocka_unit_test_setup(test_too_many_words, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
