/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/effect.h"
#include "model/sock-request.h"

#include <stdbool.h>
#include <stdint.h>

/* A socket that a search has just seen in the state and of the age that an order names. Compact: there are thousands.
 */
struct tw_candidate {
	struct tw_sock_id id; /* cookie: never TW_COOKIE_ANY */
	uint8_t family;	      /* of the socket: AF_INET or AF_INET6 */
	uint8_t order;	      /* index into tw_kill_orders.rows */
	uint32_t age_ms;
};

/* INET_DIAG_NOCOOKIE, both halves: the kernel would take any socket of that tuple for the one meant. */
#define TW_COOKIE_ANY UINT64_MAX

/* What a search may find, by order. */
struct tw_kill_quota {
	bool wanted[TW_KILLS_MAX];   /* to be looked for at all */
	uint32_t most[TW_KILLS_MAX]; /* so many candidates; 0: they are only counted */
};

/* What it found. */
struct tw_destroy_found {
	const struct tw_candidate *rows; /* borrows from the search, until the next one begins */
	uint32_t count;
	uint64_t seen[TW_KILLS_MAX]; /* sockets that match an order and no earlier one, candidates or not */
};
