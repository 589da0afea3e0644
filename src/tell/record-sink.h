/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where records leave the process: into the journal, or as lines. For main and for tests, which have parts of it. */
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

/*
 * Whole lines onto a descriptor, without ever waiting for who reads it: a pipe, a terminal, a socket or a file. What
 * the reader took only in part is completed before the next line begins, so lines never mix.
 */
struct tw_line_sink {
	int fd;
	bool ours; /* was opened here, so that it does not block: nobody else's description is changed for it */
	bool socket;
	const char *rest; /* of a line that was taken in part; borrows */
	size_t rest_length;
};

/* `fd` borrows, and stays in the mode it is in. Returns 0 or -errno. */
int tw_line_sink_init(struct tw_line_sink *sink, int fd);
/* Makes a last attempt at the rest of a line. */
void tw_line_sink_done(struct tw_line_sink *sink);

/*
 * Completes the line before, so that another can be begun. Returns 0, -EAGAIN (the reader is behind), or -errno of
 * write(2).
 */
int tw_line_sink_ready(struct tw_line_sink *sink);

/*
 * Puts a line, with its newline. Returns 0 where it was taken, in whole or in part (then it has to stay where it is
 * until the sink is ready); else nothing of it was, and the result is that of tw_line_sink_ready().
 */
int tw_line_sink_put(struct tw_line_sink *sink, const char *line, size_t length);

/* Where journald listens: systemd's native journal protocol. */
#define TW_JOURNAL_SOCKET "/run/systemd/journal/socket"

/*
 * Sends records to journald, and waits for it at the very end alone. In journal-sink.c.
 *
 * This is not sd_journal_sendv(), for two reasons that no option of it takes away: it sends with a blocking sendmsg(),
 * so a journald that is stopped or slow would stop the daemon with it once its queue is full; and it answers 0
 * where there is no journald, so a loss could not be counted. The protocol itself is documented and fixed
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL).
 */
struct tw_journal_sink {
	int fd;	   /* owned */
	bool sent; /* anything */
	const char *path;
};

/* `path` borrows. journald need not be there yet. Returns 0 or -errno of socket(2). */
int tw_journal_sink_init(struct tw_journal_sink *sink, const char *path);
/* Until journald has taken what it was sent, a second at most. */
void tw_journal_sink_done(struct tw_journal_sink *sink);

/* Returns 0, or -errno where the record is lost: -EAGAIN (queue full), -ENOENT or -ECONNREFUSED (no journald) ... */
int tw_journal_sink_put(struct tw_journal_sink *sink, const struct tw_record *record);

/* A whole record in JSON, of which only what has to be escaped grows: with four times its bytes nothing real is cut. */
#define TW_RECORD_LINE_MAX (4 * TW_RECORD_BYTES_MAX)

/*
 * Never blocks and never fails: what the other side does not take at once is dropped and counted, and the count goes
 * into the next record that gets through, as TIMEWAITD_DROPPED.
 */
struct tw_record_sink {
	struct tw_recorder recorder; /* first: the recorder's address is the sink's */
	enum tw_log log;
	struct tw_journal_sink journal;
	struct tw_line_sink lines;
	uint64_t dropped; /* records lost so far */
	uint64_t told;	  /* of these, those that a record told of */
	struct tw_record record;
	char line[TW_RECORD_LINE_MAX];
};

/* Onto a descriptor (which borrows), or to where journald listens: the log decides. Returns 0 or -errno. */
int tw_record_sink_new(enum tw_log log, int fd, const char *journal_path, struct tw_record_sink **ret);
struct tw_record_sink *tw_record_sink_free(struct tw_record_sink *sink);
TW_DEFINE_CLEANUP(struct tw_record_sink, tw_record_sink_free)
#define TW_CLEANUP_RECORD_SINK TW_CLEANUP(tw_record_sink_freep)
