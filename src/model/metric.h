/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/value.h"

#include <stdbool.h>
#include <stddef.h>

/* Where a metric's figure comes from, which is also how often it can be new. */
enum tw_metric_source {
	TW_METRIC_FROM_GAUGE,
	TW_METRIC_FROM_CENSUS,
	TW_METRIC_FROM_SURVEY,
};

/* Whom a metric is about: a rule over it has an alert for each. */
enum tw_subject_kind {
	TW_SUBJECT_NAMESPACE, /* the namespace as a whole */
	TW_SUBJECT_PORTS,     /* a destination, or what keeps ports from all destinations */
	TW_SUBJECT_LISTENER,
	TW_SUBJECT_UNIT,
};

/* The named scalars that a rule can watch. The state counts come first, in the order of enum tw_state. */
enum tw_metric {
	TW_METRIC_STATE_FIRST,
	TW_METRIC_STATE_LAST = TW_METRIC_STATE_FIRST + 10,
	TW_METRIC_PORT_USE,
	TW_METRIC_PORT_ETA,
	TW_METRIC_TIME_WAIT_BUCKETS,
	TW_METRIC_ORPHANS,
	TW_METRIC_TCP_MEMORY,
	TW_METRIC_ACCEPT_QUEUE,
	TW_METRIC_CLOSE_WAIT_AGE,
	TW_METRIC_CLOSE_WAIT_AGED,
	TW_METRIC_TIME_WAIT_OVERFLOW,
	TW_METRIC_LISTEN_OVERFLOW,
	TW_METRIC_LISTEN_DROP,
	TW_METRIC_SYN_COOKIES,
	TW_METRIC_CONNECT_FAIL,
	TW_METRIC_RESET,
	TW_METRIC_MEMORY_ABORT,
	TW_METRIC_TIME_WAIT_REUSED,
	TW_METRIC_COUNT,
};

/* What counts the sockets in a state. A macro, so that it can stand in tables. */
#define TW_METRIC_OF_STATE(state) ((enum tw_metric)(TW_METRIC_STATE_FIRST + (int)(state)))

struct tw_metric_info {
	const char *name;    /* "port-use" */
	const char *meaning; /* a phrase for people: "ports in use towards one destination" */
	enum tw_unit unit;
	enum tw_metric_source source;
	enum tw_subject_kind subject;
	bool host_only;	   /* the kernel shows it in the first network namespace alone */
	const char *since; /* the first kernel that tells it, "Linux 6.8"; NULL where all do that timewaitd runs on */
};

const struct tw_metric_info *tw_metric_info(enum tw_metric metric);
bool tw_metric_from_name(const char *name, size_t length, enum tw_metric *ret);
