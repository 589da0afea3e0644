/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/port-model.h"
#include "model/sample.h"

#include <stdint.h>

/*
 * The accepting side: listening sockets by address and port, and the sockets of each. A listening port's sockets belong
 * to the listener with exactly their local address, else to the one that listens on every address.
 */

/* Addresses told apart; of those beyond, sockets are counted and nothing more. */
#define TW_LISTENERS_MAX 1024u
/* Places of the index: at least half of them stay empty. 11 bits of a hash. */
#define TW_LISTENERS_SLOTS 2048u

struct tw_listeners {
	struct tw_port_set ports; /* those of all listeners, the ones beyond too */
	uint32_t count;
	uint32_t beyond;			       /* sockets */
	uint16_t slots[TW_LISTENERS_SLOTS];	       /* index into rows and 1; 0: empty */
	struct tw_listener_row rows[TW_LISTENERS_MAX]; /* what is known of each is set at the end */
};

void tw_listeners_clear(struct tw_listeners *listeners);

/* One socket in LISTEN. */
void tw_listeners_add(struct tw_listeners *listeners, const struct tw_flow *flow);

/* One socket in another state, when all listeners are told. */
void tw_listeners_attribute(struct tw_listeners *listeners, const struct tw_flow *flow);

/*
 * When all sockets are told: all that the census tells of the accepting side; nothing of it where that is partial.
 * Where ESTABLISHED or TIME-WAIT was derived, none of these was attributed. Puts the rows in their order, so that
 * nothing can be added any more.
 */
void tw_listeners_results(struct tw_listeners *listeners, const struct tw_census *census, struct tw_accepting *ret);
