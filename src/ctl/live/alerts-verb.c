/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/fd.h"
#include "ctl/live/bus-options.h"
#include "ctl/live/raised-text.h"
#include "ctl/terminal-source.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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
	(void)tw_remote_complain(verb, error, bus ? tw_remote_words(bus) : NULL);
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
	const struct tw_remote_options *options = context;
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
static int follow(const struct tw_verb *verb, struct tw_remote *bus, struct tw_remote_options *options)
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

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_REMOTE struct tw_remote *bus = NULL;
	struct tw_remote_options options;
	unsigned count = 0;
	int r = tw_remote_options_parse(&options, verb, TW_REMOTE_OPTION_JSON | TW_REMOTE_OPTION_FOLLOW, argc, argv);

	if (r >= 0)
		return r;
	r = tw_remote_new(options.address, &bus);
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
		"  --follow           then print what the daemon tells, as it comes\n" TW_REMOTE_HELP "\n"
		"Exit status: 0 nothing is raised, 1 something is, 2 wrong usage, 3 no daemon.\n",
	.run = run,
};
