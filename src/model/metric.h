/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a number counts; it decides how the configuration spells it and how records print it. */
enum tw_unit {
	TW_UNIT_SOCKETS,
	TW_UNIT_PERCENT,
	TW_UNIT_PER_SECOND,
	TW_UNIT_SECONDS,
};

/* A scalar in thousandths of its unit, or unknown. Unknown is never 0. */
struct tw_value {
	int64_t milli;
	bool known;
};

static inline struct tw_value tw_value_of(int64_t milli)
{
	return (struct tw_value){ .milli = milli, .known = true };
}

static inline struct tw_value tw_value_unknown(void)
{
	return (struct tw_value){ 0 };
}

/* 100 * part / whole in thousandths of a percent, without overflow, rounded down; unknown where whole is 0. */
struct tw_value tw_value_percent(uint64_t part, uint64_t whole);

/* "45.2%", "120/s", "812", "1min 30s", "unknown": for people; at most one digit behind the point. */
void tw_value_add(struct tw_text *text, struct tw_value value, enum tw_unit unit);

/* A span of time, as seconds or more: "1min 30s". */
static inline void tw_value_add_span(struct tw_text *text, usec_t span_usec)
{
	tw_value_add(text, tw_value_of((int64_t)(span_usec / TW_USEC_PER_MSEC)), TW_UNIT_SECONDS);
}

/*
 * Parses what the configuration writes: "45%", "1/s", "100", "30s". Returns 0, -EINVAL (wrong shape or unit) or
 * -ERANGE.
 */
int tw_value_parse(const char *text, size_t length, enum tw_unit unit, int64_t *ret_milli);

/* Counters that only grow, until a namespace is made anew: a delta needs to notice a reset. */
enum tw_counter {
	TW_COUNTER_TIME_WAIT_OVERFLOW,		   /* TcpExt TCPTimeWaitOverflow */
	TW_COUNTER_LISTEN_OVERFLOW,		   /* TcpExt ListenOverflows */
	TW_COUNTER_LISTEN_DROP,			   /* TcpExt ListenDrops */
	TW_COUNTER_SYN_COOKIES,			   /* TcpExt SyncookiesSent */
	TW_COUNTER_CONNECT_FAIL,		   /* Tcp AttemptFails */
	TW_COUNTER_RESET,			   /* Tcp EstabResets */
	TW_COUNTER_MEMORY_ABORT,		   /* TcpExt TCPAbortOnMemory */
	TW_COUNTER_TIME_WAIT_REUSED,		   /* TcpExt TWRecycled */
	TW_COUNTER_RATES,			   /* the counters above have a metric each */
	TW_COUNTER_ACTIVE_OPEN = TW_COUNTER_RATES, /* Tcp ActiveOpens */
	TW_COUNTER_PASSIVE_OPEN,		   /* Tcp PassiveOpens */
	TW_COUNTER_COUNT,
};

/* "time-wait-overflow": as the metric that is its rate is called, where there is one. */
const char *tw_counter_name(enum tw_counter counter);

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

/*
 * The named scalars that a rule can watch. The state counts come first, in the order of enum tw_state; the rates last,
 * in the order of enum tw_counter.
 */
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
/* What tells the rate of a counter, of the first TW_COUNTER_RATES. */
#define TW_METRIC_OF_RATE(counter) ((enum tw_metric)(TW_METRIC_TIME_WAIT_OVERFLOW + (int)(counter)))

struct tw_metric_info {
	const char *name; /* "port-use" */
	enum tw_unit unit;
	enum tw_metric_source source;
	enum tw_subject_kind subject;
	bool host_only;	   /* the kernel shows it in the first network namespace alone */
	const char *since; /* the first kernel that tells it, "Linux 6.8"; NULL where all do that timewaitd runs on */
};

const struct tw_metric_info *tw_metric_info(enum tw_metric metric);
bool tw_metric_from_name(const char *name, size_t length, enum tw_metric *ret);
