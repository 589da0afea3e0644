/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rawdump: what the kernel alone takes to tell of every TCP socket of this network namespace: the answer is received
 * and never looked at, but for its end. Each line on stdin is one dump, in the manner that the line names:
 *   family   one dump of AF_INET and one of AF_INET6 (SOCK_DIAG_BY_FAMILY)
 *   legacy   one dump of both (TCPDIAG_GETSOCK)
 *   masked   as legacy, but without TIME-WAIT and ESTABLISHED: what the walk alone takes
 *   count    as legacy, but the sockets are counted; its time means nothing
 */
#include "bench/work.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The most that the kernel puts into a datagram of a dump: net/netlink/af_netlink.c, netlink_recvmsg(). */
#define DATAGRAM_MAX 32768
/* An error at the end of a dump may carry more than the plain end that ends_here() knows. */
#define SILENCE_SECONDS 10

struct told {
	uint64_t bytes, datagrams, sockets;
};

static _Alignas(struct nlmsghdr) unsigned char datagram[DATAGRAM_MAX];

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "rawdump: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_diag(void)
{
	struct timeval silence = { .tv_sec = SILENCE_SECONDS };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) < 0)
		fail("NETLINK_SOCK_DIAG");
	return fd;
}

static void ask_family(int fd, uint8_t family)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY },
		.body = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = UINT32_MAX },
	};

	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (send(fd, &request, sizeof(request), 0) != (ssize_t)sizeof(request))
		fail("send");
}

static void ask_legacy(int fd, uint32_t states)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req body;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = TCPDIAG_GETSOCK },
		.body = { .idiag_family = AF_INET, .idiag_states = states },
	};

	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (send(fd, &request, sizeof(request), 0) != (ssize_t)sizeof(request))
		fail("send");
}

/* The kernel puts NLMSG_DONE with its error code behind the last socket. */
static bool ends_here(size_t length)
{
	struct nlmsghdr last;
	const size_t size = NLMSG_SPACE(sizeof(int));

	if (length < size)
		return false;
	memcpy(&last, datagram + length - size, sizeof(last));
	return last.nlmsg_len == size && last.nlmsg_type == NLMSG_DONE;
}

static uint64_t count_sockets(size_t length)
{
	struct nlmsghdr header;
	uint64_t count = 0;

	for (size_t at = 0; at + sizeof(header) <= length; at += NLMSG_ALIGN(header.nlmsg_len)) {
		memcpy(&header, datagram + at, sizeof(header));
		if (header.nlmsg_len < sizeof(header))
			break;
		count += header.nlmsg_type == TCPDIAG_GETSOCK || header.nlmsg_type == SOCK_DIAG_BY_FAMILY;
	}
	return count;
}

static void receive(int fd, bool counting, struct told *told)
{
	size_t length;

	do {
		ssize_t n = recv(fd, datagram, sizeof(datagram), 0);

		if (n < 0)
			fail("recv");
		length = (size_t)n;
		told->bytes += length;
		told->datagrams++;
		if (counting)
			told->sockets += count_sockets(length);
	} while (!ends_here(length));
}

static void dump(int fd, const char *manner)
{
	struct told told = { 0 };
	struct work_clock began = work_clock_read();
	bool counting = strcmp(manner, "count") == 0;
	char more[128];

	if (strcmp(manner, "family") == 0) {
		ask_family(fd, AF_INET);
		receive(fd, false, &told);
		ask_family(fd, AF_INET6);
	} else if (counting || strcmp(manner, "legacy") == 0) {
		ask_legacy(fd, UINT32_MAX);
	} else if (strcmp(manner, "masked") == 0) {
		ask_legacy(fd, ~(UINT32_C(1) << TCP_TIME_WAIT | UINT32_C(1) << TCP_ESTABLISHED));
	} else {
		errno = EINVAL;
		fail(manner);
	}
	receive(fd, counting, &told);
	(void)snprintf(more, sizeof(more),
		       ", \"bytes\": %" PRIu64 ", \"datagrams\": %" PRIu64 ", \"sockets\": %" PRIu64, told.bytes,
		       told.datagrams, told.sockets);
	work_clock_print(&began, 1, more);
}

int main(void)
{
	int fd = open_diag();
	char line[32];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		dump(fd, line);
	}
	(void)close(fd);
	return 0;
}
