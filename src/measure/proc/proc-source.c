/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/proc-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/text.h"
#include "measure/proc/ports-source.h"
#include "measure/proc/procnet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

/* /proc/net/netstat of Linux 6.18 is 4 KiB; with numbers of 20 digits each it would be 8. */
#define NET_TEXT_MAX 16384
/* tcp_mem, the longest of the small ones, is three 64-bit numbers. */
#define SYSCTL_TEXT_MAX 128

enum file {
	FILE_SOCKSTAT,
	FILE_SOCKSTAT6,
	FILE_SNMP,
	FILE_NETSTAT,
	FILE_TCP_MEM,
	FILE_CONNTRACK_COUNT,
	FILE_CONNTRACK_MAX,
	FILE_COUNT,
};

/* thread-self: /proc/net is the first thread's, whatever namespace the calling one is in. */
static const char *const file_paths[FILE_COUNT] = {
	[FILE_SOCKSTAT] = "/proc/thread-self/net/sockstat",
	[FILE_SOCKSTAT6] = "/proc/thread-self/net/sockstat6",
	[FILE_SNMP] = "/proc/thread-self/net/snmp",
	[FILE_NETSTAT] = "/proc/thread-self/net/netstat",
	[FILE_TCP_MEM] = "/proc/sys/net/ipv4/tcp_mem",
	[FILE_CONNTRACK_COUNT] = "/proc/sys/net/netfilter/nf_conntrack_count",
	[FILE_CONNTRACK_MAX] = "/proc/sys/net/netfilter/nf_conntrack_max",
};

/*
 * Of so many gauges, one reads what seldom changes. After a sleep the first sysctl costs 17 us, as its code is in no
 * cache any more, and each that follows 2 us: to read all at once, and seldom, is cheapest.
 */
#define SLOW_EVERY 8
/* tcp_init_mem() makes tcp_mem[2] of a sixteenth of the memory and half of that again: 1 less is on the safe side. */
#define MEMORY_PARTS 16
/* As decide/stepper.c counts pages. */
#define PAGE_BYTES UINT64_C(4096)

struct tw_proc_source {
	int files[FILE_COUNT];
	int sysctls[TW_TUNABLE_COUNT];
	int tcp_mem_fd; /* of the machine; borrows; -1: not shown here */

	/* What seldom changes, as it was read last. */
	unsigned slow_left; /* gauges until it is read again; 0: now */
	struct tw_live_value slow[TW_TUNABLE_COUNT];
	struct tw_count memory_limit_pages, memory_bound_pages, conntrack_count, conntrack_max;
	uint32_t reserved_ports;

	struct tw_ports_source *ports;

	struct tw_proc_layout snmp, netstat;
	char text[NET_TEXT_MAX];
};

static int open_file(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

static int open_sysctl(enum tw_tunable tunable)
{
	char path[256];
	struct tw_text text;

	tw_text_init(&text, path, sizeof(path));
	tw_text_add(&text, "/proc/sys/");
	tw_text_add(&text, tw_tunable_info(tunable)->path);
	if (text.cut)
		errno = ENAMETOOLONG;
	return text.cut ? -1 : open_file(path);
}

/* What this kernel has not stays unknown; what it has and does not give us is a failure. */
static int open_files(struct tw_proc_source *source)
{
	for (unsigned i = 0; i < FILE_COUNT; i++) {
		source->files[i] = open_file(file_paths[i]);
		if (source->files[i] < 0 && (i == FILE_SOCKSTAT || errno != ENOENT))
			return tw_errno();
	}
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		source->sysctls[i] = open_sysctl((enum tw_tunable)i);
		if (source->sysctls[i] < 0 && errno != ENOENT)
			return tw_errno();
	}
	return 0;
}

int tw_proc_source_new(const struct tw_proc_source *lender, struct tw_proc_source **ret)
{
	TW_CLEANUP(tw_proc_source_freep) struct tw_proc_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return -ENOMEM;
	for (unsigned i = 0; i < FILE_COUNT; i++)
		source->files[i] = -1;
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		source->sysctls[i] = -1;
	r = tw_ports_source_new(&source->ports);
	if (r < 0)
		return r;
	r = open_files(source);
	if (r < 0)
		return r;
	source->tcp_mem_fd =
		source->files[FILE_TCP_MEM] < 0 && lender ? lender->tcp_mem_fd : source->files[FILE_TCP_MEM];
	*ret = TW_TAKE_PTR(source);
	return 0;
}

struct tw_proc_source *tw_proc_source_free(struct tw_proc_source *source)
{
	if (source) {
		for (unsigned i = 0; i < FILE_COUNT; i++)
			(void)tw_close(source->files[i]);
		for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
			(void)tw_close(source->sysctls[i]);
		source->ports = tw_ports_source_free(source->ports);
		free(source);
	}
	return NULL;
}

static long read_sysctl(int fd, char text[SYSCTL_TEXT_MAX])
{
	return fd < 0 ? -ENOENT : tw_file_reread(fd, text, SYSCTL_TEXT_MAX);
}

/* The same of one that may be absent, or has gone with its module: 0 then. */
static long read_optional(int fd, char text[SYSCTL_TEXT_MAX])
{
	long n = read_sysctl(fd, text);

	return n == -ENOENT ? 0 : n;
}

static int read_count(int fd, int (*parse)(const char *text, size_t length, uint64_t *ret), struct tw_count *ret)
{
	char text[SYSCTL_TEXT_MAX];
	long n = read_optional(fd, text);

	if (n < 0)
		return (int)n;
	ret->known = parse(text, (size_t)n, &ret->value) == 0;
	return 0;
}

static int read_tunable(const struct tw_proc_source *source, enum tw_tunable tunable, struct tw_live_value *ret)
{
	char text[SYSCTL_TEXT_MAX];
	long n = read_optional(source->sysctls[tunable], text);

	if (n < 0)
		return (int)n;
	ret->known = tw_tunable_parse(tunable, text, (size_t)n, &ret->value) == 0;
	return 0;
}

static int read_sockstat(struct tw_proc_source *source, struct tw_gauge *gauge)
{
	struct tw_procnet_sockstat sockstat;
	long n = tw_file_reread(source->files[FILE_SOCKSTAT], source->text, sizeof(source->text));
	int r;

	if (n < 0)
		return (int)n;
	r = tw_procnet_parse_sockstat(source->text, (size_t)n, &sockstat);
	if (r < 0)
		return r;
	gauge->tcp_inuse = sockstat.inuse;
	gauge->orphan = sockstat.orphan;
	gauge->time_wait = sockstat.time_wait;
	gauge->alloc = sockstat.alloc;
	gauge->memory_pages = sockstat.memory_pages;
	return 0;
}

/* Returns its length, 0 where it is absent or longer than any that we know, or -errno. */
static long reread_optional(struct tw_proc_source *source, enum file file)
{
	long n;

	if (source->files[file] < 0)
		return 0;
	n = tw_file_reread(source->files[file], source->text, sizeof(source->text));
	return n == -EFBIG ? 0 : n;
}

/* What is absent or not understood here stays unknown, or 0 without IPv6. */
static int read_counters(struct tw_proc_source *source, struct tw_gauge *gauge)
{
	long n = reread_optional(source, FILE_SOCKSTAT6);
	struct tw_procnet_snmp snmp = { 0 };

	if (n > 0)
		(void)tw_procnet_parse_sockstat6(source->text, (size_t)n, &gauge->tcp6_inuse);
	if (n >= 0)
		n = reread_optional(source, FILE_SNMP);
	if (n > 0)
		(void)tw_procnet_parse_snmp(source->text, (size_t)n, &source->snmp, gauge->counters, &snmp);
	gauge->established = snmp.established;
	gauge->segments = snmp.segments;
	if (n >= 0)
		n = reread_optional(source, FILE_NETSTAT);
	if (n > 0)
		(void)tw_procnet_parse_netstat(source->text, (size_t)n, &source->netstat, gauge->counters);
	return n < 0 ? (int)n : 0;
}

/* With the reserved ports: they are about the same. */
static int read_range(struct tw_proc_source *source, struct tw_live_value *ret)
{
	struct tw_port_range range;
	int r = tw_ports_source_range(source->ports, &range);

	if (r < 0)
		return r;
	*ret = (struct tw_live_value){ .known = true, .value.numbers = { range.low, range.high } };
	source->reserved_ports = range.reserved;
	return 0;
}

static int read_tunables(struct tw_proc_source *source)
{
	int r = read_range(source, &source->slow[TW_TUNABLE_PORT_RANGE]);

	for (unsigned i = 0; r == 0 && i < TW_TUNABLE_COUNT; i++)
		if (i != TW_TUNABLE_PORT_RANGE)
			r = read_tunable(source, (enum tw_tunable)i, &source->slow[i]);
	return r;
}

/* What the kernel would have made of this machine's memory, where it does not show what somebody made of that. */
static struct tw_count estimate_memory(void)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		return (struct tw_count){ 0 };
	return (struct tw_count){ (uint64_t)info.totalram / PAGE_BYTES * info.mem_unit / MEMORY_PARTS, true };
}

static int read_memory(struct tw_proc_source *source)
{
	int r = read_count(source->tcp_mem_fd, tw_procnet_parse_tcp_mem, &source->memory_bound_pages);

	if (r < 0)
		return r;
	if (source->files[FILE_TCP_MEM] >= 0)
		source->memory_limit_pages = source->memory_bound_pages;
	if (!source->memory_bound_pages.known)
		source->memory_bound_pages = estimate_memory();
	return 0;
}

static int read_limits(struct tw_proc_source *source)
{
	int r = read_memory(source);

	if (r == 0)
		r = read_count(source->files[FILE_CONNTRACK_MAX], tw_procnet_parse_number, &source->conntrack_max);
	if (r == 0)
		r = read_count(source->files[FILE_CONNTRACK_COUNT], tw_procnet_parse_number, &source->conntrack_count);
	return r;
}

/* One that fails is tried again by the next gauge. */
static int read_slow(struct tw_proc_source *source)
{
	int r;

	if (source->slow_left > 0) {
		source->slow_left--;
		return 0;
	}
	r = read_tunables(source);
	if (r == 0)
		r = read_limits(source);
	if (r == 0)
		source->slow_left = SLOW_EVERY - 1;
	return r;
}

void tw_proc_source_refresh(struct tw_proc_source *source)
{
	source->slow_left = 0;
}

int tw_proc_source_gauge(struct tw_proc_source *source, struct tw_gauge *ret)
{
	struct tw_gauge gauge = { 0 };
	int r = read_sockstat(source, &gauge);

	if (r < 0)
		return r;
	r = read_counters(source, &gauge);
	if (r < 0)
		return r;
	r = read_slow(source);
	if (r < 0)
		return r;
	memcpy(gauge.sysctls, source->slow, sizeof(gauge.sysctls));
	gauge.memory_limit_pages = source->memory_limit_pages;
	gauge.memory_bound_pages = source->memory_bound_pages;
	gauge.conntrack_max = source->conntrack_max;
	gauge.conntrack_count = source->conntrack_count;
	gauge.reserved_ports = source->reserved_ports;
	*ret = gauge;
	return 0;
}
