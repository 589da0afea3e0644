/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/fd.h"
#include "base/parse.h"
#include "ctl/lint/lint-check.h"
#include "ctl/lint/lint-source.h"
#include "ctl/options.h"
#include "ctl/terminal-source.h"

#include <stdio.h>
#include <string.h>

/* Where timewaitd keeps its ledger, unless told otherwise. */
#define STATE_DIRECTORY "/run/timewaitd"

static int check_ignored(const char *id)
{
	const char *ids[TW_OPTION_LIST_MAX], *near;
	size_t count;
	const struct tw_lint_check *checks = tw_lint_checks(&count);

	if (tw_lint_check_find(id))
		return -1;
	for (size_t i = 0; i < count; i++)
		ids[i] = checks[i].id;
	near = tw_near(id, ids, count);
	return near ? tw_ctl_usage(&tw_verb_lint, "there is no check '%s'; did you mean '%s'?", id, near)
		    : tw_ctl_usage(&tw_verb_lint, "there is no check '%s'", id);
}

static void complain(const char *path, int error)
{
	fprintf(stderr, "timewaitctl: cannot read %s: %s\n", path, strerror(-error));
}

static int print_text(const struct tw_lint_report *report)
{
	/* Once for each byte, and once more for indentation and line ends. */
	size_t capacity = 2 * sizeof(struct tw_lint_finding);
	unsigned width = tw_terminal_look().width;
	TW_CLEANUP_FREE char *bytes = malloc(capacity);
	struct tw_text text;

	if (!bytes)
		return -ENOMEM;
	for (unsigned i = 0; i < report->count; i++) {
		tw_text_init(&text, bytes, capacity);
		tw_lint_finding_add_text(&report->findings[i], width, &text);
		fputs(bytes, stdout);
	}
	if (report->beyond > 0)
		printf("and %u more\n", report->beyond);
	else if (report->count == 0)
		puts("Nothing found.");
	return fflush(stdout) == EOF ? tw_errno() : 0;
}

static int print_json(const struct tw_lint_report *report)
{
	/* An escape in JSON takes up to six bytes for one. */
	size_t capacity = 6 * (report->count + 1) * sizeof(struct tw_lint_finding);
	TW_CLEANUP_FREE char *bytes = malloc(capacity);
	struct tw_text text;

	if (!bytes)
		return -ENOMEM;
	tw_text_init(&text, bytes, capacity);
	tw_lint_report_add_json(report, &text);
	return fputs(bytes, stdout) == EOF || fflush(stdout) == EOF ? tw_errno() : 0;
}

/* Returns 0 or -errno; *ret_status is the exit status. */
static int lint(const struct tw_ctl_options *options, int *ret_status)
{
	TW_CLEANUP_SYSCTL_PLAN struct tw_sysctl_plan *plan = tw_sysctl_plan_new();
	TW_CLEANUP_FREE struct tw_lint_facts *facts = calloc(1, sizeof(*facts));
	TW_CLEANUP_LINT_REPORT struct tw_lint_report report = { 0 };
	bool refused;
	int r = plan && facts ? tw_lint_report_init(&report) : -ENOMEM;

	if (r < 0)
		return r;
	r = tw_lint_read_files(options->root ? options->root : "/", plan, complain, &refused);
	if (r >= 0 && !options->root)
		r = tw_lint_read_kernel(plan, options->state_directory ? options->state_directory : STATE_DIRECTORY,
					facts);
	if (r < 0)
		return r;
	facts->plan = plan;
	if (plan->beyond > 0)
		fprintf(stderr, "timewaitctl: %zu lines are too many, and were left out\n", plan->beyond);
	tw_lint_run(facts, options->list, options->list_count, &report);
	*ret_status = report.count > 0 || refused || plan->beyond > 0 ? TW_EXIT_FAILURE : TW_EXIT_OK;
	return options->json ? print_json(&report) : print_text(&report);
}

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	struct tw_ctl_options options;
	int status, r = tw_ctl_options_parse(&options, verb, TW_OPTION_LINT | TW_OPTION_JSON, argc, argv);

	for (unsigned i = 0; r < 0 && i < options.list_count; i++)
		r = check_ignored(options.list[i]);
	if (r >= 0)
		return r;
	r = lint(&options, &status);
	if (r < 0) {
		fprintf(stderr, "timewaitctl: cannot look at %s: %s\n", options.root ? options.root : "this machine",
			strerror(-r));
		return TW_EXIT_FAILURE;
	}
	return status;
}

const struct tw_verb tw_verb_lint = {
	.name = "lint",
	.summary = "settings that do harm, or not what they are said to do",
	.help = "Usage: timewaitctl lint [OPTION]...\n"
		"Check the sysctls that have to do with TIME-WAIT, ports and queues, as they are now and as\n"
		"the files below /etc/sysctl.d and its like set them at boot: what does harm, what does not\n"
		"do what it is said to do, what has no effect, and how to mend it.\n"
		"\n"
		"  --root DIR       check the files below DIR, of an image for one, and not the kernel\n"
		"  --ignore ID      leave out this check; can be given more than once\n"
		"  --state-dir DIR  where timewaitd keeps its ledger (default: /run/timewaitd)\n"
		"  --json           one JSON array: id, severity, key, value, where, finding, consequence, advice\n"
		"  --help\n"
		"\n"
		"Exit status: 0 nothing found, 1 something found, or failure, 2 wrong usage.\n",
	.run = run,
};
