/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/text.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fields of one record: the flight recorder holds the most (states, metrics, sysctls, counters: about 90). */
#define TW_RECORD_FIELDS_MAX 128
#define TW_RECORD_BYTES_MAX 65536
/* journalctl -o json shows a field of this many bytes and more, its name and '=' with it, as null (JSON_THRESHOLD). */
#define TW_RECORD_TABLE_MAX 4096

/*
 * A structured journal entry being built: "NAME=value" texts one behind the other, each with a NUL behind it. A value
 * that does not fit any more is cut, and the fields behind it are missing. It points into itself: not to be copied.
 */
struct tw_record {
	size_t count;
	struct {
		const char *text; /* "NAME=value" */
		size_t length;
		size_t name_length;
	} fields[TW_RECORD_FIELDS_MAX];
	char bytes[TW_RECORD_BYTES_MAX];
	size_t used;
};

/* Without any field. */
void tw_record_init(struct tw_record *record);

/*
 * Opens the field `prefix` + `name`, the name in the journal's spelling (upper case, '_' for '-'), and leaves
 * `ret_text` behind its "=". What is written there is the value; the end takes it in. A field must be ended before the
 * next one begins. The end returns false where there was no room for the whole value.
 */
void tw_record_begin(struct tw_record *record, struct tw_text *ret_text, const char *prefix, const char *name);
bool tw_record_end(struct tw_record *record, const struct tw_text *text);

/* A field whose value is a text as printf(3) makes it. */
bool tw_record_addf(struct tw_record *record, const char *prefix, const char *name, const char *format, ...)
	TW_PRINTF(4, 5);
/* The same of thousandths, as a plain decimal; nothing where they are not known. */
void tw_record_add_value(struct tw_record *record, const char *prefix, const char *name, struct tw_value value);

/* The value of a field, NULL where the record has none. Belongs to the record. */
const char *tw_record_get(const struct tw_record *record, const char *name);

/*
 * Builds the record of an event. First come MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER, TIMEWAITD_EVENT and
 * TIMEWAITD_NAMESPACE, then what applies.
 */
void tw_record_build(struct tw_record *record, const char *namespace, const struct tw_event *event);

/* One line of text for a terminal, without its newline: "warning: MESSAGE", control bytes as '?'. */
void tw_record_add_text(const struct tw_record *record, struct tw_text *text);

/* One JSON object: every field under its name, as strings. */
void tw_record_add_json(const struct tw_record *record, struct tw_text *json);

/* ---- what a record tells of a sample, in record-sample.c */

/* Ages by which a sample tells sockets in CLOSE-WAIT apart: those that people put in rules. */
#define TW_RECORD_AGES 24
extern const usec_t tw_record_ages[TW_RECORD_AGES];

/*
 * The history: every metric of the event's sample that is known, the states' counts among them, under its name in the
 * journal's spelling (TIMEWAITD_TIME_WAIT, TIMEWAITD_PORT_USE ...), a plain decimal in the metric's unit; and
 * TIMEWAITD_USABLE_PORTS, and what watching costs in ms of CPU time (TIMEWAITD_COST_CENSUS ...).
 *
 * Where an alert is raised, the flight recorder: what an expert would ask for besides. Known sysctls
 * (TIMEWAITD_SYSCTL_TCP_TW_REUSE ...), what counters came to in all (TIMEWAITD_TOTAL_TIME_WAIT_OVERFLOW ...), reserved
 * and bound ports, machine-wide numbers; and who is behind the numbers, as tables with at most `top` lines each
 * (TIMEWAITD_TOP_DESTINATIONS ...), and no more than journalctl shows in JSON: where there are more rows, "... and N
 * more" ends the table.
 *
 * Of a sample for the history alone, what else is needed to try rules on it later: when each part was measured
 * (TIMEWAITD_GAUGE_AT, _CENSUS_AT, _SURVEY_AT, in us of CLOCK_MONOTONIC); TIMEWAITD_PORT_DEMAND; the destinations that
 * grow, without those that another one is ahead of in both (TIMEWAITD_PORT_FORECASTS, a line each: use in percent,
 * seconds until no port is left); how many sockets in CLOSE-WAIT are older than each of tw_record_ages, as far as there
 * are any (TIMEWAITD_CLOSE_WAIT_AGES); and what a step of tcp_max_tw_buckets is held against.
 */
void tw_record_add_sample(struct tw_record *record, const struct tw_event *event);
