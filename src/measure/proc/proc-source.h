/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/proc/procnet.h"
#include "model/port-model.h"

#include <stdbool.h>

/* The files of /proc/net and /proc/sys/net that are read, in this order. */
enum tw_proc_file {
	/* First those of enum tw_procnet; of these, all but the last are what an activity takes. */
	TW_PROC_ACTIVITY_COUNT = TW_PROCNET_NETSTAT,
	TW_PROC_TCP_MEM = TW_PROCNET_COUNT,
	TW_PROC_CONNTRACK_COUNT,
	TW_PROC_CONNTRACK_MAX,
	TW_PROC_RESERVED_PORTS,
	TW_PROC_TUNABLES, /* from here on those of enum tw_tunable */
	TW_PROC_COUNT = TW_PROC_TUNABLES + TW_TUNABLE_COUNT,
};

/*
 * These files, opened once and read again each time. They belong to the network namespace that the calling thread is in
 * when they are opened, and keep it alive. What the kernel has not stays unknown; what it has and does not hand out is
 * an error. The gauge may be read while another thread reads the ports.
 */
struct tw_proc_source {
	int fds[TW_PROC_COUNT]; /* -1: not open */
	const struct tw_proc_source
		*lender;      /* borrows: of the first network namespace, which alone shows tcp_mem; or NULL */
	unsigned slow_left;   /* gauges until what seldom changes is read again; 0: now */
	struct tw_gauge slow; /* that, as it was read last; the rest of it is 0 */
};

/* Nothing is open then. */
void tw_proc_source_init(struct tw_proc_source *source, const struct tw_proc_source *lender);

/*
 * Opens what an activity takes, or what else there is. Returns 0, -ENOENT without /proc/net/sockstat or
 * ip_local_port_range, or -errno of open(2); then the source is to be closed all the same.
 */
int tw_proc_source_open(struct tw_proc_source *source, bool activity);

/* Closes all, or all that an activity does not take. */
void tw_proc_source_close(struct tw_proc_source *source, bool activity);

/*
 * The cheapest look; `deep`: with the segments, which costs some five times as much. Returns 0, -EINVAL for a text that
 * is not understood, or -errno of pread(2).
 */
int tw_proc_source_activity(const struct tw_proc_source *source, bool deep, struct tw_activity *ret);

/*
 * All of *ret but at_usec. The sysctls, which seldom change, and what conntrack tells are read by every eighth gauge.
 * Returns as above.
 */
int tw_proc_source_gauge(struct tw_proc_source *source, struct tw_gauge *ret);

/* ip_local_port_range, and its ports without ip_local_reserved_ports. Returns as above, or -ENOMEM. */
int tw_proc_source_ports(const struct tw_proc_source *source, struct tw_live_value *ret_range, struct tw_port_set *ret);
