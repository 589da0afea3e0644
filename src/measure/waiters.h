/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Tracks sockets in CLOSE-WAIT by cookie from one scan to the next, so that their age is known: the kernel keeps no
 * time for them. One that still sends is half-closed, not leaked: it is as old as the last data that it sent, and of no
 * age while anything waits to be sent or acknowledged. The kernel is asked when a socket is new, again when it comes to
 * an age that matters, and from then on once in that time or a minute: only its program can make it younger.
 *
 * Each scan gathers a new set, which takes over what the last one knew; a socket that is not seen again is dropped with
 * the old set. The old one stays as it is until the new one is whole, and its memory until the scan after that. What is
 * known is the namespace's; all else serves one scan after the other.
 */

/* Sockets tracked at most: two sets of 2.5 MiB then. They grow by doubling, from 8 KiB. Powers of two. */
#define TW_WAITERS_MAX 65536u
#define TW_WAITERS_MIN 256u
/* Sockets that are asked for one by one in a scan: some 40 us each. Where more are due, one walk asks for all. */
#define TW_WAITERS_ASKED_MAX 256u
/* What is known of an older one is asked again at the latest. */
#define TW_WAITERS_AGE_USEC (60 * TW_USEC_PER_SEC)

/* Zero: nobody, and no memory. */
struct tw_waiter_set {
	struct tw_close_wait_socket *waiters;
	uint32_t *slots; /* twice as many as there is room for waiters; index and 1; 0: empty */
	uint32_t count, room;
};

/* A socket of which is to be asked for how long it has done nothing. */
struct tw_waiter_question {
	uint32_t waiter;
	struct tw_flow flow;
};

struct tw_waiters {
	struct tw_hash_key secret;
	usec_t at_usec;		     /* of the scan under way */
	usec_t age_usec;	     /* that matters */
	struct tw_waiter_set *known; /* of the namespace's last scan that was whole; borrows */
	struct tw_waiter_set fresh;  /* of the scan under way */
	uint64_t untracked;	     /* in the scan under way: more than there is room for */
	uint64_t known_untracked;
	bool all;		     /* too many to be asked for one by one: tw_waiters_tell() each of them */
	unsigned new_max, new_count; /* questions about sockets that the last scan did not know */
	unsigned question_count;
	struct tw_waiter_question questions[TW_WAITERS_ASKED_MAX];
};

/* Returns 0 or -ENOMEM. */
int tw_waiters_init(struct tw_waiters *waiters, const struct tw_hash_key *secret);
void tw_waiters_done(struct tw_waiters *waiters);

/*
 * Begins a scan, or begins it anew. `known` is kept, and borrowed until tw_waiters_end(). `age_usec`: the least age
 * that anybody acts on; 0: none.
 */
void tw_waiters_begin(struct tw_waiters *waiters, struct tw_waiter_set *known, usec_t at_usec, usec_t age_usec);

/* One socket in CLOSE-WAIT. `unit` is kept with it. */
void tw_waiters_add(struct tw_waiters *waiters, const struct tw_flow *flow, uint32_t unit);

/* The kernel's answer to a question, as of the scan's begin. */
void tw_waiters_answer(struct tw_waiters *waiters, unsigned question, const struct tw_idle *idle);

/* The same of any socket that was added: a row of the walk that asks for all of them. */
void tw_waiters_tell(struct tw_waiters *waiters, const struct tw_flow *flow);

/* The scan is whole: from now on `known` is what it saw. What it was before stands until the next scan begins. */
void tw_waiters_end(struct tw_waiters *waiters);

/* Gives the memory of a set back. */
void tw_waiter_set_done(struct tw_waiter_set *set);
