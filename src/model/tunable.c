/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/tunable.h"

#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"
#include "model/flow.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Both spellings from one: "net.ipv4.X" and "net/ipv4/X". */
#define IPV4(name) .key = "net.ipv4." name, .path = "net/ipv4/" name
#define CORE(name) .key = "net.core." name, .path = "net/core/" name

/* Where a table of sockets ends for us: as many as fit into a few GiB of kernel memory. */
#define SOCKETS_HIGH 16777216
/* Where a backlog ends for us: connections that nobody accepts soon are better refused. */
#define BACKLOG_HIGH 1048576

/*
 * The bounds lie within what the kernel means by a value (Documentation/networking/ip-sysctl.rst), which is often
 * less than what it takes. Nothing here shortens TIME-WAIT: its 60 s are compiled in (TCP_TIMEWAIT_LEN).
 */
static const struct tw_tunable_info tunables[] = {
	[TW_TUNABLE_TW_REUSE] = {
		IPV4("tcp_tw_reuse"),
		.class = TW_TUNABLE_PROVED,
		.low = 0,
		.high = 2,
		.gate = TW_GATE_REUSE,
		.evidence = TW_EVIDENCE_TAKEOVERS,
		.good_for = "letting outgoing connections take over ports held by TIME-WAIT towards the same destination",
		.not_for = "incoming connections; and it frees no socket, only the next connect() notices",
	},
	[TW_TUNABLE_TW_REUSE_DELAY] = {
		IPV4("tcp_tw_reuse_delay"),
		/* tcp_tw_reuse_delay_max is TCP_PAWS_MSL, 60 s; the kernel refuses 0 and more. Milliseconds. */
		.low = 1,
		.high = 60000,
		.good_for = "how many milliseconds a TIME-WAIT port rests before tcp_tw_reuse may take it over",
		.not_for = "less than one tick of the peer's timestamps: then its segments are dropped as old",
	},
	[TW_TUNABLE_MAX_TW_BUCKETS] = {
		IPV4("tcp_max_tw_buckets"),
		.class = TW_TUNABLE_PROVED,
		.low = 1024,
		.high = SOCKETS_HIGH,
		.raise_only = true,
		.gate = TW_GATE_BUCKETS,
		.evidence = TW_EVIDENCE_OVERFLOW,
		.good_for = "room for TIME-WAIT, so that connections are not closed without it",
		.not_for = "freeing ports or sockets; lowering it evicts nothing and takes away the protection of TIME-WAIT",
	},
	[TW_TUNABLE_PORT_RANGE] = {
		IPV4("ip_local_port_range"),
		.kind = TW_TUNABLE_RANGE,
		.class = TW_TUNABLE_ADVICE,
		.low = 1024,
		.high = 65535,
		.good_for = "more local ports towards each destination, for IPv4 and IPv6 alike",
		.not_for = "incoming connections: they use their listener's port and none of the range",
	},
	[TW_TUNABLE_FIN_TIMEOUT] = {
		IPV4("tcp_fin_timeout"),
		.class = TW_TUNABLE_PROVED,
		/* Below 5 s a slow peer's FIN meets a reset; an hour is more than any peer is worth. Seconds. */
		.low = 5,
		.high = 3600,
		.gate = TW_GATE_FIN_WAIT_2,
		/* inet_twsk_schedule() sets the timer once. */
		.evidence = TW_EVIDENCE_ORPHANED_FIN_WAIT_2,
		.good_for = "ending orphaned FIN-WAIT-2 sockets sooner",
		.not_for = "TIME-WAIT, whose 60 s are compiled into the kernel",
	},
	[TW_TUNABLE_AUTOBIND_REUSE] = {
		IPV4("ip_autobind_reuse"),
		.class = TW_TUNABLE_PROVED,
		.low = 0,
		.high = 1,
		.gate = TW_GATE_AUTOBIND,
		.evidence = TW_EVIDENCE_SHARED_PORTS,
		.good_for = "one local port for several destinations, in programs that call bind() before connect() and set "
			    "SO_REUSEADDR",
		.not_for = "programs beside them that only connect(), and those that bind without SO_REUSEADDR",
	},
	[TW_TUNABLE_MAX_ORPHANS] = {
		IPV4("tcp_max_orphans"),
		.low = 1024,
		.high = SOCKETS_HIGH,
		.raise_only = true,
		.host_only = true,
		.good_for = "room for closed sockets that still have data to deliver, so that they are not reset",
		.not_for = "TIME-WAIT, which is not counted as an orphan; each orphan can hold up to 64 KiB that cannot be swapped",
	},
	[TW_TUNABLE_ORPHAN_RETRIES] = {
		IPV4("tcp_orphan_retries"),
		/* 0 means 8 (tcp_orphan_retries() in net/ipv4/tcp_timer.c). */
		.low = 0,
		.high = 15,
		.good_for = "giving up sooner on closed connections whose peer no longer answers (FIN-WAIT-1, LAST-ACK, CLOSING)",
		.not_for = "TIME-WAIT or FIN-WAIT-2; 0 stands for 8",
	},
	[TW_TUNABLE_MAX_SYN_BACKLOG] = {
		IPV4("tcp_max_syn_backlog"),
		.low = 128,
		.high = BACKLOG_HIGH,
		.raise_only = true,
		.good_for = "room for half-open connections (SYN-RECV) before the kernel drops them or sends cookies",
		.not_for = "a listener whose backlog or somaxconn is the smaller bound",
	},
	[TW_TUNABLE_SOMAXCONN] = {
		CORE("somaxconn"),
		/* Older kernels keep the backlog in 16 bits. */
		.low = 128,
		.high = 65535,
		.raise_only = true,
		.good_for = "longer accept queues for listeners that ask for them",
		.not_for = "a listener that runs already: it takes effect at its next listen()",
	},
	[TW_TUNABLE_SYNCOOKIES] = {
		IPV4("tcp_syncookies"),
		.low = 0,
		.high = 2,
		.good_for = "answering connections although the queue of half-open ones is full",
		.not_for = "a full accept queue: the application must accept faster",
	},
	[TW_TUNABLE_SYNACK_RETRIES] = {
		IPV4("tcp_synack_retries"),
		.low = 0,
		.high = 15,
		.good_for = "giving up sooner on half-open incoming connections (SYN-RECV)",
		.not_for = "outgoing connections, which tcp_syn_retries bounds",
	},
	[TW_TUNABLE_KEEPALIVE_TIME] = {
		IPV4("tcp_keepalive_time"),
		/* 32767 is MAX_TCP_KEEPIDLE, what setsockopt() takes. Seconds. */
		.low = 10,
		.high = 32767,
		.good_for = "noticing sooner that the peer of an idle connection is gone",
		.not_for = "sockets whose application did not ask for SO_KEEPALIVE, or set its own time",
	},
	[TW_TUNABLE_KEEPALIVE_INTVL] = {
		IPV4("tcp_keepalive_intvl"),
		/* MAX_TCP_KEEPINTVL. Seconds. */
		.low = 1,
		.high = 32767,
		.good_for = "how fast keepalive probes follow each other once a peer is silent",
		.not_for = "sockets whose application did not ask for SO_KEEPALIVE, or set its own interval",
	},
	[TW_TUNABLE_KEEPALIVE_PROBES] = {
		IPV4("tcp_keepalive_probes"),
		/* MAX_TCP_KEEPCNT. */
		.low = 1,
		.high = 127,
		.good_for = "how many unanswered keepalive probes end a connection",
		.not_for = "sockets whose application did not ask for SO_KEEPALIVE, or set its own number",
	},
	[TW_TUNABLE_TIMESTAMPS] = {
		IPV4("tcp_timestamps"),
		/* 2 is without a random offset for each connection. */
		.low = 0,
		.high = 2,
		.good_for = "round-trip times and protection against old segments; tcp_tw_reuse needs them on both ends",
		.not_for = "connections that exist already: timestamps are agreed upon when one is opened",
	},
	[TW_TUNABLE_RFC1337] = {
		IPV4("tcp_rfc1337"),
		.low = 0,
		.high = 1,
		.good_for = "ignoring resets that arrive in TIME-WAIT, so that it lasts its whole time",
		.not_for = "freeing ports: it can only keep them longer",
	},
	[TW_TUNABLE_TW_TIMEOUT] = {
		IPV4("tcp_tw_timeout"),
		/* As the vendor's documentation has it. Seconds. */
		.low = 1,
		.high = 600,
		.good_for = "the length of TIME-WAIT on those vendors' kernels that have it",
		.not_for = "the mainline kernel, which has no such file",
	},
	[TW_TUNABLE_TW_RECYCLE] = {
		IPV4("tcp_tw_recycle"),
		.low = 0,
		.high = 1,
		.unsafe = true,
		.good_for = "nothing that tcp_tw_reuse does not do safely; Linux 4.12 removed it",
		.not_for = "clients behind NAT, whose connections it drops",
	},
};
_Static_assert(TW_ARRAY_SIZE(tunables) == TW_TUNABLE_COUNT, "each tunable has its row");

const struct tw_tunable_info *tw_tunable_info(enum tw_tunable tunable)
{
	return &tunables[tunable];
}

const char *tw_tunable_short_name(enum tw_tunable tunable)
{
	return strrchr(tunables[tunable].key, '.') + 1;
}

bool tw_tunable_from_key(const char *key, size_t length, enum tw_tunable *ret)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(tunables); i++) {
		if (tw_parse_is(key, length, tunables[i].key) || tw_parse_is(key, length, tunables[i].path)) {
			*ret = (enum tw_tunable)i;
			return true;
		}
	}
	return false;
}

static bool is_range(enum tw_tunable tunable)
{
	return tunables[tunable].kind == TW_TUNABLE_RANGE;
}

static int parse_number(const char *text, size_t length, int64_t *ret)
{
	return tw_parse_i64(text, length, ret) < 0 ? -EINVAL : 0;
}

/* "LOW-HIGH" as one word. The first byte can be LOW's own sign. */
static int parse_dashed(const char *word, size_t length, int64_t ret[2])
{
	const char *dash = length > 1 ? memchr(word + 1, '-', length - 1) : NULL;
	size_t low_length;

	if (!dash)
		return -EINVAL;
	low_length = (size_t)(dash - word);
	if (parse_number(word, low_length, &ret[0]) < 0)
		return -EINVAL;
	return parse_number(dash + 1, length - low_length - 1, &ret[1]);
}

int tw_tunable_parse(enum tw_tunable tunable, const char *text, size_t length, struct tw_tunable_value *ret)
{
	const char *end = text + length;
	const char *words[2], *rest;
	size_t lengths[2], rest_length;
	size_t count = 0;
	struct tw_tunable_value value = { 0 };
	int r;

	while (count < TW_ARRAY_SIZE(words) && tw_parse_word(&text, end, &words[count], &lengths[count]))
		count++;
	if (count == 0 || tw_parse_word(&text, end, &rest, &rest_length))
		return -EINVAL;
	if (count == 2 && !is_range(tunable))
		return -EINVAL;

	if (count == 1 && is_range(tunable)) {
		r = parse_dashed(words[0], lengths[0], value.numbers);
		if (r < 0)
			return r;
	} else {
		for (size_t i = 0; i < count; i++) {
			r = parse_number(words[i], lengths[i], &value.numbers[i]);
			if (r < 0)
				return r;
		}
	}

	*ret = value;
	return 0;
}

bool tw_tunable_in_bounds(enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	const struct tw_tunable_info *info = &tunables[tunable];

	return value->numbers[0] >= info->low && value->numbers[0] <= info->high;
}

const char *tw_tunable_format(enum tw_tunable tunable, const struct tw_tunable_value *value,
			      char text[TW_TUNABLE_VALUE_MAX])
{
	struct tw_text out;

	tw_text_init(&out, text, TW_TUNABLE_VALUE_MAX);
	tw_text_addf(&out, "%" PRId64, value->numbers[0]);
	if (is_range(tunable))
		tw_text_addf(&out, " %" PRId64, value->numbers[1]);
	return text;
}

bool tw_tunable_equal(enum tw_tunable tunable, const struct tw_tunable_value *a, const struct tw_tunable_value *b)
{
	return a->numbers[0] == b->numbers[0] && (!is_range(tunable) || a->numbers[1] == b->numbers[1]);
}
