/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"
#include "model/flow.h"
#include "model/metric.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In rising order; the values are this project's own, tw_severity_priority() gives syslog's. */
enum tw_severity {
	TW_SEVERITY_INFO,
	TW_SEVERITY_NOTICE,
	TW_SEVERITY_WARNING,
	TW_SEVERITY_ERROR,
	TW_SEVERITY_CRITICAL,
	TW_SEVERITY_COUNT,
};

const char *tw_severity_name(enum tw_severity severity);
/* The PRIORITY of syslog(3) and the journal: 6 (info) to 2 (critical). */
int tw_severity_priority(enum tw_severity severity);
bool tw_severity_from_name(const char *name, size_t length, enum tw_severity *ret);

/* Longest name of a network namespace, with NUL: NAME_MAX of the kernel, for a file under /run/netns or a unit. */
#define TW_NAMESPACE_NAME_MAX 256

/* The name of the one that the daemon was started in. No other has it. */
#define TW_NAMESPACE_HOST "host"
/* In a list: each that there is. */
#define TW_NAMESPACE_ALL "all"

/* A network namespace that there is. */
struct tw_namespace {
	uint64_t id; /* inode of its file in nsfs; it is given anew once the namespace is gone and nobody holds it */
	char name[TW_NAMESPACE_NAME_MAX];
};

/* Puts "@ID" behind a name that another one has, too. */
void tw_namespace_tell_apart(struct tw_namespace *namespace);

/* Longest text of a list, with NUL: a line of the configuration. */
#define TW_NAMESPACE_LIST_MAX 200

/* Names of network namespaces as the configuration writes them, divided by blanks; may hold * and ?, as in fnmatch(3).
 */
struct tw_namespace_list {
	char words[TW_NAMESPACE_LIST_MAX];
};

/* Whether the list names this one: by its name, or as one of all. "*" is every other than the host's. */
bool tw_namespace_list_has(const struct tw_namespace_list *list, const char *name);

/* Whether it can have some without a name under /run/netns: "all", and those with * or ? in them. */
bool tw_namespace_list_is_open(const struct tw_namespace_list *list);

/* Whether anything but the host's can be in it. */
bool tw_namespace_list_is_wide(const struct tw_namespace_list *list);

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

/* What part of the sockets a rule looks at, or ends; nothing set: all of them. */
struct tw_scope {
	char unit[TW_UNIT_MAX]; /* CLOSE-WAIT of this unit; "" for all */
	bool has_destination;
	struct tw_address destination; /* towards this address, from any source */
	uint16_t destination_port;     /* 0: any */
	bool has_listener;
	struct tw_address listener; /* the unspecified address stands for any */
	uint16_t listener_port;
};

/* `destroy = time-wait|close-wait older-than SPAN [port N] [destination ADDR[:PORT]] [unit NAME] [max N/s]` */
struct tw_destroy {
	enum tw_state state; /* TIME-WAIT or CLOSE-WAIT */
	usec_t older_than_usec;
	uint16_t port;	       /* local; 0: any */
	struct tw_scope scope; /* the destination of TIME-WAIT, the unit of CLOSE-WAIT */
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

bool tw_scope_equal(const struct tw_scope *a, const struct tw_scope *b);

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
