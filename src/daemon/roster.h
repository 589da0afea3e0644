/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/neighbours.h"
#include "daemon/watch.h"
#include "model/event.h"
#include "model/namespace.h"
#include "model/settings.h"

#include <stdbool.h>

/* Books the CPU time since the last booking to a meter, or to the daemon itself where that is NULL. Returns it. */
struct tw_book {
	usec_t (*enter)(struct tw_book *book, struct tw_meter *meter);
};

/* One network namespace that is watched beside the host's. */
struct tw_post {
	struct tw_namespace namespace;
	struct tw_watch watch;
	bool named;	    /* by the last look: has a name of its own, not one made of what is in it */
	bool newcomer;	    /* its first scan has not ended: that one is paid by all newcomers together */
	bool seen;	    /* by the look under way */
	const char *leaves; /* why it is watched no more, once no job of it is under way; NULL: it stays */
	bool resting;	    /* nothing happens in it: pulses will do */
	usec_t tick_due_usec;
	usec_t deep_due_usec; /* of a pulse with the segments, while it rests */
};

/* Taken up in one slice: some 60 us each. */
#define TW_ROSTER_TAKE_UP_MAX 64u

/* Told so often within a minute; what is more is counted in the next one that is told. */
#define TW_ROSTER_TOLD_MAX 20

/* What came or went, and how often that was told lately. */
struct tw_roster_news {
	usec_t since_usec;
	unsigned told, untold;
};

/* Those that are watched beside the host's, found and lost as they come and go. */
struct tw_roster {
	struct tw_neighbours *neighbours; /* borrows; NULL: there are none */
	struct tw_workroom *room;	  /* borrows */
	struct tw_recorder *recorder;	  /* borrows */
	struct tw_post **posts;		  /* owned */
	unsigned count, capacity;
	struct tw_meter newcomers;
	/* The look for them. */
	bool looking;
	bool looks_at_processes;
	usec_t look_due_usec;
	usec_t processes_due_usec;
	bool denied_told, failed_told;
	struct tw_roster_news come, gone;
	usec_t stretch_told_usec; /* 0: not stretching */
	/* How far ticks are stretched where many namespaces are busy: so many times `interval`. */
	unsigned stretch;
	usec_t tick_cost_usec; /* of one tick, as it was lately */
	usec_t own_cost_usec;  /* of a round, what is no namespace's: looks, pulses, records */
	unsigned awake;	       /* posts that do not rest */
	/* The round under way. */
	bool taking_up; /* what the last look found is still being taken up */
	unsigned next_found;
	unsigned next_post;
	unsigned failed; /* to be taken up */
};

/* In memory that is zero. All borrow. */
void tw_roster_init(struct tw_roster *roster, struct tw_neighbours *neighbours, struct tw_workroom *room,
		    struct tw_recorder *recorder);
void tw_roster_done(struct tw_roster *roster);

/* Whether a look for namespaces is due, and none under way. */
bool tw_roster_look_is_due(const struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec);

/* Begins a look: by the worker, where there is one, else by tw_roster_work(). */
void tw_roster_begin_look(struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec);

/*
 * A step of the look, or a look at what the worker has made of it; at its end marks those that are gone, and those that
 * are new are taken up by the next ticks. Returns whether there is more to do now. *ret_cpu_usec: CPU time that the
 * worker took; 0 until it has ended.
 */
bool tw_roster_work(struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec,
		    usec_t *ret_cpu_usec);

/* So many are counted later than configured. Told at its beginning, and once an hour while it goes on. */
void tw_roster_tell_stretch(struct tw_roster *roster, unsigned late, const struct tw_settings *settings,
			    usec_t now_usec);

/* Lets go of those that leave and have no job under way, and tells of it. */
void tw_roster_let_go(struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec);

/*
 * A slice of a round: takes up some of those that are new, and looks at some of those that are watched, each once a
 * round, by a pulse or a tick. Returns whether the round goes on.
 */
bool tw_roster_tick(struct tw_roster *roster, const struct tw_settings *settings, struct tw_time time,
		    struct tw_book *book);

/* In roster.c, and for roster-tick.c alone: takes up some. Returns whether there are more. */
bool tw_roster_take_up(struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec);

/* Carries on under new settings: those that they do not name leave. */
void tw_roster_rebase(struct tw_roster *roster, const struct tw_settings *from, const struct tw_settings *to,
		      struct tw_time time);
