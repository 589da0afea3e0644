/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "base/json.h"
#include "base/macros.h"
#include "daemon/watch.h"
#include "model/event.h"
#include "model/settings.h"

#include <stdbool.h>

/* Where the manager reads the time: the kernel's clocks, or a virtual one in the tests. */
struct tw_clock {
	struct tw_time (*read)(struct tw_clock *clock);
};

/*
 * Everything that timewaitd watches, without the event loop: the loop, or a test, calls tick at each interval and work
 * while there is some.
 */
struct tw_manager {
	struct tw_settings *settings; /* consumes */
	struct tw_recorder *recorder; /* borrows */
	struct tw_clock *clock;	      /* borrows */
	struct tw_workroom room;
	struct tw_watch *host;	  /* owned */
	struct tw_watch *working; /* whose scan or hunt is under way; NULL: nobody's; borrows */
	struct tw_income income;
	struct tw_meter own; /* what is no namespace's: ticks, records, answers */
	usec_t started_usec;
	usec_t booked_usec; /* CPU time of the loop that is booked */
	unsigned missed;    /* ticks in a row without a gauge */
};

/* So many ticks in a row without a gauge, and tw_manager_tick() gives up: a fresh start may do better. */
#define TW_MANAGER_MISSED_MAX 30

/* `settings` is consumed on success. Returns 0, -ENOMEM, or the -errno of host->make_acting(). */
int tw_manager_init(struct tw_manager *manager, struct tw_settings *settings, const struct tw_watch_edges *host,
		    struct tw_clock *clock, const struct tw_hash_key *key);
void tw_manager_done(struct tw_manager *manager);

/* From now on this thread does what takes long. Not while there is work. Borrows. */
void tw_manager_use(struct tw_manager *manager, struct tw_worker *worker);

/* One interval. Returns 0, or -EIO when the gauge has failed too often to go on. */
int tw_manager_tick(struct tw_manager *manager);

/*
 * A slice of the work that a tick started, at most a datagram of a dump; with a worker, what is to be done when it has
 * ended. Returns whether there is more to do now.
 */
bool tw_manager_work(struct tw_manager *manager);

/* Whether a scan or a hunt is under way. */
bool tw_manager_busy(const struct tw_manager *manager);

/* How long until the next tick is due. */
usec_t tw_manager_interval(const struct tw_manager *manager);

/* Whether the first full sample is in. */
bool tw_manager_ready(const struct tw_manager *manager);

/* Why the last tick or scan failed, -errno; 0 where it did not. */
int tw_manager_error(const struct tw_manager *manager);

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
void tw_manager_snapshot(const struct tw_manager *manager, usec_t started_usec, usec_t now_usec, struct tw_json *json);

/* CPU time of the process that is not to count against cpu-budget: whoever asks often must not stop the counting. */
void tw_manager_exempt(struct tw_manager *manager, usec_t cpu_usec);

/* Puts everything back. Returns 0, or -errno where something stays owed. */
int tw_manager_stop(struct tw_manager *manager);

/* One line with the present numbers, for `systemctl status`. */
void tw_manager_status(const struct tw_manager *manager, struct tw_text *text);

/* Tells an event that concerns the daemon as a whole. */
void tw_manager_tell(struct tw_manager *manager, enum tw_event_kind kind, const char *format, ...) TW_PRINTF(3, 4);
