/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"

#include "base/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(literal) literal, sizeof(literal) - 1

struct number_row {
	const char *text;
	size_t length;
	int result;
	int64_t number;
};

static void test_u64(TW_UNUSED void **state)
{
	static const struct {
		const char *text;
		size_t length;
		int result;
		uint64_t number;
	} rows[] = {
		{ TEXT("0"), 0, 0 },
		{ TEXT("7"), 0, 7 },
		{ TEXT("007"), 0, 7 },
		{ TEXT("18446744073709551615"), 0, UINT64_MAX },
		{ TEXT("0000000000000000000000000018446744073709551615"), 0, UINT64_MAX },
		{ TEXT("18446744073709551616"), -ERANGE, 0 },
		{ TEXT("18446744073709551620"), -ERANGE, 0 },
		{ TEXT("99999999999999999999999999"), -ERANGE, 0 },
		{ TEXT("99999999999999999999999999x"), -EINVAL, 0 },
		{ TEXT(""), -EINVAL, 0 },
		{ TEXT(" 1"), -EINVAL, 0 },
		{ TEXT("1 "), -EINVAL, 0 },
		{ TEXT("1\n"), -EINVAL, 0 },
		{ TEXT("+1"), -EINVAL, 0 },
		{ TEXT("-1"), -EINVAL, 0 },
		{ TEXT("0x10"), -EINVAL, 0 },
		{ TEXT("1e3"), -EINVAL, 0 },
		{ TEXT("1.0"), -EINVAL, 0 },
		{ TEXT("1\0002"), -EINVAL, 0 },
		{ TEXT("\xd9\xa1"), -EINVAL, 0 }, /* an Arabic digit */
		{ "123456", 3, 0, 123 },	  /* the length counts, not the NUL */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		uint64_t number = 4711;

		if (tw_parse_u64(rows[i].text, rows[i].length, &number) != rows[i].result)
			fail_msg("'%s': not %d", rows[i].text, rows[i].result);
		assert_int_equal(number, rows[i].result == 0 ? rows[i].number : 4711);
	}
}

static void check_signed(int (*parse)(const char *, size_t, int64_t *), const struct number_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t number = 4711;
		int r = parse(rows[i].text, rows[i].length, &number);

		if (r != rows[i].result)
			fail_msg("'%s': %d, not %d", rows[i].text, r, rows[i].result);
		if (number != (r == 0 ? rows[i].number : 4711))
			fail_msg("'%s': %lld", rows[i].text, (long long)number);
	}
}

static void test_i64(TW_UNUSED void **state)
{
	static const struct number_row rows[] = {
		{ TEXT("0"), 0, 0 },
		{ TEXT("-0"), 0, 0 },
		{ TEXT("-12"), 0, -12 },
		{ TEXT("9223372036854775807"), 0, INT64_MAX },
		{ TEXT("-9223372036854775808"), 0, INT64_MIN },
		{ TEXT("9223372036854775808"), -ERANGE, 0 },
		{ TEXT("-9223372036854775809"), -ERANGE, 0 },
		{ TEXT("18446744073709551615"), -ERANGE, 0 },
		{ TEXT("-99999999999999999999"), -ERANGE, 0 },
		{ TEXT(""), -EINVAL, 0 },
		{ TEXT("-"), -EINVAL, 0 },
		{ TEXT("--1"), -EINVAL, 0 },
		{ TEXT("- 1"), -EINVAL, 0 },
		{ TEXT("+1"), -EINVAL, 0 },
		{ TEXT("1-"), -EINVAL, 0 },
	};

	check_signed(tw_parse_i64, rows, TW_ARRAY_SIZE(rows));
}

static void test_milli(TW_UNUSED void **state)
{
	static const struct number_row rows[] = {
		{ TEXT("45"), 0, 45000 },
		{ TEXT("0"), 0, 0 },
		{ TEXT("0.5"), 0, 500 },
		{ TEXT("0.05"), 0, 50 },
		{ TEXT("0.005"), 0, 5 },
		{ TEXT("12.340"), 0, 12340 },
		{ TEXT("-0.5"), 0, -500 },
		{ TEXT("-3"), 0, -3000 },
		{ TEXT("9223372036854775.807"), 0, INT64_MAX },
		{ TEXT("-9223372036854775.808"), 0, INT64_MIN },
		{ TEXT("9223372036854775.808"), -ERANGE, 0 },
		{ TEXT("-9223372036854775.809"), -ERANGE, 0 },
		{ TEXT("18446744073709551.616"), -ERANGE, 0 },
		{ TEXT("18446744073709551615"), -ERANGE, 0 },
		{ TEXT("99999999999999999999999.5"), -ERANGE, 0 },
		{ TEXT("0.0005"), -EINVAL, 0 },
		{ TEXT("1.0000"), -EINVAL, 0 },
		{ TEXT("1."), -EINVAL, 0 },
		{ TEXT(".5"), -EINVAL, 0 },
		{ TEXT("."), -EINVAL, 0 },
		{ TEXT(""), -EINVAL, 0 },
		{ TEXT("-"), -EINVAL, 0 },
		{ TEXT("1.2.3"), -EINVAL, 0 },
		{ TEXT("1.-5"), -EINVAL, 0 },
		{ TEXT("1,5"), -EINVAL, 0 },
		{ TEXT("1. 5"), -EINVAL, 0 },
		{ TEXT("45%"), -EINVAL, 0 },
	};

	check_signed(tw_parse_milli, rows, TW_ARRAY_SIZE(rows));
}

static void test_bool(TW_UNUSED void **state)
{
	static const char *const truths[] = { "yes", "true", "on", "1" };
	static const char *const lies[] = { "no", "false", "off", "0" };
	static const char *const neither[] = { "", "y", "YES", "yes ", "2", "ye", "nope", "00" };
	bool truth;

	for (size_t i = 0; i < TW_ARRAY_SIZE(truths); i++) {
		truth = false;
		assert_int_equal(tw_parse_bool(truths[i], strlen(truths[i]), &truth), 0);
		assert_true(truth);
		assert_int_equal(tw_parse_bool(lies[i], strlen(lies[i]), &truth), 0);
		assert_false(truth);
	}
	for (size_t i = 0; i < TW_ARRAY_SIZE(neither); i++) {
		truth = true;
		assert_int_equal(tw_parse_bool(neither[i], strlen(neither[i]), &truth), -EINVAL);
		assert_true(truth);
	}
}

static void test_word(TW_UNUSED void **state)
{
	static const char line[] = " \t one  two\n\tthree\n";
	static const char *const words[] = { "one", "two", "three" };
	const char *cursor = line;
	const char *end = line + sizeof(line) - 1;
	const char *word = NULL;
	size_t length = 0;

	for (size_t i = 0; i < TW_ARRAY_SIZE(words); i++) {
		assert_true(tw_parse_word(&cursor, end, &word, &length));
		assert_true(tw_parse_is(word, length, words[i]));
		assert_ptr_equal(cursor, word + length);
	}
	assert_false(tw_parse_word(&cursor, end, &word, &length));
	assert_ptr_equal(cursor, end);
	assert_true(tw_parse_is(word, length, "three"));

	/* The end cuts a word; what is behind is not looked at. */
	cursor = line;
	assert_true(tw_parse_word(&cursor, line + 5, &word, &length));
	assert_true(tw_parse_is(word, length, "on"));
	assert_false(tw_parse_word(&cursor, line + 5, &word, &length));

	cursor = line;
	assert_false(tw_parse_word(&cursor, line, &word, &length));
}

static void test_trim(TW_UNUSED void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },	      { "a", "a" },    { "  a", "a" },	 { "a\t\n ", "a" },
		{ " a  b ", "a  b" }, { " \t\n", "" }, { "\va", "\va" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const char *text = rows[i][0];
		size_t length = strlen(text);

		tw_parse_trim(&text, &length);
		assert_true(tw_parse_is(text, length, rows[i][1]));
	}
}

static void test_is(TW_UNUSED void **state)
{
	assert_true(tw_parse_is("abc", 3, "abc"));
	assert_true(tw_parse_is("abcdef", 3, "abc"));
	assert_true(tw_parse_is(NULL, 0, ""));
	assert_false(tw_parse_is("abc", 2, "abc"));
	assert_false(tw_parse_is("abc", 3, "ab"));
	assert_false(tw_parse_is("abc", 3, "abd"));
	assert_false(tw_parse_is("ABC", 3, "abc"));
	assert_false(tw_parse_is("", 0, "a"));
	assert_false(tw_parse_is("ab\0", 3, "ab"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),  cmocka_unit_test(test_i64),  cmocka_unit_test(test_milli),
		cmocka_unit_test(test_bool), cmocka_unit_test(test_word), cmocka_unit_test(test_trim),
		cmocka_unit_test(test_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
