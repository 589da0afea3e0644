/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/flow.h"

#include <linux/inet_diag.h>
#include <stdint.h>

/*
 * One socket as sock_diag(7) knows it, by tuple and cookie: what asking for it and ending it have in common. `family`
 * is the socket's: a v4-mapped AF_INET6 socket is not found as AF_INET.
 */
void tw_sock_id_fill(struct inet_diag_sockid *ret, uint8_t family, const struct tw_endpoint *local,
		     const struct tw_endpoint *remote, uint64_t cookie);
