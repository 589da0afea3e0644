/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/reconcile.h"

/* One sysctl's turn in a reconciliation: what is wanted of it, what follows from that, and what is told of it. */

/* What is wanted of one tunable. */
enum tw_reconcile_will {
	TW_RECONCILE_WILL_LEAVE,   /* nothing: what is ours goes back */
	TW_RECONCILE_WILL_ENFORCE, /* the value of the desire */
	TW_RECONCILE_WILL_OBSERVE, /* that value, but nothing may be written for it */
	TW_RECONCILE_WILL_PAUSE,   /* nothing for now: as above, but what is somebody else's stays marked as such */
	TW_RECONCILE_WILL_RECOVER, /* nothing, and a baseline found in place is no news: this run or a former one ends
				    */
};

/* Whether what somebody else took over is to be remembered as theirs. */
static inline bool tw_reconcile_minds_theirs(enum tw_reconcile_will will)
{
	return will != TW_RECONCILE_WILL_LEAVE && will != TW_RECONCILE_WILL_RECOVER;
}

enum tw_reconcile_verb {
	TW_RECONCILE_NOTHING,	    /* all is as it should be */
	TW_RECONCILE_LOOK,	    /* it takes the live value to tell */
	TW_RECONCILE_ADVISE,	    /* say what would be written */
	TW_RECONCILE_REFUSE_BOUNDS, /* the value is out of the tunable's bounds */
	TW_RECONCILE_REFUSE_LOWER,  /* the value would lower what may only be raised */
	TW_RECONCILE_WRITE,	    /* save an entry of ours, then write the value */
	TW_RECONCILE_CONFIRM,	    /* the value wanted is in place, and ours: keep the entry */
	TW_RECONCILE_RESTORE,	    /* write the baseline, then drop the entry */
	TW_RECONCILE_RESTORED,	    /* the baseline that was written is in place: drop the entry */
	TW_RECONCILE_YIELD,	    /* somebody else owns it: the entry says so where that still matters */
	TW_RECONCILE_DROP,	    /* nothing is left to do: drop the entry */
};

/*
 * What is to be done with one tunable, as a pure function of its ledger entry, its live value and what is wanted. With
 * a live value that is not known it answers TW_RECONCILE_LOOK wherever the answer depends on it.
 */
enum tw_reconcile_verb tw_reconcile_step(enum tw_tunable tunable, const struct tw_ledger_entry *entry,
					 const struct tw_live_value *live, const struct tw_desire *desire,
					 enum tw_reconcile_will will);

struct tw_reconcile_turn {
	struct tw_reconciler *reconciler;
	enum tw_tunable tunable;
	const struct tw_desire *desire;
	enum tw_reconcile_will will;
	struct tw_live_value live;
	struct tw_ledger_entry *entry;
	struct tw_reconcile_said *said;
};

/* The events, made and handed to the recorder. `was` is the entry while it was ours. */

void tw_reconcile_tell_advice(const struct tw_reconcile_turn *turn);

/* `now` is what stands in the ledger; the value before is its `previous`. */
void tw_reconcile_tell_adjusted(const struct tw_reconcile_turn *turn, const struct tw_ledger_entry *now);

/* Names the rule that it was changed for, not the one that may want it now. The baseline took the place of `from`. */
void tw_reconcile_tell_restored(const struct tw_reconcile_turn *turn, const struct tw_ledger_entry *was,
				const struct tw_tunable_value *from);
void tw_reconcile_tell_yielded(const struct tw_reconcile_turn *turn, const struct tw_ledger_entry *was);

/* What came in the way of a change (refused), or of keeping what is promised (degraded). */
enum tw_reconcile_failure {
	TW_RECONCILE_FAILURE_BOUNDS, /* ours, not the kernel's */
	TW_RECONCILE_FAILURE_LOWER,  /* would be lowered */
	TW_RECONCILE_FAILURE_READ,   /* `error` */
	TW_RECONCILE_FAILURE_WRITE,  /* `error` */
	TW_RECONCILE_FAILURE_KEPT,   /* the kernel kept `found` */
	TW_RECONCILE_FAILURE_UNDO,   /* the same, and the baseline could not be put back: `error` */

	TW_RECONCILE_FAILURE_SAVE,	/* the ledger, with `error`, so the change was not made */
	TW_RECONCILE_FAILURE_OWED_READ, /* what is ours could not be looked at: `error` */
	TW_RECONCILE_FAILURE_OWED,	/* nor be put back: `error` */
};

/* `found` is what the value is now, where it was read; may be NULL. */
void tw_reconcile_tell_failure(const struct tw_reconcile_turn *turn, enum tw_reconcile_failure failure, int error,
			       const struct tw_live_value *found);

/* Degraded: the ledger could not be saved after a change, so it tells of what is over. */
void tw_reconcile_tell_stale(const struct tw_reconciler *reconciler, int error);
