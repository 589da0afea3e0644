/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/report/html.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NONE "\xef\xbf\xbd"

static void test_words_stay_words(void **state TW_UNUSED)
{
	static const struct {
		const char *words, *html;
	} rows[] = {
		{ "", "" },
		{ "web.service", "web.service" },
		{ "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;" },
		{ "\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;" },
		{ "]]>", "]]&gt;" },
		{ "a\tb\nc", "a\tb\nc" },
		{ "\x1b[31m\x07\x7f", NONE "[31m" NONE NONE },
		{ "é€😀", "é€😀" },
		{ "\xff\xfe", NONE NONE },
		{ "\xc0\xbc", NONE NONE },	    /* an overlong '<' */
		{ "\xe0\x80\xbc", NONE NONE NONE }, /* another */
		{ "\xed\xa0\x80", NONE NONE NONE }, /* a surrogate */
		{ "\xf4\x90\x80\x80", NONE NONE NONE NONE },
		{ "\xe2\x82", NONE NONE }, /* cut off */
		{ "\xc2\x9b"
		  "31m",
		  NONE "31m" }, /* CSI as one character */
		{ "\xe2\x80\xae"
		  "cod.exe",
		  NONE "cod.exe" },	  /* turns the direction */
		{ "\xef\xbf\xbe", NONE }, /* no character of XML */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		char bytes[256];
		struct tw_text text;

		tw_text_init(&text, bytes, sizeof(bytes));
		tw_html_add(&text, rows[i].words);
		assert_string_equal(bytes, rows[i].html);
	}
}

/* Bytes beyond the length are not looked at, though a character may seem to go on there. */
static void test_length(void **state TW_UNUSED)
{
	char bytes[64];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_html_add_bytes(&text, "a\xe2\x82\xac", 3);
	assert_string_equal(bytes, "a" NONE NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_stay_words),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
