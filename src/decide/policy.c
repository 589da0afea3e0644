/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/policy.h"

#include "base/macros.h"

#include <string.h>

_Static_assert(TW_RULES_MAX <= 64, "a bit for each rule");

void tw_policy_init(struct tw_policy *policy, const struct tw_settings *settings, const char *namespace)
{
	policy->beside_host = strcmp(namespace, TW_NAMESPACE_HOST) != 0;
	policy->advising = 0;
	for (unsigned i = 0; i < settings->rule_count; i++)
		if (!tw_namespace_list_has(&settings->rules[i].namespaces, namespace))
			policy->advising |= UINT64_C(1) << i;
}

/* Ends those that are over, but for what has to be remembered: that something made no difference. */
static void sweep(struct tw_policy *policy, unsigned index, usec_t now_usec)
{
	bool any = false;

	for (unsigned i = policy->alert_count; i-- > 0;) {
		struct tw_alert *alert = &policy->alerts[i];

		alert->seen = false;
		if (alert->rule != index)
			continue;
		if (alert->state != TW_RULE_NORMAL)
			any = true;
		else if (!tw_desired_rests(alert, now_usec))
			tw_alert_list_drop(policy, i);
	}
	if (any)
		policy->rules[index].normal_usec = 0;
	else if (policy->rules[index].normal_usec == 0)
		policy->rules[index].normal_usec = now_usec;
}

/* ---- what is wanted */

/* A step or a destroy is one a rule, whatever the number of its alerts. */
static bool acts_for_worst(const struct tw_rule_settings *settings)
{
	for (unsigned i = 0; i < settings->action_count; i++)
		if (settings->actions[i].kind != TW_ACTION_SET)
			return true;
	return false;
}

/* What one alert wants. Whom a change is made for is told, however many others are. */
static void want(struct tw_desired to, struct tw_alert *alert, bool first, const struct tw_scene *scene)
{
	const struct tw_rule_settings *settings = &scene->settings->rules[alert->rule];

	tw_desired_add(to, alert, first, scene);
	for (unsigned i = 0; alert->quiet && i < settings->action_count; i++) {
		const struct tw_desire *desire = &to.desires->rows[settings->actions[i].tunable];

		if (settings->actions[i].kind == TW_ACTION_SET && desire->wanted && desire->rule == settings &&
		    tw_subject_equal(&desire->subject, &alert->subject))
			tw_alert_tell_raised(alert, scene);
	}
}

static void want_all(struct tw_policy *policy, unsigned index, struct tw_desired to, const struct tw_scene *scene)
{
	const struct tw_rule_settings *settings = &scene->settings->rules[index];
	struct tw_alert *worst = tw_alert_list_worst(policy, index, settings), *alert;

	if (worst && !tw_alert_active(worst))
		worst = NULL;
	if (worst && worst->quiet && worst->state == TW_RULE_RAISED && acts_for_worst(settings))
		tw_alert_tell_raised(worst, scene);
	/* Those that are told have their say first. */
	for (unsigned i = 0; (alert = tw_alert_list_next(policy, index, &i));)
		if (tw_alert_active(alert) && !alert->quiet)
			want(to, alert, alert == worst, scene);
	for (unsigned i = 0; (alert = tw_alert_list_next(policy, index, &i));)
		if (tw_alert_active(alert) && alert->quiet)
			want(to, alert, alert == worst, scene);
	tw_desired_add_steps(to, policy->rules[index].steppers, worst, settings, scene);
}

void tw_policy_step(struct tw_policy *policy, const struct tw_scene *scene, struct tw_desires *ret_desires,
		    struct tw_kill_orders *ret_kills)
{
	struct tw_desired to = { .desires = ret_desires, .kills = ret_kills };

	if (ret_desires->any)
		memset(ret_desires, 0, sizeof(*ret_desires));
	ret_kills->count = 0;
	for (unsigned i = 0; i < scene->settings->rule_count; i++) {
		bool measured;

		/* The kernel tells orphans and TCP's memory in the first namespace alone. */
		if (policy->beside_host && tw_metric_info(scene->settings->rules[i].metric)->host_only)
			continue;
		to.advised = policy->advising >> i & 1;
		measured = tw_alert_table_measure(policy, i, scene);
		want_all(policy, i, to, scene);
		if (measured)
			tw_alert_table_tell_more(policy, i, scene);
		sweep(policy, i, scene->now_usec);
	}
}

void tw_policy_prove(struct tw_policy *policy, const struct tw_scene *scene)
{
	for (unsigned i = 0; i < policy->alert_count; i++)
		tw_desired_prove(&policy->alerts[i], policy->rules[policy->alerts[i].rule].steppers, scene);
}

/* ---- other settings */

/*
 * The alerts of rules that are there still, under their new index; the others are told as cleared, and those of a rule
 * that has got another name alone under the new one.
 */
static void rebase_alerts(struct tw_policy *policy, const struct tw_settings *from, const struct tw_scene *scene)
{
	for (unsigned i = 0; i < policy->alert_count;) {
		struct tw_alert *alert = &policy->alerts[i];
		const struct tw_rule_settings *was = &from->rules[alert->rule];
		int index = tw_settings_counterpart(scene->settings, from, was);
		const struct tw_rule_settings *is = index < 0 ? NULL : &scene->settings->rules[index];
		bool told = tw_alert_active(alert) && (!is || strcmp(was->name, is->name) != 0);

		if (told)
			tw_alert_tell_cleared(alert, was, "the configuration does not have this rule any more", scene);
		if (!is) {
			tw_alert_list_drop(policy, i);
			continue;
		}
		tw_desired_rebase_alert(alert, was, is);
		alert->rule = (unsigned)index;
		if (told && !alert->quiet) {
			const struct tw_event event = tw_alert_event(TW_EVENT_RAISED, is, alert);

			tw_scene_tell(scene, &event);
		}
		i++;
	}
}

void tw_policy_rebase(struct tw_policy *policy, const struct tw_settings *from, const struct tw_scene *scene)
{
	const struct tw_settings *to = scene->settings;
	struct tw_policy_rule before[TW_RULES_MAX];

	rebase_alerts(policy, from, scene);
	memcpy(before, policy->rules, from->rule_count * sizeof(before[0]));
	/* Of the memory only what was in use is touched. */
	memset(policy->rules, 0, from->rule_count * sizeof(policy->rules[0]));
	tw_policy_init(policy, to, scene->namespace);
	for (unsigned i = 0; i < to->rule_count; i++) {
		int was = tw_settings_counterpart(from, to, &to->rules[i]);

		if (was < 0)
			continue;
		policy->rules[i] = before[was];
		tw_desired_rebase_steps(policy->rules[i].steppers, &to->rules[i], before[was].steppers,
					&from->rules[was]);
	}
}

void tw_policy_leave(struct tw_policy *policy, const struct tw_scene *scene, const char *reason)
{
	for (unsigned i = 0; i < policy->alert_count; i++)
		if (tw_alert_active(&policy->alerts[i]))
			tw_alert_tell_cleared(&policy->alerts[i], &scene->settings->rules[policy->alerts[i].rule],
					      reason, scene);
	memset(policy->rules, 0, scene->settings->rule_count * sizeof(policy->rules[0]));
	policy->alert_count = 0;
}

/* ---- how it stands */

bool tw_policy_rests(const struct tw_policy *policy)
{
	for (unsigned i = 0; i < policy->alert_count; i++)
		if (policy->alerts[i].state != TW_RULE_NORMAL)
			return false;
	return true;
}

bool tw_policy_is_raised(const struct tw_policy *policy, unsigned index)
{
	const struct tw_alert *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, index, &i));)
		if (tw_alert_active(alert))
			return true;
	return false;
}

unsigned tw_policy_raised(const struct tw_policy *policy, const struct tw_settings *settings)
{
	unsigned raised = 0;

	for (unsigned i = 0; i < settings->rule_count; i++)
		raised += tw_policy_is_raised(policy, i);
	return raised;
}

struct tw_rule_situation tw_policy_situation(const struct tw_policy *policy, const struct tw_settings *settings,
					     unsigned index, const struct tw_sample *sample)
{
	const struct tw_rule_settings *rule = &settings->rules[index];
	const struct tw_alert *worst = tw_alert_list_worst(policy, index, rule);
	struct tw_rule_situation situation = { .rule = rule, .since_usec = policy->rules[index].normal_usec };
	struct tw_reading_row row;

	if (worst) {
		situation.state = worst->state;
		situation.since_usec = worst->entered_usec;
		situation.value = worst->frozen ? tw_value_unknown() : worst->value;
		situation.forecast = tw_alert_active(worst) && worst->ahead && worst->value.milli < rule->raise_milli;
		situation.subject = worst->subject;
		return situation;
	}
	if (policy->rules[index].known && policy->rules[index].blind == 0) {
		tw_reading_worst(sample, rule, &row);
		situation.value = row.reading.value;
	}
	return situation;
}
