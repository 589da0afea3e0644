/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/metric.h"
#include "model/settings.h"
#include "model/tunable.h"

/* What can be explained. A state is the metric that counts it. */
enum tw_topic_kind {
	TW_TOPIC_METRIC,
	TW_TOPIC_TUNABLE,
	TW_TOPIC_RULE,
};

struct tw_topic {
	enum tw_topic_kind kind;
	enum tw_metric metric;
	enum tw_tunable tunable;
	const struct tw_rule_settings *rule; /* borrows from the settings */
};

/*
 * Finds what a word on the command line means: a state or metric in any case, with '_' for '-' and in the spellings of
 * ss and netstat too; a sysctl by its key, its path or the last part of it; the name of a rule. Where a rule is called
 * as a metric is, the metric is meant. Returns false for anything else, with *ret_near the word that may have been
 * meant, or NULL.
 */
bool tw_topic_find(const char *word, const struct tw_settings *settings, struct tw_topic *ret, const char **ret_near);

/* Its name: "time-wait", "net.ipv4.tcp_tw_reuse", "port-exhaustion". */
const char *tw_topic_name(const struct tw_topic *topic);

/* The last part of a sysctl's key: "tcp_tw_reuse". */
const char *tw_topic_short_key(enum tw_tunable tunable);
