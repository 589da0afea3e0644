/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/owners.h"
#include "measure/source.h"
#include "measure/waiters.h"

#include <stdbool.h>

/* A scan's work on CLOSE-WAIT: gathered while the sockets are dumped, then a few questions, then the result. */
struct tw_close_wait_work {
	struct tw_waiters waiters;
	struct tw_owners owners;
	bool ages_asked, finished;
	unsigned asked; /* questions of the present kind */
	struct tw_close_wait result;
};

/* In memory that is zero. Returns 0 or -ENOMEM. */
int tw_close_wait_work_init(struct tw_close_wait_work *work, const struct tw_hash_key *secret);
void tw_close_wait_work_done(struct tw_close_wait_work *work);

/* Begins a scan, or begins it anew; the last result stands. `known`, `age_usec`: see tw_waiters_begin(). */
void tw_close_wait_work_begin(struct tw_close_wait_work *work, struct tw_waiter_set *known, usec_t at_usec,
			      usec_t age_usec);

/* One socket in CLOSE-WAIT. */
void tw_close_wait_work_add(struct tw_close_wait_work *work, const struct tw_flow *flow);

/*
 * When all sockets are told: asks a few of the questions. Returns true while there are more, and may be called again
 * when there are none, as when another part of the scan still asks.
 */
bool tw_close_wait_work_step(struct tw_close_wait_work *work, struct tw_source *source);

/* Then: what this scan found; without what was gathered where it is partial. */
void tw_close_wait_work_results(const struct tw_close_wait_work *work, usec_t at_usec, bool partial,
				struct tw_close_wait *ret);
