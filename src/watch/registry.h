/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "watch/discovery.h"
#include "watch/watch.h"
#include "model/event.h"
#include "model/namespace.h"
#include "model/settings.h"

#include <stdbool.h>

/* Books the CPU time since the last booking to a budget, or to the daemon itself where that is NULL. Returns it. */
struct tw_cpu_account {
	usec_t (*enter)(struct tw_cpu_account *account, struct tw_cpu_budget *budget);
};

/* One network namespace that is watched beside the host's. */
struct tw_registry_entry {
	struct tw_namespace namespace;
	struct tw_watch watch;
	bool named;	    /* by the last look: has a name of its own, not one made of what is in it */
	bool newcomer;	    /* its first scan has not ended: that one is paid by all newcomers together */
	bool seen;	    /* by the look under way */
	const char *leaves; /* why it is watched no more, once no job of it is under way; NULL: it stays */
	bool resting;	    /* nothing happens in it: activity reads will do */
	usec_t tick_due_usec;
	usec_t deep_due_usec; /* of an activity read with the segments, while it rests */
};

/* Taken up in one slice: some 60 us each. */
#define TW_REGISTRY_TAKE_UP_MAX 64u

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
	struct tw_scratch *room;	    /* borrows */
	struct tw_recorder *recorder;	    /* borrows */
	struct tw_registry_entry **entries; /* owned */
	unsigned count, capacity;
	struct tw_cpu_budget newcomers;
	/* The look for them. */
	bool looking;
	bool looks_at_processes;
	usec_t look_due_usec;
	usec_t processes_due_usec;
	bool denied_told, failed_told;
	struct tw_registry_news come, gone;
	usec_t stretch_told_usec; /* 0: not stretching */
	/* How far ticks are stretched where many namespaces are busy: so many times `interval`. */
	unsigned stretch;
	usec_t tick_cost_usec; /* of one tick, as it was lately */
	usec_t own_cost_usec;  /* of a round, what is no namespace's: looks, activity reads, records */
	unsigned awake;	       /* entries that do not rest */
	/* The round under way. */
	bool taking_up; /* what the last look found is still being taken up */
	unsigned next_found;
	unsigned next_entry;
	unsigned failed; /* to be taken up */
};

/* In memory that is zero. All borrow. */
void tw_registry_init(struct tw_registry *registry, struct tw_discovery *discovery, struct tw_scratch *room,
		      struct tw_recorder *recorder);
void tw_registry_done(struct tw_registry *registry);

/* Whether a look for namespaces is due, and none under way. */
bool tw_registry_look_is_due(const struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec);

/* Begins a look: by the worker, where there is one, else by tw_registry_work(). */
void tw_registry_begin_look(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec);

/*
 * A step of the look, or a look at what the worker has made of it; at its end marks those that are gone, and those that
 * are new are taken up by the next ticks. Returns whether there is more to do now. *ret_cpu_usec: CPU time that the
 * worker took; 0 until it has ended.
 */
bool tw_registry_work(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec,
		      usec_t *ret_cpu_usec);

/* So many are counted later than configured. Told at its beginning, and once an hour while it goes on. */
void tw_registry_tell_stretch(struct tw_registry *registry, unsigned late, const struct tw_settings *settings,
			      usec_t now_usec);

/* Lets go of those that leave and have no job under way, and tells of it. */
void tw_registry_let_go(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec);

/*
 * A slice of a round: takes up some of those that are new, and looks at some of those that are watched, each once a
 * round, by an activity read or a tick. Returns whether the round goes on.
 */
bool tw_registry_tick(struct tw_registry *registry, const struct tw_settings *settings, struct tw_time time,
		      struct tw_cpu_account *account);

/* In registry.c, and for registry-tick.c alone: takes up some. Returns whether there are more. */
bool tw_registry_take_up(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec);

/* Carries on under new settings: those that they do not name leave. */
void tw_registry_rebase(struct tw_registry *registry, const struct tw_settings *from, const struct tw_settings *to,
			struct tw_time time);
