/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/hand.h"
#include "base/duration.h"
#include "base/hash.h"
#include "base/macros.h"
#include "daemon/chase.h"
#include "daemon/worker.h"
#include "decide/judge.h"
#include "decide/policy.h"
#include "measure/meter.h"
#include "measure/scan.h"
#include "measure/source.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/situation.h"

#include <stdbool.h>

/* The time as the loop read it: on the wall of the process and as CPU time that it has used. */
struct tw_time {
	usec_t now_usec;
	usec_t cpu_usec;
};

/* What is done a slice at a time, one after the other: both read from one source. */
enum tw_watch_job {
	TW_WATCH_IDLE,
	TW_WATCH_SCAN,
	TW_WATCH_HUNT,
};

/* The world around one watch; everything borrows. */
struct tw_watch_edges {
	struct tw_source *source;
	struct tw_sysctl_sink *sysctl;
	struct tw_socket_sink *socket;
	struct tw_ledger_store *store;
	struct tw_recorder *recorder;
	struct tw_worker *worker; /* does the jobs; NULL: they are done in place */
	bool tells_bound;	  /* see tw_kernel_source_tells_bound() */
};

/*
 * One network namespace: its sample flows from the source through the rules to the hand. Wiring only; what is decided
 * and done stands in the wings.
 */
struct tw_watch {
	const char *name;
	struct tw_watch_edges edges;
	struct tw_scan *scan;
	struct tw_scan_past past;
	struct tw_sample sample;
	struct tw_crest crest;
	struct tw_policy policy;
	struct tw_judge judge;
	struct tw_desires desires;
	bool at_rest; /* nothing is wanted or in force, and nothing is left to be told of it */
	struct tw_kill_orders kills;
	struct tw_chase chase;
	bool chase_first; /* a scan went before a hunt: now it is the hunt's turn */
	struct tw_hand hand;
	struct tw_meter meter;
	usec_t census_due_usec;
	usec_t survey_due_usec;
	usec_t sample_record_due_usec;
	usec_t stretch_told_usec; /* 0: not stretching */
	unsigned failures;	  /* reads in a row that failed */
	int error;		  /* of the last of them, -errno; 0 for none */
	enum tw_watch_job job;
	bool quiet;	/* at the last tick no rule was raised, and all was at rest */
	bool job_begun; /* the job's own, while it is under way */
	struct tw_scan_order order;
	usec_t job_cost_usec; /* CPU time of the last one */
	usec_t job_from_usec; /* what the meter had counted when it began */
	bool partial_told;
	bool dropped_told;
};

/* `name` borrows. `ledger` is what a former run left owed, already recovered from. Returns 0 or -ENOMEM. */
int tw_watch_init(struct tw_watch *watch, const char *name, const struct tw_watch_edges *edges,
		  const struct tw_hash_key *key, const struct tw_ledger *ledger, usec_t now_usec);
void tw_watch_done(struct tw_watch *watch);

/* Whether a scan or a hunt is under way. */
static inline bool tw_watch_busy(const struct tw_watch *watch)
{
	return watch->job != TW_WATCH_IDLE;
}

/*
 * Reads the gauge, decides and acts on what it shows, and starts a scan where one is due. Returns 0, or -errno where
 * the gauge could not be read; the failure is told and counted, the next tick tries again.
 */
int tw_watch_tick(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time);

/* What the tick has cost, when the meter knows of it. */
void tw_watch_ticked(struct tw_watch *watch, usec_t cpu_usec);

/*
 * A slice of the scan or hunt under way, or a look at what the worker has made of it; decides and acts when it is
 * complete. Returns whether there is more to do now: what the worker does is none of the caller's.
 */
bool tw_watch_work(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time);

/*
 * How long until the next tick: `interval`, and a quarter of it while connections grow so fast that the ports of one
 * destination could be used up within a rule's forecast. A second at most while sockets are to be ended.
 */
usec_t tw_watch_interval(const struct tw_watch *watch, const struct tw_settings *settings);

/* Carries on under new settings. */
void tw_watch_rebase(struct tw_watch *watch, const struct tw_settings *from, const struct tw_settings *to,
		     struct tw_time time);

/* The following are in watch-job.c, and for watch.c alone. */

/* Begins a scan by the order, or a hunt: by the worker, where there is one. No other job is under way. */
void tw_watch_start_job(struct tw_watch *watch, enum tw_watch_job job);

/*
 * Whether the job under way has ended; where no worker does it, after one step of it. *ret then is its result, and what
 * it has cost stands in the watch.
 */
bool tw_watch_end_job(struct tw_watch *watch, int *ret);

/* The following are in watch-request.c. */

/* How rules and changes stand. Borrows from the watch and the settings. */
void tw_watch_situation(const struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec,
			struct tw_situation *ret);

/*
 * Puts every sysctl back on request. Those that raised rules want rest from now on, for the cooldown of the rule or,
 * where that is 0, ten minutes. Returns 0, or -errno where something stays owed.
 */
int tw_watch_pause(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec);

/* The same without a rest. */
int tw_watch_give_back(struct tw_watch *watch);

/* Forgets what was wanted at the last look, and what a hunt under way was sent for. */
void tw_watch_let_go(struct tw_watch *watch);
