/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "model/event.h"
#include "tell/record-field.h"

/*
 * Builds the record of an event. First come MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER, TIMEWAITD_EVENT and
 * TIMEWAITD_NAMESPACE, then what applies.
 */
void tw_record_build(struct tw_record *record, const char *namespace, const struct tw_event *event);

/* One line of text for a terminal, without its newline: "warning: MESSAGE", control bytes as '?'. */
void tw_record_add_text(const struct tw_record *record, struct tw_text *text);

/* One JSON object: every field under its name, as strings. */
void tw_record_add_json(const struct tw_record *record, struct tw_json *json);
