/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"
#include "base/text.h"
#include "ctl/past/past.h"
#include "model/value.h"

#include <stdbool.h>
#include <stddef.h>

/* Series that one chart may have. */
#define TW_METRICS_MAX 8

/* A figure at a time (CLOCK_REALTIME). */
struct tw_point {
	usec_t at_usec;
	int64_t milli;
};

/* One metric over time, as the samples tell it; the points in the order of time. */
struct tw_series {
	const char *name;	      /* "port-use"; borrows */
	char field[TW_PAST_NAME_MAX]; /* "TIMEWAITD_PORT_USE" */
	enum tw_unit unit;
	bool is_cost; /* ms of CPU time, whatever `unit` says */
	size_t count, room;
	struct tw_point *points;
};

/* Lowest, mean and highest; unknown where there is no point. */
struct tw_series_sum {
	struct tw_value low, mean, high;
};

/*
 * Finds what can be charted by this name: every metric and state, usable-ports, port-demand, and the costs
 * ("cost-tick"). Where there is none, returns false, with the nearest name in *ret_near; NULL where none is near.
 */
bool tw_series_init(struct tw_series *series, const char *name, const char **ret_near);
void tw_series_done(struct tw_series *series);

/* Takes the figure of a sample, where it has one. Returns 0 or -ENOMEM. What is older than the last point is not taken.
 */
int tw_series_take(struct tw_series *series, usec_t at_usec, const struct tw_record *record);

struct tw_series_sum tw_series_sum(const struct tw_series *series);

/* A figure in its unit: "45.2%", "812", "3.1 ms"; "unknown". */
void tw_series_add_figure(const struct tw_series *series, struct tw_value value, struct tw_text *text);

/* "percent", "sockets", "per second", "seconds", "ms": the unit in a word. */
const char *tw_series_unit(const struct tw_series *series);

/* How far apart two points may be for a line to go from one to the other: some more than they are as a rule. */
usec_t tw_series_gap(const struct tw_series *series);
