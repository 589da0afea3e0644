/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/diag/exclusive-source.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Newer than some C library's headers: include/uapi/linux/tcp.h and in.h. */
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif
#ifndef TCP_FASTOPEN_NO_COOKIE
#define TCP_FASTOPEN_NO_COOKIE 34
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

/* Where this is not 0, a black hole may turn Fast Open off for a while, and connect() would send a SYN then. */
#define BLACK_HOLE_PATH "/proc/sys/net/ipv4/tcp_fastopen_blackhole_timeout_sec"

/* An address of 127.0.0.0/8 that nothing uses, 127.171.205.2. Nobody is ever connected there: no packet goes. */
#define PEER_ADDRESS UINT32_C(0x7fabcd02)

struct tw_exclusive_source {
	int fd;
	/*
	 * Each process asks towards another one: of two that did it at once towards the same, each would find the
	 * other's in its way, and take the port for exclusive.
	 */
	uint16_t peer_port;
};

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? tw_errno() : 0;
}

static int check_black_hole(void)
{
	TW_CLEANUP_CLOSE int fd = open(BLACK_HOLE_PATH, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[2] = { 0 };

	if (fd < 0 || read(fd, text, sizeof(text)) < 0)
		return tw_errno();
	return text[0] == '0' && text[1] == '\n' ? 0 : -EOPNOTSUPP;
}

static int prepare(int fd)
{
	int r = set(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);

	if (r == 0)
		r = set(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
	/* Before any port is asked about: a kernel that does not know it would choose one of its own. */
	return r < 0 ? r : set(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, 0);
}

int tw_exclusive_source_new(struct tw_exclusive_source **ret)
{
	TW_CLEANUP(tw_exclusive_source_freep) struct tw_exclusive_source *source = calloc(1, sizeof(*source));
	int r = check_black_hole();

	if (!source)
		return -ENOMEM;
	source->fd = -1;
	source->peer_port = (uint16_t)(getpid() % UINT16_MAX + 1);
	if (r < 0)
		return r;
	source->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (source->fd < 0)
		return tw_errno();
	r = prepare(source->fd);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(source);
	return 0;
}

struct tw_exclusive_source *tw_exclusive_source_free(struct tw_exclusive_source *source)
{
	if (source) {
		(void)tw_close(source->fd);
		free(source);
	}
	return NULL;
}

/* Returns 1 where it is exclusive, 0 where it is not, or -errno. */
static int ask_one(const struct tw_exclusive_source *source, uint16_t port)
{
	const struct sockaddr_in peer = {
		.sin_family = AF_INET,
		.sin_port = htons(source->peer_port),
		.sin_addr.s_addr = htonl(PEER_ADDRESS),
	};
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	uint32_t range = (uint32_t)port << 16 | port;

	if (setsockopt(source->fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range)) < 0)
		return tw_errno();
	if (connect(source->fd, (const struct sockaddr *)&peer, sizeof(peer)) < 0)
		return errno == EADDRNOTAVAIL ? 1 : tw_errno();
	/* Gives the port back. */
	return connect(source->fd, &none, sizeof(none)) < 0 ? tw_errno() : 0;
}

int tw_exclusive_source_ask(struct tw_exclusive_source *source, const uint16_t *ports, unsigned count,
			    bool *ret_exclusive)
{
	for (unsigned i = 0; i < count; i++) {
		int r = ask_one(source, ports[i]);

		if (r < 0)
			return r;
		ret_exclusive[i] = r;
	}
	return 0;
}
