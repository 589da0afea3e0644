/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/desired.h"

#include "base/text.h"
#include "decide/gate.h"

#include <string.h>

/* One action of one alert: what the parts of it need. */
struct hearing {
	const struct tw_desired_scene *scene;
	const struct tw_rule_settings *settings;
	struct tw_alert *alert;
	struct tw_alert_action *action;
	enum tw_tunable tunable;
	struct tw_tunable_value value; /* that is wanted */
};

/* Of the action of this index. */
static struct hearing hear(const struct tw_desired_scene *scene, const struct tw_rule_settings *settings,
			   struct tw_alert *alert, unsigned index)
{
	return (struct hearing){
		.scene = scene,
		.settings = settings,
		.alert = alert,
		.action = &alert->actions[index],
		.tunable = settings->actions[index].tunable,
		.value = settings->actions[index].value,
	};
}

static bool is_ours(const struct hearing *it)
{
	return it->scene->in_force->rows[it->tunable].ours;
}

static bool is_yielded(const struct hearing *it)
{
	return it->scene->in_force->rows[it->tunable].yielded;
}

/* ---- what is told */

static struct tw_event sysctl_event(const struct hearing *it, enum tw_event_kind kind, enum tw_severity severity)
{
	return (struct tw_event){
		.kind = kind,
		.severity = severity,
		.rule = it->settings,
		.has_metric = true,
		.metric = it->settings->metric,
		.value = it->alert->value,
		.has_sysctl = true,
		.sysctl = it->tunable,
		.new = { .value = it->value, .known = true },
		.subject = it->alert->subject,
	};
}

static void tell(const struct hearing *it, const struct tw_event *event)
{
	if (!it->alert->quiet)
		it->scene->recorder->tell(it->scene->recorder, it->scene->namespace, event);
}

static void tell_refused(const struct hearing *it, enum tw_gate_verdict verdict)
{
	struct tw_event event = sysctl_event(it, TW_EVENT_REFUSED, TW_SEVERITY_WARNING);
	struct tw_text reason, advice;

	if (it->alert->mild)
		event.severity = tw_alert_severity(it->alert, it->settings);
	event.old = it->scene->sample->gauge.sysctls[it->tunable];
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	tw_gate_explain(verdict, it->tunable, it->scene->sample, &it->alert->subject, &reason, &advice);
	tell(it, &event);
}

static void tell_resting(const struct hearing *it, usec_t left_usec)
{
	struct tw_event event = sysctl_event(it, TW_EVENT_REFUSED, TW_SEVERITY_WARNING);
	struct tw_text reason, advice;

	event.old = it->scene->sample->gauge.sysctls[it->tunable];
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_add(&reason, "it made no difference ");
	tw_value_add_span(&reason, tw_usec_since(it->scene->now_usec, it->action->proof.since_usec));
	tw_text_add(&reason, " ago, and is not tried again for another ");
	tw_value_add_span(&reason, left_usec);
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	tw_text_add(&advice, tw_gate_other_remedy(it->tunable));
	tell(it, &event);
}

static void tell_stop(const struct hearing *it, const struct tw_stepper *stepper, const struct tw_action *step)
{
	struct tw_event event = sysctl_event(it, TW_EVENT_REFUSED, TW_SEVERITY_WARNING);
	struct tw_text reason, advice;

	event.old = it->scene->sample->gauge.sysctls[it->tunable];
	event.new = (struct tw_live_value){ .value.numbers[0] = stepper->refused, .known = true };
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	tw_stepper_explain(stepper, step, it->scene->sample, &reason, &advice);
	tell(it, &event);
}

/* ---- what is wanted */

/* Whether `settings` goes before the winner so far; an equal severity leaves the earlier one in place. */
static bool goes_before(const struct tw_rule_settings *settings, bool advised, const struct tw_desire *winner)
{
	if (!winner->wanted || advised != winner->advised)
		return !winner->wanted || !advised;
	return settings->severity > winner->rule->severity;
}

static void add_desire(struct tw_desired to, const struct hearing *it)
{
	struct tw_desire *desire = &to.desires->rows[it->tunable];

	to.desires->any = true;
	if (goes_before(it->settings, to.advised, desire))
		*desire = (struct tw_desire){
			.wanted = true,
			.advised = to.advised,
			.value = it->value,
			.rule = it->settings,
			.subject = it->alert->subject,
			.metric_value = it->alert->value,
		};
}

/* The configuration has no more of them than there is room for; were it so, the later ones would wait. */
static void add_kill(struct tw_desired to, const struct tw_destroy *destroy, const struct tw_rule_settings *settings,
		     const struct tw_alert *alert)
{
	struct tw_kill_orders *kills = to.kills;

	if (kills->count == TW_KILLS_MAX)
		return;
	kills->rows[kills->count].advised = to.advised;
	kills->rows[kills->count].destroy = destroy;
	kills->rows[kills->count].rule = settings;
	kills->rows[kills->count++].subject = alert->subject;
}

/* Another value than the one that made no difference is another action. */
static bool rests(const struct hearing *it, usec_t *ret_left_usec)
{
	return it->settings->proof && tw_proof_rests(&it->action->proof, it->scene->now_usec, ret_left_usec) &&
	       tw_tunable_equal(it->tunable, &it->action->proof.value, &it->value);
}

static bool refuse_resting(const struct hearing *it)
{
	usec_t left_usec;
	bool resting = rests(it, &left_usec);

	if (resting && !it->action->rest_told)
		tell_resting(it, left_usec);
	it->action->rest_told = resting;
	return resting;
}

/* That what ends needs nothing any more is no news. */
static bool is_over(const struct hearing *it, enum tw_gate_verdict verdict)
{
	return it->alert->state == TW_RULE_CLEARING &&
	       (verdict == TW_GATE_PORTS_FREE || verdict == TW_GATE_SERVER_SIDE || verdict == TW_GATE_NO_OVERFLOW ||
		verdict == TW_GATE_NO_FIN_WAIT_2);
}

static bool refuse_at_gate(const struct hearing *it)
{
	enum tw_gate_verdict verdict = it->settings->gate ? tw_gate_check(it->tunable, &it->value, it->scene->sample,
									  &it->alert->subject, is_ours(it))
							  : TW_GATE_OPEN;
	int told = tw_gate_told(verdict, it->scene->sample, &it->alert->subject);
	bool refused = verdict != TW_GATE_OPEN;

	if (is_over(it, verdict))
		return refused;
	if (refused && it->action->refused_told && tw_gate_is_told(it->action->refused, told))
		return true;
	if (refused)
		tell_refused(it, verdict);
	it->action->refused_told = refused;
	it->action->refused = told;
	return refused;
}

/*
 * What is in force stays, ours or somebody else's, but that something else has come to hold the ports is told, once:
 * while there are too many of them, not of the few that are left in the end.
 */
static void tell_turned(const struct hearing *it)
{
	enum tw_gate_verdict verdict = it->settings->gate ? tw_gate_check(it->tunable, &it->value, it->scene->sample,
									  &it->alert->subject, is_ours(it))
							  : TW_GATE_OPEN;
	int told = tw_gate_told(verdict, it->scene->sample, &it->alert->subject);
	bool turned = verdict >= TW_GATE_HELD_ESTABLISHED && verdict <= TW_GATE_BIND_SHORT;

	if (!turned || it->alert->state != TW_RULE_RAISED ||
	    (it->action->refused_told && tw_gate_is_told(it->action->refused, told)))
		return;
	tell_refused(it, verdict);
	it->action->refused_told = true;
	it->action->refused = told;
}

/* What is in force for it stays until it ends; what is somebody else's passes, or it would be forgotten that it is. */
static bool is_wanted(const struct hearing *it)
{
	if (!is_yielded(it) && refuse_resting(it))
		return false;
	if (is_yielded(it) || (it->action->wanted && is_ours(it))) {
		tell_turned(it);
		return true;
	}
	return !refuse_at_gate(it);
}

/* Of what has only not cleared yet nobody is short: a change is begun for it where it comes to be over the level again.
 */
static bool begins_late(const struct hearing *it)
{
	return !it->action->wanted && !it->alert->over && !is_yielded(it);
}

void tw_desired_add(struct tw_desired to, struct tw_alert *alert, const struct tw_rule_settings *settings, bool first,
		    const struct tw_desired_scene *scene)
{
	for (unsigned i = 0; i < settings->action_count; i++) {
		const struct tw_action *action = &settings->actions[i];
		struct hearing it = hear(scene, settings, alert, i);

		switch (action->kind) {
		case TW_ACTION_SET:
			it.action->wanted = is_wanted(&it) && !begins_late(&it);
			if (it.action->wanted)
				add_desire(to, &it);
			break;
		case TW_ACTION_STEP:
			break;
		case TW_ACTION_DESTROY:
			if (first)
				add_kill(to, &action->destroy, settings, alert);
			break;
		}
	}
}

void tw_desired_add_steps(struct tw_desired to, struct tw_stepper steppers[TW_ACTIONS_MAX], struct tw_alert *worst,
			  const struct tw_rule_settings *settings, const struct tw_desired_scene *scene)
{
	for (unsigned i = 0; i < settings->action_count; i++) {
		const struct tw_action *action = &settings->actions[i];
		struct hearing it;
		bool stopped;

		if (action->kind != TW_ACTION_STEP)
			continue;
		stopped = tw_stepper_step(&steppers[i], action, settings, worst, scene->sample, scene->now_usec);
		if (!worst)
			continue;
		it = hear(scene, settings, worst, i);
		if (stopped)
			tell_stop(&it, &steppers[i], action);
		it.value.numbers[0] = steppers[i].wanted;
		it.action->wanted = tw_stepper_wants(&steppers[i]) && is_wanted(&it);
		if (it.action->wanted)
			add_desire(to, &it);
	}
}

/* ---- what came of it */

static void tell_effect(const struct hearing *it, const struct tw_proof_case *proof, enum tw_proof_edge edge)
{
	bool failed = edge == TW_PROOF_EDGE_NO_DIFFERENCE;
	struct tw_event event = sysctl_event(it, TW_EVENT_EFFECT, failed ? TW_SEVERITY_WARNING : TW_SEVERITY_NOTICE);
	struct tw_text reason, advice;

	event.effect = failed			      ? TW_EFFECT_NO_DIFFERENCE
		       : edge == TW_PROOF_EDGE_HELPED ? TW_EFFECT_HELPED
						      : TW_EFFECT_NOT_TESTED;
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_proof_explain(&it->action->proof, proof, &reason);
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	if (it->action->proof.state == TW_PROOF_RESTING) {
		tw_text_add(&advice, "it is not wanted for this any more, and not tried again for ");
		tw_value_add_span(&advice, it->action->proof.cooldown_usec);
		tw_text_addf(&advice, "; instead: %s", tw_gate_other_remedy(it->tunable));
	} else if (failed) {
		tw_text_add(&advice, "it stays: the rule's cooldown is 0");
	}
	tell(it, &event);
}

/* The value that is in force for this action, or NULL. */
static const struct tw_tunable_value *in_force(const struct hearing *it, bool steps)
{
	const struct tw_tunable_value *value = &it->scene->in_force->rows[it->tunable].value;

	if (!tw_alert_active(it->alert) || !it->action->wanted || !is_ours(it))
		return NULL;
	return steps || tw_tunable_equal(it->tunable, value, &it->value) ? value : NULL;
}

void tw_desired_prove(struct tw_alert *alert, const struct tw_rule_settings *settings,
		      const struct tw_stepper steppers[TW_ACTIONS_MAX], const struct tw_desired_scene *scene)
{
	for (unsigned i = 0; i < settings->action_count; i++) {
		const struct tw_action *action = &settings->actions[i];
		bool steps = action->kind == TW_ACTION_STEP;
		struct hearing it = hear(scene, settings, alert, i);
		struct tw_proof_case proof = {
			.tunable = action->tunable,
			.climbs = steps && steppers[i].stop == TW_STEPPER_GOES,
			.over = alert->state != TW_RULE_NORMAL,
			.subject = &alert->subject,
			.rule = settings,
			.proof_after_usec = scene->proof_after_usec,
			.sample = scene->sample,
			.now_usec = scene->now_usec,
		};
		enum tw_proof_edge edge;

		if (action->kind == TW_ACTION_DESTROY)
			continue;
		proof.value = in_force(&it, steps);
		edge = tw_proof_step(&it.action->proof, &proof);
		it.value = it.action->proof.value;
		if (edge != TW_PROOF_NO_EDGE)
			tell_effect(&it, &proof, edge);
		/* The effect says that it rests: again only where the alert comes back, and somebody waits for it. */
		it.action->rest_told = it.action->rest_told || edge == TW_PROOF_EDGE_NO_DIFFERENCE;
		if (!tw_alert_active(alert))
			it.action->wanted = it.action->refused_told = it.action->rest_told = false;
	}
}

bool tw_desired_rests(const struct tw_alert *alert, usec_t now_usec)
{
	usec_t left_usec;

	for (unsigned i = 0; i < TW_ACTIONS_MAX; i++)
		if (tw_proof_rests(&alert->actions[i].proof, now_usec, &left_usec))
			return true;
	return false;
}

/* ---- new settings */

void tw_desired_rebase_alert(struct tw_alert *alert, const struct tw_rule_settings *from,
			     const struct tw_rule_settings *to)
{
	struct tw_alert_action before[TW_ACTIONS_MAX];

	memcpy(before, alert->actions, sizeof(before));
	memset(alert->actions, 0, sizeof(alert->actions));
	for (unsigned i = 0; i < to->action_count; i++)
		for (unsigned j = 0; j < from->action_count; j++)
			if (to->actions[i].kind != TW_ACTION_DESTROY && from->actions[j].kind != TW_ACTION_DESTROY &&
			    to->actions[i].tunable == from->actions[j].tunable)
				alert->actions[i] = before[j];
}

void tw_desired_rebase_steps(struct tw_stepper to[TW_ACTIONS_MAX], const struct tw_rule_settings *to_settings,
			     const struct tw_stepper from[TW_ACTIONS_MAX], const struct tw_rule_settings *from_settings)
{
	for (unsigned i = 0; i < to_settings->action_count; i++) {
		tw_stepper_init(&to[i]);
		for (unsigned j = 0; j < from_settings->action_count; j++)
			tw_stepper_follow(&to[i], &to_settings->actions[i], &from[j], &from_settings->actions[j]);
	}
}
