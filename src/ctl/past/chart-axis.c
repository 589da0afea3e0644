/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/chart.h"

#include <string.h>
#include <time.h>

#define MARGIN_MAX 16

/* Longest time below an axis, "11-22 19:45", and two blanks. */
#define TIME_COLUMNS 13

/* ---- upwards */

int64_t tw_axis_top(const struct tw_series *series, int64_t most_milli)
{
	static const int64_t steps[] = { 1, 2, 3, 4, 5, 6, 8 };
	int64_t least = series->is_cost ? 10 : series->unit == TW_UNIT_SOCKETS ? 2000 : 1000;

	for (int64_t tens = 1; tens <= INT64_MAX / 100; tens *= 10)
		for (size_t i = 0; i < TW_ARRAY_SIZE(steps); i++)
			if (steps[i] * tens >= TW_MAX(least, most_milli))
				return steps[i] * tens;
	return INT64_MAX / 2;
}

static void add_figure(const struct tw_series *series, int64_t milli, char ret[MARGIN_MAX])
{
	struct tw_text text;

	tw_text_init(&text, ret, MARGIN_MAX);
	tw_series_add_figure(series, tw_value_of(milli), &text);
}

unsigned tw_axis_margin(const struct tw_series *series, int64_t top_milli)
{
	char full[MARGIN_MAX], half[MARGIN_MAX];

	add_figure(series, top_milli, full);
	add_figure(series, top_milli / 2, half);
	return (unsigned)TW_MAX(strlen(full), strlen(half)) + 1;
}

void tw_axis_add_label(const struct tw_series *series, int64_t top_milli, unsigned row, unsigned rows, unsigned margin,
		       struct tw_text *text)
{
	char label[MARGIN_MAX] = "";

	if (row == 0)
		add_figure(series, 0, label);
	else if (row == rows - 1)
		add_figure(series, top_milli, label);
	else if (rows % 2 == 1 && row == rows / 2 && rows > 4)
		add_figure(series, top_milli / 2, label);
	tw_text_addf(text, "%*s ", (int)margin - 1, label);
}

/* ---- along */

/* Spans between ticks: what a person reads off a clock or a calendar. */
static const usec_t steps[] = {
	TW_USEC_PER_SEC,	 5 * TW_USEC_PER_SEC,	  10 * TW_USEC_PER_SEC,	  30 * TW_USEC_PER_SEC,
	TW_USEC_PER_MINUTE,	 2 * TW_USEC_PER_MINUTE,  5 * TW_USEC_PER_MINUTE, 10 * TW_USEC_PER_MINUTE,
	15 * TW_USEC_PER_MINUTE, 30 * TW_USEC_PER_MINUTE, TW_USEC_PER_HOUR,	  2 * TW_USEC_PER_HOUR,
	3 * TW_USEC_PER_HOUR,	 6 * TW_USEC_PER_HOUR,	  12 * TW_USEC_PER_HOUR,  TW_USEC_PER_DAY,
	2 * TW_USEC_PER_DAY,	 7 * TW_USEC_PER_DAY,	  14 * TW_USEC_PER_DAY,	  30 * TW_USEC_PER_DAY,
	90 * TW_USEC_PER_DAY,	 365 * TW_USEC_PER_DAY,
};

static unsigned columns_of(const struct tw_chart *chart, unsigned margin)
{
	return chart->width - margin - 1;
}

usec_t tw_axis_step(usec_t from_usec, usec_t to_usec, unsigned ticks)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(steps); i++)
		if ((to_usec - from_usec) / steps[i] <= ticks)
			return steps[i];
	return to_usec - from_usec;
}

static usec_t find_step(const struct tw_chart *chart, unsigned columns)
{
	return tw_axis_step(chart->from_usec, chart->to_usec, TW_MAX(columns / TIME_COLUMNS, 1u));
}

static struct tm local_of(usec_t at_usec)
{
	time_t seconds = (time_t)(at_usec / TW_USEC_PER_SEC);
	struct tm local = { 0 };

	(void)localtime_r(&seconds, &local);
	return local;
}

/* Round in local time. */
usec_t tw_axis_first(usec_t from_usec, usec_t step_usec)
{
	long offset = local_of(from_usec).tm_gmtoff;
	usec_t shift_usec = (usec_t)(offset + 24 * 3600) * TW_USEC_PER_SEC;

	return (from_usec + shift_usec + step_usec - 1) / step_usec * step_usec - shift_usec;
}

static usec_t find_first(const struct tw_chart *chart, usec_t step_usec)
{
	return tw_axis_first(chart->from_usec, step_usec);
}

static unsigned column_of(const struct tw_chart *chart, unsigned columns, usec_t at_usec)
{
	return (unsigned)((unsigned __int128)(at_usec - chart->from_usec) * (columns - 1) /
			  (chart->to_usec - chart->from_usec));
}

void tw_axis_add_rule(const struct tw_chart *chart, unsigned margin, struct tw_text *text)
{
	unsigned columns = columns_of(chart, margin);
	usec_t step_usec = find_step(chart, columns);
	usec_t next_usec = find_first(chart, step_usec);

	tw_text_addf(text, "%*s%s", (int)margin, "", chart->ascii ? "+" : "└");
	for (unsigned x = 0; x < columns; x++) {
		bool tick = next_usec <= chart->to_usec && column_of(chart, columns, next_usec) == x;

		if (tick)
			next_usec += step_usec;
		tw_text_add(text, tick ? (chart->ascii ? "+" : "┴") : (chart->ascii ? "-" : "─"));
	}
	tw_text_add_char(text, '\n');
}

const char *tw_axis_time(char ret[TW_AXIS_TIME_MAX], usec_t at_usec, usec_t step_usec, usec_t span_usec)
{
	struct tm time = local_of(at_usec);
	struct tw_text text;

	tw_text_init(&text, ret, TW_AXIS_TIME_MAX);
	if (step_usec >= 28 * TW_USEC_PER_DAY)
		tw_text_addf(&text, "%04d-%02d-%02d", time.tm_year + 1900, time.tm_mon + 1, time.tm_mday);
	else if (step_usec >= TW_USEC_PER_DAY)
		tw_text_addf(&text, "%02d-%02d", time.tm_mon + 1, time.tm_mday);
	else if (span_usec > TW_USEC_PER_DAY + TW_USEC_PER_HOUR)
		tw_text_addf(&text, "%02d-%02d %02d:%02d", time.tm_mon + 1, time.tm_mday, time.tm_hour, time.tm_min);
	else if (step_usec < TW_USEC_PER_MINUTE)
		tw_text_addf(&text, "%02d:%02d:%02d", time.tm_hour, time.tm_min, time.tm_sec);
	else
		tw_text_addf(&text, "%02d:%02d", time.tm_hour, time.tm_min);
	return ret;
}

void tw_axis_add_times(const struct tw_chart *chart, unsigned margin, struct tw_text *text)
{
	unsigned columns = columns_of(chart, margin), at = 0;
	usec_t step_usec = find_step(chart, columns);
	char label[TW_AXIS_TIME_MAX];

	tw_text_addf(text, "%*s", (int)margin + 1, "");
	for (usec_t next = find_first(chart, step_usec); next <= chart->to_usec; next += step_usec) {
		unsigned x = column_of(chart, columns, next);
		unsigned length =
			(unsigned)strlen(tw_axis_time(label, next, step_usec, chart->to_usec - chart->from_usec));

		/* Below its tick, in the middle where there is room. */
		x -= TW_MIN(x, length / 2);
		if (x < at || x + length > columns)
			continue;
		tw_text_addf(text, "%*s%s", (int)(x - at), "", label);
		at = x + length;
	}
	tw_text_add_char(text, '\n');
}

/* ---- events */

struct mark {
	enum tw_event_kind kind;
	const char *wide;
	const char *ascii;
	const char *meaning;
};

static const struct mark marks[] = {
	{ TW_EVENT_RAISED, "▲", "R", "raised" },
	{ TW_EVENT_CLEARED, "▽", "C", "cleared" },
	{ TW_EVENT_ADJUSTED, "◆", "A", "adjusted" },
	{ TW_EVENT_RESTORED, "◇", "P", "put back" },
};
#define SEVERAL TW_ARRAY_SIZE(marks)

/* The mark in this column; SEVERAL for different ones, and one more for none. */
static size_t find_mark(const struct tw_chart *chart, unsigned columns, unsigned x)
{
	size_t found = SEVERAL + 1;

	for (size_t i = 0; i < chart->event_count; i++) {
		const struct tw_chart_event *event = &chart->events[i];

		if (event->at_usec < chart->from_usec || event->at_usec > chart->to_usec ||
		    column_of(chart, columns, event->at_usec) != x)
			continue;
		for (size_t j = 0; j < TW_ARRAY_SIZE(marks); j++)
			if (marks[j].kind == event->kind)
				found = found == SEVERAL + 1 || found == j ? j : SEVERAL;
	}
	return found;
}

static const char *sign_of(const struct tw_chart *chart, size_t mark)
{
	if (mark > SEVERAL)
		return " ";
	if (mark == SEVERAL)
		return "+";
	return chart->ascii ? marks[mark].ascii : marks[mark].wide;
}

void tw_axis_add_events(const struct tw_chart *chart, unsigned margin, struct tw_text *text)
{
	bool seen[SEVERAL + 2] = { false };
	unsigned columns = columns_of(chart, margin);
	const char *between = "";

	if (chart->event_count == 0)
		return;
	tw_text_addf(text, "%*s", (int)margin + 1, "");
	for (unsigned x = 0; x < columns; x++) {
		size_t mark = find_mark(chart, columns, x);

		seen[mark] = true;
		tw_text_add(text, sign_of(chart, mark));
	}
	while (text->length > 0 && text->bytes[text->length - 1] == ' ')
		text->bytes[--text->length] = '\0';
	tw_text_addf(text, "\n%*s", (int)margin + 1, "");
	for (size_t i = 0; i <= SEVERAL; i++) {
		if (!seen[i])
			continue;
		tw_text_addf(text, "%s%s %s", between, sign_of(chart, i), i < SEVERAL ? marks[i].meaning : "several");
		between = "  ";
	}
	tw_text_add_char(text, '\n');
}
