/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"

#include <endian.h>
#include <string.h>

/* Rounds a block and rounds at the end: the "1-3" of the name. */
#define BLOCK_ROUNDS 1
#define FINAL_ROUNDS 3

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, unsigned by)
{
	return word << by | word >> (64 - by);
}

static inline void mix(struct state *s, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static inline void absorb(struct state *s, uint64_t block)
{
	s->v3 ^= block;
	mix(s, BLOCK_ROUNDS);
	s->v0 ^= block;
}

uint64_t tw_hash(const struct tw_hash_key *key, const void *data, size_t length)
{
	const unsigned char *bytes = data;
	size_t left = length;
	uint64_t last = (uint64_t)length << 56;
	/* "somepseudorandomlygeneratedbytes", the constants of the paper. */
	struct state s = {
		.v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->k1 ^ UINT64_C(0x7465646279746573),
	};

	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
		uint64_t block;

		memcpy(&block, bytes, sizeof(block));
		absorb(&s, le64toh(block));
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)bytes[i] << (8 * i);
	absorb(&s, last);
	s.v2 ^= 0xff;
	mix(&s, FINAL_ROUNDS);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
