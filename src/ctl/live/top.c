/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/fd.h"
#include "ctl/live/snapshot-source.h"
#include "ctl/live/status-text.h"
#include "ctl/live/top-sink.h"
#include "ctl/options.h"
#include "measure/diag/diag.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* How often it looks: TW_TRACE_LENGTH of these are the three minutes that the bars tell. */
#define LOOK_USEC (2 * TW_USEC_PER_SEC)
/* Where it measures by itself, it takes at most this part of a CPU: what cpu-budget is by default, 1%. */
#define BUDGET_DIVISOR 100

/* Longer than any terminal is wide. */
#define HEAD_MAX 512

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	ended = number;
}

struct live {
	struct tw_asker *asker;
	struct tw_top *top;
	char head[HEAD_MAX];
	bool alarm;
	usec_t next_usec; /* when to look again */
};

/* Every way out goes through the end of run(), where the terminal is given back. */
static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < TW_ARRAY_SIZE(numbers); i++)
		(void)sigaction(numbers[i], &action, NULL);
}

/* Whom the figures are from, and what is raised. */
static void write_head(struct live *live, const struct tw_answer *answer)
{
	const struct tw_view *view = answer->view;
	const char *before = ": ";
	struct tw_text text;
	unsigned count = 0;

	tw_text_init(&text, live->head, sizeof(live->head));
	if (!answer->from_daemon) {
		tw_text_add(&text, answer->why == -ENXIO ? "no daemon: measured directly"
							 : "the daemon does not answer: measured directly");
		live->alarm = false;
		return;
	}
	for (unsigned i = 0; i < view->namespace_count; i++) {
		const struct tw_view_rule *raised[TW_RULES_MAX];

		count += tw_status_raised(&view->namespaces[i], raised);
	}
	tw_text_addf(&text, "timewaitd %s %s, %u raised", view->version, view->mode, count);
	for (unsigned i = 0; i < view->namespace_count; i++) {
		const struct tw_view_rule *raised[TW_RULES_MAX];
		unsigned here = tw_status_raised(&view->namespaces[i], raised);

		for (unsigned j = 0; j < here; j++, before = ", ")
			tw_text_addf(&text, "%s%s", before, raised[j]->name);
	}
	live->alarm = count > 0;
}

static void look(struct live *live)
{
	TW_CLEANUP_ANSWER struct tw_answer answer = { 0 };
	int r = tw_asker_ask(live->asker, &answer);
	usec_t pause_usec = TW_MAX(LOOK_USEC, answer.cost_usec * BUDGET_DIVISOR);
	struct tw_text text;

	live->next_usec = tw_usec_add(tw_clock_read(CLOCK_MONOTONIC), pause_usec);
	if (r >= 0) {
		tw_top_update(live->top, answer.view);
		write_head(live, &answer);
		return;
	}
	tw_text_init(&text, live->head, sizeof(live->head));
	tw_text_addf(&text, "cannot look: %s",
		     r == -EBADMSG ? "the daemon's answer is not understood" : tw_diag_error_text(r));
	live->alarm = true;
}

static void draw(struct live *live)
{
	struct tw_top_head head = { .line = live->head, .alarm = live->alarm };

	tw_top_draw(live->top, &head);
}

static void watch(struct live *live)
{
	bool gone = false;

	(void)tw_text_copy(live->head, sizeof(live->head), "timewaitctl top: looking for the first time...");
	draw(live);
	while (!ended && !gone) {
		usec_t left_usec;
		int key;

		if (!live->top->paused && tw_clock_read(CLOCK_MONOTONIC) >= live->next_usec)
			look(live);
		draw(live);
		left_usec = live->top->paused ? TW_USEC_PER_MINUTE
					      : tw_usec_since(live->next_usec, tw_clock_read(CLOCK_MONOTONIC));
		key = tw_top_wait_key(left_usec, &gone);
		if (key != TW_TOP_KEY_NONE && !tw_top_key(live->top, key, tw_top_page()))
			return;
	}
}

static int show(const struct tw_verb *verb, struct live *live)
{
	struct tw_terminal terminal = tw_terminal_look();

	if (tw_top_open(&terminal) < 0) {
		fprintf(stderr,
			"timewaitctl: %s: a terminal is needed that can be drawn on; "
			"try: timewaitctl status --watch\n",
			verb->name);
		return TW_EXIT_FAILURE;
	}
	catch_signals();
	watch(live);
	tw_top_close();
	/* Whoever ended it by a signal sees it end by that signal. */
	if (ended) {
		(void)signal(ended, SIG_DFL);
		(void)raise(ended);
	}
	return TW_EXIT_OK;
}

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_ASKER struct tw_asker *asker = NULL;
	TW_CLEANUP_FREE struct tw_top *top = calloc(1, sizeof(*top));
	struct tw_ctl_options options;
	struct live live = { 0 };
	int r = tw_ctl_options_parse(&options, verb, TW_OPTION_BUS, argc, argv);

	if (r >= 0)
		return r;
	if (!top || tw_asker_new(options.bus, &asker) < 0) {
		fprintf(stderr, "timewaitctl: %s: %s\n", verb->name, strerror(ENOMEM));
		return TW_EXIT_FAILURE;
	}
	live.asker = asker;
	live.top = top;
	return show(verb, &live);
}

const struct tw_verb tw_verb_top = {
	.name = "top",
	.summary = "destinations, listeners, units and namespaces, live",
	.help = "Usage: timewaitctl top [OPTION]...\n"
		"Show live which destinations, listeners, units and network namespaces have how many\n"
		"sockets, with their last three minutes. Without a daemon: measure directly.\n"
		"\n"
		"Keys: Tab or 1 to 4 pane, s sort by the next column, r reverse, / filter, space pause,\n"
		"arrows and PgUp, PgDn scroll, ? help, q quit.\n"
		"\n" TW_BUS_HELP,
	.run = run,
};
