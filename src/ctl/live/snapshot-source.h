/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"
#include "remote/snapshot-read.h"

#include <stdbool.h>

/* Who is asked for snapshots: the daemon, and where there is none, the kernel itself. */
struct tw_asker;

/* `address` is that of the bus, or NULL; borrows. Returns 0 or -ENOMEM. */
int tw_asker_new(const char *address, struct tw_asker **ret);
struct tw_asker *tw_asker_free(struct tw_asker *asker);
TW_DEFINE_CLEANUP(struct tw_asker, tw_asker_free)
#define TW_CLEANUP_ASKER TW_CLEANUP(tw_asker_freep)

/* One answer. */
struct tw_answer {
	char *json;	      /* owned */
	struct tw_view *view; /* owned */
	bool from_daemon;     /* else measured here, in the network namespace of the process */
	int why;	      /* the daemon was not heard: -ENXIO there is none, or another -errno */
	usec_t cost_usec;     /* CPU time that measuring took; 0 from the daemon */
};
void tw_answer_done(struct tw_answer *answer);
#define TW_CLEANUP_ANSWER TW_CLEANUP(tw_answer_done)

/*
 * Asks. The first look of our own takes a second, for rates; the later ones do not pause. Returns 0; a -errno of
 * tw_measure_new(); -EBADMSG where the daemon's answer is not understood.
 */
int tw_asker_ask(struct tw_asker *asker, struct tw_answer *ret);
