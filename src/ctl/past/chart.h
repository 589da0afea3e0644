/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/past/past.h"
#include "model/event.h"

/* A chart of characters: a panel a unit, one below the other, over one axis of time, and a line of events. */
struct tw_chart {
	const struct tw_series *series; /* borrows */
	unsigned series_count;
	const struct tw_chart_event *events; /* borrows */
	size_t event_count;
	usec_t from_usec, to_usec; /* to > from */
	unsigned width;		   /* of it all, in columns: 30 at least */
	unsigned height;	   /* of one panel, in lines: 3 at least */
	bool ascii;		   /* nothing but ASCII */
	bool color;		   /* with the escapes of a terminal; each series has its own mark all the same */
};

/* Bytes that tw_chart_add() needs at most. */
size_t tw_chart_bytes(const struct tw_chart *chart);

/* Returns 0 or -ENOMEM. */
int tw_chart_add(const struct tw_chart *chart, struct tw_text *text);

/* ---- the axes, of a terminal or a page */

/* What stands around a chart's panels. `margin` is the columns left of them. */

/* A round figure that is not less than the highest: one digit, not 7 or 9, and noughts. */
int64_t tw_axis_top(const struct tw_series *series, int64_t most_milli);

/* Columns that the labels of this axis take. */
unsigned tw_axis_margin(const struct tw_series *series, int64_t top_milli);

/* The label of a row, counted from below, with blanks up to the margin: the first, the middle and the last have one. */
void tw_axis_add_label(const struct tw_series *series, int64_t top_milli, unsigned row, unsigned rows, unsigned margin,
		       struct tw_text *text);

/* The line below a panel, with a tick for each time. */
void tw_axis_add_rule(const struct tw_chart *chart, unsigned margin, struct tw_text *text);

/* The times below the ticks, in local time. */
void tw_axis_add_times(const struct tw_chart *chart, unsigned margin, struct tw_text *text);

/* A mark for each event, and what the marks mean; nothing where there is no event. */
void tw_axis_add_events(const struct tw_chart *chart, unsigned margin, struct tw_text *text);

/* Of a span with at most so many ticks: how far apart they are, and the first, both round for a clock or a calendar. */
usec_t tw_axis_step(usec_t from_usec, usec_t to_usec, unsigned ticks);
usec_t tw_axis_first(usec_t from_usec, usec_t step_usec);

/* Longest label of a tick, with NUL. */
#define TW_AXIS_TIME_MAX 13

/* What stands at a tick: no more than tells it from the others. */
const char *tw_axis_time(char ret[TW_AXIS_TIME_MAX], usec_t at_usec, usec_t step_usec, usec_t span_usec);
