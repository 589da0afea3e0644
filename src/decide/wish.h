/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/rule.h"
#include "decide/stepper.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"

/* What is wanted at one moment: of the sysctls, and of the sockets. */
struct tw_wishes {
	struct tw_desires *desires;
	struct tw_kill_orders *kills;
	bool advised; /* what is added is not to be done, but told */
};

/*
 * Adds what one rule wants; nothing where it is not active. Where two want one tunable, one that acts goes before one
 * that advises, then the higher severity wins, then the one that was added first. `steppers`: one for each action. A
 * step that cannot be taken is told once as refused.
 */
void tw_wish_add(struct tw_wishes wishes, struct tw_stepper steppers[TW_ACTIONS_MAX],
		 const struct tw_rule_settings *settings, const struct tw_rule *rule, const struct tw_sample *sample,
		 usec_t now_usec, struct tw_recorder *recorder, const char *namespace);

/* Carries the steps of a rule over to its new settings: see tw_stepper_follow(). */
void tw_wish_rebase(struct tw_stepper to[TW_ACTIONS_MAX], const struct tw_rule_settings *to_settings,
		    const struct tw_stepper from[TW_ACTIONS_MAX], const struct tw_rule_settings *from_settings);
