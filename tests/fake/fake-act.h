/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/destroyer.h"
#include "act/reconcile.h"
#include "model/event.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

#define TW_FAKE_EVENTS_MAX 64
#define TW_FAKE_ENDED_MAX 8192

/*
 * The world of one tw_reconciler in memory: sysctls, a ledger store and a recorder that keep what happened to them.
 * Every call of an edge is counted, can be made to fail, and can be preceded by somebody else's act.
 */
struct tw_fake_act {
	struct tw_sysctl_sink sysctl;
	struct tw_ledger_store store;
	struct tw_recorder recorder;
	struct tw_socket_sink socket;

	struct tw_live_value live[TW_TUNABLE_COUNT];  /* not known: the kernel has no such sysctl */
	struct tw_live_value keeps[TW_TUNABLE_COUNT]; /* known: what the kernel makes of any write */
	struct tw_ledger saved;			      /* what a process that starts now would load */
	unsigned reads, writes, saves;

	/* From the `fail_at`th call on (1: the next one) as many calls as `fail_for` fail with `fail_error`. */
	unsigned fail_at, fail_for;
	int fail_error;
	bool fail_late; /* the first of them, a write or save, has done its work all the same */
	/* The same for one kind of call alone, while not 0. */
	int read_error, write_error, save_error;

	/* Called before each read, write and save. */
	void (*interfere)(struct tw_fake_act *fake);
	void *context;

	unsigned rash_writes; /* writes that the saved ledger did not announce, and no baseline put back */

	/* Sockets that were ended, in this order; a request for none of this world's is a probe. */
	unsigned probes, batches, largest_batch;
	int probe_answer;      /* -ENOENT at first */
	int socket_error;      /* while not 0, nothing can be asked */
	int socket_answer;     /* while not 0, to each request */
	uint64_t gone_at_most; /* a cookie up to this is of a socket that is gone */
	unsigned ended_count;
	uint64_t ended[TW_FAKE_ENDED_MAX];

	unsigned event_count; /* also of those that no longer fit */
	struct tw_event events[TW_FAKE_EVENTS_MAX];
};

/* Every sysctl is there: the default port range, all else with the value 0. */
void tw_fake_act_init(struct tw_fake_act *fake);

/* A reconciler over this world that goes on from what is saved. */
void tw_fake_act_start(struct tw_fake_act *fake, struct tw_reconciler *reconciler);

void tw_fake_act_set(struct tw_fake_act *fake, enum tw_tunable tunable, int64_t number);
void tw_fake_act_set_range(struct tw_fake_act *fake, int64_t low, int64_t high);

/* The last event, NULL where there is none. */
const struct tw_event *tw_fake_act_last(const struct tw_fake_act *fake);

void tw_fake_act_forget_events(struct tw_fake_act *fake);
