/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"

#include "base/macros.h"

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The key of the paper's own vectors: bytes 00 to 0f. */
static const struct tw_hash_key paper_key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };

/*
 * Made with a reference implementation in another language whose SipHash-2-4 gives the paper's vector
 * (0xa129ca6149be45e5), with one and three rounds in their place. The message of length n is 00 01 ... n-1.
 */
static void test_vectors(TW_UNUSED void **state)
{
	static const struct {
		size_t length;
		uint64_t hash;
	} rows[] = {
		{ 0, UINT64_C(0xabac0158050fc4dc) },  { 1, UINT64_C(0xc9f49bf37d57ca93) },
		{ 2, UINT64_C(0x82cb9b024dc7d44d) },  { 7, UINT64_C(0xd3927d989bb11140) },
		{ 8, UINT64_C(0x369095118d299a8e) },  { 9, UINT64_C(0x25a48eb36c063de4) },
		{ 15, UINT64_C(0xd320d86d2a519956) }, { 16, UINT64_C(0xcc4fdd1a7d908b66) },
		{ 31, UINT64_C(0x2370dd1f8c21d1bc) }, { 36, UINT64_C(0x2cf508d3ada26206) },
		{ 63, UINT64_C(0x9d199062b7bbb3a8) },
	};
	uint8_t message[64];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++)
		assert_int_equal(tw_hash(&paper_key, message, rows[i].length), rows[i].hash);
}

/* What CPython 3.11 gives for hash(b"abc") with PYTHONHASHSEED=0, whose key is zero. */
static void test_other_implementation(TW_UNUSED void **state)
{
	static const struct tw_hash_key zero;

	assert_int_equal(tw_hash(&zero, "abc", 3), UINT64_C(0xc03bc3a0042630f2));
	assert_int_equal(tw_hash(&zero, "hello, world, twelve", 20), UINT64_C(0xb13654b23963af6b));
}

static void test_alignment_is_no_matter(TW_UNUSED void **state)
{
	uint8_t memory[64 + 8];

	for (size_t shift = 0; shift < 8; shift++) {
		for (size_t i = 0; i < 36; i++)
			memory[shift + i] = (uint8_t)i;
		assert_int_equal(tw_hash(&paper_key, memory + shift, 36), UINT64_C(0x2cf508d3ada26206));
	}
}

static void test_every_bit_counts(TW_UNUSED void **state)
{
	uint8_t message[36] = { 0 };
	uint64_t plain = tw_hash(&paper_key, message, sizeof(message));
	unsigned flipped = 0;

	for (size_t bit = 0; bit < 8 * sizeof(message); bit++) {
		uint64_t hash;

		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		hash = tw_hash(&paper_key, message, sizeof(message));
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(hash, plain);
		flipped += (unsigned)__builtin_popcountll(hash ^ plain);
	}
	/* 288 times 32 bits in the mean, deviation 68: ten of them on each side. */
	assert_in_range(flipped, 288 * 32 - 680, 288 * 32 + 680);
}

static void test_every_bit_of_the_key_counts(TW_UNUSED void **state)
{
	uint64_t plain = tw_hash(&paper_key, "same", 4);

	for (unsigned bit = 0; bit < 64; bit++) {
		struct tw_hash_key first = { paper_key.k0 ^ UINT64_C(1) << bit, paper_key.k1 };
		struct tw_hash_key second = { paper_key.k0, paper_key.k1 ^ UINT64_C(1) << bit };

		assert_int_not_equal(tw_hash(&first, "same", 4), plain);
		assert_int_not_equal(tw_hash(&second, "same", 4), plain);
	}
}

/* Neighbouring keys, as ports and addresses are, spread over a table by low and by high bits alike. */
static void test_distribution(TW_UNUSED void **state)
{
	enum { BUCKETS = 256, EACH = 256 };
	unsigned low[BUCKETS] = { 0 };
	unsigned high[BUCKETS] = { 0 };

	for (uint32_t i = 0; i < BUCKETS * EACH; i++) {
		uint64_t hash = tw_hash(&paper_key, &i, sizeof(i));

		low[hash % BUCKETS]++;
		high[hash >> 56]++;
	}
	/* Deviation 16: six of them on each side. */
	for (unsigned i = 0; i < BUCKETS; i++) {
		assert_in_range(low[i], EACH - 96, EACH + 96);
		assert_in_range(high[i], EACH - 96, EACH + 96);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_other_implementation),
		cmocka_unit_test(test_alignment_is_no_matter),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_every_bit_of_the_key_counts),
		cmocka_unit_test(test_distribution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
