/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "oracle/program.h"
#include "oracle/watcher.h"

#include <stdio.h>

/*
 * Half an hour of programs in a simulated kernel: with the watcher, without it, or with a sysctl that was set before it
 * began. What became of it is a fact of that kernel; what should have been said of it is written nowhere.
 */

#define WORLD_PROGRAMS_MAX 16
#define WORLD_SHORTAGES_MAX 512
#define WORLD_SPAN_USEC (30 * TW_USEC_PER_MINUTE)
/* Failures of one program that are no farther apart than this are one shortage. */
#define WORLD_GAP_USEC (2 * TW_USEC_PER_MINUTE)

/* What holds ports that somebody needs. */
enum world_cause {
	CAUSE_NOTHING, /* most ports are free */
	CAUSE_TIME_WAIT,
	CAUSE_ESTABLISHED,
	CAUSE_SYN_SENT,
	CAUSE_ORPHANED, /* FIN-WAIT-2 that no program has */
	CAUSE_CLOSE_WAIT,
	CAUSE_OTHER,
	CAUSE_BOUND_FIRST,
	CAUSE_BOUND, /* bound and not connected, or listening */
	CAUSE_QUEUE, /* a listener's, of a program that does not accept */
	CAUSE_BUCKETS,
	CAUSE_COUNT,
};

const char *world_cause_name(enum world_cause cause);

struct world_shortage {
	unsigned program; /* the victim; the first of them where buckets overflow */
	enum world_cause cause;
	unsigned causes;    /* a bit for each that holds nearly as many ports as that one */
	bool by_bind;	    /* it was bind() that found no port, or would be */
	bool unseen;	    /* of a program that has never had a port: no socket tells that it is there */
	uint64_t cgroup_id; /* whose sockets are most of that cause; 0: of none any more */
	uint16_t local, remote, port;
	usec_t first_usec, last_usec;
	usec_t near_usec; /* when more than 45 % of the ports were blocked for it last began */
	unsigned failures;
};

/* What is played: all that is drawn from a seed, without some of its programs. */
struct mix {
	uint64_t seed;
	unsigned without; /* a bit for each */
};

struct world {
	struct net *net;
	struct watcher *watcher; /* NULL: nobody watches */
	struct mix mix;
	bool looks; /* who is short of ports before anybody fails */
	unsigned program_count;
	struct program *programs[WORLD_PROGRAMS_MAX];
	/* An admin changes a sysctl, the watcher is killed, at these times; 0: never. */
	usec_t admin_usec, reload_usec, kill_usec;
	usec_t killed_usec; /* when it was */
	enum tw_tunable admin_tunable;
	int64_t admin_value;
	enum tw_tunable forced;		  /* the admin does not change this one; TW_TUNABLE_COUNT: none */
	int64_t before[TW_TUNABLE_COUNT]; /* what nobody but the admin should have changed at the end */

	unsigned shortage_count;
	struct world_shortage shortages[WORLD_SHORTAGES_MAX];
	usec_t near_usec[WORLD_PROGRAMS_MAX]; /* since when a program has been short of ports; 0: it is not */
};

/* Drawn by mix.c: healthy ones and ones with trouble. */
struct world *world_new(const struct mix *mix);
struct world *world_free(struct world *world);

/* A sysctl is of this value, whatever the admin does. */
void world_force(struct world *world, enum tw_tunable tunable, int64_t value);

/* Plays it to its end. With `watched` the real manager is in it. */
void world_play(struct world *world, bool watched);

/* Of mix.c: programs, limits and what the admin does. */
void world_draw(struct world *world);
/* Of mix.c: a line about one of the programs. */
void world_tell_program(const struct world *world, unsigned program, FILE *file);
/* Adds a program of that unit, with everything else zero. */
struct program *world_add(struct world *world, const char *unit);
