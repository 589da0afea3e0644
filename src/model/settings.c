/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/settings.h"

#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

static const char *const severity_names[] = { "info", "notice", "warning", "error", "critical" };
_Static_assert(TW_ARRAY_SIZE(severity_names) == TW_SEVERITY_COUNT, "each severity has its name");

const char *tw_severity_name(enum tw_severity severity)
{
	return severity_names[severity];
}

int tw_severity_priority(enum tw_severity severity)
{
	/* LOG_INFO is 6, LOG_CRIT 2, and LOG_ERR and the others are between them. */
	return 6 - (int)severity;
}

bool tw_severity_from_name(const char *name, size_t length, enum tw_severity *ret)
{
	for (size_t i = 0; i < TW_SEVERITY_COUNT; i++) {
		if (tw_parse_is(name, length, severity_names[i])) {
			*ret = (enum tw_severity)i;
			return true;
		}
	}
	return false;
}

/*
 * The built-in rules are those of the shipped timewaitd.conf; a difference is a defect of one of the two. What they
 * leave out is as in any rule.
 */
static const struct tw_rule_settings builtin_rules[] = {
	/*
	 * connect() slows down about 100-fold once half of the range is used (it tries the ports of one parity first),
	 * so the rule raises before that. A destination that fills faster than a survey can follow is raised for ahead
	 * of it: of the 15 s two surveys take the most part, and a port must have been in TIME-WAIT for 1 s before it
	 * is used again.
	 */
	{ .name = "port-exhaustion",
	  .metric = TW_METRIC_PORT_USE,
	  .raise_milli = 45 * 1000,
	  .clear_milli = 25 * 1000,
	  .forecast_usec = 15 * TW_USEC_PER_SEC,
	  .severity = TW_SEVERITY_WARNING,
	  .action_count = 1,
	  .actions = { { .kind = TW_ACTION_SET, .tunable = TW_TUNABLE_TW_REUSE, .value = { { 1 } } } } },
	/*
	 * Beyond tcp_max_tw_buckets the kernel closes without TIME-WAIT, and this counter is the only sign of it. A
	 * million sockets in TIME-WAIT take 256 MiB.
	 */
	{ .name = "time-wait-overflow",
	  .metric = TW_METRIC_TIME_WAIT_OVERFLOW,
	  .raise_milli = 1 * 1000,
	  .raise_for_usec = 10 * TW_USEC_PER_SEC,
	  .severity = TW_SEVERITY_WARNING,
	  .action_count = 1,
	  .actions = { { .kind = TW_ACTION_STEP,
			 .tunable = TW_TUNABLE_MAX_TW_BUCKETS,
			 .step = { true, 2 * 1000, 1048576, 30 * TW_USEC_PER_SEC } } } },
	/*
	 * CLOSE-WAIT has no timeout: what an application has not closed after a minute, it has most likely forgotten.
	 * Many short ones are no leak, so their age is what counts.
	 */
	{ .name = "close-wait-leak",
	  .metric = TW_METRIC_CLOSE_WAIT_AGED,
	  .raise_milli = 100 * 1000,
	  .clear_milli = 20 * 1000,
	  .raise_for_usec = 30 * TW_USEC_PER_SEC,
	  .severity = TW_SEVERITY_ERROR },
	/*
	 * A burst fills a queue for a moment; what stays nearly full is not accepted fast enough, which no sysctl
	 * changes.
	 */
	{ .name = "accept-queue",
	  .metric = TW_METRIC_ACCEPT_QUEUE,
	  .raise_milli = 80 * 1000,
	  .clear_milli = 30 * 1000,
	  .raise_for_usec = 10 * TW_USEC_PER_SEC,
	  .severity = TW_SEVERITY_WARNING },
	/* Bursts that are too short for that drop connections all the same, and the kernel counts each. */
	{ .name = "listen-overflow",
	  .metric = TW_METRIC_LISTEN_OVERFLOW,
	  .raise_milli = 10 * 1000,
	  .severity = TW_SEVERITY_WARNING },
	/*
	 * Cookies are sent while a listener has as many half-open connections as its backlog is long: a flood, or a
	 * backlog that is too short. They keep the server reachable; no sysctl ends either.
	 */
	{ .name = "syn-cookies",
	  .metric = TW_METRIC_SYN_COOKIES,
	  .raise_milli = 1 * 1000,
	  .raise_for_usec = 10 * TW_USEC_PER_SEC,
	  .severity = TW_SEVERITY_WARNING },
};

/* What is not 0 where it is left out, but for the severity. */
static void set_defaults(struct tw_rule_settings *rule)
{
	rule->clear_for_usec = 1 * TW_USEC_PER_MINUTE;
	rule->age_usec = 1 * TW_USEC_PER_MINUTE;
	rule->remind_usec = 1 * TW_USEC_PER_HOUR;
	rule->cooldown_usec = 10 * TW_USEC_PER_MINUTE;
	rule->namespaces = (struct tw_namespace_list){ TW_NAMESPACE_HOST };
	rule->gate = true;
	rule->proof = true;
}

void tw_rule_settings_init(struct tw_rule_settings *rule)
{
	*rule = (struct tw_rule_settings){ .severity = TW_SEVERITY_WARNING };
	set_defaults(rule);
}

struct tw_settings *tw_settings_new_empty(void)
{
	struct tw_settings *settings = calloc(1, sizeof(*settings));

	if (!settings)
		return NULL;

	settings->mode = TW_MODE_ENFORCE;
	settings->interval_usec = 1 * TW_USEC_PER_SEC;
	settings->census_usec = 5 * TW_USEC_PER_SEC;
	settings->survey_usec = 1 * TW_USEC_PER_MINUTE;
	settings->cpu_budget_milli = 1 * 1000;
	settings->top = 10;
	settings->sample_record_usec = 1 * TW_USEC_PER_MINUTE;
	settings->proof_after_usec = 30 * TW_USEC_PER_SEC;
	settings->max_changes = 60;
	settings->namespaces = (struct tw_namespace_list){ TW_NAMESPACE_HOST };
	return settings;
}

struct tw_settings *tw_settings_new(void)
{
	struct tw_settings *settings = tw_settings_new_empty();

	if (!settings)
		return NULL;

	for (size_t i = 0; i < TW_ARRAY_SIZE(builtin_rules); i++) {
		settings->rules[i] = builtin_rules[i];
		set_defaults(&settings->rules[i]);
	}
	settings->rule_count = TW_ARRAY_SIZE(builtin_rules);
	return settings;
}

struct tw_settings *tw_settings_free(struct tw_settings *settings)
{
	free(settings);
	return NULL;
}

static usec_t rule_close_wait_age(const struct tw_rule_settings *rule)
{
	usec_t age_usec = TW_USEC_INFINITY;

	if (rule->metric == TW_METRIC_CLOSE_WAIT_AGED)
		age_usec = rule->age_usec;
	else if (rule->metric == TW_METRIC_CLOSE_WAIT_AGE)
		age_usec = (usec_t)TW_MAX(TW_MIN(rule->raise_milli, rule->clear_milli), 0) * TW_USEC_PER_MSEC;
	for (unsigned i = 0; i < rule->action_count; i++) {
		const struct tw_action *action = &rule->actions[i];

		if (action->kind == TW_ACTION_DESTROY && action->destroy.state == TW_STATE_CLOSE_WAIT)
			age_usec = TW_MIN(age_usec, action->destroy.older_than_usec);
	}
	return age_usec;
}

usec_t tw_settings_close_wait_age(const struct tw_settings *settings)
{
	usec_t least_usec = TW_USEC_INFINITY;

	for (unsigned i = 0; i < settings->rule_count; i++)
		least_usec = TW_MIN(least_usec, rule_close_wait_age(&settings->rules[i]));
	/* An age of 0 is any age. */
	return least_usec == TW_USEC_INFINITY ? 0 : TW_MAX(least_usec, TW_USEC_PER_MSEC);
}

static int find_rule(const struct tw_settings *settings, const char *name)
{
	for (unsigned i = 0; i < settings->rule_count; i++)
		if (strcmp(settings->rules[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool tw_scope_equal(const struct tw_scope *a, const struct tw_scope *b)
{
	return strcmp(a->unit, b->unit) == 0 && a->has_destination == b->has_destination &&
	       tw_address_equal(&a->destination, &b->destination) && a->destination_port == b->destination_port &&
	       a->has_listener == b->has_listener && tw_address_equal(&a->listener, &b->listener) &&
	       a->listener_port == b->listener_port;
}

static bool share_a_sysctl(const struct tw_rule_settings *a, const struct tw_rule_settings *b)
{
	for (unsigned i = 0; i < a->action_count; i++)
		for (unsigned j = 0; j < b->action_count; j++)
			if (a->actions[i].kind != TW_ACTION_DESTROY && b->actions[j].kind != TW_ACTION_DESTROY &&
			    a->actions[i].tunable == b->actions[j].tunable)
				return true;
	return false;
}

static bool is_renamed(const struct tw_rule_settings *a, const struct tw_rule_settings *b)
{
	return a->metric == b->metric && tw_scope_equal(&a->scope, &b->scope) && share_a_sysctl(a, b);
}

/* The only rule of `in` that `rule` may have been renamed to, or from; `of` is the configuration of `rule`. */
static int find_renamed(const struct tw_settings *in, const struct tw_settings *of, const struct tw_rule_settings *rule)
{
	int found = -1;

	for (unsigned i = 0; i < in->rule_count; i++) {
		if (!is_renamed(&in->rules[i], rule) || find_rule(of, in->rules[i].name) >= 0)
			continue;
		if (found >= 0)
			return -1;
		found = (int)i;
	}
	return found;
}

int tw_settings_counterpart(const struct tw_settings *in, const struct tw_settings *of,
			    const struct tw_rule_settings *rule)
{
	int found = find_rule(in, rule->name);

	if (found >= 0)
		return in->rules[found].metric == rule->metric ? found : -1;
	found = find_renamed(in, of, rule);
	/* The only one seen from there as well. */
	return found >= 0 && find_renamed(of, in, &in->rules[found]) >= 0 ? found : -1;
}

void tw_namespace_tell_apart(struct tw_namespace *namespace)
{
	char bytes[24];
	struct tw_text suffix;
	size_t length;

	tw_text_init(&suffix, bytes, sizeof(bytes));
	tw_text_addf(&suffix, "@%" PRIu64, namespace->id);
	/* So that it fits, the name itself may be cut. */
	length = TW_MIN(strlen(namespace->name), sizeof(namespace->name) - 1 - suffix.length);
	memcpy(namespace->name + length, suffix.bytes, suffix.length + 1);
}

static bool matches(const char *word, const char *name)
{
	return strcmp(word, TW_NAMESPACE_ALL) == 0 || strcmp(word, name) == 0 ||
	       (strcmp(name, TW_NAMESPACE_HOST) != 0 && fnmatch(word, name, 0) == 0);
}

/* The next word of a list, as a string. */
static bool next_word(const char **cursor, char word[TW_NAMESPACE_LIST_MAX])
{
	const char *found;
	size_t length;

	if (!tw_parse_word(cursor, *cursor + strlen(*cursor), &found, &length))
		return false;
	return tw_text_copy_bytes(word, TW_NAMESPACE_LIST_MAX, found, length);
}

bool tw_namespace_list_has(const struct tw_namespace_list *list, const char *name)
{
	const char *cursor = list->words;
	char word[TW_NAMESPACE_LIST_MAX];

	while (next_word(&cursor, word))
		if (matches(word, name))
			return true;
	return false;
}

bool tw_namespace_list_is_open(const struct tw_namespace_list *list)
{
	const char *cursor = list->words;
	char word[TW_NAMESPACE_LIST_MAX];

	while (next_word(&cursor, word))
		if (strpbrk(word, "*?") || strcmp(word, TW_NAMESPACE_ALL) == 0)
			return true;
	return false;
}

bool tw_namespace_list_is_wide(const struct tw_namespace_list *list)
{
	const char *cursor = list->words;
	char word[TW_NAMESPACE_LIST_MAX];

	while (next_word(&cursor, word))
		if (strcmp(word, TW_NAMESPACE_HOST) != 0)
			return true;
	return false;
}
