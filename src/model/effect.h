/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/event.h"
#include "model/settings.h"
#include "model/tunable.h"

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
