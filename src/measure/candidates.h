/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "model/candidate.h"

/* Candidates of one search: 56 bytes each. */
#define TW_CANDIDATES_MAX 8192u

/* Gathers the sockets that match an order: never more of an order than its quota, and never one that is younger. */
struct tw_candidates {
	unsigned order_count;
	struct tw_destroy orders[TW_KILLS_MAX]; /* copies: a reload may take the settings away */
	struct tw_kill_quota quota;
	uint32_t taken[TW_KILLS_MAX];
	uint64_t seen[TW_KILLS_MAX];
	uint32_t count;
	struct tw_candidate rows[TW_CANDIDATES_MAX];
};

/* Begins anew. Keeps nothing of what the orders point to. */
void tw_candidates_begin(struct tw_candidates *candidates, const struct tw_kill_orders *orders,
			 const struct tw_kill_quota *quota);

/* Whether an order that is wanted is for this state. */
bool tw_candidates_want(const struct tw_candidates *candidates, enum tw_state state);

/* The least age that an order which is wanted asks of a socket in this state and unit; infinity without any. */
usec_t tw_candidates_least_age(const struct tw_candidates *candidates, enum tw_state state, const char *unit);

/* One socket, its age, and its unit ("" where that is not known). It is the matter of the first order that it matches.
 */
void tw_candidates_offer(struct tw_candidates *candidates, const struct tw_flow *flow, usec_t age_usec,
			 const char *unit);

void tw_candidates_results(const struct tw_candidates *candidates, struct tw_destroy_found *ret);
