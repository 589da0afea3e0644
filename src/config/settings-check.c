/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-check.h"

#include "base/duration.h"
#include "config/settings-action.h"
#include "config/settings-keys.h"
#include "model/effect.h"

#include <string.h>

/* 100 % in thousandths. */
#define PERCENT_MAX_MILLI 100000

void tw_settings_draft_init(struct tw_settings_draft *draft, struct tw_settings *settings)
{
	draft->settings = settings;
	draft->rule_count = settings->rule_count;
	for (unsigned i = 0; i < draft->rule_count; i++) {
		struct tw_rule_draft *rule = &draft->rules[i];

		rule->settings = settings->rules[i];
		rule->preset_unit = tw_metric_info(rule->settings.metric)->unit;
		rule->marks.given = tw_key_bit(TW_RULE_METRIC) | tw_key_bit(TW_RULE_RAISE) | tw_key_bit(TW_RULE_CLEAR);
	}
}

static bool is_given(const struct tw_key_marks *marks, size_t key)
{
	return (marks->given & tw_key_bit(key)) != 0;
}

static bool is_good(const struct tw_key_marks *marks, size_t key)
{
	return is_given(marks, key) && (marks->bad & tw_key_bit(key)) == 0;
}

/* Of two lines that do not agree, the one that was read later: the admin has just written it. */
static const struct tw_place *later(const struct tw_place *a, const struct tw_place *b)
{
	return tw_place_before(a, b) ? b : a;
}

/* Nothing can be measured more often than the gauge is read. What the admin left alone moves along with `interval`. */
static void check_against_interval(struct tw_settings_draft *draft, struct tw_problem_log *log, size_t key,
				   usec_t *span_usec)
{
	const struct tw_key_marks *marks = &draft->marks;
	usec_t interval_usec = draft->settings->interval_usec;
	char interval[TW_DURATION_TEXT_MAX], span[TW_DURATION_TEXT_MAX];

	if (*span_usec >= interval_usec)
		return;
	if (!is_given(marks, key))
		*span_usec = interval_usec;
	else if (is_good(marks, key) && (marks->bad & tw_key_bit(TW_DAEMON_INTERVAL)) == 0)
		tw_problem_log_add(log, later(&marks->places[key], &marks->places[TW_DAEMON_INTERVAL]),
				   "%s (%s) is shorter than interval (%s); expected the interval or longer",
				   tw_daemon_keys.names[key], tw_duration_format(span, *span_usec),
				   tw_duration_format(interval, interval_usec));
}

static void check_daemon(struct tw_settings_draft *draft, struct tw_problem_log *log)
{
	struct tw_settings *settings = draft->settings;

	check_against_interval(draft, log, TW_DAEMON_CENSUS, &settings->census_usec);
	check_against_interval(draft, log, TW_DAEMON_SURVEY, &settings->survey_usec);
	if (settings->sample_record_usec > 0)
		check_against_interval(draft, log, TW_DAEMON_SAMPLE_RECORD, &settings->sample_record_usec);
}

static const char *unit_example(enum tw_unit unit)
{
	switch (unit) {
	case TW_UNIT_SOCKETS:
		return "a number of sockets such as 100";
	case TW_UNIT_PERCENT:
		return "a percentage from 0% to 100% such as 45%";
	case TW_UNIT_PER_SECOND:
		return "a rate such as 1/s";
	case TW_UNIT_SECONDS:
		return "a time span such as 30s";
	}
	return "";
}

/* Reads one level in the unit of the rule's metric. Returns whether it is good. */
static bool resolve_level(const struct tw_rule_draft *rule, struct tw_problem_log *log, size_t key, const char *text,
			  int64_t *milli)
{
	const struct tw_metric_info *metric = tw_metric_info(rule->settings.metric);
	int64_t parsed;

	if (!is_good(&rule->marks, key) || !is_good(&rule->marks, TW_RULE_METRIC))
		return false;
	if (!text[0]) {
		if (metric->unit == rule->preset_unit)
			return true;
		tw_problem_log_add(log, &rule->marks.places[TW_RULE_METRIC],
				   "metric = '%s' does not fit the built-in '%s' of [rule %s]; give '%s' as %s",
				   metric->name, tw_rule_keys.names[key], rule->settings.name, tw_rule_keys.names[key],
				   unit_example(metric->unit));
		return false;
	}
	if (tw_value_parse(text, strlen(text), metric->unit, &parsed) < 0 || parsed < 0 ||
	    (metric->unit == TW_UNIT_PERCENT && parsed > PERCENT_MAX_MILLI)) {
		tw_problem_log_add(log, &rule->marks.places[key], "%s = '%s': expected %s, for the metric is %s",
				   tw_rule_keys.names[key], text, unit_example(metric->unit), metric->name);
		return false;
	}
	*milli = parsed;
	return true;
}

/* Of the two levels together. */
static void check_direction(const struct tw_rule_draft *rule, struct tw_problem_log *log)
{
	const struct tw_place *places = rule->marks.places;
	const struct tw_place *place = later(&places[TW_RULE_RAISE], &places[TW_RULE_CLEAR]);
	const struct tw_rule_settings *settings = &rule->settings;

	if (settings->raise_milli == settings->clear_milli)
		tw_problem_log_add(log, place,
				   "raise and clear of [rule %s] are equal; expected clear below raise, or above it "
				   "for a rule that watches for a fall",
				   settings->name);
	/* Else it would be raised because the ports last long. */
	else if (settings->metric == TW_METRIC_PORT_ETA && tw_rule_settings_upward(settings))
		tw_problem_log_add(log, later(place, &places[TW_RULE_METRIC]),
				   "raise is above clear in [rule %s]; expected it below, for %s is watched for a fall",
				   settings->name, tw_metric_info(settings->metric)->name);
}

static void check_levels(struct tw_rule_draft *rule, struct tw_problem_log *log)
{
	bool raise = resolve_level(rule, log, TW_RULE_RAISE, rule->raise_text, &rule->settings.raise_milli);
	bool clear = resolve_level(rule, log, TW_RULE_CLEAR, rule->clear_text, &rule->settings.clear_milli);

	if (raise && clear)
		check_direction(rule, log);
}

static void check_required(const struct tw_rule_draft *rule, struct tw_problem_log *log)
{
	for (size_t key = TW_RULE_METRIC; key <= TW_RULE_CLEAR; key++)
		if (!is_given(&rule->marks, key))
			tw_problem_log_add(log, &rule->section, "[rule %s] has no '%s'; every rule needs one",
					   rule->settings.name, tw_rule_keys.names[key]);
}

/* The keys that serve some metrics only. */
static const struct companion {
	enum tw_rule_key key;
	unsigned count;
	enum tw_metric metrics[3];
} companions[] = {
	{ TW_RULE_AGE, 1, { TW_METRIC_CLOSE_WAIT_AGED } },
	{ TW_RULE_UNIT,
	  3,
	  { TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT), TW_METRIC_CLOSE_WAIT_AGE, TW_METRIC_CLOSE_WAIT_AGED } },
	{ TW_RULE_DESTINATION, 2, { TW_METRIC_PORT_USE, TW_METRIC_PORT_ETA } },
	{ TW_RULE_LISTENER, 1, { TW_METRIC_ACCEPT_QUEUE } },
	{ TW_RULE_FORECAST, 1, { TW_METRIC_PORT_USE } },
};

/* Which of these keys have a say in the rule. */
static uint32_t companions_in_use(const struct tw_rule_draft *rule)
{
	const struct tw_scope *scope = &rule->settings.scope;
	uint32_t used = 0;

	/* By its key, for every rule has an age by default. */
	if (is_good(&rule->marks, TW_RULE_AGE))
		used |= tw_key_bit(TW_RULE_AGE);
	/* By their values, for a built-in rule can have one that a drop-in turns to another metric. */
	if (scope->unit[0])
		used |= tw_key_bit(TW_RULE_UNIT);
	if (scope->has_destination)
		used |= tw_key_bit(TW_RULE_DESTINATION);
	if (scope->has_listener)
		used |= tw_key_bit(TW_RULE_LISTENER);
	if (rule->settings.forecast_usec > 0)
		used |= tw_key_bit(TW_RULE_FORECAST);
	return used;
}

static bool serves(const struct companion *companion, enum tw_metric metric)
{
	for (unsigned i = 0; i < companion->count; i++)
		if (companion->metrics[i] == metric)
			return true;
	return false;
}

/* "close-wait, close-wait-age or close-wait-aged". */
static void add_metrics(struct tw_text *text, const struct companion *companion)
{
	for (unsigned i = 0; i < companion->count; i++) {
		if (i > 0)
			tw_text_add(text, i + 1 < companion->count ? ", " : " or ");
		tw_text_add(text, tw_metric_info(companion->metrics[i])->name);
	}
}

/* A key that the rule's metric has no use for is a mistake about the metric, or about the key. */
static void check_companions(const struct tw_rule_draft *rule, struct tw_problem_log *log)
{
	const struct tw_place *places = rule->marks.places;
	uint32_t used = companions_in_use(rule);

	if (!is_good(&rule->marks, TW_RULE_METRIC))
		return;
	for (size_t i = 0; i < TW_ARRAY_SIZE(companions); i++) {
		const struct companion *companion = &companions[i];
		char bytes[TW_PROBLEM_TEXT_MAX];
		struct tw_text metrics;

		if ((used & tw_key_bit(companion->key)) == 0 || serves(companion, rule->settings.metric))
			continue;
		tw_text_init(&metrics, bytes, sizeof(bytes));
		add_metrics(&metrics, companion);
		tw_problem_log_add(log, later(&places[companion->key], &places[TW_RULE_METRIC]),
				   "%s'%s' in [rule %s] works with metric %s only, not with %s",
				   is_given(&rule->marks, companion->key) ? "" : "the built-in ",
				   tw_rule_keys.names[companion->key], rule->settings.name, metrics.bytes,
				   tw_metric_info(rule->settings.metric)->name);
	}
}

static const char *unsafe_reason(enum tw_tunable tunable)
{
	if (tunable == TW_TUNABLE_TW_RECYCLE)
		return "it dropped the connections of clients behind NAT, and Linux 4.12 removed it";
	return "it can break connections";
}

static void check_unsafe(const struct tw_rule_draft *rule, struct tw_problem_log *log)
{
	for (unsigned i = 0; i < rule->settings.action_count; i++) {
		enum tw_tunable tunable = rule->settings.actions[i].tunable;
		const struct tw_tunable_info *info = tw_tunable_info(tunable);

		if (rule->settings.actions[i].kind != TW_ACTION_DESTROY && info->unsafe)
			tw_problem_log_add(log, &rule->action_places[i],
					   "%s is not safe: %s; it takes 'allow-unsafe = yes' in [daemon]", info->key,
					   unsafe_reason(tunable));
	}
}

static bool is_allowed(const struct tw_settings *settings, const struct tw_destroy *destroy)
{
	return destroy->state == TW_STATE_TIME_WAIT ? settings->destroy_time_wait : settings->destroy_close_wait;
}

/* Ending sockets takes two words: what a rule says, and what may be said at all. `*count`: how many there are so far.
 */
static void check_destroys(const struct tw_settings_draft *draft, const struct tw_rule_draft *rule, unsigned *count,
			   struct tw_problem_log *log)
{
	bool allow_is_known = (draft->destroy_marks.bad & tw_key_bit(TW_DESTROY_ALLOW)) == 0;

	for (unsigned i = 0; i < rule->settings.action_count; i++) {
		const struct tw_action *action = &rule->settings.actions[i];

		if (action->kind != TW_ACTION_DESTROY)
			continue;
		if (allow_is_known && !is_allowed(draft->settings, &action->destroy))
			tw_problem_log_add(log, &rule->action_places[i],
					   "ending sockets in %s takes 'allow = %s' in [destroy]",
					   tw_state_title(action->destroy.state), tw_state_name(action->destroy.state));
		if (++*count == TW_KILLS_MAX + 1)
			tw_problem_log_add(log, &rule->action_places[i],
					   "this is one 'destroy' too many; expected at most %d of all rules together",
					   TW_KILLS_MAX);
	}
}

void tw_settings_check(struct tw_settings_draft *draft, struct tw_problem_log *log)
{
	struct tw_settings *settings = draft->settings;
	bool unsafe_is_known = (draft->marks.bad & tw_key_bit(TW_DAEMON_ALLOW_UNSAFE)) == 0;
	unsigned destroys = 0;

	check_daemon(draft, log);
	for (unsigned i = 0; i < draft->rule_count; i++) {
		struct tw_rule_draft *rule = &draft->rules[i];

		check_required(rule, log);
		check_levels(rule, log);
		check_companions(rule, log);
		tw_actions_skip(rule, settings);
		if (!settings->allow_unsafe && unsafe_is_known)
			check_unsafe(rule, log);
		check_destroys(draft, rule, &destroys, log);
		settings->rules[i] = rule->settings;
	}
	settings->rule_count = draft->rule_count;
}
