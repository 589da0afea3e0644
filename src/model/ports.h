/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
