/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "model/sample.h"

#include <stdint.h>

/*
 * Tracks sockets in CLOSE-WAIT by cookie from one scan to the next, so that their age is known: the kernel keeps no
 * time for them. Each scan gathers a new set, which takes over what the last one knew; a socket that is not seen again
 * is dropped with the old set. The old one stays as it is until the new one is whole, and its memory until the scan
 * after that. What is known is the namespace's; all else serves one scan after the other.
 */

/* Sockets tracked at most: two sets of 2.5 MiB then. They grow by doubling, from 8 KiB. Powers of two. */
#define TW_WAITERS_MAX 65536u
#define TW_WAITERS_MIN 256u
/* New sockets whose age is asked for in one scan: some 40 us each. */
#define TW_WAITERS_ASKED_MAX 256u

/* Zero: nobody, and no memory. */
struct tw_waiter_set {
	struct tw_waiter *waiters;
	uint32_t *slots; /* twice as many as there is room for waiters; index and 1; 0: empty */
	uint32_t count, room;
};

/* A socket that the last scan did not know. */
struct tw_waiter_question {
	uint32_t waiter;
	struct tw_flow flow;
};

struct tw_waiters {
	struct tw_hash_key secret;
	usec_t at_usec;		     /* of the scan under way */
	struct tw_waiter_set *known; /* of the namespace's last scan that was whole; borrows */
	struct tw_waiter_set fresh;  /* of the scan under way */
	uint64_t untracked;	     /* in the scan under way: more than there is room for */
	uint64_t known_untracked;
	unsigned question_count;
	struct tw_waiter_question questions[TW_WAITERS_ASKED_MAX];
};

/* Returns 0 or -ENOMEM. */
int tw_waiters_init(struct tw_waiters *waiters, const struct tw_hash_key *secret);
void tw_waiters_done(struct tw_waiters *waiters);

/* Begins a scan, or begins it anew. `known` is kept, and borrowed until tw_waiters_end(). */
void tw_waiters_begin(struct tw_waiters *waiters, struct tw_waiter_set *known, usec_t at_usec);

/* One socket in CLOSE-WAIT. `unit` is kept with it. */
void tw_waiters_add(struct tw_waiters *waiters, const struct tw_flow *flow, uint32_t unit);

/* The kernel's answer to a question: how long before the scan the last ACK came. */
void tw_waiters_answer(struct tw_waiters *waiters, unsigned question, uint32_t last_ack_ms);

/* The scan is whole: from now on `known` is what it saw. What it was before stands until the next scan begins. */
void tw_waiters_end(struct tw_waiters *waiters);

/* Gives the memory of a set back. */
void tw_waiter_set_done(struct tw_waiter_set *set);
