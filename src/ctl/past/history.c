/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/fd.h"
#include "ctl/options.h"
#include "ctl/past/chart.h"
#include "ctl/past/history-text.h"
#include "ctl/past/past-source.h"
#include "ctl/terminal-source.h"

#include <stdio.h>
#include <string.h>

/* Of a chart: narrower than this it shows nothing. */
#define WIDTH_MIN 30
/* Odd: the middle has a label. */
#define HEIGHT_ALONE 11
#define HEIGHT_EACH 7

struct history {
	struct tw_past_taker taker; /* first: its address is the history's */
	unsigned series_count;
	struct tw_series series[TW_METRICS_MAX];
	struct tw_happened happened;
	usec_t first_usec, last_usec; /* of what was read; 0: nothing */
};

static int take(struct tw_past_taker *taker, usec_t at_usec, const struct tw_record *record)
{
	struct history *history = (struct history *)taker;
	enum tw_event_kind kind;
	int r = 0;

	if (!tw_past_event(record, &kind))
		return 0;
	if (history->first_usec == 0)
		history->first_usec = at_usec;
	history->last_usec = TW_MAX(history->last_usec, at_usec);
	if (kind != TW_EVENT_SAMPLE)
		return tw_happened_take(&history->happened, at_usec, kind, record);
	for (unsigned i = 0; r >= 0 && i < history->series_count; i++)
		r = tw_series_take(&history->series[i], at_usec, record);
	return r;
}

/* Returns -1 to go on, or the exit status. */
static int choose(struct history *history, const struct tw_ctl_options *options, const struct tw_verb *verb)
{
	static const char *const usual[] = { "port-use", "time-wait" };
	bool given = options->list_count > 0;
	unsigned count = given ? options->list_count : (unsigned)TW_ARRAY_SIZE(usual);
	const char *near;

	if (count > TW_METRICS_MAX)
		return tw_ctl_usage(verb, "%d metrics at most", TW_METRICS_MAX);
	for (unsigned i = 0; i < count; i++) {
		const char *name = given ? options->list[i] : usual[i];

		if (tw_series_init(&history->series[history->series_count], name, &near))
			history->series_count++;
		else if (near)
			return tw_ctl_usage(verb, "there is no metric '%s'; did you mean '%s'?", name, near);
		else
			return tw_ctl_usage(verb, "there is no metric '%s'; timewaitd.conf(5) has them all", name);
	}
	return -1;
}

static void put(void *context, const char *bytes, size_t length)
{
	(void)fwrite(bytes, 1, length, context);
}

static int draw(const struct history *history, const struct tw_ctl_options *options, usec_t from_usec, usec_t to_usec,
		unsigned width)
{
	struct tw_terminal terminal = tw_terminal_look();
	unsigned height = history->series_count > 1 ? HEIGHT_EACH : HEIGHT_ALONE;
	const struct tw_chart chart = {
		.series = history->series,
		.series_count = history->series_count,
		.events = history->happened.marks,
		.event_count = history->happened.count,
		.from_usec = from_usec,
		.to_usec = to_usec,
		.width = width,
		.height = options->height > 0 ? options->height : height,
		.ascii = options->ascii || !terminal.utf8,
		.color = terminal.colour,
	};
	size_t capacity = tw_chart_bytes(&chart);
	TW_CLEANUP_FREE char *bytes = malloc(capacity);
	struct tw_text text;
	int r;

	if (!bytes)
		return -ENOMEM;
	tw_text_init(&text, bytes, capacity);
	r = tw_chart_add(&chart, &text);
	if (r >= 0)
		fputs(bytes, stdout);
	return r;
}

static int print(const struct history *history, const struct tw_ctl_options *options)
{
	TW_CLEANUP_FREE struct tw_out *out = malloc(sizeof(*out));
	usec_t from_usec = options->order.since_usec > 0 ? options->order.since_usec : history->first_usec;
	usec_t to_usec = TW_MIN(options->order.until_usec, history->last_usec);
	unsigned width = options->width > 0 ? options->width : TW_MAX(tw_terminal_look().width, (unsigned)WIDTH_MIN);
	int r = 0;

	if (!out)
		return -ENOMEM;
	if (options->order.until_usec != TW_USEC_INFINITY)
		to_usec = TW_MIN(options->order.until_usec, options->now_usec);
	/* One record alone has no width. */
	to_usec = TW_MAX(to_usec, from_usec + TW_USEC_PER_SEC);
	tw_out_init(out, put, stdout);
	if (options->json) {
		tw_history_add_json(options->order.namespace, from_usec, to_usec, history->series,
				    history->series_count, &history->happened, out);
	} else {
		r = draw(history, options, from_usec, to_usec, width);
		tw_history_add_sums(history->series, history->series_count, out);
		tw_history_add_events(&history->happened, width, out);
	}
	tw_out_end(out);
	if (r >= 0 && fflush(stdout) == EOF)
		r = tw_errno();
	return r;
}

static int show(struct history *history, struct tw_ctl_options *options)
{
	long count;
	int r = tw_past_load(&options->order, &history->taker, &count);

	if (r >= 0)
		return r;
	if (count == 0 && !options->json)
		return tw_past_complain_none(&options->order, "record");
	r = print(history, options);
	if (r < 0) {
		fprintf(stderr, "timewaitctl: cannot draw: %s\n", strerror(-r));
		return TW_EXIT_FAILURE;
	}
	return TW_EXIT_OK;
}

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	struct history history = { .taker = { .take = take } };
	unsigned allowed = TW_OPTION_PAST | TW_OPTION_NAMESPACE | TW_OPTION_CHART | TW_OPTION_JSON;
	struct tw_ctl_options options;
	int r = tw_ctl_options_parse(&options, verb, allowed, argc, argv);

	if (r >= 0)
		return r;
	r = choose(&history, &options, verb);
	if (r < 0)
		r = show(&history, &options);
	for (unsigned i = 0; i < history.series_count; i++)
		tw_series_done(&history.series[i]);
	tw_happened_done(&history.happened);
	return r;
}

const struct tw_verb tw_verb_history = {
	.name = "history",
	.summary = "a chart of what timewaitd has recorded",
	.help = "Usage: timewaitctl history [OPTION]...\n"
		"Draw what timewaitd recorded in the journal, and mark what it raised, cleared and changed.\n"
		"Without --since: the last day.\n"
		"\n"
		"  --metric NAME      chart this one (port-use and time-wait): any state or metric,\n"
		"                     usable-ports, port-demand, cost-tick, -census, -survey or -total;\n"
		"                     up to 8 times\n"
		"  --width N, --height N\n"
		"                     columns in all, and lines of each panel\n"
		"  --ascii            plain characters, as without a UTF-8 locale\n"
		"  --json             one JSON object: all points and events\n" TW_PAST_HELP,
	.run = run,
};
