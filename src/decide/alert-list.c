/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which alerts there are, apart from what measurements make of them for its length. */
#include "decide/alert-table.h"

struct tw_alert *tw_alert_table_find(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
				     const struct tw_subject *subject)
{
	/* Who is behind the namespace's own number may change. */
	bool any = tw_metric_info(settings->metric)->subject == TW_SUBJECT_NAMESPACE;

	for (unsigned i = 0; i < policy->alert_count; i++)
		if (policy->alerts[i].rule == rule && (any || tw_subject_equal(&policy->alerts[i].subject, subject)))
			return &policy->alerts[i];
	return NULL;
}

/* How many places are taken: of the rule's, of all that are told, and of the quiet ones. */
struct places {
	unsigned own, told, quiet;
};

static struct places count_places(const struct tw_policy *policy, unsigned rule)
{
	struct places places = { 0 };

	for (unsigned i = 0; i < policy->alert_count; i++) {
		const struct tw_alert *alert = &policy->alerts[i];

		places.own += alert->rule == rule && !alert->quiet;
		places.told += !alert->quiet;
		places.quiet += alert->quiet;
	}
	return places;
}

/* The last places are kept for rules that have none. */
static bool has_room(const struct places *places)
{
	return places->own < TW_ALERTS_PER_RULE &&
	       places->told < TW_ALERTS_TOLD_MAX - (places->own > 0 ? TW_RULES_MAX : 0);
}

void tw_alert_table_drop(struct tw_policy *policy, unsigned alert)
{
	policy->alert_count--;
	if (alert < policy->alert_count)
		policy->alerts[alert] = policy->alerts[policy->alert_count];
}

/* Whether `a` is to be told before `b`: what is raised, then the worse value. */
static bool is_worse(const struct tw_rule_settings *settings, const struct tw_alert *a, const struct tw_alert *b)
{
	bool more = a->value.milli > b->value.milli;

	if (tw_alert_active(a) != tw_alert_active(b))
		return tw_alert_active(a);
	return tw_rule_settings_upward(settings) ? more : a->value.milli < b->value.milli;
}

/*
 * Makes room among those of the rule that were not told: what rests is forgotten, and what rises and is less than this
 * is quiet from now on, or gone where there is no room for quiet ones.
 */
static bool make_room(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
		      const struct tw_alert *newer, bool hush)
{
	struct tw_alert *least = NULL;

	for (unsigned i = 0; i < policy->alert_count; i++) {
		struct tw_alert *alert = &policy->alerts[i];

		if (alert->rule != rule || alert->quiet || tw_alert_active(alert))
			continue;
		if (!least || alert->state == TW_RULE_NORMAL ||
		    (least->state != TW_RULE_NORMAL && is_worse(settings, least, alert)))
			least = alert;
	}
	if (!least || (least->state != TW_RULE_NORMAL && !is_worse(settings, newer, least)))
		return false;
	if (hush && least->state != TW_RULE_NORMAL)
		least->quiet = true;
	else
		tw_alert_table_drop(policy, (unsigned)(least - policy->alerts));
	return true;
}

struct tw_alert *tw_alert_table_add(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
				    const struct tw_reading_row *row)
{
	struct tw_alert begun = { .rule = rule, .subject = row->subject, .value = row->reading.value };
	struct places places = count_places(policy, rule);
	struct tw_alert *alert;

	if (!has_room(&places)) {
		bool full = places.quiet >= TW_ALERTS_QUIET_MAX;

		begun.quiet = !make_room(policy, rule, settings, &begun, !full);
		if (begun.quiet && full)
			return NULL;
	}
	if (policy->alert_count == TW_ALERTS_MAX)
		return NULL;
	alert = &policy->alerts[policy->alert_count++];
	*alert = begun;
	return alert;
}

/* One that is over and rests only to be remembered does that quietly as well. */
static bool hush_resting(struct tw_policy *policy, unsigned rule)
{
	for (unsigned i = 0; i < policy->alert_count; i++) {
		struct tw_alert *alert = &policy->alerts[i];

		if (alert->rule != rule || alert->quiet || alert->state != TW_RULE_NORMAL)
			continue;
		alert->quiet = true;
		return true;
	}
	return false;
}

bool tw_alert_table_promote(struct tw_policy *policy, struct tw_alert *alert, usec_t now_usec)
{
	struct places places = count_places(policy, alert->rule);

	if (!alert->quiet || (alert->state != TW_RULE_RISING && alert->state != TW_RULE_RAISED) ||
	    (!has_room(&places) && !hush_resting(policy, alert->rule)))
		return false;
	tw_alert_table_make_loud(alert, now_usec);
	return true;
}

void tw_alert_table_make_loud(struct tw_alert *alert, usec_t now_usec)
{
	alert->quiet = false;
	alert->reminded_usec = now_usec;
	/* It has told nothing yet. */
	for (unsigned i = 0; i < TW_ACTIONS_MAX; i++)
		alert->actions[i].refused_told = alert->actions[i].rest_told = false;
}

struct tw_alert *tw_alert_table_worst(const struct tw_policy *policy, unsigned index,
				      const struct tw_rule_settings *settings)
{
	const struct tw_alert *worst = NULL;

	for (unsigned i = 0; i < policy->alert_count; i++) {
		const struct tw_alert *alert = &policy->alerts[i];

		if (alert->rule == index && alert->state != TW_RULE_NORMAL &&
		    (!worst || is_worse(settings, alert, worst)))
			worst = alert;
	}
	return (struct tw_alert *)worst;
}
