/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/duration.h"

#include "base/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define MIN TW_USEC_PER_MINUTE
#define H TW_USEC_PER_HOUR
#define D TW_USEC_PER_DAY

static void test_parse(TW_UNUSED void **state)
{
	static const struct {
		const char *text;
		int result;
		usec_t usec;
	} rows[] = {
		{ "0", 0, 0 },
		{ "30", 0, 30 * S },
		{ "500ms", 0, S / 2 },
		{ "1min 30s", 0, 90 * S },
		{ "1min30s", 0, 90 * S },
		{ " 1 min\t30 s \n", 0, 90 * S },
		{ "1min 30", 0, 90 * S },
		{ "30 1min", 0, 90 * S },
		{ "30s 1min", 0, 90 * S },
		{ "2h", 0, 2 * H },
		{ "1.5s", 0, 3 * S / 2 },
		{ "1.5", 0, 3 * S / 2 },
		{ ".5s", 0, S / 2 },
		{ "0.5min", 0, 30 * S },
		{ "1.000001s", 0, S + 1 },
		{ "0.0000019s", 0, 1 }, /* rounded down */
		{ "0.9us", 0, 0 },
		{ "0.333333333333333333333333333h", 0, H / 3 - 1 },
		{ "0.000000000001w", 0, 0 },
		/* More digits than any integer holds. */
		{ "0.5000000000000000000000000000000000000000000000000000000000000000000000000000s", 0, S / 2 },
		{ "0.00000165344w", 0, 1000000 },
		{ "7us", 0, 7 },
		{ "7usec", 0, 7 },
		{ "7ms", 0, 7000 },
		{ "7msec", 0, 7000 },
		{ "7s", 0, 7 * S },
		{ "7sec", 0, 7 * S },
		{ "1second", 0, S },
		{ "7seconds", 0, 7 * S },
		{ "7m", 0, 7 * MIN },
		{ "7min", 0, 7 * MIN },
		{ "1minute", 0, MIN },
		{ "7minutes", 0, 7 * MIN },
		{ "7h", 0, 7 * H },
		{ "7hr", 0, 7 * H },
		{ "1hour", 0, H },
		{ "7hours", 0, 7 * H },
		{ "7d", 0, 7 * D },
		{ "1day", 0, D },
		{ "7days", 0, 7 * D },
		{ "7w", 0, 49 * D },
		{ "1week", 0, 7 * D },
		{ "7weeks", 0, 49 * D },
		{ "18446744073709551614us", 0, UINT64_MAX - 1 },
		{ "18446744073709551615us", -ERANGE, 0 }, /* that is infinity */
		{ "18446744073709551614us 1us", -ERANGE, 0 },
		{ "18446744073709551614us 2us", -ERANGE, 0 },
		{ "18446744073709551616us", -ERANGE, 0 },
		{ "18446744073709s 551614us", 0, UINT64_MAX - 1 },
		{ "18446744073710s", -ERANGE, 0 },
		{ "99999999999999999999999999999s", -ERANGE, 0 },
		{ "30500569w", -ERANGE, 0 },
		{ "99999999999999999999999999999s x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "  ", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ ".s", -EINVAL, 0 },
		{ "1.s", -EINVAL, 0 },
		{ "1. 5s", -EINVAL, 0 },
		{ "1.2.3s", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "+1s", -EINVAL, 0 },
		{ "1s -1s", -EINVAL, 0 },
		{ "1 parsec", -EINVAL, 0 },
		{ "1sx", -EINVAL, 0 },
		{ "1S", -EINVAL, 0 },
		{ "1M", -EINVAL, 0 },
		{ "1y", -EINVAL, 0 },
		{ "1s,1s", -EINVAL, 0 },
		{ "1s s", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "infinity", -EINVAL, 0 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		usec_t usec = 4711;
		int r = tw_duration_parse(rows[i].text, strlen(rows[i].text), &usec);

		if (r != rows[i].result)
			fail_msg("'%s': %d, not %d", rows[i].text, r, rows[i].result);
		if (usec != (r == 0 ? rows[i].usec : 4711))
			fail_msg("'%s': %llu us", rows[i].text, (unsigned long long)usec);
	}
}

static void test_parse_heeds_the_length(TW_UNUSED void **state)
{
	usec_t usec = 0;

	assert_int_equal(tw_duration_parse("1min 30s", 4, &usec), 0);
	assert_int_equal(usec, MIN);
	assert_int_equal(tw_duration_parse("15s", 1, &usec), 0);
	assert_int_equal(usec, S);
	assert_int_equal(tw_duration_parse("1\0s", 3, &usec), -EINVAL);
	assert_int_equal(usec, S);
}

static void test_format(TW_UNUSED void **state)
{
	static const struct {
		usec_t usec;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 1, "1us" },
		{ 1001, "1ms 1us" },
		{ S / 2, "500ms" },
		{ S, "1s" },
		{ 90 * S, "1min 30s" },
		{ MIN, "1min" },
		{ H, "1h" },
		{ D + H, "1d 1h" },
		{ 7 * D, "1w" },
		{ 8 * D + 3 * S, "1w 1d 3s" },
		{ UINT64_MAX - 1, "30500568w 6d 8h 1min 49s 551ms 614us" },
		{ TW_USEC_INFINITY, "infinity" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		char text[TW_DURATION_TEXT_MAX];

		assert_ptr_equal(tw_duration_format(text, rows[i].usec), text);
		assert_string_equal(text, rows[i].text);
	}
}

/* Spans of every size, none of them round: each reads back as it was. */
static void test_round_trip(TW_UNUSED void **state)
{
	for (usec_t span = 1; span < UINT64_MAX / 3; span = span * 2 + span % 7) {
		char text[TW_DURATION_TEXT_MAX];
		usec_t back = 0;

		(void)tw_duration_format(text, span);
		assert_int_equal(tw_duration_parse(text, strlen(text), &back), 0);
		assert_int_equal(back, span);
	}
}

static void test_arithmetic(TW_UNUSED void **state)
{
	assert_int_equal(tw_usec_since(5, 3), 2);
	assert_int_equal(tw_usec_since(3, 3), 0);
	assert_int_equal(tw_usec_since(3, 5), 0);
	assert_int_equal(tw_usec_add(3, 5), 8);
	assert_int_equal(tw_usec_add(UINT64_MAX - 5, 5), UINT64_MAX);
	assert_int_equal(tw_usec_add(UINT64_MAX - 5, 6), UINT64_MAX);
	assert_int_equal(tw_usec_add(UINT64_MAX, UINT64_MAX), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	   cmocka_unit_test(test_parse_heeds_the_length),
		cmocka_unit_test(test_format),	   cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
