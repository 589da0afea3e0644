/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/text.h"
#include "decide/alert.h"
#include "model/sample.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/* Why a step that is due is not taken. */
enum tw_stepper_stop {
	TW_STEPPER_GOES,
	TW_STEPPER_AT_LIMIT,	   /* the step's own limit */
	TW_STEPPER_NO_MEMORY,	   /* TIME-WAIT would take too much of what TCP may use */
	TW_STEPPER_MEMORY_UNKNOWN, /* or nobody tells how much that is */
};

/*
 * One `step` of one rule. It starts from the value that was live when the rule became active, takes a step at once, and
 * another whenever the last one has been in force for its span and a newer measurement is at or beyond `raise` still.
 * It never steps back by itself: when the rule clears nothing is wanted any more, and the value of before comes back in
 * one go.
 */
struct tw_stepper {
	bool started;
	bool follows_set;    /* `wanted` is what an earlier configuration's `set` wanted, and may be in force */
	bool has_base;	     /* not where it was: what is live then is no base */
	int64_t base;	     /* the value that was live */
	int64_t wanted;	     /* equal to `base`: no step was possible */
	usec_t stepped_usec; /* the last step, or the last try; while it is not in force the last look */
	enum tw_stepper_stop stop;
	int64_t refused; /* stop: what the next step would have come to */
};

void tw_stepper_init(struct tw_stepper *stepper);

/*
 * One look, with the worst alert of the rule. Returns whether there is something new to tell: a stop, the first time as
 * long as it lasts. No alert, or one that is not active, resets it. Without a live value it does not start.
 */
bool tw_stepper_step(struct tw_stepper *stepper, const struct tw_action *action,
		     const struct tw_rule_settings *settings, const struct tw_alert *alert,
		     const struct tw_sample *sample, usec_t now_usec);

/* Whether a value is wanted: then `wanted` is. */
static inline bool tw_stepper_wants(const struct tw_stepper *stepper)
{
	return stepper->started && (!stepper->has_base || stepper->wanted != stepper->base);
}

/*
 * Whether the value of before would not do, although nothing overflows now: TIME-WAIT is within a tenth of the
 * tcp_max_tw_buckets that was live, or beyond it. Put back, it would overflow at once.
 */
bool tw_stepper_needed(const struct tw_stepper *stepper, const struct tw_action *action,
		       const struct tw_sample *sample);

/*
 * Takes over from another configuration's step or `set` on the same tunable; nothing happens where it is none. What is
 * in force is gone on from, never below it, whatever the new step is; its next step has its span.
 */
void tw_stepper_follow(struct tw_stepper *stepper, const struct tw_action *action, const struct tw_stepper *predecessor,
		       const struct tw_action *its_action);

/* The sentence for an admin about a stop, and what would help instead. */
void tw_stepper_explain(const struct tw_stepper *stepper, const struct tw_action *action,
			const struct tw_sample *sample, struct tw_text *reason, struct tw_text *advice);
