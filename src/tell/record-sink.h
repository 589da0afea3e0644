/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/event.h"
#include "tell/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tw_log {
	TW_LOG_JOURNAL,
	TW_LOG_TEXT, /* a line a record on standard output: "HH:MM:SS priority: MESSAGE" */
	TW_LOG_JSON, /* an object a line on standard output, same field names, and __REALTIME_TIMESTAMP as journalctl -o
			json */
};

/* Where journald listens. */
#define TW_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* A whole record in JSON, of which only what has to be escaped grows: with four times its bytes nothing real is cut. */
#define TW_RECORD_LINE_MAX (4 * TW_RECORD_BYTES_MAX)

/*
 * Where records leave the process: into the journal, or as lines onto a descriptor. Never blocks and never fails: what
 * the other side does not take at once is dropped and counted, and the count goes into the next record that gets
 * through, as TIMEWAITD_DROPPED.
 */
struct tw_record_sink {
	struct tw_recorder recorder; /* first: the recorder's address is the sink's */
	enum tw_log log;
	int fd;
	bool ours;		  /* was opened here, so that it does not block: nobody else's is changed for it */
	bool socket;		  /* lines go onto one */
	const char *journal_path; /* borrows */
	bool sent;		  /* anything to the journal */
	uint64_t dropped;	  /* records lost so far */
	uint64_t told;		  /* of these, those that a record told of */
	struct tw_record record;
	char line[TW_RECORD_LINE_MAX];
	const char *rest; /* of a line that was taken in part, until the next one */
	size_t rest_length;
};

/*
 * Onto a descriptor (which borrows, and stays in the mode it is in), or to where journald listens: the log decides.
 * Returns 0 or -errno. To free it makes a last attempt at the rest of a line, or waits until journald has taken what it
 * was sent, a second at most.
 */
int tw_record_sink_new(enum tw_log log, int fd, const char *journal_path, struct tw_record_sink **ret);
struct tw_record_sink *tw_record_sink_free(struct tw_record_sink *sink);
TW_DEFINE_CLEANUP(struct tw_record_sink, tw_record_sink_free)
#define TW_CLEANUP_RECORD_SINK TW_CLEANUP(tw_record_sink_freep)
