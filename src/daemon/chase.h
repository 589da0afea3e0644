/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/reaper.h"
#include "measure/hunt.h"

/*
 * Ending sockets, from the order to the record: each tick that has orders wants one hunt, whose catch goes to the
 * reaper. Wiring only.
 */
struct tw_chase {
	struct tw_hunt *hunt; /* NULL before the first one */
	struct tw_reaper reaper;
	bool wanted; /* since the last tick, and not begun yet */
	bool hunting;
	bool idle;		      /* the last orders were none, and the reaper has heard of it */
	bool stopped;		      /* what the hunt brings home is nobody's any more */
	struct tw_kill_orders orders; /* of the hunt that is wanted or under way */
	struct tw_kill_quota quota;
	enum tw_mode mode;
};

/* All borrow. */
void tw_chase_init(struct tw_chase *chase, struct tw_socket_sink *sink, struct tw_recorder *recorder,
		   const char *namespace);
void tw_chase_done(struct tw_chase *chase);

/* A tick's orders. What they point to must stand until tw_chase_stop(), or until the orders of the next tick. */
void tw_chase_order(struct tw_chase *chase, const struct tw_kill_orders *orders, enum tw_mode mode, usec_t now_usec);

/* Begins the hunt that is wanted. Returns whether one is under way. */
bool tw_chase_begin(struct tw_chase *chase, const struct tw_sample *sample, usec_t now_usec);

/* A slice of the hunt. Returns 1 while there is more to do, 0 at its end, or -errno. Touches nothing but the hunt. */
int tw_chase_step(struct tw_chase *chase, struct tw_source *source);

/* After the last step, with what it returned: what the hunt has found is ended. */
void tw_chase_end(struct tw_chase *chase, int result);

/* Lets go of the orders: a hunt under way is for nothing. */
void tw_chase_stop(struct tw_chase *chase);
