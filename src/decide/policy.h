/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/desired.h"

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
	unsigned roomless;    /* subjects over the level that there was no room for: told as so many more, as quiet ones
				 are */
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
 * step before.
 */
void tw_policy_step(struct tw_policy *policy, const struct tw_scene *scene, struct tw_desires *ret_desires,
		    struct tw_kill_orders *ret_kills);

/* After what was wanted was carried out: tells once what each change has done for each alert. */
void tw_policy_prove(struct tw_policy *policy, const struct tw_scene *scene);

/*
 * Carries the alerts over to new settings, those of the scene, by the rules' names. One whose rule is not there any
 * more, or now watches another metric, is told as cleared; what it wanted is not wanted any more at the next step.
 * Steps go on where they were.
 */
void tw_policy_rebase(struct tw_policy *policy, const struct tw_settings *from, const struct tw_scene *scene);

/* The namespace is watched no more: each alert is told as cleared, for this reason. */
void tw_policy_leave(struct tw_policy *policy, const struct tw_scene *scene, const char *reason);

/* How the rule of this index stands: its worst alert, and where it has none, what it reads. */
struct tw_rule_situation tw_policy_situation(const struct tw_policy *policy, const struct tw_settings *settings,
					     unsigned index, const struct tw_sample *sample);

/* Whether a subject of the rule of this index is raised. */
bool tw_policy_is_raised(const struct tw_policy *policy, unsigned index);

/* Whether every rule is normal: then time alone changes none. */
bool tw_policy_rests(const struct tw_policy *policy);

/* How many rules are raised. */
unsigned tw_policy_raised(const struct tw_policy *policy, const struct tw_settings *settings);

/* ---- what is to be counted */

/* What is worth its cost now, for the rules whose metric is read by a survey. */
struct tw_survey_need {
	/*
	 * A rule is not normal, or could raise because by now more ports can be blocked for one destination than its
	 * level allows, or because so many are added that its forecast could come true.
	 */
	bool survey;
	/* To ask the kernel which ports are exclusive: for such a rule, or as these and what may be reach a level. */
	bool exclusive;
} tw_policy_survey_need(const struct tw_policy *policy, const struct tw_settings *settings,
			const struct tw_sample *sample);

/*
 * Whether there is no time to lose, were it as many sockets by now: what can be blocked for one destination that was
 * not over the level yet (tw_sample_port_bound()), and what has been added since the peak of the last seconds,
 * would use up the whole range within the longest forecast of any rule.
 */
bool tw_policy_hurries(const struct tw_settings *settings, const struct tw_sample *sample, struct tw_tally now);

/* The destination whose take-overs are evidence that something waits for. Returns false where nothing does. */
bool tw_policy_evidence(const struct tw_policy *policy, const struct tw_settings *settings,
			const struct tw_sample *sample, struct tw_destination *ret);

/* The destinations that have an alert, so that a survey tells of them whatever their rank. */
void tw_policy_watched(const struct tw_policy *policy, struct tw_watched *ret);

/* ---- the alerts of one rule, for the files of the policy */

/* The next one from *at on, which moves; NULL: there are no more. */
struct tw_alert *tw_alert_list_next(const struct tw_policy *policy, unsigned rule, unsigned *at);

/* The one that is told first: raised before rising, then by value. NULL where no subject is over its level. */
struct tw_alert *tw_alert_list_worst(const struct tw_policy *policy, unsigned rule,
				     const struct tw_rule_settings *settings);

/* The one for this subject; of a rule over the namespace as a whole its only one. NULL where there is none. */
struct tw_alert *tw_alert_list_find(const struct tw_policy *policy, unsigned rule,
				    const struct tw_rule_settings *settings, const struct tw_subject *subject);

/*
 * A new one for the subject of `row`: quiet where the rule has its share of others, but for one that is less and that
 * nobody was told of yet. The others may move. NULL where there is no room for a quiet one either.
 */
struct tw_alert *tw_alert_list_add(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
				   const struct tw_reading_row *row);

/* Takes the one of this index out; another one may take its place. */
void tw_alert_list_drop(struct tw_policy *policy, unsigned alert);

/* Makes a quiet one that is over its level loud if there is room for it. Returns whether it did. */
bool tw_alert_list_promote(struct tw_policy *policy, struct tw_alert *alert, usec_t now_usec);

/* From now on it is told; and it is told now: whom a change is made for has to be. */
void tw_alert_make_loud(struct tw_alert *alert, usec_t now_usec);
void tw_alert_tell_raised(struct tw_alert *alert, const struct tw_scene *scene);

/* But of a quiet one nothing. */
void tw_alert_tell_cleared(const struct tw_alert *alert, const struct tw_rule_settings *settings, const char *reason,
			   const struct tw_scene *scene);

struct tw_event tw_alert_event(enum tw_event_kind kind, const struct tw_rule_settings *settings,
			       const struct tw_alert *alert);

/*
 * Steps those of the rule of this index with the sample, makes those that begin, and tells the edges. Returns whether
 * there was a new measurement.
 */
bool tw_alert_table_measure(struct tw_policy *policy, unsigned index, const struct tw_scene *scene);

/* After a new measurement, once it is known who is told for what is done: tells how many more there are. */
void tw_alert_table_tell_more(struct tw_policy *policy, unsigned index, const struct tw_scene *scene);
