/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/source.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The kernel's in-memory twin: a gauge, a port range and a list of sockets that the test sets, told as netlink
 * datagrams byte for byte as sock_diag(7) tells them, and failures where the test wants them.
 */

/* What can go wrong. The first seven fail the call itself with -errno. */
enum tw_fake_fault {
	TW_FAKE_GAUGE,
	TW_FAKE_PORT_RANGE,
	TW_FAKE_DUMP_BEGIN,
	TW_FAKE_DUMP_NEXT,
	TW_FAKE_AGE,
	TW_FAKE_UNIT,
	TW_FAKE_EXCLUSIVE,
	TW_FAKE_DONE,	     /* the errno is in the payload of NLMSG_DONE, after no socket at all */
	TW_FAKE_ERROR,	     /* the datagram is an NLMSG_ERROR */
	TW_FAKE_INTERRUPTED, /* the datagram has NLM_F_DUMP_INTR; `error` is of no matter */
	TW_FAKE_SEQUENCE,    /* the datagram has another sequence number */
	TW_FAKE_TRUNCATED,   /* the datagram is cut in its last message */
	TW_FAKE_SILENT,	     /* the dump answers no socket at all, without an error */
	TW_FAKE_FAULT_COUNT,
};

struct tw_fake_plan {
	unsigned after; /* occasions that go well first */
	unsigned times; /* then so many go wrong */
	int error;	/* negative errno */
};

#define TW_FAKE_DATAGRAM_MAX 32768
#define TW_FAKE_ROWS_MAX 128

/* What the kernel says of one socket, or of one cgroup, when it is asked. */
struct tw_fake_age {
	uint64_t cookie;
	struct tw_idle idle;
};

struct tw_fake_unit {
	uint64_t cgroup_id;
	const char *name; /* borrows */
};

#define TW_FAKE_AGES_MAX 512
#define TW_FAKE_UNITS_MAX 256

struct tw_fake_source {
	struct tw_source base;

	/* Set by the test, freely. */
	struct tw_gauge gauge;
	struct tw_port_set range;
	unsigned rows_per_datagram; /* at most TW_FAKE_ROWS_MAX */
	bool tells_bound;	    /* as Linux 6.8 does */
	bool tells_exclusive;	    /* as Linux 6.3 does; or else it cannot be asked */
	struct tw_port_set exclusive;

	/* Read by the test, freely. */
	unsigned activity_reads, deep_activity_reads, rests; /* where it has activity reads: tw_fake_source_beat() */
	unsigned gauges, refreshes, port_ranges, scans, dumps, datagrams, ages_asked, units_asked,
		ports_asked;		  /* calls so far */
	struct tw_diag_query queries[16]; /* the last ones: of dump n at n % 16, the first being 0 */

	/* Its own. */
	struct tw_flow *flows;
	size_t flow_count, flow_room;
	uint64_t last_cookie;
	struct tw_fake_age ages[TW_FAKE_AGES_MAX];
	unsigned age_count;
	struct tw_fake_unit units[TW_FAKE_UNITS_MAX];
	unsigned unit_count;
	struct tw_fake_plan plans[TW_FAKE_FAULT_COUNT];
	struct tw_diag_query query;
	uint32_t sequence;
	size_t at; /* the next flow to tell */
	bool silent;
	_Alignas(8) uint8_t datagram[TW_FAKE_DATAGRAM_MAX];
};

/* An empty machine with the default port range, 32768 to 60999, and the defaults of a recent kernel's sysctls. */
void tw_fake_source_init(struct tw_fake_source *fake);
void tw_fake_source_done(struct tw_fake_source *fake);

/* From now on it has an activity read, as a namespace beside the host's has. */
void tw_fake_source_beat(struct tw_fake_source *fake);

/* A socket without a cookie is given one. Aborts without memory. */
void tw_fake_source_add(struct tw_fake_source *fake, const struct tw_flow *flow);
/*
 * `count` IPv4 sockets in `state`, opened from 10.0.0.1, local ports from `first_port` on, to 10.0.1.`host`:`port`.
 * Those in TIME-WAIT are `age_ms` old.
 */
void tw_fake_source_add_many(struct tw_fake_source *fake, enum tw_state state, uint8_t host, uint16_t port,
			     uint16_t first_port, unsigned count, uint32_t age_ms);
/* A listener on 0.0.0.0. */
void tw_fake_source_add_listener(struct tw_fake_source *fake, uint16_t port);
/*
 * How long before each scan the last ACK came to this socket, and how long before it sent data: 0 and for ever where
 * nothing is said. What was said before of it is forgotten.
 */
void tw_fake_source_set_idle(struct tw_fake_source *fake, uint64_t cookie, struct tw_idle idle);
/* What is so said of it. */
struct tw_idle tw_fake_source_idle(const struct tw_fake_source *fake, uint64_t cookie);
/* The unit of a cgroup; where nothing is said it cannot be told. */
void tw_fake_source_name_unit(struct tw_fake_source *fake, uint64_t cgroup_id, const char *name);
/* All sockets. */
void tw_fake_source_clear(struct tw_fake_source *fake);
/* Those that are in `state` alone. */
void tw_fake_source_clear_state(struct tw_fake_source *fake, enum tw_state state);

/* Makes the gauge count what the list holds: inuse, tw, CurrEstab. */
void tw_fake_source_settle(struct tw_fake_source *fake);

/* Plans a failure; a plan of the same fault is replaced. For ever with times = UINT_MAX. */
void tw_fake_source_fail(struct tw_fake_source *fake, enum tw_fake_fault fault, unsigned after, unsigned times,
			 int error);
