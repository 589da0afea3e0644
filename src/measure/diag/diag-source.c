/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/diag/diag-source.h"

#include "base/fd.h"
#include "base/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The most that the kernel puts into a datagram of a dump: net/netlink/af_netlink.c, netlink_recvmsg(). */
#define TW_DATAGRAM_MAX 32768
/* A dump never pauses: each datagram is made in the recvmsg() that fetches the one before. */
#define TW_SILENCE_SECONDS 5

struct tw_diag_source {
	struct mnl_socket *socket;
	uint32_t sequence;
	bool refused; /* the kernel is still busy with an older dump: ask again at its end */
	size_t request_length;
	uint8_t request[TW_DIAG_REQUEST_MAX];
	_Alignas(struct nlmsghdr) uint8_t datagram[TW_DATAGRAM_MAX];
};

int tw_diag_source_new(struct tw_diag_source **ret)
{
	struct timeval silence = { .tv_sec = TW_SILENCE_SECONDS };
	struct tw_diag_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return -ENOMEM;
	source->socket = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!source->socket || mnl_socket_bind(source->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(source->socket), SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) < 0) {
		r = tw_errno();
		(void)tw_diag_source_free(source);
		return r;
	}
	*ret = source;
	return 0;
}

struct tw_diag_source *tw_diag_source_free(struct tw_diag_source *source)
{
	if (source) {
		if (source->socket)
			(void)mnl_socket_close(source->socket);
		free(source);
	}
	return NULL;
}

static int send_request(struct tw_diag_source *source)
{
	ssize_t n;

	do
		n = mnl_socket_sendto(source->socket, source->request, source->request_length);
	while (n < 0 && errno == EINTR);
	return n < 0 ? tw_errno() : 0;
}

int tw_diag_source_begin(struct tw_diag_source *source, const struct tw_diag_query *query, uint32_t *ret_sequence)
{
	int r;

	source->sequence++;
	source->refused = false;
	source->request_length = tw_diag_build_dump(source->request, query, source->sequence);
	r = send_request(source);
	if (r < 0)
		return r;
	*ret_sequence = source->sequence;
	return 0;
}

/* A datagram from the kernel itself: whoever may send to this socket must not be believed. */
static int receive(struct tw_diag_source *source, size_t *ret_length)
{
	struct sockaddr_nl from = { 0 };
	struct iovec vector = { .iov_base = source->datagram, .iov_len = sizeof(source->datagram) };
	struct msghdr message;
	ssize_t n;

	do {
		message = (struct msghdr){
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &vector,
			.msg_iovlen = 1,
		};
		n = recvmsg(mnl_socket_get_fd(source->socket), &message, 0);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : tw_errno();
	if ((message.msg_flags & MSG_TRUNC) || (size_t)n < sizeof(struct nlmsghdr))
		return -EPROTO;
	*ret_length = (size_t)n;
	return 0;
}

/* Whether the kernel turned the request down because an older dump, given up halfway, is not at its end. */
static bool is_refusal(struct tw_netlink_rest datagram)
{
	struct tw_netlink_rest body;
	struct nlmsghdr header;
	int status;

	return tw_netlink_next(&datagram, &header, &body) > 0 && header.nlmsg_type == NLMSG_ERROR &&
	       tw_netlink_status(&body, &status) == 0 && status == -EBUSY;
}

static bool ends_dump(struct tw_netlink_rest datagram)
{
	struct tw_netlink_rest body;
	struct nlmsghdr header;

	while (tw_netlink_next(&datagram, &header, &body) > 0)
		if (header.nlmsg_type == NLMSG_DONE)
			return true;
	return false;
}

/* Returns 1 when the datagram in the buffer is of the dump asked for, 0 when it is to be passed over, or -errno. */
static int sift(struct tw_diag_source *source, size_t length)
{
	const struct tw_netlink_rest datagram = { source->datagram, length };
	struct nlmsghdr header;

	memcpy(&header, source->datagram, sizeof(header));
	if (header.nlmsg_seq == source->sequence) {
		source->refused = is_refusal(datagram);
		return source->refused ? 0 : 1;
	}
	if (source->refused && ends_dump(datagram)) {
		source->refused = false;
		return send_request(source);
	}
	return 0;
}

int tw_diag_source_next(struct tw_diag_source *source, const void **ret_datagram, size_t *ret_length)
{
	size_t length = 0;
	int r;

	do {
		r = receive(source, &length);
		if (r == 0)
			r = sift(source, length);
	} while (r == 0);
	if (r < 0)
		return r;
	*ret_datagram = source->datagram;
	*ret_length = length;
	return 0;
}

int tw_diag_source_idle(struct tw_diag_source *source, const struct tw_flow *flow, struct tw_idle *ret)
{
	const void *datagram;
	size_t length;
	int r;

	source->sequence++;
	source->refused = false;
	source->request_length = tw_diag_build_one(source->request, flow, TW_DIAG_INFO, source->sequence);
	r = send_request(source);
	if (r < 0)
		return r;
	r = tw_diag_source_next(source, &datagram, &length);
	return r < 0 ? r : tw_diag_parse_one(datagram, length, source->sequence, ret);
}
