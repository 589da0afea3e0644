/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When ports are worth the cost of counting, and which: apart from the alerts, which live on whatever is counted. */
#include "decide/policy.h"

#include "base/macros.h"

#include <string.h>

/* From a tenth of its ports on a destination is looked at closely; before, that would be some memory for nothing. */
#define NEAR_MILLI (10 * 1000)

/*
 * Whether `taken` ports come to `range` within the span if sockets go on being added as since the peak. Where none
 * are, or nothing is known of it, they do not.
 */
static bool fills_within(const struct tw_sample *sample, struct tw_tally now, uint64_t taken, uint32_t range,
			 usec_t span_usec)
{
	const struct tw_tally *before = &sample->peak;
	unsigned __int128 added;

	if (range == 0 || before->at_usec == 0 || now.at_usec <= before->at_usec || now.sockets <= before->sockets)
		return false;
	if (taken >= range)
		return true;
	/* More than any range is as good, and keeps the products within 128 bits. */
	added = TW_MIN(now.sockets - before->sockets, (uint64_t)UINT32_MAX);
	return added * span_usec >= (unsigned __int128)(range - taken) * (now.at_usec - before->at_usec);
}

/*
 * Of the last survey, but no more than the sysctls leave by now: somebody may have narrowed the range since. Before the
 * first survey, and after one that failed, what the sysctls have. 0: not known.
 */
static uint32_t range_ports(const struct tw_sample *sample)
{
	uint32_t surveyed = sample->survey.usable, live = 0;
	uint16_t low, high;

	if (tw_gauge_port_range(&sample->gauge, &low, &high)) {
		live = (uint32_t)high - low + 1;
		live -= TW_MIN(live, sample->gauge.reserved_ports);
	}
	return surveyed > 0 && live > 0 ? TW_MIN(surveyed, live) : TW_MAX(surveyed, live);
}

/* More ports than the level allows to one destination; where the ports are not known yet, always. */
static bool could_raise(const struct tw_rule_settings *settings, const struct tw_sample *sample)
{
	uint64_t bound = tw_sample_port_bound(sample, UINT64_MAX);
	uint32_t range = sample->survey.usable > 0 ? range_ports(sample) : 0;
	struct tw_value most = tw_value_percent(bound, range);
	usec_t span_usec = settings->forecast_usec;

	/* A rule for few ports in use, or for much time left: no number of sockets speaks against it. */
	if (!most.known || tw_rule_settings_upward(settings) == (settings->metric == TW_METRIC_PORT_ETA))
		return true;
	if (settings->metric == TW_METRIC_PORT_ETA)
		span_usec = (usec_t)TW_MAX(TW_MIN(settings->raise_milli, INT64_MAX / 1000), 0) * TW_USEC_PER_MSEC;
	else if (most.milli >= settings->raise_milli)
		return true;
	else if (span_usec == 0 || most.milli < settings->raise_milli - settings->raise_milli / 2)
		return false;
	return fills_within(sample, tw_gauge_tally(&sample->gauge), bound, range, span_usec);
}

/* Ports that may be bound first, beside what the busiest destination has blocked, could reach the level. */
static bool may_hide(const struct tw_rule_settings *settings, const struct tw_survey *survey)
{
	uint64_t blocked = survey->top_count > 0 ? survey->top[0].blocked : survey->exclusive_ports;
	struct tw_value most = tw_value_percent(blocked + survey->unclear_ports, survey->usable);

	return survey->at_usec != 0 && !survey->partial && most.known && most.milli >= settings->raise_milli;
}

struct tw_survey_need tw_policy_survey_need(const struct tw_policy *policy, const struct tw_settings *settings,
					    const struct tw_sample *sample)
{
	struct tw_survey_need need = { 0 };

	for (unsigned i = 0; i < settings->rule_count; i++) {
		const struct tw_rule_settings *rule = &settings->rules[i];

		if (tw_metric_info(rule->metric)->source != TW_METRIC_FROM_SURVEY)
			continue;
		need.survey = need.survey || tw_alert_list_worst(policy, i, rule) || could_raise(rule, sample);
		need.exclusive = need.exclusive || need.survey || may_hide(rule, &sample->survey);
	}
	return need;
}

/*
 * Who was over every level at the last survey is known by it: what is opened since may be towards others, who are what
 * there is to hurry for.
 */
bool tw_policy_hurries(const struct tw_settings *settings, const struct tw_sample *sample, struct tw_tally now)
{
	usec_t longest_usec = 0;
	int64_t highest_milli = 0;
	uint64_t over;

	for (unsigned i = 0; i < settings->rule_count; i++)
		if (settings->rules[i].metric == TW_METRIC_PORT_USE && settings->rules[i].forecast_usec > 0) {
			longest_usec = TW_MAX(longest_usec, settings->rules[i].forecast_usec);
			highest_milli = TW_MAX(highest_milli, settings->rules[i].raise_milli);
		}
	if (longest_usec == 0)
		return false;
	over = (uint64_t)TW_MIN(highest_milli, 100000) * sample->survey.usable / 100000;
	return fills_within(sample, now, tw_sample_port_bound(sample, TW_MAX(over, 1)), range_ports(sample),
			    longest_usec);
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

static void watch(struct tw_watched *watched, const struct tw_alert *alert)
{
	const struct tw_destination *key = &alert->subject.destination;

	for (unsigned i = 0; i < watched->count; i++)
		if (is_key(&watched->keys[i], key))
			return;
	if (watched->count < TW_ARRAY_SIZE(watched->keys))
		watched->keys[watched->count++] = *key;
}

/* Those that are raised go before those that rise. */
void tw_policy_watched(const struct tw_policy *policy, struct tw_watched *ret)
{
	ret->count = 0;
	for (int active = 1; active >= 0; active--)
		for (unsigned i = 0; i < policy->alert_count; i++)
			if (policy->alerts[i].subject.has_destination && policy->alerts[i].state != TW_RULE_NORMAL &&
			    tw_alert_active(&policy->alerts[i]) == active)
				watch(ret, &policy->alerts[i]);
}
