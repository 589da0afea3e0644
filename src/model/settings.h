/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"
#include "model/flow.h"
#include "model/metric.h"
#include "model/namespace.h"
#include "model/severity.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stdint.h>

/* inih cuts a section name at 50 bytes with its NUL; "rule " is part of it. */
#define TW_RULE_NAME_MAX 45
#ifndef TW_RULES_MAX /* ./dev fuzz sets a lower one, which short inputs reach */
#define TW_RULES_MAX 64
#endif
#define TW_ACTIONS_MAX 8

enum tw_mode {
	TW_MODE_ENFORCE,
	TW_MODE_OBSERVE, /* decide and record everything, write nothing */
};

enum tw_action_kind {
	TW_ACTION_SET,
	TW_ACTION_STEP,
	TW_ACTION_DESTROY,
};

/* `step = KEY xFACTOR|+N|-N limit LIMIT every SPAN`: from the baseline on, one step at once and one each span. */
struct tw_step {
	bool multiplies;
	int64_t by; /* multiplies: the factor in thousandths; else the summand, which may be negative */
	int64_t limit;
	usec_t every_usec;
};

/* `destroy = time-wait|close-wait older-than SPAN [port N] [destination ADDR[:PORT]] [unit NAME] [max N/s]` */
struct tw_destroy {
	enum tw_state state; /* TIME-WAIT or CLOSE-WAIT */
	usec_t older_than_usec;
	uint16_t port; /* local; 0: any */
	bool has_destination;
	struct tw_address destination;
	uint16_t destination_port; /* 0: any */
	char unit[TW_UNIT_MAX];	   /* CLOSE-WAIT; "" for any */
	uint32_t max_per_second;
};

/* What a raised rule wants done. */
struct tw_action {
	enum tw_action_kind kind;
	enum tw_tunable tunable;       /* set and step */
	struct tw_tunable_value value; /* set: the value wanted */
	struct tw_step step;
	struct tw_destroy destroy;
};

/* What part of the sockets a rule looks at; nothing set: all of them. */
struct tw_scope {
	char unit[TW_UNIT_MAX]; /* CLOSE-WAIT of this unit; "" for all */
	bool has_destination;
	struct tw_address destination; /* towards this address, from any source */
	uint16_t destination_port;     /* 0: any */
	bool has_listener;
	struct tw_address listener; /* the unspecified address stands for any */
	uint16_t listener_port;
};

struct tw_rule_settings {
	char name[TW_RULE_NAME_MAX];
	enum tw_metric metric;
	int64_t raise_milli; /* in thousandths of the metric's unit */
	int64_t clear_milli; /* below raise: the rule fires upward; above: downward */
	usec_t raise_for_usec;
	usec_t clear_for_usec;
	usec_t forecast_usec; /* 0: none */
	usec_t age_usec;      /* for close-wait-aged; 0 else */
	usec_t remind_usec;   /* 0: never */
	usec_t cooldown_usec;
	struct tw_scope scope;
	struct tw_namespace_list namespaces; /* where its actions are carried out; elsewhere they are told as advice */
	enum tw_severity severity;
	bool gate;  /* refuse actions that cannot help */
	bool proof; /* put actions back that did not help */
	unsigned action_count;
	struct tw_action actions[TW_ACTIONS_MAX];
};

/* An action that a configuration of before asks for and that is not taken any more: its sysctl is advice alone. */
struct tw_skipped {
	enum tw_tunable tunable;
	char rule[TW_RULE_NAME_MAX];
	char place[256]; /* "FILE:LINE" */
};

/* So many of them are remembered; nobody has more than one or two. */
#define TW_SKIPPED_MAX 8

/* The whole configuration as a value. */
struct tw_settings {
	enum tw_mode mode;
	usec_t interval_usec;
	usec_t census_usec;
	usec_t survey_usec;
	int64_t cpu_budget_milli; /* percent of one core, in thousandths */
	unsigned top;
	usec_t sample_record_usec; /* 0: none */
	usec_t proof_after_usec;
	bool allow_unsafe;
	unsigned max_changes;	/* writes an hour and tunable; 0: any number */
	bool destroy_time_wait; /* [destroy] allow */
	bool destroy_close_wait;
	struct tw_namespace_list namespaces; /* that are watched */
	unsigned rule_count;
	struct tw_rule_settings rules[TW_RULES_MAX];
	unsigned skipped_count;
	struct tw_skipped skipped[TW_SKIPPED_MAX];
};

/* On the heap, with the built-in defaults: those of the shipped timewaitd.conf, its rules too. NULL without memory. */
struct tw_settings *tw_settings_new(void);
/* With the [daemon] defaults and no rule: what a file is read into. NULL without memory. */
struct tw_settings *tw_settings_new_empty(void);
struct tw_settings *tw_settings_free(struct tw_settings *settings);
TW_DEFINE_CLEANUP(struct tw_settings, tw_settings_free)
#define TW_CLEANUP_SETTINGS TW_CLEANUP(tw_settings_freep)

/* The least age of sockets in CLOSE-WAIT that a rule looks at or an order ends; 0: there is none. */
usec_t tw_settings_close_wait_age(const struct tw_settings *settings);

/* A rule with every default in place, nameless. */
void tw_rule_settings_init(struct tw_rule_settings *rule);

/*
 * The index of the rule of `in` that goes on as `rule`, which is of `of`, or that `rule` goes on as: of the same name
 * and metric; else the only one that has another name, where neither configuration has the other's, and looks at the
 * same and changes a sysctl that `rule` changes. -1 for none.
 */
int tw_settings_counterpart(const struct tw_settings *in, const struct tw_settings *of,
			    const struct tw_rule_settings *rule);

/* Whether the rule fires when its metric grows; else it fires when the metric falls. */
static inline bool tw_rule_settings_upward(const struct tw_rule_settings *rule)
{
	return rule->raise_milli > rule->clear_milli;
}
