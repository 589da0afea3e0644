/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "watch/manager.h"
#include "oracle/face.h"

/* The real manager over the simulated kernel, and all that it said. */

#define WATCHER_CLAIMS_MAX 4096

/* What it told, with what it pointed to. */
struct watcher_claim {
	usec_t at_usec;
	struct tw_event event; /* no pointers */
	char rule[TW_RULE_NAME_MAX];
	uint32_t reused; /* ports towards its destination that connect() alone has taken over since the last change */
};

struct watcher {
	struct face face;
	struct tw_clock clock;
	struct tw_recorder recorder;
	struct tw_ledger_store store;
	struct tw_ledger saved, ledger;
	struct tw_manager manager;
	bool running;
	usec_t next_usec;
	uint32_t reused_before[NET_ADDRESSES_MAX];
	unsigned claim_count;
	unsigned first_claim; /* since its last start */
	struct watcher_claim claims[WATCHER_CLAIMS_MAX];
	/* Ticks at which its snapshot, its records and the kernel's sysctls did not say the same; how, the first time.
	 */
	unsigned contradictions;
	char contradiction[160];
};

/* Over a simulated kernel, which it borrows. */
void watcher_init(struct watcher *watcher, struct net *net);
/* With the built-in configuration. */
void watcher_start(struct watcher *watcher);
/* Its tick and all the work that this starts, at the kernel's time. */
void watcher_tick(struct watcher *watcher);
void watcher_reload(struct watcher *watcher, struct tw_settings *settings);
/* How many alerts of the rule stand by what it told, of its claims from `first` up to `end`. */
unsigned watcher_standing(const struct watcher *watcher, unsigned first, unsigned end, const char *rule);
/* Whether it tells what became of that sysctl: adjusted, restored or yielded. */
bool watcher_is_change(const struct watcher_claim *claim, enum tw_tunable tunable);
/* An ordered stop; kill -9. */
void watcher_stop(struct watcher *watcher);
void watcher_kill(struct watcher *watcher);
