/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/flow.h"
#include "model/sample.h"

#include <stdint.h>

/*
 * Whether the TIME-WAIT of one destination is taken over, from two surveys that look at its sockets one by one: a
 * TIME-WAIT keeps the cookie of its connection's life. Apart from the survey's table, which counts all destinations and
 * knows no socket.
 */

/* What one look found on each port: nothing where the cookie is 0. Of its memory only what ports are used is touched.
 */
struct tw_takeover_look {
	usec_t at_usec;
	struct tw_destination key;
	struct tw_count reused;	    /* TWRecycled at that time */
	uint32_t life_ms, delay_ms; /* of a TIME-WAIT; how old one is before reuse takes it */
	uint16_t low, high;	    /* ip_local_port_range; both 0 where it is not known */
	uint32_t cookies[65536];    /* the lower half */
	uint16_t expires_ms[65536]; /* of a TIME-WAIT, at most 65 s of it; 0: a living socket */
};

/* An empty one for a look at `key`, to be freed. NULL without memory: then there is no evidence. */
struct tw_takeover_look *tw_takeover_look_new(const struct tw_destination *key, const struct tw_gauge *gauge,
					      usec_t at_usec);

/*
 * One socket of the survey; passed over where it is another destination's, and where nobody has answered it yet: a port
 * that was taken over for that has helped nobody.
 */
void tw_takeover_look_add(struct tw_takeover_look *look, const struct tw_flow *flow);

/*
 * What became of what was there `before`, which may be NULL or about another destination: then there is one look. Both
 * have to be whole: what one of them has missed would be taken for opened.
 */
void tw_takeover_compare(const struct tw_takeover_look *before, const struct tw_takeover_look *now,
			 struct tw_takeovers *ret);
