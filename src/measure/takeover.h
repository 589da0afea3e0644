/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/flow.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the TIME-WAIT of one destination is taken over, from two surveys that look at its sockets one by one: a
 * TIME-WAIT keeps the cookie of its connection's life. Apart from the survey's table, which counts all destinations and
 * knows no socket.
 */

/* What one look found on each port: nothing where the cookie is 0. */
struct tw_takeover_look {
	usec_t at_usec;
	struct tw_destination key;
	struct tw_count reused;	    /* TWRecycled at that time */
	uint32_t life_ms, delay_ms; /* of a TIME-WAIT; how old one is before reuse takes it */
	uint16_t low, high;	    /* ip_local_port_range; both 0 where it is not known */
	uint32_t first, end;	    /* what is not 0 below has a port from first on, up to end */
	uint32_t cookies[65536];    /* the lower half */
	uint16_t expires_ms[65536]; /* of a TIME-WAIT, at most 65 s of it; 0: a living socket */
};

/* NULL without memory: then there is no evidence. */
struct tw_takeover_look *tw_takeover_look_new(void);
struct tw_takeover_look *tw_takeover_look_free(struct tw_takeover_look *look);

/* Empties it for a look at `key`. */
void tw_takeover_look_begin(struct tw_takeover_look *look, const struct tw_destination *key,
			    const struct tw_gauge *gauge, usec_t at_usec);

/*
 * One socket of the survey; passed over where it is another destination's, and where nobody has answered it yet: a port
 * that was taken over for that has helped nobody.
 */
static inline void tw_takeover_look_add(struct tw_takeover_look *look, const struct tw_flow *flow)
{
	const struct tw_destination *key = &look->key;

	if (flow->state == TW_STATE_SYN_SENT || flow->remote.port != key->port || flow->device != key->device ||
	    !tw_address_equal(&flow->remote.address, &key->destination) ||
	    !tw_address_equal(&flow->local.address, &key->source))
		return;
	look->first = TW_MIN(look->first, (uint32_t)flow->local.port);
	look->end = TW_MAX(look->end, flow->local.port + 1u);
	look->cookies[flow->local.port] = (uint32_t)flow->cookie;
	look->expires_ms[flow->local.port] =
		(uint16_t)(flow->state == TW_STATE_TIME_WAIT ? TW_MAX(TW_MIN(flow->expires_ms, 65535u), 1u) : 0);
}

/*
 * What became of what was there `before`, which may be NULL or about another destination: then there is one look. Both
 * have to be whole: what one of them has missed would be taken for opened.
 */
void tw_takeover_compare(const struct tw_takeover_look *before, const struct tw_takeover_look *now,
			 struct tw_takeovers *ret);

/* The look of a survey under way. Zero: none was made yet. */
struct tw_takeover_work {
	bool on; /* this survey has a destination to look at */
	struct tw_takeover_look *look;
};

void tw_takeover_work_done(struct tw_takeover_work *work);

/* Begins a look at `key`; NULL, or no memory for it: none. */
void tw_takeover_work_begin(struct tw_takeover_work *work, const struct tw_destination *key,
			    const struct tw_gauge *gauge, usec_t at_usec);

/* Compares it with `*before`, whose place it takes; without one nothing is left there. */
void tw_takeover_work_results(struct tw_takeover_work *work, struct tw_takeover_look **before,
			      struct tw_takeovers *ret);
