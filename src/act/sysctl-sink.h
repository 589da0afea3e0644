/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/reconcile.h"
#include "base/setns-source.h"

/*
 * The sysctls below a directory: "/proc/sys", or a tree of plain files. Below /proc/sys/net the kernel shows each
 * thread those of its own network namespace, at each call anew: so it is entered for each call, and left at once.
 */
struct tw_sysctl_tree {
	struct tw_sysctl_sink sink; /* first: a sink is known by its address */
	int root_fd;
	const struct tw_netns *netns; /* borrows; NULL: that of the calling thread */
};

/* Opens `root`. Returns 0 or -errno. A value that is none reads as -EBADMSG, a short write fails with -EIO. */
int tw_sysctl_tree_open(struct tw_sysctl_tree *tree, const char *root);
void tw_sysctl_tree_close(struct tw_sysctl_tree *tree);
