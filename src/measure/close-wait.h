/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/source.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Sockets in CLOSE-WAIT, tracked by cookie from one scan to the next, so that their age is known: the kernel keeps no
 * time for them. One that still sends is half-closed, not leaked: it is as old as the last data that it sent, and of no
 * age while anything waits to be sent or acknowledged. The kernel is asked when a socket is new, again when it comes to
 * an age that matters, and from then on once in that time or a minute: only its program can make it younger.
 *
 * Each scan gathers a new set, which takes over what the last one knew, and the place of it when the scan is whole; a
 * socket that is not seen again is dropped with the old set. Whose they are is told by cgroup while a dump is read, by
 * systemd unit at the end; a unit may have several cgroups.
 */

/* Sockets tracked at most: two sets of 2.5 MiB then. They grow by doubling, from 8 KiB. */
#define TW_CLOSE_WAIT_MAX 65536u
#define TW_CLOSE_WAIT_MIN 256u
/* Sockets that are asked for one by one in a scan: some 40 us each. Where more are due, one walk asks for all. */
#define TW_CLOSE_WAIT_ASKED_MAX 256u
/* What is known of an older one is asked again at the latest. */
#define TW_CLOSE_WAIT_AGE_USEC (60 * TW_USEC_PER_SEC)
/* Cgroups told apart; the sockets of those beyond belong to nobody. */
#define TW_CLOSE_WAIT_CGROUPS_MAX 1024u

/* Those of one namespace. Zero: nobody, and no memory. */
struct tw_close_wait_set {
	struct tw_close_wait_socket *sockets; /* by cookie, but for the scan under way */
	uint32_t count, room;
};

/* Gives the memory back. */
void tw_close_wait_set_done(struct tw_close_wait_set *set);

/* A scan's work, for one namespace after the other. Memory that is zero is one not begun. */
struct tw_close_wait_work {
	usec_t at_usec;			 /* of the scan */
	usec_t age_usec;		 /* that matters */
	struct tw_close_wait_set *known; /* of the namespace's last scan that was whole; borrows */
	struct tw_close_wait_set fresh;
	uint64_t untracked; /* more than there is room for */
	bool all;	    /* too many are due to be asked for one by one */
	unsigned new_left;  /* questions that are left for sockets that the last scan did not know */
	unsigned question_count, asked;
	struct tw_flow questions[TW_CLOSE_WAIT_ASKED_MAX]; /* for how long it has done nothing */
	uint32_t cgroup_count, cgroup_last, named, unit_count;
	struct {
		uint64_t id;
		uint32_t unit; /* index into units */
	} cgroups[TW_CLOSE_WAIT_CGROUPS_MAX];
	struct tw_close_wait_unit {
		uint32_t index; /* before they are ordered */
		struct tw_close_wait_row row;
	} units[TW_CLOSE_WAIT_CGROUPS_MAX];
};

void tw_close_wait_work_done(struct tw_close_wait_work *work);

/*
 * Begins a scan, or begins it anew. `known` is borrowed until the results. `age_usec`: the least age that anybody acts
 * on; 0: none.
 */
void tw_close_wait_work_begin(struct tw_close_wait_work *work, struct tw_close_wait_set *known, usec_t at_usec,
			      usec_t age_usec);

/* One socket in CLOSE-WAIT. */
void tw_close_wait_work_add(struct tw_close_wait_work *work, const struct tw_flow *flow);

/* When all are told. Returns whether they have to be told once more, with TW_DIAG_INFO. */
bool tw_close_wait_work_sort(struct tw_close_wait_work *work);

/* Then: one of those, as of the scan's begin. */
void tw_close_wait_work_tell(struct tw_close_wait_work *work, const struct tw_flow *flow);

/* Then: asks a few questions, for ages and units. Returns true while there are more. */
bool tw_close_wait_work_step(struct tw_close_wait_work *work, struct tw_source *source);

/*
 * Then: what this scan found takes the place of what was known; nothing is told and nothing changes where it is
 * partial. The rows are those of the units with the most sockets, ties by name.
 */
void tw_close_wait_work_results(struct tw_close_wait_work *work, bool partial, struct tw_close_wait *ret);

/* The one with that cookie, or NULL, among `count` that are in the order of their cookies. */
struct tw_close_wait_socket *tw_close_wait_find(const struct tw_close_wait_socket *sockets, uint32_t count,
						uint64_t cookie);
