/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/rule.h"
#include "decide/stepper.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/situation.h"

/* The rules of one network namespace in their present states, in the order of the settings. */
struct tw_policy {
	uint64_t advising; /* a bit for each rule that does not act in this namespace: what it wants is advice */
	bool beside_host; /* another namespace than the host's: what the kernel tells of the host alone is not missed */
	struct tw_rule rules[TW_RULES_MAX];
	struct tw_stepper steppers[TW_RULES_MAX][TW_ACTIONS_MAX]; /* of their actions that are steps */
};

/* In memory that is zero: where the rules are to be looked at. */
void tw_policy_init(struct tw_policy *policy, const struct tw_settings *settings, const char *namespace);

/*
 * Steps every rule with the sample, tells the edges to the recorder, and says what the raised ones want: of the
 * sysctls, and which sockets to end. Where two want one tunable, one that acts here goes before one that does not, then
 * the higher severity wins, then the one that stands earlier in the configuration. Both outputs are zero, or of the
 * step before.
 */
void tw_policy_step(struct tw_policy *policy, const struct tw_settings *settings, const struct tw_sample *sample,
		    usec_t now_usec, struct tw_recorder *recorder, const char *namespace,
		    struct tw_desires *ret_desires, struct tw_kill_orders *ret_kills);

/*
 * Whether a survey is worth its cost now: a rule over an attributed metric is not normal, or could raise because more
 * sockets exist than its level allows to one destination, or because so many are added that its forecast could come
 * true.
 */
bool tw_policy_wants_survey(const struct tw_policy *policy, const struct tw_settings *settings,
			    const struct tw_sample *sample);

/*
 * Whether there is no time to lose: what the busiest destination held at the last survey (without one, every socket),
 * and what has been added since the crest of the last seconds, would use up the whole range within the longest forecast
 * of any rule.
 */
bool tw_policy_hurries(const struct tw_settings *settings, const struct tw_sample *sample);

/* The same, were it as many sockets by now. */
bool tw_policy_would_hurry(const struct tw_settings *settings, const struct tw_sample *sample, struct tw_tally now);

/*
 * Carries the states over to new settings by the rules' names. A raised rule that is not there any more, or that now
 * watches another metric, is told as cleared; what it wanted is not wanted any more at the next step.
 * Steps go on where they were.
 */
void tw_policy_rebase(struct tw_policy *policy, const struct tw_settings *from, const struct tw_settings *to,
		      usec_t now_usec, struct tw_recorder *recorder, const char *namespace);

/* The namespace is watched no more: each raised rule is told as cleared, for this reason. */
void tw_policy_leave(struct tw_policy *policy, const struct tw_settings *settings, usec_t now_usec, const char *reason,
		     struct tw_recorder *recorder, const char *namespace);

/* How the rule of this index stands, and who is behind it by this sample. */
struct tw_rule_situation tw_policy_situation(const struct tw_policy *policy, const struct tw_settings *settings,
					     unsigned index, const struct tw_sample *sample);

/* Whether every rule is normal: then time alone changes none. */
bool tw_policy_rests(const struct tw_policy *policy, const struct tw_settings *settings);

/* How many rules are raised. */
unsigned tw_policy_raised(const struct tw_policy *policy, const struct tw_settings *settings);
