/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/table.h"

#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Counts that a sweep tells apart; what is larger goes last. With half of the table above, that is 230 M sockets. */
#define SWEEP_COUNTS 4096

_Static_assert(sizeof(struct tw_destination) == 40, "hashed and compared as bytes: no padding");

/* Puts every entry into an empty index. */
static void fill_index(struct tw_table *table)
{
	uint32_t mask = table->slot_count - 1;

	memset(table->slots, 0, table->slot_count * sizeof(*table->slots));
	for (uint32_t i = 0; i < table->count; i++) {
		uint32_t at = table->entries[i].hash & mask;

		while (table->slots[at] != 0)
			at = (at + 1) & mask;
		table->slots[at] = i + 1;
	}
}

/* Fails only where memory does. What was there before serves as well then: the index is never full. */
static int resize(struct tw_table *table, uint32_t slot_count)
{
	uint32_t room = TW_TABLE_ROOM(slot_count), *slots;
	struct tw_table_entry *entries = realloc(table->entries, room * sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	table->entries = entries;
	/* No more than fits: less at once, more only when the index has grown as well. */
	table->room = TW_MIN(table->room, room);
	slots = realloc(table->slots, slot_count * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	table->slots = slots;
	table->slot_count = slot_count;
	table->room = room;
	fill_index(table);
	return 0;
}

int tw_table_init(struct tw_table *table, const struct tw_hash_key *secret)
{
	int r;

	memset(table, 0, sizeof(*table));
	table->secret = *secret;
	r = resize(table, TW_TABLE_SLOTS_MIN);
	if (r < 0)
		tw_table_done(table);
	return r;
}

void tw_table_done(struct tw_table *table)
{
	free(table->entries);
	free(table->slots);
	table->entries = NULL;
	table->slots = NULL;
}

void tw_table_clear(struct tw_table *table)
{
	/* So much of it as was needed last is likely to be needed again. */
	bool is_large = table->slot_count > TW_TABLE_SLOTS_MIN && table->count < table->slot_count / 8;

	if (table->dropped > 0)
		memset(table->seen, 0, sizeof(table->seen));
	table->count = 0;
	table->dropped = 0;
	table->swept_most = 0;
	if (!is_large || resize(table, TW_TABLE_SLOTS_MIN) < 0)
		fill_index(table);
}

/* ---- when it is full */

static void note_seen(struct tw_table *table)
{
	for (uint32_t i = 0; i < table->count; i++) {
		uint32_t bit = table->entries[i].hash >> (TW_TABLE_HASH_BITS - TW_TABLE_SEEN_BITS);

		table->seen[bit / 64] |= UINT64_C(1) << (bit % 64);
	}
}

static uint32_t capped(const struct tw_table_entry *entry)
{
	return TW_MIN(tw_table_ports(entry), SWEEP_COUNTS - 1u);
}

/* Takes out half of the entries, those with the smallest counts. */
static void sweep(struct tw_table *table)
{
	uint32_t having[SWEEP_COUNTS] = { 0 };
	uint32_t threshold = 1, due = table->count / 2, kept = 0;

	note_seen(table);
	for (uint32_t i = 0; i < table->count; i++)
		having[capped(&table->entries[i])]++;
	while (threshold < SWEEP_COUNTS - 1 && having[threshold] < due)
		due -= having[threshold++];
	/* All below the threshold go, and so many of those that have just that. */
	for (uint32_t i = 0; i < table->count; i++) {
		const struct tw_table_entry *entry = &table->entries[i];
		uint32_t count = capped(entry);

		if (count > threshold || (count == threshold && due == 0)) {
			table->entries[kept++] = *entry;
			continue;
		}
		due -= count == threshold;
		table->dropped += tw_table_ports(entry);
	}
	table->count = kept;
	table->swept_most += threshold;
	fill_index(table);
}

/* Two destinations may share a bit: so never too many. */
uint32_t tw_table_destinations(struct tw_table *table)
{
	uint32_t count = 0;

	if (table->dropped == 0)
		return table->count;
	note_seen(table);
	for (uint32_t i = 0; i < TW_ARRAY_SIZE(table->seen); i++)
		count += (uint32_t)__builtin_popcountll(table->seen[i]);
	return count;
}

/* ---- entries */

/* Its slot, or the empty one where it would go. Without a key, by the hash alone. */
static inline uint32_t *slot_of(const struct tw_table *table, uint32_t hash, const struct tw_destination *key)
{
	uint32_t mask = table->slot_count - 1;

	uint32_t at = hash & mask;

	for (; table->slots[at] != 0; at = (at + 1) & mask) {
		const struct tw_table_entry *entry = &table->entries[table->slots[at] - 1];

		if (entry->hash == hash && (!key || memcmp(&entry->key, key, sizeof(*key)) == 0))
			break;
	}
	return &table->slots[at];
}

/* Of an IPv4 pair only the bytes that differ, 14 of them: half the work. The length keeps both kinds apart. */
uint32_t tw_table_hash(const struct tw_table *table, const struct tw_destination *key)
{
	uint8_t bytes[14];
	uint64_t hash;

	if (tw_address_is_ipv4(&key->source) && tw_address_is_ipv4(&key->destination)) {
		memcpy(bytes, key->source.bytes + 12, 4);
		memcpy(bytes + 4, key->destination.bytes + 12, 4);
		memcpy(bytes + 8, &key->device, 4);
		memcpy(bytes + 12, &key->port, 2);
		hash = tw_hash(&table->secret, bytes, sizeof(bytes));
	} else {
		hash = tw_hash(&table->secret, key, sizeof(*key));
	}
	return (uint32_t)hash & TW_TABLE_HASH_MASK;
}

struct tw_table_entry *tw_table_get(struct tw_table *table, uint32_t hash, const struct tw_destination *key)
{
	uint32_t *slot = slot_of(table, hash, key);

	if (*slot == 0 && table->count == table->room) {
		if (table->slot_count < TW_TABLE_SLOTS_MAX)
			(void)resize(table, table->slot_count * 2);
		if (table->count == table->room)
			sweep(table);
		slot = slot_of(table, hash, key);
	}
	if (*slot == 0) {
		table->entries[table->count] = (struct tw_table_entry){ .key = *key, .hash = hash };
		*slot = ++table->count;
	}
	return &table->entries[*slot - 1];
}

struct tw_table_entry *tw_table_find(const struct tw_table *table, const struct tw_destination *key)
{
	uint32_t slot = *slot_of(table, tw_table_hash(table, key), key);

	return slot != 0 ? &table->entries[slot - 1] : NULL;
}

struct tw_table_entry *tw_table_find_base(const struct tw_table *table, const struct tw_table_entry *entry)
{
	struct tw_destination key = entry->key;

	key.device = 0;
	return entry->key.device != 0 ? tw_table_find(table, &key) : NULL;
}

struct tw_table_entry *tw_table_find_hash(const struct tw_table *table, uint32_t hash)
{
	uint32_t slot = *slot_of(table, hash, NULL);

	return slot != 0 ? &table->entries[slot - 1] : NULL;
}
