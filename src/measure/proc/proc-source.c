/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/proc-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

/* /proc/net/netstat of Linux 6.18 is 4 KiB; with numbers of 20 digits each it would be 8. */
#define NET_TEXT_MAX 16384
/* tcp_mem, the longest of the small ones, is three 64-bit numbers. */
#define SYSCTL_TEXT_MAX 128
/* Every second port as a number of five digits and a comma is 192 KiB. */
#define RESERVED_TEXT_MIN 1024
#define RESERVED_TEXT_MAX (256 * 1024)

/* thread-self: /proc/net is the first thread's, whatever namespace the calling one is in. */
static const char *const paths[TW_PROC_TUNABLES] = {
	[TW_PROCNET_SOCKSTAT] = "/proc/thread-self/net/sockstat",
	[TW_PROCNET_SOCKSTAT6] = "/proc/thread-self/net/sockstat6",
	[TW_PROCNET_SNMP] = "/proc/thread-self/net/snmp",
	[TW_PROCNET_NETSTAT] = "/proc/thread-self/net/netstat",
	[TW_PROC_TCP_MEM] = "/proc/sys/net/ipv4/tcp_mem",
	[TW_PROC_CONNTRACK_COUNT] = "/proc/sys/net/netfilter/nf_conntrack_count",
	[TW_PROC_CONNTRACK_MAX] = "/proc/sys/net/netfilter/nf_conntrack_max",
	[TW_PROC_RESERVED_PORTS] = "/proc/sys/net/ipv4/ip_local_reserved_ports",
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

void tw_proc_source_init(struct tw_proc_source *source, const struct tw_proc_source *lender)
{
	*source = (struct tw_proc_source){ .lender = lender };
	for (unsigned i = 0; i < TW_PROC_COUNT; i++)
		source->fds[i] = -1;
}

int tw_proc_source_open(struct tw_proc_source *source, bool activity)
{
	const unsigned end = activity ? TW_PROC_ACTIVITY_COUNT : TW_PROC_COUNT;

	for (unsigned i = activity ? 0 : TW_PROC_ACTIVITY_COUNT; i < end; i++) {
		char path[256];
		struct tw_text text;

		tw_text_init(&text, path, sizeof(path));
		if (i < TW_PROC_TUNABLES)
			tw_text_add(&text, paths[i]);
		else
			tw_text_addf(&text, "/proc/sys/%s",
				     tw_tunable_info((enum tw_tunable)(i - TW_PROC_TUNABLES))->path);
		source->fds[i] = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (source->fds[i] < 0 &&
		    (errno != ENOENT || i == TW_PROCNET_SOCKSTAT || i == TW_PROC_TUNABLES + TW_TUNABLE_PORT_RANGE))
			return tw_errno();
	}
	return 0;
}

void tw_proc_source_close(struct tw_proc_source *source, bool activity)
{
	for (unsigned i = activity ? 0 : TW_PROC_ACTIVITY_COUNT; i < TW_PROC_COUNT; i++)
		source->fds[i] = tw_close(source->fds[i]);
	source->slow_left = 0;
}

/* Returns its length, 0 where it is absent, has gone with its module, or is longer than any that we know; or -errno. */
static long reread(int fd, char *text, size_t capacity)
{
	long n = fd < 0 ? 0 : tw_file_reread(fd, text, capacity);

	return n == -ENOENT || n == -EFBIG ? 0 : n;
}

/* The first files of enum tw_procnet. What is absent or not understood stays unknown, or 0 without IPv6. */
static int read_net(const struct tw_proc_source *source, unsigned count, struct tw_gauge *gauge)
{
	char text[NET_TEXT_MAX];

	for (unsigned i = 0; i < count; i++) {
		long n = reread(source->fds[i], text, sizeof(text));
		int r = n < 0 ? (int)n : tw_procnet_parse((enum tw_procnet)i, text, (size_t)n, gauge);

		if (n < 0 || (r < 0 && i == TW_PROCNET_SOCKSTAT))
			return r;
	}
	return 0;
}

int tw_proc_source_activity(const struct tw_proc_source *source, bool deep, struct tw_activity *ret)
{
	struct tw_gauge gauge = { 0 };
	int r = read_net(source, deep ? TW_PROC_ACTIVITY_COUNT : TW_PROCNET_SNMP, &gauge);

	if (r < 0)
		return r;
	*ret = (struct tw_activity){ .tcp_inuse = gauge.tcp_inuse,
				     .tcp6_inuse = gauge.tcp6_inuse,
				     .time_wait = gauge.time_wait,
				     .segments = { gauge.segments, deep } };
	return 0;
}

static int read_tunable(const struct tw_proc_source *source, enum tw_tunable tunable, struct tw_live_value *ret)
{
	char text[SYSCTL_TEXT_MAX];
	long n = reread(source->fds[TW_PROC_TUNABLES + tunable], text, sizeof(text));

	if (n < 0)
		return (int)n;
	ret->known = tw_tunable_parse(tunable, text, (size_t)n, &ret->value) == 0;
	return 0;
}

/* The last of so many numbers. */
static int read_number(int fd, unsigned count, struct tw_count *ret)
{
	char text[SYSCTL_TEXT_MAX];
	long n = reread(fd, text, sizeof(text));

	if (n < 0)
		return (int)n;
	ret->known = tw_procnet_parse_numbers(text, (size_t)n, count, &ret->value) == 0;
	return 0;
}

/* Few are the rule. */
static int read_reserved(int fd, struct tw_port_set *ret)
{
	TW_CLEANUP_FREE char *many = NULL;
	char few[RESERVED_TEXT_MIN];
	long n = tw_file_reread(fd, few, sizeof(few));

	if (n == -EFBIG) {
		many = malloc(RESERVED_TEXT_MAX);
		if (!many)
			return -ENOMEM;
		n = tw_file_reread(fd, many, RESERVED_TEXT_MAX);
	}
	return n < 0 ? (int)n : tw_port_set_parse(many ? many : few, (size_t)n, ret);
}

int tw_proc_source_ports(const struct tw_proc_source *source, struct tw_live_value *ret_range, struct tw_port_set *ret)
{
	struct tw_port_set reserved = { 0 };
	struct tw_live_value range = { 0 };
	const int64_t *ends = range.value.numbers;
	int r = read_tunable(source, TW_TUNABLE_PORT_RANGE, &range);

	if (r < 0)
		return r;
	if (!range.known || ends[0] < 0 || ends[0] > ends[1] || ends[1] > UINT16_MAX)
		return -EINVAL;
	if (source->fds[TW_PROC_RESERVED_PORTS] >= 0)
		r = read_reserved(source->fds[TW_PROC_RESERVED_PORTS], &reserved);
	if (r < 0)
		return r;
	tw_port_set_clear(ret);
	tw_port_set_add_range(ret, (uint16_t)ends[0], (uint16_t)ends[1]);
	tw_port_set_subtract(ret, &reserved);
	*ret_range = range;
	return 0;
}

/* What the kernel would have made of this machine's memory, where it does not show what somebody made of that. */
static struct tw_count estimate_memory(void)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		return (struct tw_count){ 0 };
	return (struct tw_count){ (uint64_t)info.totalram / PAGE_BYTES * info.mem_unit / MEMORY_PARTS, true };
}

static int read_memory(const struct tw_proc_source *source, struct tw_gauge *slow)
{
	int fd = source->fds[TW_PROC_TCP_MEM];
	int r = read_number(fd >= 0 || !source->lender ? fd : source->lender->fds[TW_PROC_TCP_MEM], 3,
			    &slow->memory_bound_pages);

	if (fd >= 0)
		slow->memory_limit_pages = slow->memory_bound_pages;
	if (!slow->memory_bound_pages.known)
		slow->memory_bound_pages = estimate_memory();
	return r;
}

/* One that fails is tried again by the next gauge. */
static int read_slow(struct tw_proc_source *source)
{
	struct tw_gauge *slow = &source->slow;
	struct tw_live_value *range = &slow->sysctls[TW_TUNABLE_PORT_RANGE];
	struct tw_port_set usable;
	int r = 0;

	if (source->slow_left > 0) {
		source->slow_left--;
		return 0;
	}
	for (unsigned i = 0; r == 0 && i < TW_TUNABLE_COUNT; i++)
		if (i != TW_TUNABLE_PORT_RANGE)
			r = read_tunable(source, (enum tw_tunable)i, &slow->sysctls[i]);
	if (r == 0)
		r = tw_proc_source_ports(source, range, &usable);
	if (r == 0) {
		slow->reserved_ports =
			(uint32_t)(range->value.numbers[1] - range->value.numbers[0] + 1) - tw_port_set_size(&usable);
		r = read_memory(source, slow);
	}
	if (r == 0)
		r = read_number(source->fds[TW_PROC_CONNTRACK_MAX], 1, &slow->conntrack_max);
	if (r == 0)
		r = read_number(source->fds[TW_PROC_CONNTRACK_COUNT], 1, &slow->conntrack_count);
	if (r == 0)
		source->slow_left = SLOW_EVERY - 1;
	return r;
}

int tw_proc_source_gauge(struct tw_proc_source *source, struct tw_gauge *ret)
{
	struct tw_gauge gauge;
	int r = read_slow(source);

	if (r < 0)
		return r;
	gauge = source->slow;
	r = read_net(source, TW_PROCNET_COUNT, &gauge);
	if (r < 0)
		return r;
	*ret = gauge;
	return 0;
}
