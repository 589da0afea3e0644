/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/alert.h"
#include "decide/stepper.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"

/* What the alerts are looked at with, and where that is told. Everything borrows. */
struct tw_desired_scene {
	const struct tw_sample *sample;
	const struct tw_in_force *in_force;
	usec_t proof_after_usec;
	usec_t now_usec;
	struct tw_recorder *recorder;
	const char *namespace;
};

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
void tw_desired_add(struct tw_desired to, struct tw_alert *alert, const struct tw_rule_settings *settings, bool first,
		    const struct tw_desired_scene *scene);

/*
 * Adds what the steps of one rule want; `worst` is its worst active alert, or NULL. A step that cannot be taken is told
 * once as refused. `steppers`: one for each action.
 */
void tw_desired_add_steps(struct tw_desired to, struct tw_stepper steppers[TW_ACTIONS_MAX], struct tw_alert *worst,
			  const struct tw_rule_settings *settings, const struct tw_desired_scene *scene);

/* After the desires were carried out: what each change has done for this alert, told once. */
void tw_desired_prove(struct tw_alert *alert, const struct tw_rule_settings *settings,
		      const struct tw_stepper steppers[TW_ACTIONS_MAX], const struct tw_desired_scene *scene);

/* Whether an action of it rests after it made no difference. */
bool tw_desired_rests(const struct tw_alert *alert, usec_t now_usec);

/* Carries the actions of an alert and the steps of its rule over to new settings: what is in force goes on. */
void tw_desired_rebase_alert(struct tw_alert *alert, const struct tw_rule_settings *from,
			     const struct tw_rule_settings *to);
void tw_desired_rebase_steps(struct tw_stepper to[TW_ACTIONS_MAX], const struct tw_rule_settings *to_settings,
			     const struct tw_stepper from[TW_ACTIONS_MAX],
			     const struct tw_rule_settings *from_settings);
