/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"
#include "watch/acting.h"
#include "watch/scratch.h"
#include "decide/policy.h"
#include "measure/cpu-budget.h"
#include "measure/scan.h"
#include "measure/source.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/situation.h"

#include <stdbool.h>

/* The time as the loop read it: on the wall, and as CPU time that its thread has used. */
struct tw_time {
	usec_t now_usec;
	usec_t cpu_usec;
};

/* What is done a slice at a time, one after the other: both read from one source. */
enum tw_watch_job {
	TW_WATCH_IDLE,
	TW_WATCH_SCAN,
	TW_WATCH_DESTROY,
};

/* The world around one watch; everything borrows. */
struct tw_watch_edges {
	struct tw_source *source;
	struct tw_recorder *recorder;
	/* Makes what acting in this namespace takes, when it is needed for the first time. Returns 0 or -errno. */
	int (*make_acting)(void *context, const char *name, struct tw_acting **ret);
	void *context;
	bool tells_bound; /* see tw_kernel_source_tells_bound() */
	bool owes;	  /* something is to be put back here since before */
};

/*
 * One network namespace: its sample flows from the source through the rules to the reconciler. Wiring only; what is
 * decided and done stands in the wings. Lives in memory that was zero, and touches no more of it than it needs: a quiet
 * namespace is a few pages.
 */
struct tw_watch {
	const char *name; /* borrows */
	struct tw_watch_edges edges;
	struct tw_scratch *room; /* borrows */
	struct tw_scan_past past;
	struct tw_sample sample;
	struct tw_recent_peak peak;
	struct tw_policy policy;
	struct tw_acting *acting;	 /* owned; NULL: nothing was wanted yet */
	struct tw_cpu_budget cpu_budget; /* what its scans and searches have cost */
	struct tw_cpu_budget *charged;	 /* for the next one: its own, or that of several; borrows */
	usec_t census_due_usec;
	usec_t survey_due_usec;
	usec_t sample_record_due_usec;
	usec_t stretch_told_usec; /* 0: not stretching */
	unsigned failures;	  /* reads in a row that failed */
	int error;		  /* of the last of them, -errno; 0 for none */
	bool hurries;		  /* at the last tick there was no time to lose */
	bool ends_sockets;	  /* there were orders to end some */
	bool spared;		  /* is scanned where something has moved, and seldom else: see watch-due.c */
	bool quiet;		  /* no rule was raised or rising, and all was at rest */
	bool left;		  /* it is watched no more: nothing is decided here, whatever a scan finds */
	/* What the last tick found to be due, and nobody has begun yet. */
	bool scan_due;
	bool scan_routine;  /* it is time for a census, whatever else wants a scan */
	bool scan_late;	    /* by more than a whole `census` */
	bool destroy_first; /* a scan went before a search: now it is the search's turn */
	enum tw_scan_kind scan_kind;
	usec_t close_wait_age_usec; /* for the scan that is due */
	bool has_evidence;	    /* a survey looks at this destination for take-overs */
	struct tw_destination evidence;
	bool scan_asks; /* a survey asks the kernel which ports are exclusive */
	/* The job under way. */
	enum tw_watch_job job;
	bool job_begun; /* the job's own, while it is under way */
	struct tw_scan_order order;
	bool job_borrows;	/* it was begun because it could not wait */
	usec_t job_cost_usec;	/* CPU time of the last one */
	unsigned partial_scans; /* in a row, counted until that was told */
	bool dropped_told;
	bool unable_told;
};

/* `name` borrows. Nothing is allocated. */
void tw_watch_init(struct tw_watch *watch, const char *name, const struct tw_watch_edges *edges,
		   struct tw_scratch *room, const struct tw_settings *settings);
void tw_watch_done(struct tw_watch *watch);

/* Whether a scan or a search is under way. */
static inline bool tw_watch_busy(const struct tw_watch *watch)
{
	return watch->job != TW_WATCH_IDLE;
}

/* Makes what acting takes, where that is not there yet. Returns 0 or -errno. */
int tw_watch_make_ready(struct tw_watch *watch);

/*
 * Reads the gauge, decides and acts on what it shows, and finds out which scan is due. Returns 0, or -errno where the
 * gauge could not be read; the failure is told and counted, the next tick tries again.
 */
int tw_watch_tick(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time);

/* Whether a scan or a search is due, and is paid for by now. */
bool tw_watch_may_begin(const struct tw_watch *watch);

/*
 * Begins it; room->worker does it, where there is one. No other watch may have one under way. Returns whether it began:
 * a search may find that there is nothing to look for.
 */
bool tw_watch_begin(struct tw_watch *watch, struct tw_time time);

/*
 * A slice of the scan or search under way, or a look at what the worker has made of it; decides and acts when it is
 * complete. Returns whether there is more to do now: what the worker does is none of the caller's.
 */
bool tw_watch_work(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time);

/*
 * How long until the next tick: `interval`, and a quarter of it while connections grow so fast that the ports of one
 * destination could be used up within a rule's forecast. A second at most while sockets are to be ended.
 */
usec_t tw_watch_interval(const struct tw_watch *watch, const struct tw_settings *settings);

/*
 * Whether nothing happens here, and nothing is on its way: the counters of packets stood still between the last two
 * gauges, nobody waits for time to pass, and nothing is due.
 */
bool tw_watch_stands_still(const struct tw_watch *watch);

/* A look at one that stands still has shown that all is as it was: what waits for time alone is looked at. */
void tw_watch_confirm(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec);

/* When a scan is due even where nothing has moved. */
usec_t tw_watch_rescan_usec(const struct tw_watch *watch, const struct tw_settings *settings);

/* Carries on under new settings. */
void tw_watch_rebase(struct tw_watch *watch, const struct tw_settings *from, const struct tw_settings *to,
		     struct tw_time time);

/* Books CPU time of the loop's thread as that of the job under way. */
void tw_watch_charge(struct tw_watch *watch, usec_t cpu_usec);

/* The following is in watch-due.c, and for watch.c alone: which scan is due. */
void tw_watch_find_due(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec);

/* The following are in watch-job.c, and for watch.c and watch-due.c alone. */

/* Begins a scan by the order, or a search: by the worker, where there is one. No other job is under way. */
void tw_watch_start_job(struct tw_watch *watch, enum tw_watch_job job);

/* Whether the job under way has ended; where no worker does it, after one step of it. *ret then is its result. */
bool tw_watch_end_job(struct tw_watch *watch, int *ret);

/* The following are in watch-tell.c, and for watch.c and watch-due.c alone. */

/* A read that failed: told where it is the third in a row. */
void tw_watch_tell_failure(struct tw_watch *watch, const char *what, int error, const char *why);

/* Something is to be done, and what acting takes cannot be made: told once, until it can. */
void tw_watch_tell_unable(struct tw_watch *watch, int error);

/* The history, as often as it is asked for. */
void tw_watch_tell_sample(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec);

/* Scans come later than configured. Told at its beginning, and once an hour while it goes on. */
void tw_watch_tell_stretch(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec);

/* What the scan that has ended did not see whole, or not tell apart: once as long as it is so. */
void tw_watch_tell_gaps(struct tw_watch *watch);

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

/* It is watched no more: raised rules are told as cleared, for this reason. A rebase takes it up again. */
void tw_watch_leave(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec, const char *reason);

/* Puts back what is ours where it is watched no more, and forgets what is others'; what fails, the next call tries
 * again.
 */
void tw_watch_give_up(struct tw_watch *watch);

/* Puts everything back for good. Returns 0, or -errno where something stays owed. */
int tw_watch_restore(struct tw_watch *watch);

/* Forgets what was wanted at the last look, and what a search under way was sent for. */
void tw_watch_let_go(struct tw_watch *watch);
