/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faults/inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Wrappers as in inject-calls.c, of the calls that are about sockets. */

int socket(int family, int type, int protocol)
{
	const char *object = family == AF_NETLINK ? "netlink" : family == AF_UNIX ? "unix" : "other";
	int fd;

	FAIL_IF_TOLD("socket", object, -1);
	fd = REAL(socket)(family, type, protocol);
	inject_opened(fd, object);
	return fd;
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	FAIL_IF_TOLD("bind", inject_name(fd), -1);
	return REAL(bind)(fd, address, length);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	FAIL_IF_TOLD("connect", inject_name(fd), -1);
	return REAL(connect)(fd, address, length);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	FAIL_IF_TOLD("getsockname", inject_name(fd), -1);
	return REAL(getsockname)(fd, address, length);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
	FAIL_IF_TOLD("getsockopt", inject_name(fd), -1);
	return REAL(getsockopt)(fd, level, option, value, length);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	FAIL_IF_TOLD("setsockopt", inject_name(fd), -1);
	return REAL(setsockopt)(fd, level, option, value, length);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
	FAIL_IF_TOLD("send", inject_name(fd), -1);
	return REAL(send)(fd, bytes, length, flags);
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t to_length)
{
	FAIL_IF_TOLD("sendto", inject_name(fd), -1);
	if (strcmp(inject_name(fd), "netlink") == 0)
		inject_netlink_request(bytes, length);
	return REAL(sendto)(fd, bytes, length, flags, to, to_length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	FAIL_IF_TOLD("sendmsg", inject_name(fd), -1);
	return REAL(sendmsg)(fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	int error = inject_fault("recvmsg", inject_name(fd));
	long n;

	if (error > 0 && error != INJECT_SHORT) {
		errno = error;
		return -1;
	}
	if (strcmp(inject_name(fd), "netlink") != 0)
		return REAL(recvmsg)(fd, message, flags);
	n = inject_netlink_instead(message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
	if (n > 0)
		return n;
	n = REAL(recvmsg)(fd, message, flags);
	if (n < 0)
		return n;
	if (error == INJECT_SHORT)
		message->msg_flags |= MSG_TRUNC;
	n = inject_netlink(message->msg_iov[0].iov_base, n);
	if (n >= 0)
		return n;
	errno = (int)-n;
	return -1;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	FAIL_IF_TOLD("recvmmsg", inject_name(fd), -1);
	return REAL(recvmmsg)(fd, messages, count, flags, timeout);
}
