/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/destroyer.h"

/*
 * SOCK_DESTROY on the running kernel, through a NETLINK_SOCK_DIAG socket of its own. It belongs to the network
 * namespace that the calling thread is in when it is made.
 */
struct tw_socket_netlink;

/* Returns 0, -ENOMEM or -errno of socket(2), bind(2), setsockopt(2). */
int tw_socket_netlink_new(struct tw_socket_netlink **ret);
struct tw_socket_netlink *tw_socket_netlink_free(struct tw_socket_netlink *netlink);
TW_DEFINE_CLEANUP(struct tw_socket_netlink, tw_socket_netlink_free)
#define TW_CLEANUP_SOCKET_NETLINK TW_CLEANUP(tw_socket_netlink_freep)

/* Its face; belongs to it. */
struct tw_socket_sink *tw_socket_netlink_sink(struct tw_socket_netlink *netlink);
