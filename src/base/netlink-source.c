/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In base/, for those who measure and those who act ask by it, and do not know each other. */
#include "base/netlink-source.h"

#include "base/fd.h"

#include <sys/socket.h>
#include <sys/time.h>

/* Each answer is made in the sendto() that asks for it, or in the recvmsg() that fetches the one before. */
#define SILENCE_SECONDS 5

int tw_netlink_open(const struct tw_netns *netns)
{
	struct timeval silence = { .tv_sec = SILENCE_SECONDS };
	TW_CLEANUP_CLOSE int fd = -1;
	int r = tw_netns_enter(netns);

	if (r < 0)
		return r;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) < 0)
		r = tw_errno();
	tw_netns_leave(netns);
	return r < 0 ? r : TW_TAKE_FD(fd);
}

int tw_netlink_send(int fd, const void *request, size_t length)
{
	ssize_t n;

	do
		n = sendto(fd, request, length, 0, NULL, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? tw_errno() : 0;
}

int tw_netlink_receive(int fd, void *buffer, size_t capacity, size_t *ret_length)
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
		n = recvmsg(fd, &message, 0);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : tw_errno();
	if ((message.msg_flags & MSG_TRUNC) || (size_t)n < sizeof(struct nlmsghdr))
		return -EPROTO;
	*ret_length = (size_t)n;
	return 0;
}
