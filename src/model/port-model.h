/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a plain connect() can take: the one place that says which ports are blocked for a destination, and what their
 * parity tells of who took them. Held against the kernel in tests/system/test_port_model.py.
 */

/* The sysctls that it depends on. */
struct tw_reuse_rule {
	int64_t reuse;	   /* tcp_tw_reuse as it is; 0 where it is not known */
	int64_t baseline;  /* what it was before timewaitd changed it */
	uint32_t delay_ms; /* tcp_tw_reuse_delay */
};

/* `baseline`: of tcp_tw_reuse; where it is not known the live value is. */
struct tw_reuse_rule tw_reuse_rule(const struct tw_gauge *gauge, const struct tw_live_value *baseline);

/* How long a TIME-WAIT lasts: 60 s, or what a vendor's kernel lets be set. */
uint32_t tw_time_wait_life_ms(const struct tw_gauge *gauge);

/*
 * Whether tcp_tw_reuse of this value lets connect() take over what waits towards the destination: 1 does; 2 where
 * either end is loopback, or the waiting socket was bound to lo (tcp_twsk_unique() in net/ipv4/tcp_ipv4.c).
 */
bool tw_reuse_in_force(int64_t reuse, const struct tw_destination *key);

/*
 * Whether so many of the usable ports are worth a remedy of their own, or a question: a tenth. Who holds fewer is short
 * of none for what it holds itself.
 */
static inline bool tw_port_is_worth(uint64_t ports, uint32_t usable)
{
	return ports * 10 >= usable;
}

/*
 * What is left to a destination beside the exclusive ports. Never less than a fifth of all: who needs next to nothing
 * of little is not short for what it holds itself.
 */
static inline uint32_t tw_port_left(uint32_t exclusive_ports, uint32_t usable)
{
	uint32_t left = usable > exclusive_ports ? usable - exclusive_ports : 0;
	uint32_t least = usable < 5 ? usable : usable / 5;

	return left > least ? left : least;
}

/* Ports held towards one destination, as a count of them needs to be known here. */
struct tw_port_holding {
	uint32_t ports, time_wait, unripe_time_wait, young_time_wait;
	/* Of these, on ports that are exclusive: all, and of them what waits and is ripe for reuse. */
	uint32_t exclusive, exclusive_ripe;
};

/*
 * Ports that connect() cannot take: those held, but for what reuse can take over, and all exclusive ones. Not held at
 * what is usable. `in_force`: reuse is, and was not refuted.
 */
uint32_t tw_port_blocked(const struct tw_port_holding *holding, uint32_t exclusive_ports, bool in_force);

/*
 * What would be blocked if the present rate of new connections went on for a whole TIME-WAIT of `life_ms` without
 * reuse: all that does not wait, what is exclusive elsewhere, and those in TIME-WAIT that are younger than `young_ms`,
 * so many times over.
 */
uint64_t tw_port_demand(const struct tw_port_holding *holding, uint32_t exclusive_ports, uint32_t life_ms,
			uint32_t young_ms);

/*
 * connect() picks a port of the range's lower bound's parity first, bind() with port 0 one of the other
 * (__inet_hash_connect(), inet_csk_find_open_port()). What their parity tells of ports held by one owner.
 */
enum tw_parity {
	TW_PARITY_PLAIN,   /* taken by connect() */
	TW_PARITY_FIRST,   /* by bind() before it */
	TW_PARITY_UNCLEAR, /* one cannot tell */
};

/* A destination with fewer ports than this is judged together with others of its source: chance tells too much. */
#define TW_PARITY_PORTS_MIN 8u

/* How many ports there are of either parity, and how many of them one owner holds. */
struct tw_parity_ports {
	uint32_t near_held, far_held; /* near: of the lower bound's parity */
	uint32_t near_usable, far_usable;
};

/* Where nearly all of the far half is held, and more beside it, TW_PARITY_FIRST holds for the far ones alone. */
enum tw_parity tw_parity_judge(const struct tw_parity_ports *ports);

/* Whether the near half is so full that parity tells nothing, now and while these sockets are there. */
bool tw_parity_is_blinding(const struct tw_parity_ports *ports);

/*
 * Reuse is in force for a destination, and takes nothing over: its peer has no timestamps, which no row tells. It is
 * credited until this is true of two looks, no more than 3 min apart: its ports are beyond half of the usable ones at
 * both, those that connect() looks at first are full of what it could take, and connections were opened in between; and
 * TWRecycled stood still, or the ports grew by them although at no time so many lived or were unripe that there was
 * nothing to take.
 */
bool tw_reuse_refuted(const struct tw_reuse_look *before, const struct tw_reuse_look *now, uint32_t usable);

/* A set of ports, 8 KiB: each question is one bit. */
struct tw_port_set {
	uint64_t words[65536 / 64];
};

void tw_port_set_clear(struct tw_port_set *set);
void tw_port_set_remove(struct tw_port_set *set, uint16_t port);
/* Inclusive; nothing where low > high. */
void tw_port_set_add_range(struct tw_port_set *set, uint16_t low, uint16_t high);
void tw_port_set_subtract(struct tw_port_set *set, const struct tw_port_set *other);
uint32_t tw_port_set_size(const struct tw_port_set *set);

static inline void tw_port_set_add(struct tw_port_set *set, uint16_t port)
{
	set->words[port / 64] |= UINT64_C(1) << (port % 64);
}

static inline bool tw_port_set_has(const struct tw_port_set *set, uint16_t port)
{
	return set->words[port / 64] >> (port % 64) & 1;
}

/* The first port of the set from *port on, which becomes it; false where there is none. */
static inline bool tw_port_set_next(const struct tw_port_set *set, uint32_t *port)
{
	for (uint32_t at = *port; at <= UINT16_MAX; at = (at / 64 + 1) * 64) {
		uint64_t word = set->words[at / 64] >> (at % 64);

		if (word != 0) {
			*port = at + (uint32_t)__builtin_ctzll(word);
			return true;
		}
	}
	return false;
}

/* How many of its ports are odd. */
uint32_t tw_port_set_odd(const struct tw_port_set *set);

/* Parses ip_local_reserved_ports: "8080,9000-9010" and a newline, or nothing. Returns 0 or -EINVAL. */
int tw_port_set_parse(const char *text, size_t length, struct tw_port_set *ret);
