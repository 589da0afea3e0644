/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger.h"
#include "model/effect.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/tunable.h"

/* What is wanted of one tunable. */
enum tw_hand_will {
	TW_HAND_WILL_LEAVE,   /* nothing: what is ours goes back */
	TW_HAND_WILL_ENFORCE, /* the value */
	TW_HAND_WILL_OBSERVE, /* the value, but nothing may be written for it */
	TW_HAND_WILL_PAUSE,   /* nothing for now: as above, but what is somebody else's stays marked as such */
	TW_HAND_WILL_RECOVER, /* nothing, and a baseline found in place is no news: this run or a former one ends */
};

/* What a desire asks for in this mode. */
enum tw_hand_will tw_hand_will_of(const struct tw_desire *desire, enum tw_mode mode);

struct tw_hand_wish {
	enum tw_hand_will will;
	struct tw_tunable_value value; /* enforce and observe */
	const char *rule;	       /* on whose behalf; borrows */
};

enum tw_hand_verb {
	TW_HAND_NOTHING,       /* all is as it should be */
	TW_HAND_LOOK,	       /* it takes the live value to tell */
	TW_HAND_ADVISE,	       /* say what would be written */
	TW_HAND_REFUSE_BOUNDS, /* the value is out of the tunable's bounds */
	TW_HAND_REFUSE_LOWER,  /* the value would lower what may only be raised */
	TW_HAND_WRITE,	       /* save the entry, then write its `written` */
	TW_HAND_CONFIRM,       /* the value wanted is in place, and ours: keep the entry */
	TW_HAND_RESTORE,       /* write the baseline, then drop the entry */
	TW_HAND_RESTORED,      /* the baseline that was written is in place: drop the entry */
	TW_HAND_YIELD,	       /* somebody else owns it: keep the entry, which says so */
	TW_HAND_DROP,	       /* nothing is left to do: drop the entry */
};

/* What to do, and the entry that goes with it. */
struct tw_hand_step {
	enum tw_hand_verb verb;
	struct tw_ledger_entry entry;
};

/*
 * The transition of one tunable, as a pure function of its ledger entry, its live value and what is wanted. With a
 * live value that is not known it answers TW_HAND_LOOK wherever the answer depends on it.
 */
struct tw_hand_step tw_hand_step(enum tw_tunable tunable, const struct tw_ledger_entry *entry,
				 const struct tw_live_value *live, const struct tw_hand_wish *wish);
