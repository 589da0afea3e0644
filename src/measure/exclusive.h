/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/source.h"
#include "measure/table.h"
#include "model/port-model.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Which ports are exclusive, so that connect() can take them for nobody: those bound first among what a survey has
 * counted, by asking the kernel (exclusive.c) or else by their parity (parity.c); and who has bound them, and finds
 * none itself (binders.c). See model/port-model.h.
 */

/* 256 KiB: so many destinations of ports; all of one that holds the whole of the usual range. */
#define TW_PORT_HOLDERS_MAX 32768u

/* A destination that holds a port. */
struct tw_port_holder {
	uint32_t hash : TW_TABLE_HASH_BITS; /* as the table has it */
	uint32_t ripe : 1;		    /* in TIME-WAIT, and old enough for reuse */
	uint16_t port;
	uint16_t next; /* of the same port: index and 1; 0: none */
};

_Static_assert(sizeof(struct tw_port_holder) == 8, "256 KiB in all");

/* Destinations whose near half was full once: parity tells nothing of them. More than ever were at the same time. */
#define TW_PARITY_BLIND_MAX 128u

/* What a survey leaves to the next one of the same namespace. Zero: there was none. */
struct tw_parity_past {
	uint32_t blind_count;
	bool full;			     /* there were more: parity tells nothing of anybody */
	uint32_t blind[TW_PARITY_BLIND_MAX]; /* by their hash in the table */
};

/* Sources told apart; of those beyond, small destinations are not known, nor what they bind first. */
#define TW_PORT_SOURCES_MAX 128u

struct tw_port_source {
	struct tw_address address;
	uint32_t near, far;	     /* ports of its small destinations that no other of them holds */
	struct tw_binder_row binder; /* what it has bound first, if it has */
	uint32_t most_ports;	     /* of these, towards binder.most */
};

struct tw_exclusive {
	/*
	 * Which destinations hold which port, so that ports are counted and not sockets. Of all of them while there are
	 * few; of ports chosen by chance where there are more than there is room for: each time it is full, of half as
	 * many ports.
	 */
	struct tw_port_holder holders[TW_PORT_HOLDERS_MAX];
	uint32_t holder_count;
	uint32_t secret;		/* strangers do not choose what is told of */
	unsigned level;			/* of 2^level ports, one is told of */
	uint16_t first[UINT16_MAX + 1]; /* holder of each port: index and 1; 0: none */
	struct tw_port_set held;	/* whether or not it is told of */

	struct tw_port_set range; /* what is usable and not listened on */
	struct tw_port_set bound; /* of it, bound and not connected: exclusive beyond doubt */
	struct tw_port_set taken; /* what the kernel says is exclusive */
	/* Of `held`, those that are decided on, which stand for all: with what is bound, and without. */
	struct tw_port_set decided, decided_unbound;
	bool asking, asked; /* the kernel, about the latter */
	uint32_t next_port; /* to be asked about */

	struct tw_table *table;	     /* borrows, as the next two */
	struct tw_survey *survey;    /* to be filled */
	struct tw_parity_past *past; /* of the survey before, then of this one */
	uint16_t low;		     /* the range's lower bound */
	bool far_gone; /* so much of the far half is bound first that bind() takes near ones: they tell nothing */

	/* Sizes of these sets without what is bound, by parity. 0: that which connect() takes first. */
	uint32_t usable[2], held_count[2], decided_count[2];
	uint32_t held_all, decided_all; /* with it */
	uint32_t unclear_far;		/* of the unclear ports decided on, those that bind() takes first */
	uint32_t source_count;
	struct tw_port_source sources[TW_PORT_SOURCES_MAX];
};

/* Empties it. `range`: what is usable, without what is listened on; `low`: its lower bound, reserved or not. */
void tw_exclusive_begin(struct tw_exclusive *exclusive, const struct tw_port_set *range, uint16_t low,
			struct tw_parity_past *past);

/* Whether a port is among those of this level: by the fraction of the golden ratio (Knuth 6.4). */
static inline bool tw_exclusive_picks(const struct tw_exclusive *exclusive, uint16_t port, unsigned level)
{
	return level == 0 || (port ^ exclusive->secret) * UINT32_C(0x9e3779b1) >> (32 - level) == 0;
}

void tw_exclusive_put(struct tw_exclusive *exclusive, uint16_t port, uint32_t hash, bool ripe);

/* One socket on this port, whose destination has this hash. */
static inline void tw_exclusive_add(struct tw_exclusive *exclusive, uint16_t port, uint32_t hash, bool ripe)
{
	tw_port_set_add(&exclusive->held, port);
	if (tw_exclusive_picks(exclusive, port, exclusive->level))
		tw_exclusive_put(exclusive, port, hash, ripe);
}

/* After the last socket: asks the kernel about `most` ports at most. */
void tw_exclusive_ask(struct tw_exclusive *exclusive, uint32_t most);

/* A few questions. Returns true while there are more. Where the kernel cannot be asked, parity has to do. */
bool tw_exclusive_step(struct tw_exclusive *exclusive, struct tw_source *source);

/*
 * Then: decides on each port, and counts those that are exclusive in the entries of the table. Fills all ports of the
 * survey.
 */
void tw_exclusive_settle(struct tw_exclusive *exclusive);

/* ---- between its files */

/* The holder that `first` of a port or `next` of a holder names; NULL for none. */
static inline const struct tw_port_holder *tw_exclusive_holder(const struct tw_exclusive *exclusive, uint16_t at)
{
	return at > 0 ? &exclusive->holders[at - 1] : NULL;
}

/* 1 where connect() looks at this port only when those of the other parity are taken. */
static inline unsigned tw_parity_is_far(uint16_t low, uint16_t port)
{
	return (port ^ low) & 1;
}

/* From the ports decided on to all of them, rounded. */
static inline uint32_t tw_exclusive_scale(uint32_t count, uint32_t all, uint32_t decided)
{
	return decided == 0 ? 0 : (uint32_t)(((uint64_t)count * all + decided / 2) / decided);
}

/* NULL where there are too many. */
struct tw_port_source *tw_exclusive_source(struct tw_exclusive *exclusive, const struct tw_address *address);

/*
 * Whether another destination of its source, where `small` a small one, has the port too; with very many holders it is
 * taken to.
 */
bool tw_parity_is_shared(const struct tw_exclusive *exclusive, uint16_t port, const struct tw_table_entry *entry,
			 bool small);

/* Whether it is judged together with others. */
static inline bool tw_parity_is_small(const struct tw_table_entry *entry)
{
	return tw_table_ports(entry) < TW_PARITY_PORTS_MIN;
}

/* Begins to judge by parity: the past becomes that of this survey, and what small destinations have is summed up. */
void tw_parity_begin(struct tw_exclusive *exclusive);

/* A destination as a whole. TW_PARITY_FIRST: of its far ports. Not unclear where the kernel was asked. */
enum tw_parity tw_parity_of_entry(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry);

/* What all holders of one port say together. */
enum tw_parity tw_parity_of_port(const struct tw_exclusive *exclusive, uint16_t port);

/* Notes who has bound first, while the entries' counts are of the ports decided on. */
void tw_binders_note(struct tw_exclusive *exclusive);

/* Fills the binders of the survey and the needs: of these, and of those that `previous` knew. */
void tw_binders_results(const struct tw_exclusive *exclusive, const struct tw_survey *previous, usec_t at_usec);
