/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "base/macros.h"
#include "base/text.h"
#include "model/event.h"
#include "model/settings.h"
#include "watch/discovery.h"
#include "watch/watch.h"
#include "watch/worker.h"

#include <stdbool.h>

/* One network namespace that is watched beside the host's. */
struct tw_registry_entry {
	struct tw_namespace namespace;
	struct tw_watch watch;
	bool named;	    /* by the last look: has a name of its own, not one made of what is in it */
	bool seen;	    /* by the look under way */
	const char *leaves; /* why it is watched no more, once no job of it is under way; NULL: it stays */
	bool resting;	    /* nothing happens in it: activity reads will do */
	usec_t tick_due_usec;
	usec_t deep_due_usec; /* of an activity read with the segments, while it rests */
};

/* Told so often within a minute; what is more is counted in the next one that is told. */
#define TW_REGISTRY_TOLD_MAX 20

/* What came or went, and how often that was told lately. */
struct tw_registry_news {
	usec_t since_usec;
	unsigned told, untold;
};

/* Those that are watched beside the host's, found and lost as they come and go. */
struct tw_registry {
	struct tw_discovery *discovery;	    /* borrows; NULL: there are none */
	struct tw_scratch *scratch;	    /* borrows */
	struct tw_recorder *recorder;	    /* borrows */
	struct tw_registry_entry **entries; /* owned */
	unsigned count;
	struct tw_debt newcomers; /* for the first scan of each: those that come and go could not be made to pay */
	unsigned stretch;	  /* where many are busy, their ticks come after so many times `interval` */
	/* The look for them. */
	bool looking;
	bool looks_at_processes;
	usec_t look_due_usec;
	usec_t processes_due_usec;
	bool denied_told, failed_told;
	struct tw_registry_news come, gone;
};

/*
 * Everything that timewaitd watches, without the event loop: the loop, or a test, calls tick at each interval and work
 * while there is some.
 */
struct tw_manager {
	struct tw_settings *settings; /* consumes */
	struct tw_recorder *recorder; /* borrows */
	struct tw_clock *clock;	      /* borrows */
	struct tw_worker *worker;     /* does what takes long; NULL: that is done in place; borrows */
	struct tw_scratch scratch;
	struct tw_watch host;
	bool host_watched; /* the configuration names it */
	struct tw_registry registry;
	struct tw_watch *working; /* whose scan or search is under way; NULL: nobody's; borrows */
	usec_t job_cpu_usec;	  /* of the job under way, in place */
	usec_t owed_usec; /* CPU time that is no namespace's and not paid for yet: ticks, records, answers, looks */
	usec_t paid_until_usec;
	usec_t spent_usec;					 /* CPU time of all, since the start */
	usec_t booked_usec;					 /* CPU time of the loop that is booked */
	usec_t host_stretch_told_usec, others_stretch_told_usec; /* 0: not stretching */
	unsigned missed;					 /* ticks in a row without a gauge */
};

/* So many ticks in a row without a gauge, and tw_manager_tick() gives up: a fresh start may do better. */
#define TW_MANAGER_MISSED_MAX 30

/* The world of a manager; everything borrows. */
struct tw_manager_edges {
	struct tw_watch_edges host;
	struct tw_discovery *discovery; /* NULL: no other namespace can be watched */
	struct tw_clock *clock;
};

/* `settings` is consumed on success. Returns 0, -ENOMEM, or the -errno of host.make_acting(). */
int tw_manager_init(struct tw_manager *manager, struct tw_settings *settings, const struct tw_manager_edges *edges,
		    const struct tw_hash_key *key);
void tw_manager_done(struct tw_manager *manager);

/* One interval. Returns 0, or -EIO when the host's gauge has failed too often to go on. */
int tw_manager_tick(struct tw_manager *manager);

/*
 * A step of the job that a tick started, at most a datagram of a dump; with a worker, what is to be done when it has
 * ended. Returns whether there is more to do now.
 */
bool tw_manager_work(struct tw_manager *manager);

/* Whether a scan, a search or a look for namespaces is under way. */
bool tw_manager_busy(const struct tw_manager *manager);

/* How long from the last tick until the next one is due. */
usec_t tw_manager_interval(struct tw_manager *manager);

/*
 * What is to be done before the first tick of the loop: a tick, and the work that it starts, until all namespaces have
 * been looked at once. Returns whether the first full sample of the host is in.
 */
bool tw_manager_begin(struct tw_manager *manager);

/* The following are in registry.c, and for the manager alone. */

/* No look may be under way. */
void tw_registry_done(struct tw_registry *registry);

/* Begins a look for namespaces where one is due. Returns whether it did. */
bool tw_registry_begin_look(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec);

/* A step of the look, in any thread: `context` is the registry. Returns as a tw_worker_step does. */
int tw_registry_step(void *context);

/* Ends it, with what its last step returned: lets go of those that are gone, and takes up those that are new. */
void tw_registry_end_look(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec,
			  int result);

/*
 * A round: lets go of those that leave and have no job under way, and looks at each by an activity read or a tick,
 * which it owes for itself. Returns the CPU time of these ticks.
 */
usec_t tw_registry_tick(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec);

/* Carries on under new settings: those that they do not name leave. */
void tw_registry_rebase(struct tw_registry *registry, const struct tw_settings *from, const struct tw_settings *to,
			usec_t now_usec);

/* The following are in manager-request.c. */

/* The namespaces that are watched, the host's first where it is one of them. */
unsigned tw_manager_count(const struct tw_manager *manager);
struct tw_watch *tw_manager_watch(struct tw_manager *manager, unsigned index);

/* Whether the rule of this index is raised in any of them. */
bool tw_manager_is_raised(struct tw_manager *manager, unsigned rule);

/* Tells of each action of the settings that is not taken. */
void tw_manager_tell_skipped(struct tw_manager *manager);

/* Carries on under new settings, which are consumed. */
void tw_manager_reload(struct tw_manager *manager, struct tw_settings *settings);

/*
 * Puts every sysctl back on request, as tw_watch_pause() does. *ret_count: how many went back, in any case. Returns 0,
 * or -errno where something stays owed.
 */
int tw_manager_restore(struct tw_manager *manager, unsigned *ret_count);

/*
 * Another mode, until the next reload. Observe puts everything back first. Returns 0, or -errno where something stays
 * owed; the mode is the new one in either case.
 */
int tw_manager_set_mode(struct tw_manager *manager, enum tw_mode mode);

/* "enforce" or "observe". */
const char *tw_manager_mode(const struct tw_manager *manager);

/* Everything that is known, as one JSON object. The times are CLOCK_REALTIME. */
void tw_manager_snapshot(struct tw_manager *manager, usec_t started_usec, usec_t now_usec, struct tw_text *json);

/* Puts everything back. Returns 0, or -errno where something stays owed. */
int tw_manager_stop(struct tw_manager *manager);

/* One line with the present numbers, for `systemctl status`. */
void tw_manager_status(struct tw_manager *manager, struct tw_text *text);
