/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/wish.h"

#include "base/text.h"

/* Whether `settings` goes before the winner so far; an equal severity leaves the earlier one in place. */
static bool goes_before(const struct tw_rule_settings *settings, bool advised, const struct tw_desire *winner)
{
	if (!winner->wanted || advised != winner->advised)
		return !winner->wanted || !advised;
	return settings->severity > winner->rule->severity;
}

static void add_desire(struct tw_wishes wishes, enum tw_tunable tunable, const struct tw_tunable_value *value,
		       const struct tw_rule_settings *settings, const struct tw_rule *rule)
{
	struct tw_desire *desire = &wishes.desires->rows[tunable];

	wishes.desires->any = true;
	if (goes_before(settings, wishes.advised, desire))
		*desire = (struct tw_desire){
			.wanted = true,
			.advised = wishes.advised,
			.value = *value,
			.rule = settings,
			.subject = rule->subject,
			.metric_value = rule->value,
		};
}

/* The configuration has no more of them than there is room for; were it so, the later ones would wait. */
static void add_kill(struct tw_wishes wishes, const struct tw_destroy *destroy, const struct tw_rule_settings *settings,
		     const struct tw_rule *rule)
{
	struct tw_kill_orders *kills = wishes.kills;

	if (kills->count == TW_KILLS_MAX)
		return;
	kills->rows[kills->count].advised = wishes.advised;
	kills->rows[kills->count].destroy = destroy;
	kills->rows[kills->count].rule = settings;
	kills->rows[kills->count++].subject = rule->subject;
}

static void tell_stop(const struct tw_stepper *stepper, const struct tw_action *action,
		      const struct tw_rule_settings *settings, const struct tw_rule *rule,
		      const struct tw_sample *sample, struct tw_recorder *recorder, const char *namespace)
{
	struct tw_event event = {
		.kind = TW_EVENT_REFUSED,
		.severity = TW_SEVERITY_WARNING,
		.rule = settings,
		.has_metric = true,
		.metric = settings->metric,
		.value = rule->value,
		.has_sysctl = true,
		.sysctl = action->tunable,
		.old = sample->gauge.sysctls[action->tunable],
		.new = { .value.numbers[0] = stepper->refused, .known = true },
		.subject = rule->subject,
	};
	struct tw_text reason, advice;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	tw_stepper_explain(stepper, action, sample, &reason, &advice);
	recorder->tell(recorder, namespace, &event);
}

void tw_wish_add(struct tw_wishes wishes, struct tw_stepper steppers[TW_ACTIONS_MAX],
		 const struct tw_rule_settings *settings, const struct tw_rule *rule, const struct tw_sample *sample,
		 usec_t now_usec, struct tw_recorder *recorder, const char *namespace)
{
	for (unsigned i = 0; i < settings->action_count; i++) {
		const struct tw_action *action = &settings->actions[i];
		struct tw_tunable_value stepped = { 0 };

		switch (action->kind) {
		case TW_ACTION_SET:
			if (tw_rule_active(rule))
				add_desire(wishes, action->tunable, &action->value, settings, rule);
			break;
		case TW_ACTION_STEP:
			if (tw_stepper_step(&steppers[i], action, settings, rule, sample, now_usec))
				tell_stop(&steppers[i], action, settings, rule, sample, recorder, namespace);
			stepped.numbers[0] = steppers[i].wanted;
			if (tw_stepper_wants(&steppers[i]))
				add_desire(wishes, action->tunable, &stepped, settings, rule);
			break;
		case TW_ACTION_DESTROY:
			if (tw_rule_active(rule))
				add_kill(wishes, &action->destroy, settings, rule);
			break;
		}
	}
}

void tw_wish_rebase(struct tw_stepper to[TW_ACTIONS_MAX], const struct tw_rule_settings *to_settings,
		    const struct tw_stepper from[TW_ACTIONS_MAX], const struct tw_rule_settings *from_settings)
{
	for (unsigned i = 0; i < to_settings->action_count; i++) {
		tw_stepper_init(&to[i]);
		for (unsigned j = 0; j < from_settings->action_count; j++)
			tw_stepper_follow(&to[i], &to_settings->actions[i], &from[j], &from_settings->actions[j]);
	}
}
