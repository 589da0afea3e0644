/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/policy.h"

#include "base/macros.h"
#include "decide/alert-table.h"
#include "decide/desired.h"
#include "decide/reading.h"

#include <string.h>

_Static_assert(TW_RULES_MAX <= 64, "a bit for each rule");

/* From a tenth of its ports on a destination is looked at closely; before, that would be some memory for nothing. */
#define NEAR_MILLI (10 * 1000)

void tw_policy_init(struct tw_policy *policy, const struct tw_settings *settings, const char *namespace)
{
	policy->beside_host = strcmp(namespace, TW_NAMESPACE_HOST) != 0;
	policy->advising = 0;
	for (unsigned i = 0; i < settings->rule_count; i++)
		if (!tw_namespace_list_has(&settings->rules[i].namespaces, namespace))
			policy->advising |= UINT64_C(1) << i;
}

/* The kernel tells orphans and TCP's memory in the first namespace alone: elsewhere there is nothing to be looked at.
 */
static bool applies(const struct tw_policy *policy, const struct tw_rule_settings *settings)
{
	return !policy->beside_host || !tw_metric_info(settings->metric)->host_only;
}

/* ---- what is wanted */

static struct tw_desired_scene desired_scene(const struct tw_settings *settings, const struct tw_alert_scene *scene)
{
	return (struct tw_desired_scene){
		.sample = scene->sample,
		.in_force = scene->in_force,
		.proof_after_usec = settings->proof_after_usec,
		.now_usec = scene->now_usec,
		.recorder = scene->recorder,
		.namespace = scene->namespace,
	};
}

/* Whom a change is made for is told, however many others are. */
static void tell_wanting(struct tw_alert *alert, const struct tw_rule_settings *settings,
			 const struct tw_desires *desires, const struct tw_alert_scene *scene)
{
	for (unsigned i = 0; alert->quiet && i < settings->action_count; i++) {
		const struct tw_desire *desire = &desires->rows[settings->actions[i].tunable];

		if (settings->actions[i].kind == TW_ACTION_SET && desire->wanted && desire->rule == settings &&
		    tw_subject_equal(&desire->subject, &alert->subject))
			tw_alert_table_tell_raised(settings, alert, scene);
	}
}

/* A step or a destroy is one a rule, whatever the number of its alerts. */
static bool acts_for_worst(const struct tw_rule_settings *settings)
{
	for (unsigned i = 0; i < settings->action_count; i++)
		if (settings->actions[i].kind != TW_ACTION_SET)
			return true;
	return false;
}

static void want_each(struct tw_policy *policy, unsigned index, const struct tw_rule_settings *settings,
		      const struct tw_alert *worst, bool quiet, const struct tw_desired *to,
		      const struct tw_desired_scene *desired, const struct tw_alert_scene *scene)
{
	for (unsigned i = 0; i < policy->alert_count; i++) {
		struct tw_alert *alert = &policy->alerts[i];

		if (alert->rule != index || !tw_alert_active(alert) || alert->quiet != quiet)
			continue;
		tw_desired_add(*to, alert, settings, alert == worst, desired);
		tell_wanting(alert, settings, to->desires, scene);
	}
}

static void want(struct tw_policy *policy, unsigned index, const struct tw_settings *settings,
		 const struct tw_desired *to, const struct tw_alert_scene *scene)
{
	const struct tw_rule_settings *rule_settings = &settings->rules[index];
	const struct tw_desired_scene desired = desired_scene(settings, scene);
	struct tw_alert *worst = tw_alert_table_worst(policy, index, rule_settings);

	if (worst && !tw_alert_active(worst))
		worst = NULL;
	if (worst && worst->quiet && worst->state == TW_RULE_RAISED && acts_for_worst(rule_settings))
		tw_alert_table_tell_raised(rule_settings, worst, scene);
	/* Those that are told have their say first. */
	want_each(policy, index, rule_settings, worst, false, to, &desired, scene);
	want_each(policy, index, rule_settings, worst, true, to, &desired, scene);
	tw_desired_add_steps(*to, policy->rules[index].steppers, worst, rule_settings, &desired);
}

void tw_policy_step(struct tw_policy *policy, const struct tw_settings *settings, const struct tw_sample *sample,
		    const struct tw_in_force *in_force, usec_t now_usec, struct tw_recorder *recorder,
		    const char *namespace, struct tw_desires *ret_desires, struct tw_kill_orders *ret_kills)
{
	struct tw_desired to = { .desires = ret_desires, .kills = ret_kills };
	const struct tw_alert_scene scene = {
		.sample = sample,
		.in_force = in_force,
		.top = settings->top,
		.now_usec = now_usec,
		.recorder = recorder,
		.namespace = namespace,
	};

	if (ret_desires->any)
		memset(ret_desires, 0, sizeof(*ret_desires));
	ret_kills->count = 0;
	for (unsigned i = 0; i < settings->rule_count; i++) {
		bool measured;

		if (!applies(policy, &settings->rules[i]))
			continue;
		to.advised = policy->advising >> i & 1;
		measured = tw_alert_table_measure(policy, i, &settings->rules[i], &scene);
		want(policy, i, settings, &to, &scene);
		if (measured)
			tw_alert_table_tell_more(policy, i, &settings->rules[i], &scene);
		tw_alert_table_sweep(policy, i, now_usec);
	}
}

void tw_policy_prove(struct tw_policy *policy, const struct tw_settings *settings, const struct tw_sample *sample,
		     const struct tw_in_force *in_force, usec_t now_usec, struct tw_recorder *recorder,
		     const char *namespace)
{
	const struct tw_alert_scene scene = {
		.sample = sample,
		.in_force = in_force,
		.now_usec = now_usec,
		.recorder = recorder,
		.namespace = namespace,
	};
	const struct tw_desired_scene desired = desired_scene(settings, &scene);

	for (unsigned i = 0; i < policy->alert_count; i++) {
		struct tw_alert *alert = &policy->alerts[i];

		tw_desired_prove(alert, &settings->rules[alert->rule], policy->rules[alert->rule].steppers, &desired);
	}
}

/* ---- what the survey is to look at */

static bool is_key(const struct tw_destination *a, const struct tw_destination *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Whether take-overs of its ports would tell what a change does for it: not of one that is not made. */
static bool waits_for_takeovers(const struct tw_policy *policy, const struct tw_settings *settings,
				const struct tw_alert *alert)
{
	const struct tw_rule_settings *rule = &settings->rules[alert->rule];

	if (!alert->subject.has_destination || alert->state == TW_RULE_NORMAL || policy->advising >> alert->rule & 1)
		return false;
	for (unsigned i = 0; i < rule->action_count; i++) {
		const struct tw_alert_action *action = &alert->actions[i];

		if (rule->actions[i].kind == TW_ACTION_SET && rule->proof &&
		    tw_tunable_info(rule->actions[i].tunable)->evidence == TW_EVIDENCE_TAKEOVERS &&
		    tw_proof_wants_takeovers(&action->proof) && (action->wanted || !action->refused_told))
			return true;
	}
	return false;
}

/* Before anything is raised the busiest that nears a level: so a window of before the change is there. */
static const struct tw_destination *find_near(const struct tw_survey *survey)
{
	const struct tw_destination_row *row = tw_survey_row(survey, &survey->takeovers.key);

	if (!survey->has_busiest || survey->partial || survey->at_usec == 0 || survey->top_count == 0)
		return NULL;
	if (!row || survey->takeovers.from_usec != 0)
		row = &survey->top[0];
	return row->port_use.milli >= NEAR_MILLI ? &row->key : NULL;
}

/* They take turns, from the one that was looked at last; each has two looks before it is the next one's. */
bool tw_policy_evidence(const struct tw_policy *policy, const struct tw_settings *settings,
			const struct tw_sample *sample, struct tw_destination *ret)
{
	const struct tw_takeovers *last = &sample->survey.takeovers;
	const struct tw_destination *first = NULL, *next = NULL;
	bool passed = false;

	for (unsigned i = 0; i < policy->alert_count; i++) {
		const struct tw_destination *key = &policy->alerts[i].subject.destination;

		if (!waits_for_takeovers(policy, settings, &policy->alerts[i]))
			continue;
		if (!first)
			first = key;
		if (passed && !next && !is_key(key, &last->key))
			next = key;
		passed = passed || is_key(key, &last->key);
	}
	if (passed && last->from_usec == 0)
		first = &last->key;
	else if (next)
		first = next;
	else if (!first)
		first = find_near(&sample->survey);
	if (first)
		*ret = *first;
	return first;
}

static void watch(struct tw_watched *watched, const struct tw_destination *key)
{
	for (unsigned i = 0; i < watched->count; i++)
		if (is_key(&watched->keys[i], key))
			return;
	if (watched->count < TW_ARRAY_SIZE(watched->keys))
		watched->keys[watched->count++] = *key;
}

static void watch_each(const struct tw_policy *policy, bool active, struct tw_watched *watched)
{
	for (unsigned i = 0; i < policy->alert_count; i++) {
		const struct tw_alert *alert = &policy->alerts[i];

		if (alert->subject.has_destination && alert->state != TW_RULE_NORMAL &&
		    tw_alert_active(alert) == active)
			watch(watched, &alert->subject.destination);
	}
}

/* Those that are raised go before those that rise. */
void tw_policy_watched(const struct tw_policy *policy, struct tw_watched *ret)
{
	ret->count = 0;
	watch_each(policy, true, ret);
	watch_each(policy, false, ret);
}

/* ---- other settings */

static bool is_renamed(const struct tw_rule_settings *was, const struct tw_rule_settings *is)
{
	return strcmp(was->name, is->name) != 0;
}

static void tell_again(const struct tw_rule_settings *settings, const struct tw_alert *alert,
		       struct tw_recorder *recorder, const char *namespace)
{
	const struct tw_event event = {
		.kind = TW_EVENT_RAISED,
		.severity = tw_alert_severity(alert, settings),
		.rule = settings,
		.has_metric = true,
		.metric = settings->metric,
		.value = alert->value,
		.threshold = tw_value_of(settings->raise_milli),
		.subject = alert->subject,
	};

	recorder->tell(recorder, namespace, &event);
}

/*
 * The alerts of rules that are there still, under their new index; the others are told as cleared, and those of a rule
 * that has got another name alone under the new one.
 */
static void rebase_alerts(struct tw_policy *policy, const struct tw_settings *from, const struct tw_settings *to,
			  usec_t now_usec, struct tw_recorder *recorder, const char *namespace)
{
	for (unsigned i = 0; i < policy->alert_count;) {
		struct tw_alert *alert = &policy->alerts[i];
		const struct tw_rule_settings *was = &from->rules[alert->rule];
		int is = tw_settings_counterpart(to, from, was);

		if (tw_alert_active(alert) && (is < 0 || is_renamed(was, &to->rules[is])))
			tw_alert_table_tell_cleared(was, alert, now_usec,
						    "the configuration does not have this rule any more", recorder,
						    namespace);
		if (is < 0) {
			tw_alert_table_drop(policy, i);
			continue;
		}
		tw_desired_rebase_alert(alert, was, &to->rules[is]);
		alert->rule = (unsigned)is;
		if (tw_alert_active(alert) && !alert->quiet && is_renamed(was, &to->rules[is]))
			tell_again(&to->rules[is], alert, recorder, namespace);
		i++;
	}
}

void tw_policy_rebase(struct tw_policy *policy, const struct tw_settings *from, const struct tw_settings *to,
		      usec_t now_usec, struct tw_recorder *recorder, const char *namespace)
{
	struct tw_policy_rule before[TW_RULES_MAX];

	rebase_alerts(policy, from, to, now_usec, recorder, namespace);
	memcpy(before, policy->rules, from->rule_count * sizeof(before[0]));
	/* Of the memory only what was in use is touched. */
	memset(policy->rules, 0, from->rule_count * sizeof(policy->rules[0]));
	tw_policy_init(policy, to, namespace);
	for (unsigned i = 0; i < to->rule_count; i++) {
		int was = tw_settings_counterpart(from, to, &to->rules[i]);

		if (was < 0)
			continue;
		policy->rules[i] = before[was];
		tw_desired_rebase_steps(policy->rules[i].steppers, &to->rules[i], before[was].steppers,
					&from->rules[was]);
	}
}

void tw_policy_leave(struct tw_policy *policy, const struct tw_settings *settings, usec_t now_usec, const char *reason,
		     struct tw_recorder *recorder, const char *namespace)
{
	for (unsigned i = 0; i < policy->alert_count; i++) {
		struct tw_alert *alert = &policy->alerts[i];

		if (tw_alert_active(alert))
			tw_alert_table_tell_cleared(&settings->rules[alert->rule], alert, now_usec, reason, recorder,
						    namespace);
	}
	memset(policy->rules, 0, settings->rule_count * sizeof(policy->rules[0]));
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
	for (unsigned i = 0; i < policy->alert_count; i++)
		if (policy->alerts[i].rule == index && tw_alert_active(&policy->alerts[i]))
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
	const struct tw_rule_settings *rule_settings = &settings->rules[index];
	const struct tw_policy_rule *rule = &policy->rules[index];
	const struct tw_alert *worst = tw_alert_table_worst(policy, index, rule_settings);
	struct tw_rule_situation situation = { .rule = rule_settings, .since_usec = rule->normal_usec };
	struct tw_reading_row row;

	if (worst) {
		situation.state = worst->state;
		situation.since_usec = worst->entered_usec;
		situation.value = worst->frozen ? tw_value_unknown() : worst->value;
		situation.forecast =
			tw_alert_active(worst) && worst->ahead && worst->value.milli < rule_settings->raise_milli;
		situation.subject = worst->subject;
		return situation;
	}
	if (rule->known && rule->blind == 0) {
		tw_reading_worst(sample, rule_settings, &row);
		situation.value = row.reading.value;
	}
	return situation;
}
