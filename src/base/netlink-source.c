/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In base/, for those who measure and those who act ask by it, and do not know each other. */
#include "base/netlink-source.h"

#include "base/fd.h"

#include <sys/socket.h>
#include <sys/time.h>

/* Each answer is made in the sendto() that asks for it, or in the recvmsg() that fetches the one before. */
#define SILENCE_SECONDS 5

int tw_netlink_open(const struct tw_netns *netns, struct mnl_socket **ret)
{
	struct timeval silence = { .tv_sec = SILENCE_SECONDS };
	struct mnl_socket *socket;
	int r = tw_netns_enter(netns);

	if (r < 0)
		return r;
	socket = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) < 0)
		r = tw_errno();
	tw_netns_leave(netns);
	if (r < 0) {
		(void)tw_netlink_close(socket);
		return r;
	}
	*ret = socket;
	return 0;
}

struct mnl_socket *tw_netlink_close(struct mnl_socket *socket)
{
	if (socket)
		(void)mnl_socket_close(socket);
	return NULL;
}

int tw_netlink_send(const struct mnl_socket *socket, const void *request, size_t length)
{
	ssize_t n;

	do
		n = mnl_socket_sendto(socket, request, length);
	while (n < 0 && errno == EINTR);
	return n < 0 ? tw_errno() : 0;
}

int tw_netlink_receive(const struct mnl_socket *socket, void *buffer, size_t capacity, size_t *ret_length)
{
	struct sockaddr_nl from = { 0 };
	struct iovec vector = { .iov_base = buffer, .iov_len = capacity };
	struct msghdr message;
	ssize_t n;

	do {
		message = (struct msghdr){
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &vector,
			.msg_iovlen = 1,
		};
		n = recvmsg(mnl_socket_get_fd(socket), &message, 0);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : tw_errno();
	if ((message.msg_flags & MSG_TRUNC) || (size_t)n < sizeof(struct nlmsghdr))
		return -EPROTO;
	*ret_length = (size_t)n;
	return 0;
}
