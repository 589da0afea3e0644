/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/budget.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"

#include <stdbool.h>

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
void tw_limits_filter(struct tw_limits *limits, struct tw_desires *desires, const struct tw_in_force *in_force,
		      unsigned max_changes, const struct tw_sample *sample, usec_t now_usec,
		      struct tw_recorder *recorder, const char *namespace);

/* After the desires were carried out: counts the changes. */
void tw_limits_note(struct tw_limits *limits, const struct tw_in_force *in_force, usec_t now_usec);
