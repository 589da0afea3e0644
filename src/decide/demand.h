/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/reading.h"
#include "model/effect.h"
#include "model/sample.h"

/* Looks that are summed: they come to a whole TIME-WAIT. */
#define TW_DEMAND_LOOKS ((unsigned)(TW_TIME_WAIT_USEC / TW_SURVEY_YOUNG_USEC))

/*
 * How many TIME-WAIT a destination would have if reuse took none over: those that are younger than five seconds,
 * summed over twelve looks that are five seconds apart. One look alone errs by 45 points where connections come in
 * bursts, twelve by 5. A file of its own, for the decision is made of alerts, and this of looks.
 */
struct tw_demand {
	unsigned count, next; /* a ring */
	usec_t at_usec;	      /* of the newest */
	struct tw_demand_look {
		usec_t at_usec;
		uint32_t young;
	} looks[TW_DEMAND_LOOKS];
};

/* One look; what comes sooner than five seconds after the last one counts the same sockets again, and is passed over.
 */
void tw_demand_add(struct tw_demand *demand, uint32_t young_time_wait, usec_t at_usec);

/*
 * In sockets, by the looks of the last life of a TIME-WAIT, 60 s if nobody has shortened it: as many as were seen, and
 * as many as it would be if the looks that are not there had been like them. 0 without any.
 */
struct tw_demand_count {
	uint64_t seen, expected;
} tw_demand_time_wait(const struct tw_demand *demand, uint32_t life_ms);

/*
 * While tcp_tw_reuse is ours, blocked ports do not tell whether it is needed: what they would come to without it does,
 * for raising too. So a second destination that reuse helps already is an alert of its own.
 */
void tw_demand_judge(const struct tw_demand *demand, const struct tw_rule_settings *settings,
		     const struct tw_sample *sample, const struct tw_in_force *in_force, struct tw_reading *reading);
