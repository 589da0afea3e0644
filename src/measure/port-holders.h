/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/ports.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Which destinations hold which port, so that ports are counted and not sockets. Of all of them while there are few; of
 * ports chosen by chance where there are more than there is room for: each time it is full, of half as many ports.
 */

/* 256 KiB: so many destinations of ports; all of one that holds the whole of the usual range. */
#define TW_PORT_HOLDERS_MAX 32768u

/* Of 65536 ports that leaves two. */
#define TW_PORT_HOLDERS_LEVEL_MAX 15

struct tw_port_holder {
	uint32_t hash : 30; /* of the destination, as the table has it */
	uint32_t ripe : 1;  /* in TIME-WAIT, and old enough for reuse */
	uint16_t port;
	uint16_t next; /* of the same port: index and 1; 0: none */
};

_Static_assert(sizeof(struct tw_port_holder) == 8, "256 KiB in all");

struct tw_port_holders {
	struct tw_port_holder *rows;
	uint32_t count;
	uint32_t secret;		/* strangers do not choose what is told of */
	unsigned level;			/* of 2^level ports, one is told of */
	struct tw_port_set held;	/* whether or not it is told of */
	uint16_t first[UINT16_MAX + 1]; /* of each port: index and 1; 0: none */
};

/* Returns 0 or -ENOMEM. */
int tw_port_holders_init(struct tw_port_holders *holders, uint32_t secret);
void tw_port_holders_done(struct tw_port_holders *holders);

void tw_port_holders_clear(struct tw_port_holders *holders);

/* Makes room by telling of half as many ports. */
void tw_port_holders_thin(struct tw_port_holders *holders);

/* Whether a port is among those told of at this level: by the fraction of the golden ratio (Knuth 6.4). */
static inline bool tw_port_holders_picks(const struct tw_port_holders *holders, uint16_t port, unsigned level)
{
	return level == 0 || (port ^ holders->secret) * UINT32_C(0x9e3779b1) >> (32 - level) == 0;
}

/* One socket on this port, whose destination has this hash. */
static inline void tw_port_holders_add(struct tw_port_holders *holders, uint16_t port, uint32_t hash, bool ripe)
{
	tw_port_set_add(&holders->held, port);
	if (!tw_port_holders_picks(holders, port, holders->level))
		return;
	if (holders->count == TW_PORT_HOLDERS_MAX) {
		tw_port_holders_thin(holders);
		if (!tw_port_holders_picks(holders, port, holders->level))
			return;
	}
	holders->rows[holders->count] = (struct tw_port_holder){
		.hash = hash & 0x3fffffff,
		.ripe = ripe,
		.port = port,
		.next = holders->first[port],
	};
	holders->first[port] = (uint16_t)++holders->count;
}

/* The first holder of a port, and the one behind a holder; NULL for none. */
static inline const struct tw_port_holder *tw_port_holders_first(const struct tw_port_holders *holders, uint16_t port)
{
	return holders->first[port] > 0 ? &holders->rows[holders->first[port] - 1] : NULL;
}

static inline const struct tw_port_holder *tw_port_holders_next(const struct tw_port_holders *holders,
								const struct tw_port_holder *holder)
{
	return holder->next > 0 ? &holders->rows[holder->next - 1] : NULL;
}
