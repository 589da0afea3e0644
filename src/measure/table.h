/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "model/flow.h"

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

/* One destination; a slot without ports is empty. */
struct tw_table_entry {
	struct tw_destination key;
	uint16_t round; /* of the rebuild that put it here */
	uint32_t hash;
	uint32_t ports;
	uint32_t time_wait;
	uint32_t young_time_wait;
	uint32_t established;
};

_Static_assert(sizeof(struct tw_table_entry) <= 64, "a full table is 8 MiB");

/* A socket on its way into the table, while the processor fetches the slot. */
struct tw_table_pending {
	struct tw_destination key;
	uint32_t hash;
	enum tw_state state;
	bool young;
};

/* So many at once, a power of two: about as many fetches as a core keeps under way (10 to 16 line fill buffers). */
#define TW_TABLE_PENDING_MAX 16

struct tw_table {
	struct tw_table_entry *slots;
	uint32_t slot_count;
	uint32_t used;
	uint32_t used_lately;  /* the most used in the surveys below */
	unsigned idle_surveys; /* in a row that left most of it empty */
	uint16_t round;
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

/* One socket towards `key`. It may be counted later: tw_table_flush() before the table is read. */
void tw_table_add(struct tw_table *table, const struct tw_destination *key, enum tw_state state, bool young);

/* Counts what is pending. */
void tw_table_flush(struct tw_table *table);

/* The hash under which `key` is kept. */
uint32_t tw_table_hash(const struct tw_table *table, const struct tw_destination *key);

/* Distinct destinations, those swept out too: exact until the first sweep, a lower bound after it. */
uint32_t tw_table_destinations(const struct tw_table *table);

/*
 * The entries with the most ports, ties by the bytes of their keys. `rows` has room for `room` of them. Returns how
 * many there are; the pointers are good until the next change.
 */
unsigned tw_table_top(const struct tw_table *table, const struct tw_table_entry **rows, unsigned room);
