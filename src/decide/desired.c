/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/desired.h"

#include "decide/gate.h"

#include <string.h>

/* One action of one alert: what the parts of it need. */
struct hearing {
	const struct tw_scene *scene;
	struct tw_alert *alert;
	struct tw_alert_action *action;
	enum tw_tunable tunable;
	struct tw_desire desire; /* what it would be */
};

/* Of the action of this index. */
static struct hearing hear(const struct tw_scene *scene, struct tw_alert *alert, unsigned index)
{
	const struct tw_rule_settings *rule = &scene->settings->rules[alert->rule];

	return (struct hearing){
		.scene = scene,
		.alert = alert,
		.action = &alert->actions[index],
		.tunable = rule->actions[index].tunable,
		.desire = {
			.wanted = true,
			.value = rule->actions[index].value,
			.rule = rule,
			.subject = alert->subject,
			.metric_value = alert->value,
		},
	};
}

/* ---- what is told */

void tw_notice_init(struct tw_notice *notice, enum tw_event_kind kind, enum tw_tunable tunable,
		    const struct tw_desire *desire, const struct tw_scene *scene)
{
	notice->event = (struct tw_event){
		.kind = kind,
		.severity = TW_SEVERITY_WARNING,
		.rule = desire->rule,
		.has_metric = true,
		.metric = desire->rule->metric,
		.value = desire->metric_value,
		.has_sysctl = true,
		.sysctl = tunable,
		.new = { .value = desire->value, .known = true },
		.subject = desire->subject,
	};
	if (kind == TW_EVENT_REFUSED)
		notice->event.old = scene->sample->gauge.sysctls[tunable];
	tw_text_init(&notice->reason, notice->event.reason, sizeof(notice->event.reason));
	tw_text_init(&notice->advice, notice->event.advice, sizeof(notice->event.advice));
}

static void begin_notice(struct tw_notice *notice, enum tw_event_kind kind, const struct hearing *it)
{
	tw_notice_init(notice, kind, it->tunable, &it->desire, it->scene);
}

static void tell(const struct hearing *it, const struct tw_notice *notice)
{
	if (!it->alert->quiet)
		tw_scene_tell(it->scene, &notice->event);
}

/* Once as long as its reason stands. */
static void tell_refused(const struct hearing *it, enum tw_gate_verdict verdict)
{
	int told = tw_gate_told(verdict, it->scene->sample, &it->alert->subject);
	struct tw_notice notice;

	if (it->action->refused_told && tw_gate_is_told(it->action->refused, told))
		return;
	begin_notice(&notice, TW_EVENT_REFUSED, it);
	if (it->alert->mild)
		notice.event.severity = tw_alert_severity(it->alert, it->desire.rule);
	tw_gate_explain(verdict, it->tunable, it->scene->sample, &it->alert->subject, &notice.reason, &notice.advice);
	tell(it, &notice);
	it->action->refused_told = true;
	it->action->refused = told;
}

static void tell_resting(const struct hearing *it, usec_t left_usec)
{
	struct tw_notice notice;

	begin_notice(&notice, TW_EVENT_REFUSED, it);
	tw_text_add(&notice.reason, "it made no difference ");
	tw_value_add_span(&notice.reason, tw_usec_since(it->scene->now_usec, it->action->proof.since_usec));
	tw_text_add(&notice.reason, " ago, and is not tried again for another ");
	tw_value_add_span(&notice.reason, left_usec);
	tw_text_add(&notice.advice, tw_gate_other_remedy(it->tunable));
	tell(it, &notice);
}

static void tell_stop(const struct hearing *it, const struct tw_stepper *stepper, const struct tw_action *step)
{
	struct tw_notice notice;

	begin_notice(&notice, TW_EVENT_REFUSED, it);
	notice.event.new.value.numbers[0] = stepper->refused;
	tw_stepper_explain(stepper, step, it->scene->sample, &notice.reason, &notice.advice);
	tell(it, &notice);
}

/* ---- what is wanted */

/* An equal severity leaves the earlier one in place. */
static void add_desire(struct tw_desired to, const struct hearing *it)
{
	struct tw_desire *winner = &to.desires->rows[it->tunable];
	bool first = !winner->wanted || (winner->advised && !to.advised);

	to.desires->any = true;
	if (first || (winner->advised == to.advised && it->desire.rule->severity > winner->rule->severity)) {
		*winner = it->desire;
		winner->advised = to.advised;
	}
}

/* The configuration has no more of them than there is room for; were it so, the later ones would wait. */
static void add_kill(struct tw_desired to, const struct tw_destroy *destroy, const struct hearing *it)
{
	if (to.kills->count < TW_KILLS_MAX)
		to.kills->rows[to.kills->count++] = (struct tw_kill_order){
			.advised = to.advised,
			.destroy = destroy,
			.rule = it->desire.rule,
			.subject = it->alert->subject,
		};
}

/* Another value than the one that made no difference is another action. */
static bool refuse_resting(const struct hearing *it)
{
	const struct tw_proof *proof = &it->action->proof;
	usec_t left_usec = it->desire.rule->proof && tw_tunable_equal(it->tunable, &proof->value, &it->desire.value)
				   ? tw_proof_rests(proof, it->scene->now_usec)
				   : 0;

	if (left_usec > 0 && !it->action->rest_told)
		tell_resting(it, left_usec);
	it->action->rest_told = left_usec > 0;
	return left_usec > 0;
}

static bool refuse_at_gate(const struct hearing *it, enum tw_gate_verdict verdict)
{
	/* That what ends needs nothing any more is no news. */
	if (it->alert->state == TW_RULE_CLEARING &&
	    (verdict == TW_GATE_PORTS_FREE || verdict == TW_GATE_SERVER_SIDE || verdict == TW_GATE_NO_OVERFLOW ||
	     verdict == TW_GATE_NO_FIN_WAIT_2))
		return true;
	if (verdict == TW_GATE_OPEN)
		it->action->refused_told = false;
	else
		tell_refused(it, verdict);
	return verdict != TW_GATE_OPEN;
}

/* What is in force for it stays until it ends; what is somebody else's passes, or it would be forgotten that it is. */
static bool is_wanted(const struct hearing *it)
{
	bool ours = it->scene->in_force->rows[it->tunable].ours;
	bool yielded = it->scene->in_force->rows[it->tunable].yielded;
	enum tw_gate_verdict verdict = TW_GATE_OPEN;

	if (!yielded && refuse_resting(it))
		return false;
	if (it->desire.rule->gate)
		verdict = tw_gate_check(it->tunable, &it->desire.value, it->scene->sample, &it->alert->subject, ours);
	if (!yielded && !(it->action->wanted && ours))
		return !refuse_at_gate(it, verdict);
	/*
	 * Ours or somebody else's, but that something else has come to hold the ports is told: while there are too many
	 * of them, not of the few that are left in the end.
	 */
	if (verdict >= TW_GATE_HELD_ESTABLISHED && verdict <= TW_GATE_BIND_SHORT && it->alert->state == TW_RULE_RAISED)
		tell_refused(it, verdict);
	return true;
}

void tw_desired_add(struct tw_desired to, struct tw_alert *alert, bool first, const struct tw_scene *scene)
{
	const struct tw_rule_settings *rule = &scene->settings->rules[alert->rule];

	for (unsigned i = 0; i < rule->action_count; i++) {
		struct hearing it = hear(scene, alert, i);
		bool goes_on;

		if (rule->actions[i].kind == TW_ACTION_DESTROY && first)
			add_kill(to, &rule->actions[i].destroy, &it);
		if (rule->actions[i].kind != TW_ACTION_SET)
			continue;
		/*
		 * Of what has only not cleared yet nobody is short: a change is begun for it where it comes to be over
		 * the level again. And none on the strength of a dump that was interrupted.
		 */
		goes_on = it.action->wanted || scene->in_force->rows[it.tunable].yielded ||
			  (alert->over && !alert->frozen);
		if (alert->frozen && !goes_on)
			continue;
		it.action->wanted = is_wanted(&it) && goes_on;
		if (it.action->wanted)
			add_desire(to, &it);
	}
}

void tw_desired_add_steps(struct tw_desired to, struct tw_stepper steppers[TW_ACTIONS_MAX], struct tw_alert *worst,
			  const struct tw_rule_settings *settings, const struct tw_scene *scene)
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
		it = hear(scene, worst, i);
		if (stopped)
			tell_stop(&it, &steppers[i], action);
		it.desire.value.numbers[0] = steppers[i].wanted;
		it.action->wanted = tw_stepper_wants(&steppers[i]) && is_wanted(&it);
		if (it.action->wanted)
			add_desire(to, &it);
	}
}

/* ---- what came of it */

static void tell_effect(const struct hearing *it, const struct tw_proof_case *proof, enum tw_proof_edge edge)
{
	bool failed = edge == TW_PROOF_EDGE_NO_DIFFERENCE;
	struct tw_notice notice;

	begin_notice(&notice, TW_EVENT_EFFECT, it);
	notice.event.severity = failed ? TW_SEVERITY_WARNING : TW_SEVERITY_NOTICE;
	notice.event.effect = failed			     ? TW_EFFECT_NO_DIFFERENCE
			      : edge == TW_PROOF_EDGE_HELPED ? TW_EFFECT_HELPED
							     : TW_EFFECT_NOT_TESTED;
	tw_proof_explain(&it->action->proof, proof, &notice.reason);
	if (it->action->proof.state == TW_PROOF_RESTING) {
		tw_text_add(&notice.advice, "it is not wanted for this any more, and not tried again for ");
		tw_value_add_span(&notice.advice, it->action->proof.cooldown_usec);
		tw_text_addf(&notice.advice, "; instead: %s", tw_gate_other_remedy(it->tunable));
	} else if (failed) {
		tw_text_add(&notice.advice, "it stays: the rule's cooldown is 0");
	}
	tell(it, &notice);
}

void tw_desired_prove(struct tw_alert *alert, const struct tw_stepper steppers[TW_ACTIONS_MAX],
		      const struct tw_scene *scene)
{
	const struct tw_rule_settings *rule = &scene->settings->rules[alert->rule];

	for (unsigned i = 0; i < rule->action_count; i++) {
		bool steps = rule->actions[i].kind == TW_ACTION_STEP;
		struct hearing it = hear(scene, alert, i);
		const struct tw_tunable_value *value = &scene->in_force->rows[it.tunable].value;
		bool in_force = tw_alert_active(alert) && it.action->wanted && scene->in_force->rows[it.tunable].ours &&
				(steps || tw_tunable_equal(it.tunable, value, &it.desire.value));
		struct tw_proof_case proof = {
			.tunable = it.tunable,
			.value = in_force ? value : NULL,
			.climbs = steps && steppers[i].stop == TW_STEPPER_GOES,
			.over = alert->state != TW_RULE_NORMAL,
			.subject = &alert->subject,
			.rule = rule,
			.proof_after_usec = scene->settings->proof_after_usec,
			.sample = scene->sample,
			.now_usec = scene->now_usec,
		};
		enum tw_proof_edge edge;

		if (rule->actions[i].kind == TW_ACTION_DESTROY)
			continue;
		edge = tw_proof_step(&it.action->proof, &proof);
		it.desire.value = it.action->proof.value;
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
	for (unsigned i = 0; i < TW_ACTIONS_MAX; i++)
		if (tw_proof_rests(&alert->actions[i].proof, now_usec) > 0)
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
	memset(to, 0, TW_ACTIONS_MAX * sizeof(*to));
	for (unsigned i = 0; i < to_settings->action_count; i++)
		for (unsigned j = 0; j < from_settings->action_count; j++)
			tw_stepper_follow(&to[i], &to_settings->actions[i], &from[j], &from_settings->actions[j]);
}
