/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "watch/acting.h"
#include "decide/policy.h"
#include "measure/scan.h"
#include "measure/source.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/event.h"

#include <stdbool.h>

struct tw_time {
	usec_t now_usec;
	usec_t cpu_usec; /* CPU time that the loop's thread has used */
};

/* Where the time is read: the kernel's clocks, or a virtual one in the tests. */
struct tw_clock {
	struct tw_time (*read)(struct tw_clock *clock);
};

/*
 * CPU time that counting has cost, and that is not paid for yet. While something is owed, routine work waits. What
 * could not wait is borrowed: it is paid off after all else, and holds no routine work up, or a few seconds of haste
 * would be followed by a minute of blindness.
 */
struct tw_debt {
	usec_t owed_usec;
	usec_t borrowed_usec;
};

/* The most debt that is remembered: work far beyond the budget delays the next by a bounded time. */
#define TW_DEBT_MAX_USEC (10 * TW_USEC_PER_SEC)

static inline void tw_debt_owe(usec_t *debt_usec, usec_t cpu_usec)
{
	*debt_usec = TW_MIN(*debt_usec + cpu_usec, TW_DEBT_MAX_USEC);
}

/* What all watches use, one after the other, and whether the budget lets any of them begin to count. */
struct tw_scratch {
	struct tw_clock *clock;	   /* borrows */
	struct tw_scan *scan;	   /* its tables; owned by the manager */
	bool starting;		   /* the daemon is not ready yet: it looks at everything once, whatever that costs */
	bool routine_waits;	   /* so much is owed by the daemon or by many that nobody begins routine work */
	bool credit_is_used;	   /* all together owe so much that none may borrow */
	struct tw_desires desires; /* from the rules to the reconciler */
	struct tw_kill_orders kills;
};

/* What is done a step at a time, one after the other: both read from one source. */
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
	struct tw_scratch *scratch; /* borrows */
	struct tw_scan_past past;
	struct tw_sample sample;
	struct tw_recent_peak peak;
	struct tw_policy policy;
	struct tw_acting *acting; /* owned; NULL: nothing was wanted yet */
	struct tw_debt debt;
	struct tw_debt *charged; /* for its next job: its own debt, or that of several; borrows */
	usec_t census_due_usec;
	usec_t survey_due_usec;
	usec_t sample_record_due_usec;
	unsigned failures; /* reads in a row that failed */
	int error;	   /* of the last of them, -errno; 0 for none */
	bool hurries;	   /* at the last tick there was no time to lose */
	bool ends_sockets; /* there were orders to end some */
	bool quiet;	   /* no rule was raised or rising, and all was at rest */
	bool left;	   /* it is watched no more: nothing is decided here, whatever a scan finds */
	bool scan_due;	   /* at the last tick, and nobody has begun it yet */
	bool wants_survey;
	bool destroy_first;	/* a scan went before a search: now it is the search's turn */
	unsigned partial_scans; /* in a row, counted until that was told */
	bool dropped_told;
	bool unable_told;
	/* The job under way. */
	enum tw_watch_job job;
	bool job_begun;		    /* the job's own, while it is under way */
	bool job_borrows;	    /* it was begun because it could not wait */
	struct tw_scan_order order; /* of the last scan, too */
};

/* `name` borrows. Nothing is allocated. */
void tw_watch_init(struct tw_watch *watch, const char *name, const struct tw_watch_edges *edges,
		   struct tw_scratch *scratch, const struct tw_settings *settings);

/* No job may be under way. */
void tw_watch_done(struct tw_watch *watch);

/* Makes what acting takes, where that is not there yet. Returns 0 or -errno. */
int tw_watch_make_ready(struct tw_watch *watch);

/*
 * Reads the gauge, decides and acts on what it shows, and finds out which scan is due. Returns 0, or -errno where the
 * gauge could not be read; the failure is told and counted, the next tick tries again.
 */
int tw_watch_tick(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec);

/* Whether a scan or a search is due, and is paid for by now or may borrow. */
bool tw_watch_may_begin(const struct tw_watch *watch, usec_t now_usec);

/* Begins it: no other watch may have one under way. Returns whether it began: a search may have nothing to look for. */
bool tw_watch_begin(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec);

/* A step of the scan or search under way, in any thread: `context` is the watch. Returns as a tw_worker_step does. */
int tw_watch_step(void *context);

/* Ends it, with what its last step returned and the CPU time that it took; decides and acts on what it has found. */
void tw_watch_end(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec, int result,
		  usec_t cpu_usec);

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

/* Carries on under new settings. */
void tw_watch_rebase(struct tw_watch *watch, const struct tw_settings *from, const struct tw_settings *to,
		     usec_t now_usec);

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

/* Puts back what is ours where it is watched no more, and forgets what is others'; the next call tries again. */
void tw_watch_give_up(struct tw_watch *watch);

/* Puts everything back for good. Returns 0, or -errno where something stays owed. */
int tw_watch_restore(struct tw_watch *watch);

/* Forgets what was wanted at the last look, and what a search under way was sent for. */
void tw_watch_let_go(struct tw_watch *watch);
