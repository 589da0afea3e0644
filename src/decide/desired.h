/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "decide/alert.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/* What a step takes place in: one namespace at one moment, and where is told what comes of it. Everything borrows. */
struct tw_scene {
	const struct tw_settings *settings;
	const struct tw_sample *sample;
	const struct tw_in_force *in_force;
	usec_t now_usec;
	struct tw_recorder *recorder;
	const char *namespace;
};

static inline void tw_scene_tell(const struct tw_scene *scene, const struct tw_event *event)
{
	scene->recorder->tell(scene->recorder, scene->namespace, event);
}

/* An event about what is wanted, a warning, whose texts are still to be written. */
struct tw_notice {
	struct tw_event event;
	struct tw_text reason, advice; /* in the event */
};

void tw_notice_init(struct tw_notice *notice, enum tw_event_kind kind, enum tw_tunable tunable,
		    const struct tw_desire *desire, const struct tw_scene *scene);

/* ---- the steps of a rule */

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

/* ---- what the alerts want */

/* What is wanted at one moment: of the sysctls, and of the sockets. */
struct tw_desired {
	struct tw_desires *desires;
	struct tw_kill_orders *kills;
	bool advised; /* what is added is not to be done, but told */
};

/*
 * Adds what one active alert wants: of its rule's `set` what its gate lets through for its own subject and what does
 * not rest, and its rule's `destroy` where `first`: one order serves all alerts of a rule. What is in force for it
 * stays until it ends. Where two want one tunable, one that acts goes before one that advises, then the higher severity
 * wins, then the one that was added first. A refusal is told once as long as its reason stands.
 */
void tw_desired_add(struct tw_desired to, struct tw_alert *alert, bool first, const struct tw_scene *scene);

/*
 * Adds what the steps of one rule want; `worst` is its worst active alert, or NULL. A step that cannot be taken is told
 * once as refused. `steppers`: one for each action.
 */
void tw_desired_add_steps(struct tw_desired to, struct tw_stepper steppers[TW_ACTIONS_MAX], struct tw_alert *worst,
			  const struct tw_rule_settings *settings, const struct tw_scene *scene);

/* After the desires were carried out: what each change has done for this alert, told once. */
void tw_desired_prove(struct tw_alert *alert, const struct tw_stepper steppers[TW_ACTIONS_MAX],
		      const struct tw_scene *scene);

/* Whether an action of it rests after it made no difference. */
bool tw_desired_rests(const struct tw_alert *alert, usec_t now_usec);

/* Carries the actions of an alert and the steps of its rule over to new settings: what is in force goes on. */
void tw_desired_rebase_alert(struct tw_alert *alert, const struct tw_rule_settings *from,
			     const struct tw_rule_settings *to);
void tw_desired_rebase_steps(struct tw_stepper to[TW_ACTIONS_MAX], const struct tw_rule_settings *to_settings,
			     const struct tw_stepper from[TW_ACTIONS_MAX],
			     const struct tw_rule_settings *from_settings);

/* ---- what of it passes */

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
