/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/policy.h"

/* The alerts of one rule as measurements come: the part of the policy that holds them against the sample. */

/* What a step takes place in; everything borrows. */
struct tw_alert_scene {
	const struct tw_sample *sample;
	const struct tw_in_force *in_force;
	unsigned top;
	usec_t now_usec;
	struct tw_recorder *recorder;
	const char *namespace;
};

/*
 * Steps the alerts of the rule of this index with the sample, makes those that begin, and tells the edges. Returns
 * whether there was a new measurement.
 */
bool tw_alert_table_measure(struct tw_policy *policy, unsigned index, const struct tw_rule_settings *settings,
			    const struct tw_alert_scene *scene);

/* After a new measurement, once it is known who is told for what is done: tells how many more there are. */
void tw_alert_table_tell_more(struct tw_policy *policy, unsigned index, const struct tw_rule_settings *settings,
			      const struct tw_alert_scene *scene);

/* Ends those that are over, but for what has to be remembered: that something made no difference. */
void tw_alert_table_sweep(struct tw_policy *policy, unsigned index, usec_t now_usec);

/* The one that is told first: raised before rising, then by value. NULL where no subject is over its level. */
struct tw_alert *tw_alert_table_worst(const struct tw_policy *policy, unsigned index,
				      const struct tw_rule_settings *settings);

/* The rule's alert for this subject; of a rule over the namespace as a whole its only one. NULL where there is none. */
struct tw_alert *tw_alert_table_find(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
				     const struct tw_subject *subject);

/*
 * A new one for the subject of `row`: quiet where the rule has its share of others, but for one that is less and that
 * nobody was told of yet. The others may move. NULL where there is no room for a quiet one either.
 */
struct tw_alert *tw_alert_table_add(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
				    const struct tw_reading_row *row);

/* Makes a quiet one that is over its level loud if there is room for it. Returns whether it did. */
bool tw_alert_table_promote(struct tw_policy *policy, struct tw_alert *alert, usec_t now_usec);

/* From now on it is told. */
void tw_alert_table_make_loud(struct tw_alert *alert, usec_t now_usec);

/* Takes one out; the others may move. */
void tw_alert_table_drop(struct tw_policy *policy, unsigned alert);

/* A quiet one is told: whom a change is made for has to be. */
void tw_alert_table_tell_raised(const struct tw_rule_settings *settings, struct tw_alert *alert,
				const struct tw_alert_scene *scene);

/* But of a quiet one nothing. */
void tw_alert_table_tell_cleared(const struct tw_rule_settings *settings, const struct tw_alert *alert, usec_t now_usec,
				 const char *reason, struct tw_recorder *recorder, const char *namespace);
