/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Whole lines onto a descriptor, without ever waiting for who reads it: a pipe, a terminal, a socket or a file. What
 * the reader took only in part is completed before the next line begins, so lines never mix.
 */
struct tw_line_sink {
	int fd;	   /* what is written to */
	int own;   /* the same where it was opened here, to be closed; else -1 */
	bool ours; /* does not block by itself: nobody else's description is changed for it */
	bool socket;
	char *rest; /* of a line that was taken in part; owned */
	size_t rest_length;
	size_t capacity;
};

/* Lines are at most `capacity` bytes. `fd` borrows, and stays in the mode it is in. Returns 0 or -errno. */
int tw_line_sink_init(struct tw_line_sink *sink, int fd, size_t capacity);
/* Makes a last attempt at the rest of a line. */
void tw_line_sink_done(struct tw_line_sink *sink);

/*
 * Whether a line can be begun: the one before is complete. Makes an attempt to complete it. Returns 0, -EAGAIN, or
 * -errno of write(2).
 */
int tw_line_sink_ready(struct tw_line_sink *sink);

/*
 * Puts a line, with its newline. Returns 0 where it was taken, in whole or in part (then the rest follows at the next
 * call); else nothing of it was: -EAGAIN (the reader is behind), -EMSGSIZE (longer than the capacity), or -errno of
 * write(2).
 */
int tw_line_sink_put(struct tw_line_sink *sink, const char *line, size_t length);
