/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/metric.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The sysctls that timewaitd knows. Each is read with the gauge where the kernel has it. */
enum tw_tunable {
	TW_TUNABLE_TW_REUSE,
	TW_TUNABLE_TW_REUSE_DELAY,
	TW_TUNABLE_MAX_TW_BUCKETS,
	TW_TUNABLE_PORT_RANGE,
	TW_TUNABLE_FIN_TIMEOUT,
	TW_TUNABLE_AUTOBIND_REUSE,
	TW_TUNABLE_MAX_ORPHANS,
	TW_TUNABLE_ORPHAN_RETRIES,
	TW_TUNABLE_MAX_SYN_BACKLOG,
	TW_TUNABLE_SOMAXCONN,
	TW_TUNABLE_SYNCOOKIES,
	TW_TUNABLE_SYNACK_RETRIES,
	TW_TUNABLE_KEEPALIVE_TIME,
	TW_TUNABLE_KEEPALIVE_INTVL,
	TW_TUNABLE_KEEPALIVE_PROBES,
	TW_TUNABLE_TIMESTAMPS,
	TW_TUNABLE_RFC1337,
	TW_TUNABLE_TW_TIMEOUT,
	TW_TUNABLE_TW_RECYCLE,
	TW_TUNABLE_COUNT,
};

enum tw_tunable_kind {
	TW_TUNABLE_INTEGER,
	TW_TUNABLE_RANGE, /* two integers, low and high */
};

/* What may be done with a tunable, and what is claimed of it. */
enum tw_tunable_class {
	TW_TUNABLE_PLAIN,  /* set within bounds and put back; whether it helps is not measured */
	TW_TUNABLE_PROVED, /* the same, but behind a gate, and its effect is measured */
	TW_TUNABLE_ADVICE, /* read, explained, and put back where an older ledger holds it; never changed */
};

/* When a change of a proved tunable can help at all: the condition that is checked before it. */
enum tw_gate {
	TW_GATE_NONE,	    /* whenever a rule wants it */
	TW_GATE_REUSE,	    /* TIME-WAIT of the connecting side holds the ports, and may be taken over */
	TW_GATE_BUCKETS,    /* TIME-WAIT runs into tcp_max_tw_buckets */
	TW_GATE_FIN_WAIT_2, /* there are orphaned FIN-WAIT-2 sockets */
	TW_GATE_AUTOBIND,   /* ports are held that were bound first */
};

/* What shows that a change of a proved tunable helped the subject that it was made for. */
enum tw_evidence {
	TW_EVIDENCE_NONE,
	TW_EVIDENCE_TAKEOVERS,		 /* of the destination's ports in TIME-WAIT */
	TW_EVIDENCE_OVERFLOW,		 /* connections closed without TIME-WAIT: they stop */
	TW_EVIDENCE_ORPHANED_FIN_WAIT_2, /* they fall by a tenth */
	TW_EVIDENCE_SHARED_PORTS,	 /* a source port that was bound first, towards two destinations */
};

/* Longest value as text, with NUL: two 64-bit numbers, so that none is ever shown cut. */
#define TW_TUNABLE_VALUE_MAX 48

/*
 * One row of the table. The bounds are ours: the kernel takes tcp_max_tw_buckets=-1 and tcp_fin_timeout=0 without a
 * word.
 */
struct tw_tunable_info {
	const char *key;  /* "net.ipv4.tcp_tw_reuse": the name for people and for the configuration */
	const char *path; /* "net/ipv4/tcp_tw_reuse": below /proc/sys */
	enum tw_tunable_kind kind;
	enum tw_tunable_class class;
	int64_t low, high; /* what timewaitd will write, inclusive */
	bool raise_only;   /* never below the baseline */
	bool host_only;	   /* absent in other network namespaces */
	bool unsafe;	   /* needs `allow-unsafe = yes` */
	enum tw_gate gate;
	enum tw_evidence evidence;
};

const struct tw_tunable_info *tw_tunable_info(enum tw_tunable tunable);
/* "tcp_tw_reuse" of "net.ipv4.tcp_tw_reuse". */
const char *tw_tunable_short_name(enum tw_tunable tunable);
/* By key, also in the spelling with slashes. */
bool tw_tunable_from_key(const char *key, size_t length, enum tw_tunable *ret);

/* A tunable's value: numbers[0], and for a range numbers[1]. */
struct tw_tunable_value {
	int64_t numbers[2];
};

/*
 * Parses a value as the configuration or /proc/sys writes it (blanks, tabs, a final newline; a range also as
 * "LOW-HIGH"). Syntax only. Returns 0 or -EINVAL.
 */
int tw_tunable_parse(enum tw_tunable tunable, const char *text, size_t length, struct tw_tunable_value *ret);

/* Whether timewaitd may ever write this value, which is one number: the bounds above. */
bool tw_tunable_in_bounds(enum tw_tunable tunable, const struct tw_tunable_value *value);

/* "1" or "32768 60999". Returns `text`. */
const char *tw_tunable_format(enum tw_tunable tunable, const struct tw_tunable_value *value,
			      char text[TW_TUNABLE_VALUE_MAX]);

bool tw_tunable_equal(enum tw_tunable tunable, const struct tw_tunable_value *a, const struct tw_tunable_value *b);
