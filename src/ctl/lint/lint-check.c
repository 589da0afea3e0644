/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include "base/parse.h"

#include <inttypes.h>
#include <string.h>

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

#define MEMORY_PATH "net/ipv4/tcp_mem"
#define MEMORY_KEY "net.ipv4.tcp_mem"
/* The kernel itself gives TCP about a tenth of the memory (tcp_init_mem()); a tenth of that starves it. */
#define MEMORY_PART_LOW 100

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

/* ---- memory */

/* Three numbers and nothing else. */
static bool parse_three(const char *text, int64_t ret[3])
{
	const char *end = text + strlen(text), *word;
	unsigned count = 0;
	size_t length;

	while (tw_parse_word(&text, end, &word, &length))
		if (count == 3 || tw_parse_i64(word, length, &ret[count++]) < 0)
			return false;
	return count == 3;
}

static void tell_memory(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			const struct tw_sysctl_setting *setting, const int64_t mem[3], struct tw_lint_report *report)
{
	int64_t limit = (int64_t)TW_MAX(facts->memory_pages.value / 16, UINT64_C(128));
	struct tw_lint_finding *made;
	char value[TW_LINT_VALUE_MAX];
	struct tw_text text;

	tw_text_init(&text, value, sizeof(value));
	tw_text_addf(&text, "%" PRId64 " %" PRId64 " %" PRId64, mem[0], mem[1], mem[2]);
	made = tw_lint_tell(report, check, setting, MEMORY_PATH, value,
			    MEMORY_KEY " = %s; the machine has %" PRIu64 " pages", value, facts->memory_pages.value);
	/* tcp_init_mem() in net/ipv4/tcp.c. */
	tw_text_init(&text, value, sizeof(value));
	tw_text_addf(&text, "%" PRId64 " %" PRId64 " %" PRId64, limit / 4 * 3, limit, limit / 4 * 6);
	tw_lint_add_mend(made, setting, facts->tcp_mem_known ? value : NULL);
}

static void run_memory(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		       struct tw_lint_report *report, bool (*wrong)(const int64_t mem[3], int64_t pages))
{
	const struct tw_sysctl_setting *setting = tw_sysctl_plan_find(facts->plan, MEMORY_PATH);
	int64_t mem[3], pages = (int64_t)(facts->memory_pages.value & INT64_MAX);
	bool planned = setting && parse_three(setting->value, mem);

	if (!facts->memory_pages.known)
		return;
	if (planned && wrong(mem, pages))
		tell_memory(check, facts, setting, mem, report);
	if (facts->tcp_mem_known && wrong(facts->tcp_mem, pages) &&
	    !(planned && memcmp(mem, facts->tcp_mem, sizeof(mem)) == 0))
		tell_memory(check, facts, NULL, facts->tcp_mem, report);
}

static bool is_low(const int64_t mem[3], int64_t pages)
{
	return mem[2] < pages / MEMORY_PART_LOW;
}

static bool is_high(const int64_t mem[3], int64_t pages)
{
	return mem[2] > pages;
}

static void memory_low(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		       struct tw_lint_report *report)
{
	run_memory(check, facts, report, is_low);
}

static void memory_high(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report)
{
	run_memory(check, facts, report, is_high);
}

/* ---- all checks */

#define VALUE(of, why) .tunable = (of), .wrong = (why)

static const struct tw_lint_check checks[] = {
	{ "tw-recycle", TW_SEVERITY_ERROR,
	  "Linux 4.12 removed it; a kernel that still has it drops the connections of clients behind one NAT "
	  "address at random.",
	  .run = tw_lint_run_recycle },
	{ "tw-timeout", TW_SEVERITY_WARNING, NULL, .run = tw_lint_run_vendor },
	{ "fin-timeout-low", TW_SEVERITY_WARNING,
	  "It does not shorten TIME-WAIT, whose 60 s are compiled into the kernel; it ends orphaned FIN-WAIT-2 "
	  "alone, and then answers the FIN of a slow peer with a reset.",
	  VALUE(TW_TUNABLE_FIN_TIMEOUT, fin_timeout_low) },
	{ "tw-buckets-low", TW_SEVERITY_WARNING,
	  "Beyond it connections are closed without TIME-WAIT and without a message (only the counter "
	  "TCPTimeWaitOverflow grows), so old segments can reach new connections; no port is gained.",
	  VALUE(TW_TUNABLE_MAX_TW_BUCKETS, buckets_low) },
	{ "tw-buckets-none", TW_SEVERITY_ERROR,
	  "The kernel takes it without a word. Without room it closes every connection without TIME-WAIT, so old "
	  "segments can reach new connections, and a lost last ACK ends in a reset; without a limit nothing bounds "
	  "the memory of TIME-WAIT.",
	  VALUE(TW_TUNABLE_MAX_TW_BUCKETS, buckets_none) },
	{ "tw-reuse-permanent", TW_SEVERITY_INFO,
	  "It does nothing on the accepting side and frees no socket; outgoing connections need it only while the "
	  "ports towards one destination run short.",
	  .advice = "timewaitd sets it while ports run short, and back again",
	  VALUE(TW_TUNABLE_TW_REUSE, reuse_permanent) },
	{ "tw-reuse-no-timestamps", TW_SEVERITY_ERROR,
	  "Reuse is impossible: without timestamps connect() takes over no port that is in TIME-WAIT, and fails "
	  "when none is left.",
	  .advice = "set net.ipv4.tcp_timestamps to 1 where it is set to 0; now: sysctl -w net.ipv4.tcp_timestamps=1",
	  .advice_alone = true, VALUE(TW_TUNABLE_TW_REUSE, reuse_impossible) },
	{ "tw-reuse-delay-short", TW_SEVERITY_WARNING,
	  "A peer whose timestamps tick more slowly takes the segments of the new connection for old ones and "
	  "drops them (PAWS).",
	  VALUE(TW_TUNABLE_TW_REUSE_DELAY, reuse_delay_short) },
	{ "timestamps-off", TW_SEVERITY_WARNING,
	  "Ports in TIME-WAIT cannot be taken over, fast connections lose their protection against wrapped "
	  "sequence numbers (PAWS), and a connection by SYN cookie loses window scaling.",
	  VALUE(TW_TUNABLE_TIMESTAMPS, is_zero) },
	{ "rfc1337", TW_SEVERITY_NOTICE,
	  "It only ignores resets that come in TIME-WAIT; it frees no port, and can keep ports longer.",
	  VALUE(TW_TUNABLE_RFC1337, is_on) },
	{ "range-parity", TW_SEVERITY_NOTICE,
	  "The kernel deals local ports out by parity and warns that it prefers ends of different parity: one half "
	  "has a port more than the other.",
	  .advice = "make one end even and the other odd", VALUE(TW_TUNABLE_PORT_RANGE, range_parity) },
	{ "range-low", TW_SEVERITY_WARNING,
	  "The kernel refuses it below net.ipv4.ip_unprivileged_port_start, and the range stays as it was; where "
	  "that was lowered, outgoing connections take the ports of system services.",
	  .advice = "begin the range at 1024 or above", VALUE(TW_TUNABLE_PORT_RANGE, range_low) },
	{ "range-narrow", TW_SEVERITY_WARNING,
	  "Towards one destination there can be no more connections at a time than usable ports, those in "
	  "TIME-WAIT included; beyond that connect() fails with EADDRNOTAVAIL.",
	  .run = tw_lint_run_narrow, .tunable = TW_TUNABLE_PORT_RANGE },
	{ "listener-in-range", TW_SEVERITY_WARNING,
	  "When its service restarts, an outgoing connection may have taken the port meanwhile, and bind() fails "
	  "with EADDRINUSE.",
	  .run = tw_lint_run_listeners },
	{ "reserved-outside", TW_SEVERITY_INFO,
	  "Reserving a port keeps connect() and bind() to port 0 from picking it, and out of the range they never "
	  "do, so this has no effect.",
	  .run = tw_lint_run_reserved },
	{ "syncookies-off", TW_SEVERITY_WARNING,
	  "When a queue of half-open connections is full, as in a SYN flood, new clients are dropped.",
	  VALUE(TW_TUNABLE_SYNCOOKIES, is_zero) },
	{ "syn-backlog-low", TW_SEVERITY_NOTICE,
	  "Without SYN cookies, clients that are not known yet are dropped when three quarters of it are half-open.",
	  VALUE(TW_TUNABLE_MAX_SYN_BACKLOG, syn_backlog_low) },
	{ "somaxconn-low", TW_SEVERITY_NOTICE,
	  "It cuts the accept queue of every listener that asks for more at its next listen(), and clients that "
	  "find it full wait for a retransmission of a second or more.",
	  VALUE(TW_TUNABLE_SOMAXCONN, somaxconn_low) },
	{ "backlog-cut", TW_SEVERITY_NOTICE,
	  "Their accept queues are as long as net.core.somaxconn lets them be, probably shorter than was asked "
	  "for; a client that finds one full waits for a retransmission of a second or more.",
	  .run = tw_lint_run_backlog },
	{ "keepalive-time", TW_SEVERITY_NOTICE,
	  "Below ten seconds idle connections carry little but probes; beyond nine hours a vanished peer is "
	  "noticed too late to be of use.",
	  VALUE(TW_TUNABLE_KEEPALIVE_TIME, keepalive_odd) },
	{ "orphan-retries-low", TW_SEVERITY_NOTICE,
	  "A peer that is out of reach for a moment loses the end of what it was sent; TIME-WAIT repeats nothing, "
	  "and does not become less.",
	  VALUE(TW_TUNABLE_ORPHAN_RETRIES, orphan_retries_low) },
	{ "max-orphans-low", TW_SEVERITY_WARNING,
	  "Beyond it the kernel resets connections that were closed with something still to deliver, so peers lose "
	  "the end of their answers.",
	  VALUE(TW_TUNABLE_MAX_ORPHANS, orphans_low) },
	{ "tcp-mem-low", TW_SEVERITY_WARNING,
	  "It is in pages, for the whole machine; when TCP has used them up it drops segments and resets orphans.",
	  .run = memory_low },
	{ "tcp-mem-high", TW_SEVERITY_WARNING,
	  "It is in pages, not in bytes as tcp_rmem and tcp_wmem are; as a bound above the whole memory it bounds "
	  "nothing.",
	  .run = memory_high },
	{ "value-invalid", TW_SEVERITY_ERROR,
	  "The kernel refuses it and keeps what it has, or takes only the number in front.",
	  .run = tw_lint_run_invalid },
	{ "key-absent", TW_SEVERITY_WARNING,
	  "This kernel has no such key; systemd-sysctl passes over the line without a word.",
	  .run = tw_lint_run_absent },
	{ "no-ipv6-key", TW_SEVERITY_WARNING,
	  "There is no such key on any kernel: net.ipv4.ip_local_* and net.ipv4.tcp_* hold for IPv6 as well.",
	  .run = tw_lint_run_ipv6 },
	{ "overridden", TW_SEVERITY_NOTICE,
	  "A later line sets the same key to something else, so this one has no effect at boot.",
	  .run = tw_lint_run_overridden },
	{ "file-unread", TW_SEVERITY_WARNING,
	  "systemd-sysctl does not read this file at boot, so what it sets is gone after a restart; only `sysctl "
	  "-p` and `sysctl --system` read it.",
	  .run = tw_lint_run_unread },
	{ "line-invalid", TW_SEVERITY_WARNING, "The line is not KEY = VALUE, and is passed over.",
	  .run = tw_lint_run_mistakes },
	{ "drift", TW_SEVERITY_NOTICE, NULL, .run = tw_lint_run_drift },
	{ "changed-by-timewaitd", TW_SEVERITY_INFO, NULL, .run = tw_lint_run_ours },
};

const struct tw_lint_check *tw_lint_checks(size_t *ret_count)
{
	*ret_count = TW_ARRAY_SIZE(checks);
	return checks;
}

const struct tw_lint_check *tw_lint_check_find(const char *id)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(checks); i++)
		if (strcmp(checks[i].id, id) == 0)
			return &checks[i];
	return NULL;
}

static void run_value(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		      struct tw_lint_report *report)
{
	const struct tw_tunable_info *info = tw_tunable_info(check->tunable);
	struct tw_lint_place places[2];
	unsigned count = tw_lint_places(facts, check->tunable, places);

	for (unsigned i = 0; i < count; i++) {
		const char *why = check->wrong(facts, &places[i]);
		char value[TW_TUNABLE_VALUE_MAX];
		struct tw_lint_finding *made;

		if (!why)
			continue;
		(void)tw_tunable_format(check->tunable, &places[i].value, value);
		made = tw_lint_tell(report, check, places[i].setting, info->path, value, "%s = %s, %s", info->key,
				    value, why);
		if (check->advice_alone) {
			tw_lint_add_advice(made, "%s", check->advice);
			continue;
		}
		tw_lint_add_usual(made, facts, &places[i]);
		if (made->advice[0] == '\0')
			tw_lint_add_advice(made, "raise it: sysctl -w %s=%" PRId64, info->key, (int64_t)UINT16_MAX + 1);
		if (check->advice)
			tw_lint_add_advice(made, "; %s", check->advice);
	}
}

static bool is_ignored(const char *id, const char *const *ignored, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(ignored[i], id) == 0)
			return true;
	return false;
}

void tw_lint_run(const struct tw_lint_facts *facts, const char *const *ignored, size_t ignored_count,
		 struct tw_lint_report *report)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(checks); i++)
		if (!is_ignored(checks[i].id, ignored, ignored_count))
			(checks[i].run ? checks[i].run : run_value)(&checks[i], facts, report);
}
