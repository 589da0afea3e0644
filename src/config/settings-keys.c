/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-reader.h"

#include "base/parse.h"
#include "model/sample.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* ---- one word */

static bool parse_span(const struct tw_key_row *row, void *field, const char *value, struct tw_text *why)
{
	return tw_read_span(value, strlen(value), row->low, row->high, field, why,
			    "expected a time span such as 500ms or 1min 30s,");
}

static bool parse_percent(const struct tw_key_row *row, void *field, const char *value, struct tw_text *why)
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
	return tw_refuse(why, "%%");
}

static bool parse_number(const struct tw_key_row *row, void *field, const char *value, struct tw_text *why)
{
	uint64_t number;

	if (tw_parse_u64(value, strlen(value), &number) < 0 || number < row->low || number > row->high)
		return tw_refuse(why, "expected a number from %" PRIu64 " to %" PRIu64, row->low, row->high);
	*(unsigned *)field = (unsigned)number;
	return true;
}

static bool parse_truth(const struct tw_key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	return tw_parse_bool(value, strlen(value), field) == 0 || tw_refuse(why, "expected yes or no");
}

static bool parse_mode(const struct tw_key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	bool observe = strcmp(value, "observe") == 0;

	if (!observe && strcmp(value, "enforce") != 0)
		return tw_refuse(why, "expected enforce or observe");
	*(enum tw_mode *)field = observe ? TW_MODE_OBSERVE : TW_MODE_ENFORCE;
	return true;
}

static bool parse_severity(const struct tw_key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	return tw_severity_from_name(value, strlen(value), field) ||
	       tw_refuse(why, "expected info, notice, warning, error or critical");
}

static bool parse_metric(const struct tw_key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	const char *names[TW_METRIC_COUNT];

	if (tw_metric_from_name(value, strlen(value), field))
		return true;
	for (unsigned i = 0; i < TW_METRIC_COUNT; i++)
		names[i] = tw_metric_info((enum tw_metric)i)->name;
	tw_text_add(why, "expected a metric that timewaitd.conf(5) lists");
	tw_text_add_near(why, value, names, TW_METRIC_COUNT);
	return false;
}

/* What a level means shows when the metric is known, which may be in a later line. */
static bool parse_level(const struct tw_key_row *row TW_UNUSED, void *field, const char *value,
			struct tw_text *why TW_UNUSED)
{
	return tw_text_copy(field, TW_SETTINGS_LINE_MAX, value);
}

/* ---- what narrows a rule down to a part of the sockets */

/* "10.0.0.1:80", or "*:80" for any address. */
static bool parse_listener(const struct tw_key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	bool any = value[0] == '*' && value[1] == ':';
	struct tw_scope *scope = field;
	struct tw_address address = { 0 };
	uint16_t port = 0;
	int r = any ? tw_port_parse(value + 2, strlen(value + 2), &port)
		    : tw_endpoint_parse(value, strlen(value), &address, &port);

	if (r < 0 || port == 0)
		return tw_refuse(why, "expected ADDRESS:PORT or *:PORT, such as 10.0.0.1:80, [2001:db8::1]:80 or *:80");
	/* One way to say any: 0.0.0.0 is the same. */
	scope->listener = tw_address_is_any(&address) ? (struct tw_address){ 0 } : address;
	scope->listener_port = port;
	scope->has_listener = true;
	return true;
}

/* ---- several words */

/* "time-wait close-wait": which states may be ended at all. */
static bool parse_allow(const struct tw_key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	const char *const names[] = { tw_state_name(TW_STATE_TIME_WAIT), tw_state_name(TW_STATE_CLOSE_WAIT) };
	struct tw_settings *settings = field;
	const char *cursor = value, *end = value + strlen(value), *word;
	bool time_wait = false, close_wait = false;
	size_t length;

	while (tw_parse_word(&cursor, end, &word, &length)) {
		if (tw_parse_is(word, length, names[0]))
			time_wait = true;
		else if (tw_parse_is(word, length, names[1]))
			close_wait = true;
		else {
			tw_text_add(why, "expected time-wait, close-wait or both");
			return tw_refuse_word(why, word, length, names, TW_ARRAY_SIZE(names));
		}
	}
	settings->destroy_time_wait = time_wait;
	settings->destroy_close_wait = close_wait;
	return true;
}

_Static_assert(TW_NAMESPACE_LIST_MAX > TW_SETTINGS_LINE_MAX, "each value that fits into a line fits into a list");

/* One name of a list: what can be a file under /run/netns, or a unit. */
static bool is_namespace(const char *word, struct tw_text *why)
{
	static const char *const words[] = { TW_NAMESPACE_HOST, TW_NAMESPACE_ALL };

	if (strchr(word, '/') || strcmp(word, ".") == 0 || strcmp(word, "..") == 0)
		return tw_refuse(why, "expected host, all, or names of network namespaces as `ip netns` shows them, "
				      "without a slash");
	/* Slips that would be taken for names, and nothing would ever be watched by them. */
	if (strpbrk(word, ",;"))
		return tw_refuse(why, "expected host, all, or names with a blank between them");
	for (size_t i = 0; i < TW_ARRAY_SIZE(words); i++)
		if (strcasecmp(word, words[i]) == 0 && strcmp(word, words[i]) != 0)
			return tw_refuse(why, "expected host, all, or names; did you mean '%s'?", words[i]);
	return true;
}

static bool parse_namespaces(const struct tw_key_row *row TW_UNUSED, void *field, const char *value,
			     struct tw_text *why)
{
	const char *cursor = value, *end = value + strlen(value), *word;
	struct tw_namespace_list *list = field;
	char copy[TW_NAMESPACE_LIST_MAX];
	size_t length;

	while (tw_parse_word(&cursor, end, &word, &length)) {
		(void)tw_text_copy_bytes(copy, sizeof(copy), word, length);
		if (!is_namespace(copy, why))
			return false;
	}
	return tw_text_copy(list->words, sizeof(list->words), value);
}

/* ---- the table */

/* Beyond these a figure is a slip: an hour between two looks, four weeks of holding still. */
#define SHORT_SPAN_MAX TW_USEC_PER_HOUR
#define LONG_SPAN_MAX (28 * TW_USEC_PER_DAY)
/* The gauge costs microseconds, but ten looks a second are all that a decision can use. */
#define INTERVAL_MIN (100 * TW_USEC_PER_MSEC)
/* One a second is all that the shortest useful interval can make of it. */
#define CHANGES_MAX 3600

#define DAEMON(field) "daemon", offsetof(struct tw_settings, field)
#define RULE(field) "rule", offsetof(struct tw_rule_draft, field)

const struct tw_key_row tw_key_rows[TW_KEY_COUNT] = {
	[TW_KEY_MODE] = { "mode", DAEMON(mode), parse_mode, 0, 0 },
	[TW_KEY_INTERVAL] = { "interval", DAEMON(interval_usec), parse_span, INTERVAL_MIN, SHORT_SPAN_MAX },
	[TW_KEY_CENSUS] = { "census", DAEMON(census_usec), parse_span, INTERVAL_MIN, SHORT_SPAN_MAX },
	[TW_KEY_SURVEY] = { "survey", DAEMON(survey_usec), parse_span, INTERVAL_MIN, TW_USEC_PER_DAY },
	[TW_KEY_CPU_BUDGET] = { "cpu-budget", DAEMON(cpu_budget_milli), parse_percent, 100, 100000 },
	[TW_KEY_NAMESPACES] = { "namespaces", DAEMON(namespaces), parse_namespaces, 0, 0 },
	[TW_KEY_TOP] = { "top", DAEMON(top), parse_number, 1, TW_TOP_MAX },
	[TW_KEY_SAMPLE_RECORD] = { "sample-record", DAEMON(sample_record_usec), parse_span, 0, LONG_SPAN_MAX },
	[TW_KEY_PROOF_AFTER] = { "proof-after", DAEMON(proof_after_usec), parse_span, TW_USEC_PER_SEC, SHORT_SPAN_MAX },
	[TW_KEY_ALLOW_UNSAFE] = { "allow-unsafe", DAEMON(allow_unsafe), parse_truth, 0, 0 },
	[TW_KEY_MAX_CHANGES] = { "max-changes", DAEMON(max_changes), parse_number, 0, CHANGES_MAX },

	[TW_KEY_ALLOW] = { "allow", "destroy", 0, parse_allow, 0, 0 },

	[TW_KEY_METRIC] = { "metric", RULE(settings.metric), parse_metric, 0, 0 },
	[TW_KEY_RAISE] = { "raise", RULE(raise_text), parse_level, 0, 0 },
	[TW_KEY_CLEAR] = { "clear", RULE(clear_text), parse_level, 0, 0 },
	[TW_KEY_AGE] = { "age", RULE(settings.age_usec), parse_span, TW_USEC_PER_SEC, LONG_SPAN_MAX },
	[TW_KEY_UNIT] = { "unit", RULE(settings.scope.unit), tw_parse_unit, 0, 0 },
	[TW_KEY_DESTINATION] = { "destination", RULE(settings.scope), tw_parse_destination, 0, 0 },
	[TW_KEY_LISTENER] = { "listener", RULE(settings.scope), parse_listener, 0, 0 },
	[TW_KEY_RAISE_FOR] = { "raise-for", RULE(settings.raise_for_usec), parse_span, 0, LONG_SPAN_MAX },
	[TW_KEY_CLEAR_FOR] = { "clear-for", RULE(settings.clear_for_usec), parse_span, 0, LONG_SPAN_MAX },
	[TW_KEY_FORECAST] = { "forecast", RULE(settings.forecast_usec), parse_span, 0, SHORT_SPAN_MAX },
	[TW_KEY_SEVERITY] = { "severity", RULE(settings.severity), parse_severity, 0, 0 },
	[TW_KEY_REMIND] = { "remind", RULE(settings.remind_usec), parse_span, 0, LONG_SPAN_MAX },
	[TW_KEY_SET] = { "set", "rule", 0, tw_parse_set, 0, 0 },
	[TW_KEY_STEP] = { "step", "rule", 0, tw_parse_step, 0, 0 },
	[TW_KEY_DESTROY] = { "destroy", "rule", 0, tw_parse_destroy, 0, 0 },
	[TW_KEY_GATE] = { "gate", RULE(settings.gate), parse_truth, 0, 0 },
	[TW_KEY_PROOF] = { "proof", RULE(settings.proof), parse_truth, 0, 0 },
	[TW_KEY_COOLDOWN] = { "cooldown", RULE(settings.cooldown_usec), parse_span, 0, LONG_SPAN_MAX },
	[TW_KEY_RULE_NAMESPACES] = { "namespaces", RULE(settings.namespaces), parse_namespaces, 0, 0 },
};

const char *tw_settings_key(const char *section, size_t at)
{
	for (size_t i = 0; i < TW_KEY_COUNT; i++)
		if (strcmp(tw_key_rows[i].section, section) == 0 && at-- == 0)
			return tw_key_rows[i].name;
	return NULL;
}
