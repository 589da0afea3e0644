/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "model/namespace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_lists(void **state TW_UNUSED)
{
	static const struct {
		struct tw_namespace_list list;
		bool host, web, web_12, wide;
	} rows[] = {
		{ { "" }, false, false, false, false },
		{ { "host" }, true, false, false, false },
		{ { " host\thost " }, true, false, false, false },
		{ { "all" }, true, true, true, true },
		{ { "web" }, false, true, false, true },
		{ { "db  web" }, false, true, false, true },
		{ { "web-*" }, false, false, true, true },
		{ { "web-1?" }, false, false, true, true },
		{ { "host web*" }, true, true, true, true },
		/* Patterns are for those that come and go: the host is named, or one of all. */
		{ { "*" }, false, true, true, true },
		{ { "h*" }, false, false, false, true },
		{ { "we" }, false, false, false, true },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		assert_int_equal(tw_namespace_list_has(&rows[i].list, "host"), rows[i].host);
		assert_int_equal(tw_namespace_list_has(&rows[i].list, "web"), rows[i].web);
		assert_int_equal(tw_namespace_list_has(&rows[i].list, "web-12"), rows[i].web_12);
		assert_int_equal(tw_namespace_list_is_wide(&rows[i].list), rows[i].wide);
	}
}

static void test_words(void **state TW_UNUSED)
{
	const struct tw_namespace_list list = { "host all-of-it web*" };

	assert_true(tw_namespace_list_says(&list, "host"));
	assert_true(tw_namespace_list_says(&list, "web*"));
	assert_false(tw_namespace_list_says(&list, "web1"));
	assert_false(tw_namespace_list_says(&list, "all"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
