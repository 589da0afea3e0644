/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/snapshot-situation.h"

#include "base/macros.h"
#include "tell/finding.h"
#include "tell/known.h"

/* A finding is one clause of some 200 bytes, and may name a unit and two addresses. */
#define TW_FINDING_MAX 1024

static const char *const state_names[] = {
	[TW_RULE_NORMAL] = "normal",
	[TW_RULE_RISING] = "rising",
	[TW_RULE_RAISED] = "raised",
	[TW_RULE_CLEARING] = "clearing",
};

static void add_string(struct tw_json *json, const char *key, const char *string)
{
	tw_json_key(json, key);
	tw_json_string(json, string);
}

/* Thousandths where it is known; a time of 0 is none. */
static void add_milli(struct tw_json *json, const char *key, bool known, int64_t milli)
{
	tw_json_key(json, key);
	if (known)
		tw_json_milli(json, milli);
	else
		tw_json_null(json);
}

static void add_age(struct tw_json *json, const char *key, usec_t at_usec, usec_t now_usec)
{
	add_milli(json, key, at_usec != 0, (int64_t)(tw_usec_since(now_usec, at_usec) / TW_USEC_PER_MSEC));
}

static void add_ages(struct tw_json *json, const struct tw_sample *sample, usec_t now_usec)
{
	tw_json_object_begin(json);
	add_age(json, "gauge", sample->gauge.at_usec, now_usec);
	add_age(json, "census", sample->census.at_usec, now_usec);
	add_age(json, "survey", sample->survey.at_usec, now_usec);
	tw_json_object_end(json);
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
	char bytes[TW_FINDING_MAX];
	struct tw_text text;

	tw_json_key(json, "finding");
	if (situation->state == TW_RULE_NORMAL) {
		tw_json_null(json);
		return;
	}
	tw_text_init(&text, bytes, sizeof(bytes));
	(void)tw_finding_add(&text, &event);
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
	add_string(json, "state", state_names[situation->state]);
	add_age(json, "since", situation->since_usec, now_usec);
	add_milli(json, "value", value.known, value.milli);
	add_milli(json, "raise", true, rule->raise_milli);
	add_milli(json, "clear", true, rule->clear_milli);
	add_string(json, "severity", tw_severity_name(rule->severity));
	add_finding(json, sample, situation);
	tw_json_object_end(json);
}

static void add_value(struct tw_json *json, const char *key, enum tw_tunable tunable, const struct tw_live_value *live)
{
	char value[TW_TUNABLE_VALUE_MAX];

	if (live->known) {
		add_string(json, key, tw_tunable_format(tunable, &live->value, value));
		return;
	}
	tw_json_key(json, key);
	tw_json_null(json);
}

static void add_change(struct tw_json *json, const struct tw_change_situation *change)
{
	const struct tw_live_value baseline = { .value = change->baseline, .known = true };

	tw_json_object_begin(json);
	add_string(json, "sysctl", tw_tunable_info(change->sysctl)->key);
	add_value(json, "baseline", change->sysctl, &baseline);
	add_value(json, "value", change->sysctl, &change->value);
	add_string(json, "owner", change->yielded ? "yielded" : "ours");
	add_string(json, "rule", change->rule);
	tw_json_object_end(json);
}

static void add_spent(struct tw_json *json, const char *key, usec_t cpu_usec)
{
	add_milli(json, key, cpu_usec != 0, (int64_t)cpu_usec);
}

static void add_cost(struct tw_json *json, const struct tw_cost *cost)
{
	tw_json_object_begin(json);
	add_spent(json, "tick", cost->tick_usec);
	add_spent(json, "census", cost->census_usec);
	add_spent(json, "survey", cost->survey_usec);
	add_spent(json, "total", cost->total_usec);
	tw_json_object_end(json);
}

void tw_snapshot_add_situation(struct tw_json *json, const struct tw_sample *sample,
			       const struct tw_situation *situation)
{
	tw_json_key(json, "ages");
	add_ages(json, sample, situation->now_usec);
	tw_json_key(json, "rules");
	tw_json_array_begin(json);
	for (unsigned i = 0; i < situation->rule_count; i++)
		add_rule(json, sample, &situation->rules[i], situation->now_usec);
	tw_json_array_end(json);
	tw_json_key(json, "changes");
	tw_json_array_begin(json);
	for (unsigned i = 0; i < situation->change_count; i++)
		add_change(json, &situation->changes[i]);
	tw_json_array_end(json);
	tw_json_key(json, "cost");
	add_cost(json, &sample->cost);
}
