/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/metric.h"
#include "model/sample.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest figure, word or sentence that is kept of a snapshot, with NUL; what is longer is cut. */
#define TW_VIEW_WORD_MAX 48
#define TW_VIEW_SENTENCE_MAX 512

/* Rows of a table whose rows have this type; known is false where the snapshot has none, or null. */
#define TW_VIEW_TABLE(type, most)  \
	struct {                   \
		unsigned count;    \
		bool known;        \
		type rows[(most)]; \
	}

/* Every text is without control bytes. "" is: not known. */
struct tw_view_destination {
	char name[TW_DESTINATION_TEXT_MAX]; /* "10.0.0.1 -> 10.0.0.2:80" */
	struct tw_value ports, time_wait, established, other, port_use, port_eta;
};

struct tw_view_listener {
	char address[TW_ENDPOINT_TEXT_MAX];
	struct tw_value sockets, queue, backlog, connections, close_wait, syn_recv, time_wait, share;
};

/* CLOSE-WAIT of a unit. */
struct tw_view_unit {
	char name[TW_UNIT_MAX];
	struct tw_value count, oldest, unread;
};

struct tw_view_bound {
	char name[TW_UNIT_MAX];
	struct tw_value sockets;
};

struct tw_view_rule {
	char name[TW_RULE_NAME_MAX];
	char metric_name[TW_VIEW_WORD_MAX];
	char state[TW_VIEW_WORD_MAX]; /* "normal", "rising", "raised", "clearing" */
	char finding[TW_VIEW_SENTENCE_MAX];
	enum tw_severity severity; /* warning where it is not known */
	enum tw_metric metric;	   /* TW_METRIC_COUNT where it is none of ours */
	struct tw_value since;	   /* seconds in this state */
	struct tw_value value, raise, clear;
};

struct tw_view_change {
	char sysctl[TW_VIEW_WORD_MAX];
	char baseline[TW_TUNABLE_VALUE_MAX];
	char value[TW_TUNABLE_VALUE_MAX];
	char owner[TW_VIEW_WORD_MAX]; /* "ours", "yielded" */
	char rule[TW_RULE_NAME_MAX];
};

/* Network namespaces of a snapshot that are read: far more than any machine has containers. */
#ifndef TW_NAMESPACES_MAX /* ./dev fuzz sets a lower one, which short inputs reach */
#define TW_NAMESPACES_MAX 4096
#endif

struct tw_view_namespace {
	char name[TW_NAMESPACE_NAME_MAX];
	bool partial;
	struct tw_value states[TW_STATE_COUNT];
	struct tw_value metrics[TW_METRIC_COUNT]; /* those that are no state's count */
	struct tw_value counters[TW_COUNTER_COUNT];
	struct tw_value usable_ports, reserved_ports, range_low, range_high;
	struct tw_value sysctls[TW_TUNABLE_COUNT];			 /* those that are one number */
	struct tw_value age_gauge, age_census, age_survey;		 /* seconds */
	struct tw_value cost_tick, cost_census, cost_survey, cost_total; /* milliseconds */
	TW_VIEW_TABLE(struct tw_view_destination, TW_TOP_MAX) destinations;
	TW_VIEW_TABLE(struct tw_view_listener, TW_TOP_MAX) listeners;
	TW_VIEW_TABLE(struct tw_view_unit, TW_TOP_MAX) units;
	TW_VIEW_TABLE(struct tw_view_bound, TW_BOUND_ROWS_MAX) bound;
	TW_VIEW_TABLE(struct tw_view_rule, TW_RULES_MAX) rules;
	TW_VIEW_TABLE(struct tw_view_change, TW_TUNABLE_COUNT) changes;
};

/* What a snapshot says, from the daemon or of a look of our own; where a figure is not in it, it is unknown. */
struct tw_view {
	char version[TW_VIEW_WORD_MAX]; /* "" where no daemon was asked */
	char mode[TW_VIEW_WORD_MAX];
	struct tw_value started, now; /* CLOCK_REALTIME, seconds */
	unsigned namespace_count;     /* TW_NAMESPACES_MAX at most */
	struct tw_view_namespace namespaces[];
};

/*
 * Reads a snapshot as GetSnapshot() answers it and `timewaitd --once --json` prints it: any bytes, any JSON. Keys that
 * are not known are passed over; what is missing or of another type is unknown; rows beyond the room are left out.
 * Returns 0, -EBADMSG where it is no JSON object, or -ENOMEM.
 */
int tw_snapshot_read(const char *json, size_t length, struct tw_view **ret);
struct tw_view *tw_view_free(struct tw_view *view);
TW_DEFINE_CLEANUP(struct tw_view, tw_view_free)
#define TW_CLEANUP_VIEW TW_CLEANUP(tw_view_freep)

/* Whether the rule is to be told of as raised: raised, or on its way back. */
bool tw_view_rule_is_raised(const struct tw_view_rule *rule);
