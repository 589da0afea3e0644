/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-keys.h"

#include "base/parse.h"
#include "config/settings-action.h"
#include "config/settings-namespaces.h"
#include "config/settings-scope.h"
#include "model/sample.h"

#include <inttypes.h>
#include <string.h>

/* One key: how its value is read, where it goes, and for numbers what is accepted. */
struct key_row {
	bool (*parse)(const struct key_row *row, void *field, const char *value, struct tw_text *why);
	size_t offset;
	uint64_t low, high; /* inclusive, in the unit of the field */
};

static bool parse_span(const struct key_row *row, void *field, const char *value, struct tw_text *why)
{
	char low[TW_DURATION_TEXT_MAX], high[TW_DURATION_TEXT_MAX];
	usec_t span;

	if (tw_duration_parse(value, strlen(value), &span) == 0 && span >= row->low && span <= row->high) {
		*(usec_t *)field = span;
		return true;
	}
	tw_text_addf(why, "expected a time span such as 500ms or 1min 30s, from %s to %s",
		     tw_duration_format(low, row->low), tw_duration_format(high, row->high));
	return false;
}

static bool parse_percent(const struct key_row *row, void *field, const char *value, struct tw_text *why)
{
	int64_t milli;

	if (tw_value_parse(value, strlen(value), TW_UNIT_PERCENT, &milli) == 0 && milli >= (int64_t)row->low &&
	    milli <= (int64_t)row->high) {
		*(int64_t *)field = milli;
		return true;
	}
	tw_text_add(why, "expected a percentage from ");
	tw_text_add_milli(why, (int64_t)row->low);
	tw_text_add(why, "% to ");
	tw_text_add_milli(why, (int64_t)row->high);
	tw_text_add(why, "%");
	return false;
}

static bool parse_number(const struct key_row *row, void *field, const char *value, struct tw_text *why)
{
	uint64_t number;

	if (tw_parse_u64(value, strlen(value), &number) == 0 && number >= row->low && number <= row->high) {
		*(unsigned *)field = (unsigned)number;
		return true;
	}
	tw_text_addf(why, "expected a number from %" PRIu64 " to %" PRIu64, row->low, row->high);
	return false;
}

static bool parse_truth(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	if (tw_parse_bool(value, strlen(value), field) == 0)
		return true;
	tw_text_add(why, "expected yes or no");
	return false;
}

static bool parse_mode(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	enum tw_mode *mode = field;

	if (strcmp(value, "enforce") == 0)
		*mode = TW_MODE_ENFORCE;
	else if (strcmp(value, "observe") == 0)
		*mode = TW_MODE_OBSERVE;
	else {
		tw_text_add(why, "expected enforce or observe");
		return false;
	}
	return true;
}

static bool parse_namespaces(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	return tw_namespaces_parse(field, value, why);
}

static bool parse_severity(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	if (tw_severity_from_name(value, strlen(value), field))
		return true;
	tw_text_add(why, "expected info, notice, warning, error or critical");
	return false;
}

static bool parse_metric(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	const char *names[TW_METRIC_COUNT];

	if (tw_metric_from_name(value, strlen(value), field))
		return true;
	for (unsigned i = 0; i < TW_METRIC_COUNT; i++)
		names[i] = tw_metric_info((enum tw_metric)i)->name;
	tw_text_add(why, "expected a metric that timewaitd.conf(5) lists");
	tw_key_suggest(why, value, names, TW_METRIC_COUNT);
	return false;
}

static bool parse_unit(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	return tw_scope_parse_unit(field, value, why);
}

static bool parse_destination(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	return tw_scope_parse_destination(field, value, why);
}

static bool parse_listener(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	return tw_scope_parse_listener(field, value, why);
}

/* What a level means shows when the metric is known, which may be in a later line. */
static bool parse_level(const struct key_row *row TW_UNUSED, void *field, const char *value,
			struct tw_text *why TW_UNUSED)
{
	(void)tw_text_copy(field, TW_SETTINGS_LINE_MAX, value);
	return true;
}

static bool parse_set(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	return tw_action_parse_set(field, value, why);
}

static bool parse_step(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	return tw_action_parse_step(field, value, why);
}

static bool parse_destroy(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	return tw_action_parse_destroy(field, value, why);
}

/* "time-wait close-wait": which states may be ended at all. */
static bool parse_allow(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	const char *const names[] = { tw_state_name(TW_STATE_TIME_WAIT), tw_state_name(TW_STATE_CLOSE_WAIT) };
	struct tw_settings *settings = field;
	const char *cursor = value, *end = value + strlen(value), *word;
	char copy[TW_SETTINGS_LINE_MAX];
	bool allowed[2] = { false };
	size_t length;

	while (tw_parse_word(&cursor, end, &word, &length)) {
		unsigned at = tw_parse_is(word, length, names[0]) ? 0 : 1;

		if (at == 1 && !tw_parse_is(word, length, names[1])) {
			(void)tw_text_copy_bytes(copy, sizeof(copy), word, length);
			tw_text_addf(why, "expected time-wait, close-wait or both, found '%s'", copy);
			tw_key_suggest(why, copy, names, TW_ARRAY_SIZE(names));
			return false;
		}
		allowed[at] = true;
	}
	settings->destroy_time_wait = allowed[0];
	settings->destroy_close_wait = allowed[1];
	return true;
}

/* Beyond these a figure is a slip: an hour between two looks, four weeks of holding still. */
#define SHORT_SPAN_MAX TW_USEC_PER_HOUR
#define LONG_SPAN_MAX (28 * TW_USEC_PER_DAY)
/* The gauge costs microseconds, but ten looks a second are all that a decision can use. */
#define INTERVAL_MIN (100 * TW_USEC_PER_MSEC)

/* One a second is all that the shortest useful interval can make of it. */
#define CHANGES_MAX 3600

#define DAEMON(field) offsetof(struct tw_settings, field)

static const char *const daemon_names[TW_DAEMON_KEY_COUNT + 1] = {
	[TW_DAEMON_MODE] = "mode",
	[TW_DAEMON_INTERVAL] = "interval",
	[TW_DAEMON_CENSUS] = "census",
	[TW_DAEMON_SURVEY] = "survey",
	[TW_DAEMON_CPU_BUDGET] = "cpu-budget",
	[TW_DAEMON_NAMESPACES] = "namespaces",
	[TW_DAEMON_TOP] = "top",
	[TW_DAEMON_SAMPLE_RECORD] = "sample-record",
	[TW_DAEMON_PROOF_AFTER] = "proof-after",
	[TW_DAEMON_ALLOW_UNSAFE] = "allow-unsafe",
	[TW_DAEMON_MAX_CHANGES] = "max-changes",
};

static const struct key_row daemon_rows[TW_DAEMON_KEY_COUNT] = {
	[TW_DAEMON_MODE] = { parse_mode, DAEMON(mode), 0, 0 },
	[TW_DAEMON_INTERVAL] = { parse_span, DAEMON(interval_usec), INTERVAL_MIN, SHORT_SPAN_MAX },
	[TW_DAEMON_CENSUS] = { parse_span, DAEMON(census_usec), INTERVAL_MIN, SHORT_SPAN_MAX },
	[TW_DAEMON_SURVEY] = { parse_span, DAEMON(survey_usec), INTERVAL_MIN, TW_USEC_PER_DAY },
	[TW_DAEMON_CPU_BUDGET] = { parse_percent, DAEMON(cpu_budget_milli), 100, 100000 },
	[TW_DAEMON_NAMESPACES] = { parse_namespaces, DAEMON(namespaces), 0, 0 },
	[TW_DAEMON_TOP] = { parse_number, DAEMON(top), 1, TW_TOP_MAX },
	[TW_DAEMON_SAMPLE_RECORD] = { parse_span, DAEMON(sample_record_usec), 0, LONG_SPAN_MAX },
	[TW_DAEMON_PROOF_AFTER] = { parse_span, DAEMON(proof_after_usec), TW_USEC_PER_SEC, SHORT_SPAN_MAX },
	[TW_DAEMON_ALLOW_UNSAFE] = { parse_truth, DAEMON(allow_unsafe), 0, 0 },
	[TW_DAEMON_MAX_CHANGES] = { parse_number, DAEMON(max_changes), 0, CHANGES_MAX },
};

static const char *const destroy_names[TW_DESTROY_KEY_COUNT + 1] = { [TW_DESTROY_ALLOW] = "allow" };

static const struct key_row destroy_rows[TW_DESTROY_KEY_COUNT] = { [TW_DESTROY_ALLOW] = { parse_allow, 0, 0, 0 } };

#define RULE(field) offsetof(struct tw_rule_draft, field)

static const char *const rule_names[TW_RULE_KEY_COUNT + 1] = {
	[TW_RULE_METRIC] = "metric",
	[TW_RULE_RAISE] = "raise",
	[TW_RULE_CLEAR] = "clear",
	[TW_RULE_AGE] = "age",
	[TW_RULE_UNIT] = "unit",
	[TW_RULE_DESTINATION] = "destination",
	[TW_RULE_LISTENER] = "listener",
	[TW_RULE_RAISE_FOR] = "raise-for",
	[TW_RULE_CLEAR_FOR] = "clear-for",
	[TW_RULE_FORECAST] = "forecast",
	[TW_RULE_SEVERITY] = "severity",
	[TW_RULE_REMIND] = "remind",
	[TW_RULE_SET] = "set",
	[TW_RULE_STEP] = "step",
	[TW_RULE_DESTROY] = "destroy",
	[TW_RULE_GATE] = "gate",
	[TW_RULE_PROOF] = "proof",
	[TW_RULE_COOLDOWN] = "cooldown",
	[TW_RULE_NAMESPACES] = "namespaces",
};

static const struct key_row rule_rows[TW_RULE_KEY_COUNT] = {
	[TW_RULE_METRIC] = { parse_metric, RULE(settings.metric), 0, 0 },
	[TW_RULE_RAISE] = { parse_level, RULE(raise_text), 0, 0 },
	[TW_RULE_CLEAR] = { parse_level, RULE(clear_text), 0, 0 },
	[TW_RULE_AGE] = { parse_span, RULE(settings.age_usec), TW_USEC_PER_SEC, LONG_SPAN_MAX },
	[TW_RULE_UNIT] = { parse_unit, RULE(settings.scope), 0, 0 },
	[TW_RULE_DESTINATION] = { parse_destination, RULE(settings.scope), 0, 0 },
	[TW_RULE_LISTENER] = { parse_listener, RULE(settings.scope), 0, 0 },
	[TW_RULE_RAISE_FOR] = { parse_span, RULE(settings.raise_for_usec), 0, LONG_SPAN_MAX },
	[TW_RULE_CLEAR_FOR] = { parse_span, RULE(settings.clear_for_usec), 0, LONG_SPAN_MAX },
	[TW_RULE_FORECAST] = { parse_span, RULE(settings.forecast_usec), 0, SHORT_SPAN_MAX },
	[TW_RULE_SEVERITY] = { parse_severity, RULE(settings.severity), 0, 0 },
	[TW_RULE_REMIND] = { parse_span, RULE(settings.remind_usec), 0, LONG_SPAN_MAX },
	[TW_RULE_SET] = { parse_set, 0, 0, 0 },
	[TW_RULE_STEP] = { parse_step, 0, 0, 0 },
	[TW_RULE_DESTROY] = { parse_destroy, 0, 0, 0 },
	[TW_RULE_GATE] = { parse_truth, RULE(settings.gate), 0, 0 },
	[TW_RULE_PROOF] = { parse_truth, RULE(settings.proof), 0, 0 },
	[TW_RULE_COOLDOWN] = { parse_span, RULE(settings.cooldown_usec), 0, LONG_SPAN_MAX },
	[TW_RULE_NAMESPACES] = { parse_namespaces, RULE(settings.namespaces), 0, 0 },
};

const struct tw_key_table tw_daemon_keys = { "daemon", daemon_names, TW_DAEMON_KEY_COUNT, 0 };
const struct tw_key_table tw_destroy_keys = { "destroy", destroy_names, TW_DESTROY_KEY_COUNT, 0 };
const struct tw_key_table tw_rule_keys = { "rule", rule_names, TW_RULE_KEY_COUNT,
					   UINT32_C(1) << TW_RULE_SET | UINT32_C(1) << TW_RULE_STEP |
						   UINT32_C(1) << TW_RULE_DESTROY };

bool tw_key_find(const struct tw_key_table *table, const char *name, size_t *ret_key)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->names[i], name) == 0) {
			*ret_key = i;
			return true;
		}
	}
	return false;
}

bool tw_daemon_key_parse(size_t key, struct tw_settings *settings, const char *value, struct tw_text *why)
{
	const struct key_row *row = &daemon_rows[key];

	return row->parse(row, (char *)settings + row->offset, value, why);
}

bool tw_destroy_key_parse(size_t key, struct tw_settings *settings, const char *value, struct tw_text *why)
{
	const struct key_row *row = &destroy_rows[key];

	return row->parse(row, (char *)settings + row->offset, value, why);
}

bool tw_rule_key_parse(size_t key, struct tw_rule_draft *draft, const char *value, struct tw_text *why)
{
	const struct key_row *row = &rule_rows[key];

	return row->parse(row, (char *)draft + row->offset, value, why);
}

bool tw_rule_key_acts(size_t key, enum tw_action_kind *ret_kind)
{
	if (key == TW_RULE_SET)
		*ret_kind = TW_ACTION_SET;
	else if (key == TW_RULE_STEP)
		*ret_kind = TW_ACTION_STEP;
	else if (key == TW_RULE_DESTROY)
		*ret_kind = TW_ACTION_DESTROY;
	else
		return false;
	return true;
}

static const struct tw_key_table *const tables[] = { &tw_daemon_keys, &tw_destroy_keys, &tw_rule_keys };

const struct tw_key_table *tw_key_home(const char *name)
{
	size_t key;

	for (size_t i = 0; i < TW_ARRAY_SIZE(tables); i++)
		if (tw_key_find(tables[i], name, &key))
			return tables[i];
	return NULL;
}

const char *const *tw_settings_keys(const char *section)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(tables); i++)
		if (strcmp(section, tables[i]->section) == 0)
			return tables[i]->names;
	return NULL;
}
