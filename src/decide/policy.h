/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/alert.h"
#include "decide/stepper.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"

/* Alerts of one rule that are told one by one: those beyond are quiet, told in one line, as so many more. */
#define TW_ALERTS_PER_RULE 16
/* Of one namespace; each rule is sure of one. */
#define TW_ALERTS_TOLD_MAX (TW_RULES_MAX + 8 * TW_ALERTS_PER_RULE)
/* Quiet ones, which count for what is wanted as the others do. */
#define TW_ALERTS_QUIET_MAX 64
#define TW_ALERTS_MAX (TW_ALERTS_TOLD_MAX + TW_ALERTS_QUIET_MAX)

/* What is known of one rule whoever its alerts are about. */
struct tw_policy_rule {
	bool known;	      /* it has had a value */
	unsigned blind;	      /* measurements without a value in a row, counted until that was told */
	usec_t blind_usec;    /* when the last of these was made */
	usec_t measured_usec; /* the last measurement taken in */
	usec_t normal_usec;   /* since when no subject is over its level; 0: it was never looked at */
	unsigned more;	      /* subjects over the level that are told as so many more: quiet ones, and these: */
	unsigned roomless;    /* there was no room for them */
	bool more_told;
	unsigned more_looks;			    /* at what differs from what was told */
	usec_t more_usec;			    /* since when it does */
	struct tw_stepper steppers[TW_ACTIONS_MAX]; /* of its actions that are steps */
};

/* The rules of one network namespace, in the order of the settings, and their alerts. */
struct tw_policy {
	uint64_t advising; /* a bit for each rule that does not act in this namespace: what it wants is advice */
	bool beside_host; /* another namespace than the host's: what the kernel tells of the host alone is not missed */
	struct tw_policy_rule rules[TW_RULES_MAX];
	unsigned alert_count;
	struct tw_alert alerts[TW_ALERTS_MAX]; /* in no order */
};

/* In memory that is zero: where the rules are to be looked at. */
void tw_policy_init(struct tw_policy *policy, const struct tw_settings *settings, const char *namespace);

/*
 * Steps every alert with the sample, tells the edges to the recorder, and says what the raised ones want: of the
 * sysctls, and which sockets to end. Where two want one tunable, one that acts here goes before one that does not, then
 * the higher severity wins, then the one that stands earlier in the configuration. Both outputs are zero, or of the
 * step before. `in_force`: what is changed by now.
 */
void tw_policy_step(struct tw_policy *policy, const struct tw_settings *settings, const struct tw_sample *sample,
		    const struct tw_in_force *in_force, usec_t now_usec, struct tw_recorder *recorder,
		    const char *namespace, struct tw_desires *ret_desires, struct tw_kill_orders *ret_kills);

/* After what was wanted was carried out: tells once what each change has done for each alert. */
void tw_policy_prove(struct tw_policy *policy, const struct tw_settings *settings, const struct tw_sample *sample,
		     const struct tw_in_force *in_force, usec_t now_usec, struct tw_recorder *recorder,
		     const char *namespace);

/*
 * Carries the alerts over to new settings by the rules' names. One whose rule is not there any more, or now watches
 * another metric, is told as cleared; what it wanted is not wanted any more at the next step. Steps go on where they
 * were.
 */
void tw_policy_rebase(struct tw_policy *policy, const struct tw_settings *from, const struct tw_settings *to,
		      usec_t now_usec, struct tw_recorder *recorder, const char *namespace);

/* The namespace is watched no more: each alert is told as cleared, for this reason. */
void tw_policy_leave(struct tw_policy *policy, const struct tw_settings *settings, usec_t now_usec, const char *reason,
		     struct tw_recorder *recorder, const char *namespace);

/* How the rule of this index stands: its worst alert, and where it has none, what it reads. */
struct tw_rule_situation tw_policy_situation(const struct tw_policy *policy, const struct tw_settings *settings,
					     unsigned index, const struct tw_sample *sample);

/* Whether a subject of the rule of this index is raised. */
bool tw_policy_is_raised(const struct tw_policy *policy, unsigned index);

/* The destination whose take-overs are evidence that something waits for. Returns false where nothing does. */
bool tw_policy_evidence(const struct tw_policy *policy, const struct tw_settings *settings,
			const struct tw_sample *sample, struct tw_destination *ret);

/* The destinations that have an alert, so that a survey tells of them whatever their rank. */
void tw_policy_watched(const struct tw_policy *policy, struct tw_watched *ret);

/* Whether every rule is normal: then time alone changes none. */
bool tw_policy_rests(const struct tw_policy *policy);

/* How many rules are raised. */
unsigned tw_policy_raised(const struct tw_policy *policy, const struct tw_settings *settings);
