/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-reader.h"

#include "model/effect.h"

#include <string.h>

/* 100 % in thousandths. */
#define PERCENT_MAX_MILLI 100000

static bool is_good(const struct tw_key_mark *mark)
{
	return mark->given && !mark->bad;
}

/* Of two lines that do not agree, the one that was read later: the admin has just written it. */
static const struct tw_place *later(const struct tw_place *a, const struct tw_place *b)
{
	return tw_place_before(a, b) ? b : a;
}

/* Nothing can be measured more often than the gauge is read. What the admin left alone moves along with `interval`. */
static void check_against_interval(struct tw_settings_reader *reader, enum tw_key key, usec_t *span_usec)
{
	const struct tw_key_mark *mark = &reader->marks[key], *of_interval = &reader->marks[TW_KEY_INTERVAL];
	usec_t interval_usec = reader->settings->interval_usec;
	char interval[TW_DURATION_TEXT_MAX], span[TW_DURATION_TEXT_MAX];

	if (*span_usec >= interval_usec)
		return;
	if (!mark->given)
		*span_usec = interval_usec;
	else if (!mark->bad && !of_interval->bad)
		tw_settings_problem(reader, later(&mark->place, &of_interval->place),
				    "%s (%s) is shorter than interval (%s); expected the interval or longer",
				    tw_key_rows[key].name, tw_duration_format(span, *span_usec),
				    tw_duration_format(interval, interval_usec));
}

/* Reads one level in the unit of the rule's metric. Returns whether it is good. */
static bool resolve_level(struct tw_settings_reader *reader, const struct tw_rule_draft *rule, enum tw_key key,
			  const char *text, int64_t *milli)
{
	static const char *const examples[] = {
		[TW_UNIT_SOCKETS] = "a number of sockets such as 100",
		[TW_UNIT_PERCENT] = "a percentage from 0% to 100% such as 45%",
		[TW_UNIT_PER_SECOND] = "a rate such as 1/s",
		[TW_UNIT_SECONDS] = "a time span such as 30s",
	};
	const struct tw_metric_info *metric = tw_metric_info(rule->settings.metric);
	const char *name = tw_key_rows[key].name;
	int64_t parsed;

	if (!is_good(&rule->marks[key]) || !is_good(&rule->marks[TW_KEY_METRIC]))
		return false;
	if (!text[0]) {
		if (metric->unit == rule->preset_unit)
			return true;
		tw_settings_problem(reader, &rule->marks[TW_KEY_METRIC].place,
				    "metric = '%s' does not fit the built-in '%s' of [rule %s]; give '%s' as %s",
				    metric->name, name, rule->settings.name, name, examples[metric->unit]);
		return false;
	}
	if (tw_value_parse(text, strlen(text), metric->unit, &parsed) < 0 || parsed < 0 ||
	    (metric->unit == TW_UNIT_PERCENT && parsed > PERCENT_MAX_MILLI)) {
		tw_settings_problem(reader, &rule->marks[key].place, "%s = '%s': expected %s, for the metric is %s",
				    name, text, examples[metric->unit], metric->name);
		return false;
	}
	*milli = parsed;
	return true;
}

static void check_levels(struct tw_settings_reader *reader, struct tw_rule_draft *rule)
{
	struct tw_rule_settings *settings = &rule->settings;
	const struct tw_key_mark *marks = rule->marks;
	const struct tw_place *place = later(&marks[TW_KEY_RAISE].place, &marks[TW_KEY_CLEAR].place);
	bool raise = resolve_level(reader, rule, TW_KEY_RAISE, rule->raise_text, &settings->raise_milli);
	bool clear = resolve_level(reader, rule, TW_KEY_CLEAR, rule->clear_text, &settings->clear_milli);

	if (!raise || !clear)
		return;
	if (settings->raise_milli == settings->clear_milli)
		tw_settings_problem(reader, place,
				    "raise and clear of [rule %s] are equal; expected clear below raise, or above it "
				    "for a rule that watches for a fall",
				    settings->name);
	/* Else it would be raised because the ports last long. */
	else if (settings->metric == TW_METRIC_PORT_ETA && tw_rule_settings_upward(settings))
		tw_settings_problem(
			reader, later(place, &marks[TW_KEY_METRIC].place),
			"raise is above clear in [rule %s]; expected it below, for %s is watched for a fall",
			settings->name, tw_metric_info(settings->metric)->name);
}

/* The keys that serve some metrics only. */
static const struct companion {
	enum tw_key key;
	unsigned count;
	enum tw_metric metrics[3];
} companions[] = {
	{ TW_KEY_AGE, 1, { TW_METRIC_CLOSE_WAIT_AGED } },
	{ TW_KEY_UNIT,
	  3,
	  { TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT), TW_METRIC_CLOSE_WAIT_AGE, TW_METRIC_CLOSE_WAIT_AGED } },
	{ TW_KEY_DESTINATION, 2, { TW_METRIC_PORT_USE, TW_METRIC_PORT_ETA } },
	{ TW_KEY_LISTENER, 1, { TW_METRIC_ACCEPT_QUEUE } },
	{ TW_KEY_FORECAST, 1, { TW_METRIC_PORT_USE } },
};

/* Whether such a key has a say in the rule. */
static bool is_in_use(const struct tw_rule_draft *rule, enum tw_key key)
{
	const struct tw_scope *scope = &rule->settings.scope;

	/* By its mark, for every rule has an age by default. */
	if (key == TW_KEY_AGE)
		return is_good(&rule->marks[key]);
	/* By their values, for a built-in rule can have one that a drop-in turns to another metric. */
	return (key == TW_KEY_UNIT && scope->unit[0]) || (key == TW_KEY_DESTINATION && scope->has_destination) ||
	       (key == TW_KEY_LISTENER && scope->has_listener) ||
	       (key == TW_KEY_FORECAST && rule->settings.forecast_usec > 0);
}

/* A key that the rule's metric has no use for is a mistake about the metric, or about the key. */
static void check_companion(struct tw_settings_reader *reader, const struct tw_rule_draft *rule,
			    const struct companion *companion)
{
	const struct tw_key_mark *mark = &rule->marks[companion->key];
	const char *names[TW_ARRAY_SIZE(companion->metrics)];
	char bytes[TW_PROBLEM_TEXT_MAX];
	struct tw_text metrics;

	if (!is_in_use(rule, companion->key))
		return;
	for (unsigned i = 0; i < companion->count; i++) {
		if (companion->metrics[i] == rule->settings.metric)
			return;
		names[i] = tw_metric_info(companion->metrics[i])->name;
	}
	tw_text_init(&metrics, bytes, sizeof(bytes));
	tw_text_add_choice(&metrics, names, companion->count);
	tw_settings_problem(reader, later(&mark->place, &rule->marks[TW_KEY_METRIC].place),
			    "%s'%s' in [rule %s] works with metric %s only, not with %s",
			    mark->given ? "" : "the built-in ", tw_key_rows[companion->key].name, rule->settings.name,
			    metrics.bytes, tw_metric_info(rule->settings.metric)->name);
}

/* Ending sockets takes two words: what a rule says, and what may be said at all. */
static bool is_allowed(const struct tw_settings_reader *reader, enum tw_state state)
{
	return reader->marks[TW_KEY_ALLOW].bad || (state == TW_STATE_TIME_WAIT ? reader->settings->destroy_time_wait
									       : reader->settings->destroy_close_wait);
}

/* `*destroys`: how many there are so far, of all rules. */
static void check_action(struct tw_settings_reader *reader, const struct tw_action *action,
			 const struct tw_place *place, unsigned *destroys)
{
	const struct tw_tunable_info *info = tw_tunable_info(action->tunable);
	bool unsafe_is_allowed = reader->settings->allow_unsafe || reader->marks[TW_KEY_ALLOW_UNSAFE].bad;

	if (action->kind != TW_ACTION_DESTROY) {
		if (info->unsafe && !unsafe_is_allowed)
			tw_settings_problem(reader, place,
					    "%s is not safe: it dropped the connections of clients behind NAT, and "
					    "Linux 4.12 removed it; it takes 'allow-unsafe = yes' in [daemon]",
					    info->key);
		return;
	}
	if (!is_allowed(reader, action->destroy.state))
		tw_settings_problem(reader, place, "ending sockets in %s takes 'allow = %s' in [destroy]",
				    tw_state_title(action->destroy.state), tw_state_name(action->destroy.state));
	if (++*destroys == TW_KILLS_MAX + 1)
		tw_settings_problem(reader, place,
				    "this is one 'destroy' too many; expected at most %d of all rules together",
				    TW_KILLS_MAX);
}

static void check_rule(struct tw_settings_reader *reader, struct tw_rule_draft *rule, unsigned *destroys)
{
	for (enum tw_key key = TW_KEY_METRIC; key <= TW_KEY_CLEAR; key++)
		if (!rule->marks[key].given)
			tw_settings_problem(reader, &rule->section, "[rule %s] has no '%s'; every rule needs one",
					    rule->settings.name, tw_key_rows[key].name);
	check_levels(reader, rule);
	for (size_t i = 0; i < TW_ARRAY_SIZE(companions) && is_good(&rule->marks[TW_KEY_METRIC]); i++)
		check_companion(reader, rule, &companions[i]);
	tw_actions_skip(rule, reader->settings);
	for (unsigned i = 0; i < rule->settings.action_count; i++)
		check_action(reader, &rule->settings.actions[i], &rule->action_places[i], destroys);
}

void tw_settings_reader_finish(struct tw_settings_reader *reader)
{
	struct tw_settings *settings = reader->settings;
	unsigned destroys = 0;

	check_against_interval(reader, TW_KEY_CENSUS, &settings->census_usec);
	check_against_interval(reader, TW_KEY_SURVEY, &settings->survey_usec);
	if (settings->sample_record_usec > 0)
		check_against_interval(reader, TW_KEY_SAMPLE_RECORD, &settings->sample_record_usec);
	for (unsigned i = 0; i < reader->rule_count; i++) {
		check_rule(reader, &reader->rules[i], &destroys);
		settings->rules[i] = reader->rules[i].settings;
	}
	settings->rule_count = reader->rule_count;
}
