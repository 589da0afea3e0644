/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/socket-sink.h"

#include "base/fd.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* From <linux/netlink.h> of Linux 4.3: answers without a copy of the request. */
#ifndef NETLINK_CAP_ACK
#define NETLINK_CAP_ACK 10
#endif
/* An answer is made within the sendmsg() that asks for it, and none is longer than a header, a number and a request. */
#define TW_ANSWER_MAX 256
#define TW_SILENCE_SECONDS 5

struct tw_socket_netlink {
	struct tw_socket_sink sink; /* first: the face is the object */
	struct mnl_socket *socket;
	uint32_t sequence; /* of the next request */
	uint8_t requests[TW_SOCKET_BATCH_MAX][TW_DESTROY_REQUEST_SIZE];
	_Alignas(struct nlmsghdr) uint8_t answers[TW_SOCKET_BATCH_MAX][TW_ANSWER_MAX];
	struct sockaddr_nl from[TW_SOCKET_BATCH_MAX];
	struct iovec vectors[TW_SOCKET_BATCH_MAX];
	struct mmsghdr messages[TW_SOCKET_BATCH_MAX];
};

static struct tw_socket_netlink *of(struct tw_socket_sink *sink)
{
	return (struct tw_socket_netlink *)sink;
}

static int send_requests(struct tw_socket_netlink *netlink, size_t length)
{
	ssize_t n;

	do
		n = mnl_socket_sendto(netlink->socket, netlink->requests, length);
	while (n < 0 && errno == EINTR);
	return n < 0 ? tw_errno() : 0;
}

/* So many datagrams as there are, at least one, at most `wanted`. */
static int receive(struct tw_socket_netlink *netlink, unsigned wanted)
{
	int n;

	for (unsigned i = 0; i < wanted; i++) {
		netlink->vectors[i] = (struct iovec){ netlink->answers[i], TW_ANSWER_MAX };
		netlink->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &netlink->from[i],
			.msg_namelen = sizeof(netlink->from[i]),
			.msg_iov = &netlink->vectors[i],
			.msg_iovlen = 1,
		};
	}
	do
		n = recvmmsg(mnl_socket_get_fd(netlink->socket), netlink->messages, wanted, MSG_WAITFORONE, NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : tw_errno();
	return n;
}

/* Until each request is answered. Whoever else may send to this socket must not be believed. */
static int read_answers(struct tw_socket_netlink *netlink, uint32_t first, unsigned count, int answers[])
{
	unsigned told = 0;

	while (told < count) {
		int n = receive(netlink, count - told);

		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			int r;

			if (netlink->from[i].nl_pid != 0)
				continue;
			r = tw_destroy_parse(netlink->answers[i], netlink->messages[i].msg_len, first, count, answers);
			if (r < 0)
				return r;
			told += (unsigned)r;
		}
	}
	return 0;
}

static int end(struct tw_socket_sink *sink, const struct tw_candidate *rows, unsigned count, int ret_answers[])
{
	struct tw_socket_netlink *netlink = of(sink);
	uint32_t first = netlink->sequence;
	int r;

	if (count == 0 || count > TW_SOCKET_BATCH_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		r = tw_destroy_build(netlink->requests[i], &rows[i], first + i);
		if (r < 0)
			return r;
	}
	/* Also where it fails: an answer that comes late must not be taken for one to the next batch. */
	netlink->sequence += count;
	r = send_requests(netlink, count * sizeof(netlink->requests[0]));
	return r < 0 ? r : read_answers(netlink, first, count, ret_answers);
}

int tw_socket_netlink_new(struct tw_socket_netlink **ret)
{
	struct timeval silence = { .tv_sec = TW_SILENCE_SECONDS };
	TW_CLEANUP_SOCKET_NETLINK struct tw_socket_netlink *netlink = calloc(1, sizeof(*netlink));
	int one = 1;

	if (!netlink)
		return -ENOMEM;
	netlink->sink.end = end;
	netlink->sequence = 1;
	netlink->socket = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!netlink->socket || mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(netlink->socket), SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) < 0)
		return tw_errno();
	/* Longer answers do as well. */
	(void)mnl_socket_setsockopt(netlink->socket, NETLINK_CAP_ACK, &one, sizeof(one));
	*ret = TW_TAKE_PTR(netlink);
	return 0;
}

struct tw_socket_netlink *tw_socket_netlink_free(struct tw_socket_netlink *netlink)
{
	if (netlink) {
		if (netlink->socket)
			(void)mnl_socket_close(netlink->socket);
		free(netlink);
	}
	return NULL;
}

struct tw_socket_sink *tw_socket_netlink_sink(struct tw_socket_netlink *netlink)
{
	return &netlink->sink;
}
