/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-sink.h"

#include "base/duration.h"
#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

int tw_line_sink_init(struct tw_line_sink *sink, int fd)
{
	struct sigaction action;
	struct stat info;
	int own;

	if (fstat(fd, &info) < 0)
		return tw_errno();
	/* A reader that goes away is a lost record, not the end of the process. An answer of the program's own stays.
	 */
	if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
		action.sa_handler = SIG_IGN;
		(void)sigaction(SIGPIPE, &action, NULL);
	}
	own = S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode) ? open_anew(fd) : -1;
	*sink = (struct tw_line_sink){
		.fd = own >= 0 ? own : fd,
		.ours = own >= 0,
		.socket = S_ISSOCK(info.st_mode),
	};
	return 0;
}

void tw_line_sink_done(struct tw_line_sink *sink)
{
	(void)tw_line_sink_ready(sink);
	if (sink->ours)
		sink->fd = tw_close(sink->fd);
}

/*
 * One write that does not wait. On a description that may block poll(2) is asked first, and at most PIPE_BUF bytes go
 * out: a pipe that says it can be written to takes that many at once (pipe(7)).
 */
static ssize_t write_some(const struct tw_line_sink *sink)
{
	struct pollfd poll_fd = { .fd = sink->fd, .events = POLLOUT };

	if (sink->socket)
		return send(sink->fd, sink->rest, sink->rest_length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sink->ours)
		return write(sink->fd, sink->rest, sink->rest_length);
	if (poll(&poll_fd, 1, 0) > 0)
		return write(sink->fd, sink->rest, TW_MIN(sink->rest_length, (size_t)PIPE_BUF));
	errno = EAGAIN;
	return -1;
}

int tw_line_sink_ready(struct tw_line_sink *sink)
{
	while (sink->rest_length > 0) {
		ssize_t n = write_some(sink);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? tw_errno() : -EAGAIN;
		sink->rest += n;
		sink->rest_length -= (size_t)n;
	}
	return 0;
}

int tw_line_sink_put(struct tw_line_sink *sink, const char *line, size_t length)
{
	int r = tw_line_sink_ready(sink);

	if (r < 0)
		return r;
	sink->rest = line;
	sink->rest_length = length;
	r = tw_line_sink_ready(sink);
	if (r < 0 && sink->rest_length == length)
		sink->rest_length = 0;
	else
		r = 0;
	return r;
}

/* "12:34:56 warning: ...": the date stands in the journal and in JSON, here it would only be in the way. */
static void add_text(struct tw_record_sink *sink, struct tw_text *text, const struct timespec *now, uint64_t lost)
{
	struct tm local;

	if (localtime_r(&now->tv_sec, &local))
		tw_text_addf(text, "%02d:%02d:%02d ", local.tm_hour, local.tm_min, local.tm_sec);
	tw_record_add_text(&sink->record, text);
	if (lost > 0)
		tw_text_addf(text, " (%" PRIu64 " %s lost before this one)", lost, lost == 1 ? "record" : "records");
}

static void add_json(struct tw_record_sink *sink, struct tw_text *text, const struct timespec *now)
{
	usec_t now_usec = (usec_t)now->tv_sec * TW_USEC_PER_SEC + (usec_t)now->tv_nsec / 1000;

	(void)tw_record_addf(&sink->record, "", "__REALTIME_TIMESTAMP", "%" PRIu64, now_usec);
	tw_record_add_json(&sink->record, text);
}

static int put(struct tw_record_sink *sink, uint64_t lost)
{
	struct timespec now = { 0 };
	struct tw_text text;

	if (sink->log == TW_LOG_JOURNAL)
		return tw_journal_sink_put(&sink->journal, &sink->record);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	tw_text_init(&text, sink->line, sizeof(sink->line));
	if (sink->log == TW_LOG_TEXT)
		add_text(sink, &text, &now, lost);
	else
		add_json(sink, &text, &now);
	tw_text_add_char(&text, '\n');
	/* Half an object is none. */
	return text.cut ? -EMSGSIZE : tw_line_sink_put(&sink->lines, text.bytes, text.length);
}

static void tell(struct tw_recorder *recorder, const char *namespace, const struct tw_event *event)
{
	struct tw_record_sink *sink = (struct tw_record_sink *)recorder;
	uint64_t lost = sink->dropped - sink->told;
	bool said = true;

	/* The rest of the line before is still where the next one would be. */
	if (sink->log != TW_LOG_JOURNAL && tw_line_sink_ready(&sink->lines) < 0) {
		sink->dropped++;
		return;
	}
	tw_record_build(&sink->record, namespace, event);
	if (lost > 0)
		said = tw_record_addf(&sink->record, "", "TIMEWAITD_DROPPED", "%" PRIu64, lost);
	if (put(sink, lost) < 0)
		sink->dropped++;
	else if (said)
		sink->told += lost;
}

int tw_record_sink_new(enum tw_log log, int fd, const char *journal_path, struct tw_record_sink **ret)
{
	struct tw_record_sink *sink = calloc(1, sizeof(*sink));
	int r;

	if (!sink)
		return -ENOMEM;
	sink->recorder.tell = tell;
	sink->log = log;
	sink->journal.fd = -1;
	r = log == TW_LOG_JOURNAL ? tw_journal_sink_init(&sink->journal, journal_path)
				  : tw_line_sink_init(&sink->lines, fd);
	if (r < 0) {
		(void)tw_record_sink_free(sink);
		return r;
	}
	*ret = sink;
	return 0;
}

struct tw_record_sink *tw_record_sink_free(struct tw_record_sink *sink)
{
	if (!sink)
		return NULL;
	tw_journal_sink_done(&sink->journal);
	tw_line_sink_done(&sink->lines);
	free(sink);
	return NULL;
}
