/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "measure/diag/diag.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A NETLINK_SOCK_DIAG socket (sock_diag(7)) and its receive buffer. It belongs to the network namespace that the
 * calling thread is in when it is made, and keeps that namespace alive.
 */
struct tw_diag_source;

/* Returns 0, -ENOMEM or -errno of socket(2), bind(2), setsockopt(2). */
int tw_diag_source_new(struct tw_diag_source **ret);
struct tw_diag_source *tw_diag_source_free(struct tw_diag_source *source);
TW_DEFINE_CLEANUP(struct tw_diag_source, tw_diag_source_free)

/* Asks for a dump. What is left of an older one is passed over by tw_diag_source_next(). Returns 0 or -errno. */
int tw_diag_source_begin(struct tw_diag_source *source, const struct tw_diag_query *query, uint32_t *ret_sequence);

/*
 * The next datagram of the last dump asked for, in memory of the source. Returns 0; -ETIMEDOUT when the kernel is
 * silent for 5 s; -ENOBUFS when it lost something; -EPROTO for a datagram larger than any that it sends; -errno of
 * recvmsg(2).
 */
int tw_diag_source_next(struct tw_diag_source *source, const void **ret_datagram, size_t *ret_length);

/*
 * For how long exactly this socket has done nothing, by one request. Gives up a dump under way. Returns 0;
 * -ENOENT when the socket is gone; -ENODATA when the kernel does not tell; errors as above.
 */
int tw_diag_source_idle(struct tw_diag_source *source, const struct tw_flow *flow, struct tw_idle *ret);
