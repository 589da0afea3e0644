/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "ctl/live/screen.h"
#include "remote/bus-source.h"
#include "remote/snapshot-read.h"

/* Bytes that hold the alerts of `namespaces`, as a page or as JSON. */
#define TW_RAISED_BYTES(namespaces) (4096u + (size_t)(namespaces)*524288u)

/* How many rules are raised, in all namespaces. */
unsigned tw_raised_count(const struct tw_view *view);

/* Who is raised, since when, how severe, and what was done. */
void tw_raised_add(struct tw_screen *screen, const struct tw_view *view);

/*
 * {"alerts":[{"namespace","rule","metric","severity","state","since","value","threshold","finding","changes":[
 * {"sysctl","baseline","value","owner"}]}]} and a newline. Unknown values are null.
 */
void tw_raised_add_json(struct tw_text *text, const struct tw_view *view);

/* Bytes that hold any event. */
#define TW_RAISED_EVENT_BYTES 8192

/* "2026-11-22 19:45:01 raised: MESSAGE" and a newline; `when` is the time as text. */
void tw_raised_add_event(struct tw_text *text, const char *when, const struct tw_remote_event *event);

/* {"time":SECONDS,"event","namespace","rule","message"} and a newline; what is "" is null. */
void tw_raised_add_event_json(struct tw_text *text, int64_t seconds, const struct tw_remote_event *event);
