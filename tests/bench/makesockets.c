/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * makesockets: fills the network namespace that it runs in with TCP sockets, fast, and keeps them there until it is
 * ended. A million in TIME-WAIT must stand at once, and each lasts 60 seconds; so both ends are here, on the loopback
 * interface, one process a core makes them, and as many as expire are made anew. ESTABLISHED ones have one end only:
 * a socket under TCP_REPAIR is connected without a packet.
 */
#include "bench/work.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The namespace must have 10.0.0.0/8 as local addresses; the caller sees to it. */
#define SOURCES 0x0a000001u /* 10.0.0.1 and on */
#define SOURCE_COUNT 200u
#define DESTINATIONS 0x0a800001u /* 10.128.0.1 and on */
#define DESTINATION_PORT 7000
/* Local ports: the caller opens ip_local_port_range so far, so that they count as what connect() picks. */
#define PORT_FIRST 10000u
#define PORT_COUNT 50000u
/* The most a process may have: fs.nr_open as the kernel sets it. */
#define DESCRIPTORS_MAX (1u << 20)
/* Descriptors that a worker keeps for itself. */
#define DESCRIPTORS_SPARE 32
#define BACKLOG 1024
/* How often what has expired is made anew. */
#define REFILL_NSEC 20000000

struct work {
	bool established;
	uint64_t total, destinations; /* of all workers together */
	unsigned worker, workers;
	uint64_t spread_ns; /* from the first to the last; 0: as fast as can be */
	uint64_t began_ns;
	int listener;
};

static _Noreturn void usage(void)
{
	fputs("Usage: makesockets time-wait|established NUMBER DESTINATIONS [SECONDS]\n"
	      "Hold NUMBER sockets from 10.0.0.x towards DESTINATIONS addresses, made over at least so many SECONDS.\n"
	      "Prints \"ready\" and the milliseconds that it took once they are there. Ends by SIGTERM. Exit status:\n"
	      "1 failure, 2 usage.\n",
	      stderr);
	exit(2);
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "makesockets: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in address(uint32_t host, unsigned port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(host),
		.sin_port = htons((uint16_t)port),
	};
}

static int listen_here(unsigned port)
{
	struct sockaddr_in any = address(INADDR_ANY, port);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		fail("SO_REUSEADDR");
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		fail("bind");
	if (listen(fd, BACKLOG) < 0)
		fail("listen");
	return fd;
}

/* Under repair, bind() does not walk over all that hold the port: thousands here, towards as many destinations. */
static void set_repair(int fd, int on)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
		fail("TCP_REPAIR");
}

/*
 * The n-th connection. One source serves all destinations, and the next one steps in where its ports are used up: as on
 * a machine with few addresses. The ports are named, so that the kernel need not look for them.
 */
static int connect_nth(const struct work *work, uint64_t n)
{
	uint64_t serial = n / work->destinations;
	struct sockaddr_in from = address(SOURCES + (uint32_t)(serial / PORT_COUNT % SOURCE_COUNT),
					  PORT_FIRST + (unsigned)(serial % PORT_COUNT));
	struct sockaddr_in to = address(DESTINATIONS + (uint32_t)(n % work->destinations), DESTINATION_PORT);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	set_repair(fd, 1);
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		fail("bind");
	if (!work->established)
		set_repair(fd, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		fail("connect");
	return fd;
}

/*
 * The connecting end closes first: it is the one that waits. The other end may be that of another worker's connection,
 * which then takes this one; very rarely that one is not closed yet, and waits at the wrong end.
 */
static void make_time_wait(const struct work *work, uint64_t n)
{
	int near = connect_nth(work, n), far;

	(void)close(near);
	far = accept4(work->listener, NULL, NULL, SOCK_CLOEXEC);
	if (far < 0)
		fail("accept");
	(void)close(far);
}

/* "TCP: inuse 5 orphan 0 tw 3 ..." of all workers together. */
static uint64_t count_time_wait(void)
{
	FILE *file = fopen("/proc/net/sockstat", "re");
	uint64_t count = 0;
	char line[256];

	if (!file)
		fail("/proc/net/sockstat");
	while (fgets(line, sizeof(line), file))
		(void)sscanf(line, "TCP: inuse %*u orphan %*u tw %" SCNu64, &count);
	(void)fclose(file);
	return count;
}

static _Noreturn void keep_time_wait(const struct work *work, uint64_t next)
{
	const struct timespec pause = { .tv_nsec = REFILL_NSEC };

	for (;;) {
		uint64_t count = count_time_wait();

		for (uint64_t end = next + (work->total > count ? work->total - count : 0); next < end;
		     next += work->workers)
			make_time_wait(work, next);
		(void)nanosleep(&pause, NULL);
	}
}

/*
 * Waits until the n-th is due, a few at a time. What is made in a burst expires in one, is made anew in one, and looks
 * like a rush of connections each time.
 */
static void await_turn(const struct work *work, uint64_t n)
{
	uint64_t due_ns = (uint64_t)((unsigned __int128)work->spread_ns * n / work->total);
	uint64_t at_ns = work_clock_ns(CLOCK_MONOTONIC) - work->began_ns;
	struct timespec pause;

	if (due_ns < at_ns + REFILL_NSEC)
		return;
	pause = (struct timespec){ .tv_sec = (time_t)((due_ns - at_ns) / 1000000000u),
				   .tv_nsec = (long)((due_ns - at_ns) % 1000000000u) };
	(void)nanosleep(&pause, NULL);
}

/* Each worker makes every so-manieth connection. */
static _Noreturn void make(const struct work *work, int ready, int go)
{
	uint64_t n = work->worker;
	char byte;

	for (; n < work->total; n += work->workers) {
		if (work->spread_ns > 0)
			await_turn(work, n);
		if (work->established)
			(void)connect_nth(work, n);
		else
			make_time_wait(work, n);
	}
	if (write(ready, "r", 1) != 1 || read(go, &byte, 1) != 1)
		fail("the other workers");
	if (!work->established)
		keep_time_wait(work, n);
	for (;;)
		(void)pause();
}

/* As many as it takes to hold so many descriptors, with as many each as this process may be allowed. */
static unsigned workers_for(uint64_t sockets)
{
	struct rlimit limit = { .rlim_cur = DESCRIPTORS_MAX, .rlim_max = DESCRIPTORS_MAX };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
		if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
			fail("RLIMIT_NOFILE");
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			fail("RLIMIT_NOFILE");
	}
	return (unsigned)(sockets / (limit.rlim_cur - DESCRIPTORS_SPARE)) + 1;
}

/* Where one worker fails, its share is missing: the others end with this process. */
static void end(int signal_number)
{
	(void)signal_number;
	_exit(1);
}

static void start_worker(const struct work *work, int ready, int go)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child > 0)
		return;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail("PR_SET_PDEATHSIG");
	make(work, ready, go);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || value == 0 || *end != '\0')
		usage();
	return value;
}

static void wait_for_workers(int ready, unsigned workers)
{
	struct timespec began, ended;
	char byte;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	for (unsigned i = 0; i < workers; i++) {
		if (read(ready, &byte, 1) != 1)
			fail("read");
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("ready %" PRIu64 " ms\n", (uint64_t)(ended.tv_sec - began.tv_sec) * 1000 +
						 (uint64_t)ended.tv_nsec / 1000000 - (uint64_t)began.tv_nsec / 1000000);
	(void)fflush(stdout);
}

int main(int argc, char *argv[])
{
	struct work work = { 0 };
	int ready[2], go[2];

	if (argc < 4 || argc > 5 || (strcmp(argv[1], "time-wait") != 0 && strcmp(argv[1], "established") != 0))
		usage();
	work.established = strcmp(argv[1], "established") == 0;
	work.total = number(argv[2]);
	work.destinations = number(argv[3]);
	work.spread_ns = argc > 4 ? number(argv[4]) * 1000000000u : 0;
	work.began_ns = work_clock_ns(CLOCK_MONOTONIC);
	if (work.established) {
		work.workers = workers_for(work.total);
	} else {
		work.workers = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
		work.listener = listen_here(DESTINATION_PORT);
	}
	if (pipe(ready) < 0 || pipe(go) < 0)
		fail("pipe");
	if (signal(SIGCHLD, end) == SIG_ERR)
		fail("SIGCHLD");
	for (work.worker = 0; work.worker < work.workers; work.worker++)
		start_worker(&work, ready[1], go[0]);
	wait_for_workers(ready[0], work.workers);
	for (unsigned i = 0; i < work.workers; i++) {
		if (write(go[1], "g", 1) != 1)
			fail("write");
	}
	for (;;)
		(void)pause();
}
