/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/destroyer.h"
#include "measure/destroy-search.h"

/*
 * Ending sockets, from the order to the record: each tick that has orders wants one search, and what that finds goes to
 * the destroyer. Wiring only.
 */
struct tw_destroy_job {
	struct tw_destroy_search *search; /* NULL before the first one */
	struct tw_destroyer destroyer;
	bool wanted; /* since the last tick, and not begun yet */
	bool searching;
	bool idle;		      /* the last orders were none, and the destroyer has heard of it */
	bool stopped;		      /* what the search finds is nobody's any more */
	struct tw_kill_orders orders; /* of the search that is wanted or under way */
	struct tw_kill_quota quota;
	enum tw_mode mode;
};

/* All borrow. */
void tw_destroy_job_init(struct tw_destroy_job *destroying, struct tw_socket_sink *sink, struct tw_recorder *recorder,
			 const char *namespace);
void tw_destroy_job_done(struct tw_destroy_job *destroying);

/* A tick's orders. What they point to must stand until tw_destroy_job_stop(), or until the orders of the next tick. */
void tw_destroy_job_order(struct tw_destroy_job *destroying, const struct tw_kill_orders *orders, enum tw_mode mode,
			  usec_t now_usec);

/* Begins the search that is wanted. Returns whether one is under way. */
bool tw_destroy_job_begin(struct tw_destroy_job *destroying, const struct tw_sample *sample, usec_t now_usec);

/* A slice of the search. Returns 1 while there is more to do, 0 at its end, or -errno. Touches nothing but the search.
 */
int tw_destroy_job_step(struct tw_destroy_job *destroying, struct tw_source *source);

/* After the last step, with what it returned: what the search has found is ended. */
void tw_destroy_job_end(struct tw_destroy_job *destroying, int result);

/* Lets go of the orders: a search under way is for nothing. */
void tw_destroy_job_stop(struct tw_destroy_job *destroying);
