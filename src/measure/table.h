/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "model/flow.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The survey's count by destination. Remote addresses are chosen by strangers, so the table is keyed with a secret and
 * has an upper bound. Beyond it the smallest counts are swept out (lossy counting, Manku and Motwani 2002): a heavy
 * destination stays, and its count falls short by no more than the thresholds of the sweeps.
 */

/* Slots at first, and at most: the whole is 8 MiB then. Powers of two. */
#define TW_TABLE_SLOTS_MIN 1024u
#define TW_TABLE_SLOTS_MAX 131072u

/* One destination. Its ports are counted up to 65535, and there are no more. */
struct tw_table_entry {
	struct tw_destination key;
	uint32_t hash : 30;
	uint32_t round : 1; /* of the rebuild that put it here: this one, or the one before */
	uint32_t used : 1;
	uint16_t held[TW_HOLDER_COUNT]; /* ports, by what holds them */
	uint16_t young, unripe;		/* of those in TIME-WAIT */
	uint16_t far;			/* of all, those of the parity that connect() takes last */
};

_Static_assert(sizeof(struct tw_table_entry) <= 64, "a full table is 8 MiB");

/* One socket, as far as it is counted. */
struct tw_table_socket {
	enum tw_holder holder;
	bool young, unripe; /* in TIME-WAIT */
	bool far;
};

/* A socket on its way into the table, while the processor fetches the slot. */
struct tw_table_pending {
	struct tw_destination key;
	uint32_t hash;
	struct tw_table_socket socket;
};

/* So many at once, a power of two: about as many fetches as a core keeps under way (10 to 16 line fill buffers). */
#define TW_TABLE_PENDING_MAX 16

struct tw_table {
	struct tw_table_entry *slots;
	uint32_t slot_count;
	uint32_t used;
	uint32_t used_lately;  /* the most used in the surveys below */
	unsigned idle_surveys; /* in a row that left most of it empty */
	unsigned round : 1;
	struct tw_hash_key secret;
	uint64_t dropped;    /* sockets swept out */
	uint32_t swept_most; /* sum of the sweeps' thresholds: the most that a count falls short */
	uint64_t *swept;     /* which destinations were, a bit for each value of some bits of their hash */
	bool has_swept;
	unsigned pending_count, pending_next; /* a ring */
	struct tw_table_pending pending[TW_TABLE_PENDING_MAX];
};

/* Returns 0 or -ENOMEM. */
int tw_table_init(struct tw_table *table, const struct tw_hash_key *secret);
void tw_table_done(struct tw_table *table);

/* Empties it for the next survey; memory that ten surveys in a row had no use for is given back. */
void tw_table_clear(struct tw_table *table);

/*
 * One socket towards `key`. It may be counted later: tw_table_flush() before the table is read. Returns the hash under
 * which it is kept.
 */
uint32_t tw_table_add(struct tw_table *table, const struct tw_destination *key, struct tw_table_socket socket);

/* Counts what is pending. */
void tw_table_flush(struct tw_table *table);

/* The hash under which `key` is kept. */
uint32_t tw_table_hash(const struct tw_table *table, const struct tw_destination *key);

/* NULL where it is not in the table, or has been swept out. */
const struct tw_table_entry *tw_table_find(const struct tw_table *table, const struct tw_destination *key);

/* The destination of the same addresses and port without a device; NULL where there is none, or `entry` is it. */
const struct tw_table_entry *tw_table_find_base(const struct tw_table *table, const struct tw_table_entry *entry);

/* The same by its hash alone: of two that share one, some. */
const struct tw_table_entry *tw_table_find_hash(const struct tw_table *table, uint32_t hash);

static inline uint32_t tw_table_ports(const struct tw_table_entry *entry)
{
	uint32_t ports = 0;

	for (unsigned i = 0; i < TW_HOLDER_COUNT; i++)
		ports += entry->held[i];
	return ports;
}

/* Distinct destinations, those swept out too: exact until the first sweep, a lower bound after it. */
uint32_t tw_table_destinations(const struct tw_table *table);

/* What the rows of tw_table_top() are ordered by. */
typedef uint64_t (*tw_table_weigh)(void *context, const struct tw_table_entry *entry);

/*
 * The entries that weigh most, ties by the bytes of their keys, and those that are watched in the place of the least of
 * the others. `rows` has room for `room` of them. Returns how many there are; the pointers are good until the next
 * change.
 */
unsigned tw_table_top(const struct tw_table *table, const struct tw_watched *watched, tw_table_weigh weigh,
		      void *context, const struct tw_table_entry **rows, unsigned room);
