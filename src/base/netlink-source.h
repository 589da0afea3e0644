/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/setns-source.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* netlink(7): a socket to ask the kernel by, and what its answers are made of. */

/*
 * A NETLINK_SOCK_DIAG socket (sock_diag(7)) of this network namespace, which it keeps alive. Returns 0, or -errno of
 * setns(2), socket(2), bind(2), setsockopt(2).
 */
int tw_netlink_open(const struct tw_netns *netns, struct mnl_socket **ret);

/* NULL is taken. Returns NULL. */
struct mnl_socket *tw_netlink_close(struct mnl_socket *socket);

/* To the kernel, in one piece. Returns 0 or -errno of sendto(2). */
int tw_netlink_send(const struct mnl_socket *socket, const void *request, size_t length);

/*
 * The next datagram of the kernel itself: whoever else may send to this socket must not be believed.
 * Returns 0; -ETIMEDOUT when the kernel is silent for 5 s; -ENOBUFS when it lost something; -EPROTO for a datagram that
 * does not fit, or is too short for a header; -errno of recvmsg(2).
 */
int tw_netlink_receive(const struct mnl_socket *socket, void *buffer, size_t capacity, size_t *ret_length);

/* What follows is in the header, for a dump of a million messages is walked through by it. */

/* MAX_ERRNO of include/linux/err.h: what a negative number must stay above to be an error. */
#define TW_NETLINK_ERRNO_MAX 4095

/* What is yet to be read of a datagram: any bytes, at any address. */
struct tw_netlink_rest {
	const uint8_t *bytes;
	size_t length;
};

/*
 * The next message (netlink(7)): its header, and in *ret_body what is behind it. Returns 1, 0 where there is none left,
 * or -EPROTO for one that is cut or reaches beyond the datagram. Outputs are untouched but for 1.
 */
static inline int tw_netlink_next(struct tw_netlink_rest *rest, struct nlmsghdr *ret, struct tw_netlink_rest *ret_body)
{
	struct nlmsghdr header;
	size_t step;

	if (rest->length == 0)
		return 0;
	if (rest->length < sizeof(header))
		return -EPROTO;
	memcpy(&header, rest->bytes, sizeof(header));
	if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > rest->length)
		return -EPROTO;
	*ret = header;
	ret_body->bytes = rest->bytes + sizeof(header);
	ret_body->length = header.nlmsg_len - sizeof(header);
	/* The last message may lack its padding. */
	step = NLMSG_ALIGN((size_t)header.nlmsg_len);
	if (step > rest->length)
		step = rest->length;
	rest->bytes += step;
	rest->length -= step;
	return 1;
}

/*
 * The number at the head of the body of NLMSG_ERROR and NLMSG_DONE: 0, a negative errno, or a positive number, which is
 * no error. Returns 0, or -EPROTO where there is none, or one that no errno is; *ret is untouched then.
 */
static inline int tw_netlink_status(const struct tw_netlink_rest *body, int *ret)
{
	int32_t status;

	if (body->length < sizeof(status))
		return -EPROTO;
	memcpy(&status, body->bytes, sizeof(status));
	if (status < -TW_NETLINK_ERRNO_MAX)
		return -EPROTO;
	*ret = status;
	return 0;
}
