/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/kernel-source.h"

#include "measure/proc/cgroup-source.h"
#include "measure/diag/diag-source.h"
#include "measure/diag/exclusive-source.h"
#include "measure/proc/ports-source.h"
#include "measure/proc/proc-source.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>

/* The first with TCP_BOUND_INACTIVE: commit 91051f003948. */
#define BOUND_MAJOR 6
#define BOUND_MINOR 8

struct tw_kernel_source {
	struct tw_source base; /* first: the face is the object */
	struct tw_diag_source *diag;
	struct tw_proc_source *proc;   /* of the gauge alone: a scan may be under way in another thread */
	struct tw_ports_source *ports; /* of a scan */
	struct tw_cgroup_source *cgroups;
	bool borrows_cgroups;
	uint64_t scan_began_ms;		       /* CLOCK_MONOTONIC */
	struct tw_exclusive_source *exclusive; /* NULL until it is asked */
};

static struct tw_kernel_source *of(struct tw_source *base)
{
	return (struct tw_kernel_source *)base;
}

static int gauge(struct tw_source *base, struct tw_gauge *ret)
{
	return tw_proc_source_gauge(of(base)->proc, ret);
}

static void refresh(struct tw_source *base)
{
	tw_proc_source_refresh(of(base)->proc);
}

static int port_range(struct tw_source *base, struct tw_port_set *ret)
{
	return tw_ports_source_usable(of(base)->ports, ret);
}

static int dump_begin(struct tw_source *base, const struct tw_diag_query *query, uint32_t *ret_sequence)
{
	return tw_diag_source_begin(of(base)->diag, query, ret_sequence);
}

static int dump_next(struct tw_source *base, const void **ret_datagram, size_t *ret_length)
{
	return tw_diag_source_next(of(base)->diag, ret_datagram, ret_length);
}

static uint64_t now_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void scan_begin(struct tw_source *base)
{
	struct tw_kernel_source *source = of(base);

	/* Of the last one, if that asked: tcp_fastopen may be another by now, and nothing is kept open for long. */
	source->exclusive = tw_exclusive_source_free(source->exclusive);
	source->scan_began_ms = now_ms();
	tw_cgroup_source_allow_walk(source->cgroups);
}

static uint32_t before(uint32_t ms, uint64_t since_ms)
{
	return ms > since_ms ? (uint32_t)(ms - since_ms) : 0;
}

static int idle(struct tw_source *base, const struct tw_flow *flow, struct tw_idle *ret)
{
	uint64_t since_begin_ms;
	struct tw_idle now;
	int r = tw_diag_source_idle(of(base)->diag, flow, &now);

	if (r < 0)
		return r;
	/* After the answer, so that none is told too high. */
	since_begin_ms = now_ms() - of(base)->scan_began_ms;
	*ret = (struct tw_idle){ before(now.data_sent_ms, since_begin_ms), before(now.ack_received_ms, since_begin_ms),
				 now.timestamps };
	return 0;
}

static int unit(struct tw_source *base, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	return tw_cgroup_source_unit(of(base)->cgroups, cgroup_id, ret);
}

static int exclusive(struct tw_source *base, const uint16_t *ports, unsigned count, bool *ret_exclusive)
{
	int r = tw_kernel_source_open_exclusive(of(base));

	return r < 0 ? r : tw_exclusive_source_ask(of(base)->exclusive, ports, count, ret_exclusive);
}

int tw_kernel_source_open_exclusive(struct tw_kernel_source *source)
{
	return source->exclusive ? 0 : tw_exclusive_source_new(&source->exclusive);
}

int tw_kernel_source_new(struct tw_kernel_source *lender, struct tw_kernel_source **ret)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_kernel_source *source = calloc(1, sizeof(*source));
	int r;

	if (!source)
		return -ENOMEM;
	source->base = (struct tw_source){
		.gauge = gauge,
		.refresh = refresh,
		.port_range = port_range,
		.scan_begin = scan_begin,
		.dump_begin = dump_begin,
		.dump_next = dump_next,
		.idle = idle,
		.exclusive = exclusive,
		.unit = unit,
	};
	r = tw_proc_source_new(lender ? lender->proc : NULL, &source->proc);
	if (r < 0)
		return r;
	r = tw_ports_source_new(&source->ports);
	if (r < 0)
		return r;
	r = tw_diag_source_new(&source->diag);
	if (r < 0)
		return r;
	source->borrows_cgroups = lender;
	if (lender)
		source->cgroups = lender->cgroups;
	else
		r = tw_cgroup_source_new(NULL, TW_CGROUP_DIRECTORIES_MAX, &source->cgroups);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(source);
	return 0;
}

struct tw_kernel_source *tw_kernel_source_free(struct tw_kernel_source *source)
{
	if (source) {
		if (!source->borrows_cgroups)
			source->cgroups = tw_cgroup_source_free(source->cgroups);
		source->exclusive = tw_exclusive_source_free(source->exclusive);
		source->diag = tw_diag_source_free(source->diag);
		source->ports = tw_ports_source_free(source->ports);
		source->proc = tw_proc_source_free(source->proc);
		free(source);
	}
	return NULL;
}

struct tw_source *tw_kernel_source_base(struct tw_kernel_source *source)
{
	return &source->base;
}

bool tw_kernel_source_tells_bound(void)
{
	struct utsname name;
	unsigned long major, minor = 0;
	char *end;

	if (uname(&name) < 0)
		return false;
	major = strtoul(name.release, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, NULL, 10);
	return major > BOUND_MAJOR || (major == BOUND_MAJOR && minor >= BOUND_MINOR);
}
