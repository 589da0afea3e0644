/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/effect.h"

#include <stddef.h>
#include <stdint.h>

/* Length of a SOCK_DESTROY request: a netlink header and struct inet_diag_req_v2. */
#define TW_DESTROY_REQUEST_SIZE 72

/*
 * Writes a SOCK_DESTROY request (sock_diag(7)) for exactly this socket, with an answer asked for in any case. It is
 * asked for in its own family, also where its addresses are v4-mapped. Returns 0; -EINVAL for a cookie that would mean
 * any socket of the tuple.
 */
int tw_destroy_build(uint8_t buffer[TW_DESTROY_REQUEST_SIZE], const struct tw_candidate *candidate, uint32_t sequence);

/*
 * Reads one datagram of answers, any bytes, to `count` requests whose sequence numbers begin with `first`. answers[i]
 * becomes 0 or the kernel's -errno for each that is told; an answer to another request is passed over. Returns how many
 * were told, or -EPROTO for a malformed message.
 */
int tw_destroy_parse(const void *datagram, size_t length, uint32_t first, unsigned count, int answers[]);

/* What an answer says. */
enum tw_destroy_verdict {
	TW_DESTROY_ENDED,
	TW_DESTROY_GONE,	/* there is no such socket any more */
	TW_DESTROY_UNSUPPORTED, /* the kernel cannot: CONFIG_INET_DIAG_DESTROY, or TIME-WAIT before Linux 6.0 */
	TW_DESTROY_DENIED,	/* without CAP_NET_ADMIN */
	TW_DESTROY_FAILED,	/* anything else */
};
enum tw_destroy_verdict tw_destroy_verdict(int answer);
