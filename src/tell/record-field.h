/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fields of one record: the flight recorder holds the most (states, metrics, sysctls, counters: about 90). */
#define TW_RECORD_FIELDS_MAX 128
#define TW_RECORD_BYTES_MAX 65536

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

/*
 * A field whose value is there already: a text, a number, or thousandths as a plain decimal. The first returns false
 * where there was no room for the whole value.
 */
bool tw_record_add(struct tw_record *record, const char *name, const char *value);
void tw_record_add_u64(struct tw_record *record, const char *prefix, const char *name, uint64_t number);
void tw_record_add_milli(struct tw_record *record, const char *prefix, const char *name, int64_t milli);

/* The value of a field, NULL where the record has none. Belongs to the record. */
const char *tw_record_get(const struct tw_record *record, const char *name);
