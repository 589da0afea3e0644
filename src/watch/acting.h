/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/destroyer.h"
#include "act/reconcile.h"
#include "base/macros.h"
#include "decide/desired.h"
#include "measure/destroy-search.h"

#include <stdbool.h>

/* The world that is acted on, of one network namespace; everything borrows. */
struct tw_acting_edges {
	struct tw_sysctl_sink *sysctl;
	struct tw_socket_sink *socket;
	struct tw_ledger_store *store;
	struct tw_recorder *recorder;
};

/*
 * What a watch needs to act, from a desire to its proof, and from an order to end sockets to its record. Most
 * namespaces never want anything: theirs is made when it is needed. Wiring only.
 */
struct tw_acting {
	struct tw_limits limits;
	struct tw_reconciler reconciler;
	bool at_rest; /* nothing is wanted or in force, and nothing is left to be told of it */

	/* Each tick that has orders wants one search, and what that finds goes to the destroyer. */
	struct tw_destroyer destroyer;
	struct tw_destroy_search *search; /* NULL before the first one */
	bool search_wanted;		  /* since the last tick, and not begun yet */
	bool searching;
	bool search_stopped;	      /* what it finds is nobody's any more */
	struct tw_kill_orders orders; /* of the search that is wanted or under way */
	struct tw_kill_quota quota;
	enum tw_mode mode;
};

/* `ledger`: what a former run left owed, already recovered from. `name` borrows. NULL without memory. */
struct tw_acting *tw_acting_new(const struct tw_acting_edges *edges, const struct tw_ledger *ledger, const char *name);
struct tw_acting *tw_acting_free(struct tw_acting *acting);

/* What is in force; nothing where `acting` is NULL. */
struct tw_in_force tw_acting_in_force(const struct tw_acting *acting);

/* The sample learns what was found in the place of ours since it was taken. */
void tw_acting_note_foreign(const struct tw_acting *acting, struct tw_sample *sample);

/* Carries out what the limits let pass. `sample` is of this namespace, and learns what is found to be another value. */
void tw_acting_carry_out(struct tw_acting *acting, struct tw_desires *desires, const struct tw_settings *settings,
			 struct tw_sample *sample, usec_t now_usec);

/* What the tunable was before it became ours; not known where it is not, or where `acting` is NULL. */
struct tw_live_value tw_acting_baseline(const struct tw_acting *acting, enum tw_tunable tunable);

/* Whether there is nothing to carry out even for a desire that has ended. NULL is at rest. */
static inline bool tw_acting_rests(const struct tw_acting *acting)
{
	return !acting || acting->at_rest;
}

/* A tick's orders. What they point to must stand until tw_acting_stop_search(), or until the next tick's. */
void tw_acting_order(struct tw_acting *acting, const struct tw_kill_orders *orders, enum tw_mode mode, usec_t now_usec);

/* Begins the search that is wanted; its steps are tw_destroy_search_step(). Returns whether one is under way. */
bool tw_acting_begin_search(struct tw_acting *acting, const struct tw_sample *sample, usec_t now_usec);

/* After the last step, with what it returned: what the search has found is ended. */
void tw_acting_end_search(struct tw_acting *acting, int result);

/* Lets go of the orders: a search under way is for nothing. */
void tw_acting_stop_search(struct tw_acting *acting);
