/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/settings.h"

#include <stdbool.h>

/*
 * The world as the acting wing needs it, for one network namespace: sysctl-sink.h and ledger-store.h, or their
 * in-memory twins.
 */
struct tw_sysctl_sink {
	/* Returns 0, -ENOENT where the kernel has no such sysctl, -errno. */
	int (*read)(struct tw_sysctl_sink *sink, enum tw_tunable tunable, struct tw_tunable_value *ret);
	/* One write(2), whole or failed. Returns 0 or -errno. The caller reads back. */
	int (*write)(struct tw_sysctl_sink *sink, enum tw_tunable tunable, const struct tw_tunable_value *value);
};

struct tw_ledger_store {
	/* Durable before it returns 0; -errno leaves the old ledger in place. */
	int (*save)(struct tw_ledger_store *store, const struct tw_ledger *ledger);
};

/*
 * Brings the sysctls of one namespace to what is desired and back: ledger first, then one write, then a look.
 * Never fights: a value that is neither the baseline nor our last write belongs to somebody else.
 */
struct tw_reconciler {
	struct tw_ledger ledger;
	struct tw_sysctl_sink *sysctl; /* borrows */
	struct tw_ledger_store *store; /* borrows */
	struct tw_recorder *recorder;  /* borrows */
	const char *namespace;	       /* for records; borrows */
	bool unsaved;		       /* the store holds an older ledger: saved again at the next call */
	bool unsaved_told;
	unsigned restored; /* sysctls put back so far */
	/* What was said last of each tunable, so that a standing condition is recorded once. */
	struct tw_reconcile_said {
		bool wanted;
		bool advised;
		bool failed;
		struct tw_tunable_value value; /* that was wanted */
	} said[TW_TUNABLE_COUNT];
	/* What the last reconciliation found in the place of ours: newer than the sample that it went by. */
	struct tw_live_value foreign[TW_TUNABLE_COUNT];
	/* On whose behalf each tunable was touched last: the rule may be gone when it is put back. */
	struct tw_reconcile_cause {
		char rule[TW_RULE_NAME_MAX];
		struct tw_subject subject;
	} causes[TW_TUNABLE_COUNT];
};

/* `ledger` is copied, everything else borrows. */
void tw_reconcile_init(struct tw_reconciler *reconciler, const struct tw_ledger *ledger, struct tw_sysctl_sink *sysctl,
		       struct tw_ledger_store *store, struct tw_recorder *recorder, const char *namespace);

/*
 * One reconciliation. For each tunable: wanted and not ours -> the live value becomes the baseline, ledger, write
 * (adjusted); wanted at another value -> ledger, write (adjusted); not wanted and ours -> baseline written, entry
 * dropped (restored); live value neither baseline nor ours -> entry marked yielded (yielded), left alone until it is
 * no longer wanted; live value already as wanted and not ours -> nothing to do. In observe mode nothing of the world
 * changes: each write becomes one `advice`; what is ours is put back. A failure of any step is recorded once as
 * `refused` or `degraded`, leaves the world as it was, and is tried again at the next call. A tunable whose baseline
 * write fails stays ours. A desire that may not be done (out of bounds, or lower than a raise-only baseline) keeps
 * nothing in place: what is ours is put back first.
 */
void tw_reconcile_run(struct tw_reconciler *reconciler, const struct tw_desires *desires, enum tw_mode mode);

/* Whether nothing is changed or left to be saved: where nothing was wanted, it leaves the next reconciliation nothing.
 */
bool tw_reconcile_at_rest(const struct tw_reconciler *reconciler);

/*
 * Puts everything back now, though the rules may want it still: whoever asks sees to it that they do not get it at the
 * next reconciliation. What somebody else took over stays theirs. Returns 0, or the first -errno that left something
 * owed.
 */
int tw_reconcile_pause(struct tw_reconciler *reconciler);

/*
 * Puts everything back: on a clean stop, and on the ledger that a former run left. What is at its baseline already is
 * done, also where the run ended between ledger and write. Twice in a row changes nothing more. Returns 0, or the first
 * -errno that left something owed or left the store with a ledger that is out of date.
 */
int tw_reconcile_restore(struct tw_reconciler *reconciler);

/* The same with a reconciler of its own, for what a former run left; `ledger` becomes what is owed still. */
int tw_reconcile_recover(struct tw_ledger *ledger, struct tw_sysctl_sink *sysctl, struct tw_ledger_store *store,
			 struct tw_recorder *recorder, const char *namespace);
