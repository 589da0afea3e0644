/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/hand.h"
#include "base/macros.h"
#include "daemon/chase.h"
#include "decide/judge.h"

#include <stdbool.h>

/* The world that is acted on, of one network namespace; everything borrows. */
struct tw_acting_edges {
	struct tw_sysctl_sink *sysctl;
	struct tw_socket_sink *socket;
	struct tw_ledger_store *store;
	struct tw_recorder *recorder;
};

/*
 * What a watch needs to act, from a wish to its proof. Most namespaces never wish for anything: theirs is made when it
 * is needed. Wiring only.
 */
struct tw_acting {
	struct tw_judge judge;
	struct tw_hand hand;
	struct tw_chase chase;
	bool at_rest; /* nothing is wanted or in force, and nothing is left to be told of it */
};

/* `ledger`: what a former run left owed, already recovered from. `name` borrows. NULL without memory. */
struct tw_acting *tw_acting_new(const struct tw_acting_edges *edges, const struct tw_ledger *ledger, const char *name);
struct tw_acting *tw_acting_free(struct tw_acting *acting);
TW_DEFINE_CLEANUP(struct tw_acting, tw_acting_free)

/* Carries out what passes the judge, and proves what was done. `sample` is of this namespace. */
void tw_acting_carry_out(struct tw_acting *acting, struct tw_desires *desires, const struct tw_settings *settings,
			 const struct tw_sample *sample, usec_t now_usec);

/* Whether there is nothing to carry out even for a wish that has ended. NULL is at rest. */
static inline bool tw_acting_rests(const struct tw_acting *acting)
{
	return !acting || acting->at_rest;
}
