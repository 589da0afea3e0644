/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/flow.h"

#include <linux/inet_diag.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One dump: which sockets to tell. The kernel walks its whole table for each. */
struct tw_diag_query {
	uint8_t family;	    /* AF_INET, AF_INET6, or AF_UNSPEC for both in one walk */
	uint32_t states;    /* bits of tw_state_kernel_bit(): as narrow as the question */
	uint8_t extensions; /* bits 1 << (INET_DIAG_* - 1); 0: the cheapest */
};

/* The extension that fills tw_flow.idle: a row costs 1 us more then. */
#define TW_DIAG_INFO (1 << (INET_DIAG_INFO - 1))

/* Room for any request that this module builds. */
#define TW_DIAG_REQUEST_MAX 128

/*
 * Writes a dump request for TCP: SOCK_DIAG_BY_FAMILY (sock_diag(7)), or for both families the older TCPDIAG_GETSOCK,
 * for the newer one answers ENOENT to AF_UNSPEC. Returns its length in bytes.
 */
size_t tw_diag_build_dump(uint8_t buffer[TW_DIAG_REQUEST_MAX], const struct tw_diag_query *query, uint32_t sequence);

/*
 * Writes a SOCK_DIAG_BY_FAMILY request for exactly the socket that `flow` is, cookie included. It is asked for in its
 * own family, also where its addresses are v4-mapped. Returns its length in bytes.
 */
size_t tw_diag_build_one(uint8_t buffer[TW_DIAG_REQUEST_MAX], const struct tw_flow *flow, uint8_t extensions,
			 uint32_t sequence);

/* Called once a socket; must not keep `flow`. */
typedef void (*tw_diag_on_flow)(void *context, const struct tw_flow *flow);

/* How a datagram of a dump ended. */
enum tw_diag_verdict {
	TW_DIAG_MORE, /* more datagrams follow */
	TW_DIAG_DONE,
};

/*
 * Reads one datagram of either request's answer: any bytes, in any order of harm. Sockets of a state that this project
 * does not know are passed over. `sequence` is the request's.
 *
 * Returns a verdict, or
 *   -EINTR   the kernel set NLM_F_DUMP_INTR: the table moved too much, ask again
 *   -EPROTO  an answer to another request, or a malformed message
 *   -errno   as the kernel reports it in NLMSG_ERROR or in the payload of NLMSG_DONE (-ENOENT: no tcp_diag)
 * after which what `on_flow` was told is to be thrown away.
 */
int tw_diag_parse(const void *datagram, size_t length, uint32_t sequence, tw_diag_on_flow on_flow, void *context);

/*
 * Reads the answer to tw_diag_build_one() with TW_DIAG_INFO: any bytes. `sequence` is the request's. Returns 0,
 * -ENODATA where the answer does not tell, -EPROTO as above, or -errno as the kernel reports it (-ENOENT: the socket is
 * gone).
 */
int tw_diag_parse_one(const void *datagram, size_t length, uint32_t sequence, struct tw_idle *ret);

/* What the -errno of a dump says, as a phrase for people. */
const char *tw_diag_error_text(int error);
