/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/diag/diag.h"
#include "measure/scan.h"
#include "model/sample.h"

#include <stdbool.h>
#include <sys/socket.h>

/* What a scan's rows come to by state. Apart from the scan, which is the order in which the kernel is asked. */

/* Counts one socket. */
static inline void tw_census_count(struct tw_census *census, const struct tw_flow *flow)
{
	census->count[flow->state]++;
	/* A v4-mapped address is IPv4, whatever the socket's family. */
	census->count_ipv6[flow->state] += flow->family == AF_INET6 && !tw_address_is_ipv4(&flow->local.address);
	census->mini_fin_wait_2 += flow->mini && flow->state == TW_STATE_FIN_WAIT_2;
}

/* When all are counted, or derived: says what is known, and takes from the gauge what was not asked for. */
void tw_census_finish(struct tw_census *census, const struct tw_scan_order *order, bool asked_established,
		      bool asked_time_wait);
