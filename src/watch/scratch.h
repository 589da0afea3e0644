/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "base/macros.h"
#include "watch/worker.h"
#include "measure/scan.h"
#include "model/effect.h"

/*
 * What all watches use, one after the other: the tables of a scan, the thread that does what takes long, and the sheet
 * that desires are written on, from the rules to the reconciler.
 */
struct tw_scratch {
	struct tw_scan *scan;
	struct tw_worker *worker; /* borrows; NULL: jobs are done in place */
	bool starting;		  /* the daemon is not ready yet: it looks at everything once, whatever that costs */
	bool overspent;		  /* the daemon itself has used up more than its budget: no routine work begins */
	bool pressed;		  /* many owe for routine work: no more of it begins */
	bool overdrawn;		  /* all namespaces together owe so much that none may borrow */
	struct tw_desires desires;
	struct tw_kill_orders kills;
};

/* In memory that is zero. Returns 0 or -ENOMEM. */
int tw_scratch_init(struct tw_scratch *room, const struct tw_hash_key *key);
void tw_scratch_done(struct tw_scratch *room);
