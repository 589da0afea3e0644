/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/watch.h"

#include "base/text.h"

#include <string.h>

/* For a rule that has none: the default of cooldown. */
#define PAUSE_USEC (10 * TW_USEC_PER_MINUTE)

void tw_watch_situation(const struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec,
			struct tw_situation *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->now_usec = now_usec;
	ret->rule_count = settings->rule_count;
	for (unsigned i = 0; i < settings->rule_count; i++)
		ret->rules[i] = tw_policy_situation(&watch->policy, settings, i, &watch->sample);
	for (size_t i = 0; watch->acting && i < TW_TUNABLE_COUNT; i++) {
		const struct tw_ledger_entry *entry = &watch->acting->reconciler.ledger.entries[i];
		struct tw_change_situation *change = &ret->changes[ret->change_count];

		if (entry->owner == TW_OWNER_NOBODY)
			continue;
		*change = (struct tw_change_situation){
			.sysctl = (enum tw_tunable)i,
			.yielded = entry->owner == TW_OWNER_YIELDED,
			.baseline = entry->baseline,
			.value = { .value = entry->written, .known = true },
		};
		if (change->yielded)
			change->value = watch->sample.gauge.sysctls[i];
		(void)tw_text_copy(change->rule, sizeof(change->rule), entry->rule);
		ret->change_count++;
	}
}

int tw_watch_pause(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	for (unsigned i = 0; watch->acting && i < settings->rule_count; i++) {
		const struct tw_rule_settings *rule = &settings->rules[i];
		usec_t pause_usec = rule->cooldown_usec > 0 ? rule->cooldown_usec : PAUSE_USEC;

		for (unsigned j = 0; tw_policy_is_raised(&watch->policy, i) && j < rule->action_count; j++)
			if (rule->actions[j].kind != TW_ACTION_DESTROY)
				tw_limits_pause(&watch->acting->limits, rule->actions[j].tunable, pause_usec, now_usec);
	}
	return tw_watch_give_back(watch);
}

int tw_watch_give_back(struct tw_watch *watch)
{
	int r;

	if (!watch->acting)
		return 0;
	watch->acting->at_rest = false;
	r = tw_reconcile_pause(&watch->acting->reconciler);
	tw_acting_note_foreign(watch->acting, &watch->sample);
	return r;
}

void tw_watch_leave(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec, const char *reason)
{
	const struct tw_scene scene = {
		.settings = settings, .now_usec = now_usec, .recorder = watch->edges.recorder, .namespace = watch->name
	};

	watch->left = true;
	tw_policy_leave(&watch->policy, &scene, reason);
	tw_watch_let_go(watch);
}

void tw_watch_give_up(struct tw_watch *watch)
{
	static const struct tw_desires none;

	if (watch->acting && !tw_reconcile_at_rest(&watch->acting->reconciler))
		tw_reconcile_run(&watch->acting->reconciler, &none, TW_MODE_ENFORCE);
}

int tw_watch_restore(struct tw_watch *watch)
{
	return watch->acting ? tw_reconcile_restore(&watch->acting->reconciler) : 0;
}

void tw_watch_let_go(struct tw_watch *watch)
{
	if (!watch->acting)
		return;
	watch->acting->at_rest = false;
	tw_acting_stop_search(watch->acting);
}
