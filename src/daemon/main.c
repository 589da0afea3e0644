/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "config.h"
#include "daemon/daemon.h"
#include "measure/diag/diag.h"
#include "model/event.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_STATE_DIR "/run/timewaitd"
/* DBUS_SYSTEM_BUS_DEFAULT_ADDRESS, where /var/run is /run. */
#define DEFAULT_BUS "unix:path=/run/dbus/system_bus_socket"
/*
 * What is at least so large has pages of its own, which go back when it is freed. By default glibc raises this whenever
 * such a piece is freed, and the tables that were outgrown stay behind as holes in the heap: 0.9 MiB of them were seen.
 */
#define OWN_PAGES_MIN (64 * 1024)

/* ---- the command line */

static void print_help(void)
{
	puts("Usage: timewaitd [OPTION]...\n"
	     "Watch TCP states, act on sysctls within configured bounds, and put them back.\n"
	     "\n"
	     "  --config FILE          read FILE alone, not /etc/timewaitd\n"
	     "  --check                check the configuration; print OK or every error\n"
	     "  --once                 print one full sample and exit\n"
	     "  --json                 with --once: as JSON\n"
	     "  --observe              decide and record everything, write nothing\n"
	     "  --restore              put back what an earlier run changed, and exit\n"
	     "  --log journal|text|json\n"
	     "                         where records go (default: text on a terminal, else journal)\n"
	     "  --state-dir DIR        where the ledger of changes is kept (default: $RUNTIME_DIRECTORY\n"
	     "                         or " DEFAULT_STATE_DIR ")\n"
	     "  --bus ADDRESS|none     the D-Bus to be asked over (default: $DBUS_SYSTEM_BUS_ADDRESS\n"
	     "                         or the system bus)\n"
	     "  --help, --version\n"
	     "\n"
	     "Exit status: 0 well, 1 failure, 2 wrong usage, 78 wrong configuration.\n"
	     "See timewaitd(8) and timewaitd.conf(5).");
}

static int usage(const char *message)
{
	if (message)
		fprintf(stderr, "timewaitd: %s\n", message);
	fputs("Try 'timewaitd --help'.\n", stderr);
	return TW_EXIT_USAGE;
}

static int parse_log(const char *text, enum tw_log *ret)
{
	if (strcmp(text, "journal") == 0)
		*ret = TW_LOG_JOURNAL;
	else if (strcmp(text, "text") == 0)
		*ret = TW_LOG_TEXT;
	else if (strcmp(text, "json") == 0)
		*ret = TW_LOG_JSON;
	else
		return usage("--log takes journal, text or json");
	return -1;
}

/* Returns -1 to go on, or the exit status where all is said. */
static int take(struct tw_options *options, int letter)
{
	switch (letter) {
	case 0:
		return -1;
	case 'c':
		options->config = optarg;
		return -1;
	case 'l':
		return parse_log(optarg, &options->log);
	case 's':
		options->state_dir = optarg;
		return -1;
	case 'b':
		options->bus = strcmp(optarg, "none") == 0 ? NULL : optarg;
		return -1;
	case 'h':
		print_help();
		return TW_EXIT_OK;
	case 'v':
		puts("timewaitd " PACKAGE_VERSION);
		return TW_EXIT_OK;
	default: /* getopt_long() has said what is wrong */
		return usage(NULL);
	}
}

static struct tw_options default_options(void)
{
	/* systemd gives the first of RuntimeDirectory= there; several stand with colons between them. */
	const char *directory = getenv("RUNTIME_DIRECTORY");
	/* As libdbus and sd-bus have it; secure_getenv() because so do they. */
	const char *bus = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	bool journal = !isatty(STDOUT_FILENO) && access("/run/systemd/journal/socket", F_OK) == 0;

	return (struct tw_options){
		.log = journal ? TW_LOG_JOURNAL : TW_LOG_TEXT,
		.bus = bus && bus[0] != '\0' ? bus : DEFAULT_BUS,
		.state_dir =
			directory && directory[0] == '/' && !strchr(directory, ':') ? directory : DEFAULT_STATE_DIR,
	};
}

static int parse_options(struct tw_options *options, int argc, char *argv[])
{
	/* There are no short ones: the letters are for take() alone. */
	const struct option long_options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, &options->job, TW_JOB_CHECK },
		{ "once", no_argument, &options->job, TW_JOB_ONCE },
		{ "json", no_argument, &options->json, true },
		{ "observe", no_argument, &options->observe, true },
		{ "restore", no_argument, &options->job, TW_JOB_RESTORE },
		{ "log", required_argument, NULL, 'l' },
		{ "state-dir", required_argument, NULL, 's' },
		{ "bus", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	int letter, r;

	*options = default_options();
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		r = take(options, letter);
		if (r >= 0)
			return r;
	}
	if (optind < argc)
		return usage("there are no arguments besides the options");
	if (options->json && options->job != TW_JOB_ONCE)
		return usage("--json goes with --once");
	return -1;
}

/* ---- the jobs */

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "timewaitd: %s: %s\n", what, why);
	return TW_EXIT_FAILURE;
}

/* Returns -1 to go on, or an exit status. */
static int load(const struct tw_options *options, struct tw_settings **ret)
{
	TW_CLEANUP_FREE struct tw_problems *problems = calloc(1, sizeof(*problems));
	int r = problems ? tw_load_settings(options, problems, ret) : -ENOMEM;

	if (r >= 0)
		return -1;
	if (r != -EINVAL)
		return fail("cannot load the configuration", strerror(-r));
	for (unsigned i = 0; i < TW_MIN(problems->count, TW_PROBLEMS_MAX); i++)
		fprintf(stderr, "%s\n", problems->texts[i]);
	if (problems->count > TW_PROBLEMS_MAX)
		fprintf(stderr, "and %u more\n", problems->count - TW_PROBLEMS_MAX);
	return TW_EXIT_CONFIG;
}

static int check(const struct tw_settings *settings)
{
	for (unsigned i = 0; i < settings->skipped_count; i++) {
		const struct tw_skipped *skipped = &settings->skipped[i];
		struct tw_event event;

		tw_event_of_skipped(skipped, &event);
		fprintf(stderr, "%s: warning: %s is not set for %s: %s. Instead: %s.\n", skipped->place,
			tw_tunable_info(skipped->tunable)->key, skipped->rule, event.reason, event.advice);
	}
	puts("OK");
	return TW_EXIT_OK;
}

/* What an earlier run owes is put back, here and in every other namespace. */
static int restore(const struct tw_options *options)
{
	TW_CLEANUP_RECORD_SINK struct tw_record_sink *sink = NULL;
	TW_CLEANUP_HOST_EDGES struct tw_host_edges host = TW_HOST_EDGES_NONE;
	struct tw_ledger ledger;
	int others, r = tw_record_sink_new(options->log, STDOUT_FILENO, TW_JOURNAL_SOCKET, &sink);

	if (r < 0)
		return fail("cannot open the log", strerror(-r));
	if (tw_open_host(&host, options) < 0)
		return TW_EXIT_FAILURE;
	r = tw_recover(&host, &sink->recorder, &ledger);
	others = tw_recover_namespaces(&host, &sink->recorder);
	if (r >= 0)
		r = others;
	return r < 0 ? fail("not everything is put back", tw_recover_error(r)) : TW_EXIT_OK;
}

int main(int argc, char *argv[])
{
	TW_CLEANUP_SETTINGS struct tw_settings *settings = NULL;
	struct tw_options options;
	int r;

	(void)mallopt(M_MMAP_THRESHOLD, OWN_PAGES_MIN);
	r = parse_options(&options, argc, argv);
	if (r >= 0)
		return r;
	/* What is owed is owed whatever the configuration says by now. */
	if (options.job == TW_JOB_RESTORE)
		return restore(&options);
	r = load(&options, &settings);
	if (r >= 0)
		return r;
	if (options.job == TW_JOB_CHECK)
		return check(settings);
	if (options.job == TW_JOB_RUN)
		return tw_run(&options, TW_TAKE_PTR(settings));
	r = tw_once(settings, options.json);
	return r < 0 ? fail("cannot take a sample", tw_diag_error_text(r)) : TW_EXIT_OK;
}
