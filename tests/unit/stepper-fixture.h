/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A step under a rule, look by look: apart because its life and what a reload makes of it are tests of their own. */

#include "base/macros.h"
#include "decide/desired.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define BUCKETS TW_TUNABLE_MAX_TW_BUCKETS
#define FIN TW_TUNABLE_FIN_TIMEOUT

/* Large: not for the stack of each test. */
static struct tw_sample sample;
static struct tw_rule_settings settings;
static struct tw_alert alert;
static struct tw_stepper stepper;
static struct tw_action action;
static bool in_force; /* what is wanted */

static inline int clear(void **state TW_UNUSED)
{
	memset(&sample, 0, sizeof(sample));
	sample.gauge.memory_bound_pages = (struct tw_count){ UINT64_MAX, true };
	memset(&alert, 0, sizeof(alert));
	tw_rule_settings_init(&settings);
	settings.raise_milli = 1000;
	memset(&stepper, 0, sizeof(stepper));
	in_force = true;
	action = (struct tw_action){
		.kind = TW_ACTION_STEP,
		.tunable = BUCKETS,
		.step = { .multiplies = true, .by = 2000, .limit = 1048576, .every_usec = 30 * S },
	};
	return 0;
}

static inline void set_live(int64_t value)
{
	sample.gauge.sysctls[action.tunable] = (struct tw_live_value){ { { value } }, true };
}

/* A look at the rule in this state, with a value that was measured just now. */
static inline bool look(unsigned at, enum tw_rule_state state, int64_t milli)
{
	if (in_force && tw_stepper_wants(&stepper))
		set_live(stepper.wanted);
	alert.state = state;
	alert.value = tw_value_of(milli);
	alert.measured_usec = at * S;
	return tw_stepper_step(&stepper, &action, &settings, &alert, &sample, at * S);
}
