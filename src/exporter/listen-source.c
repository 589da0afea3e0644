/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/http-source.h"

#include "base/fd.h"
#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* "127.0.0.1", "[::1]" or nothing, which is any. */
static int parse_host(const char *text, size_t length, struct sockaddr_storage *ret, socklen_t *ret_length)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	char host[INET6_ADDRSTRLEN];
	bool bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';

	if (bracketed) {
		text++;
		length -= 2;
	}
	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	if (!bracketed && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		*ret_length = sizeof(*v4);
		return 0;
	}
	v6->sin6_family = AF_INET6;
	*ret_length = sizeof(*v6);
	if (length == 0 && !bracketed)
		return 0;
	return bracketed && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1 ? 0 : -EINVAL;
}

static int parse(const char *address, struct sockaddr_storage *ret, socklen_t *ret_length)
{
	const char *colon = strrchr(address, ':');
	uint64_t port;
	int r;

	if (!colon || tw_parse_u64(colon + 1, strlen(colon + 1), &port) < 0 || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	r = parse_host(address, (size_t)(colon - address), ret, ret_length);
	/* At the same place in both. */
	((struct sockaddr_in *)ret)->sin_port = htons((uint16_t)port);
	return r;
}

int tw_http_listen(const char *address, int *ret_fd)
{
	struct sockaddr_storage place = { 0 };
	TW_CLEANUP_CLOSE int fd = -1;
	socklen_t length = 0;
	int one = 1, r = parse(address, &place, &length);

	if (r < 0)
		return r;
	fd = socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&place, length) < 0 || listen(fd, SOMAXCONN) < 0)
		return tw_errno();
	*ret_fd = TW_TAKE_FD(fd);
	return 0;
}
