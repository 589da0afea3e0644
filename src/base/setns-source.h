/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Network namespaces as files (namespaces(7)): what is opened here keeps its namespace alive until it is closed. */

/* The calling thread's. */
#define TW_NETNS_HERE "/proc/thread-self/ns/net"

/* What tells a network namespace from every other. */
struct tw_netns_id {
	uint64_t inode;	 /* of its file; given anew once the namespace is gone */
	uint64_t cookie; /* never given again in this boot; 0 where the kernel does not tell it (before Linux 5.14) */
};

/* Where one cookie is not known, the inode has to do. */
static inline bool tw_netns_same(const struct tw_netns_id *a, const struct tw_netns_id *b)
{
	return a->inode == b->inode && (a->cookie == b->cookie || a->cookie == 0 || b->cookie == 0);
}

/*
 * Opens a file of a namespace; of which kind, who enters it is told. Returns 0, or -errno of open(2): -ENOENT for any
 * other file too, which is what stands in /run/netns before a namespace is bound to its name and after it is unmounted.
 */
int tw_netns_open(const char *path, int *ret_fd, uint64_t *ret_inode);

/* Another namespace than that of the threads of this process, which is home. */
struct tw_netns {
	int fd, home_fd; /* borrow */
};

/*
 * Brings the calling thread into a namespace, and back; NULL: it stays where it is. To enter takes CAP_SYS_ADMIN.
 * Returns 0 or -errno of setns(2); then the thread is where it was. One that cannot go back ends the process.
 */
int tw_netns_enter(const struct tw_netns *netns);
void tw_netns_leave(const struct tw_netns *netns);

/* Which one it is. Returns 0, or -errno as above. */
int tw_netns_identify(const struct tw_netns *netns, struct tw_netns_id *ret);
