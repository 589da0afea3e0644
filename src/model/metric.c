/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/metric.h"

#include "base/macros.h"
#include "base/parse.h"
#include "model/tcp-state.h"

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
