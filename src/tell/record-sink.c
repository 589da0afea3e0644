/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-sink.h"

#include "base/duration.h"
#include "base/fd.h"
#include "base/text.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* How long the end waits for journald, and how often it looks. */
#define READ_PATIENCE_MS 1000
#define READ_MS 20
/* What the kernel doubles and caps at net.core.wmem_max: room for some dozens of flight recorders in the queue. */
#define SEND_BUFFER_BYTES (2 * 1024 * 1024)

/* ---- lines: onto a pipe, a terminal, a socket or a file, without ever waiting for who reads it */

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

static int open_lines(struct tw_record_sink *sink, int fd)
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
	sink->fd = own >= 0 ? own : fd;
	sink->ours = own >= 0;
	sink->socket = S_ISSOCK(info.st_mode);
	return 0;
}

/*
 * One write that does not wait. On a description that may block poll(2) is asked first, and at most PIPE_BUF bytes go
 * out: a pipe that says it can be written to takes that many at once (pipe(7)).
 */
static ssize_t write_some(const struct tw_record_sink *sink)
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

/* What the reader took only in part is completed before the next line begins, so lines never mix. */
static int complete_line(struct tw_record_sink *sink)
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

/* A line that is taken in part is put: the rest follows. */
static int put_line(struct tw_record_sink *sink, const struct tw_text *line)
{
	int r;

	sink->rest = line->bytes;
	sink->rest_length = line->length;
	r = complete_line(sink);
	if (r == 0 || sink->rest_length < line->length)
		return 0;
	sink->rest_length = 0;
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
	tw_text_add_char(text, '\n');
}

static void add_json(struct tw_record_sink *sink, struct tw_text *text, const struct timespec *now)
{
	usec_t now_usec = (usec_t)now->tv_sec * TW_USEC_PER_SEC + (usec_t)now->tv_nsec / 1000;

	(void)tw_record_addf(&sink->record, "", "__REALTIME_TIMESTAMP", "%" PRIu64, now_usec);
	tw_record_add_json(&sink->record, text);
	tw_text_add_char(text, '\n');
}

/* ---- the journal: systemd's native journal protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL) */

/*
 * This is not sd_journal_sendv(), for two reasons that no option of it takes away: it sends with a blocking sendmsg(),
 * so a journald that is stopped or slow would stop the daemon with it once its queue is full; and it answers 0
 * where there is no journald, so a loss could not be counted. journald need not be there yet.
 */
static int open_journal(struct tw_record_sink *sink, const char *path)
{
	int size = SEND_BUFFER_BYTES;

	sink->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sink->fd < 0)
		return tw_errno();
	sink->ours = true;
	sink->journal_path = path;
	/* A smaller buffer only means that more goes by memfd. */
	(void)setsockopt(sink->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

/*
 * journald finds out whose a record is when it reads it, under /proc: of a process that has ended by then nobody finds
 * the last words with `journalctl -u`. It has a moment for that once it has taken them.
 */
static void wait_until_read(int fd)
{
	int unread = 1;

	for (int ms = 0; unread > 0 && ms < READ_PATIENCE_MS; ms += READ_MS) {
		if (ioctl(fd, SIOCOUTQ, &unread) < 0)
			return;
		(void)poll(NULL, 0, READ_MS);
	}
}

/* "NAME=value\n", or where the value has a newline of its own "NAME\n", its length in 64 bits, the value, "\n". */
static void add_journal(struct tw_text *text, const struct tw_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		const char *field = record->fields[i].text;
		size_t length = record->fields[i].length;
		size_t value_at = record->fields[i].name_length + 1;
		uint64_t value_length = htole64(length - value_at);

		if (memchr(field, '\n', length)) {
			tw_text_add_bytes(text, field, value_at - 1);
			tw_text_add_char(text, '\n');
			tw_text_add_bytes(text, (const char *)&value_length, sizeof(value_length));
			field += value_at;
			length -= value_at;
		}
		tw_text_add_bytes(text, field, length);
		tw_text_add_char(text, '\n');
	}
}

/* The address goes with each record, so that a journald that starts anew is found again. */
static int send_header(struct tw_record_sink *sink, struct msghdr header)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(sink->journal_path);

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, sink->journal_path, length);
	header.msg_name = &address;
	header.msg_namelen = sizeof(address);
	if (sendmsg(sink->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return tw_errno();
	sink->sent = true;
	return 0;
}

/* journald takes a file only where nobody can change it any more. */
static int write_sealed(int fd, const struct tw_text *text)
{
	ssize_t written = write(fd, text->bytes, text->length);

	if (written < 0)
		return tw_errno();
	if ((size_t)written != text->length)
		return -ENOSPC;
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0 ? tw_errno() : 0;
}

/* For what is too big for a datagram: the record as a file in memory, its descriptor alone in the datagram. */
static int send_by_file(struct tw_record_sink *sink, const struct tw_text *text)
{
	TW_CLEANUP_CLOSE int fd = memfd_create("timewaitd-record", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr header = { .msg_control = &control, .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
	int r;

	if (fd < 0)
		return tw_errno();
	r = write_sealed(fd, text);
	if (r < 0)
		return r;
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	return send_header(sink, header);
}

static int put_journal(struct tw_record_sink *sink, const struct tw_text *text)
{
	struct iovec piece = { .iov_base = text->bytes, .iov_len = text->length };
	int r = send_header(sink, (struct msghdr){ .msg_iov = &piece, .msg_iovlen = 1 });

	/* EMSGSIZE: more than the send buffer holds. ENOBUFS: no memory in one piece for it. */
	return r == -EMSGSIZE || r == -ENOBUFS ? send_by_file(sink, text) : r;
}

/* ---- both */

static int put(struct tw_record_sink *sink, uint64_t lost)
{
	struct timespec now = { 0 };
	struct tw_text text;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	tw_text_init(&text, sink->line, sizeof(sink->line));
	switch (sink->log) {
	case TW_LOG_JOURNAL:
		add_journal(&text, &sink->record);
		break;
	case TW_LOG_TEXT:
		add_text(sink, &text, &now, lost);
		break;
	case TW_LOG_JSON:
		add_json(sink, &text, &now);
		break;
	}
	/* Half an object is none. */
	if (text.cut)
		return -EMSGSIZE;
	return sink->log == TW_LOG_JOURNAL ? put_journal(sink, &text) : put_line(sink, &text);
}

static void tell(struct tw_recorder *recorder, const char *namespace, const struct tw_event *event)
{
	struct tw_record_sink *sink = (struct tw_record_sink *)recorder;
	uint64_t lost = sink->dropped - sink->told;
	bool said = true;

	/* The rest of the line before is still where the next one would be. */
	if (complete_line(sink) < 0) {
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
	r = log == TW_LOG_JOURNAL ? open_journal(sink, journal_path) : open_lines(sink, fd);
	if (r < 0) {
		free(sink);
		return r;
	}
	*ret = sink;
	return 0;
}

struct tw_record_sink *tw_record_sink_free(struct tw_record_sink *sink)
{
	if (!sink)
		return NULL;
	(void)complete_line(sink);
	if (sink->sent)
		wait_until_read(sink->fd);
	if (sink->ours)
		(void)tw_close(sink->fd);
	free(sink);
	return NULL;
}
