/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/sysctl-plan.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Two files, and the line of them that decides about net/ipv4/x: "FILE:LINE=VALUE", or "" for none. */
static const struct {
	const char *a, *b;
	const char *decides;
} plans[] = {
	{ "", "", "" },
	{ "net.ipv4.x = 1\n", "", "a:1=1" },
	{ "net.ipv4.x = 1\nnet/ipv4/x = 2\n", "", "a:2=2" },
	{ "net.ipv4.x = 1\n", "net.ipv4.x = 2\n", "b:1=2" },
	/* The same again changes nothing, not even who it was. */
	{ "net.ipv4.x = 1\n", "\nnet.ipv4.x = 1\n", "a:1=1" },
	{ "net.ipv4.x = 1\nnet.ipv4.x = 2\n", "net.ipv4.x = 1\n", "b:1=1" },
	/* Patterns, and what is stronger than they are, wherever it stands. */
	{ "net.ipv4.* = 1\n", "", "a:1=1" },
	{ "net.ipv4.x = 2\n", "net.ipv4.* = 1\n", "a:1=2" },
	{ "net.ipv4.* = 1\nnet.ipv4.? = 2\n", "", "a:2=2" },
	{ "net.ipv4.* = 1\nnet.ipv4.? = 2\n", "net.ipv4.* = 1\n", "a:2=2" },
	{ "net.ipv4.* = 1\nnet.ipv4.? = 2\n", "net.ipv4.* = 3\n", "b:1=3" },
	/* A star does not go beyond a slash. */
	{ "net.* = 1\n*.*.x = 2\n", "", "a:2=2" },
	/* Left out of patterns. */
	{ "net.ipv4.* = 1\n", "-net.ipv4.x\n", "" },
	{ "net.ipv4.x = 1\n", "-net.ipv4.x\n", "" },
	{ "-net.ipv4.x\n", "net.ipv4.x = 1\n", "b:1=1" },
	{ "net.ipv4.* = 1\n-net.ipv4.*\n", "", "" },
	{ "net.ipv4.x 1\n", "", "" },
	{ "-net.ipv4.x = 5\n", "", "a:1=5" },
};

static struct tw_sysctl_plan *plan_of(const char *a, const char *b)
{
	struct tw_sysctl_plan *plan = tw_sysctl_plan_new();

	assert_non_null(plan);
	assert_int_equal(tw_sysctl_plan_add(plan, "a", false, a, strlen(a)), 0);
	assert_int_equal(tw_sysctl_plan_add(plan, "b", false, b, strlen(b)), 0);
	return plan;
}

static void test_who_decides(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(plans); i++) {
		TW_CLEANUP_SYSCTL_PLAN struct tw_sysctl_plan *plan = plan_of(plans[i].a, plans[i].b);
		const struct tw_sysctl_setting *found = tw_sysctl_plan_find(plan, "net/ipv4/x");
		char bytes[64] = "";
		struct tw_text text;

		tw_text_init(&text, bytes, sizeof(bytes));
		if (found)
			tw_text_addf(&text, "%s:%u=%s", found->file, found->line, found->value);
		assert_string_equal(bytes, plans[i].decides);
	}
}

static void test_what_is_overridden(TW_UNUSED void **state)
{
	TW_CLEANUP_SYSCTL_PLAN struct tw_sysctl_plan *plan = plan_of("x=1\nx=1\nx=2\n", "x=3\n");

	assert_int_equal(plan->setting_count, 4);
	assert_ptr_equal(plan->settings[0].taken_by, &plan->settings[2]);
	assert_null(plan->settings[1].taken_by);
	assert_false(plan->settings[1].stands);
	assert_ptr_equal(plan->settings[2].taken_by, &plan->settings[3]);
	assert_true(plan->settings[3].stands);
}

static void test_a_file_that_is_not_read(TW_UNUSED void **state)
{
	TW_CLEANUP_SYSCTL_PLAN struct tw_sysctl_plan *plan = plan_of("x=1\n", "");

	assert_int_equal(tw_sysctl_plan_add(plan, "c", true, "x=2\n", 4), 0);
	assert_string_equal(tw_sysctl_plan_find(plan, "x")->value, "1");
	assert_true(plan->settings[1].unread);
	assert_null(plan->settings[0].taken_by);
}

static void test_mistakes(TW_UNUSED void **state)
{
	TW_CLEANUP_SYSCTL_PLAN struct tw_sysctl_plan *plan = plan_of("\nfoo bar\n", "-\n");

	assert_int_equal(plan->mistake_count, 2);
	assert_string_equal(plan->mistakes[0].text, "foo bar");
	assert_int_equal(plan->mistakes[0].line, 2);
	assert_string_equal(plan->mistakes[1].file, "b");
}

static void test_too_many(TW_UNUSED void **state)
{
	static char lines[2 * (TW_SYSCTL_SETTINGS_MAX + 3) * 8];
	TW_CLEANUP_SYSCTL_PLAN struct tw_sysctl_plan *plan = tw_sysctl_plan_new();
	struct tw_text text;

	tw_text_init(&text, lines, sizeof(lines));
	for (unsigned i = 0; i < TW_SYSCTL_SETTINGS_MAX + 3; i++)
		tw_text_addf(&text, "k%u=1\n", i);
	assert_non_null(plan);
	assert_int_equal(tw_sysctl_plan_add(plan, "a", false, lines, text.length), 0);
	assert_int_equal(plan->setting_count, TW_SYSCTL_SETTINGS_MAX);
	assert_int_equal(plan->beyond, 3);
}

static void test_order_of_files(TW_UNUSED void **state)
{
	struct tw_sysctl_file files[] = {
		{ 3, "50-b.conf" }, { 0, "99-z.conf" }, { 3, "10-a.conf" }, { 0, "50-b.conf" },
		{ 4, "10-a.conf" }, { 1, "60-c.conf" }, { 1, "50-b.conf" },
	};

	assert_int_equal(tw_sysctl_files_order(files, TW_ARRAY_SIZE(files)), 4);
	assert_string_equal(files[0].name, "10-a.conf");
	assert_int_equal(files[0].directory, 3);
	assert_string_equal(files[1].name, "50-b.conf");
	assert_int_equal(files[1].directory, 0);
	assert_string_equal(files[2].name, "60-c.conf");
	assert_string_equal(files[3].name, "99-z.conf");
	assert_int_equal(tw_sysctl_files_order(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_decides),
		cmocka_unit_test(test_what_is_overridden),
		cmocka_unit_test(test_a_file_that_is_not_read),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_order_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
