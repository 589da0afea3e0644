/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "ctl/past/past.h"
#include "decide/policy.h"

#include <stdbool.h>

/*
 * Tries rules on recorded samples, by the very code that the daemon decides with. A sample decides twice where it holds
 * a census or survey that is new: at the time of these, as the daemon did, and at its own.
 */
struct tw_replay;

/* What samples cannot tell a rule. */
enum tw_replay_limit {
	TW_REPLAY_TOLD = 0,
	TW_REPLAY_SCOPED = 1, /* it looks at one destination, unit or listener, and samples tell of all: not tried */
	TW_REPLAY_AGE = 2,    /* its age is none that samples tell: that of tw_replay_age() is taken */
	TW_REPLAY_STEP = 4,   /* its step would have changed what the next samples show */
	TW_REPLAY_SURVEY = 8, /* ports were told apart when the rules then in force asked for it */
};

/*
 * Of one network namespace. `settings` is borrowed and changed: ages become those that are told, what is not tried
 * loses its place. `namespace` borrows.
 */
int tw_replay_new(struct tw_settings *settings, const char *namespace, struct tw_replay **ret);
struct tw_replay *tw_replay_free(struct tw_replay *replay);
TW_DEFINE_CLEANUP(struct tw_replay, tw_replay_free)
#define TW_CLEANUP_REPLAY TW_CLEANUP(tw_replay_freep)

/* Takes a record in, of any event, oldest first. Returns 0 or -ENOMEM. */
int tw_replay_take(struct tw_replay *replay, usec_t at_usec, const struct tw_record *record);

/* The alerts that the records tell of, and those that the settings would have made of the samples. */
struct tw_past_alerts *tw_replay_recorded(struct tw_replay *replay);
struct tw_past_alerts *tw_replay_simulated(struct tw_replay *replay);

/* The samples: how many, the first and the last (CLOCK_REALTIME), and how far apart they are as a rule, 0 for one. */
struct tw_replay_span {
	size_t samples;
	usec_t from_usec, to_usec, apart_usec;
};
struct tw_replay_span tw_replay_span(const struct tw_replay *replay);

/* A rule as it was given, in the order of the settings. */
struct tw_replay_rule {
	char name[TW_RULE_NAME_MAX];
	enum tw_metric metric;
	unsigned limits;  /* bits */
	usec_t age_usec;  /* as it was given */
	usec_t told_usec; /* the age that was taken for it */
	size_t samples;	  /* in how many its metric had a value */
	int index;	  /* in the settings now; -1: not tried */
};
unsigned tw_replay_rules(const struct tw_replay *replay, const struct tw_replay_rule **ret);
