/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/policy.h"

#include "base/text.h"
#include "decide/reading.h"
#include "decide/wish.h"

#include <string.h>

/* What a step takes place in. */
struct scene {
	const struct tw_sample *sample;
	unsigned top;
	usec_t now_usec;
	struct tw_recorder *recorder;
	const char *namespace;
};

_Static_assert(TW_RULES_MAX <= 64, "a bit for each rule");

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

static bool attributed(enum tw_metric metric)
{
	return tw_metric_info(metric)->source == TW_METRIC_FROM_SURVEY;
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
	const struct tw_metric_info *info = tw_metric_info(settings->metric);
	struct tw_event event = rule_event(TW_EVENT_PARTIAL, settings, rule);
	struct tw_text reason;

	event.severity = TW_SEVERITY_WARNING;
	event.value = tw_value_unknown();
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_addf(&reason, "%s has no value now; rule %s stays as it is until it has one", info->name,
		     settings->name);
	if (!rule->known && info->host_only)
		tw_text_add(&reason, " (the kernel tells it in the first network namespace only)");
	if (!rule->known && info->since)
		tw_text_addf(&reason, " (the kernel tells it since %s)", info->since);
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

/* What the raise rests on where it is not the level, and how many sockets it is about. */
static void add_grounds(struct tw_event *event, const struct tw_rule_settings *settings, const struct tw_rule *rule,
			const struct tw_reading *reading, const struct tw_sample *sample)
{
	struct tw_text reason;

	if (rule->subject.unit[0] != '\0')
		event->has_count = tw_reading_count(sample, settings, rule->subject.unit, &event->count);
	if (!rule->ahead)
		return;
	/* With a long raise-for it can be at its level already. */
	event->forecast = rule->value.milli < settings->raise_milli;
	tw_text_init(&reason, event->reason, sizeof(event->reason));
	tw_text_add(&reason, "all ports are in use in ");
	tw_value_add(&reason, reading->eta, TW_UNIT_SECONDS);
	tw_text_add(&reason, " at the present rate");
}

static void tell_raised(enum tw_event_kind kind, const struct tw_rule_settings *settings, const struct tw_rule *rule,
			const struct tw_reading *reading, const struct scene *scene)
{
	struct tw_event event = rule_event(kind, settings, rule);

	event.sample = scene->sample;
	event.top = scene->top;
	event.lasted_usec = tw_usec_since(scene->now_usec, rule->raised_usec);
	if (kind == TW_EVENT_RAISED)
		add_grounds(&event, settings, rule, reading, scene->sample);
	scene->recorder->tell(scene->recorder, scene->namespace, &event);
}

static void tell_edge(enum tw_rule_edge edge, const struct tw_rule_settings *settings, struct tw_rule *rule,
		      const struct tw_reading *reading, const struct scene *scene)
{
	switch (edge) {
	case TW_RULE_NO_EDGE:
		return;
	case TW_RULE_EDGE_FROZEN:
		tell_frozen(settings, rule, scene->recorder, scene->namespace);
		return;
	case TW_RULE_EDGE_CLEARED:
		tell_cleared(settings, rule, scene->now_usec, "", scene->recorder, scene->namespace);
		return;
	case TW_RULE_EDGE_RAISED:
	case TW_RULE_EDGE_REMINDED:
		tw_reading_subject(scene->sample, settings, &rule->subject);
		tell_raised(edge == TW_RULE_EDGE_RAISED ? TW_EVENT_RAISED : TW_EVENT_REMINDED, settings, rule, reading,
			    scene);
		return;
	}
}

/* A rule whose steps are still needed does not clear: a remedy that works looks as if there were nothing to cure. */
static void add_need(struct tw_reading *reading, const struct tw_rule_settings *settings,
		     const struct tw_stepper *steppers, const struct tw_sample *sample)
{
	if (!reading->pressure.known || !tw_rule_settings_upward(settings))
		return;
	for (unsigned i = 0; i < settings->action_count; i++)
		if (tw_stepper_needed(&steppers[i], &settings->actions[i], sample))
			reading->pressure.milli = TW_MAX(reading->pressure.milli, settings->raise_milli);
}

void tw_policy_step(struct tw_policy *policy, const struct tw_settings *settings, const struct tw_sample *sample,
		    usec_t now_usec, struct tw_recorder *recorder, const char *namespace,
		    struct tw_desires *ret_desires, struct tw_kill_orders *ret_kills)
{
	struct tw_wishes wishes = { .desires = ret_desires, .kills = ret_kills };
	const struct scene scene = {
		.sample = sample,
		.top = settings->top,
		.now_usec = now_usec,
		.recorder = recorder,
		.namespace = namespace,
	};

	if (ret_desires->any)
		memset(ret_desires, 0, sizeof(*ret_desires));
	ret_kills->count = 0;
	for (unsigned i = 0; i < settings->rule_count; i++) {
		const struct tw_rule_settings *rule_settings = &settings->rules[i];
		struct tw_rule *rule = &policy->rules[i];
		struct tw_reading reading = tw_reading_take(sample, rule_settings);
		enum tw_rule_edge edge;

		if (!applies(policy, rule_settings))
			continue;
		wishes.advised = policy->advising >> i & 1;
		add_need(&reading, rule_settings, policy->steppers[i], sample);
		edge = tw_rule_step(rule, rule_settings, &reading, now_usec);
		tell_edge(edge, rule_settings, rule, &reading, &scene);
		tw_wish_add(wishes, policy->steppers[i], rule_settings, rule, sample, now_usec, recorder, namespace);
	}
}

/*
 * Whether `taken` ports come to `range` within the span if sockets go on being added as since the crest. Where none
 * are, or nothing is known of it, they do not.
 */
static bool fills_within(const struct tw_sample *sample, struct tw_tally now, uint64_t taken, uint32_t range,
			 usec_t span_usec)
{
	const struct tw_tally *before = &sample->crest;
	unsigned __int128 added;

	if (range == 0 || before->at_usec == 0 || now.at_usec <= before->at_usec || now.sockets <= before->sockets)
		return false;
	if (taken >= range)
		return true;
	/* More than any range is as good, and keeps the products within 128 bits. */
	added = TW_MIN(now.sockets - before->sockets, (uint64_t)UINT32_MAX);
	return added * span_usec >= (unsigned __int128)(range - taken) * (now.at_usec - before->at_usec);
}

/* A level of port-eta as a span. */
static usec_t span_of(int64_t milli)
{
	return milli > 0 ? (usec_t)TW_MIN(milli, INT64_MAX / 1000) * TW_USEC_PER_MSEC : 0;
}

/* What the sysctls leave to connect(); 0: not known. */
static uint32_t live_range_ports(const struct tw_gauge *gauge)
{
	const struct tw_live_value *live = &gauge->sysctls[TW_TUNABLE_PORT_RANGE];
	int64_t low = live->value.numbers[0];
	int64_t high = live->value.numbers[1];
	uint32_t ports;

	if (!live->known || low < 0 || high > UINT16_MAX || low > high)
		return 0;
	ports = (uint32_t)(high - low + 1);
	return ports - TW_MIN(ports, gauge->reserved_ports);
}

/*
 * Of the last survey, which knows of listeners' ports too, but no more than the sysctls leave by now: somebody may have
 * narrowed the range since. Before the first survey, and after one that failed, what the sysctls have. 0: not known.
 */
static uint32_t range_ports(const struct tw_sample *sample)
{
	uint32_t surveyed = sample->survey.range_ports;
	uint32_t live = live_range_ports(&sample->gauge);

	return surveyed > 0 && live > 0 ? TW_MIN(surveyed, live) : TW_MAX(surveyed, live);
}

/* More sockets than the level allows to one destination; where the ports are not known yet, always. */
static bool could_raise(const struct tw_rule_settings *settings, const struct tw_sample *sample)
{
	uint64_t bound = tw_sample_port_bound(sample);
	uint32_t range = sample->survey.range_ports > 0 ? range_ports(sample) : 0;
	struct tw_value most = tw_value_percent(bound, range);

	/* A rule for few ports in use, or for much time left: no number of sockets speaks against it. */
	if (!most.known || tw_rule_settings_upward(settings) == (settings->metric == TW_METRIC_PORT_ETA))
		return true;
	if (settings->metric == TW_METRIC_PORT_ETA)
		return fills_within(sample, tw_gauge_tally(&sample->gauge), bound, range,
				    span_of(settings->raise_milli));
	if (most.milli >= settings->raise_milli)
		return true;
	return settings->forecast_usec > 0 && most.milli >= settings->raise_milli - settings->raise_milli / 2 &&
	       fills_within(sample, tw_gauge_tally(&sample->gauge), bound, range, settings->forecast_usec);
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

/* A server with more connections than the range has ports is in no hurry for that: what counts is one destination. */
static uint64_t ports_taken(const struct tw_sample *sample)
{
	const struct tw_survey *survey = &sample->survey;
	uint64_t bound = tw_sample_port_bound(sample);
	uint64_t held = survey->bound_ports;

	if (survey->at_usec == 0 || survey->partial)
		return bound;
	if (survey->has_busiest && survey->top_count > 0)
		held += survey->top[0].ports;
	return TW_MIN(bound, held);
}

bool tw_policy_would_hurry(const struct tw_settings *settings, const struct tw_sample *sample, struct tw_tally now)
{
	usec_t longest_usec = 0;

	for (unsigned i = 0; i < settings->rule_count; i++)
		if (settings->rules[i].metric == TW_METRIC_PORT_USE)
			longest_usec = TW_MAX(longest_usec, settings->rules[i].forecast_usec);
	return longest_usec > 0 && fills_within(sample, now, ports_taken(sample), range_ports(sample), longest_usec);
}

bool tw_policy_hurries(const struct tw_settings *settings, const struct tw_sample *sample)
{
	return tw_policy_would_hurry(settings, sample, tw_gauge_tally(&sample->gauge));
}

/* Of the memory only what was in use is touched. */
static void clear(struct tw_policy *policy, unsigned count)
{
	memset(policy->rules, 0, count * sizeof(policy->rules[0]));
	memset(policy->steppers, 0, count * sizeof(policy->steppers[0]));
}

static bool is_renamed(const struct tw_rule_settings *was, const struct tw_rule_settings *is)
{
	return strcmp(was->name, is->name) != 0;
}

void tw_policy_rebase(struct tw_policy *policy, const struct tw_settings *from, const struct tw_settings *to,
		      usec_t now_usec, struct tw_recorder *recorder, const char *namespace)
{
	const struct tw_policy before = *policy;

	for (unsigned i = 0; i < from->rule_count; i++) {
		int now = tw_settings_counterpart(to, from, &from->rules[i]);

		if (tw_rule_active(&before.rules[i]) && (now < 0 || is_renamed(&from->rules[i], &to->rules[now])))
			tell_cleared(&from->rules[i], &before.rules[i], now_usec,
				     "the configuration does not have this rule any more", recorder, namespace);
	}
	clear(policy, TW_MAX(from->rule_count, to->rule_count));
	tw_policy_init(policy, to, namespace);
	for (unsigned i = 0; i < to->rule_count; i++) {
		int was = tw_settings_counterpart(from, to, &to->rules[i]);
		struct tw_event event;

		if (was < 0)
			continue;
		policy->rules[i] = before.rules[was];
		tw_wish_rebase(policy->steppers[i], &to->rules[i], before.steppers[was], &from->rules[was]);
		if (!tw_rule_active(&policy->rules[i]) || !is_renamed(&from->rules[was], &to->rules[i]))
			continue;
		event = rule_event(TW_EVENT_RAISED, &to->rules[i], &policy->rules[i]);
		recorder->tell(recorder, namespace, &event);
	}
}

void tw_policy_leave(struct tw_policy *policy, const struct tw_settings *settings, usec_t now_usec, const char *reason,
		     struct tw_recorder *recorder, const char *namespace)
{
	for (unsigned i = 0; i < settings->rule_count; i++)
		if (tw_rule_active(&policy->rules[i]))
			tell_cleared(&settings->rules[i], &policy->rules[i], now_usec, reason, recorder, namespace);
	clear(policy, settings->rule_count);
}

bool tw_policy_rests(const struct tw_policy *policy, const struct tw_settings *settings)
{
	for (unsigned i = 0; i < settings->rule_count; i++)
		if (policy->rules[i].state != TW_RULE_NORMAL)
			return false;
	return true;
}

unsigned tw_policy_raised(const struct tw_policy *policy, const struct tw_settings *settings)
{
	unsigned raised = 0;

	for (unsigned i = 0; i < settings->rule_count; i++)
		raised += tw_rule_active(&policy->rules[i]);
	return raised;
}

struct tw_rule_situation tw_policy_situation(const struct tw_policy *policy, const struct tw_settings *settings,
					     unsigned index, const struct tw_sample *sample)
{
	const struct tw_rule *rule = &policy->rules[index];
	struct tw_rule_situation situation = {
		.rule = &settings->rules[index],
		.state = rule->state,
		.since_usec = rule->entered_usec,
		.value = rule->known && !rule->frozen ? rule->value : tw_value_unknown(),
	};

	if (rule->state == TW_RULE_NORMAL)
		return situation;
	situation.forecast = tw_rule_active(rule) && rule->ahead && rule->value.milli < situation.rule->raise_milli;
	tw_reading_subject(sample, situation.rule, &situation.subject);
	return situation;
}
