/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-sink.h"

#include "base/fd.h"
#include "base/macros.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

/* How long the end waits for journald, and how often it looks. */
#define READ_PATIENCE_MS 1000
#define READ_MS 20
/* What the kernel doubles and caps at net.core.wmem_max: room for some dozens of flight recorders in the queue. */
#define SEND_BUFFER_BYTES (2 * 1024 * 1024)
/* The pieces of one field: at most name, newline, length, value, newline. */
#define PIECES_PER_FIELD 5

/* A record in the form of the protocol. The pieces point into the record and into `lengths`. */
struct message {
	size_t count;
	struct iovec pieces[TW_RECORD_FIELDS_MAX * PIECES_PER_FIELD];
	uint64_t lengths[TW_RECORD_FIELDS_MAX];
};
_Static_assert(TW_RECORD_FIELDS_MAX *PIECES_PER_FIELD <= 1024, "within IOV_MAX");

int tw_journal_sink_init(struct tw_journal_sink *sink, const char *path)
{
	int size = SEND_BUFFER_BYTES;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return tw_errno();
	/* A smaller buffer only means that more goes by memfd. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*sink = (struct tw_journal_sink){ .fd = fd, .path = path };
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

void tw_journal_sink_done(struct tw_journal_sink *sink)
{
	if (sink->sent)
		wait_until_read(sink->fd);
	sink->fd = tw_close(sink->fd);
}

static void add_piece(struct message *message, const void *bytes, size_t length)
{
	/* sendmsg() and writev() only read, but struct iovec has no const. */
	union {
		const void *from;
		void *to;
	} pointer = { .from = bytes };

	message->pieces[message->count++] = (struct iovec){ .iov_base = pointer.to, .iov_len = length };
}

/* "NAME=value\n", or where the value has a newline of its own "NAME\n", its length in 64 bits, the value, "\n". */
static void build_message(struct message *message, const struct tw_record *record)
{
	message->count = 0;
	for (size_t i = 0; i < record->count; i++) {
		const char *text = record->fields[i].text;
		size_t length = record->fields[i].length;
		size_t value_at = record->fields[i].name_length + 1;

		if (!memchr(text, '\n', length)) {
			add_piece(message, text, length);
			add_piece(message, "\n", 1);
			continue;
		}
		message->lengths[i] = htole64(length - value_at);
		add_piece(message, text, value_at - 1);
		add_piece(message, "\n", 1);
		add_piece(message, &message->lengths[i], sizeof(message->lengths[i]));
		add_piece(message, text + value_at, length - value_at);
		add_piece(message, "\n", 1);
	}
}

/* The address goes with each record, so that a journald that starts anew is found again. */
static int send_header(struct tw_journal_sink *sink, struct msghdr header)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(sink->path);

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, sink->path, length);
	header.msg_name = &address;
	header.msg_namelen = sizeof(address);
	if (sendmsg(sink->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return tw_errno();
	sink->sent = true;
	return 0;
}

/* journald takes a file only where nobody can change it any more. */
static int write_sealed(int fd, const struct message *message)
{
	size_t wanted = 0;
	ssize_t written;

	for (size_t i = 0; i < message->count; i++)
		wanted += message->pieces[i].iov_len;
	written = writev(fd, message->pieces, (int)message->count);
	if (written < 0)
		return tw_errno();
	if ((size_t)written != wanted)
		return -ENOSPC;
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0 ? tw_errno() : 0;
}

/* For what is too big for a datagram: the record as a file in memory, its descriptor alone in the datagram. */
static int send_by_file(struct tw_journal_sink *sink, const struct message *message)
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
	r = write_sealed(fd, message);
	if (r < 0)
		return r;
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	return send_header(sink, header);
}

int tw_journal_sink_put(struct tw_journal_sink *sink, const struct tw_record *record)
{
	struct message message;
	struct msghdr header;
	int r;

	build_message(&message, record);
	header = (struct msghdr){ .msg_iov = message.pieces, .msg_iovlen = message.count };
	r = send_header(sink, header);
	/* EMSGSIZE: more than the send buffer holds. ENOBUFS: no memory in one piece for it. */
	return r == -EMSGSIZE || r == -ENOBUFS ? send_by_file(sink, &message) : r;
}
