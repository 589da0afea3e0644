/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "measure/proc/proc-table.h"
#include "model/sample.h"

/*
 * The cheapest look at a network namespace: three files of /proc/net, opened once. It belongs to the namespace that the
 * calling thread is in when it is made, and keeps it alive.
 */
struct tw_pulse_source {
	int sockstat_fd, sockstat6_fd, snmp_fd; /* the second: -1 without IPv6 */
	struct tw_proc_layout snmp;
};

/* Nothing open: what tw_pulse_source_close() may be given. */
#define TW_PULSE_SOURCE_NONE ((struct tw_pulse_source){ .sockstat_fd = -1, .sockstat6_fd = -1, .snmp_fd = -1 })

/* Returns 0 or -errno of open(2). */
int tw_pulse_source_open(struct tw_pulse_source *source);
void tw_pulse_source_close(struct tw_pulse_source *source);

/* `deep`: with the segments, which costs some five times as much. Returns 0, -EINVAL for a text that is not understood,
 * or -errno of pread(2). */
int tw_pulse_source_read(struct tw_pulse_source *source, bool deep, struct tw_pulse *ret);
