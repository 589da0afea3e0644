/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "model/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_lists(void **state TW_UNUSED)
{
	static const struct {
		struct tw_namespace_list list;
		bool host, web, web_12, wide, open;
	} rows[] = {
		{ { "" }, false, false, false, false, false },
		{ { "host" }, true, false, false, false, false },
		{ { " host\thost " }, true, false, false, false, false },
		{ { "all" }, true, true, true, true, true },
		{ { "web" }, false, true, false, true, false },
		{ { "db  web" }, false, true, false, true, false },
		{ { "web-*" }, false, false, true, true, true },
		{ { "web-1?" }, false, false, true, true, true },
		{ { "host web*" }, true, true, true, true, true },
		/* Patterns are for those that come and go: the host is named, or one of all. */
		{ { "*" }, false, true, true, true, true },
		{ { "h*" }, false, false, false, true, true },
		{ { "host all-of-it" }, true, false, false, true, false },
		{ { "we" }, false, false, false, true, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		assert_int_equal(tw_namespace_list_has(&rows[i].list, "host"), rows[i].host);
		assert_int_equal(tw_namespace_list_has(&rows[i].list, "web"), rows[i].web);
		assert_int_equal(tw_namespace_list_has(&rows[i].list, "web-12"), rows[i].web_12);
		assert_int_equal(tw_namespace_list_is_wide(&rows[i].list), rows[i].wide);
		assert_int_equal(tw_namespace_list_is_open(&rows[i].list), rows[i].open);
	}
}

/* What is put behind a name fits, whatever the name. */
static void test_apart(void **state TW_UNUSED)
{
	struct tw_namespace namespace = { .id = 4026532201, .name = "web" };

	tw_namespace_tell_apart(&namespace);
	assert_string_equal(namespace.name, "web@4026532201");
	namespace.id = UINT64_MAX;
	memset(namespace.name, 'n', sizeof(namespace.name) - 1);
	tw_namespace_tell_apart(&namespace);
	assert_int_equal(strlen(namespace.name), sizeof(namespace.name) - 1);
	assert_string_equal(namespace.name + sizeof(namespace.name) - 1 - 22, "n@18446744073709551615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
