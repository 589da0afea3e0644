/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/when.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define S TW_USEC_PER_SEC
/* 2026-11-22 19:45:44 UTC, a Sunday. */
#define NOW (UINT64_C(1795376744) * S + 123456)

static void in_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void test_parse(void **state TW_UNUSED)
{
	static const struct {
		const char *zone, *text;
		usec_t at_usec;
	} rows[] = {
		{ "UTC0", "now", NOW },
		{ "UTC0", "-1h", NOW - 3600 * S },
		{ "UTC0", "-1h 30min", NOW - 5400 * S },
		{ "UTC0", "2h ago", NOW - 7200 * S },
		{ "UTC0", "+5min", NOW + 300 * S },
		{ "UTC0", "@1700000000", 1700000000 * S },
		{ "UTC0", "today", 1795305600 * S },
		{ "UTC0", "yesterday", 1795219200 * S },
		{ "UTC0", "2026-11-22", 1795305600 * S },
		{ "UTC0", "2026-11-22 19:45", 1795376700 * S },
		{ "UTC0", "2026-11-22 19:45:44", 1795376744 * S },
		{ "UTC0", "2026-11-22T19:45:44.123456Z", 1795376744 * S },
		{ "UTC0", "19:45:30", 1795376730 * S },
		{ "UTC0", "2024-02-29", 1709164800 * S },
		/* Berlin, in winter and in summer. */
		{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-11-22 20:45:44", 1795376744 * S },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-01 02:00", 1782864000 * S },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-11-22 19:45:44 UTC", 1795376744 * S },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", "today", 1795302000 * S },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		usec_t at_usec = 0;

		in_zone(rows[i].zone);
		if (tw_when_parse(rows[i].text, NOW, &at_usec) < 0 || at_usec != rows[i].at_usec)
			fail_msg("%s in %s: %llu, not %llu", rows[i].text, rows[i].zone, (unsigned long long)at_usec,
				 (unsigned long long)rows[i].at_usec);
	}
}

static void test_nonsense(void **state TW_UNUSED)
{
	static const char *const rows[] = {
		"",
		" ",
		"tomorrowish",
		"-",
		"+",
		"@",
		"@-5",
		"@1e9",
		"1h",
		"ago",
		" ago",
		"-1 fortnight",
		"2026-13-01",
		"2026-00-01",
		"2026-02-30",
		"2026-11-22 25:00",
		"2026-11-22 19:60",
		"2026-11-22T",
		"2026-11-22 19",
		"2026-11-22x19:45",
		"19:45 CET",
		"1969-12-31",
		"2026-11-22 19:45 UTC ",
		"99999999999999999999-01-01",
		"@99999999999999999999",
	};

	in_zone("UTC0");
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		usec_t at_usec = 7;

		if (tw_when_parse(rows[i], NOW, &at_usec) >= 0)
			fail_msg("'%s' is taken as %llu", rows[i], (unsigned long long)at_usec);
		assert_int_equal(at_usec, 7);
	}
}

static void test_longer_than_time(void **state TW_UNUSED)
{
	usec_t at_usec = 7;

	assert_int_equal(tw_when_parse("-10000000h", NOW, &at_usec), 0);
	assert_int_equal(at_usec, 0);
}

static void test_print(void **state TW_UNUSED)
{
	char bytes[64];
	struct tw_text text;

	in_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_when_add(&text, NOW);
	assert_string_equal(bytes, "2026-11-22 20:45:44");
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_when_add_utc(&text, NOW);
	assert_string_equal(bytes, "2026-11-22T19:45:44.123456Z");
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_when_add_after(&text, NOW, NOW - 3600 * S);
	assert_string_equal(bytes, "20:45:44");
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_when_add_after(&text, NOW, NOW - 86400 * S);
	assert_string_equal(bytes, "2026-11-22 20:45:44");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_longer_than_time),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
