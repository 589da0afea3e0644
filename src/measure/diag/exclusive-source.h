/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Asks the kernel which ports are exclusive, without a packet: connect() with TCP_FASTOPEN_CONNECT and
 * TCP_FASTOPEN_NO_COOKIE chooses a port and then waits for data, and IP_LOCAL_PORT_RANGE (Linux 6.3) lets it choose
 * from one port alone. Towards a loopback address that nobody has in use, only what is known of the port
 * itself can refuse it. Belongs to the network namespace that the calling thread is in when it is made.
 */
struct tw_exclusive_source;

/*
 * Returns 0, or -errno where this kernel or this namespace cannot be asked: without these options or the client's bit
 * of tcp_fastopen (-EOPNOTSUPP), where a black hole may have turned TCP Fast Open off (-EOPNOTSUPP), where socket(2)
 * is not allowed to us.
 */
int tw_exclusive_source_new(struct tw_exclusive_source **ret);
struct tw_exclusive_source *tw_exclusive_source_free(struct tw_exclusive_source *source);
TW_DEFINE_CLEANUP(struct tw_exclusive_source, tw_exclusive_source_free)

/* Fills ret_exclusive with an answer for each of the ports. Returns 0, or -errno: then it can be asked no more. */
int tw_exclusive_source_ask(struct tw_exclusive_source *source, const uint16_t *ports, unsigned count,
			    bool *ret_exclusive);
