/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/table.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct tw_hash_key secret = { .k0 = 0x0123456789abcdef, .k1 = 0xfedcba9876543210 };

/* A destination for each number, all distinct. */
static struct tw_destination destination(uint32_t number)
{
	struct tw_destination key = {
		.source = tw_address_from_ipv4("\x0a\x00\x00\x01"),
		.port = (uint16_t)(number >> 24),
	};
	uint8_t bytes[4] = { 10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };

	key.destination = tw_address_from_ipv4(bytes);
	return key;
}

static void count(struct tw_table *table, const struct tw_destination *key, enum tw_holder holder, bool young)
{
	struct tw_table_entry *entry = tw_table_get(table, tw_table_hash(table, key), key);

	assert_int_equal(entry->hash, tw_table_hash(table, key));
	tw_table_count(&entry->held[holder], true);
	tw_table_count(&entry->young, young);
}

static void add(struct tw_table *table, uint32_t number, enum tw_holder holder, bool young)
{
	struct tw_destination key = destination(number);

	count(table, &key, holder, young);
}

static const struct tw_table_entry *find(const struct tw_table *table, uint32_t number)
{
	struct tw_destination key = destination(number);

	for (uint32_t i = 0; i < table->count; i++)
		if (memcmp(&table->entries[i].key, &key, sizeof(key)) == 0)
			return &table->entries[i];
	return NULL;
}

/* Each entry is reached from where its hash points without crossing an empty slot, and stands there once. */
static void assert_consistent(const struct tw_table *table)
{
	uint32_t used = 0, mask = table->slot_count - 1;

	for (uint32_t i = 0; i < table->slot_count; i++) {
		const struct tw_table_entry *entry = &table->entries[table->slots[i] - 1u];

		if (table->slots[i] == 0)
			continue;
		used++;
		assert_true(table->slots[i] <= table->count);
		assert_int_equal(entry->hash, tw_table_hash(table, &entry->key));
		for (uint32_t at = entry->hash & mask; at != i; at = (at + 1) & mask) {
			assert_true(table->slots[at] != 0 && table->slots[at] != table->slots[i]);
			assert_memory_not_equal(&table->entries[table->slots[at] - 1].key, &entry->key,
						sizeof(entry->key));
		}
	}
	assert_int_equal(used, table->count);
}

static void test_counts(void **state TW_UNUSED)
{
	static const struct {
		enum tw_holder holder;
		bool young;
	} sockets[] = {
		{ TW_HOLDER_TIME_WAIT, true },	  { TW_HOLDER_TIME_WAIT, true }, { TW_HOLDER_TIME_WAIT, false },
		{ TW_HOLDER_ESTABLISHED, false }, { TW_HOLDER_CLOSING, false },
	};
	struct tw_destination key = destination(1);
	const struct tw_table_entry *found;
	struct tw_table_entry entry = { 0 };
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (size_t i = 0; i < TW_ARRAY_SIZE(sockets); i++)
		count(&table, &key, sockets[i].holder, sockets[i].young);
	add(&table, 2, TW_HOLDER_SYN_SENT, false);
	found = tw_table_find(&table, &key);
	assert_ptr_equal(found, find(&table, 1));
	assert_ptr_equal(found, tw_table_find_hash(&table, tw_table_hash(&table, &key)));
	if (found)
		entry = *found;
	assert_int_equal(tw_table_ports(&entry), 5);
	assert_int_equal(entry.held[TW_HOLDER_TIME_WAIT], 3);
	assert_int_equal(entry.held[TW_HOLDER_ESTABLISHED], 1);
	assert_int_equal(entry.held[TW_HOLDER_CLOSING], 1);
	assert_int_equal(entry.young, 2);
	assert_int_equal(tw_table_destinations(&table), 2);
	assert_int_equal(table.dropped, 0);
	tw_table_clear(&table);
	assert_int_equal(tw_table_destinations(&table), 0);
	assert_null(tw_table_find(&table, &key));
	assert_null(tw_table_find_hash(&table, tw_table_hash(&table, &key)));
	tw_table_done(&table);
	tw_table_done(&table);
}

/* A count that has no room for more stands still. */
static void test_saturated(void **state TW_UNUSED)
{
	struct tw_destination key = destination(1);
	const struct tw_table_entry *found;
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (uint32_t i = 0; i < 70000; i++)
		count(&table, &key, TW_HOLDER_TIME_WAIT, true);
	found = tw_table_find(&table, &key);
	if (!found)
		fail_msg("the destination is not in the table");
	assert_int_equal(tw_table_ports(found), UINT16_MAX);
	assert_int_equal(found->young, UINT16_MAX);
	tw_table_done(&table);
}

/* Every part of the key tells destinations apart. */
static void test_keys(void **state TW_UNUSED)
{
	struct tw_table table;
	struct tw_destination key = destination(5);

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (size_t i = 0; i < sizeof(key); i++) {
		struct tw_destination other = key;

		((uint8_t *)&other)[i] ^= 0x80;
		count(&table, &other, TW_HOLDER_ESTABLISHED, false);
	}
	assert_int_equal(tw_table_destinations(&table), sizeof(key));
	tw_table_done(&table);
}

static void test_growth(void **state TW_UNUSED)
{
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	assert_int_equal(table.slot_count, TW_TABLE_SLOTS_MIN);
	for (uint32_t round = 1; round <= 3; round++) {
		for (uint32_t i = 0; i < 100000; i++)
			add(&table, i, i % 2 ? TW_HOLDER_TIME_WAIT : TW_HOLDER_ESTABLISHED, false);
		assert_consistent(&table);
		assert_int_equal(tw_table_destinations(&table), 100000);
	}
	assert_int_equal(table.slot_count, TW_TABLE_SLOTS_MAX);
	assert_int_equal(table.dropped, 0);
	for (uint32_t i = 0; i < table.count; i++) {
		const struct tw_table_entry *entry = &table.entries[i];

		assert_int_equal(tw_table_ports(entry), 3);
		assert_int_equal(entry->held[TW_HOLDER_TIME_WAIT] + entry->held[TW_HOLDER_ESTABLISHED], 3);
	}
	tw_table_done(&table);
}

/* Memory is given back when the next survey begins, and is there again when it is needed. */
static void test_shrinking(void **state TW_UNUSED)
{
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (unsigned survey = 0; survey < 3; survey++) {
		for (uint32_t i = 0; i < 50000; i++)
			add(&table, i, TW_HOLDER_TIME_WAIT, false);
		assert_consistent(&table);
		assert_true(table.slot_count > 50000);
		assert_int_equal(tw_table_destinations(&table), 50000);
		/* As many are likely to be needed again; where they were not, the memory is given back. */
		tw_table_clear(&table);
		assert_true(table.slot_count > 50000);
		assert_int_equal(table.count, 0);
		tw_table_clear(&table);
		assert_int_equal(table.slot_count, TW_TABLE_SLOTS_MIN);
		assert_int_equal(table.room, TW_TABLE_ROOM(TW_TABLE_SLOTS_MIN));
	}
	tw_table_done(&table);
}

static uint32_t next_random(uint64_t *seed)
{
	/* Steele, Lea and Flood 2014: splitmix64. */
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z ^ z >> 31);
}

/* A million destinations once each, and one with 5000 ports among them: it is found, and almost whole. */
static void test_flood(void **state TW_UNUSED)
{
	enum { FLOOD = 1000000, HEAVY = 5000 };
	static struct tw_table table;
	const struct tw_table_entry *top;
	struct tw_destination heavy = destination(0);
	uint64_t sum = 0;

	heavy.port = 65535;
	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (uint32_t i = 0; i < FLOOD; i++) {
		/* An odd multiplier: each number once, in disorder. */
		add(&table, i * 2654435761u, TW_HOLDER_TIME_WAIT, false);
		if (i % (FLOOD / HEAVY) == 0)
			count(&table, &heavy, TW_HOLDER_ESTABLISHED, false);
	}
	assert_consistent(&table);
	assert_true(table.slot_count <= TW_TABLE_SLOTS_MAX);
	assert_true(table.room * sizeof(*table.entries) <= 9 * 1024 * 1024);
	top = tw_table_find(&table, &heavy);
	assert_non_null(top);
	assert_in_range(tw_table_ports(top), HEAVY - HEAVY / 100, HEAVY);
	for (uint32_t i = 0; i < table.count; i++)
		sum += tw_table_ports(&table.entries[i]);
	assert_int_equal(sum + table.dropped, FLOOD + HEAVY);
	/* Never more than there are; and of a million, a good half at least. */
	assert_in_range(tw_table_destinations(&table), FLOOD / 2, FLOOD + 1);
	tw_table_clear(&table);
	assert_int_equal(table.dropped, 0);
	assert_int_equal(tw_table_destinations(&table), 0);
	tw_table_done(&table);
}

/* Counts of all sizes in disorder, held against exact ones: none is too large, none falls short beyond the thresholds.
 */
static void test_lossy_bounds(void **state TW_UNUSED)
{
	enum { KEYS = 300000 };
	static uint16_t exact[KEYS];
	struct tw_table table;
	uint64_t seed = 42;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (unsigned i = 0; i < 2000000; i++) {
		/* The product of two is small far more often than large. */
		uint32_t a = next_random(&seed) % KEYS, b = next_random(&seed) % KEYS;
		uint32_t number = (uint32_t)((uint64_t)a * b / KEYS);

		exact[number]++;
		add(&table, number, TW_HOLDER_TIME_WAIT, false);
	}
	assert_consistent(&table);
	assert_true(table.dropped > 0);
	for (uint32_t i = 0; i < table.count; i++) {
		const struct tw_table_entry *entry = &table.entries[i];
		const uint8_t *bytes = entry->key.destination.bytes;
		uint32_t number = (uint32_t)bytes[13] << 16 | (uint32_t)bytes[14] << 8 | bytes[15];

		assert_true(tw_table_ports(entry) <= exact[number]);
		assert_true(exact[number] - tw_table_ports(entry) <= table.swept_most);
	}
	for (uint32_t i = 0; i < KEYS; i++)
		if (exact[i] > table.swept_most)
			assert_non_null(find(&table, i));
	tw_table_done(&table);
}

/* Where all are equal half of them stay, so that there is always something to show. */
static void test_equal_counts(void **state TW_UNUSED)
{
	const uint32_t full = TW_TABLE_ROOM(TW_TABLE_SLOTS_MAX);
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (unsigned round = 0; round < 3; round++)
		for (uint32_t i = 0; i < full; i++)
			add(&table, i, TW_HOLDER_TIME_WAIT, false);
	assert_int_equal(table.count, full);
	assert_int_equal(table.dropped, 0);
	add(&table, full, TW_HOLDER_TIME_WAIT, false);
	assert_int_equal(table.count, full / 2 + 1);
	assert_int_equal(table.dropped, (uint64_t)full / 2 * 3);
	assert_int_equal(table.swept_most, 3);
	assert_consistent(&table);
	tw_table_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),	     cmocka_unit_test(test_keys),
		cmocka_unit_test(test_growth),	     cmocka_unit_test(test_shrinking),
		cmocka_unit_test(test_flood),	     cmocka_unit_test(test_lossy_bounds),
		cmocka_unit_test(test_equal_counts), cmocka_unit_test(test_saturated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
