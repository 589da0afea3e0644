/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/destroyer.h"
#include "base/setns-source.h"

/* SOCK_DESTROY on the running kernel, through a netlink socket of its own, which is opened when it is needed. */
struct tw_socket_netlink {
	struct tw_socket_sink sink;   /* first: a sink is known by its address */
	const struct tw_netns *netns; /* borrows; NULL: that of the calling thread */
	struct mnl_socket *socket;    /* NULL until some are to be ended */
	uint32_t sequence;	      /* of the next request */
};

void tw_socket_netlink_init(struct tw_socket_netlink *netlink, const struct tw_netns *netns);
void tw_socket_netlink_done(struct tw_socket_netlink *netlink);
