/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/parity.h"
#include "measure/port-holders.h"
#include "measure/source.h"
#include "measure/table.h"
#include "model/port-model.h"
#include "model/ports.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Which ports are exclusive, so that connect() can take them for nobody: those bound first among what a survey has
 * counted, by asking the kernel or else by their parity. See model/port-model.h.
 */

/* Of one destination, of the ports told of. */
struct tw_exclusive_share {
	uint16_t exclusive, ripe; /* ports that are exclusive; of these, waiting and ripe for reuse */
	uint16_t first;		  /* of the same, taken by this destination's own bind() */
};

/* Of a destination of a device, of the ports told of: those that the same without a device holds too. */
struct tw_port_pair {
	uint16_t ports, ripe, base_ripe, both_ripe; /* all; waiting and ripe for reuse here, there, and both */
};

/* Sources told apart. */
#define TW_EXCLUSIVE_SOURCES_MAX 64u

struct tw_exclusive_binder {
	struct tw_address address;
	uint32_t first; /* ports bound first */
	uint32_t destinations;
	uint32_t most_ports;
	struct tw_destination most;
};

struct tw_exclusive {
	struct tw_port_holders holders;
	struct tw_port_set range; /* what is usable and not listened on */
	struct tw_port_set bound; /* of it, bound and not connected: exclusive beyond doubt */
	struct tw_parity_work parity;

	/* Asking the kernel. */
	bool asking, asked;
	bool has_devices;	  /* some of the sockets are bound to one */
	unsigned level;		  /* of the holders' ports, those of this level are decided on */
	uint32_t next_port;	  /* to be asked about */
	struct tw_port_set taken; /* what the kernel says is exclusive */

	/* What came of it. Counts are of the ports decided on until they are scaled. */
	struct tw_exclusive_share *shares; /* of each slot of the table; NULL: all are zero */
	struct tw_port_pair *pairs;	   /* the same */
	uint32_t decided, decided_unbound; /* ports */
	uint32_t held, held_unbound;	   /* all that there are */
	uint32_t exclusive, shared,
		unclear;      /* of the unbound ones decided on; shared: one source, several destinations */
	uint32_t unclear_far; /* of the unclear ones, those that bind() takes first */
	uint32_t source_count;
	struct tw_exclusive_binder sources[TW_EXCLUSIVE_SOURCES_MAX];
};

/* Whether a port is one of those that are decided on, which stand for all. */
static inline bool tw_exclusive_decides(const struct tw_exclusive *exclusive, uint16_t port)
{
	return exclusive->holders.first[port] > 0 && tw_port_holders_picks(&exclusive->holders, port, exclusive->level);
}

/* From the ports decided on to all of them, rounded. */
static inline uint32_t tw_exclusive_scale(uint32_t count, uint32_t all, uint32_t decided)
{
	return decided == 0 ? 0 : (uint32_t)(((uint64_t)count * all + decided / 2) / decided);
}

/* Returns 0 or -ENOMEM. */
int tw_exclusive_init(struct tw_exclusive *exclusive, uint32_t secret);
void tw_exclusive_done(struct tw_exclusive *exclusive);

/* Empties it. `range`: what is usable, without what is listened on; `low`: its lower bound, reserved or not. */
void tw_exclusive_begin(struct tw_exclusive *exclusive, const struct tw_port_set *range, uint16_t low);

/* After the last socket: asks the kernel about `most` ports at most. */
void tw_exclusive_ask(struct tw_exclusive *exclusive, uint32_t most);

/* A few questions. Returns true while there are more. Where the kernel cannot be asked, parity has to do. */
bool tw_exclusive_step(struct tw_exclusive *exclusive, struct tw_source *source);

/* Then: decides on each port. `past` is of the survey before, and is made that of this one. */
void tw_exclusive_settle(struct tw_exclusive *exclusive, const struct tw_table *table, struct tw_parity_past *past);

/* Ports of the range that are exclusive, without those that are listened on. */
uint32_t tw_exclusive_ports(const struct tw_exclusive *exclusive);

/* The same of a destination: fills exclusive and exclusive_ripe, which must not be more than it has. */
void tw_exclusive_fill(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry,
		       struct tw_port_holding *holding);

/* Scaled. All zero for a destination without a device. */
struct tw_port_pair tw_exclusive_pair(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry);

/* How many of its ports were bound first, at least; false where that is not known. */
bool tw_exclusive_first(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry,
			const struct tw_parity_past *past, uint32_t *ret);

/* Fills bound_first_ports, unclear_ports, shared_ports and the binders. */
void tw_exclusive_results(const struct tw_exclusive *exclusive, struct tw_survey *ret);
