/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-keys.h"

#include "base/near.h"
#include "base/parse.h"
#include "config/settings-scope.h"
#include "model/sample.h"

#include <inttypes.h>
#include <string.h>

/* Names longer than any that is known are no near miss of one; the kernel's own limit for a sysctl is far below. */
#define WORD_MAX 64

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
	struct tw_settings *settings = field;

	if (strcmp(value, "host") != 0) {
		tw_text_add(why, "expected host: this version watches the host's network namespace only");
		return false;
	}
	settings->namespace_count = 1;
	(void)tw_text_copy(settings->namespaces[0], sizeof(settings->namespaces[0]), value);
	return true;
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

/* The key that ends in ".word": what somebody means who leaves "net.ipv4." out. */
static const char *tunable_ending_in(const char *word)
{
	size_t length = strlen(word);

	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		const char *key = tw_tunable_info((enum tw_tunable)i)->key;
		size_t whole = strlen(key);

		if (length > 0 && whole > length && key[whole - length - 1] == '.' &&
		    strcmp(key + whole - length, word) == 0)
			return key;
	}
	return NULL;
}

static void explain_unknown_sysctl(struct tw_text *why, const char *name, size_t length)
{
	const char *keys[TW_TUNABLE_COUNT];
	const char *meant;
	char word[WORD_MAX];

	tw_text_add(why, "timewaitd knows no sysctl '");
	tw_text_add_bytes(why, name, length);
	tw_text_add(why, "'");
	if (!tw_text_copy_bytes(word, sizeof(word), name, length))
		return;
	meant = tunable_ending_in(word);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		keys[i] = tw_tunable_info((enum tw_tunable)i)->key;
	if (meant)
		tw_text_addf(why, "; did you mean '%s'?", meant);
	else
		tw_key_suggest(why, word, keys, TW_TUNABLE_COUNT);
}

static void explain_bounds(struct tw_text *why, const struct tw_tunable_info *info)
{
	tw_text_addf(why, "%s takes ", info->key);
	switch (info->kind) {
	case TW_TUNABLE_INTEGER:
		if (info->low == info->high)
			tw_text_addf(why, "only %" PRId64, info->low);
		else
			tw_text_addf(why, "a number from %" PRId64 " to %" PRId64, info->low, info->high);
		break;
	case TW_TUNABLE_RANGE:
		tw_text_addf(why, "two numbers LOW HIGH from %" PRId64 " to %" PRId64 ", LOW below HIGH", info->low,
			     info->high);
		break;
	}
}

static bool add_action(struct tw_rule_settings *rule, const struct tw_action *action, struct tw_text *why)
{
	for (unsigned i = 0; i < rule->action_count; i++) {
		if (rule->actions[i].tunable == action->tunable) {
			tw_text_addf(why, "the rule sets %s already", tw_tunable_info(action->tunable)->key);
			return false;
		}
	}
	if (rule->action_count >= TW_ACTIONS_MAX) {
		tw_text_addf(why, "a rule takes at most %d sysctls", TW_ACTIONS_MAX);
		return false;
	}
	rule->actions[rule->action_count++] = *action;
	return true;
}

static bool parse_set(const struct key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	struct tw_action action = { .kind = TW_ACTION_SET };
	const char *equals = strchr(value, '='), *name = value, *number;
	size_t name_length, number_length;

	if (!equals) {
		tw_text_add(why, "expected SYSCTL=VALUE, such as net.ipv4.tcp_tw_reuse=1");
		return false;
	}
	name_length = (size_t)(equals - value);
	tw_parse_trim(&name, &name_length);
	number = equals + 1;
	number_length = strlen(number);
	tw_parse_trim(&number, &number_length);
	if (!tw_tunable_from_key(name, name_length, &action.tunable)) {
		explain_unknown_sysctl(why, name, name_length);
		return false;
	}
	if (tw_tunable_parse(action.tunable, number, number_length, &action.value) < 0 ||
	    !tw_tunable_in_bounds(action.tunable, &action.value)) {
		explain_bounds(why, tw_tunable_info(action.tunable));
		return false;
	}
	return add_action(field, &action, why);
}

/* Beyond these a figure is a slip: an hour between two looks, four weeks of holding still. */
#define SHORT_SPAN_MAX TW_USEC_PER_HOUR
#define LONG_SPAN_MAX (28 * TW_USEC_PER_DAY)
/* The gauge costs microseconds, but ten looks a second are all that a decision can use. */
#define INTERVAL_MIN (100 * TW_USEC_PER_MSEC)

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
};

static const struct key_row daemon_rows[TW_DAEMON_KEY_COUNT] = {
	[TW_DAEMON_MODE] = { parse_mode, DAEMON(mode), 0, 0 },
	[TW_DAEMON_INTERVAL] = { parse_span, DAEMON(interval_usec), INTERVAL_MIN, SHORT_SPAN_MAX },
	[TW_DAEMON_CENSUS] = { parse_span, DAEMON(census_usec), INTERVAL_MIN, SHORT_SPAN_MAX },
	[TW_DAEMON_SURVEY] = { parse_span, DAEMON(survey_usec), INTERVAL_MIN, TW_USEC_PER_DAY },
	[TW_DAEMON_CPU_BUDGET] = { parse_percent, DAEMON(cpu_budget_milli), 100, 100000 },
	[TW_DAEMON_NAMESPACES] = { parse_namespaces, 0, 0, 0 },
	[TW_DAEMON_TOP] = { parse_number, DAEMON(top), 1, TW_TOP_MAX },
	[TW_DAEMON_SAMPLE_RECORD] = { parse_span, DAEMON(sample_record_usec), 0, LONG_SPAN_MAX },
	[TW_DAEMON_PROOF_AFTER] = { parse_span, DAEMON(proof_after_usec), TW_USEC_PER_SEC, SHORT_SPAN_MAX },
	[TW_DAEMON_ALLOW_UNSAFE] = { parse_truth, DAEMON(allow_unsafe), 0, 0 },
};

#define RULE(field) offsetof(struct tw_rule_draft, field)

static const char *const rule_names[TW_RULE_KEY_COUNT + 1] = {
	[TW_RULE_METRIC] = "metric",	 [TW_RULE_RAISE] = "raise",	    [TW_RULE_CLEAR] = "clear",
	[TW_RULE_AGE] = "age",		 [TW_RULE_UNIT] = "unit",	    [TW_RULE_DESTINATION] = "destination",
	[TW_RULE_LISTENER] = "listener", [TW_RULE_RAISE_FOR] = "raise-for", [TW_RULE_CLEAR_FOR] = "clear-for",
	[TW_RULE_FORECAST] = "forecast", [TW_RULE_SEVERITY] = "severity",   [TW_RULE_REMIND] = "remind",
	[TW_RULE_SET] = "set",		 [TW_RULE_GATE] = "gate",	    [TW_RULE_PROOF] = "proof",
	[TW_RULE_COOLDOWN] = "cooldown",
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
	[TW_RULE_SET] = { parse_set, RULE(settings), 0, 0 },
	[TW_RULE_GATE] = { parse_truth, RULE(settings.gate), 0, 0 },
	[TW_RULE_PROOF] = { parse_truth, RULE(settings.proof), 0, 0 },
	[TW_RULE_COOLDOWN] = { parse_span, RULE(settings.cooldown_usec), 0, LONG_SPAN_MAX },
};

const struct tw_key_table tw_daemon_keys = { "daemon", daemon_names, TW_DAEMON_KEY_COUNT, 0 };
const struct tw_key_table tw_rule_keys = { "rule", rule_names, TW_RULE_KEY_COUNT, UINT32_C(1) << TW_RULE_SET };

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

bool tw_rule_key_parse(size_t key, struct tw_rule_draft *draft, const char *value, struct tw_text *why)
{
	const struct key_row *row = &rule_rows[key];

	return row->parse(row, (char *)draft + row->offset, value, why);
}

void tw_key_suggest(struct tw_text *text, const char *word, const char *const *words, size_t count)
{
	const char *near = tw_near(word, words, count);

	if (near)
		tw_text_addf(text, "; did you mean '%s'?", near);
}

const char *const *tw_settings_keys(const char *section)
{
	if (strcmp(section, tw_daemon_keys.section) == 0)
		return daemon_names;
	return strcmp(section, tw_rule_keys.section) == 0 ? rule_names : NULL;
}
