/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct paper {
	char bytes[1024];
	struct tw_text text;
};

static struct tw_text *begin(struct paper *paper)
{
	tw_text_init(&paper->text, paper->bytes, sizeof(paper->bytes));
	return &paper->text;
}

static void test_commas(TW_UNUSED void **state)
{
	struct paper paper;
	struct tw_text *json = begin(&paper);

	tw_json_begin(json, '{');
	tw_json_key(json, "empty");
	tw_json_begin(json, '{');
	tw_json_end(json, '}');
	tw_json_key(json, "list");
	tw_json_begin(json, '[');
	tw_json_u64(json, 1);
	tw_json_begin(json, '[');
	tw_json_end(json, ']');
	tw_json_begin(json, '{');
	tw_json_key(json, "a");
	tw_json_literal(json, "null");
	tw_json_key(json, "b");
	tw_json_literal(json, "true");
	tw_json_end(json, '}');
	tw_json_literal(json, "false");
	tw_json_end(json, ']');
	tw_json_key(json, "last");
	tw_json_string(json, "x");
	tw_json_end(json, '}');
	assert_string_equal(paper.bytes, "{\"empty\":{},\"list\":[1,[],{\"a\":null,\"b\":true},false],\"last\":\"x\"}");
	assert_false(paper.text.cut);
}

/* Each object begins anew, whatever stood at its depth before. */
static void test_siblings(TW_UNUSED void **state)
{
	struct paper paper;
	struct tw_text *json = begin(&paper);

	tw_json_begin(json, '[');
	for (unsigned i = 0; i < 2; i++) {
		tw_json_begin(json, '{');
		tw_json_key(json, "n");
		tw_json_u64(json, i);
		tw_json_end(json, '}');
	}
	tw_json_end(json, ']');
	assert_string_equal(paper.bytes, "[{\"n\":0},{\"n\":1}]");
}

static void test_numbers(TW_UNUSED void **state)
{
	struct paper paper;
	struct tw_text *json = begin(&paper);

	tw_json_begin(json, '[');
	tw_json_u64(json, UINT64_MAX);
	tw_json_milli(json, 2900);
	tw_json_milli(json, -5);
	tw_json_milli(json, 45000);
	tw_json_end(json, ']');
	assert_string_equal(paper.bytes, "[18446744073709551615,2.9,-0.005,45]");
}

static void test_strings(TW_UNUSED void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *written;
	} rows[] = {
#define ROW(literal, written) { literal, sizeof(literal) - 1, written }
#define BAD "\xef\xbf\xbd"
		ROW("", ""),
		ROW("plain / text", "plain / text"),
		ROW("\"\\", "\\\"\\\\"),
		ROW("\n\t\r\b\f", "\\n\\t\\r\\b\\f"),
		ROW("\x01\x1f\x7f", "\\u0001\\u001f\x7f"),
		ROW("a\0b", "a\\u0000b"),
		ROW("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		ROW("\xef\xbf\xbf\xf4\x8f\xbf\xbf", "\xef\xbf\xbf\xf4\x8f\xbf\xbf"), /* the highest */
		ROW("\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xed\x9f\xbf",
		    "\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xed\x9f\xbf"), /* the lowest of each length */
		/* The rest of the character lies behind the length. */
		{ "\xc3\xa9", 1, BAD },
		{ "\xe2\x82\xac", 2, BAD BAD },
		ROW("\x80", BAD),
		ROW("\xff\xfe", BAD BAD),
		ROW("\xc3", BAD),			   /* ends early */
		ROW("\xe2\x82", BAD BAD),		   /* ends early */
		ROW("\xf0\x9f\x98", BAD BAD BAD),	   /* ends early */
		ROW("\xe2\x82x", BAD BAD "x"),		   /* breaks off */
		ROW("\xf0\x9f\x98\"", BAD BAD BAD "\\\""), /* breaks off before what must be escaped */
		ROW("\xc0\xaf", BAD BAD),		   /* overlong */
		ROW("\xc1\xbf", BAD BAD),		   /* overlong */
		ROW("\xe0\x9f\xbf", BAD BAD BAD),	   /* overlong */
		ROW("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD),  /* overlong */
		ROW("\xed\xa0\x80", BAD BAD BAD),	   /* a surrogate */
		ROW("\xf4\x90\x80\x80", BAD BAD BAD BAD),  /* beyond U+10FFFF */
		ROW("\xf5\x80\x80\x80", BAD BAD BAD BAD),  /* beyond U+10FFFF */
		ROW("ok\xffok", "ok" BAD "ok"),
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct paper paper;
		char expected[128];
		struct tw_text text;

		tw_text_init(&text, expected, sizeof(expected));
		tw_text_addf(&text, "\"%s\"", rows[i].written);
		tw_json_string_bytes(begin(&paper), rows[i].bytes, rows[i].length);
		assert_string_equal(paper.bytes, expected);
	}
}

static void test_keys_are_escaped(TW_UNUSED void **state)
{
	struct paper paper;
	struct tw_text *json = begin(&paper);

	tw_json_begin(json, '{');
	tw_json_key(json, "a\"b");
	tw_json_string(json, "c");
	tw_json_end(json, '}');
	assert_string_equal(paper.bytes, "{\"a\\\"b\":\"c\"}");
}

/* As deep as anybody likes. */
static void test_deep(TW_UNUSED void **state)
{
	struct paper paper;
	struct tw_text *json = begin(&paper);

	for (unsigned i = 0; i < 20; i++)
		tw_json_begin(json, '[');
	tw_json_u64(json, 1);
	for (unsigned i = 0; i < 19; i++)
		tw_json_end(json, ']');
	tw_json_literal(json, "null");
	tw_json_end(json, ']');
	assert_string_equal(paper.bytes, "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]],null]");
}

static void test_cut(TW_UNUSED void **state)
{
	char bytes[8];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_json_string(&text, "abcdefghij");
	assert_true(text.cut);
	assert_string_equal(bytes, "\"abcdef");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commas),	cmocka_unit_test(test_siblings),	 cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings), cmocka_unit_test(test_keys_are_escaped), cmocka_unit_test(test_deep),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
