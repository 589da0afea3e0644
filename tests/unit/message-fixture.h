/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A rule, a busy machine and parts of events: apart because what is said and what is cut are tests of their own. */

#include "base/macros.h"
#include "tell-values.h"
#include "tell/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC

static const struct tw_rule_settings exhaustion = {
	.name = "port-exhaustion",
	.metric = TW_METRIC_PORT_USE,
	.raise_milli = 45000,
	.clear_milli = 25000,
	.forecast_usec = 15 * S,
};

static struct tw_sample busy = {
	.census = {
		.at_usec = 1,
		.count = { [TW_STATE_LISTEN] = 3, [TW_STATE_ESTABLISHED] = 12, [TW_STATE_TIME_WAIT] = 3866 },
		.known = { [TW_STATE_LISTEN] = true, [TW_STATE_SYN_SENT] = true, [TW_STATE_ESTABLISHED] = true,
			   [TW_STATE_TIME_WAIT] = true },
	},
	.survey = {
		.at_usec = 1,
		.has_busiest = true,
		.usable = 8192,
		.bound_ports = 8,
		.destinations = 1,
		.port_use = KNOWN(47254),
		.top_count = 1,
		.top = { { .key = TO_8080,
			   .ports = 3871,
			   .held = { [TW_HOLDER_TIME_WAIT] = 3866, [TW_HOLDER_ESTABLISHED] = 5 },
			   .time_wait = 3866,
			   .established = 5,
			   .blocked = 3871 } },
	},
};

#define PORT_USE(thousandths, level)                                                                        \
	.rule = &exhaustion, .has_metric = true, .metric = TW_METRIC_PORT_USE, .value = KNOWN(thousandths), \
	.threshold = KNOWN(level), .subject = { .has_destination = true, .destination = TO_8080 }
#define REUSE(before, after) .has_sysctl = true, .sysctl = TW_TUNABLE_TW_REUSE, .old = LIVE(before), .new = LIVE(after)
