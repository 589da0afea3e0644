/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

/* A sample that the tests of the telling wing share: a busy destination, an idle one, much that is not known. */

#define LIVE(number)                                        \
	{                                                   \
		.known = true, .value = { { (number), 0 } } \
	}
#define KNOWN(thousandths)                            \
	{                                             \
		.known = true, .milli = (thousandths) \
	}
#define IPV4(a, b, c, d)                                                             \
	{                                                                            \
		{                                                                    \
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d) \
		}                                                                    \
	}
#define TO_8080                                                                             \
	{                                                                                   \
		.source = IPV4(10, 0, 0, 1), .destination = IPV4(10, 0, 0, 2), .port = 8080 \
	}

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
		.count = { [TW_STATE_ESTABLISHED] = 12, [TW_STATE_TIME_WAIT] = 3866 },
		.count_ipv6 = { [TW_STATE_ESTABLISHED] = 2 },
		.known = { [TW_STATE_ESTABLISHED] = true, [TW_STATE_TIME_WAIT] = true, [TW_STATE_CLOSE_WAIT] = true },
	},
	.survey = {
		.at_usec = 1,
		.has_busiest = true,
		.range_ports = 8200,
		.bound_ports = 8,
		.destinations = 3,
		.port_use = KNOWN(47254),
		.port_demand = KNOWN(120500),
		.top_count = 3,
		.top = {
			{ .key = TO_8080, .ports = 3871, .time_wait = 3866, .established = 4, .other = 1,
			  .port_use = KNOWN(47254) },
			{ .key = { .source = { { [15] = 1 } }, .destination = { { [15] = 2 } }, .port = 443 },
			  .ports = 9, .established = 9, .port_use = KNOWN(110) },
			{ .key = TO_8080, .ports = 1 },
		},
	},
};
