/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/simulate/replay.h"

#include "ctl/simulate/replay-sample.h"
#include "decide/reading.h"
#include "tell/record.h"

#include <errno.h>
#include <string.h>

#define ROOM_FIRST 1024

struct tw_replay {
	struct tw_recorder recorder; /* first: its address is the replay's */
	struct tw_settings *settings;
	const char *namespace; /* borrows */
	struct tw_policy policy;
	struct tw_sample sample; /* the one that was decided on last; its gauge at 0: none yet */
	struct tw_sample next;
	struct tw_close_wait_socket *waiters; /* two memories, for the one and the other */
	bool second;
	usec_t now_usec; /* CLOCK_REALTIME of what is being decided */
	struct tw_past_alerts recorded, simulated;
	int error; /* of the recorder */
	unsigned rule_count;
	struct tw_replay_rule rules[TW_RULES_MAX];
	size_t time_count, time_room;
	usec_t *times;
	struct tw_desires desires;
	struct tw_kill_orders kills;
};

static void tell(struct tw_recorder *recorder, const char *namespace TW_UNUSED, const struct tw_event *event)
{
	struct tw_replay *replay = (struct tw_replay *)recorder;

	if (event->kind == TW_EVENT_RAISED && replay->error >= 0)
		replay->error = tw_alerts_raise(&replay->simulated, event->rule->name, replay->now_usec);
	if (event->kind == TW_EVENT_CLEARED)
		tw_alerts_clear(&replay->simulated, event->rule->name, replay->now_usec);
}

/* ---- the rules */

static bool is_scoped(const struct tw_scope *scope)
{
	return scope->unit[0] != '\0' || scope->has_destination || scope->has_listener;
}

/* The age among those that samples tell that is the nearest from above; the last one for a still longer one. */
static usec_t told_age(usec_t age_usec)
{
	for (unsigned i = 0; i < TW_RECORD_AGES; i++)
		if (tw_record_ages[i] >= age_usec)
			return tw_record_ages[i];
	return tw_record_ages[TW_RECORD_AGES - 1];
}

static bool steps_buckets(const struct tw_rule_settings *rule)
{
	for (unsigned i = 0; i < rule->action_count; i++)
		if (rule->actions[i].kind == TW_ACTION_STEP && rule->actions[i].tunable == TW_TUNABLE_MAX_TW_BUCKETS)
			return true;
	return false;
}

static struct tw_replay_rule examine(struct tw_rule_settings *settings)
{
	struct tw_replay_rule rule = { .metric = settings->metric, .age_usec = settings->age_usec, .index = -1 };

	(void)tw_text_copy(rule.name, sizeof(rule.name), settings->name);
	rule.told_usec = settings->age_usec;
	if (is_scoped(&settings->scope))
		rule.limits |= TW_REPLAY_SCOPED;
	if (settings->metric == TW_METRIC_CLOSE_WAIT_AGED) {
		rule.told_usec = settings->age_usec = told_age(settings->age_usec);
		rule.limits |= rule.told_usec != rule.age_usec ? TW_REPLAY_AGE : 0u;
	}
	if (steps_buckets(settings))
		rule.limits |= TW_REPLAY_STEP;
	if (tw_metric_info(settings->metric)->source == TW_METRIC_FROM_SURVEY)
		rule.limits |= TW_REPLAY_SURVEY;
	return rule;
}

static void examine_all(struct tw_replay *replay)
{
	struct tw_settings *settings = replay->settings;
	unsigned kept = 0;

	replay->rule_count = settings->rule_count;
	for (unsigned i = 0; i < replay->rule_count; i++) {
		replay->rules[i] = examine(&settings->rules[i]);
		if (replay->rules[i].limits & TW_REPLAY_SCOPED)
			continue;
		replay->rules[i].index = (int)kept;
		if (kept != i)
			settings->rules[kept] = settings->rules[i];
		kept++;
	}
	settings->rule_count = kept;
}

int tw_replay_new(struct tw_settings *settings, const char *namespace, struct tw_replay **ret)
{
	struct tw_replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return -ENOMEM;
	replay->recorder.tell = tell;
	replay->settings = settings;
	replay->namespace = namespace;
	replay->waiters = calloc(2 * TW_REPLAY_WAITERS_MAX, sizeof(*replay->waiters));
	if (!replay->waiters) {
		(void)tw_replay_free(replay);
		return -ENOMEM;
	}
	examine_all(replay);
	tw_policy_init(&replay->policy, settings, namespace);
	*ret = replay;
	return 0;
}

struct tw_replay *tw_replay_free(struct tw_replay *replay)
{
	if (!replay)
		return NULL;
	tw_alerts_done(&replay->recorded);
	tw_alerts_done(&replay->simulated);
	free(replay->waiters);
	free(replay->times);
	free(replay);
	return NULL;
}

/* ---- the records */

static void decide(struct tw_replay *replay, usec_t at_usec, usec_t now_usec)
{
	static const struct tw_in_force nothing;
	const struct tw_scene scene = { replay->settings, &replay->sample, &nothing, at_usec, &replay->recorder, "" };

	replay->now_usec = now_usec;
	tw_policy_step(&replay->policy, &scene, &replay->desires, &replay->kills);
}

/* Another life of the daemon knows nothing of what was raised in the one before. */
static void begin_anew(struct tw_replay *replay, usec_t at_usec)
{
	tw_alerts_stop(&replay->simulated, at_usec);
	memset(&replay->policy, 0, sizeof(replay->policy));
	tw_policy_init(&replay->policy, replay->settings, replay->namespace);
	memset(&replay->sample, 0, sizeof(replay->sample));
}

static int note_time(struct tw_replay *replay, usec_t at_usec)
{
	size_t room = replay->time_room > 0 ? 2 * replay->time_room : ROOM_FIRST;
	usec_t *times = replay->times;

	if (replay->time_count == replay->time_room) {
		times = reallocarray(replay->times, room, sizeof(*times));
		if (!times)
			return -ENOMEM;
		replay->times = times;
		replay->time_room = room;
	}
	times[replay->time_count++] = at_usec;
	return 0;
}

static void count_values(struct tw_replay *replay)
{
	for (unsigned i = 0; i < replay->rule_count; i++) {
		struct tw_replay_rule *rule = &replay->rules[i];

		if (rule->index >= 0)
			rule->samples += tw_reading_known(&replay->sample, &replay->settings->rules[rule->index]);
	}
}

static int take_sample(struct tw_replay *replay, usec_t at_usec, const struct tw_record *record)
{
	struct tw_sample *sample = &replay->sample, *next = &replay->next;
	usec_t scan_usec;
	int r;

	if (!tw_replay_sample(record, replay->waiters + (replay->second ? TW_REPLAY_WAITERS_MAX : 0), next))
		return 0;
	r = note_time(replay, at_usec);
	if (r < 0)
		return r;
	replay->second = !replay->second;
	if (next->gauge.at_usec <= sample->gauge.at_usec)
		begin_anew(replay, at_usec);
	scan_usec = TW_MAX(next->census.at_usec, next->survey.at_usec);
	if (next->census.at_usec != sample->census.at_usec || next->survey.at_usec != sample->survey.at_usec) {
		struct tw_gauge gauge = sample->gauge, previous = sample->previous;

		*sample = *next;
		sample->gauge = gauge;
		sample->previous = previous;
		decide(replay, scan_usec, at_usec - TW_MIN(at_usec, next->gauge.at_usec - scan_usec));
	}
	*sample = *next;
	decide(replay, sample->gauge.at_usec, at_usec);
	count_values(replay);
	return replay->error;
}

int tw_replay_take(struct tw_replay *replay, usec_t at_usec, const struct tw_record *record)
{
	const char *rule = tw_past_text(record, "TIMEWAITD_RULE");
	enum tw_event_kind kind;

	if (!tw_past_event(record, &kind))
		return 0;
	switch ((int)kind) {
	case TW_EVENT_SAMPLE:
		return take_sample(replay, at_usec, record);
	case TW_EVENT_RAISED:
		return tw_alerts_raise(&replay->recorded, rule, at_usec);
	case TW_EVENT_CLEARED:
		tw_alerts_clear(&replay->recorded, rule, at_usec);
		return 0;
	case TW_EVENT_STARTED:
	case TW_EVENT_STOPPED:
		tw_alerts_stop(&replay->recorded, at_usec);
		begin_anew(replay, at_usec);
		return 0;
	}
	return 0;
}

struct tw_past_alerts *tw_replay_recorded(struct tw_replay *replay)
{
	return &replay->recorded;
}

struct tw_past_alerts *tw_replay_simulated(struct tw_replay *replay)
{
	return &replay->simulated;
}

static int compare(const void *a, const void *b)
{
	usec_t left = *(const usec_t *)a, right = *(const usec_t *)b;

	return (left > right) - (left < right);
}

/* The median of the spans between samples; 0 where there are none, or there is no memory to sort them. */
static usec_t find_apart(const struct tw_replay *replay)
{
	size_t count = replay->time_count > 1 ? replay->time_count - 1 : 0;
	usec_t *spans = count > 0 ? calloc(count, sizeof(*spans)) : NULL;
	usec_t median;

	if (!spans)
		return 0;
	for (size_t i = 0; i < count; i++)
		spans[i] = tw_usec_since(replay->times[i + 1], replay->times[i]);
	qsort(spans, count, sizeof(*spans), compare);
	median = spans[count / 2];
	free(spans);
	return median;
}

struct tw_replay_span tw_replay_span(const struct tw_replay *replay)
{
	struct tw_replay_span span = { .samples = replay->time_count };

	if (span.samples == 0)
		return span;
	span.from_usec = replay->times[0];
	span.to_usec = replay->times[span.samples - 1];
	span.apart_usec = find_apart(replay);
	return span;
}

unsigned tw_replay_rules(const struct tw_replay *replay, const struct tw_replay_rule **ret)
{
	*ret = replay->rules;
	return replay->rule_count;
}
