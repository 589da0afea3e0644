/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs that only ask the daemon or tell it something: all need the bus, and say in one way why it failed. */
#include "base/exit.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/text.h"
#include "ctl/live/raised-text.h"
#include "ctl/options.h"
#include "ctl/terminal-source.h"
#include "remote/bus-source.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

/* Why the daemon could not be told or asked, and what to do. `bus` NULL: it was not reached. Returns the exit status.
 */
static int complain_of(const struct tw_verb *verb, int error, const struct tw_remote *bus)
{
	const char *words = bus ? tw_remote_words(bus) : NULL;

	if (error == -ENXIO)
		fprintf(stderr, "timewaitctl: %s: no timewaitd is on D-Bus; start it: systemctl start timewaitd\n",
			verb->name);
	else if (error == -EACCES)
		fprintf(stderr, "timewaitctl: %s: not permitted, for root alone may; try the same with sudo\n",
			verb->name);
	else
		fprintf(stderr, "timewaitctl: %s: %s\n", verb->name,
			words && words[0] != '\0' ? words : strerror(-error));
	return TW_EXIT_FAILURE;
}

/* ---- alerts */

/* Of this verb alone: they tell a script what it asks for. */
enum {
	ALERTS_NONE = 0,
	ALERTS_RAISED = 1,
	ALERTS_NO_DAEMON = 3,
};

/* Longest "2026-11-22 19:45:01", with room for a year of many digits. */
#define WHEN_MAX 64

/* Any failure to ask ends like this: what is raised is not known. */
static int complain(const struct tw_verb *verb, int error, const struct tw_remote *bus)
{
	(void)complain_of(verb, error, bus);
	return ALERTS_NO_DAEMON;
}

static int print(const struct tw_view *view, bool json)
{
	struct tw_terminal terminal = tw_terminal_look();
	size_t capacity = TW_RAISED_BYTES(view->namespace_count);
	TW_CLEANUP_FREE char *page = malloc(capacity);
	struct tw_text text;
	struct tw_screen screen = { .text = &text, .width = terminal.width, .colour = terminal.colour };

	if (!page)
		return -ENOMEM;
	tw_text_init(&text, page, capacity);
	if (json)
		tw_raised_add_json(&text, view);
	else
		tw_raised_add(&screen, view);
	return fputs(page, stdout) == EOF || fflush(stdout) == EOF ? tw_errno() : 0;
}

static int show(struct tw_remote *bus, bool json, unsigned *ret_count)
{
	TW_CLEANUP_FREE char *snapshot = NULL;
	TW_CLEANUP_VIEW struct tw_view *view = NULL;
	int r = tw_remote_snapshot(bus, &snapshot);

	if (r >= 0)
		r = tw_snapshot_read(snapshot, strlen(snapshot), &view);
	if (r >= 0)
		r = print(view, json);
	if (r >= 0)
		*ret_count = tw_raised_count(view);
	return r;
}

static void print_event(void *context, const struct tw_remote_event *event)
{
	const struct tw_ctl_options *options = context;
	char bytes[TW_RAISED_EVENT_BYTES], when[WHEN_MAX] = "";
	time_t now = time(NULL);
	struct tm local;
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	if (options->json) {
		tw_raised_add_event_json(&text, now, event);
	} else {
		if (localtime_r(&now, &local))
			(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
		tw_raised_add_event(&text, when, event);
	}
	/* Where nobody reads any more, SIGPIPE ends it. */
	fputs(bytes, stdout);
	(void)fflush(stdout);
}

/* Listened for before it is looked at what there is, so that nothing falls in between. */
static int follow(const struct tw_verb *verb, struct tw_remote *bus, struct tw_ctl_options *options)
{
	unsigned count = 0;
	int r = tw_remote_listen(bus, print_event, options);

	if (r >= 0)
		r = show(bus, options->json, &count);
	/* The daemon may be started yet. */
	if (r == -ENXIO) {
		fputs("timewaitctl: alerts: no timewaitd is on D-Bus; waiting for it\n", stderr);
		r = 0;
	}
	while (r >= 0)
		r = tw_remote_wait(bus, TW_USEC_INFINITY);
	return complain(verb, r, bus);
}

static int alerts(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_REMOTE struct tw_remote *bus = NULL;
	struct tw_ctl_options options;
	unsigned count = 0;
	int r = tw_ctl_options_parse(&options, verb, TW_OPTION_BUS | TW_OPTION_JSON | TW_OPTION_FOLLOW, argc, argv);

	if (r >= 0)
		return r;
	r = tw_remote_new(options.bus, &bus);
	if (r >= 0 && options.follow)
		return follow(verb, bus, &options);
	if (r >= 0)
		r = show(bus, options.json, &count);
	if (r < 0)
		return complain(verb, r, bus);
	return count > 0 ? ALERTS_RAISED : ALERTS_NONE;
}

const struct tw_verb tw_verb_alerts = {
	.name = "alerts",
	.summary = "what is raised now, since when, and what was done",
	.help = "Usage: timewaitctl alerts [OPTION]...\n"
		"Print what is raised now, the most severe first: since when, what it sees, what was done.\n"
		"\n"
		"  --json             one JSON object; with --follow a line for each event after it\n"
		"  --follow           then print what the daemon tells, as it comes\n" TW_BUS_HELP "\n"
		"Exit status: 0 nothing is raised, 1 something is, 2 wrong usage, 3 no daemon.\n",
	.run = alerts,
};

/* ---- mode */

static int set_mode(struct tw_remote *bus, const char *mode)
{
	int r = tw_remote_set_mode(bus, mode);

	if (r >= 0)
		printf("The mode is %s now, until the daemon is started or reloaded.\n", mode);
	return r;
}

static int print_mode(struct tw_remote *bus)
{
	TW_CLEANUP_FREE char *mode = NULL;
	int r = tw_remote_mode(bus, &mode);

	if (r >= 0)
		puts(mode);
	return r;
}

static int mode(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_REMOTE struct tw_remote *bus = NULL;
	struct tw_ctl_options options;
	int r = tw_ctl_options_parse(&options, verb, TW_OPTION_BUS | TW_OPTION_OPERAND, argc, argv);

	if (r >= 0)
		return r;
	if (options.operand && strcmp(options.operand, "enforce") != 0 && strcmp(options.operand, "observe") != 0)
		return tw_ctl_usage(verb, "there is no mode '%s': enforce or observe is expected", options.operand);
	r = tw_remote_new(options.bus, &bus);
	if (r >= 0)
		r = options.operand ? set_mode(bus, options.operand) : print_mode(bus);
	return r < 0 ? complain_of(verb, r, bus) : TW_EXIT_OK;
}

const struct tw_verb tw_verb_mode = {
	.name = "mode",
	.summary = "print or set whether the daemon acts or only observes",
	.help = "Usage: timewaitctl mode [OPTION]... [enforce|observe]\n"
		"Print the daemon's mode, or set it: enforce changes sysctls, observe only says what it\n"
		"would change, and puts back first what was changed. Setting it is for root alone, and\n"
		"holds until the daemon is started or reloaded; timewaitd.conf(5) has the lasting one.\n"
		"\n" TW_BUS_HELP,
	.run = mode,
};

/* ---- reload */

/* A path, a line's number and what is wrong with it, as long as anybody reads. */
#define ERROR_MAX 4096

static int tell(char **errors)
{
	if (!errors || !errors[0]) {
		puts("Reloaded: the configuration is in force.");
		return TW_EXIT_OK;
	}
	for (char **error = errors; *error; error++) {
		char line[ERROR_MAX];
		struct tw_text text;

		tw_text_init(&text, line, sizeof(line));
		tw_text_add_scrubbed(&text, *error);
		fprintf(stderr, "%s\n", line);
	}
	fputs("timewaitctl: reload: the configuration is wrong; the one before stays in force\n", stderr);
	return TW_EXIT_FAILURE;
}

/* The service manager's ExecReload= names the process: where there is no bus, a signal says the same. */
static bool signal_instead(void)
{
	const char *text = getenv("MAINPID");
	uint64_t pid;

	if (!text || tw_parse_u64(text, strlen(text), &pid) < 0 || pid <= 1 || pid > INT32_MAX)
		return false;
	if (kill((pid_t)pid, SIGHUP) < 0)
		return false;
	puts("No daemon on D-Bus: told it by a signal. The journal says what it made of its configuration.");
	return true;
}

static int reload(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_REMOTE struct tw_remote *bus = NULL;
	TW_CLEANUP_REMOTE_ERRORS char **errors = NULL;
	struct tw_ctl_options options;
	int r = tw_ctl_options_parse(&options, verb, TW_OPTION_BUS, argc, argv);

	if (r >= 0)
		return r;
	r = tw_remote_new(options.bus, &bus);
	if (r >= 0)
		r = tw_remote_reload(bus, &errors);
	if (r == -ENXIO && signal_instead())
		return TW_EXIT_OK;
	return r < 0 ? complain_of(verb, r, bus) : tell(errors);
}

const struct tw_verb tw_verb_reload = {
	.name = "reload",
	.summary = "let the daemon read its configuration anew",
	.help = "Usage: timewaitctl reload [OPTION]...\n"
		"Let the daemon read its configuration anew. Where that is wrong, print each error, and the\n"
		"daemon carries on with the one before. For root alone. Under systemd, which names the process\n"
		"in MAINPID, a daemon that is not on the bus is told by SIGHUP instead.\n"
		"\n" TW_BUS_HELP "\n"
		"Exit status: 0 the new configuration is in force, 1 it is not.\n",
	.run = reload,
};

/* ---- restore */

static int restore(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_REMOTE struct tw_remote *bus = NULL;
	struct tw_ctl_options options;
	uint32_t count = 0;
	int r = tw_ctl_options_parse(&options, verb, TW_OPTION_BUS, argc, argv);

	if (r >= 0)
		return r;
	r = tw_remote_new(options.bus, &bus);
	if (r >= 0)
		r = tw_remote_restore(bus, &count);
	if (r < 0) {
		(void)complain_of(verb, r, bus);
		if (r == -ENXIO)
			fputs("What one that has ended left changed is put back by: timewaitd --restore\n", stderr);
		return TW_EXIT_FAILURE;
	}
	if (count == 0)
		puts("Nothing to put back: the daemon had changed no sysctl.");
	else
		printf("Put back %" PRIu32 " sysctl%s.\n", count, count == 1 ? "" : "s");
	return TW_EXIT_OK;
}

const struct tw_verb tw_verb_restore = {
	.name = "restore",
	.summary = "put back every sysctl that the daemon has changed",
	.help = "Usage: timewaitctl restore [OPTION]...\n"
		"Let the daemon put back every sysctl that it has changed, now. Rules stay raised, and what\n"
		"they would do rests for the cooldown. For root alone. Without a daemon:\n"
		"timewaitd --restore.\n"
		"\n" TW_BUS_HELP,
	.run = restore,
};
