/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sinkd: the other side of churn. Accepts connections and closes each when its peer has; or first (then TIME-WAIT is
 * on this side), or never (then CLOSE-WAIT piles up here). Says "ready" once it listens.
 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* The most that somaxconn allows by default. */
#define BACKLOG 4096
#define EVENTS 256

enum manner {
	CLOSE_AFTER, /* when the peer has closed */
	CLOSE_FIRST,
	HOLD,
};

static _Noreturn void usage(int status)
{
	fputs("Usage: sinkd [--close-first | --hold] ADDRESS PORT\n"
	      "Accept connections on ADDRESS PORT; close each after the peer has, or first, or never.\n"
	      "Prints \"ready\" once it listens. Ends by SIGTERM. Exit status: 1 failure, 2 usage.\n",
	      status ? stderr : stdout);
	exit(status);
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "sinkd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int listen_on(const char *address, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *found;
	int fd, one = 1;

	if (getaddrinfo(address, port, &hints, &found) != 0)
		usage(2);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		fail("SO_REUSEADDR");
	if (bind(fd, found->ai_addr, found->ai_addrlen) < 0)
		fail("bind");
	if (listen(fd, BACKLOG) < 0)
		fail("listen");
	freeaddrinfo(found);
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		fail("epoll_ctl");
}

/* Takes what waits in the queue. A peer that went away in between is nobody's fault. */
static void accept_all(int listener, int epoll, enum manner manner)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EAGAIN || errno == EMFILE))
			return;
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			fail("accept");
		if (manner == CLOSE_FIRST)
			(void)close(fd);
		else if (manner == CLOSE_AFTER)
			watch(epoll, fd);
		/* HOLD: the descriptor is leaked on purpose. */
	}
}

/* Reads what came; at its end, closes. */
static void drain(int fd)
{
	char bytes[4096];
	ssize_t n;

	do
		n = read(fd, bytes, sizeof(bytes));
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 || errno != EAGAIN)
		(void)close(fd);
}

static _Noreturn void serve(int listener, enum manner manner)
{
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		fail("epoll_create1");
	watch(epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		if (n < 0 && errno != EINTR)
			fail("epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				accept_all(listener, epoll, manner);
			else
				drain(events[i].data.fd);
		}
	}
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "close-first", no_argument, NULL, 'f' },
		{ "hold", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	enum manner manner = CLOSE_AFTER;
	struct rlimit limit;
	int option, listener;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			manner = CLOSE_FIRST;
		else if (option == 'k')
			manner = HOLD;
		else
			usage(option == 'h' ? 0 : 2);
	}
	if (argc - optind != 2)
		usage(2);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	listener = listen_on(argv[optind], argv[optind + 1]);
	puts("ready");
	(void)fflush(stdout);
	serve(listener, manner);
}
