/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/metric.h"

#include "base/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_percent(TW_UNUSED void **state)
{
	static const struct {
		uint64_t part, whole;
		int64_t milli;
	} rows[] = {
		{ 0, 1, 0 },
		{ 1, 1, 100000 },
		{ 1, 3, 33333 }, /* rounded down */
		{ 2, 3, 66666 },
		{ 28231, 28232, 99996 },
		{ 28232, 28232, 100000 },
		{ 3, 2, 150000 },
		{ 1, UINT64_MAX, 0 },
		{ UINT64_MAX, UINT64_MAX, 100000 },
		{ UINT64_MAX - 1, UINT64_MAX, 99999 },
		{ UINT64_MAX / 100000, 1, INT64_MAX }, /* held */
		{ INT64_MAX / 100000, 1, INT64_MAX / 100000 * 100000 },
		{ UINT64_MAX, 1, INT64_MAX },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_value value = tw_value_percent(rows[i].part, rows[i].whole);

		assert_true(value.known);
		assert_int_equal(value.milli, rows[i].milli);
	}
	assert_false(tw_value_percent(0, 0).known);
	assert_false(tw_value_percent(1, 0).known);
}

static void test_text(TW_UNUSED void **state)
{
	static const struct {
		int64_t milli;
		enum tw_unit unit;
		const char *text;
	} rows[] = {
		{ 812000, TW_UNIT_SOCKETS, "812" },
		{ 0, TW_UNIT_SOCKETS, "0" },
		{ 45200, TW_UNIT_PERCENT, "45.2%" },
		{ 45000, TW_UNIT_PERCENT, "45%" },
		{ 45250, TW_UNIT_PERCENT, "45.3%" },
		{ 120000, TW_UNIT_PER_SECOND, "120/s" },
		{ 500, TW_UNIT_PER_SECOND, "0.5/s" },
		{ 40, TW_UNIT_PER_SECOND, "0/s" },
		{ 0, TW_UNIT_SECONDS, "0s" },
		{ 71, TW_UNIT_SECONDS, "0.1s" },
		{ 12340, TW_UNIT_SECONDS, "12.3s" },
		{ 59949, TW_UNIT_SECONDS, "59.9s" },
		{ 59950, TW_UNIT_SECONDS, "1min" },
		{ 60000, TW_UNIT_SECONDS, "1min" },
		{ 71234, TW_UNIT_SECONDS, "1min 11s" },
		{ 71500, TW_UNIT_SECONDS, "1min 12s" },
		{ 90000, TW_UNIT_SECONDS, "1min 30s" },
		{ 3600000, TW_UNIT_SECONDS, "1h" },
		{ -12340, TW_UNIT_SECONDS, "-12.3s" },
		{ -90000, TW_UNIT_SECONDS, "-1min 30s" },
		{ INT64_MAX, TW_UNIT_SECONDS, "infinity" },
		{ INT64_MIN, TW_UNIT_SECONDS, "-infinity" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		char bytes[64];
		struct tw_text text;

		tw_text_init(&text, bytes, sizeof(bytes));
		tw_value_add(&text, tw_value_of(rows[i].milli), rows[i].unit);
		assert_string_equal(bytes, rows[i].text);
	}
}

static void test_unknown_text(TW_UNUSED void **state)
{
	for (int unit = TW_UNIT_SOCKETS; unit <= TW_UNIT_SECONDS; unit++) {
		char bytes[64];
		struct tw_text text;

		tw_text_init(&text, bytes, sizeof(bytes));
		tw_value_add(&text, tw_value_unknown(), (enum tw_unit)unit);
		assert_string_equal(bytes, "unknown");
	}
}

static void test_parse(TW_UNUSED void **state)
{
	static const struct {
		const char *text;
		enum tw_unit unit;
		int result;
		int64_t milli;
	} rows[] = {
		{ "100", TW_UNIT_SOCKETS, 0, 100000 },
		{ "0", TW_UNIT_SOCKETS, 0, 0 },
		{ "9223372036854775", TW_UNIT_SOCKETS, 0, INT64_C(9223372036854775000) },
		{ "9223372036854776", TW_UNIT_SOCKETS, -ERANGE, 0 },
		{ "99999999999999999999", TW_UNIT_SOCKETS, -ERANGE, 0 },
		{ "1.5", TW_UNIT_SOCKETS, -EINVAL, 0 },
		{ "-1", TW_UNIT_SOCKETS, -EINVAL, 0 },
		{ "10%", TW_UNIT_SOCKETS, -EINVAL, 0 },
		{ "10s", TW_UNIT_SOCKETS, -EINVAL, 0 },
		{ "", TW_UNIT_SOCKETS, -EINVAL, 0 },
		{ "45%", TW_UNIT_PERCENT, 0, 45000 },
		{ "0.5%", TW_UNIT_PERCENT, 0, 500 },
		{ "150%", TW_UNIT_PERCENT, 0, 150000 },
		{ "45", TW_UNIT_PERCENT, -EINVAL, 0 },
		{ "45 %", TW_UNIT_PERCENT, -EINVAL, 0 },
		{ "45%%", TW_UNIT_PERCENT, -EINVAL, 0 },
		{ "%", TW_UNIT_PERCENT, -EINVAL, 0 },
		{ "-5%", TW_UNIT_PERCENT, -EINVAL, 0 },
		{ "-0%", TW_UNIT_PERCENT, -EINVAL, 0 },
		{ "99999999999999999999%", TW_UNIT_PERCENT, -ERANGE, 0 },
		{ "", TW_UNIT_PERCENT, -EINVAL, 0 },
		{ "1/s", TW_UNIT_PER_SECOND, 0, 1000 },
		{ "0/s", TW_UNIT_PER_SECOND, 0, 0 },
		{ "0.25/s", TW_UNIT_PER_SECOND, 0, 250 },
		{ "1", TW_UNIT_PER_SECOND, -EINVAL, 0 },
		{ "1s", TW_UNIT_PER_SECOND, -EINVAL, 0 },
		{ "1/", TW_UNIT_PER_SECOND, -EINVAL, 0 },
		{ "/s", TW_UNIT_PER_SECOND, -EINVAL, 0 },
		{ "s", TW_UNIT_PER_SECOND, -EINVAL, 0 },
		{ "1/min", TW_UNIT_PER_SECOND, -EINVAL, 0 },
		{ "1 /s", TW_UNIT_PER_SECOND, -EINVAL, 0 },
		{ "30s", TW_UNIT_SECONDS, 0, 30000 },
		{ "30", TW_UNIT_SECONDS, 0, 30000 },
		{ "1min 30s", TW_UNIT_SECONDS, 0, 90000 },
		{ "500ms", TW_UNIT_SECONDS, 0, 500 },
		{ "500us", TW_UNIT_SECONDS, -ERANGE, 0 },
		{ "30500569w", TW_UNIT_SECONDS, -ERANGE, 0 },
		{ "-30s", TW_UNIT_SECONDS, -EINVAL, 0 },
		{ "30%", TW_UNIT_SECONDS, -EINVAL, 0 },
		{ "", TW_UNIT_SECONDS, -EINVAL, 0 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		int64_t milli = 4711;
		int r = tw_value_parse(rows[i].text, strlen(rows[i].text), rows[i].unit, &milli);

		if (r != rows[i].result)
			fail_msg("'%s' in unit %d: %d, not %d", rows[i].text, (int)rows[i].unit, r, rows[i].result);
		assert_int_equal(milli, r == 0 ? rows[i].milli : 4711);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_unknown_text),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
