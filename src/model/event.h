/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/flow.h"
#include "model/metric.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stdint.h>

/* What can be told: one MESSAGE_ID each. */
enum tw_event_kind {
	TW_EVENT_STARTED,
	TW_EVENT_STOPPED,
	TW_EVENT_RELOADED,
	TW_EVENT_RELOAD_FAILED,
	TW_EVENT_SAMPLE,
	TW_EVENT_RAISED,
	TW_EVENT_REMINDED,
	TW_EVENT_CLEARED,
	TW_EVENT_ADVICE,
	TW_EVENT_ADJUSTED,
	TW_EVENT_RESTORED,
	TW_EVENT_YIELDED,
	TW_EVENT_REFUSED,
	TW_EVENT_EFFECT,
	TW_EVENT_DESTROYED,
	TW_EVENT_STRETCHED,
	TW_EVENT_PARTIAL,
	TW_EVENT_DEGRADED,
	TW_EVENT_NAMESPACE_GONE,
	TW_EVENT_NAMESPACE_NEW,
	TW_EVENT_REQUESTED,
	TW_EVENT_COUNT,
};

/* "reload-failed": TIMEWAITD_EVENT. */
const char *tw_event_name(enum tw_event_kind kind);

/* What a change came to, in TW_EVENT_EFFECT. */
enum tw_effect {
	TW_EFFECT_HELPED,
	TW_EFFECT_NO_DIFFERENCE,
	TW_EFFECT_NOT_TESTED, /* so far nobody needed it */
};

/* Longest reason or advice, with NUL: one sentence. */
#define TW_REASON_MAX 512

/* Who is behind a number, where that is known: whom an alert is about. */
struct tw_subject {
	bool has_destination;
	bool has_listener;
	bool has_binder;
	/*
	 * The binder, or who has the ports that listen or are bound and not connected. A binder that does not is one
	 * that finds too few ports itself.
	 */
	bool holds_for_all;
	struct tw_destination destination;
	struct tw_endpoint listener;
	struct tw_address binder; /* the source address of ports that were taken by bind() before connect() */
	char unit[TW_UNIT_MAX];	  /* "" for none */
};

/*
 * Whether both are about the same. What is blocked for all is one subject, whoever has most of it at the moment; a unit
 * is one only where there is none of the others.
 */
bool tw_subject_equal(const struct tw_subject *a, const struct tw_subject *b);

/*
 * One thing to tell, as a value: the wings that decide and act make it, the wing that tells turns it into a record.
 * What does not apply stays zero (`has_*` false, pointers NULL, texts empty). Pointers borrow and need to live only
 * until the recorder has returned.
 */
struct tw_event {
	enum tw_event_kind kind;
	enum tw_severity severity;
	const struct tw_rule_settings *rule;
	char rule_name[TW_RULE_NAME_MAX]; /* where `rule` is NULL: of a rule whose settings may be gone; "" for none */
	bool has_metric;
	enum tw_metric metric;
	struct tw_value value;
	struct tw_value threshold;
	bool has_sysctl;
	enum tw_tunable sysctl;
	struct tw_live_value old; /* before */
	struct tw_live_value new; /* after; in yielded: ours */
	struct tw_live_value baseline;
	bool has_count;
	uint64_t count;	    /* in reminded: lines that were not written since the last one */
	usec_t lasted_usec; /* in cleared: since raised */
	struct tw_subject subject;
	const struct tw_sample *sample; /* in sample and raised: all that is known */
	unsigned top;			/* rows of its tables that the record may hold */
	enum tw_effect effect;		/* in effect */
	bool more;	/* in raised: `count` subjects more than those that have an alert of their own */
	bool forecast;	/* raised ahead of the level */
	bool elsewhere; /* an advice because the rule does not act in this namespace, whatever the mode */
	char reason[TW_REASON_MAX];
	char advice[TW_REASON_MAX];
};

/* That an action of the configuration is skipped: why, and what to do instead. */
void tw_event_of_skipped(const struct tw_skipped *skipped, struct tw_event *ret);

/* Where events go: the roof's recorder, or a list in the tests. Never fails, never blocks. */
struct tw_recorder {
	void (*tell)(struct tw_recorder *recorder, const char *namespace, const struct tw_event *event);
};

/* Tells an event that is a sentence and no more. */
void tw_recorder_tell(struct tw_recorder *recorder, const char *namespace, enum tw_event_kind kind,
		      enum tw_severity severity, const char *format, ...) TW_PRINTF(5, 6);

/* How far a rule has got; decide/alert.h draws the way from one to the next. */
enum tw_rule_state {
	TW_RULE_NORMAL,
	TW_RULE_RISING,
	TW_RULE_RAISED,
	TW_RULE_CLEARING,
};

/* How one rule stands at a moment. */
struct tw_rule_situation {
	const struct tw_rule_settings *rule; /* borrows */
	enum tw_rule_state state;
	usec_t since_usec;	   /* when it came into that state; 0: not looked at yet */
	struct tw_value value;	   /* as measured last; unknown where it has none now */
	bool forecast;		   /* raised ahead of its level, where it is not yet */
	struct tw_subject subject; /* who is behind the value now; nobody where the rule is normal */
};

/* A sysctl that was changed. */
struct tw_change_situation {
	enum tw_tunable sysctl;
	bool yielded; /* somebody else has changed it since: left alone */
	struct tw_tunable_value baseline;
	struct tw_live_value value; /* in force now */
	char rule[TW_RULE_NAME_MAX];
};

/* How everything stands in one namespace: what a sample does not tell. */
struct tw_situation {
	usec_t now_usec;
	unsigned rule_count;
	struct tw_rule_situation rules[TW_RULES_MAX];
	unsigned change_count;
	struct tw_change_situation changes[TW_TUNABLE_COUNT];
};
