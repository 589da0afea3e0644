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

static void add(struct tw_table *table, uint32_t number, enum tw_holder holder, bool young)
{
	struct tw_destination key = destination(number);

	tw_table_add(table, &key, (struct tw_table_socket){ .holder = holder, .young = young });
	tw_table_flush(table);
}

static uint64_t by_ports(void *context TW_UNUSED, const struct tw_table_entry *entry)
{
	return tw_table_ports(entry);
}

static const struct tw_table_entry *find(const struct tw_table *table, uint32_t number)
{
	struct tw_destination key = destination(number);

	for (uint32_t i = 0; i < table->slot_count; i++)
		if (table->slots[i].used && memcmp(&table->slots[i].key, &key, sizeof(key)) == 0)
			return &table->slots[i];
	return NULL;
}

/* Each entry is reached from where its hash points without crossing an empty slot, and stands there once. */
static void assert_consistent(const struct tw_table *table)
{
	uint32_t used = 0, mask = table->slot_count - 1;

	for (uint32_t i = 0; i < table->slot_count; i++) {
		const struct tw_table_entry *entry = &table->slots[i];

		if (!entry->used)
			continue;
		used++;
		assert_int_equal(entry->hash, tw_table_hash(table, &entry->key));
		for (uint32_t at = entry->hash & mask; at != i; at = (at + 1) & mask) {
			assert_true(table->slots[at].used);
			assert_memory_not_equal(&table->slots[at].key, &entry->key, sizeof(entry->key));
		}
	}
	assert_int_equal(used, table->used);
}

static void test_counts(void **state TW_UNUSED)
{
	static const struct tw_table_socket sockets[] = {
		{ .holder = TW_HOLDER_TIME_WAIT, .young = true, .unripe = true, .far = true },
		{ .holder = TW_HOLDER_TIME_WAIT, .young = true },
		{ .holder = TW_HOLDER_TIME_WAIT, .far = true },
		{ .holder = TW_HOLDER_ESTABLISHED },
		{ .holder = TW_HOLDER_CLOSING, .far = true },
	};
	struct tw_destination key = destination(1);
	const struct tw_table_entry *found;
	struct tw_table_entry entry = { 0 };
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (size_t i = 0; i < TW_ARRAY_SIZE(sockets); i++)
		assert_int_equal(tw_table_add(&table, &key, sockets[i]), tw_table_hash(&table, &key));
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
	assert_int_equal(entry.unripe, 1);
	assert_int_equal(entry.far, 3);
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
		tw_table_add(&table, &key, (struct tw_table_socket){ .holder = TW_HOLDER_TIME_WAIT, .far = true });
	tw_table_flush(&table);
	found = tw_table_find(&table, &key);
	if (!found)
		fail_msg("the destination is not in the table");
	assert_int_equal(tw_table_ports(found), UINT16_MAX);
	assert_int_equal(found->far, UINT16_MAX);
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
		tw_table_add(&table, &other, (struct tw_table_socket){ .holder = TW_HOLDER_ESTABLISHED });
	}
	tw_table_flush(&table);
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
	for (uint32_t i = 0; i < table.slot_count; i++)
		if (table.slots[i].used) {
			assert_int_equal(tw_table_ports(&table.slots[i]), 3);
			assert_int_equal(table.slots[i].held[TW_HOLDER_TIME_WAIT] +
						 table.slots[i].held[TW_HOLDER_ESTABLISHED],
					 3);
		}
	tw_table_done(&table);
}

/* Memory is kept for the next survey, and given back after ten that have no use for it. */
static void test_shrinking(void **state TW_UNUSED)
{
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (uint32_t i = 0; i < 50000; i++)
		add(&table, i, TW_HOLDER_TIME_WAIT, false);
	assert_int_equal(table.slot_count, 65536);
	tw_table_clear(&table);
	for (unsigned survey = 0; survey < 9; survey++) {
		for (uint32_t i = 0; i < 1500; i++)
			add(&table, i, TW_HOLDER_TIME_WAIT, false);
		tw_table_clear(&table);
		assert_int_equal(table.slot_count, 65536);
	}
	/* One that uses much begins the count anew. */
	for (uint32_t i = 0; i < 8192; i++)
		add(&table, i, TW_HOLDER_TIME_WAIT, false);
	tw_table_clear(&table);
	for (unsigned survey = 0; survey < 10; survey++) {
		assert_int_equal(table.slot_count, 65536);
		for (uint32_t i = 0; i < 1500; i++)
			add(&table, i, TW_HOLDER_TIME_WAIT, false);
		tw_table_clear(&table);
	}
	assert_int_equal(table.slot_count, 8192);
	for (uint32_t i = 0; i < 7000; i++)
		add(&table, i, TW_HOLDER_TIME_WAIT, false);
	assert_consistent(&table);
	assert_int_equal(table.slot_count, 8192);
	assert_int_equal(tw_table_destinations(&table), 7000);
	tw_table_done(&table);
}

static const struct tw_watched nobody;

static void test_top(void **state TW_UNUSED)
{
	const struct tw_table_entry *rows[8];
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	assert_int_equal(tw_table_top(&table, &nobody, by_ports, NULL, rows, 8), 0);
	/* Destination i has i % 100 + 1 ports: 99, 199 ... tie at the top. */
	for (uint32_t i = 0; i < 500; i++)
		for (uint32_t port = 0; port <= i % 100; port++)
			add(&table, i, TW_HOLDER_ESTABLISHED, false);
	assert_int_equal(tw_table_top(&table, &nobody, by_ports, NULL, rows, 8), 8);
	for (uint32_t i = 0; i < 8; i++) {
		static const uint32_t expected[] = { 99, 199, 299, 399, 499, 98, 198, 298 };

		assert_ptr_equal(rows[i], find(&table, expected[i]));
	}
	assert_int_equal(tw_table_top(&table, &nobody, by_ports, NULL, rows, 1), 1);
	assert_ptr_equal(rows[0], find(&table, 99));
	assert_int_equal(tw_table_top(&table, &nobody, by_ports, NULL, rows, 0), 0);
	tw_table_done(&table);
}

/* Those that are watched stay in sight whatever their rank, in order, and the least of the others make room. */
static void test_top_with_watched(void **state TW_UNUSED)
{
	static const struct {
		uint32_t watched[4]; /* 0: none */
		uint32_t top[4];
	} rows[] = {
		{ { 0 }, { 60, 59, 58, 57 } },	    { { 59 }, { 60, 59, 58, 57 } },
		{ { 1 }, { 60, 59, 58, 1 } },	    { { 57, 30 }, { 60, 59, 57, 30 } },
		{ { 2, 60, 1 }, { 60, 59, 2, 1 } }, { { 4, 3, 2, 1 }, { 4, 3, 2, 1 } },
		{ { 500 }, { 60, 59, 58, 57 } }, /* it is not there any more */
	};
	const struct tw_table_entry *top[100];
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (uint32_t i = 1; i <= 60; i++)
		for (uint32_t port = 0; port < i; port++)
			add(&table, i, TW_HOLDER_ESTABLISHED, false);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_watched watched = { 0 };

		for (; watched.count < 4 && rows[i].watched[watched.count] != 0; watched.count++)
			watched.keys[watched.count] = destination(rows[i].watched[watched.count]);
		assert_int_equal(tw_table_top(&table, &watched, by_ports, NULL, top, 4), 4);
		for (uint32_t k = 0; k < 4; k++)
			assert_ptr_equal(top[k], find(&table, rows[i].top[k]));
		assert_int_equal(tw_table_top(&table, &watched, by_ports, NULL, top, 100), 60);
		assert_ptr_equal(top[59], find(&table, 1));
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
	const struct tw_table_entry *top;
	struct tw_table table;
	struct tw_destination heavy = destination(0);
	uint64_t sum = 0;

	heavy.port = 65535;
	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (uint32_t i = 0; i < FLOOD; i++) {
		/* An odd multiplier: each number once, in disorder. */
		add(&table, i * 2654435761u, TW_HOLDER_TIME_WAIT, false);
		if (i % (FLOOD / HEAVY) == 0)
			tw_table_add(&table, &heavy, (struct tw_table_socket){ .holder = TW_HOLDER_ESTABLISHED });
	}
	tw_table_flush(&table);
	assert_consistent(&table);
	assert_true(table.slot_count <= TW_TABLE_SLOTS_MAX);
	assert_true(table.slot_count * sizeof(*table.slots) <= 8 * 1024 * 1024);
	assert_int_equal(tw_table_top(&table, &nobody, by_ports, NULL, &top, 1), 1);
	assert_memory_equal(&top->key, &heavy, sizeof(heavy));
	assert_in_range(tw_table_ports(top), HEAVY - HEAVY / 100, HEAVY);
	for (uint32_t i = 0; i < table.slot_count; i++)
		sum += table.slots[i].used ? tw_table_ports(&table.slots[i]) : 0;
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
	uint32_t seen = 0;

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
	for (uint32_t i = 0; i < table.slot_count; i++) {
		const struct tw_table_entry *entry = &table.slots[i];
		const uint8_t *bytes = entry->key.destination.bytes;
		uint32_t number = (uint32_t)bytes[13] << 16 | (uint32_t)bytes[14] << 8 | bytes[15];

		if (!entry->used)
			continue;
		seen++;
		assert_true(tw_table_ports(entry) <= exact[number]);
		assert_true(exact[number] - tw_table_ports(entry) <= table.swept_most);
	}
	assert_int_equal(seen, table.used);
	for (uint32_t i = 0; i < KEYS; i++)
		if (exact[i] > table.swept_most)
			assert_non_null(find(&table, i));
	tw_table_done(&table);
}

/* The most slots in a row without an empty one: what a search may have to go through. */
static uint32_t longest_run(const struct tw_table *table)
{
	uint32_t longest = 0, run = 0;

	for (uint32_t i = 0; i < 2 * table->slot_count; i++) {
		run = table->slots[i % table->slot_count].used ? run + 1 : 0;
		longest = TW_MAX(longest, run);
	}
	return longest;
}

/* Where all are equal half of them stay, so that there is always something to show. */
static void test_equal_counts(void **state TW_UNUSED)
{
	const uint32_t full = TW_TABLE_SLOTS_MAX / 8 * 7;
	struct tw_table table;

	assert_int_equal(tw_table_init(&table, &secret), 0);
	for (unsigned round = 0; round < 3; round++)
		for (uint32_t i = 0; i < full; i++)
			add(&table, i, TW_HOLDER_TIME_WAIT, false);
	assert_int_equal(table.used, full);
	assert_int_equal(table.dropped, 0);
	add(&table, full, TW_HOLDER_TIME_WAIT, false);
	assert_int_equal(table.used, full / 2 + 1);
	assert_int_equal(table.dropped, (uint64_t)full / 2 * 3);
	assert_int_equal(table.swept_most, 3);
	assert_consistent(&table);
	/* They stand all over the table, so that there is room beside each for more. */
	for (uint32_t i = 1; i <= 30000; i++)
		add(&table, full + i, TW_HOLDER_TIME_WAIT, false);
	assert_true(longest_run(&table) < 1000);
	tw_table_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),	     cmocka_unit_test(test_keys),
		cmocka_unit_test(test_growth),	     cmocka_unit_test(test_shrinking),
		cmocka_unit_test(test_top),	     cmocka_unit_test(test_top_with_watched),
		cmocka_unit_test(test_flood),	     cmocka_unit_test(test_lossy_bounds),
		cmocka_unit_test(test_equal_counts), cmocka_unit_test(test_saturated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
