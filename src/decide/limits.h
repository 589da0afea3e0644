/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/desired.h"

/* An hour, and the minute under way. */
#define TW_BUDGET_MINUTES 61

/*
 * How often something was done within the last hour. Kept by the minute, so that it costs the same for any number: a
 * minute counts until an hour after its end, never shorter than the hour.
 */
struct tw_budget {
	uint64_t minute; /* the newest one that is counted, since time began */
	uint16_t counts[TW_BUDGET_MINUTES];
};

/* It was done once more. */
void tw_budget_note(struct tw_budget *budget, usec_t now_usec);

/* How often it was done within the hour; minutes that are over are forgotten. */
unsigned tw_budget_spent(struct tw_budget *budget, usec_t now_usec);

/* How long until one more is free, where `most` an hour are spent; 0 where there is one now. */
usec_t tw_budget_wait(struct tw_budget *budget, unsigned most, usec_t now_usec);

/* What is known of one tunable. */
struct tw_limits_row {
	usec_t paused_usec; /* put back on request: since when, and for how long nothing changes it */
	usec_t pause_usec;
	bool pause_told;
	struct tw_budget budget; /* changes made */
	bool budget_told;
	bool was_ours; /* before the desires were carried out: what differs then is a change */
	struct tw_tunable_value was;
};

/* What stands between what the alerts want and what is done, whoever wants it: a pause on request, and max-changes. */
struct tw_limits {
	struct tw_limits_row rows[TW_TUNABLE_COUNT];
};

/* From now on no desire for this tunable passes the filter for so long; a longer pause that is under way stays. */
void tw_limits_pause(struct tw_limits *limits, enum tw_tunable tunable, usec_t pause_usec, usec_t now_usec);

/*
 * Takes the rows out of `desires` that are paused. Each refusal is told once as long as its reason stands and the row
 * is wanted. Once a tunable was changed `max_changes` times within an hour (0: any number), a row that would change it
 * again is held at what is in force, or taken out where nothing is; what the sysctl is already is not refused. What
 * somebody else took over passes: only a desire that ends gives it free again.
 */
void tw_limits_filter(struct tw_limits *limits, struct tw_desires *desires, const struct tw_scene *scene);

/* After the desires were carried out: counts the changes. */
void tw_limits_note(struct tw_limits *limits, const struct tw_in_force *in_force, usec_t now_usec);
