/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/past/series.h"
#include "model/event.h"

/* What happened at a time; these kinds are marked: raised, cleared, adjusted, restored. */
struct tw_chart_event {
	usec_t at_usec;
	enum tw_event_kind kind;
};

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
