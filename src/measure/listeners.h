/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/ports.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The accepting side: listening sockets by address and port, and the sockets of each. A listening port's sockets belong
 * to the listener with exactly their local address, else to the one that listens on every address.
 */

/* Addresses told apart; of those beyond, sockets are counted and nothing more. */
#define TW_LISTENERS_MAX 1024u
/* Places of the index, a power of two: at least half of them stay empty. */
#define TW_LISTENERS_SLOTS 2048u

struct tw_listeners {
	struct tw_port_set ports; /* those of all listeners, the ones beyond too */
	struct tw_port_set exact; /* of these, where one listens on some address rather than on every one */
	uint32_t count;
	uint32_t beyond;			       /* sockets */
	uint16_t slots[TW_LISTENERS_SLOTS];	       /* index into rows and 1; 0: empty */
	struct tw_listener_row rows[TW_LISTENERS_MAX]; /* what is known of each is set at the end */
};

void tw_listeners_clear(struct tw_listeners *listeners);

/* One socket in LISTEN. */
void tw_listeners_add(struct tw_listeners *listeners, const struct tw_flow *flow);

/* One socket in another state, on a listening port. */
void tw_listeners_count_flow(struct tw_listeners *listeners, const struct tw_flow *flow);

/* One socket in another state: of those that no listener can have accepted, one bit is looked at. */
static inline void tw_listeners_attribute(struct tw_listeners *listeners, const struct tw_flow *flow)
{
	if (tw_port_set_has(&listeners->ports, flow->local.port))
		tw_listeners_count_flow(listeners, flow);
}

/*
 * Fills `listeners`, `accept_queue` and the rows of *ret. `connections_known`: of all states but TIME-WAIT
 * the sockets were attributed; `time_wait_known`: those in TIME-WAIT were.
 */
void tw_listeners_results(const struct tw_listeners *listeners, bool connections_known, bool time_wait_known,
			  struct tw_accepting *ret);

/* The same with all that a census tells of the accepting side; nothing of it where that is partial. */
void tw_listeners_accepting(const struct tw_listeners *listeners, const struct tw_census *census,
			    bool connections_known, bool time_wait_known, struct tw_accepting *ret);
