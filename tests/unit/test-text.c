/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

static void test_init(TW_UNUSED void **state)
{
	char bytes[4] = "xyz";
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	assert_string_equal(bytes, "");
	assert_int_equal(text.length, 0);
	assert_false(text.cut);
}

static void test_cut_keeps_what_fits(TW_UNUSED void **state)
{
	char bytes[9];
	struct tw_text text;

	/* A guard behind the capacity: nothing may ever touch it. */
	bytes[8] = '#';
	tw_text_init(&text, bytes, 8);
	tw_text_add(&text, "abc");
	tw_text_add_char(&text, 'd');
	tw_text_add_bytes(&text, "efg", 3);
	assert_string_equal(bytes, "abcdefg");
	assert_int_equal(text.length, 7);
	assert_false(text.cut);

	tw_text_add(&text, "");
	tw_text_addf(&text, "%s", "");
	assert_false(text.cut);

	tw_text_add_char(&text, 'h');
	assert_true(text.cut);
	tw_text_addf(&text, "%d", 12);
	assert_string_equal(bytes, "abcdefg");
	assert_int_equal(text.length, 7);
	assert_int_equal(bytes[8], '#');
}

static void test_addf(TW_UNUSED void **state)
{
	char bytes[9];
	struct tw_text text;

	bytes[8] = '#';
	tw_text_init(&text, bytes, 8);
	tw_text_addf(&text, "%d-%s", 12, "abcd");
	assert_string_equal(bytes, "12-abcd");
	assert_false(text.cut);

	tw_text_init(&text, bytes, 8);
	tw_text_addf(&text, "%d-%s", 12, "abcdefgh");
	assert_string_equal(bytes, "12-abcd");
	assert_int_equal(text.length, 7);
	assert_true(text.cut);
	assert_int_equal(bytes[8], '#');
}

static void test_capacity_of_one(TW_UNUSED void **state)
{
	char byte = 'x';
	struct tw_text text;

	tw_text_init(&text, &byte, 1);
	tw_text_add(&text, "a");
	tw_text_addf(&text, "%s", "b");
	assert_int_equal(byte, '\0');
	assert_int_equal(text.length, 0);
	assert_true(text.cut);
}

static void test_failed_format(TW_UNUSED void **state)
{
	char bytes[64];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_add(&text, "kept");
	/* No byte sequence of the C locale stands for this character: vsnprintf() fails. */
	tw_text_addf(&text, "ab%lc", (wint_t)0x20ac);
	assert_string_equal(bytes, "kept");
	assert_int_equal(text.length, 4);
	assert_true(text.cut);
}

static void test_copy(TW_UNUSED void **state)
{
	char to[4];

	assert_true(tw_text_copy(to, sizeof(to), "abc"));
	assert_string_equal(to, "abc");
	assert_false(tw_text_copy(to, sizeof(to), "abcd"));
	assert_string_equal(to, "abc");
	assert_true(tw_text_copy(to, sizeof(to), ""));
	assert_string_equal(to, "");
	assert_true(tw_text_copy_bytes(to, sizeof(to), "xyz...", 2));
	assert_string_equal(to, "xy");
	assert_true(tw_text_copy_bytes(to, sizeof(to), NULL, 0));
	assert_string_equal(to, "");
	assert_false(tw_text_copy_bytes(to, sizeof(to), "wxyz", 4));
	assert_string_equal(to, "wxy");
}

static void test_milli(TW_UNUSED void **state)
{
	static const struct {
		int64_t milli;
		const char *exact, *digits0, *digits1, *digits2;
	} rows[] = {
		{ 0, "0", "0", "0", "0" },
		{ 45000, "45", "45", "45", "45" },
		{ 500, "0.5", "1", "0.5", "0.5" },
		{ 499, "0.499", "0", "0.5", "0.5" },
		{ 1, "0.001", "0", "0", "0" },
		{ 5, "0.005", "0", "0", "0.01" },
		{ 10, "0.01", "0", "0", "0.01" },
		{ 50, "0.05", "0", "0.1", "0.05" },
		{ 1050, "1.05", "1", "1.1", "1.05" },
		{ 100, "0.1", "0", "0.1", "0.1" },
		{ 9949, "9.949", "10", "9.9", "9.95" },
		{ 9950, "9.95", "10", "10", "9.95" },
		{ 99999, "99.999", "100", "100", "100" },
		{ 10000000, "10000", "10000", "10000", "10000" },
		{ -1, "-0.001", "0", "0", "0" },
		{ -500, "-0.5", "-1", "-0.5", "-0.5" },
		{ -1250, "-1.25", "-1", "-1.3", "-1.25" },
		{ INT64_MAX, "9223372036854775.807", "9223372036854776", "9223372036854775.8", "9223372036854775.81" },
		{ INT64_MIN, "-9223372036854775.808", "-9223372036854776", "-9223372036854775.8",
		  "-9223372036854775.81" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const char *rounded[] = { rows[i].digits0, rows[i].digits1, rows[i].digits2, rows[i].exact };
		char bytes[32];
		struct tw_text text;

		tw_text_init(&text, bytes, sizeof(bytes));
		tw_text_add_milli(&text, rows[i].milli);
		assert_string_equal(bytes, rows[i].exact);
		for (unsigned digits = 0; digits < TW_ARRAY_SIZE(rounded); digits++) {
			tw_text_init(&text, bytes, sizeof(bytes));
			tw_text_add_milli_rounded(&text, rows[i].milli, digits);
			assert_string_equal(bytes, rounded[digits]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),	      cmocka_unit_test(test_cut_keeps_what_fits),
		cmocka_unit_test(test_addf),	      cmocka_unit_test(test_capacity_of_one),
		cmocka_unit_test(test_failed_format), cmocka_unit_test(test_copy),
		cmocka_unit_test(test_milli),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
