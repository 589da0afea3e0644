/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include "ctl/lint/lint-place.h"

/* On a machine with 4 GiB the kernel's table has 32768 places (one for 128 KiB), and this is its half. */
#define SIZED_LOW 16384
/* TCP_FIN_TIMEOUT. Seconds. */
#define FIN_TIMEOUT_USUAL 60
/* "1 ms to 1 s" is what RFC 7323 allows for a tick of a timestamp clock. Milliseconds. */
#define TICK_MAX 1000
/* Three repetitions: less than 3 s at the shortest timeout, no longer than an ordinary change of routes. */
#define ORPHAN_RETRIES_LOW 3
/* SOMAXCONN since Linux 5.4. */
#define SOMAXCONN_USUAL 4096
/* As above, 32768 / 128. */
#define SYN_BACKLOG_LOW 256

static int64_t number(const struct tw_lint_place *place)
{
	return place->value.numbers[0];
}

/* Below what the kernel of this machine sets; where that is not known, on one with 4 GiB. */
static const char *below_usual(const struct tw_lint_facts *facts, const struct tw_lint_place *place, int64_t otherwise)
{
	struct tw_count sized = tw_lint_usual_sized(facts, place->tunable);

	if (sized.known && sized.value <= INT64_MAX)
		return number(place) < (int64_t)sized.value ? "below what this kernel sets by itself" : NULL;
	return number(place) < otherwise ? "below what the kernel sets on a machine with 4 GiB" : NULL;
}

static const char *fin_timeout_low(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return number(place) < FIN_TIMEOUT_USUAL ? "below the kernel's 60" : NULL;
}

static const char *buckets_low(const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return number(place) > 0 ? below_usual(facts, place, SIZED_LOW) : NULL;
}

static const char *buckets_none(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	/* Compared without a sign since 5.18: inet_twsk_alloc(). */
	if (number(place) < 0)
		return "is no limit since Linux 5.18, and before that leaves no room for TIME-WAIT";
	return number(place) == 0 ? "leaves no room for TIME-WAIT" : NULL;
}

static const char *reuse_permanent(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return number(place) == 1 ? "all the time" : NULL;
}

static const char *reuse_impossible(const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	struct tw_tunable_value timestamps;

	if (number(place) != 1 || !tw_lint_beside(facts, place, TW_TUNABLE_TIMESTAMPS, &timestamps))
		return NULL;
	return timestamps.numbers[0] == 0 ? "beside net.ipv4.tcp_timestamps = 0" : NULL;
}

static const char *reuse_delay_short(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return number(place) < TICK_MAX ? "below one second" : NULL;
}

static const char *is_zero(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return number(place) == 0 ? "off" : NULL;
}

static const char *is_on(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return number(place) != 0 ? "on" : NULL;
}

static const char *range_parity(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	if ((place->value.numbers[0] ^ place->value.numbers[1]) & 1)
		return NULL;
	return place->value.numbers[0] & 1 ? "both ends odd" : "both ends even";
}

static const char *range_low(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return number(place) < tw_tunable_info(TW_TUNABLE_PORT_RANGE)->low ? "reaches below port 1024" : NULL;
}

static const char *somaxconn_low(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return number(place) < SOMAXCONN_USUAL ? "below the kernel's 4096 (since Linux 5.4)" : NULL;
}

static const char *syn_backlog_low(const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return below_usual(facts, place, SYN_BACKLOG_LOW);
}

static const char *orphans_low(const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return below_usual(facts, place, SIZED_LOW);
}

static const char *orphan_retries_low(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	return number(place) > 0 && number(place) < ORPHAN_RETRIES_LOW ? "where the kernel has 8" : NULL;
}

static const char *keepalive_odd(TW_UNUSED const struct tw_lint_facts *facts, const struct tw_lint_place *place)
{
	const struct tw_tunable_info *info = tw_tunable_info(TW_TUNABLE_KEEPALIVE_TIME);

	if (number(place) < info->low)
		return "less than ten seconds";
	return number(place) > info->high ? "more than nine hours" : NULL;
}

#define VALUE(of, why) .run = tw_lint_run_value, .tunable = (of), .wrong = (why)

static const struct tw_lint_check checks[] = {
	{
		.id = "tw-recycle",
		.severity = TW_SEVERITY_ERROR,
		.consequence = "Linux 4.12 removed it; a kernel that still has it drops the connections of clients "
			       "behind one NAT "
			       "address at random.",
		.run = tw_lint_run_recycle,
	},
	{
		.id = "tw-timeout",
		.severity = TW_SEVERITY_WARNING,
		.run = tw_lint_run_vendor,
	},
	{
		.id = "fin-timeout-low",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "It does not shorten TIME-WAIT, whose 60 s are compiled into the kernel; it ends "
			       "orphaned FIN-WAIT-2 "
			       "alone, and then answers the FIN of a slow peer with a reset.",
		VALUE(TW_TUNABLE_FIN_TIMEOUT, fin_timeout_low),
	},
	{
		.id = "tw-buckets-low",
		.severity = TW_SEVERITY_WARNING,
		.consequence =
			"Beyond it connections are closed without TIME-WAIT and without a message (only the counter "
			"TCPTimeWaitOverflow grows), so old segments can reach new connections; no port is gained.",
		VALUE(TW_TUNABLE_MAX_TW_BUCKETS, buckets_low),
	},
	{
		.id = "tw-buckets-none",
		.severity = TW_SEVERITY_ERROR,
		.consequence = "The kernel takes it without a word. Without room it closes every connection without "
			       "TIME-WAIT, so old segments can reach new connections, and a lost last ACK ends in a "
			       "reset; without a limit nothing bounds the memory of TIME-WAIT.",
		VALUE(TW_TUNABLE_MAX_TW_BUCKETS, buckets_none),
	},
	{
		.id = "tw-reuse-permanent",
		.severity = TW_SEVERITY_INFO,
		.consequence = "It does nothing on the accepting side and frees no socket; outgoing connections need "
			       "it only while "
			       "the ports towards one destination run short.",
		.advice = "timewaitd sets it while ports run short, and back again",
		VALUE(TW_TUNABLE_TW_REUSE, reuse_permanent),
	},
	{
		.id = "tw-reuse-no-timestamps",
		.severity = TW_SEVERITY_ERROR,
		.consequence = "Reuse is impossible: without timestamps connect() takes over no port that is in "
			       "TIME-WAIT, and fails "
			       "when none is left.",
		.advice = "set net.ipv4.tcp_timestamps to 1 where it is set to 0; now: sysctl -w "
			  "net.ipv4.tcp_timestamps=1",
		.advice_alone = true,
		VALUE(TW_TUNABLE_TW_REUSE, reuse_impossible),
	},
	{
		.id = "tw-reuse-delay-short",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "A peer whose timestamps tick more slowly takes the segments of the new connection for "
			       "old ones and "
			       "drops them (PAWS).",
		VALUE(TW_TUNABLE_TW_REUSE_DELAY, reuse_delay_short),
	},
	{
		.id = "timestamps-off",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "Ports in TIME-WAIT cannot be taken over, fast connections lose their protection "
			       "against wrapped "
			       "sequence numbers (PAWS), and a connection by SYN cookie loses window scaling.",
		VALUE(TW_TUNABLE_TIMESTAMPS, is_zero),
	},
	{
		.id = "rfc1337",
		.severity = TW_SEVERITY_NOTICE,
		.consequence =
			"It only ignores resets that come in TIME-WAIT; it frees no port, and can keep ports longer.",
		VALUE(TW_TUNABLE_RFC1337, is_on),
	},
	{
		.id = "range-parity",
		.severity = TW_SEVERITY_NOTICE,
		.consequence = "The kernel deals local ports out by parity and warns that it prefers ends of different "
			       "parity: one "
			       "half has a port more than the other.",
		.advice = "make one end even and the other odd",
		VALUE(TW_TUNABLE_PORT_RANGE, range_parity),
	},
	{
		.id = "range-low",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "The kernel refuses it below net.ipv4.ip_unprivileged_port_start, and the range stays "
			       "as it was; "
			       "where that was lowered, outgoing connections take the ports of system services.",
		.advice = "begin the range at 1024 or above",
		VALUE(TW_TUNABLE_PORT_RANGE, range_low),
	},
	{
		.id = "range-narrow",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "Towards one destination there can be no more connections at a time than usable ports, "
			       "those in "
			       "TIME-WAIT included; beyond that connect() fails with EADDRNOTAVAIL.",
		.run = tw_lint_run_narrow,
		.tunable = TW_TUNABLE_PORT_RANGE,
	},
	{
		.id = "listener-in-range",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "When its service restarts, an outgoing connection may have taken the port meanwhile, "
			       "and bind() fails "
			       "with EADDRINUSE.",
		.run = tw_lint_run_listeners,
	},
	{
		.id = "reserved-outside",
		.severity = TW_SEVERITY_INFO,
		.consequence = "Reserving a port keeps connect() and bind() to port 0 from picking it, and out of the "
			       "range they never do, "
			       "so this has no effect.",
		.run = tw_lint_run_reserved,
	},
	{
		.id = "syncookies-off",
		.severity = TW_SEVERITY_WARNING,
		.consequence =
			"When a queue of half-open connections is full, as in a SYN flood, new clients are dropped.",
		VALUE(TW_TUNABLE_SYNCOOKIES, is_zero),
	},
	{
		.id = "syn-backlog-low",
		.severity = TW_SEVERITY_NOTICE,
		.consequence = "Without SYN cookies, clients that are not known yet are dropped when three quarters of "
			       "it are half-open.",
		VALUE(TW_TUNABLE_MAX_SYN_BACKLOG, syn_backlog_low),
	},
	{
		.id = "somaxconn-low",
		.severity = TW_SEVERITY_NOTICE,
		.consequence = "It cuts the accept queue of every listener that asks for more at its next listen(), "
			       "and clients that "
			       "find it full wait for a retransmission of a second or more.",
		VALUE(TW_TUNABLE_SOMAXCONN, somaxconn_low),
	},
	{
		.id = "backlog-cut",
		.severity = TW_SEVERITY_NOTICE,
		.consequence = "Their accept queues are as long as net.core.somaxconn lets them be, probably shorter "
			       "than was asked for; a "
			       "client that finds one full waits for a retransmission of a second or more.",
		.run = tw_lint_run_backlog,
	},
	{
		.id = "keepalive-time",
		.severity = TW_SEVERITY_NOTICE,
		.consequence = "Below ten seconds idle connections carry little but probes; beyond nine hours a "
			       "vanished peer is "
			       "noticed too late to be of use.",
		VALUE(TW_TUNABLE_KEEPALIVE_TIME, keepalive_odd),
	},
	{
		.id = "orphan-retries-low",
		.severity = TW_SEVERITY_NOTICE,
		.consequence = "A peer that is out of reach for a moment loses the end of what it was sent; TIME-WAIT "
			       "repeats nothing, and "
			       "does not become less.",
		VALUE(TW_TUNABLE_ORPHAN_RETRIES, orphan_retries_low),
	},
	{
		.id = "max-orphans-low",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "Beyond it the kernel resets connections that were closed with something still to "
			       "deliver, so peers lose "
			       "the end of their answers.",
		VALUE(TW_TUNABLE_MAX_ORPHANS, orphans_low),
	},
	{
		.id = "tcp-mem-low",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "It is in pages, for the whole machine; when TCP has used them up it drops segments and "
			       "resets orphans.",
		.run = tw_lint_run_memory_low,
	},
	{
		.id = "tcp-mem-high",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "It is in pages, not in bytes as tcp_rmem and tcp_wmem are; as a bound above the whole "
			       "memory it bounds "
			       "nothing.",
		.run = tw_lint_run_memory_high,
	},
	{
		.id = "value-invalid",
		.severity = TW_SEVERITY_ERROR,
		.consequence = "The kernel refuses it and keeps what it has, or takes only the number in front.",
		.run = tw_lint_run_invalid,
	},
	{
		.id = "key-absent",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "This kernel has no such key; systemd-sysctl passes over the line without a word.",
		.run = tw_lint_run_absent,
	},
	{
		.id = "no-ipv6-key",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "There is no such key on any kernel: net.ipv4.ip_local_* and net.ipv4.tcp_* hold for "
			       "IPv6 as well.",
		.run = tw_lint_run_ipv6,
	},
	{
		.id = "overridden",
		.severity = TW_SEVERITY_NOTICE,
		.consequence = "A later line sets the same key to something else, so this one has no effect at boot.",
		.run = tw_lint_run_overridden,
	},
	{
		.id = "file-unread",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "systemd-sysctl does not read this file at boot, so what it sets is gone after a "
			       "restart; only `sysctl -p` and "
			       "`sysctl --system` read it.",
		.run = tw_lint_run_unread,
	},
	{
		.id = "line-invalid",
		.severity = TW_SEVERITY_WARNING,
		.consequence = "The line is not KEY = VALUE, and is passed over.",
		.run = tw_lint_run_mistakes,
	},
	{
		.id = "drift",
		.severity = TW_SEVERITY_NOTICE,
		.run = tw_lint_run_drift,
	},
	{
		.id = "changed-by-timewaitd",
		.severity = TW_SEVERITY_INFO,
		.run = tw_lint_run_ours,
	},
};

const struct tw_lint_check *tw_lint_checks(size_t *ret_count)
{
	*ret_count = TW_ARRAY_SIZE(checks);
	return checks;
}
