/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/metric.h"

#include "base/duration.h"
#include "base/macros.h"
#include "base/parse.h"
#include "model/flow.h"

#include <errno.h>

_Static_assert(TW_METRIC_STATE_LAST - TW_METRIC_STATE_FIRST + 1 == TW_STATE_COUNT, "each state has its metric");

#define STATE(state, spelling, phrase)             \
	[TW_METRIC_OF_STATE(TW_STATE_##state)] = { \
		.name = spelling,                  \
		.meaning = phrase,                 \
		.unit = TW_UNIT_SOCKETS,           \
		.source = TW_METRIC_FROM_CENSUS,   \
	}

#define RATE(metric, spelling, phrase)          \
	[TW_METRIC_##metric] = {                \
		.name = spelling,               \
		.meaning = phrase,              \
		.unit = TW_UNIT_PER_SECOND,     \
		.source = TW_METRIC_FROM_GAUGE, \
	}

static const struct tw_metric_info metrics[] = {
	STATE(LISTEN, "listen", "listening sockets"),
	STATE(SYN_SENT, "syn-sent", "connections being opened from here"),
	STATE(SYN_RECV, "syn-recv", "connections being opened from elsewhere"),
	STATE(ESTABLISHED, "established", "open connections"),
	STATE(FIN_WAIT_1, "fin-wait-1", "connections closed here, not yet acknowledged by the peer"),
	STATE(FIN_WAIT_2, "fin-wait-2", "connections closed here that the peer has yet to close"),
	STATE(CLOSE_WAIT, "close-wait", "connections closed by the peer that the application here has yet to close"),
	STATE(LAST_ACK, "last-ack", "connections closed by both, the peer's last acknowledgement missing"),
	STATE(CLOSING, "closing", "connections closed by both at once, not yet acknowledged"),
	STATE(TIME_WAIT, "time-wait", "connections closed here first, kept for their 60 s"),
	[TW_METRIC_OF_STATE(TW_STATE_BOUND)] = {
		.name = "bound",
		.meaning = "sockets bound to a port without a connection",
		.unit = TW_UNIT_SOCKETS,
		.source = TW_METRIC_FROM_CENSUS,
		.since = "Linux 6.8", /* TCP_BOUND_INACTIVE: commit 91051f003948 */
	},
	[TW_METRIC_PORT_USE] = {
		.name = "port-use",
		.meaning = "ports in use towards one destination",
		.unit = TW_UNIT_PERCENT,
		.source = TW_METRIC_FROM_SURVEY,
		.subject = TW_SUBJECT_PORTS,
	},
	[TW_METRIC_PORT_ETA] = {
		.name = "port-eta",
		.meaning = "time until the ports towards one destination run out",
		.unit = TW_UNIT_SECONDS,
		.source = TW_METRIC_FROM_SURVEY,
		.subject = TW_SUBJECT_PORTS,
	},
	[TW_METRIC_TIME_WAIT_BUCKETS] = {
		.name = "time-wait-buckets",
		.meaning = "TIME-WAIT sockets of those that tcp_max_tw_buckets allows",
		.unit = TW_UNIT_PERCENT,
		.source = TW_METRIC_FROM_GAUGE,
	},
	[TW_METRIC_ORPHANS] = {
		.name = "orphans",
		.meaning = "sockets without a process of those that tcp_max_orphans allows",
		.unit = TW_UNIT_PERCENT,
		.source = TW_METRIC_FROM_GAUGE,
		.host_only = true,
	},
	[TW_METRIC_TCP_MEMORY] = {
		.name = "tcp-memory",
		.meaning = "memory of TCP buffers of what tcp_mem allows",
		.unit = TW_UNIT_PERCENT,
		.source = TW_METRIC_FROM_GAUGE,
		.host_only = true,
	},
	[TW_METRIC_ACCEPT_QUEUE] = {
		.name = "accept-queue",
		.meaning = "connections waiting for accept() at the fullest listener, of its backlog",
		.unit = TW_UNIT_PERCENT,
		.source = TW_METRIC_FROM_CENSUS,
		.subject = TW_SUBJECT_LISTENER,
	},
	[TW_METRIC_CLOSE_WAIT_AGE] = {
		.name = "close-wait-age",
		.meaning = "age of the oldest CLOSE-WAIT socket",
		.unit = TW_UNIT_SECONDS,
		.source = TW_METRIC_FROM_CENSUS,
		.subject = TW_SUBJECT_UNIT,
	},
	[TW_METRIC_CLOSE_WAIT_AGED] = {
		.name = "close-wait-aged",
		.meaning = "CLOSE-WAIT sockets older than the age that the rule names",
		.unit = TW_UNIT_SOCKETS,
		.source = TW_METRIC_FROM_CENSUS,
		.subject = TW_SUBJECT_UNIT,
	},
	RATE(TIME_WAIT_OVERFLOW, "time-wait-overflow", "connections closed without TIME-WAIT, for tcp_max_tw_buckets is reached"),
	RATE(LISTEN_OVERFLOW, "listen-overflow", "connections dropped because an accept queue was full"),
	RATE(LISTEN_DROP, "listen-drop", "connections dropped at a listener for any reason"),
	RATE(SYN_COOKIES, "syn-cookies", "SYN cookies sent because a SYN queue was full"),
	RATE(CONNECT_FAIL, "connect-fail", "connection attempts that failed"),
	RATE(RESET, "reset", "established connections that were reset"),
	RATE(MEMORY_ABORT, "memory-abort", "connections aborted for want of memory"),
	RATE(TIME_WAIT_REUSED, "time-wait-reused", "TIME-WAIT sockets that a new outgoing connection took over"),
};
_Static_assert(TW_ARRAY_SIZE(metrics) == TW_METRIC_COUNT, "each metric has its row");

const struct tw_metric_info *tw_metric_info(enum tw_metric metric)
{
	return &metrics[metric];
}

bool tw_metric_from_name(const char *name, size_t length, enum tw_metric *ret)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(metrics); i++) {
		if (tw_parse_is(name, length, metrics[i].name)) {
			*ret = (enum tw_metric)i;
			return true;
		}
	}
	return false;
}

static const char *const counter_names[] = {
	[TW_COUNTER_TIME_WAIT_OVERFLOW] = "time-wait-overflow",
	[TW_COUNTER_LISTEN_OVERFLOW] = "listen-overflow",
	[TW_COUNTER_LISTEN_DROP] = "listen-drop",
	[TW_COUNTER_SYN_COOKIES] = "syn-cookies",
	[TW_COUNTER_CONNECT_FAIL] = "connect-fail",
	[TW_COUNTER_RESET] = "reset",
	[TW_COUNTER_MEMORY_ABORT] = "memory-abort",
	[TW_COUNTER_TIME_WAIT_REUSED] = "time-wait-reused",
	[TW_COUNTER_ACTIVE_OPEN] = "active-open",
	[TW_COUNTER_PASSIVE_OPEN] = "passive-open",
};
_Static_assert(TW_ARRAY_SIZE(counter_names) == TW_COUNTER_COUNT, "a name for every counter");

const char *tw_counter_name(enum tw_counter counter)
{
	return counter_names[counter];
}

#define MILLI 1000
/* From a minute on, a span is told in whole seconds: "1min 11s". */
#define WHOLE_SECONDS_FROM_MILLI (60 * MILLI)
/* What is rounded to a tenth reaches the minute from here on: 59.95 s. */
#define ROUNDS_TO_MINUTE_MILLI (WHOLE_SECONDS_FROM_MILLI - 50)

struct tw_value tw_value_percent(uint64_t part, uint64_t whole)
{
	unsigned __int128 milli;

	if (whole == 0)
		return tw_value_unknown();

	milli = (unsigned __int128)part * 100 * MILLI / whole;
	return tw_value_of(milli > INT64_MAX ? INT64_MAX : (int64_t)milli);
}

static void add_seconds(struct tw_text *text, int64_t milli)
{
	char span[TW_DURATION_TEXT_MAX];
	uint64_t magnitude = milli < 0 ? 0 - (uint64_t)milli : (uint64_t)milli;
	uint64_t seconds;

	if (magnitude < ROUNDS_TO_MINUTE_MILLI) {
		tw_text_add_milli_rounded(text, milli, 1);
		tw_text_add_char(text, 's');
		return;
	}

	seconds = (magnitude + MILLI / 2) / MILLI;
	if (milli < 0)
		tw_text_add_char(text, '-');
	/* 2^63 ms are 2^73 us: held at what the format calls infinity. */
	tw_text_add(text,
		    tw_duration_format(span, seconds > TW_USEC_INFINITY / TW_USEC_PER_SEC ? TW_USEC_INFINITY
											  : seconds * TW_USEC_PER_SEC));
}

void tw_value_add(struct tw_text *text, struct tw_value value, enum tw_unit unit)
{
	if (!value.known) {
		tw_text_add(text, "unknown");
		return;
	}

	switch (unit) {
	case TW_UNIT_SOCKETS:
		tw_text_add_milli_rounded(text, value.milli, 1);
		break;
	case TW_UNIT_PERCENT:
		tw_text_add_milli_rounded(text, value.milli, 1);
		tw_text_add_char(text, '%');
		break;
	case TW_UNIT_PER_SECOND:
		tw_text_add_milli_rounded(text, value.milli, 1);
		tw_text_add(text, "/s");
		break;
	case TW_UNIT_SECONDS:
		add_seconds(text, value.milli);
		break;
	}
}

/* A number that is not negative, with `suffix` right behind it. */
static int parse_suffixed(const char *text, size_t length, const char *suffix, size_t suffix_length, int64_t *ret_milli)
{
	/* No metric is ever negative. */
	if (length <= suffix_length || text[0] == '-')
		return -EINVAL;
	if (!tw_parse_is(text + length - suffix_length, suffix_length, suffix))
		return -EINVAL;
	return tw_parse_milli(text, length - suffix_length, ret_milli);
}

/* There is no half socket. */
static int parse_sockets(const char *text, size_t length, int64_t *ret_milli)
{
	uint64_t count;
	int r;

	r = tw_parse_u64(text, length, &count);
	if (r < 0)
		return r;
	if (count > INT64_MAX / MILLI)
		return -ERANGE;

	*ret_milli = (int64_t)count * MILLI;
	return 0;
}

/* Finer than a thousandth of a second has no place in the result: -ERANGE rather than another number. */
static int parse_seconds(const char *text, size_t length, int64_t *ret_milli)
{
	usec_t span;
	int r;

	r = tw_duration_parse(text, length, &span);
	if (r < 0)
		return r;
	if (span % TW_USEC_PER_MSEC != 0)
		return -ERANGE;

	*ret_milli = (int64_t)(span / TW_USEC_PER_MSEC);
	return 0;
}

int tw_value_parse(const char *text, size_t length, enum tw_unit unit, int64_t *ret_milli)
{
	switch (unit) {
	case TW_UNIT_SOCKETS:
		return parse_sockets(text, length, ret_milli);
	case TW_UNIT_PERCENT:
		return parse_suffixed(text, length, "%", 1, ret_milli);
	case TW_UNIT_PER_SECOND:
		return parse_suffixed(text, length, "/s", 2, ret_milli);
	case TW_UNIT_SECONDS:
		return parse_seconds(text, length, ret_milli);
	}
	return -EINVAL;
}
