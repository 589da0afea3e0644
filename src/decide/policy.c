/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/policy.h"

#include "base/text.h"

#include <string.h>

void tw_policy_init(struct tw_policy *policy)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(policy->rules); i++)
		tw_rule_init(&policy->rules[i]);
}

static bool attributed(enum tw_metric metric)
{
	return tw_metric_info(metric)->source == TW_METRIC_FROM_SURVEY;
}

static struct tw_reading read_metric(const struct tw_sample *sample, enum tw_metric metric)
{
	struct tw_reading reading = {
		.value = tw_sample_metric(sample, metric),
		.at_usec = tw_sample_metric_at(sample, metric),
		.confirmed = attributed(metric),
	};

	reading.pressure = metric == TW_METRIC_PORT_USE ? sample->survey.port_demand : reading.value;
	return reading;
}

static void find_subject(const struct tw_sample *sample, enum tw_metric metric, struct tw_subject *ret)
{
	if (metric != TW_METRIC_PORT_USE)
		return;
	ret->has_destination = sample->survey.has_busiest && sample->survey.top_count > 0;
	if (ret->has_destination)
		ret->destination = sample->survey.top[0].key;
}

static struct tw_event rule_event(enum tw_event_kind kind, const struct tw_rule_settings *settings,
				  const struct tw_rule *rule)
{
	return (struct tw_event){
		.kind = kind,
		.severity = settings->severity,
		.rule = settings,
		.has_metric = true,
		.metric = settings->metric,
		.value = rule->value,
		.threshold = tw_value_of(settings->raise_milli),
		.subject = rule->subject,
	};
}

static void tell_frozen(const struct tw_rule_settings *settings, const struct tw_rule *rule,
			struct tw_recorder *recorder, const char *namespace)
{
	struct tw_event event = rule_event(TW_EVENT_PARTIAL, settings, rule);
	struct tw_text reason;

	event.severity = TW_SEVERITY_WARNING;
	event.value = tw_value_unknown();
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_addf(&reason, "%s has no value now; rule %s stays as it is until it has one",
		     tw_metric_info(settings->metric)->name, settings->name);
	if (!rule->known && tw_metric_info(settings->metric)->host_only)
		tw_text_add(&reason, " (the kernel tells it in the first network namespace only)");
	recorder->tell(recorder, namespace, &event);
}

static void tell_cleared(const struct tw_rule_settings *settings, const struct tw_rule *rule, usec_t now_usec,
			 const char *reason, struct tw_recorder *recorder, const char *namespace)
{
	struct tw_event event = rule_event(TW_EVENT_CLEARED, settings, rule);

	event.threshold = tw_value_of(settings->clear_milli);
	event.lasted_usec = tw_usec_since(now_usec, rule->raised_usec);
	(void)tw_text_copy(event.reason, sizeof(event.reason), reason);
	recorder->tell(recorder, namespace, &event);
}

static void tell_edge(enum tw_rule_edge edge, const struct tw_rule_settings *settings, const struct tw_rule *rule,
		      const struct tw_sample *sample, unsigned top, usec_t now_usec, struct tw_recorder *recorder,
		      const char *namespace)
{
	struct tw_event event;

	switch (edge) {
	case TW_RULE_NO_EDGE:
		return;
	case TW_RULE_EDGE_FROZEN:
		tell_frozen(settings, rule, recorder, namespace);
		return;
	case TW_RULE_EDGE_CLEARED:
		tell_cleared(settings, rule, now_usec, "", recorder, namespace);
		return;
	case TW_RULE_EDGE_RAISED:
	case TW_RULE_EDGE_REMINDED:
		event = rule_event(edge == TW_RULE_EDGE_RAISED ? TW_EVENT_RAISED : TW_EVENT_REMINDED, settings, rule);
		event.sample = sample;
		event.top = top;
		event.lasted_usec = tw_usec_since(now_usec, rule->raised_usec);
		recorder->tell(recorder, namespace, &event);
		return;
	}
}

/* Whether `settings` goes before the winner so far; an equal severity leaves the earlier one in place. */
static bool goes_before(const struct tw_rule_settings *settings, const struct tw_desire *winner)
{
	return !winner->wanted || settings->severity > winner->rule->severity;
}

static void add_desires(const struct tw_rule_settings *settings, const struct tw_rule *rule, struct tw_desires *desires)
{
	for (unsigned i = 0; i < settings->action_count; i++) {
		const struct tw_action *action = &settings->actions[i];
		struct tw_desire *desire = &desires->rows[action->tunable];

		if (goes_before(settings, desire))
			*desire = (struct tw_desire){
				.wanted = true,
				.value = action->value,
				.rule = settings,
				.subject = rule->subject,
				.metric_value = rule->value,
			};
	}
}

void tw_policy_step(struct tw_policy *policy, const struct tw_settings *settings, const struct tw_sample *sample,
		    usec_t now_usec, struct tw_recorder *recorder, const char *namespace,
		    struct tw_desires *ret_desires)
{
	memset(ret_desires, 0, sizeof(*ret_desires));
	for (unsigned i = 0; i < settings->rule_count; i++) {
		const struct tw_rule_settings *rule_settings = &settings->rules[i];
		struct tw_rule *rule = &policy->rules[i];
		struct tw_reading reading = read_metric(sample, rule_settings->metric);
		enum tw_rule_edge edge = tw_rule_step(rule, rule_settings, &reading, now_usec);

		if (edge == TW_RULE_EDGE_RAISED || edge == TW_RULE_EDGE_REMINDED)
			find_subject(sample, rule_settings->metric, &rule->subject);
		tell_edge(edge, rule_settings, rule, sample, settings->top, now_usec, recorder, namespace);
		if (tw_rule_active(rule))
			add_desires(rule_settings, rule, ret_desires);
	}
}

/* More sockets than the level allows to one destination; where the ports are not known yet, always. */
static bool could_raise(const struct tw_rule_settings *settings, const struct tw_sample *sample)
{
	uint64_t bound = tw_sample_port_bound(sample);
	struct tw_value most;

	if (settings->metric != TW_METRIC_PORT_USE)
		return true;
	most = tw_value_percent(bound, sample->survey.range_ports);
	return !most.known || most.milli >= settings->raise_milli;
}

bool tw_policy_wants_survey(const struct tw_policy *policy, const struct tw_settings *settings,
			    const struct tw_sample *sample)
{
	for (unsigned i = 0; i < settings->rule_count; i++) {
		if (!attributed(settings->rules[i].metric))
			continue;
		if (policy->rules[i].state != TW_RULE_NORMAL || could_raise(&settings->rules[i], sample))
			return true;
	}
	return false;
}

static const struct tw_rule *find_state(const struct tw_policy *policy, const struct tw_settings *from,
					const struct tw_rule_settings *settings)
{
	for (unsigned i = 0; i < from->rule_count; i++)
		if (strcmp(from->rules[i].name, settings->name) == 0 && from->rules[i].metric == settings->metric)
			return &policy->rules[i];
	return NULL;
}

static bool still_there(const struct tw_rule_settings *settings, const struct tw_settings *to)
{
	for (unsigned i = 0; i < to->rule_count; i++)
		if (strcmp(to->rules[i].name, settings->name) == 0 && to->rules[i].metric == settings->metric)
			return true;
	return false;
}

void tw_policy_rebase(struct tw_policy *policy, const struct tw_settings *from, const struct tw_settings *to,
		      usec_t now_usec, struct tw_recorder *recorder, const char *namespace)
{
	struct tw_policy rebased;

	tw_policy_init(&rebased);
	for (unsigned i = 0; i < from->rule_count; i++)
		if (tw_rule_active(&policy->rules[i]) && !still_there(&from->rules[i], to))
			tell_cleared(&from->rules[i], &policy->rules[i], now_usec,
				     "the configuration does not have this rule any more", recorder, namespace);
	for (unsigned i = 0; i < to->rule_count; i++) {
		const struct tw_rule *state = find_state(policy, from, &to->rules[i]);

		if (state)
			rebased.rules[i] = *state;
	}
	*policy = rebased;
}

unsigned tw_policy_raised(const struct tw_policy *policy, const struct tw_settings *settings)
{
	unsigned raised = 0;

	for (unsigned i = 0; i < settings->rule_count; i++)
		raised += tw_rule_active(&policy->rules[i]);
	return raised;
}
