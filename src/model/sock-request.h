/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/flow.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <stdint.h>

/* What asking sock_diag(7) for sockets and ending one have in common. */

struct tw_sock_request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

/*
 * A request about sockets of TCP in all states, and about none in particular; `flags` are beside NLM_F_REQUEST.
 * `family` is the sockets': a v4-mapped AF_INET6 socket is not found as AF_INET.
 */
struct tw_sock_request tw_sock_request(uint16_t type, uint16_t flags, uint8_t family, uint32_t sequence);

/* Which socket: the kernel finds one that is bound to a device only under that device's index. */
struct tw_sock_id {
	struct tw_endpoint local;
	struct tw_endpoint remote;
	uint32_t device; /* 0: none */
	uint64_t cookie;
};

/* Makes it one about this socket. */
void tw_sock_request_set_id(struct tw_sock_request *request, const struct tw_sock_id *id);
