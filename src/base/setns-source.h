/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/netns-id.h"

/* Network namespaces as files (namespaces(7)): what is opened here keeps its namespace alive until it is closed. */

/*
 * Opens a file of a namespace; of which kind, who enters it is told. Returns 0, or -errno of open(2): -ENOENT for any
 * other file too, which is what stands in /run/netns before a namespace is bound to its name and after it is unmounted.
 */
int tw_netns_open(const char *path, int *ret_fd, uint64_t *ret_inode);

/* The calling thread's. Returns 0 or -errno. */
int tw_netns_here(struct tw_netns_id *ret);

/* The device that files of namespaces are on. Returns 0 or -errno. */
int tw_netns_device(uint64_t *ret);

/*
 * Brings the calling thread into a namespace, and back. To enter takes CAP_SYS_ADMIN. Returns 0 or -errno of setns(2);
 * then the thread is where it was.
 */
int tw_netns_enter(int fd);

/* Back from where tw_netns_enter() led; `home_fd` is of where it was. A thread that cannot go back ends the process. */
void tw_netns_leave(int home_fd);
