/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char out[8192];

static void tell(struct tw_lint_report *report, enum tw_severity severity)
{
	static const struct tw_sysctl_setting setting = { .file = "/etc/a.conf", .line = 3 };
	const struct tw_lint_check check = {
		.id = "some-id",
		.severity = severity,
		.consequence = "It does a great deal of harm to everybody who is near, and to those who are far away.",
	};

	tw_lint_add_advice(tw_lint_tell(report, &check, &setting, "net/x", NULL, "net.x = %s", "\033[1m"), "delete it");
}

static void test_text(TW_UNUSED void **state)
{
	TW_CLEANUP_LINT_REPORT struct tw_lint_report report;
	struct tw_text text;

	assert_int_equal(tw_lint_report_init(&report), 0);
	tell(&report, TW_SEVERITY_WARNING);
	tw_text_init(&text, out, sizeof(out));
	tw_lint_finding_add_text(&report.findings[0], 80, &text);
	assert_string_equal(out, "/etc/a.conf:3: warning: net.x = ?[1m [some-id]\n"
				 "    It does a great deal of harm to everybody who is near, and to those who are\n"
				 "    far away.\n"
				 "    mend: delete it\n");
	tw_text_init(&text, out, sizeof(out));
	tw_lint_finding_add_text(&report.findings[0], 120, &text);
	assert_non_null(strstr(out, " to those who are far away.\n"));
}

static void test_json(TW_UNUSED void **state)
{
	TW_CLEANUP_LINT_REPORT struct tw_lint_report report;
	struct tw_text text;

	assert_int_equal(tw_lint_report_init(&report), 0);
	tw_text_init(&text, out, sizeof(out));
	tw_lint_report_add_json(&report, &text);
	assert_string_equal(out, "[]\n");
	tell(&report, TW_SEVERITY_INFO);
	tw_text_init(&text, out, sizeof(out));
	tw_lint_report_add_json(&report, &text);
	assert_string_equal(out, "[{\"id\":\"some-id\",\"severity\":\"info\",\"key\":\"net.x\",\"value\":null,"
				 "\"where\":\"/etc/a.conf:3\",\"finding\":\"net.x = \\u001b[1m\",\"consequence\":"
				 "\"It does a great deal of harm to everybody who is near, and to those who are far "
				 "away.\",\"advice\":\"delete it\"}]\n");
}

static void test_too_many(TW_UNUSED void **state)
{
	TW_CLEANUP_LINT_REPORT struct tw_lint_report report;

	assert_int_equal(tw_lint_report_init(&report), 0);
	for (unsigned i = 0; i < TW_LINT_FINDINGS_MAX + 5; i++)
		tell(&report, TW_SEVERITY_INFO);
	assert_int_equal(report.count, TW_LINT_FINDINGS_MAX);
	assert_int_equal(report.beyond, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
