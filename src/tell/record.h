/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"
#include "model/event.h"

#include <stddef.h>

/* Fields of one record: the flight recorder holds the most (states, metrics, limits, tables). */
#define TW_RECORD_FIELDS_MAX 128
#define TW_RECORD_BYTES_MAX 65536

/*
 * A structured journal entry being built: "NAME=value" texts one behind the other. The names are in the order of the
 * design: MESSAGE, MESSAGE_ID, PRIORITY, TIMEWAITD_EVENT, TIMEWAITD_NAMESPACE, then what applies.
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

/* Builds the record of an event, in place. */
void tw_record_build(struct tw_record *record, const char *namespace, const struct tw_event *event);

/* The value of a field, NULL where the record has none. */
const char *tw_record_get(const struct tw_record *record, const char *name);

/* One line of text for a terminal: "warning: MESSAGE" with the fields an engineer wants behind it. */
void tw_record_add_text(const struct tw_record *record, struct tw_text *text);

/* One JSON object: every field under its name, as strings. */
void tw_record_add_json(const struct tw_record *record, struct tw_json *json);
