/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "measure/proc/proc-table.h"
#include "model/sample.h"

/*
 * The cheapest look at a network namespace: three files of /proc/net, opened once. It belongs to the namespace that the
 * calling thread is in when it is made, and keeps it alive.
 */
struct tw_activity_source {
	int sockstat_fd, sockstat6_fd, snmp_fd; /* the second: -1 without IPv6 */
	struct tw_proc_layout snmp;
};

/* Nothing open: what tw_activity_source_close() may be given. */
#define TW_ACTIVITY_SOURCE_NONE ((struct tw_activity_source){ .sockstat_fd = -1, .sockstat6_fd = -1, .snmp_fd = -1 })

/* Returns 0 or -errno of open(2). */
int tw_activity_source_open(struct tw_activity_source *source);
void tw_activity_source_close(struct tw_activity_source *source);

/* `deep`: with the segments, which costs some five times as much. Returns 0, -EINVAL for a text that is not understood,
 * or -errno of pread(2). */
int tw_activity_source_read(struct tw_activity_source *source, bool deep, struct tw_activity *ret);
