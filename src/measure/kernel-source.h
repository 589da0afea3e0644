/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "base/setns-source.h"
#include "measure/source.h"

/*
 * The running kernel as a tw_source: NETLINK_SOCK_DIAG, /proc/net and /proc/sys by descriptors that stay open, and the
 * cgroup tree. Its gauge may be read in one thread while another one asks for all the rest.
 *
 * `netns` borrows: where it measures. It is entered where something has to be opened there, and left at once; all but
 * the activity is opened by the first gauge. NULL: the namespace that the calling thread is in, where all is opened now
 * but for what asks which ports are exclusive: the first question opens that.
 *
 * `lender` borrows, the source of the host: what it has learned of the cgroups serves this one too, and the two are not
 * asked at the same time; so does its tcp_mem. NULL: one of its own.
 *
 * Returns 0; -ENOENT without /proc/net/sockstat; -errno of setns(2), socket(2), open(2).
 */
int tw_kernel_source_new(const struct tw_netns *netns, struct tw_source *lender, struct tw_source **ret);
struct tw_source *tw_kernel_source_free(struct tw_source *base);
TW_DEFINE_CLEANUP(struct tw_source, tw_kernel_source_free)
#define TW_CLEANUP_KERNEL_SOURCE TW_CLEANUP(tw_kernel_source_freep)

/* Whether this kernel tells bound-but-unconnected sockets (Linux 6.8; state bit 13). By uname(2). */
bool tw_kernel_source_tells_bound(void);
