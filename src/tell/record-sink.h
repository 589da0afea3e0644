/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/event.h"

#include <stdint.h>

enum tw_log {
	TW_LOG_JOURNAL,
	TW_LOG_TEXT, /* a line a record on standard output: "HH:MM:SS priority: MESSAGE" */
	TW_LOG_JSON, /* an object a line on standard output, same field names, and __REALTIME_TIMESTAMP as journalctl -o
			json */
};

/*
 * Where records leave the process. Never blocks and never fails: what the other side does not take at once is dropped
 * and counted, and the count goes into the next record that gets through, as TIMEWAITD_DROPPED.
 */
struct tw_record_sink;

/* Onto standard output, or to the journal. Returns 0 or -errno. */
int tw_record_sink_new(enum tw_log log, struct tw_record_sink **ret);
/* The same with another descriptor and another socket of journald's; both borrow, the log decides which is used. */
int tw_record_sink_new_at(enum tw_log log, int fd, const char *journal_path, struct tw_record_sink **ret);
struct tw_record_sink *tw_record_sink_free(struct tw_record_sink *sink);
TW_DEFINE_CLEANUP(struct tw_record_sink, tw_record_sink_free)
#define TW_CLEANUP_RECORD_SINK TW_CLEANUP(tw_record_sink_freep)

/* Its face as a recorder; belongs to the sink. */
struct tw_recorder *tw_record_sink_recorder(struct tw_record_sink *sink);

/* Records lost so far. */
uint64_t tw_record_sink_dropped(const struct tw_record_sink *sink);

/* Of these, those that no record told of that got through since. */
uint64_t tw_record_sink_untold(const struct tw_record_sink *sink);
