/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BAD TW_UTF8_REPLACEMENT

static void test_lengths(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		size_t available, length;
	} rows[] = {
		{ "a", 1, 1 },
		{ "\x7f", 1, 1 },
		{ "\x80", 1, 0 },
		{ "\xc3\xa9", 2, 2 },
		{ "\xc3\xa9", 1, 0 },
		{ "\xc1\x81", 2, 0 },	  /* overlong */
		{ "\xe0\x9f\xbf", 3, 0 }, /* overlong */
		{ "\xe2\x82\xac", 3, 3 },
		{ "\xe2\x82", 2, 0 },
		{ "\xed\xa0\x80", 3, 0 }, /* a surrogate */
		{ "\xf0\x9f\x8c\x8d", 4, 4 },
		{ "\xf0\x8f\xbf\xbf", 4, 0 }, /* overlong */
		{ "\xf4\x90\x80\x80", 4, 0 }, /* beyond the last one */
		{ "\xf5\x80\x80\x80", 4, 0 },
		{ "\xe2\x41\x41", 3, 0 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++)
		if (tw_utf8_length(rows[i].text, rows[i].available) != rows[i].length)
			fail_msg("row %zu: not %zu", i, rows[i].length);
}

static void test_texts(void **state TW_UNUSED)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "", "" },
		{ "rule", "rule" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "gr\xfc\xdf", "gr" BAD BAD },
		{ "\xe2\x82", BAD BAD },
		{ "a\xe2\x82z", "a" BAD BAD "z" },
	};
	char bytes[64];
	struct tw_text text;

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		tw_text_init(&text, bytes, sizeof(bytes));
		tw_utf8_add(&text, rows[i].from);
		assert_string_equal(bytes, rows[i].to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
