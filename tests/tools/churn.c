/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * churn: a client that opens and closes connections at a steady pace. It closes first, so each connection leaves a
 * socket in TIME-WAIT on its side and holds a local port for a minute. On a busy machine it takes longer, and makes as
 * many. One JSON object a second on standard output, and one with the sums at the end.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC INT64_C(1000000000)
/* Beyond the last errno of Linux (133). */
#define ERRNO_MAX 160
/* A hundred thousand a second is ten times what one core can do here. */
#define RATE_MAX 100000
#define SECONDS_MAX 86400

struct tally {
	uint64_t ok;
	uint64_t failed;
	uint64_t late; /* attempts that the second had no time for: they are made later */
	uint64_t errors[ERRNO_MAX];
};

struct order {
	struct addrinfo *target;
	struct addrinfo *source; /* NULL: as the route says */
	long rate;
	long seconds;
	bool bind_first; /* choose the port when binding the source, which blocks it for everybody else */
	bool close_last; /* wait until the peer has closed: TIME-WAIT is on its side then */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static _Noreturn void usage(int status)
{
	fputs("Usage: churn [--rate N] [--seconds N] [--source ADDRESS [--bind-first]] [--close-last]\n"
	      "             ADDRESS PORT\n"
	      "Connect to ADDRESS PORT N times a second (1000), for N seconds (10) or until as many are made,\n"
	      "and close: at once, or after the peer.\n"
	      "Prints one JSON object a second and one with the sums. Exit status: 0 well, 2 usage.\n",
	      status ? stderr : stdout);
	exit(status);
}

static long parse_number(const char *text, long max)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || end == text || *end || number < 1 || number > max)
		usage(2);
	return number;
}

static struct addrinfo *resolve(const char *address, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *found;

	if (getaddrinfo(address, port, &hints, &found) != 0)
		usage(2);
	return found;
}

static int64_t now_nsec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static void sleep_until(int64_t nsec)
{
	struct timespec until = { .tv_sec = nsec / NSEC_PER_SEC, .tv_nsec = nsec % NSEC_PER_SEC };

	while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

/* Binding to an address alone leaves the choice of the port to connect(), as a client without bind() has it. */
static int bind_source(int fd, const struct addrinfo *source, bool bind_first)
{
	int one = 1;

	if (!source)
		return 0;
	if (!bind_first && setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) < 0)
		return -errno;
	return bind(fd, source->ai_addr, source->ai_addrlen) < 0 ? -errno : 0;
}

static void wait_for_end(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

static int connect_once(const struct order *order)
{
	int fd = socket(order->target->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = bind_source(fd, order->source, order->bind_first);
	if (r == 0 && connect(fd, order->target->ai_addr, order->target->ai_addrlen) < 0)
		r = -errno;
	if (r == 0 && order->close_last)
		wait_for_end(fd);
	(void)close(fd);
	return r;
}

static void print_tally(const char *key, long value, const struct tally *tally)
{
	const char *comma = "";

	printf("{\"%s\":%ld,\"ok\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"late\":%" PRIu64 ",\"errors\":{", key, value,
	       tally->ok, tally->failed, tally->late);
	for (int i = 0; i < ERRNO_MAX; i++) {
		const char *name = strerrorname_np(i);

		if (tally->errors[i] == 0)
			continue;
		printf("%s\"%s\":%" PRIu64, comma, name ? name : "other", tally->errors[i]);
		comma = ",";
	}
	puts("}}");
	(void)fflush(stdout);
}

static void add_tally(struct tally *sum, const struct tally *tally)
{
	sum->ok += tally->ok;
	sum->failed += tally->failed;
	sum->late += tally->late;
	for (int i = 0; i < ERRNO_MAX; i++)
		sum->errors[i] += tally->errors[i];
}

/* One second, with so many attempts at most: each at its time, or at once where that has passed. */
static void run_second(const struct order *order, long most, int64_t start_nsec, struct tally *tally)
{
	for (long i = 0; i < most && !stopped; i++) {
		int64_t due_nsec = start_nsec + i * NSEC_PER_SEC / order->rate;
		int64_t now = now_nsec();
		int r;

		if (now >= start_nsec + NSEC_PER_SEC) {
			tally->late += (uint64_t)(most - i);
			return;
		}
		if (now < due_nsec)
			sleep_until(due_nsec);
		r = connect_once(order);
		if (r == 0) {
			tally->ok++;
		} else {
			tally->failed++;
			tally->errors[-r < ERRNO_MAX ? -r : 0]++;
		}
	}
	sleep_until(start_nsec + NSEC_PER_SEC);
}

static void run(const struct order *order)
{
	struct tally sum = { 0 };
	int64_t start_nsec = now_nsec();
	long second, left = order->rate * order->seconds;

	for (second = 0; left > 0 && !stopped; second++) {
		struct tally tally = { 0 };
		long most = left < order->rate ? left : order->rate;

		run_second(order, most, start_nsec + second * NSEC_PER_SEC, &tally);
		print_tally("second", second + 1, &tally);
		add_tally(&sum, &tally);
		left -= (long)(tally.ok + tally.failed);
	}
	print_tally("total", second, &sum);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "source", required_argument, NULL, 'b' },
		{ "bind-first", no_argument, NULL, 'f' },
		{ "close-last", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct order order = { .rate = 1000, .seconds = 10 };
	struct sigaction action = { .sa_handler = on_signal };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			order.rate = parse_number(optarg, RATE_MAX);
		else if (option == 's')
			order.seconds = parse_number(optarg, SECONDS_MAX);
		else if (option == 'b')
			order.source = resolve(optarg, "0");
		else if (option == 'f')
			order.bind_first = true;
		else if (option == 'l')
			order.close_last = true;
		else
			usage(option == 'h' ? 0 : 2);
	}
	if (argc - optind != 2)
		usage(2);
	order.target = resolve(argv[optind], argv[optind + 1]);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	run(&order);
	freeaddrinfo(order.target);
	if (order.source)
		freeaddrinfo(order.source);
	return 0;
}
