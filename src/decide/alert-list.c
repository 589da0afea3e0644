/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which alerts there are, apart from what measurements make of them for its length. */
#include "decide/policy.h"

struct tw_alert *tw_alert_list_next(const struct tw_policy *policy, unsigned rule, unsigned *at)
{
	while (*at < policy->alert_count) {
		const struct tw_alert *alert = &policy->alerts[(*at)++];

		if (alert->rule == rule)
			return (struct tw_alert *)alert;
	}
	return NULL;
}

struct tw_alert *tw_alert_list_find(const struct tw_policy *policy, unsigned rule,
				    const struct tw_rule_settings *settings, const struct tw_subject *subject)
{
	/* Who is behind the namespace's own number may change. */
	bool any = tw_metric_info(settings->metric)->subject == TW_SUBJECT_NAMESPACE;
	struct tw_alert *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, rule, &i));)
		if (any || tw_subject_equal(&alert->subject, subject))
			break;
	return alert;
}

/* The last places are kept for rules that have none. */
static bool has_room(const struct tw_policy *policy, unsigned rule, unsigned *ret_quiet)
{
	unsigned own = 0, told = 0;

	for (unsigned i = 0; i < policy->alert_count; i++) {
		told += !policy->alerts[i].quiet;
		own += policy->alerts[i].rule == rule && !policy->alerts[i].quiet;
	}
	*ret_quiet = policy->alert_count - told;
	return own < TW_ALERTS_PER_RULE && told < TW_ALERTS_TOLD_MAX - (own > 0 ? TW_RULES_MAX : 0);
}

void tw_alert_list_drop(struct tw_policy *policy, unsigned alert)
{
	policy->alert_count--;
	if (alert < policy->alert_count)
		policy->alerts[alert] = policy->alerts[policy->alert_count];
}

/* Whether `a` is to be told before `b`: what is raised, then the worse value. */
static bool is_worse(const struct tw_rule_settings *settings, const struct tw_alert *a, const struct tw_alert *b)
{
	if (tw_alert_active(a) != tw_alert_active(b))
		return tw_alert_active(a);
	return tw_rule_settings_upward(settings) ? a->value.milli > b->value.milli : a->value.milli < b->value.milli;
}

/*
 * Makes room among those of the rule that were not told: what rests is forgotten, and what rises and is less than this
 * is quiet from now on, or gone where there is no room for quiet ones.
 */
static bool make_room(struct tw_policy *policy, const struct tw_rule_settings *settings, const struct tw_alert *newer,
		      bool hush)
{
	struct tw_alert *least = NULL, *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, newer->rule, &i));)
		if (!alert->quiet && !tw_alert_active(alert) &&
		    (!least || alert->state == TW_RULE_NORMAL ||
		     (least->state != TW_RULE_NORMAL && is_worse(settings, least, alert))))
			least = alert;
	if (!least || (least->state != TW_RULE_NORMAL && !is_worse(settings, newer, least)))
		return false;
	if (hush && least->state != TW_RULE_NORMAL)
		least->quiet = true;
	else
		tw_alert_list_drop(policy, (unsigned)(least - policy->alerts));
	return true;
}

struct tw_alert *tw_alert_list_add(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
				   const struct tw_reading_row *row)
{
	struct tw_alert begun = { .rule = rule, .subject = row->subject, .value = row->reading.value };
	unsigned quiet;

	if (!has_room(policy, rule, &quiet)) {
		bool full = quiet >= TW_ALERTS_QUIET_MAX;

		begun.quiet = !make_room(policy, settings, &begun, !full);
		if (begun.quiet && full)
			return NULL;
	}
	if (policy->alert_count == TW_ALERTS_MAX)
		return NULL;
	policy->alerts[policy->alert_count] = begun;
	return &policy->alerts[policy->alert_count++];
}

/* One that is over and rests only to be remembered does that quietly as well. */
static bool hush_resting(struct tw_policy *policy, unsigned rule)
{
	struct tw_alert *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, rule, &i));)
		if (!alert->quiet && alert->state == TW_RULE_NORMAL)
			return alert->quiet = true;
	return false;
}

bool tw_alert_list_promote(struct tw_policy *policy, struct tw_alert *alert, usec_t now_usec)
{
	unsigned quiet;

	if (!alert->quiet || (alert->state != TW_RULE_RISING && alert->state != TW_RULE_RAISED) ||
	    (!has_room(policy, alert->rule, &quiet) && !hush_resting(policy, alert->rule)))
		return false;
	tw_alert_make_loud(alert, now_usec);
	return true;
}

void tw_alert_make_loud(struct tw_alert *alert, usec_t now_usec)
{
	alert->quiet = false;
	alert->reminded_usec = now_usec;
	/* It has told nothing yet. */
	for (unsigned i = 0; i < TW_ACTIONS_MAX; i++)
		alert->actions[i].refused_told = alert->actions[i].rest_told = false;
}

struct tw_alert *tw_alert_list_worst(const struct tw_policy *policy, unsigned rule,
				     const struct tw_rule_settings *settings)
{
	struct tw_alert *worst = NULL, *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, rule, &i));)
		if (alert->state != TW_RULE_NORMAL && (!worst || is_worse(settings, alert, worst)))
			worst = alert;
	return worst;
}
