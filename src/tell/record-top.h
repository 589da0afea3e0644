/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"
#include "tell/record-field.h"

/* journalctl -o json shows a field of this many bytes and more, its name and '=' with it, as null (JSON_THRESHOLD). */
#define TW_RECORD_TABLE_MAX 4096

/*
 * The tables of the flight recorder: who is behind the numbers. At most `top` lines each, and no more than journalctl
 * shows in JSON; where there are more rows, "... and N more" ends the table. A table without a row is not there.
 *
 * TIMEWAITD_TOP_DESTINATIONS: "source destination:port ports time-wait established other use%".
 */
void tw_record_add_top_destinations(struct tw_record *record, const struct tw_survey *survey, unsigned top);

/* TIMEWAITD_TOP_HELD: of the same, "source destination:port blocked N bound-first N" and each state that holds some. */
void tw_record_add_top_held(struct tw_record *record, const struct tw_survey *survey, unsigned top);

/* TIMEWAITD_TOP_BOUND: "unit sockets": who holds ports that are bound and not connected. */
void tw_record_add_top_bound(struct tw_record *record, const struct tw_survey *survey, unsigned top);

/* TIMEWAITD_TOP_BINDERS: "source ports destinations most-of-them-to": whose ports were bound before connect(). */
void tw_record_add_top_binders(struct tw_record *record, const struct tw_survey *survey, unsigned top);

/* TIMEWAITD_TOP_LISTENERS: "address queue/backlog connections close-wait syn-recv time-wait share%". */
void tw_record_add_top_listeners(struct tw_record *record, const struct tw_accepting *accepting, unsigned top);

/* TIMEWAITD_TOP_UNITS: "unit close-wait oldest unread", the age in seconds, what was not read in bytes. */
void tw_record_add_top_units(struct tw_record *record, const struct tw_close_wait *close_wait, unsigned top);
