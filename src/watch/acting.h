/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/reconcile.h"
#include "base/macros.h"
#include "watch/destroy-job.h"
#include "decide/limits.h"

#include <stdbool.h>

/* The world that is acted on, of one network namespace; everything borrows. */
struct tw_acting_edges {
	struct tw_sysctl_sink *sysctl;
	struct tw_socket_sink *socket;
	struct tw_ledger_store *store;
	struct tw_recorder *recorder;
};

/*
 * What a watch needs to act, from a desire to its proof. Most namespaces never want anything: theirs is made
 * when it is needed. Wiring only.
 */
struct tw_acting {
	struct tw_limits limits;
	struct tw_reconciler reconciler;
	struct tw_destroy_job destroying;
	bool at_rest; /* nothing is wanted or in force, and nothing is left to be told of it */
};

/* `ledger`: what a former run left owed, already recovered from. `name` borrows. NULL without memory. */
struct tw_acting *tw_acting_new(const struct tw_acting_edges *edges, const struct tw_ledger *ledger, const char *name);
struct tw_acting *tw_acting_free(struct tw_acting *acting);
TW_DEFINE_CLEANUP(struct tw_acting, tw_acting_free)

/* What is in force; nothing where `acting` is NULL. */
struct tw_in_force tw_acting_in_force(const struct tw_acting *acting);

/* The sample learns what was found in the place of ours since it was taken. */
void tw_acting_note_foreign(const struct tw_acting *acting, struct tw_sample *sample);

/* Carries out what the limits let pass. `sample` is of this namespace, and learns what is found to be another value. */
void tw_acting_carry_out(struct tw_acting *acting, struct tw_desires *desires, const struct tw_settings *settings,
			 struct tw_sample *sample, usec_t now_usec);

/* What the tunable was before it became ours; not known where it is not. NULL is at rest. */
struct tw_live_value tw_acting_baseline(const struct tw_acting *acting, enum tw_tunable tunable);

/* Whether there is nothing to carry out even for a desire that has ended. NULL is at rest. */
static inline bool tw_acting_rests(const struct tw_acting *acting)
{
	return !acting || acting->at_rest;
}
