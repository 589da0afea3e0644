/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "model/event.h"
#include "model/metric.h"
#include "model/sample.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What port-eta reads where no destination's ports grow: farther than any level. Were it no value, a rule over it would
 * be frozen most of its life, and could never clear.
 */
#define TW_READING_ETA_FAR_MILLI (INT64_MAX / 2)

/* Of a destination's ports: what its demand is made of, in ports. */
struct tw_reading_ports {
	bool known;
	uint32_t usable;
	uint32_t steady;   /* blocked by what is not TIME-WAIT */
	uint32_t baseline; /* blocked, had timewaitd changed nothing */
	uint32_t young;	   /* TIME-WAIT that came in the last five seconds, and that reuse could take over */
};

/* What one measurement says of one subject. */
struct tw_reading {
	struct tw_value value;
	/*
	 * What clearing is held against. For most metrics the value itself; for port-use what it would come to without
	 * the change: while tcp_tw_reuse is on, the blocked ports do not tell whether it is still needed. Nor does an
	 * overflow of 0 while tcp_max_tw_buckets is higher than it was.
	 */
	struct tw_value pressure;
	struct tw_value judged; /* what raising is held against where it is not the value: the pressure */
	bool guessed;	     /* that is over the level as if looks that are not there yet had been like the last ones */
	struct tw_value eta; /* port-use: s until it is 100 % at its present growth; unknown where it does not grow */
	bool soon;	     /* that is within the rule's forecast */
	usec_t at_usec;	     /* when it was measured */
	bool confirmed;	     /* an independent measurement pointed there first: this one is already the second look */
	struct tw_reading_ports ports;
};

/* One subject of a rule with its reading. */
struct tw_reading_row {
	struct tw_subject subject;
	struct tw_reading reading;
};

/* The subjects of a rule that a sample has. */
struct tw_readings {
	unsigned count;
	struct tw_reading_row rows[TW_TOP_MAX + 1 + TW_BINDER_ROWS_MAX];
};

/* One more of them, of nobody yet. */
static inline struct tw_reading_row *tw_readings_add(struct tw_readings *readings, struct tw_value value)
{
	struct tw_reading_row *row = &readings->rows[readings->count++];

	*row = (struct tw_reading_row){ .reading = { .value = value, .pressure = value } };
	return row;
}

/*
 * Whether the sample has the rule's metric: then a subject that tw_reading_all() does not give is at 0 (port-eta: far).
 */
bool tw_reading_known(const struct tw_sample *sample, const struct tw_rule_settings *settings);

/* When the metric was measured, known or not. */
usec_t tw_reading_at(const struct tw_sample *sample, const struct tw_rule_settings *settings);

/*
 * The subjects within the rule's scope (`unit`, `destination`, `listener`, `age`), those that matter most first. A rule
 * over the namespace as a whole has one, with who is behind the number as far as that is known.
 */
void tw_reading_all(const struct tw_sample *sample, const struct tw_rule_settings *settings, struct tw_readings *ret);

/* The part of it that reads the survey, which is whole. */
void tw_readings_add_ports(struct tw_readings *readings, const struct tw_survey *survey,
			   const struct tw_rule_settings *settings);

/* The reading of a subject that the sample does not have although it has the metric. */
struct tw_reading tw_reading_absent(const struct tw_sample *sample, const struct tw_rule_settings *settings);

/* The worst of all subjects: what the rule comes to as a whole. Its value is unknown where the sample does not tell. */
void tw_reading_worst(const struct tw_sample *sample, const struct tw_rule_settings *settings,
		      struct tw_reading_row *ret);

/*
 * Of a rule over CLOSE-WAIT: how many sockets of `unit` count for it. Returns false where the metric is another one, or
 * the sample does not tell the sockets by unit.
 */
bool tw_reading_count(const struct tw_sample *sample, const struct tw_rule_settings *settings, const char *unit,
		      uint64_t *ret);
