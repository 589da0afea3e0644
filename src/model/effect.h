/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/event.h"
#include "model/settings.h"
#include "model/sock-request.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stdint.h>

/* What the raised rules want of one tunable at this moment: decided, not yet done. */
struct tw_desire {
	bool wanted;
	bool advised; /* to be told as advice, not to be done: the rule does not act in this namespace */
	struct tw_tunable_value value;
	const struct tw_rule_settings *rule; /* the one that won; borrows */
	struct tw_subject subject;	     /* who is behind it */
	struct tw_value metric_value;	     /* what raised it, for the record */
};

/* The desired state of a namespace: one row a tunable. */
struct tw_desires {
	bool any; /* something was wanted when this was decided; else every row is empty */
	struct tw_desire rows[TW_TUNABLE_COUNT];
};

/* What is in force of one namespace, as the acting wing found it: a row a tunable. */
struct tw_in_force {
	struct {
		bool ours;    /* changed by timewaitd, and not yielded */
		bool yielded; /* somebody else's now, until nothing wants it any more */
		struct tw_tunable_value value;
	} rows[TW_TUNABLE_COUNT];
};

/* Orders to end sockets that can stand at once: more than any sound configuration has, and checked when it is read. */
#define TW_KILLS_MAX 16

/* Which sockets the raised rules want ended at this moment: decided, not yet done. In the order of the settings. */
struct tw_kill_orders {
	unsigned count;
	struct tw_kill_order {
		bool advised;			     /* as in a desire */
		const struct tw_destroy *destroy;    /* borrows from the settings */
		const struct tw_rule_settings *rule; /* borrows */
		struct tw_subject subject;	     /* who is behind it */
	} rows[TW_KILLS_MAX];
};

/* A socket that a search has just seen in the state and of the age that an order names. Compact: there are thousands.
 */
struct tw_candidate {
	struct tw_sock_id id; /* cookie: never TW_COOKIE_ANY */
	uint8_t family;	      /* of the socket: AF_INET or AF_INET6 */
	uint8_t order;	      /* index into tw_kill_orders.rows */
	uint32_t age_ms;
};

/* INET_DIAG_NOCOOKIE, both halves: the kernel would take any socket of that tuple for the one meant. */
#define TW_COOKIE_ANY UINT64_MAX

/* What a search may find, by order. */
struct tw_kill_quota {
	bool wanted[TW_KILLS_MAX];   /* to be looked for at all */
	uint32_t most[TW_KILLS_MAX]; /* so many candidates; 0: they are only counted */
};

/* What it found. */
struct tw_destroy_found {
	const struct tw_candidate *rows; /* borrows from the search, until the next one begins */
	uint32_t count;
	uint64_t seen[TW_KILLS_MAX]; /* sockets that match an order and no earlier one, candidates or not */
};
