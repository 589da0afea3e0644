/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/proc/proc-table.h"
#include "model/sample.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The texts of /proc/net and /proc/sys/net as (text, length), whatever bytes they are. Each returns 0, or -EINVAL where
 * the text is not what its name says; outputs are untouched on failure.
 */

/* The line "TCP:" of /proc/net/sockstat (net/ipv4/proc.c, sockstat_seq_show()). */
struct tw_procnet_sockstat {
	uint64_t inuse;
	uint64_t orphan;
	uint64_t time_wait;
	uint64_t alloc;
	uint64_t memory_pages;
};

/* All five fields must be there; fields that it does not know are passed over. */
int tw_procnet_parse_sockstat(const char *text, size_t length, struct tw_procnet_sockstat *ret);

/* "TCP6: inuse N" of /proc/net/sockstat6. */
int tw_procnet_parse_sockstat6(const char *text, size_t length, uint64_t *ret_inuse);

/* What of that table is no counter of ours. */
struct tw_procnet_snmp {
	uint64_t established; /* CurrEstab */
	uint64_t segments;    /* InSegs + OutSegs; those that are absent are 0 */
};

/*
 * The table "Tcp:" of /proc/net/snmp: those counters of enum tw_counter that it holds are set, the others in `counters`
 * are left alone; a name that is absent leaves its counter as it was. CurrEstab must be there. *layout: this function's
 * own, from one call to the next.
 */
int tw_procnet_parse_snmp(const char *text, size_t length, struct tw_proc_layout *layout,
			  struct tw_count counters[TW_COUNTER_COUNT], struct tw_procnet_snmp *ret);

/* The table "TcpExt:" of /proc/net/netstat: the same. */
int tw_procnet_parse_netstat(const char *text, size_t length, struct tw_proc_layout *layout,
			     struct tw_count counters[TW_COUNTER_COUNT]);

/* The third of the three numbers of tcp_mem, in pages. */
int tw_procnet_parse_tcp_mem(const char *text, size_t length, uint64_t *ret_limit_pages);

/* ip_local_port_range: two ports, the first not above the second. */
int tw_procnet_parse_port_range(const char *text, size_t length, uint16_t *ret_low, uint16_t *ret_high);

/* A single number that is not negative. */
int tw_procnet_parse_number(const char *text, size_t length, uint64_t *ret);
