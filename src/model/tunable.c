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
	[TW_TUNABLE_TW_REUSE] = { IPV4("tcp_tw_reuse"), .class = TW_TUNABLE_PROVED, .high = 2, .gate = TW_GATE_REUSE,
				  .evidence = TW_EVIDENCE_TAKEOVERS },
	/* tcp_tw_reuse_delay_max is TCP_PAWS_MSL, 60 s; the kernel refuses 0 and more. Milliseconds. */
	[TW_TUNABLE_TW_REUSE_DELAY] = { IPV4("tcp_tw_reuse_delay"), .low = 1, .high = 60000 },
	[TW_TUNABLE_MAX_TW_BUCKETS] = { IPV4("tcp_max_tw_buckets"), .class = TW_TUNABLE_PROVED, .low = 1024,
					.high = SOCKETS_HIGH, .raise_only = true, .gate = TW_GATE_BUCKETS,
					.evidence = TW_EVIDENCE_OVERFLOW },
	[TW_TUNABLE_PORT_RANGE] = { IPV4("ip_local_port_range"), .kind = TW_TUNABLE_RANGE, .class = TW_TUNABLE_ADVICE,
				    .low = 1024, .high = 65535 },
	/* Below 5 s a slow peer's FIN meets a reset; an hour is more than any peer is worth. Seconds. */
	[TW_TUNABLE_FIN_TIMEOUT] = { IPV4("tcp_fin_timeout"), .class = TW_TUNABLE_PROVED, .low = 5, .high = 3600,
				     .gate = TW_GATE_FIN_WAIT_2, .evidence = TW_EVIDENCE_ORPHANED_FIN_WAIT_2 },
	[TW_TUNABLE_AUTOBIND_REUSE] = { IPV4("ip_autobind_reuse"), .class = TW_TUNABLE_PROVED, .high = 1,
					.gate = TW_GATE_AUTOBIND, .evidence = TW_EVIDENCE_SHARED_PORTS },
	[TW_TUNABLE_MAX_ORPHANS] = { IPV4("tcp_max_orphans"), .low = 1024, .high = SOCKETS_HIGH, .raise_only = true,
				     .host_only = true },
	/* 0 means 8 (tcp_orphan_retries() in net/ipv4/tcp_timer.c). */
	[TW_TUNABLE_ORPHAN_RETRIES] = { IPV4("tcp_orphan_retries"), .high = 15 },
	[TW_TUNABLE_MAX_SYN_BACKLOG] = { IPV4("tcp_max_syn_backlog"), .low = 128, .high = BACKLOG_HIGH,
					 .raise_only = true },
	/* Older kernels keep the backlog in 16 bits. */
	[TW_TUNABLE_SOMAXCONN] = { CORE("somaxconn"), .low = 128, .high = 65535, .raise_only = true },
	[TW_TUNABLE_SYNCOOKIES] = { IPV4("tcp_syncookies"), .high = 2 },
	[TW_TUNABLE_SYNACK_RETRIES] = { IPV4("tcp_synack_retries"), .high = 15 },
	/* 32767 is MAX_TCP_KEEPIDLE, what setsockopt() takes. Seconds. */
	[TW_TUNABLE_KEEPALIVE_TIME] = { IPV4("tcp_keepalive_time"), .low = 10, .high = 32767 },
	/* MAX_TCP_KEEPINTVL. Seconds. */
	[TW_TUNABLE_KEEPALIVE_INTVL] = { IPV4("tcp_keepalive_intvl"), .low = 1, .high = 32767 },
	/* MAX_TCP_KEEPCNT. */
	[TW_TUNABLE_KEEPALIVE_PROBES] = { IPV4("tcp_keepalive_probes"), .low = 1, .high = 127 },
	/* 2 is without a random offset for each connection. */
	[TW_TUNABLE_TIMESTAMPS] = { IPV4("tcp_timestamps"), .high = 2 },
	[TW_TUNABLE_RFC1337] = { IPV4("tcp_rfc1337"), .high = 1 },
	/* As the vendor's documentation has it. Seconds. */
	[TW_TUNABLE_TW_TIMEOUT] = { IPV4("tcp_tw_timeout"), .low = 1, .high = 600 },
	[TW_TUNABLE_TW_RECYCLE] = { IPV4("tcp_tw_recycle"), .high = 1, .unsafe = true },
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

int tw_tunable_parse(enum tw_tunable tunable, const char *text, size_t length, struct tw_tunable_value *ret)
{
	const char *end = text + length, *words[3], *dash;
	struct tw_tunable_value value = { 0 };
	size_t lengths[3], count = 0;

	while (count < TW_ARRAY_SIZE(words) && tw_parse_word(&text, end, &words[count], &lengths[count]))
		count++;
	/* "LOW-HIGH" as one word. The first byte can be LOW's own sign. */
	dash = count == 1 && lengths[0] > 1 ? memchr(words[0] + 1, '-', lengths[0] - 1) : NULL;
	if (dash && is_range(tunable)) {
		words[1] = dash + 1;
		lengths[1] = (size_t)(words[0] + lengths[0] - words[1]);
		lengths[0] = (size_t)(dash - words[0]);
		count = 2;
	}
	if (count != (is_range(tunable) ? 2 : 1))
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		if (tw_parse_i64(words[i], lengths[i], &value.numbers[i]) < 0)
			return -EINVAL;
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
