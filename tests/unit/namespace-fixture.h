/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A network namespace of the test's own, sockets in it, and the running kernel as a source. */
#include "base/fd.h"
#include "base/macros.h"
#include "measure/kernel-source.h"
#include "measure/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct tw_hash_key secret = { .k0 = 5, .k1 = 6 };

/* Why there is no namespace, or NULL. */
static const char *refused;

static inline int raise_loopback(void)
{
	TW_CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return tw_errno();
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? tw_errno() : 0;
}

static inline void enter_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		refused = strerror(errno);
	else if (raise_loopback() < 0)
		refused = "the loopback interface cannot be raised";
}

static inline void need_namespace(void)
{
	if (!refused)
		return;
	print_message("skipped: no network namespace: %s\n", refused);
	skip();
}

/* In a container they may be read-only even where the namespace is the test's own. */
static inline void need_sysctls(void)
{
	TW_CLEANUP_CLOSE int fd = -1;

	need_namespace();
	fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		return;
	print_message("skipped: no sysctl can be written: %s\n", strerror(errno));
	skip();
}

/* What sockets are bound to from now on; NULL: to none. */
static const char *device;

static inline int open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	if (device)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)), 0);
	return fd;
}

/* `text`: "127.0.0.1" or, for AF_INET6, "::1" or "::ffff:127.0.0.1". */
static inline socklen_t address_of(struct sockaddr_storage *storage, const char *text, uint16_t port)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof(*storage));
	if (strchr(text, ':')) {
		ipv6->sin6_family = AF_INET6;
		ipv6->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &ipv6->sin6_addr), 1);
		return sizeof(*ipv6);
	}
	ipv4->sin_family = AF_INET;
	ipv4->sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, text, &ipv4->sin_addr), 1);
	return sizeof(*ipv4);
}

static inline int bound(const char *text, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(&address, text, port);
	int fd = open_socket(address.ss_family);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	return fd;
}

static inline int listening(const char *text, uint16_t port, int backlog)
{
	int fd = bound(text, port);

	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static inline int connected(const char *text, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(&address, text, port);
	int fd = open_socket(address.ss_family);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
	return fd;
}

/* Ends the client's half, and waits for its acknowledgement, which may be delayed. */
static inline void half_close(int client)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	assert_int_equal(shutdown(client, SHUT_WR), 0);
	for (unsigned ms = 0; info.tcpi_state != TCP_FIN_WAIT2; ms++) {
		assert_true(ms < 60000);
		(void)usleep(1000);
		assert_int_equal(getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
	}
}

static inline int accepted(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static inline struct tw_source *new_source(void)
{
	struct tw_source *source = NULL;

	assert_int_equal(tw_kernel_source_new(NULL, NULL, &source), 0);
	assert_non_null(source);
	return source;
}

static inline void run(struct tw_source *source, enum tw_scan_kind kind, bool derive, usec_t at_usec,
		       struct tw_sample *sample)
{
	TW_CLEANUP_SCAN struct tw_scan *scan = tw_scan_new(&secret);
	TW_CLEANUP_SCAN_PAST struct tw_scan_past past = { 0 };
	struct tw_scan_order order = {
		.kind = kind,
		.derive_time_wait = derive,
		.bound_known = tw_kernel_source_tells_bound(),
		.at_usec = at_usec,
	};
	int r;

	assert_non_null(scan);
	assert_int_equal(source->gauge(source, &order.gauge), 0);
	assert_int_equal(tw_scan_begin(scan, &past, source, &order), 0);
	while ((r = tw_scan_step(scan, source)) > 0)
		;
	assert_int_equal(r, 0);
	sample->gauge = order.gauge;
	tw_scan_results(scan, sample);
	assert_false(sample->census.partial);
}
