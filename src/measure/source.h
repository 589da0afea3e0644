/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/diag/diag.h"
#include "model/port-model.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the measuring wing asks of the world, for one network namespace. The kernel's edge is kernel-source.h; the
 * tests have an in-memory twin. All return 0 or -errno; outputs are untouched on failure. The gauge shares nothing with
 * the others, so that it can be read while another thread is at a scan.
 */
struct tw_source {
	/*
	 * The cheapest look; a deep one tells the segments too. NULL where it is of no use: then each look is a gauge.
	 */
	int (*activity)(struct tw_source *source, bool deep, struct tw_activity *ret);

	/* Lets go of all that the activity does not need, until the next gauge. NULL where activity is. Not while a
	 * scan is under way. */
	void (*rest)(struct tw_source *source);

	/* Everything that is O(1). `at_usec` is left to the caller. */
	int (*gauge)(struct tw_source *source, struct tw_gauge *ret);

	/* Sysctls and what conntrack tells may be some gauges old; after this the next gauge reads all of them. */
	void (*refresh)(struct tw_source *source);

	/* ip_local_port_range without ip_local_reserved_ports, as a set of ports. */
	int (*port_range)(struct tw_source *source, struct tw_port_set *ret);

	/* A scan begins: ages are told as of this moment, and what is costly to look up may be looked up once more. */
	void (*scan_begin)(struct tw_source *source);

	/* Starts a dump, giving up one under way. Its sequence number, for tw_diag_parse(), comes back. */
	int (*dump_begin)(struct tw_source *source, const struct tw_diag_query *query, uint32_t *ret_sequence);

	/* The next datagram of the dump; it belongs to the source until the next call. -ENOBUFS: start again. */
	int (*dump_next)(struct tw_source *source, const void **ret_datagram, size_t *ret_length);

	/*
	 * For how long exactly this socket had done nothing when the scan began; 0 where it did something later.
	 * -ENOENT: it is gone. Not while a dump is under way.
	 */
	int (*idle)(struct tw_source *source, const struct tw_flow *flow, struct tw_idle *ret);

	/*
	 * Whether each of these ports is exclusive: taken so that a plain connect() can have it for no destination at
	 * all. Sends nothing and moves no counter. NULL, or any error: the kernel cannot be asked. Not while a dump is
	 * under way.
	 */
	int (*exclusive)(struct tw_source *source, const uint16_t *ports, unsigned count, bool *ret_exclusive);

	/* The systemd unit of a cgroup. -ENOENT when it cannot be told. */
	int (*unit)(struct tw_source *source, uint64_t cgroup_id, char ret[TW_UNIT_MAX]);
};
