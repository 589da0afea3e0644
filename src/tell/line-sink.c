/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/line-sink.h"

#include "base/fd.h"
#include "base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/*
 * O_NONBLOCK belongs to the open file description, which a shell or another program on the same terminal or pipe may
 * share: setting it there would break their writes. Opening the file anew gives a description of our own. Where that is
 * not allowed (the terminal is another user's), poll(2) has to do. -1 where there is none.
 */
static int open_anew(int fd)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* A reader that goes away is a lost record, not the end of the process. An answer of the program's own stays. */
static void ignore_broken_pipes(void)
{
	struct sigaction action;

	if (sigaction(SIGPIPE, NULL, &action) < 0 || action.sa_handler != SIG_DFL)
		return;
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

int tw_line_sink_init(struct tw_line_sink *sink, int fd, size_t capacity)
{
	struct stat info;
	char *rest;
	int own;

	if (fstat(fd, &info) < 0)
		return tw_errno();
	rest = malloc(capacity);
	if (!rest)
		return -ENOMEM;
	own = S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode) ? open_anew(fd) : -1;
	ignore_broken_pipes();
	*sink = (struct tw_line_sink){
		.fd = own >= 0 ? own : fd,
		.own = own,
		.ours = own >= 0,
		.socket = S_ISSOCK(info.st_mode),
		.rest = rest,
		.capacity = capacity,
	};
	return 0;
}

void tw_line_sink_done(struct tw_line_sink *sink)
{
	if (sink->rest)
		(void)tw_line_sink_ready(sink);
	sink->own = tw_close(sink->own);
	free(sink->rest);
	sink->rest = NULL;
}

/*
 * One write that does not wait. On a description that may block poll(2) is asked first, and at most PIPE_BUF bytes go
 * out: a pipe that says it can be written to takes that many at once (pipe(7)). Returns bytes or -errno.
 */
static ssize_t write_some(const struct tw_line_sink *sink, const char *bytes, size_t length)
{
	struct pollfd poll_fd = { .fd = sink->fd, .events = POLLOUT };
	ssize_t n;

	if (sink->socket) {
		n = send(sink->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else if (sink->ours) {
		n = write(sink->fd, bytes, length);
	} else {
		if (poll(&poll_fd, 1, 0) <= 0)
			return -EAGAIN;
		n = write(sink->fd, bytes, TW_MIN(length, (size_t)PIPE_BUF));
	}
	return n < 0 ? tw_errno() : n;
}

/* Writes until all is taken or the reader is behind; `*ret_taken` bytes were. Returns 0 or -errno. */
static int write_on(const struct tw_line_sink *sink, const char *bytes, size_t length, size_t *ret_taken)
{
	*ret_taken = 0;
	while (*ret_taken < length) {
		ssize_t n = write_some(sink, bytes + *ret_taken, length - *ret_taken);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EAGAIN;
		*ret_taken += (size_t)n;
	}
	return 0;
}

int tw_line_sink_ready(struct tw_line_sink *sink)
{
	size_t taken;
	int r;

	if (sink->rest_length == 0)
		return 0;
	r = write_on(sink, sink->rest, sink->rest_length, &taken);
	memmove(sink->rest, sink->rest + taken, sink->rest_length - taken);
	sink->rest_length -= taken;
	return r;
}

int tw_line_sink_put(struct tw_line_sink *sink, const char *line, size_t length)
{
	size_t taken;
	int r;

	if (length > sink->capacity)
		return -EMSGSIZE;
	r = tw_line_sink_ready(sink);
	if (r < 0)
		return r;
	r = write_on(sink, line, length, &taken);
	if (r < 0 && taken > 0) {
		memcpy(sink->rest, line + taken, length - taken);
		sink->rest_length = length - taken;
		return 0;
	}
	return r;
}
