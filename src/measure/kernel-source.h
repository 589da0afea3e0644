/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "measure/source.h"

/*
 * The running kernel as a tw_source: NETLINK_SOCK_DIAG by libmnl, /proc/net and /proc/sys by descriptors that stay
 * open, and the cgroup tree. Its gauge may be read in one thread while another one asks for all the rest. Bound to the
 * network namespace that the calling thread is in when it is made.
 */
struct tw_kernel_source;

/*
 * `lender` borrows, the source of the host: what it has learned of the cgroups serves this one too, and the two are not
 * asked at the same time; so does its tcp_mem. NULL: one of its own. Returns 0; -ENOENT without /proc/net/sockstat;
 * -errno of socket(2), open(2).
 */
int tw_kernel_source_new(struct tw_kernel_source *lender, struct tw_kernel_source **ret);
struct tw_kernel_source *tw_kernel_source_free(struct tw_kernel_source *source);
TW_DEFINE_CLEANUP(struct tw_kernel_source, tw_kernel_source_free)
#define TW_CLEANUP_KERNEL_SOURCE TW_CLEANUP(tw_kernel_source_freep)

/* Its face; belongs to the source. */
struct tw_source *tw_kernel_source_base(struct tw_kernel_source *source);

/*
 * Makes what it takes to ask which ports are exclusive, where that is not there yet. Otherwise the first question does,
 * in the namespace that the calling thread is in then. Returns 0 or the -errno of tw_exclusive_source_new().
 */
int tw_kernel_source_open_exclusive(struct tw_kernel_source *source);

/* Whether this kernel tells bound-but-unconnected sockets (Linux 6.8; state bit 13). By uname(2). */
bool tw_kernel_source_tells_bound(void);
