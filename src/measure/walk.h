/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/source.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The sockets of both families in some states: in one walk over the kernel's table, or, where the kernel turns the
 * request for that down, in one for each family. Memory that is zero is a walk not begun; what it learned about the
 * kernel it keeps from one walk to the next.
 */
struct tw_walk {
	uint32_t states;
	uint8_t extensions;
	uint32_t sequence;
	unsigned family;     /* index of the family under way, where they are asked for apart */
	bool answered;	     /* the dump under way has told something */
	bool apart;	     /* the families are asked for one by one */
	bool apart_works;    /* and that was answered: it is this request that the kernel does not take */
	uint64_t bytes_left; /* a walk that takes more has no end */
};

/*
 * `states` and `extensions` as in struct tw_diag_query. `gauge`: how many sockets there may be, far from exactly.
 * Returns 0 or the source's -errno.
 */
int tw_walk_begin(struct tw_walk *walk, struct tw_source *source, uint32_t states, uint8_t extensions,
		  const struct tw_gauge *gauge);

/*
 * One datagram's worth of work. Returns 1 while there is more to do, 0 when all are told, or -errno of the source and
 * of tw_diag_parse(), -EPROTO too for a walk without an end; then what `on_flow` was told is to be thrown away.
 */
int tw_walk_step(struct tw_walk *walk, struct tw_source *source, tw_diag_on_flow on_flow, void *context);
