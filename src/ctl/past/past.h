/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/options.h"
#include "model/event.h"
#include "model/sample.h"
#include "tell/record.h"

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
