/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a sample can be told: which parts are known, and one description of its tables for whoever tells them. */
#pragma once

#include "base/macros.h"
#include "base/text.h"
#include "model/event.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/* Which parts of a sample can be told: what was never measured, or not whole, is not known, which is not zero. */
static inline bool tw_known_census(const struct tw_sample *sample)
{
	return sample->census.at_usec != 0 && !sample->census.partial;
}

static inline bool tw_known_survey(const struct tw_sample *sample)
{
	return sample->survey.at_usec != 0 && !sample->survey.partial;
}

static inline bool tw_known_accepting(const struct tw_sample *sample)
{
	return sample->accepting.at_usec != 0 && !sample->accepting.partial;
}

static inline bool tw_known_close_wait(const struct tw_sample *sample)
{
	return sample->close_wait.at_usec != 0 && !sample->close_wait.partial;
}

/* Some part was measured, but not whole. */
static inline bool tw_known_in_part(const struct tw_sample *sample)
{
	return sample->census.partial || sample->survey.partial || sample->accepting.partial ||
	       sample->close_wait.partial;
}

/* How many rows of a table with `count` of them are told where `top` are asked for. */
static inline unsigned tw_known_rows(unsigned count, unsigned top)
{
	return TW_MIN(TW_MIN(count, top), (unsigned)TW_TOP_MAX);
}

/*
 * A port-eta of this many thousandths or more means never: a rule that fires downward needs a figure where the ports
 * do not run out. It is half of what fits, so that sums with it do not overflow.
 */
#define TW_KNOWN_NEVER_MILLI (INT64_MAX / 2)

static inline bool tw_known_never(enum tw_metric metric, struct tw_value value)
{
	return metric == TW_METRIC_PORT_ETA && value.known && value.milli >= TW_KNOWN_NEVER_MILLI;
}

/* The metric's value for those who print numbers: "never" is none. */
static inline struct tw_value tw_known_number(enum tw_metric metric, struct tw_value value)
{
	return tw_known_never(metric, value) ? tw_value_unknown() : value;
}

enum tw_rows_kind {
	TW_ROWS_DESTINATIONS,
	TW_ROWS_LISTENERS,
	TW_ROWS_CLOSE_WAIT,
	TW_ROWS_BOUND,
	TW_ROWS_BINDERS,
	TW_ROWS_COUNT,
};

struct tw_rows {
	enum tw_rows_kind kind;
	const struct tw_sample *sample; /* borrows */
	bool known;			/* the table was measured, and whole */
	unsigned count;			/* rows to tell; 0 where it is not known */
	uint64_t total;			/* rows that there are */
};

/* A table of the sample, of which at most `top` rows are told. */
struct tw_rows tw_rows_of(const struct tw_sample *sample, enum tw_rows_kind kind, unsigned top);

/*
 * One row as `format` has it: "{NAME}" is what JSON has under that name, for people ("47.3%", "unknown"), and
 * "{NAME:WIDTH}" the same in a column.
 */
void tw_rows_add_text(struct tw_text *text, const struct tw_rows *rows, unsigned index, const char *format);

/* All of them under the name of the table: an array of objects, or null. What of a row is not known is null. */
void tw_rows_add_json(struct tw_text *json, const struct tw_rows *rows);

/* ---- in a sentence */

/* A metric's figure in its unit, "none" for a port-eta that never comes. */
void tw_message_add_figure(struct tw_text *text, enum tw_metric metric, struct tw_value value);

/* The parts of the subject, the first behind `before`, the others behind ", ". Returns whether there was one. */
bool tw_message_add_subject(struct tw_text *text, const struct tw_subject *subject, const char *before);
