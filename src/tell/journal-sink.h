/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tell/record.h"

#include <stdbool.h>

/* Where journald listens: systemd's native journal protocol. */
#define TW_JOURNAL_SOCKET "/run/systemd/journal/socket"

/*
 * Sends records to journald, and waits for it at the very end alone.
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
