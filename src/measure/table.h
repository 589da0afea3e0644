/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "model/flow.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The survey's count by destination. Remote addresses are chosen by strangers, so the table is keyed with a secret and
 * has an upper bound. Beyond it the smallest counts are swept out (lossy counting, Manku and Motwani 2002): a heavy
 * destination stays, and its count falls short by no more than the thresholds of the sweeps.
 */

/* Slots of the index at first, and at most. Powers of two. */
#define TW_TABLE_SLOTS_MIN 2048u
#define TW_TABLE_SLOTS_MAX 262144u
/* Destinations that an index of so many slots is for: 114 688 at most. */
#define TW_TABLE_ROOM(slots) ((slots) / 16 * 7)

/* Bits of the hash that tell a destination that was swept out from another: 128 KiB, touched by the first sweep only.
 */
#define TW_TABLE_SEEN_BITS 20
/* Bits of the hash that are kept. */
#define TW_TABLE_HASH_BITS 31
#define TW_TABLE_HASH_MASK ((1u << TW_TABLE_HASH_BITS) - 1)

/* One destination. Its ports are counted up to 65535, and there are no more. */
struct tw_table_entry {
	struct tw_destination key;
	uint32_t hash;
	uint16_t held[TW_HOLDER_COUNT]; /* ports, by what holds them */
	uint16_t young, unripe;		/* of those in TIME-WAIT */
	uint16_t far;			/* of all, those of the parity that connect() takes last */
	/* After tw_exclusive_settle(): of all, those that are exclusive; of these, ripe for reuse; of its own bind().
	 */
	uint16_t exclusive, exclusive_ripe, bound_first;
	/* Of a device, blocked for the same without one too: as tcp_tw_reuse is, and as it was before timewaitd set it.
	 */
	uint16_t twice, twice_baseline;
	uint8_t has_timestamps : 1, lacks_timestamps : 1; /* as its living sockets say, which may not agree */
	uint8_t refuted : 1;				  /* reuse takes nothing over */
	uint8_t watched : 1;
};

_Static_assert(sizeof(struct tw_table_entry) <= 76, "a full table is 8.3 MiB, and 1 MiB of index");

struct tw_table {
	struct tw_table_entry *entries; /* in no order */
	uint32_t count, room;
	uint32_t *slots; /* index of an entry and 1; 0: empty */
	uint32_t slot_count;
	struct tw_hash_key secret;
	uint64_t dropped;    /* sockets swept out */
	uint32_t swept_most; /* sum of the sweeps' thresholds: the most that a count falls short */
	uint64_t seen[(1u << TW_TABLE_SEEN_BITS) / 64];
};

/* Returns 0 or -ENOMEM. */
int tw_table_init(struct tw_table *table, const struct tw_hash_key *secret);
void tw_table_done(struct tw_table *table);

/* Empties it for the next survey; what it had grown to is given back. */
void tw_table_clear(struct tw_table *table);

/* The hash under which `key` is kept. */
uint32_t tw_table_hash(const struct tw_table *table, const struct tw_destination *key);

/* Has the processor fetch what tw_table_get() reads first for a hash, and the entry of one for which that is there. */
static inline void tw_table_fetch(const struct tw_table *table, uint32_t hash, uint32_t fetched_hash)
{
	uint32_t slot = table->slots[fetched_hash & (table->slot_count - 1)];
	const char *entry = (const char *)&table->entries[slot > 0 ? slot - 1 : 0];

	__builtin_prefetch(&table->slots[hash & (table->slot_count - 1)]);
	/* It may lie across two cache lines. */
	__builtin_prefetch(entry, 1);
	__builtin_prefetch(entry + sizeof(*table->entries) - 1, 1);
}

/* The entry of `key`, made where there is none; good until the next one is made. One socket is to be counted in it. */
struct tw_table_entry *tw_table_get(struct tw_table *table, uint32_t hash, const struct tw_destination *key);

/* NULL where it is not in the table, or has been swept out. */
struct tw_table_entry *tw_table_find(const struct tw_table *table, const struct tw_destination *key);

/* The destination of the same addresses and port without a device; NULL where there is none, or `entry` is it. */
struct tw_table_entry *tw_table_find_base(const struct tw_table *table, const struct tw_table_entry *entry);

/* The same by its hash alone: of two that share one, some. */
struct tw_table_entry *tw_table_find_hash(const struct tw_table *table, uint32_t hash);

static inline void tw_table_count(uint16_t *count, bool is)
{
	*count = (uint16_t)(*count + (is && *count < UINT16_MAX));
}

static inline uint32_t tw_table_ports(const struct tw_table_entry *entry)
{
	uint32_t ports = 0;

	for (unsigned i = 0; i < TW_HOLDER_COUNT; i++)
		ports += entry->held[i];
	return ports;
}

/* Distinct destinations, those swept out too: exact until the first sweep, a lower bound after it. */
uint32_t tw_table_destinations(struct tw_table *table);
