/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/ports.h"
#include "model/sample.h"

/*
 * The files of /proc/net and /proc/sys/net that the gauge needs, opened once and read again each time. They belong to
 * the network namespace that the calling thread is in when it is made. What the kernel has not stays unknown; what it
 * has and does not hand out is an error.
 */
struct tw_proc_source;

/*
 * `lender` borrows, for as long as this one lives: the source of the first network namespace, which alone shows
 * tcp_mem; or NULL. Returns 0, -ENOMEM, -ENOENT without /proc/net/sockstat or ip_local_port_range, or -errno of
 * open(2).
 */
int tw_proc_source_new(const struct tw_proc_source *lender, struct tw_proc_source **ret);

struct tw_proc_source *tw_proc_source_free(struct tw_proc_source *source);
TW_DEFINE_CLEANUP(struct tw_proc_source, tw_proc_source_free)

/*
 * All of *ret but at_usec. The sysctls, which seldom change, and what conntrack tells are read by every eighth gauge.
 * Returns 0, -EINVAL for a text that is not understood, or -errno of pread(2).
 */
int tw_proc_source_gauge(struct tw_proc_source *source, struct tw_gauge *ret);

/* The next gauge reads all of it anew. */
void tw_proc_source_refresh(struct tw_proc_source *source);
