/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"
#include "base/text.h"
#include "ctl/options.h"
#include "model/event.h"
#include "model/metric.h"
#include "model/sample.h"
#include "model/settings.h"
#include "tell/record.h"

#include <stdbool.h>
#include <stddef.h>

/* Of a field, with NUL: journald takes names of at most 64 bytes. */
#define TW_PAST_NAME_MAX 65

/*
 * Where each record goes, oldest first: its time (CLOCK_REALTIME) and its fields, of which only those are there that
 * timewaitd wrote, _HOSTNAME and _BOOT_ID. The values are whatever anybody wrote into the journal. Returns 0, or a
 * negative errno that ends the reading.
 */
struct tw_past_taker {
	int (*take)(struct tw_past_taker *taker, usec_t at_usec, const struct tw_record *record);
};

/* Whether a field of this name is kept. */
bool tw_past_keeps(const char *name, size_t length);

/* Adds a field as it was read, if it is one to keep; a value ends at its first NUL. Returns whether it is whole. */
bool tw_past_add(struct tw_record *record, const char *name, size_t name_length, const char *value, size_t length);

/* The event of a record; false for one that this version does not know. */
bool tw_past_event(const struct tw_record *record, enum tw_event_kind *ret);

/* "TIMEWAITD_PORT_USE" for "port-use", cut where it is too long. Returns `ret`. */
const char *tw_past_name(const char *word, char ret[TW_PAST_NAME_MAX]);

/* Fields as what they stand for: unknown where they are missing or no number; a text "" where it is missing. */
struct tw_value tw_past_milli(const struct tw_record *record, const char *name);
struct tw_value tw_past_metric(const struct tw_record *record, enum tw_metric metric);
struct tw_count tw_past_u64(const struct tw_record *record, const char *name);
const char *tw_past_text(const struct tw_record *record, const char *name);

/*
 * One line of what `timewaitd --log=json` or `journalctl -o json` wrote, any bytes. Returns 1 for a record that was
 * taken; 0 for one that is passed over: a blank line, another program's, another namespace's, or of another time;
 * -EBADMSG for a line that is no object of JSON; or what the taker returned. `record` is room for it.
 */
int tw_lines_read_one(const struct tw_past_order *order, struct tw_past_taker *taker, struct tw_record *record,
		      const char *line, size_t length);

/* Memory for one row more than `count`, twice as much where there is no more; NULL without memory, `rows` is as it was.
 */
void *tw_past_room(void *rows, size_t count, size_t *room, size_t size);

/* ---- figures over time */

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

/* ---- what happened */

/* What happened at a time; these kinds are marked: raised, cleared, adjusted, restored. */
struct tw_chart_event {
	usec_t at_usec;
	enum tw_event_kind kind;
};

/* What a record other than a sample tells. The texts are as they were read: whatever anybody wrote. */
struct tw_happening {
	usec_t at_usec;
	enum tw_event_kind kind;
	unsigned priority; /* of syslog(3): 0 to 7 */
	char *rule;	   /* "" for none; consumes, as the others */
	char *message;
	char *sysctl, *old, *new;
};

/* All of them, in the order of time. */
struct tw_happened {
	size_t count, room;
	struct tw_happening *rows;
	size_t mark_room;
	struct tw_chart_event *marks; /* as many; those of a kind that a chart does not mark too */
};

void tw_happened_done(struct tw_happened *happened);

/* Takes a record in. Returns 0 or -ENOMEM. */
int tw_happened_take(struct tw_happened *happened, usec_t at_usec, enum tw_event_kind kind,
		     const struct tw_record *record);

/* ---- what was raised */

enum tw_alert_end {
	TW_ALERT_OPEN, /* still raised when the records end */
	TW_ALERT_CLEARED,
	TW_ALERT_STOPPED, /* the daemon ended first, or began anew */
};

/* One time that a rule was raised. Times are of CLOCK_REALTIME. */
struct tw_past_alert {
	char rule[TW_RULE_NAME_MAX];
	usec_t raised_usec;
	usec_t ended_usec; /* 0: open */
	enum tw_alert_end end;
	size_t twin; /* tw_alerts_match(): its index in the other list; SIZE_MAX for none */
};

/* In the order in which they were raised. */
struct tw_past_alerts {
	size_t count, room;
	struct tw_past_alert *rows;
};

void tw_alerts_done(struct tw_past_alerts *alerts);

/* A rule is raised; one that is raised already is not raised again. Returns 0 or -ENOMEM. */
int tw_alerts_raise(struct tw_past_alerts *alerts, const char *rule, usec_t at_usec);

/* It is cleared; nothing where it was not raised. */
void tw_alerts_clear(struct tw_past_alerts *alerts, const char *rule, usec_t at_usec);

/* Whatever is raised ends here, not cleared. */
void tw_alerts_stop(struct tw_past_alerts *alerts, usec_t at_usec);

/*
 * Pairs off those of the same rule that were up at one time, or missed each other by `slack` at most; the one that was
 * raised first with the first that fits.
 */
void tw_alerts_match(struct tw_past_alerts *a, struct tw_past_alerts *b, usec_t slack_usec);

/* Whether two were raised and ended at the same times, give or take `slack`. */
bool tw_alerts_same(const struct tw_past_alert *a, const struct tw_past_alert *b, usec_t slack_usec);
