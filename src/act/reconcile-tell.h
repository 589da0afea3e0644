/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/reconcile-step.h"
#include "act/reconcile.h"

/*
 * The reconciler's events. `desire` is what stands for the tunable at this moment; where nothing is wanted, the cause
 * that the reconciler remembers is named.
 */

void tw_reconcile_tell_advice(struct tw_reconciler *reconciler, enum tw_tunable tunable, const struct tw_desire *desire,
			      const struct tw_live_value *live);

/* `now` is what stands in the ledger; the value before is its `previous`. */
void tw_reconcile_tell_adjusted(struct tw_reconciler *reconciler, enum tw_tunable tunable,
				const struct tw_desire *desire, const struct tw_ledger_entry *now);

/*
 * Names the rule that it was changed for, not the one that may want it now. `was` is the entry that was dropped, `from`
 * the value that the baseline took the place of.
 */
void tw_reconcile_tell_restored(struct tw_reconciler *reconciler, enum tw_tunable tunable, enum tw_reconcile_will will,
				const struct tw_ledger_entry *was, const struct tw_tunable_value *from);

/* `was` is the entry while it was ours. */
void tw_reconcile_tell_yielded(struct tw_reconciler *reconciler, enum tw_tunable tunable,
			       const struct tw_desire *desire, const struct tw_ledger_entry *was,
			       const struct tw_live_value *live);

/* What came in the way of a change. */
enum tw_reconcile_obstacle {
	TW_RECONCILE_OBSTACLE_BOUNDS, /* ours, not the kernel's */
	TW_RECONCILE_OBSTACLE_LOWER,  /* would be lowered */
	TW_RECONCILE_OBSTACLE_READ,   /* `error` */
	TW_RECONCILE_OBSTACLE_WRITE,  /* `error` */
	TW_RECONCILE_OBSTACLE_KEPT,   /* the kernel kept `found` */
	TW_RECONCILE_OBSTACLE_BACK,   /* the same, and the baseline could not be put back: `error` */
};

/* Refused: `live` is what the value was before, `found` what it is now; both may be unknown. */
void tw_reconcile_tell_refused(struct tw_reconciler *reconciler, enum tw_tunable tunable,
			       const struct tw_desire *desire, enum tw_reconcile_obstacle obstacle, int error,
			       const struct tw_live_value *live, const struct tw_live_value *found);

/* Degraded: the ledger could not be saved, so the change was not made. */
void tw_reconcile_tell_unsaved(struct tw_reconciler *reconciler, enum tw_tunable tunable,
			       const struct tw_desire *desire, int error);

/* Degraded: the ledger could not be saved after a change, so it tells of what is over. */
void tw_reconcile_tell_stale(struct tw_reconciler *reconciler, int error);

/* Degraded: what is ours could not be looked at (`reading`) or not be put back. */
void tw_reconcile_tell_owed(struct tw_reconciler *reconciler, enum tw_tunable tunable, const struct tw_desire *desire,
			    bool reading, int error);
