/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/table.h"

#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Surveys in a row that leave seven eighths empty before memory is given back. */
#define IDLE_SURVEYS_MAX 10
/* Counts that a sweep tells apart; what is larger goes last. With half of the table above, that is 230 M sockets. */
#define SWEEP_COUNTS 4096
/* Bits of the hash that tell a swept destination from another: 128 KiB, touched by the first sweep only. */
#define SWEPT_BITS 20
#define SWEPT_WORDS ((1u << SWEPT_BITS) / 64)
/* Bits of the hash that an entry keeps. */
#define HASH_BITS 30
#define HASH_MASK ((1u << HASH_BITS) - 1)

_Static_assert(sizeof(struct tw_destination) == 40, "hashed and compared as bytes: no padding");

/* What a v4-mapped address begins with. */
static const uint8_t ipv4_prefix[12] = { [10] = 0xff, [11] = 0xff };

int tw_table_init(struct tw_table *table, const struct tw_hash_key *secret)
{
	*table = (struct tw_table){ .secret = *secret, .slot_count = TW_TABLE_SLOTS_MIN };
	table->slots = calloc(table->slot_count, sizeof(*table->slots));
	table->swept = calloc(SWEPT_WORDS, sizeof(*table->swept));
	if (!table->slots || !table->swept) {
		tw_table_done(table);
		return -ENOMEM;
	}
	return 0;
}

void tw_table_done(struct tw_table *table)
{
	free(table->slots);
	free(table->swept);
	*table = (struct tw_table){ 0 };
}

static uint32_t most_used(uint32_t slot_count)
{
	return slot_count / 8 * 7;
}

/* Fails only where memory does; then the old size stays. */
static bool resize(struct tw_table *table, uint32_t slot_count)
{
	struct tw_table_entry *slots = realloc(table->slots, slot_count * sizeof(*slots));

	if (!slots)
		return false;
	table->slots = slots;
	if (slot_count > table->slot_count)
		memset(slots + table->slot_count, 0, (slot_count - table->slot_count) * sizeof(*slots));
	table->slot_count = slot_count;
	return true;
}

static void note_use(struct tw_table *table)
{
	if (table->used >= table->slot_count / 8) {
		table->idle_surveys = 0;
		table->used_lately = 0;
		return;
	}
	table->idle_surveys++;
	table->used_lately = TW_MAX(table->used_lately, table->used);
}

static void shrink(struct tw_table *table)
{
	uint32_t slot_count = table->slot_count;

	if (table->idle_surveys < IDLE_SURVEYS_MAX)
		return;
	while (slot_count > TW_TABLE_SLOTS_MIN && table->used_lately < slot_count / 8)
		slot_count /= 2;
	table->idle_surveys = 0;
	table->used_lately = 0;
	/* Where memory is not to be had for less of it, the old size serves as well. */
	if (slot_count < table->slot_count)
		(void)resize(table, slot_count);
}

void tw_table_clear(struct tw_table *table)
{
	note_use(table);
	shrink(table);
	memset(table->slots, 0, table->slot_count * sizeof(*table->slots));
	if (table->has_swept)
		memset(table->swept, 0, SWEPT_WORDS * sizeof(*table->swept));
	table->has_swept = false;
	table->used = 0;
	table->dropped = 0;
	table->swept_most = 0;
	table->round = 0;
	table->pending_count = 0;
}

/* The slot where `entry` belongs now: over entries of this round, at an empty one or one that is yet to be moved. */
static struct tw_table_entry *place_of(struct tw_table *table, uint32_t hash)
{
	uint32_t mask = table->slot_count - 1;
	uint32_t at = hash & mask;

	while (table->slots[at].used && table->slots[at].round == table->round)
		at = (at + 1) & mask;
	return &table->slots[at];
}

/*
 * Puts every entry where it belongs after the size has changed or entries were taken out, in place: each is taken up
 * once, and where it belongs to a slot whose owner has not been moved yet, that one is taken up next.
 */
static void rebuild(struct tw_table *table)
{
	/* All that stand here were put by the round before, and what is moved is of this one: one bit tells them apart.
	 */
	table->round ^= 1;
	for (uint32_t i = 0; i < table->slot_count; i++) {
		struct tw_table_entry taken = table->slots[i];

		if (!taken.used || taken.round == table->round)
			continue;
		table->slots[i].used = false;
		while (taken.used) {
			struct tw_table_entry *place = place_of(table, taken.hash);
			struct tw_table_entry next = *place;

			taken.round = table->round & 1;
			*place = taken;
			taken = next;
		}
	}
}

/* Who goes in a sweep: all below a count, and some of those that have just that. */
struct cut {
	uint32_t threshold;
	uint32_t equal; /* entries with the threshold's count */
	uint32_t quota; /* how many of these go */
};

static uint32_t capped(const struct tw_table_entry *entry)
{
	return entry->used ? TW_MIN(tw_table_ports(entry), SWEEP_COUNTS - 1u) : 0;
}

/* The smallest threshold such that `quota` entries or more have no larger count. */
static struct cut find_cut(const struct tw_table *table, uint32_t quota)
{
	uint32_t having[SWEEP_COUNTS] = { 0 };
	uint32_t threshold = 1, below = 0;

	for (uint32_t i = 0; i < table->slot_count; i++)
		if (table->slots[i].used)
			having[capped(&table->slots[i])]++;
	while (threshold < SWEEP_COUNTS - 1 && below + having[threshold] < quota)
		below += having[threshold++];
	return (struct cut){ threshold, having[threshold], quota - below };
}

static uint32_t swept_bit(const struct tw_table_entry *entry)
{
	return entry->hash >> (HASH_BITS - SWEPT_BITS);
}

static void drop(struct tw_table *table, struct tw_table_entry *entry)
{
	uint32_t bit = swept_bit(entry);

	table->swept[bit / 64] |= UINT64_C(1) << (bit % 64);
	table->dropped += tw_table_ports(entry);
	entry->used = false;
	table->used--;
}

/*
 * Takes out half of the entries, those with the smallest counts. Of equal ones every so many goes, all over the table:
 * half a table left full would be one long run to search through.
 */
static void sweep(struct tw_table *table)
{
	struct cut cut = find_cut(table, table->used / 2);
	uint64_t due = 0;

	for (uint32_t i = 0; i < table->slot_count; i++) {
		struct tw_table_entry *entry = &table->slots[i];
		uint32_t count = capped(entry);

		if (count == 0 || count > cut.threshold)
			continue;
		if (count == cut.threshold) {
			due += cut.quota;
			if (due < cut.equal)
				continue;
			due -= cut.equal;
		}
		drop(table, entry);
	}
	table->has_swept = true;
	table->swept_most += cut.threshold;
	rebuild(table);
}

static void make_room(struct tw_table *table)
{
	if (table->slot_count < TW_TABLE_SLOTS_MAX && resize(table, table->slot_count * 2))
		rebuild(table);
	else
		sweep(table);
}

/* By words, in place: this is asked once a socket at least. */
static inline bool same_key(const struct tw_destination *a, const struct tw_destination *b)
{
	uint64_t x[5], y[5];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4])) == 0;
}

static inline bool holds(const struct tw_table_entry *entry, uint32_t hash, const struct tw_destination *key)
{
	return entry->hash == hash && same_key(&entry->key, key);
}

/* Its slot, or the empty one where it would go. */
static inline struct tw_table_entry *find(const struct tw_table *table, uint32_t hash, const struct tw_destination *key)
{
	uint32_t mask = table->slot_count - 1;
	uint32_t at = hash & mask;

	while (table->slots[at].used && !holds(&table->slots[at], hash, key))
		at = (at + 1) & mask;
	return &table->slots[at];
}

static struct tw_table_entry *insert(struct tw_table *table, uint32_t hash, const struct tw_destination *key)
{
	struct tw_table_entry *entry;

	if (table->used >= most_used(table->slot_count))
		make_room(table);
	entry = find(table, hash, key);
	*entry = (struct tw_table_entry){ .key = *key, .hash = hash & HASH_MASK, .round = table->round, .used = true };
	table->used++;
	return entry;
}

static inline void add_one(uint16_t *count, bool is)
{
	*count = (uint16_t)(*count + (is && *count < UINT16_MAX));
}

static void count_one(struct tw_table *table, const struct tw_table_pending *pending)
{
	struct tw_table_entry *entry = find(table, pending->hash, &pending->key);
	const struct tw_table_socket *socket = &pending->socket;

	if (!entry->used)
		entry = insert(table, pending->hash, &pending->key);
	add_one(&entry->held[socket->holder], true);
	add_one(&entry->young, socket->young);
	add_one(&entry->unripe, socket->unripe);
	add_one(&entry->far, socket->far);
}

void tw_table_flush(struct tw_table *table)
{
	unsigned oldest = table->pending_next - table->pending_count;

	for (unsigned i = 0; i < table->pending_count; i++)
		count_one(table, &table->pending[(oldest + i) % TW_TABLE_PENDING_MAX]);
	table->pending_count = 0;
}

/* Of an IPv4 pair only the bytes that differ, 14 of them: half the work. The length keeps both kinds apart. */
uint32_t tw_table_hash(const struct tw_table *table, const struct tw_destination *key)
{
	const uint8_t *source = key->source.bytes, *destination = key->destination.bytes;
	uint32_t from, to;

	if (memcmp(source, ipv4_prefix, sizeof(ipv4_prefix)) != 0 ||
	    memcmp(destination, ipv4_prefix, sizeof(ipv4_prefix)) != 0)
		return (uint32_t)tw_hash(&table->secret, key, sizeof(*key)) & HASH_MASK;
	memcpy(&from, source + sizeof(ipv4_prefix), sizeof(from));
	memcpy(&to, destination + sizeof(ipv4_prefix), sizeof(to));
	return (uint32_t)tw_hash_short(&table->secret, from | (uint64_t)to << 32,
				       key->device | (uint64_t)key->port << 32, 14) &
	       HASH_MASK;
}

uint32_t tw_table_add(struct tw_table *table, const struct tw_destination *key, struct tw_table_socket socket)
{
	struct tw_table_pending *pending = &table->pending[table->pending_next++ % TW_TABLE_PENDING_MAX];
	const char *slot;

	/* The ring is full: the oldest has had its time. */
	if (table->pending_count == TW_TABLE_PENDING_MAX)
		count_one(table, pending);
	else
		table->pending_count++;
	pending->key = *key;
	pending->hash = tw_table_hash(table, key);
	pending->socket = socket;
	/* A slot may lie across two cache lines. */
	slot = (const char *)&table->slots[pending->hash & (table->slot_count - 1)];
	__builtin_prefetch(slot, 1);
	__builtin_prefetch(slot + sizeof(*table->slots) - 1, 1);
	return pending->hash;
}

const struct tw_table_entry *tw_table_find(const struct tw_table *table, const struct tw_destination *key)
{
	const struct tw_table_entry *entry = find(table, tw_table_hash(table, key), key);

	return entry->used ? entry : NULL;
}

const struct tw_table_entry *tw_table_find_base(const struct tw_table *table, const struct tw_table_entry *entry)
{
	struct tw_destination key = entry->key;

	key.device = 0;
	return entry->key.device != 0 ? tw_table_find(table, &key) : NULL;
}

const struct tw_table_entry *tw_table_find_hash(const struct tw_table *table, uint32_t hash)
{
	uint32_t mask = table->slot_count - 1;
	uint32_t at = hash & mask;

	while (table->slots[at].used && table->slots[at].hash != hash)
		at = (at + 1) & mask;
	return table->slots[at].used ? &table->slots[at] : NULL;
}

/* Two swept destinations may share a bit, and one that came back is counted by its bit: so never too many. */
uint32_t tw_table_destinations(const struct tw_table *table)
{
	uint32_t count = 0;

	if (!table->has_swept)
		return table->used;
	for (uint32_t i = 0; i < SWEPT_WORDS; i++)
		count += (uint32_t)__builtin_popcountll(table->swept[i]);
	for (uint32_t i = 0; i < table->slot_count; i++) {
		uint32_t bit = swept_bit(&table->slots[i]);

		count += table->slots[i].used && !(table->swept[bit / 64] >> (bit % 64) & 1);
	}
	return count;
}
