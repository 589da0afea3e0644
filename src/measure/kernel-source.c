/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/kernel-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/netlink-source.h"
#include "measure/proc/cgroup-source.h"
#include "measure/proc/proc-source.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>

/* The most that the kernel puts into a datagram of a dump: net/netlink/af_netlink.c, netlink_recvmsg(). */
#define DATAGRAM_MAX 32768

/* The first with TCP_BOUND_INACTIVE: commit 91051f003948. */
#define BOUND_MAJOR 6
#define BOUND_MINOR 8

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

struct kernel_source {
	struct tw_source base;	      /* first: the face is the object */
	const struct tw_netns *netns; /* borrows */
	struct tw_proc_source proc;
	uint8_t *datagram;	 /* the last one of an answer, DATAGRAM_MAX bytes; NULL while it rests */
	struct mnl_socket *diag; /* of sock_diag(7); NULL while it rests */
	bool diag_used;		 /* more than the next answer may come by it */
	uint32_t sequence;	 /* of the last request */
	int exclusive_fd;	 /* negative until it is asked */
	struct tw_cgroup_source *cgroups;
	bool borrows_cgroups;
	uint64_t scan_began_ms; /* CLOCK_MONOTONIC */
};

static struct kernel_source *of(struct tw_source *base)
{
	return (struct kernel_source *)base;
}

/* ---- files */

static void rest(struct tw_source *base)
{
	struct kernel_source *source = of(base);

	tw_proc_source_close(&source->proc, false);
	source->diag = tw_netlink_close(source->diag);
	source->exclusive_fd = tw_close(source->exclusive_fd);
	free(source->datagram);
	source->datagram = NULL;
}

static int open_files(struct kernel_source *source, bool activity)
{
	int r = tw_netns_enter(source->netns);

	if (r < 0)
		return r;
	r = tw_proc_source_open(&source->proc, activity);
	tw_netns_leave(source->netns);
	return r;
}

/* A socket by which nothing else can come: what is left of a dump that was given up goes with the old one. */
static int renew_diag(struct kernel_source *source)
{
	if (source->diag && !source->diag_used)
		return 0;
	source->diag = tw_netlink_close(source->diag);
	source->diag_used = false;
	return tw_netlink_open(source->netns, &source->diag);
}

static int wake(struct kernel_source *source)
{
	int r;

	if (source->datagram)
		return 0;
	source->datagram = malloc(DATAGRAM_MAX);
	r = source->datagram ? open_files(source, false) : -ENOMEM;
	if (r >= 0)
		r = renew_diag(source);
	if (r < 0)
		rest(&source->base);
	return r;
}

static int activity(struct tw_source *base, bool deep, struct tw_activity *ret)
{
	return tw_proc_source_activity(&of(base)->proc, deep, ret);
}

static int gauge(struct tw_source *base, struct tw_gauge *ret)
{
	int r = wake(of(base));

	return r < 0 ? r : tw_proc_source_gauge(&of(base)->proc, ret);
}

static void refresh(struct tw_source *base)
{
	of(base)->proc.slow_left = 0;
}

static int port_range(struct tw_source *base, struct tw_port_set *ret)
{
	struct tw_live_value range;

	return tw_proc_source_ports(&of(base)->proc, &range, ret);
}

/* ---- dumps */

static int ask(struct kernel_source *source, const void *request, size_t length)
{
	int r = renew_diag(source);

	if (r < 0)
		return r;
	source->diag_used = true;
	return tw_netlink_send(source->diag, request, length);
}

static int dump_begin(struct tw_source *base, const struct tw_diag_query *query, uint32_t *ret_sequence)
{
	uint8_t request[TW_DIAG_REQUEST_MAX];
	int r = ask(of(base), request, tw_diag_build_dump(request, query, ++of(base)->sequence));

	if (r < 0)
		return r;
	*ret_sequence = of(base)->sequence;
	return 0;
}

static int dump_next(struct tw_source *base, const void **ret_datagram, size_t *ret_length)
{
	int r = tw_netlink_receive(of(base)->diag, of(base)->datagram, DATAGRAM_MAX, ret_length);

	if (r >= 0)
		*ret_datagram = of(base)->datagram;
	return r;
}

static uint64_t now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void scan_begin(struct tw_source *base)
{
	struct kernel_source *source = of(base);

	/* Of the last one, if that asked: tcp_fastopen may be another by now, and nothing is kept open for long. */
	source->exclusive_fd = tw_close(source->exclusive_fd);
	source->scan_began_ms = now_ms();
	tw_cgroup_source_allow_walk(source->cgroups);
}

static uint32_t before(uint32_t ms, uint64_t since_ms)
{
	return ms > since_ms ? (uint32_t)(ms - since_ms) : 0;
}

static int idle(struct tw_source *base, const struct tw_flow *flow, struct tw_idle *ret)
{
	struct kernel_source *source = of(base);
	uint8_t request[TW_DIAG_REQUEST_MAX];
	uint64_t since_begin_ms;
	struct tw_idle now;
	size_t length;
	int r = ask(source, request, tw_diag_build_one(request, flow, TW_DIAG_INFO, ++source->sequence));

	if (r >= 0)
		r = tw_netlink_receive(source->diag, source->datagram, DATAGRAM_MAX, &length);
	if (r >= 0) {
		source->diag_used = false;
		r = tw_diag_parse_one(source->datagram, length, source->sequence, &now);
	}
	if (r < 0)
		return r;
	/* After the answer, so that none is told too high. */
	since_begin_ms = now_ms() - source->scan_began_ms;
	*ret = (struct tw_idle){ before(now.data_sent_ms, since_begin_ms), before(now.ack_received_ms, since_begin_ms),
				 now.timestamps };
	return 0;
}

static int unit(struct tw_source *base, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	return tw_cgroup_source_unit(of(base)->cgroups, cgroup_id, ret);
}

/*
 * ---- which ports are exclusive
 *
 * Without a packet: connect() with TCP_FASTOPEN_CONNECT and TCP_FASTOPEN_NO_COOKIE chooses a port and then waits for
 * data, and IP_LOCAL_PORT_RANGE (Linux 6.3) lets it choose from one port alone. Towards a loopback address that nobody
 * has in use, only what is known of the port itself can refuse it.
 */

/* In its namespace. A kernel that does not know the range would choose a port of its own: so that is asked for first.
 */
static int open_exclusive(void)
{
	TW_CLEANUP_CLOSE int fd = -1;
	int yes = 1, all = 0;
	char black_hole[32];
	long n = tw_file_read(AT_FDCWD, BLACK_HOLE_PATH, black_hole, sizeof(black_hole));

	if (n < 0)
		return (int)n;
	if (strcmp(black_hole, "0\n") != 0)
		return -EOPNOTSUPP;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &all, sizeof(all)) < 0)
		return tw_errno();
	return TW_TAKE_FD(fd);
}

/* Returns 1 where it is exclusive, 0 where it is not, or -errno. */
static int ask_port(int fd, uint16_t port)
{
	const struct sockaddr_in peer = {
		.sin_family = AF_INET,
		/*
		 * Each process asks towards another one: of two that did it at once towards the same, each would find
		 * the other's in its way, and take the port for exclusive.
		 */
		.sin_port = htons((uint16_t)(getpid() % UINT16_MAX + 1)),
		.sin_addr.s_addr = htonl(PEER_ADDRESS),
	};
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	uint32_t range = (uint32_t)port << 16 | port;

	if (setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range)) < 0)
		return tw_errno();
	if (connect(fd, (const struct sockaddr *)&peer, sizeof(peer)) < 0)
		return errno == EADDRNOTAVAIL ? 1 : tw_errno();
	/* Gives the port back. */
	return connect(fd, &none, sizeof(none)) < 0 ? tw_errno() : 0;
}

static int exclusive(struct tw_source *base, const uint16_t *ports, unsigned count, bool *ret_exclusive)
{
	struct kernel_source *source = of(base);
	int r = 0;

	if (source->exclusive_fd < 0) {
		r = tw_netns_enter(source->netns);
		if (r < 0)
			return r;
		source->exclusive_fd = r = open_exclusive();
		tw_netns_leave(source->netns);
	}
	for (unsigned i = 0; r >= 0 && i < count; i++) {
		r = ask_port(source->exclusive_fd, ports[i]);
		if (r >= 0)
			ret_exclusive[i] = r;
	}
	return r < 0 ? r : 0;
}

/* ---- the source */

int tw_kernel_source_new(const struct tw_netns *netns, struct tw_source *lender, struct tw_source **ret)
{
	struct kernel_source *source = malloc(sizeof(*source));
	int r;

	if (!source)
		return -ENOMEM;
	*source = (struct kernel_source){
		.base = {
			.activity = activity,
			.rest = rest,
			.gauge = gauge,
			.refresh = refresh,
			.port_range = port_range,
			.scan_begin = scan_begin,
			.dump_begin = dump_begin,
			.dump_next = dump_next,
			.idle = idle,
			.exclusive = exclusive,
			.unit = unit,
		},
		.netns = netns,
		.exclusive_fd = -1,
		.borrows_cgroups = lender,
		.cgroups = lender ? of(lender)->cgroups : tw_cgroup_source_new(NULL, TW_CGROUP_DIRECTORIES_MAX),
	};
	tw_proc_source_init(&source->proc, lender ? &of(lender)->proc : NULL);
	r = source->cgroups ? open_files(source, true) : -ENOMEM;
	if (r >= 0 && !netns)
		r = wake(source);
	if (r < 0)
		(void)tw_kernel_source_free(&source->base);
	else
		*ret = &source->base;
	return r;
}

struct tw_source *tw_kernel_source_free(struct tw_source *base)
{
	if (base) {
		struct kernel_source *source = of(base);

		rest(base);
		tw_proc_source_close(&source->proc, true);
		if (!source->borrows_cgroups)
			source->cgroups = tw_cgroup_source_free(source->cgroups);
		free(source);
	}
	return NULL;
}

bool tw_kernel_source_tells_bound(void)
{
	struct utsname name;
	char *end = NULL;
	unsigned long major = uname(&name) < 0 ? 0 : strtoul(name.release, &end, 10);

	return major > BOUND_MAJOR ||
	       (major == BOUND_MAJOR && *end == '.' && strtoul(end + 1, NULL, 10) >= BOUND_MINOR);
}
