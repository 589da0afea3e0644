/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/budget.h"
#include "decide/proof.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"

#include <stdbool.h>

/* What is in force of one namespace, as the acting wing found it: a row a tunable. */
struct tw_in_force {
	struct {
		bool ours;    /* changed by timewaitd, and not yielded */
		bool yielded; /* somebody else's now, until nothing wants it any more */
		struct tw_tunable_value value;
	} rows[TW_TUNABLE_COUNT];
};

/* What is known of one tunable. */
struct tw_judge_row {
	struct tw_proof proof;
	struct tw_tunable_value rested; /* what was wanted when it made no difference */
	bool refused_told;
	int refused; /* enum tw_gate_verdict that was told last */
	bool rest_told;
	usec_t paused_usec; /* put back on request: since when, and for how long nothing changes it */
	usec_t pause_usec;
	bool pause_told;
	struct tw_budget budget; /* changes made */
	bool budget_told;
	bool was_ours; /* before the desires were carried out: what differs then is a change */
	struct tw_tunable_value was;
};

/* Stands between what the rules want and what is done: refuses what cannot help, and takes back what did not. */
struct tw_judge {
	struct tw_judge_row rows[TW_TUNABLE_COUNT];
};

void tw_judge_init(struct tw_judge *judge);

/* From now on no wish for this tunable passes the filter for so long; a longer pause that is under way stays. */
void tw_judge_pause(struct tw_judge *judge, enum tw_tunable tunable, usec_t pause_usec, usec_t now_usec);

/*
 * Takes the rows out of `desires` that a gate refuses (only before the change: what is in force stays until its rule
 * clears), that rest after an action that made no difference, or that are paused. Each refusal is told once as long as
 * its reason stands and the row is wanted. Once a tunable was changed `max_changes` times within an hour (0: any
 * number), a row that would change it again is held at what is in force, or taken out where nothing is. What somebody
 * else took over passes: only a wish that ends gives it free again.
 */
void tw_judge_filter(struct tw_judge *judge, struct tw_desires *desires, const struct tw_in_force *in_force,
		     unsigned max_changes, const struct tw_sample *sample, usec_t now_usec,
		     struct tw_recorder *recorder, const char *namespace);

/* After the desires were carried out: counts the changes, follows what is in force, and tells once what each change
 * did. */
void tw_judge_prove(struct tw_judge *judge, const struct tw_desires *desires, const struct tw_in_force *in_force,
		    usec_t proof_after_usec, const struct tw_sample *sample, usec_t now_usec,
		    struct tw_recorder *recorder, const char *namespace);
