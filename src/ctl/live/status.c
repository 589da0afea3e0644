/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/fd.h"
#include "ctl/options.h"
#include "ctl/live/snapshot-source.h"
#include "ctl/live/status-namespaces.h"
#include "ctl/live/status-text.h"
#include "ctl/terminal-source.h"
#include "measure/diag/diag.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Rows of a table where there is no terminal to fill, and the least and most where there is one. */
#define ROWS_DEFAULT 5
#define ROWS_MIN 2
/* Of a terminal's lines what stands beside the rows of the three tables: titles, states, changes. */
#define LINES_BESIDE 16
#define TABLES 3

static unsigned choose_rows(const struct tw_terminal *terminal)
{
	if (terminal->height == 0)
		return ROWS_DEFAULT;
	if (terminal->height < LINES_BESIDE + TABLES * ROWS_MIN)
		return ROWS_MIN;
	return TW_MIN((terminal->height - LINES_BESIDE) / TABLES, (unsigned)TW_TOP_MAX);
}

/* In place of what was there: line by line, so that nothing is empty for a moment. At most a terminal full. */
static void redraw(const char *page, unsigned height)
{
	fputs("\033[H", stdout);
	for (unsigned line = 1; *page != '\0' && (height == 0 || line < height); line++) {
		int length = (int)strcspn(page, "\n");

		printf("%.*s\033[K\n", length, page);
		page += length + (page[length] == '\n');
	}
	fputs("\033[0m\033[J", stdout);
}

static const char *why_direct(const struct tw_answer *answer, char *bytes, size_t capacity)
{
	struct tw_text text;

	if (answer->from_daemon)
		return NULL;
	tw_text_init(&text, bytes, capacity);
	if (answer->why == -ENXIO)
		tw_text_add(&text, "No daemon");
	else
		tw_text_addf(&text, "The daemon does not answer (%s)", strerror(-answer->why));
	return bytes;
}

/* Returns 0, or -ENODATA where there is none of the name that was chosen. */
static int show(const struct tw_answer *answer, const char *namespace, bool watched)
{
	struct tw_terminal terminal = tw_terminal_look();
	size_t capacity = TW_STATUS_BYTES(answer->view->namespace_count);
	TW_CLEANUP_FREE char *page = malloc(capacity);
	char why[128];
	struct tw_status_order order = {
		.view = answer->view,
		.chosen = namespace ? tw_status_find(answer->view, namespace) : NULL,
		.why_direct = why_direct(answer, why, sizeof(why)),
		.rows = choose_rows(&terminal),
	};
	struct tw_text text;
	struct tw_screen screen = { .text = &text, .width = terminal.width, .colour = terminal.colour };

	if (!page)
		return -ENOMEM;
	if (namespace && !order.chosen)
		return -ENODATA;
	tw_text_init(&text, page, capacity);
	tw_status_add(&screen, &order);
	if (watched && terminal.moves)
		redraw(page, terminal.height);
	else
		printf("%s%s", page, watched ? "\n" : "");
	return fflush(stdout) == EOF ? tw_errno() : 0;
}

static int show_json(const struct tw_answer *answer)
{
	return puts(answer->json) == EOF || fflush(stdout) == EOF ? tw_errno() : 0;
}

/* Returns 0, or -errno where there was nothing to show, or it could not be written. */
static int ask_and_show(struct tw_asker *asker, const struct tw_ctl_options *options)
{
	TW_CLEANUP_ANSWER struct tw_answer answer = { 0 };
	int r = tw_asker_ask(asker, &answer);

	if (r < 0)
		return r;
	return options->json ? show_json(&answer) : show(&answer, options->namespace, options->watch_usec > 0);
}

static void wait_for(usec_t span_usec)
{
	struct timespec span = {
		.tv_sec = (time_t)(span_usec / TW_USEC_PER_SEC),
		.tv_nsec = (long)(span_usec % TW_USEC_PER_SEC) * 1000,
	};

	(void)nanosleep(&span, NULL);
}

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_ASKER struct tw_asker *asker = NULL;
	struct tw_ctl_options options;
	int r = tw_ctl_options_parse(
		&options, verb, TW_OPTION_BUS | TW_OPTION_JSON | TW_OPTION_WATCH | TW_OPTION_NAMESPACE, argc, argv);

	if (r >= 0)
		return r;
	r = tw_asker_new(options.bus, &asker);
	if (r >= 0 && options.watch_usec > 0 && !options.json && tw_terminal_look().moves)
		fputs("\033[2J", stdout);
	while (r >= 0) {
		r = ask_and_show(asker, &options);
		if (options.watch_usec == 0)
			break;
		if (r >= 0)
			wait_for(options.watch_usec);
	}
	if (r >= 0)
		return TW_EXIT_OK;
	if (r == -ENODATA)
		fprintf(stderr, "timewaitctl: status: no network namespace %s is watched\n", options.namespace);
	else
		fprintf(stderr, "timewaitctl: status: %s\n",
			r == -EBADMSG ? "the daemon's answer is not understood" : tw_diag_error_text(r));
	return TW_EXIT_FAILURE;
}

const struct tw_verb tw_verb_status = {
	.name = "status",
	.summary = "what is raised and changed, and what the sockets are like, on one screen",
	.help = "Usage: timewaitctl status [OPTION]...\n"
		"Show on one screen what is raised, what was changed and why, the states, the busiest\n"
		"destinations, units that do not close, the fullest listeners, and what watching costs.\n"
		"Without a daemon: measure directly, and say so.\n"
		"\n"
		"  --namespace NAME   this network namespace alone\n"
		"  --json             the daemon's snapshot as one JSON object\n"
		"  --watch[=SECONDS]  again and again, every 2 s or as said\n" TW_BUS_HELP,
	.run = run,
};
