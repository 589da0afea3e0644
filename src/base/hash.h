/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The secret of one process, drawn once at start: without it a stranger cannot choose keys that collide. */
struct tw_hash_key {
	uint64_t k0, k1;
};

/* SipHash-1-3 (Aumasson and Bernstein; the variant that Rust and the kernel's hsiphash use for tables). */
uint64_t tw_hash(const struct tw_hash_key *key, const void *data, size_t length);
