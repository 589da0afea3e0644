/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/metric.h"

#include "base/duration.h"
#include "base/macros.h"
#include "base/parse.h"
#include "model/flow.h"

#include <errno.h>
#include <string.h>

_Static_assert(TW_METRIC_STATE_LAST - TW_METRIC_STATE_FIRST + 1 == TW_STATE_COUNT, "each state has its metric");

#define STATE(state, spelling) \
	[TW_METRIC_OF_STATE(TW_STATE_##state)] = { spelling, .unit = TW_UNIT_SOCKETS, .source = TW_METRIC_FROM_CENSUS }

#define RATE(counter, spelling)                                                             \
	[TW_METRIC_OF_RATE(TW_COUNTER_##counter)] = { spelling, .unit = TW_UNIT_PER_SECOND, \
						      .source = TW_METRIC_FROM_GAUGE }

static const struct tw_metric_info metrics[] = {
	STATE(LISTEN, "listen"),
	STATE(SYN_SENT, "syn-sent"),
	STATE(SYN_RECV, "syn-recv"),
	STATE(ESTABLISHED, "established"),
	STATE(FIN_WAIT_1, "fin-wait-1"),
	STATE(FIN_WAIT_2, "fin-wait-2"),
	STATE(CLOSE_WAIT, "close-wait"),
	STATE(LAST_ACK, "last-ack"),
	STATE(CLOSING, "closing"),
	STATE(TIME_WAIT, "time-wait"),
	/* TCP_BOUND_INACTIVE: commit 91051f003948 */
	[TW_METRIC_OF_STATE(TW_STATE_BOUND)] = { "bound", .unit = TW_UNIT_SOCKETS, .source = TW_METRIC_FROM_CENSUS,
						 .since = "Linux 6.8" },
	[TW_METRIC_PORT_USE] = { "port-use", .unit = TW_UNIT_PERCENT, .source = TW_METRIC_FROM_SURVEY,
				 .subject = TW_SUBJECT_PORTS },
	[TW_METRIC_PORT_ETA] = { "port-eta", .unit = TW_UNIT_SECONDS, .source = TW_METRIC_FROM_SURVEY,
				 .subject = TW_SUBJECT_PORTS },
	[TW_METRIC_TIME_WAIT_BUCKETS] = { "time-wait-buckets", .unit = TW_UNIT_PERCENT,
					  .source = TW_METRIC_FROM_GAUGE },
	[TW_METRIC_ORPHANS] = { "orphans", .unit = TW_UNIT_PERCENT, .source = TW_METRIC_FROM_GAUGE, .host_only = true },
	[TW_METRIC_TCP_MEMORY] = { "tcp-memory", .unit = TW_UNIT_PERCENT, .source = TW_METRIC_FROM_GAUGE,
				   .host_only = true },
	[TW_METRIC_ACCEPT_QUEUE] = { "accept-queue", .unit = TW_UNIT_PERCENT, .source = TW_METRIC_FROM_CENSUS,
				     .subject = TW_SUBJECT_LISTENER },
	[TW_METRIC_CLOSE_WAIT_AGE] = { "close-wait-age", .unit = TW_UNIT_SECONDS, .source = TW_METRIC_FROM_CENSUS,
				       .subject = TW_SUBJECT_UNIT },
	[TW_METRIC_CLOSE_WAIT_AGED] = { "close-wait-aged", .unit = TW_UNIT_SOCKETS, .source = TW_METRIC_FROM_CENSUS,
					.subject = TW_SUBJECT_UNIT },
	RATE(TIME_WAIT_OVERFLOW, "time-wait-overflow"),
	RATE(LISTEN_OVERFLOW, "listen-overflow"),
	RATE(LISTEN_DROP, "listen-drop"),
	RATE(SYN_COOKIES, "syn-cookies"),
	RATE(CONNECT_FAIL, "connect-fail"),
	RATE(RESET, "reset"),
	RATE(MEMORY_ABORT, "memory-abort"),
	RATE(TIME_WAIT_REUSED, "time-wait-reused"),
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

const char *tw_counter_name(enum tw_counter counter)
{
	if (counter < TW_COUNTER_RATES)
		return metrics[TW_METRIC_OF_RATE(counter)].name;
	return counter == TW_COUNTER_ACTIVE_OPEN ? "active-open" : "passive-open";
}

#define MILLI 1000
/* From a minute on, a span is told in whole seconds: "1min 11s". */
#define WHOLE_SECONDS_FROM_MILLI (60 * MILLI)
/* What is rounded to a tenth reaches the minute from here on: 59.95 s. */
#define ROUNDS_TO_MINUTE_MILLI (WHOLE_SECONDS_FROM_MILLI - 50)

/* Right behind the number; seconds are spelt otherwise. */
static const char *const suffixes[] = {
	[TW_UNIT_SOCKETS] = "",
	[TW_UNIT_PERCENT] = "%",
	[TW_UNIT_PER_SECOND] = "/s",
	[TW_UNIT_SECONDS] = "",
};

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
	} else if (unit == TW_UNIT_SECONDS) {
		add_seconds(text, value.milli);
	} else {
		tw_text_add_milli_rounded(text, value.milli, 1);
		tw_text_add(text, suffixes[unit]);
	}
}

/* There is no half socket. */
static int parse_sockets(const char *text, size_t length, int64_t *ret_milli)
{
	uint64_t count;
	int r = tw_parse_u64(text, length, &count);

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
	int r = tw_duration_parse(text, length, &span);

	if (r < 0)
		return r;
	if (span % TW_USEC_PER_MSEC != 0)
		return -ERANGE;
	*ret_milli = (int64_t)(span / TW_USEC_PER_MSEC);
	return 0;
}

int tw_value_parse(const char *text, size_t length, enum tw_unit unit, int64_t *ret_milli)
{
	size_t suffix = strlen(suffixes[unit]);

	if (unit == TW_UNIT_SOCKETS)
		return parse_sockets(text, length, ret_milli);
	if (unit == TW_UNIT_SECONDS)
		return parse_seconds(text, length, ret_milli);
	/* No metric is ever negative. */
	if (length <= suffix || text[0] == '-' || !tw_parse_is(text + length - suffix, suffix, suffixes[unit]))
		return -EINVAL;
	return tw_parse_milli(text, length - suffix, ret_milli);
}
