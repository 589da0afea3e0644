/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/snapshot.h"

#include "base/macros.h"
#include "tell/message.h"
#include "tell/rows.h"

/* A finding is one clause of some 200 bytes, and may name a unit and two addresses. */
#define FINDING_MAX 1024

static const char *const rule_states[] = {
	[TW_RULE_NORMAL] = "normal",
	[TW_RULE_RISING] = "rising",
	[TW_RULE_RAISED] = "raised",
	[TW_RULE_CLEARING] = "clearing",
};

static void add_string(struct tw_json *json, const char *key, const char *string)
{
	tw_json_string(tw_json_key(json, key), string);
}

static void add_number(struct tw_json *json, const char *key, bool known, uint64_t number)
{
	tw_json_key(json, key);
	if (known)
		tw_json_u64(json, number);
	else
		tw_json_null(json);
}

/* In thousandths. */
static void add_milli(struct tw_json *json, const char *key, bool known, int64_t milli)
{
	tw_json_key(json, key);
	if (known)
		tw_json_milli(json, milli);
	else
		tw_json_null(json);
}

static void add_numbers(struct tw_json *json, const struct tw_sample *sample)
{
	tw_json_object_begin(tw_json_key(json, "states"));
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		add_number(json, tw_state_name((enum tw_state)i), tw_known_census(sample) && sample->census.known[i],
			   sample->census.count[i]);
	tw_json_object_end(json);

	tw_json_object_begin(tw_json_key(json, "metrics"));
	for (unsigned i = TW_METRIC_STATE_LAST + 1; i < TW_METRIC_COUNT; i++) {
		enum tw_metric metric = (enum tw_metric)i;
		struct tw_value value = tw_known_number(metric, tw_sample_metric(sample, metric));

		add_milli(json, tw_metric_info(metric)->name, value.known, value.milli);
	}
	tw_json_object_end(json);

	/* Since the namespace was made: they only grow. */
	tw_json_object_begin(tw_json_key(json, "counters"));
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		add_number(json, tw_counter_name((enum tw_counter)i), sample->gauge.counters[i].known,
			   sample->gauge.counters[i].value);
	tw_json_object_end(json);
}

/* A sysctl as text, whatever it is. */
static void add_tunable(struct tw_json *json, const char *key, enum tw_tunable tunable,
			const struct tw_live_value *live)
{
	char value[TW_TUNABLE_VALUE_MAX];

	tw_json_key(json, key);
	if (live->known)
		tw_json_string(json, tw_tunable_format(tunable, &live->value, value));
	else
		tw_json_null(json);
}

static void add_limits(struct tw_json *json, const struct tw_sample *sample)
{
	const struct tw_gauge *gauge = &sample->gauge;
	const struct tw_live_value *range = &gauge->sysctls[TW_TUNABLE_PORT_RANGE];
	bool known = tw_known_survey(sample);

	tw_json_object_begin(tw_json_key(json, "limits"));
	add_number(json, "usable-ports", known, sample->survey.usable);
	add_number(json, "exclusive-ports", known, sample->survey.exclusive_ports);
	add_number(json, "bound-first-ports", known, sample->survey.bound_first_ports);
	add_number(json, "unclear-ports", known, sample->survey.unclear_ports);
	add_number(json, "range-low", range->known, (uint64_t)range->value.numbers[0]);
	add_number(json, "range-high", range->known, (uint64_t)range->value.numbers[1]);
	add_number(json, "reserved-ports", gauge->at_usec != 0, gauge->reserved_ports);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		enum tw_tunable tunable = (enum tw_tunable)i;
		const struct tw_live_value *live = &gauge->sysctls[i];

		if (live->known && tw_tunable_info(tunable)->kind == TW_TUNABLE_INTEGER)
			tw_json_i64(tw_json_key(json, tw_tunable_short_name(tunable)), live->value.numbers[0]);
		else
			add_tunable(json, tw_tunable_short_name(tunable), tunable, live);
	}
	tw_json_object_end(json);
}

/* Seconds; a time of 0 is none. */
static void add_age(struct tw_json *json, const char *key, usec_t at_usec, usec_t now_usec)
{
	add_milli(json, key, at_usec != 0, (int64_t)(tw_usec_since(now_usec, at_usec) / TW_USEC_PER_MSEC));
}

static void add_finding(struct tw_json *json, const struct tw_sample *sample, const struct tw_rule_situation *situation)
{
	const struct tw_event event = {
		.kind = TW_EVENT_RAISED,
		.severity = situation->rule->severity,
		.rule = situation->rule,
		.has_metric = true,
		.metric = situation->rule->metric,
		.value = situation->value,
		.threshold = tw_value_of(situation->rule->raise_milli),
		.subject = situation->subject,
		.sample = sample,
		.forecast = situation->forecast,
	};
	char bytes[FINDING_MAX];
	struct tw_text text;

	tw_json_key(json, "finding");
	if (situation->state == TW_RULE_NORMAL)
		return tw_json_null(json);
	tw_text_init(&text, bytes, sizeof(bytes));
	(void)tw_message_add_finding(&text, &event);
	tw_json_string(json, bytes);
}

static void add_rule(struct tw_json *json, const struct tw_sample *sample, const struct tw_rule_situation *situation,
		     usec_t now_usec)
{
	const struct tw_rule_settings *rule = situation->rule;
	struct tw_value value = tw_known_number(rule->metric, situation->value);

	tw_json_object_begin(json);
	add_string(json, "name", rule->name);
	add_string(json, "metric", tw_metric_info(rule->metric)->name);
	add_string(json, "state", rule_states[situation->state]);
	add_age(json, "since", situation->since_usec, now_usec);
	add_milli(json, "value", value.known, value.milli);
	add_milli(json, "raise", true, rule->raise_milli);
	add_milli(json, "clear", true, rule->clear_milli);
	add_string(json, "severity", tw_severity_name(rule->severity));
	add_finding(json, sample, situation);
	tw_json_object_end(json);
}

static void add_change(struct tw_json *json, const struct tw_change_situation *change)
{
	const struct tw_live_value baseline = { .value = change->baseline, .known = true };

	tw_json_object_begin(json);
	add_string(json, "sysctl", tw_tunable_info(change->sysctl)->key);
	add_tunable(json, "baseline", change->sysctl, &baseline);
	add_tunable(json, "value", change->sysctl, &change->value);
	add_string(json, "owner", change->yielded ? "yielded" : "ours");
	add_string(json, "rule", change->rule);
	tw_json_object_end(json);
}

static void add_situation(struct tw_json *json, const struct tw_sample *sample, const struct tw_situation *situation)
{
	const struct tw_cost *cost = &sample->cost;

	tw_json_object_begin(tw_json_key(json, "ages"));
	add_age(json, "gauge", sample->gauge.at_usec, situation->now_usec);
	add_age(json, "census", sample->census.at_usec, situation->now_usec);
	add_age(json, "survey", sample->survey.at_usec, situation->now_usec);
	tw_json_object_end(json);

	tw_json_array_begin(tw_json_key(json, "rules"));
	for (unsigned i = 0; i < situation->rule_count; i++)
		add_rule(json, sample, &situation->rules[i], situation->now_usec);
	tw_json_array_end(json);

	tw_json_array_begin(tw_json_key(json, "changes"));
	for (unsigned i = 0; i < situation->change_count; i++)
		add_change(json, &situation->changes[i]);
	tw_json_array_end(json);

	tw_json_object_begin(tw_json_key(json, "cost"));
	add_milli(json, "tick", cost->tick_usec != 0, (int64_t)cost->tick_usec);
	add_milli(json, "census", cost->census_usec != 0, (int64_t)cost->census_usec);
	add_milli(json, "survey", cost->survey_usec != 0, (int64_t)cost->survey_usec);
	add_milli(json, "total", cost->total_usec != 0, (int64_t)cost->total_usec);
	tw_json_object_end(json);
}

void tw_snapshot_add_json(struct tw_json *json, const char *namespace, const struct tw_sample *sample, unsigned top,
			  const struct tw_situation *situation)
{
	tw_json_object_begin(json);
	add_string(json, "name", namespace);
	tw_json_bool(tw_json_key(json, "partial"), tw_known_in_part(sample));
	add_numbers(json, sample);
	add_limits(json, sample);
	for (unsigned i = 0; i < TW_ROWS_COUNT; i++) {
		struct tw_rows rows = tw_rows_of(sample, (enum tw_rows_kind)i, top);

		tw_rows_add_json(json, &rows);
	}
	if (situation)
		add_situation(json, sample, situation);
	tw_json_object_end(json);
}
