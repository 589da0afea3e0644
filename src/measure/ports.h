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
void tw_port_set_add(struct tw_port_set *set, uint16_t port);
void tw_port_set_remove(struct tw_port_set *set, uint16_t port);
/* Inclusive; nothing where low > high. */
void tw_port_set_add_range(struct tw_port_set *set, uint16_t low, uint16_t high);
void tw_port_set_subtract(struct tw_port_set *set, const struct tw_port_set *other);
uint32_t tw_port_set_size(const struct tw_port_set *set);

static inline bool tw_port_set_has(const struct tw_port_set *set, uint16_t port)
{
	return set->words[port / 64] >> (port % 64) & 1;
}

/*
 * Parses ip_local_reserved_ports: "8080,9000-9010" and a newline, or nothing. Returns 0 or -EINVAL.
 */
int tw_port_set_parse(const char *text, size_t length, struct tw_port_set *ret);
