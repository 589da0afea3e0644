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

static unsigned count_alerts(const struct tw_policy *policy, unsigned rule)
{
	unsigned count = 0;

	for (unsigned i = 0; i < policy->alert_count; i++)
		count += policy->alerts[i].rule == rule;
	return count;
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

/* Makes room among those of the rule that were not told: what rests, or what rises and is less than this. */
static bool make_room(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
		      const struct tw_alert *newer)
{
	const struct tw_alert *least = NULL;

	for (unsigned i = 0; i < policy->alert_count; i++) {
		const struct tw_alert *alert = &policy->alerts[i];

		if (alert->rule != rule || tw_alert_active(alert))
			continue;
		if (!least || alert->state == TW_RULE_NORMAL ||
		    (least->state != TW_RULE_NORMAL && is_worse(settings, least, alert)))
			least = alert;
	}
	if (!least || (least->state != TW_RULE_NORMAL && !is_worse(settings, newer, least)))
		return false;
	policy->rules[rule].more += least->seen && least->state != TW_RULE_NORMAL;
	tw_alert_table_drop(policy, (unsigned)(least - policy->alerts));
	return true;
}

struct tw_alert *tw_alert_table_add(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
				    const struct tw_reading_row *row)
{
	const struct tw_alert begun = { .rule = rule, .subject = row->subject, .value = row->reading.value };
	unsigned own = count_alerts(policy, rule);
	struct tw_alert *alert;

	/* The last places are kept for rules that have none. */
	if ((own >= TW_ALERTS_PER_RULE || policy->alert_count >= TW_ALERTS_MAX - (own > 0 ? TW_RULES_MAX : 0)) &&
	    !make_room(policy, rule, settings, &begun))
		return NULL;
	alert = &policy->alerts[policy->alert_count++];
	*alert = begun;
	return alert;
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
