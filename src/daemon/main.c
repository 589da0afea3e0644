/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "daemon/once.h"
#include "daemon/options.h"
#include "watch/recover.h"
#include "daemon/reload.h"
#include "daemon/run.h"
#include "measure/diag/diag.h"
#include "model/event.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * What is at least so large has pages of its own, which go back when it is freed. By default glibc raises this whenever
 * such a piece is freed, and the tables that were outgrown stay behind as holes in the heap: 0.9 MiB of them were seen.
 */
#define TW_OWN_PAGES_MIN (64 * 1024)

static void print_problems(const struct tw_problems *problems)
{
	for (unsigned i = 0; i < TW_MIN(problems->count, TW_PROBLEMS_MAX); i++)
		fprintf(stderr, "%s\n", problems->texts[i]);
	if (problems->count > TW_PROBLEMS_MAX)
		fprintf(stderr, "and %u more\n", problems->count - TW_PROBLEMS_MAX);
}

static void print_skipped(const struct tw_settings *settings)
{
	for (unsigned i = 0; i < settings->skipped_count; i++) {
		const struct tw_skipped *skipped = &settings->skipped[i];
		struct tw_event event;

		tw_event_of_skipped(skipped, &event);
		fprintf(stderr, "%s: warning: %s is not set for %s: %s. Instead: %s.\n", skipped->place,
			tw_tunable_info(skipped->tunable)->key, skipped->rule, event.reason, event.advice);
	}
}

/* Returns -1 to go on, or an exit status. */
static int load(const struct tw_options *options, struct tw_settings **ret)
{
	TW_CLEANUP_FREE struct tw_problems *problems = calloc(1, sizeof(*problems));
	int r = problems ? tw_reload_settings(options, problems, ret) : -ENOMEM;

	if (r >= 0)
		return -1;
	if (r == -EINVAL) {
		print_problems(problems);
		return TW_EXIT_CONFIG;
	}
	fprintf(stderr, "timewaitd: cannot load the configuration: %s\n", strerror(-r));
	return TW_EXIT_FAILURE;
}

static int once(const struct tw_options *options, const struct tw_settings *settings)
{
	int r = tw_once(settings, options->json);

	if (r < 0) {
		fprintf(stderr, "timewaitd: cannot take a sample: %s\n", tw_diag_error_text(r));
		return TW_EXIT_FAILURE;
	}
	return TW_EXIT_OK;
}

/* What an earlier run owes is put back, here and in every other namespace. */
static int restore(const struct tw_options *options)
{
	TW_CLEANUP_RECORD_SINK struct tw_record_sink *sink = NULL;
	TW_CLEANUP_HOST_EDGES struct tw_host_edges host = TW_HOST_EDGES_NONE;
	struct tw_ledger ledger;
	int others, r = tw_record_sink_new(options->log, STDOUT_FILENO, TW_JOURNAL_SOCKET, &sink);

	if (r < 0) {
		fprintf(stderr, "timewaitd: cannot open the log: %s\n", strerror(-r));
		return TW_EXIT_FAILURE;
	}
	r = tw_run_open(&host, options);
	if (r < 0)
		return TW_EXIT_FAILURE;
	r = tw_recover(&host, &sink->recorder, &ledger);
	others = tw_recover_namespaces(&host, &sink->recorder);
	if (r >= 0)
		r = others;
	if (r < 0) {
		fprintf(stderr, "timewaitd: not everything is put back: %s\n", tw_recover_error(r));
		return TW_EXIT_FAILURE;
	}
	return TW_EXIT_OK;
}

int main(int argc, char *argv[])
{
	TW_CLEANUP_SETTINGS struct tw_settings *settings = NULL;
	struct tw_options options;
	int r;

	(void)mallopt(M_MMAP_THRESHOLD, TW_OWN_PAGES_MIN);
	r = tw_options_parse(&options, argc, argv);
	if (r >= 0)
		return r;
	/* What is owed is owed whatever the configuration says by now. */
	if (options.job == TW_JOB_RESTORE)
		return restore(&options);
	r = load(&options, &settings);
	if (r >= 0)
		return r;
	switch (options.job) {
	case TW_JOB_CHECK:
		print_skipped(settings);
		puts("OK");
		return TW_EXIT_OK;
	case TW_JOB_ONCE:
		return once(&options, settings);
	case TW_JOB_RUN:
	case TW_JOB_RESTORE:
		break;
	}
	return tw_run(&options, TW_TAKE_PTR(settings));
}
