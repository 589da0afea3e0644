/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger.h"
#include "model/effect.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/tunable.h"

/* What is wanted of one tunable. */
enum tw_reconcile_will {
	TW_RECONCILE_WILL_LEAVE,   /* nothing: what is ours goes back */
	TW_RECONCILE_WILL_ENFORCE, /* the value */
	TW_RECONCILE_WILL_OBSERVE, /* the value, but nothing may be written for it */
	TW_RECONCILE_WILL_PAUSE,   /* nothing for now: as above, but what is somebody else's stays marked as such */
	TW_RECONCILE_WILL_RECOVER, /* nothing, and a baseline found in place is no news: this run or a former one ends
				    */
};

/* What a desire asks for in this mode. */
enum tw_reconcile_will tw_reconcile_will_of(const struct tw_desire *desire, enum tw_mode mode);

struct tw_reconcile_desired {
	enum tw_reconcile_will will;
	struct tw_tunable_value value; /* enforce and observe */
	const char *rule;	       /* on whose behalf; borrows */
};

enum tw_reconcile_verb {
	TW_RECONCILE_NOTHING,	    /* all is as it should be */
	TW_RECONCILE_LOOK,	    /* it takes the live value to tell */
	TW_RECONCILE_ADVISE,	    /* say what would be written */
	TW_RECONCILE_REFUSE_BOUNDS, /* the value is out of the tunable's bounds */
	TW_RECONCILE_REFUSE_LOWER,  /* the value would lower what may only be raised */
	TW_RECONCILE_WRITE,	    /* save the entry, then write its `written` */
	TW_RECONCILE_CONFIRM,	    /* the value wanted is in place, and ours: keep the entry */
	TW_RECONCILE_RESTORE,	    /* write the baseline, then drop the entry */
	TW_RECONCILE_RESTORED,	    /* the baseline that was written is in place: drop the entry */
	TW_RECONCILE_YIELD,	    /* somebody else owns it: keep the entry, which says so */
	TW_RECONCILE_DROP,	    /* nothing is left to do: drop the entry */
};

/* What to do, and the entry that goes with it. */
struct tw_reconcile_step {
	enum tw_reconcile_verb verb;
	struct tw_ledger_entry entry;
};

/*
 * The transition of one tunable, as a pure function of its ledger entry, its live value and what is wanted. With a
 * live value that is not known it answers TW_RECONCILE_LOOK wherever the answer depends on it.
 */
struct tw_reconcile_step tw_reconcile_step(enum tw_tunable tunable, const struct tw_ledger_entry *entry,
					   const struct tw_live_value *live,
					   const struct tw_reconcile_desired *desired);
