/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"
#include "model/settings.h"
#include "model/tunable.h"

#include <stdbool.h>

/*
 * Did a change help? The evidence that the tunable's table names is taken when the change came into force, and again
 * proof-after later: what is measured less often is waited for, for a figure from before proves nothing. Where the
 * sockets of before keep the old value's time, that has to be over as well. It helped where the counter grew or the
 * metric fell by a tenth; where neither can be told, there is nothing to prove.
 *
 *   idle --in force--> waiting --proof-after--> proved --not in force--> idle
 *                         |                       ^
 *                         |                       '-- at once, where the rule asks for no proof or none can be had
 *                         '--no difference--> resting --cooldown--> idle
 */
enum tw_proof_state {
	TW_PROOF_IDLE,
	TW_PROOF_WAITING,
	TW_PROOF_PROVED, /* helped, cannot be measured, or has no cooldown: nothing more to do */
	TW_PROOF_RESTING,
};

/* One look at the evidence. */
struct tw_proof_look {
	struct tw_count counter;
	struct tw_value metric;
	usec_t metric_at_usec; /* when that was measured */
};

struct tw_proof {
	enum tw_proof_state state;
	usec_t since_usec;    /* of the state */
	usec_t cooldown_usec; /* of the rule that it rests for */
	usec_t old_usec;      /* how long sockets of before can last; 0: that is no matter */
	struct tw_tunable_value value;
	struct tw_proof_look before;
};

enum tw_proof_edge {
	TW_PROOF_NO_EDGE,
	TW_PROOF_EDGE_HELPED,
	TW_PROOF_EDGE_NO_DIFFERENCE,
};

void tw_proof_init(struct tw_proof *proof);

/*
 * One step. `value` NULL: the tunable is not in force, and `rule` is not looked at. A value that changes while in force
 * starts the proof anew.
 */
enum tw_proof_edge tw_proof_step(struct tw_proof *proof, enum tw_tunable tunable, const struct tw_tunable_value *value,
				 const struct tw_rule_settings *rule, usec_t proof_after_usec,
				 const struct tw_sample *sample, usec_t now_usec);

/* Whether an action that made no difference rests still; *ret_left_usec is how long it will. */
bool tw_proof_rests(const struct tw_proof *proof, usec_t now_usec, usec_t *ret_left_usec);

/*
 * Before and after in words: "time-wait-reused 0 -> 5210, port-use 52.7% -> 52.9%". A metric that was not measured
 * since then is left out.
 */
void tw_proof_explain(const struct tw_proof *proof, enum tw_tunable tunable, const struct tw_sample *sample,
		      struct tw_text *text);
