/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"
#include "tell-values.h"

/*
 * A sample that the tests of the telling wing share: a busy destination, an idle one, a full listener, a leak, much
 * that is not known.
 */

/* Of web.service three, two of them older than a minute; of nobody known one. */
static const struct tw_close_wait_socket waiters[] = {
	{ .cookie = 1, .since_usec = 28800000, .unread = 10, .unit = 0 },
	{ .cookie = 2, .since_usec = 39999999, .unit = 0 },
	{ .cookie = 3, .since_usec = 40000000, .unit = 0 },
	{ .cookie = 4, .since_usec = 95000000, .unit = 1 },
};

static const struct tw_sample sample = {
	.gauge = {
		.at_usec = 3 * TW_USEC_PER_SEC,
		.counters = {
			[TW_COUNTER_TIME_WAIT_OVERFLOW] = { 1250, true },
			[TW_COUNTER_ACTIVE_OPEN] = { 99, true },
		},
		.sysctls = {
			[TW_TUNABLE_TW_REUSE] = LIVE(2),
			[TW_TUNABLE_MAX_TW_BUCKETS] = LIVE(131072),
			[TW_TUNABLE_PORT_RANGE] = { .known = true, .value = { { 32768, 40999 } } },
		},
		.time_wait = 3866,
		.orphan = 17,
		.memory_pages = 40,
		.memory_limit_pages = { 400, true },
		.conntrack_count = { 5000, true },
		.reserved_ports = 12,
	},
	.previous = {
		.at_usec = 1 * TW_USEC_PER_SEC,
		.counters = { [TW_COUNTER_TIME_WAIT_OVERFLOW] = { 1249, true } },
	},
	.census = {
		.at_usec = 1,
		.count = { [TW_STATE_ESTABLISHED] = 12, [TW_STATE_TIME_WAIT] = 3866, [TW_STATE_CLOSE_WAIT] = 4 },
		.count_ipv6 = { [TW_STATE_ESTABLISHED] = 2 },
		.known = { [TW_STATE_ESTABLISHED] = true, [TW_STATE_TIME_WAIT] = true, [TW_STATE_CLOSE_WAIT] = true,
			   [TW_STATE_SYN_SENT] = true },
		.ipv6_known = { [TW_STATE_ESTABLISHED] = true, [TW_STATE_CLOSE_WAIT] = true,
				[TW_STATE_SYN_SENT] = true },
	},
	.survey = {
		.at_usec = 1,
		.has_busiest = true,
		.usable = 8192,
		.exclusive_ports = 100,
		.bound_first_ports = 7,
		.unclear_ports = 5,
		.binder_count = 1,
		.binders = { { .source = IPV4(10, 0, 0, 1), .ports = 7, .destinations = 2, .most = TO_8080 } },
		.bound_ports = 8,
		.destinations = 3,
		.port_use = KNOWN(47254),
		.port_demand = KNOWN(120500),
		.port_eta = KNOWN(3940),
		.top_count = 3,
		.top = {
			{ .key = TO_8080, .ports = 3871, .time_wait = 3866, .established = 4, .other = 1,
			  .held = { [TW_HOLDER_TIME_WAIT] = 3866, [TW_HOLDER_ESTABLISHED] = 4,
				    [TW_HOLDER_SYN_SENT] = 1 },
			  .blocked = 3871, .bound_first_known = true, .bound_first = 7, .port_use = KNOWN(47254),
			  .port_demand = KNOWN(120500), .port_eta = KNOWN(3940) },
			{ .key = { .source = { { [15] = 1 } }, .destination = { { [15] = 2 } }, .device = 3,
				   .port = 443 },
			  .ports = 9, .established = 9, .held = { [TW_HOLDER_ESTABLISHED] = 9 }, .blocked = 9, .port_use = KNOWN(110) },
			{ .key = TO_8080, .ports = 1, .blocked = 1 },
		},
	},
	.accepting = {
		.at_usec = 1,
		.listeners = 3,
		.connections = { 352, true },
		.accept_queue = KNOWN(98238),
		.row_count = 3,
		.rows = {
			{ .address = { IPV4(0, 0, 0, 0), 80 }, .sockets = 2, .queue = 502, .backlog = 511,
			  .connections = { 12, true }, .close_wait = 3, .syn_recv = 1, .time_wait = { 0, true } },
			{ .address = { { { [15] = 1 } }, 443 }, .sockets = 1, .backlog = 4096,
			  .connections = { 0, true } },
			{ .address = { IPV4(127, 0, 0, 1), 6379 }, .sockets = 1, .backlog = 128, 
			  .connections = { 340, true } },
		},
	},
	.close_wait = {
		.at_usec = 100 * TW_USEC_PER_SEC,
		.row_count = 2,
		.rows = {
			{ .unit = "web.service", .count = 3, .oldest_usec = 71200000, .unread = 10 },
			{ .count = 1, .oldest_usec = 5000000 },
		},
		.sockets = waiters,
		.socket_count = 4,
	},
	.cost = { .tick_usec = 38, .survey_usec = 1234567, .total_usec = 2000000 },
};
