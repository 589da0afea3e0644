/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "watch/discovery.h"
#include "watch/watch.h"
#include "model/event.h"
#include "model/settings.h"

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
	bool found_new; /* what the last look has found is to be taken up */
	usec_t look_due_usec;
	usec_t processes_due_usec;
	bool denied_told, failed_told;
	struct tw_registry_news come, gone;
};

/* In memory that is zero. All borrow. */
void tw_registry_init(struct tw_registry *registry, struct tw_discovery *discovery, struct tw_scratch *scratch,
		      struct tw_recorder *recorder);

/* No look may be under way. */
void tw_registry_done(struct tw_registry *registry);

/* Whether a look for namespaces is due, and none under way. */
bool tw_registry_look_is_due(const struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec);

void tw_registry_begin_look(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec);

/* A step of the look, in any thread: `context` is the registry. Returns as a tw_worker_step does. */
int tw_registry_step(void *context);

/* Ends it, with what its last step returned: marks those that are gone; the next tick takes up those that are new. */
void tw_registry_end_look(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec,
			  int result);

/*
 * A round: lets go of those that leave and have no job under way, takes up those that are new, and looks at each one by
 * an activity read or a tick.
 */
void tw_registry_tick(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec);

/* Carries on under new settings: those that they do not name leave. */
void tw_registry_rebase(struct tw_registry *registry, const struct tw_settings *from, const struct tw_settings *to,
			usec_t now_usec);
