/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/waiters.h"

#include "base/macros.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A set of which so small a part was needed last gives memory back. */
#define IDLE_PART 8

void tw_waiter_set_done(struct tw_waiter_set *set)
{
	free(set->waiters);
	free(set->slots);
	*set = (struct tw_waiter_set){ 0 };
}

/* Where memory fails the set is as it was. */
static int set_init(struct tw_waiter_set *set, uint32_t room)
{
	struct tw_waiter_set fresh = { .room = room };

	fresh.waiters = malloc(room * sizeof(*fresh.waiters));
	fresh.slots = calloc(2 * (size_t)room, sizeof(*fresh.slots));
	if (!fresh.waiters || !fresh.slots) {
		tw_waiter_set_done(&fresh);
		return -ENOMEM;
	}
	tw_waiter_set_done(set);
	*set = fresh;
	return 0;
}

/* The slot of the cookie, or the empty one where it would go. The set has room. */
static uint32_t *find_slot(const struct tw_waiters *waiters, const struct tw_waiter_set *set, uint64_t cookie)
{
	uint32_t mask = 2 * set->room - 1;
	uint32_t at = (uint32_t)tw_hash(&waiters->secret, &cookie, sizeof(cookie)) & mask;

	while (set->slots[at] != 0 && set->waiters[set->slots[at] - 1].cookie != cookie)
		at = (at + 1) & mask;
	return &set->slots[at];
}

/* Twice the room, while there may be more. */
static bool grow(struct tw_waiters *waiters)
{
	struct tw_waiter_set grown = { 0 }, *set = &waiters->fresh;

	if (set->room >= TW_WAITERS_MAX || set_init(&grown, TW_MAX(TW_WAITERS_MIN, 2 * set->room)) < 0)
		return false;
	if (set->count > 0)
		memcpy(grown.waiters, set->waiters, set->count * sizeof(*set->waiters));
	grown.count = set->count;
	for (uint32_t i = 0; i < grown.count; i++)
		*find_slot(waiters, &grown, grown.waiters[i].cookie) = i + 1;
	tw_waiter_set_done(set);
	*set = grown;
	return true;
}

int tw_waiters_init(struct tw_waiters *waiters, const struct tw_hash_key *secret)
{
	waiters->secret = *secret;
	waiters->at_usec = 0;
	waiters->known = NULL;
	waiters->fresh = (struct tw_waiter_set){ 0 };
	waiters->untracked = waiters->known_untracked = 0;
	waiters->question_count = 0;
	waiters->all = false;
	return set_init(&waiters->fresh, TW_WAITERS_MIN);
}

void tw_waiters_done(struct tw_waiters *waiters)
{
	tw_waiter_set_done(&waiters->fresh);
}

/* Whether it is so old that it matters, while the kernel said so before it was, or too long ago. */
static bool is_due(const struct tw_waiters *waiters, const struct tw_close_wait_socket *waiter)
{
	usec_t age_usec = waiters->age_usec;

	return tw_usec_since(waiters->at_usec, waiter->since_usec) >= age_usec &&
	       (tw_usec_since(waiter->asked_usec, waiter->since_usec) < age_usec ||
		tw_usec_since(waiters->at_usec, waiter->asked_usec) >= age_usec);
}

static unsigned count_due(const struct tw_waiters *waiters)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < waiters->known->count; i++)
		count += is_due(waiters, &waiters->known->waiters[i]);
	return count;
}

void tw_waiters_begin(struct tw_waiters *waiters, struct tw_waiter_set *known, usec_t at_usec, usec_t age_usec)
{
	struct tw_waiter_set *fresh = &waiters->fresh;
	uint32_t room = fresh->room;
	unsigned due;

	waiters->known = known;
	waiters->at_usec = at_usec;
	waiters->age_usec = age_usec > 0 ? TW_MIN(age_usec, TW_WAITERS_AGE_USEC) : TW_WAITERS_AGE_USEC;
	waiters->untracked = 0;
	due = count_due(waiters);
	waiters->all = due > TW_WAITERS_ASKED_MAX;
	waiters->new_max = waiters->all ? 0 : TW_WAITERS_ASKED_MAX - due;
	waiters->new_count = waiters->question_count = 0;
	fresh->count = 0;
	while (room > TW_WAITERS_MIN && known->count < room / IDLE_PART)
		room /= 2;
	/* Where memory is not to be had for less of it, the old size serves as well. */
	if ((room == fresh->room || set_init(fresh, room) < 0) && room > 0)
		memset(fresh->slots, 0, 2 * (size_t)fresh->room * sizeof(*fresh->slots));
}

static void ask(struct tw_waiters *waiters, uint32_t waiter, const struct tw_flow *flow)
{
	if (!waiters->all && waiters->question_count < TW_WAITERS_ASKED_MAX)
		waiters->questions[waiters->question_count++] = (struct tw_waiter_question){ waiter, *flow };
}

/*
 * Half-closed, as long as something waits to be sent; or in an accept queue still, so that no program can close it: it
 * has no inode before accept().
 */
static bool has_no_age(const struct tw_flow *flow)
{
	return flow->send_queue > 0 || flow->inode == 0;
}

/* What is known of it until it is asked for, if it is at all. */
static void begin_waiter(struct tw_waiters *waiters, uint32_t at, const struct tw_flow *flow)
{
	struct tw_close_wait_socket *waiter = &waiters->fresh.waiters[at];
	uint32_t known = waiters->known->room > 0 ? *find_slot(waiters, waiters->known, flow->cookie) : 0;

	waiter->since_usec = waiter->asked_usec = waiters->at_usec;
	if (has_no_age(flow)) {
		waiter->since_usec = TW_USEC_INFINITY;
	} else if (known != 0) {
		const struct tw_close_wait_socket *before = &waiters->known->waiters[known - 1];

		/* What waited to be sent was sent after the last scan; when is asked if it comes to matter. */
		waiter->since_usec = TW_MIN(before->since_usec, waiters->at_usec);
		waiter->asked_usec = before->asked_usec;
		if (is_due(waiters, waiter))
			ask(waiters, at, flow);
	} else if (waiters->new_count < waiters->new_max) {
		waiters->new_count++;
		ask(waiters, at, flow);
	}
}

void tw_waiters_add(struct tw_waiters *waiters, const struct tw_flow *flow, uint32_t unit)
{
	struct tw_waiter_set *fresh = &waiters->fresh;
	uint32_t *slot = fresh->room > 0 ? find_slot(waiters, fresh, flow->cookie) : NULL;

	/* A dump may tell one twice. */
	if (slot && *slot != 0)
		return;
	if (!slot || fresh->count == fresh->room) {
		if (!grow(waiters)) {
			waiters->untracked++;
			return;
		}
		slot = find_slot(waiters, fresh, flow->cookie);
	}
	fresh->waiters[fresh->count] = (struct tw_close_wait_socket){
		.cookie = flow->cookie,
		/* The FIN takes a place in the queue, until it is read as the end of the stream. */
		.unread = flow->receive_queue > 0 ? flow->receive_queue - 1 : 0,
		.unit = unit,
	};
	begin_waiter(waiters, fresh->count, flow);
	*slot = ++fresh->count;
}

/*
 * The FIN carries an ACK: a socket that is new waits since the last one at least, unless its peer sent more. What came
 * later is no news of the FIN.
 */
static void settle(struct tw_waiters *waiters, struct tw_close_wait_socket *waiter, const struct tw_idle *idle)
{
	bool is_new = waiter->since_usec == waiters->at_usec;
	usec_t fin_usec =
		is_new ? tw_usec_since(waiters->at_usec, idle->ack_received_ms * TW_USEC_PER_MSEC) : waiter->since_usec;
	usec_t sent_usec = tw_usec_since(waiters->at_usec, idle->data_sent_ms * TW_USEC_PER_MSEC);

	waiter->since_usec = TW_MAX(fin_usec, sent_usec);
	waiter->asked_usec = waiters->at_usec;
}

void tw_waiters_answer(struct tw_waiters *waiters, unsigned question, const struct tw_idle *idle)
{
	settle(waiters, &waiters->fresh.waiters[waiters->questions[question].waiter], idle);
}

void tw_waiters_tell(struct tw_waiters *waiters, const struct tw_flow *flow)
{
	uint32_t slot = waiters->fresh.room > 0 ? *find_slot(waiters, &waiters->fresh, flow->cookie) : 0;

	if (slot == 0)
		return;
	if (has_no_age(flow) || !flow->has_idle)
		waiters->fresh.waiters[slot - 1].since_usec = TW_USEC_INFINITY;
	else
		settle(waiters, &waiters->fresh.waiters[slot - 1], &flow->idle);
}

void tw_waiters_end(struct tw_waiters *waiters)
{
	struct tw_waiter_set old = *waiters->known;

	*waiters->known = waiters->fresh;
	waiters->known_untracked = waiters->untracked;
	waiters->fresh = old;
}
