/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/raised-text.h"

#include "base/text.h"
#include "ctl/live/status-text.h"

#include <string.h>

unsigned tw_raised_count(const struct tw_view *view)
{
	const struct tw_view_rule *raised[TW_RULES_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < view->namespace_count; i++)
		count += tw_status_raised(&view->namespaces[i], raised);
	return count;
}

void tw_raised_add(struct tw_screen *screen, const struct tw_view *view)
{
	for (unsigned i = 0; i < view->namespace_count; i++) {
		const struct tw_view_namespace *namespace = &view->namespaces[i];
		const struct tw_view_rule *raised[TW_RULES_MAX];
		unsigned count = tw_status_raised(namespace, raised);

		if (count > 0 && view->namespace_count > 1) {
			char title[TW_NAMESPACE_NAME_MAX + 32];
			struct tw_text text;

			tw_text_init(&text, title, sizeof(title));
			tw_text_addf(&text, "Network namespace %s", namespace->name);
			tw_screen_title(screen, title);
		}
		for (unsigned j = 0; j < count; j++)
			tw_status_add_rule(screen, namespace, raised[j]);
	}
	if (tw_raised_count(view) == 0) {
		tw_screen_words(screen, TW_STYLE_GOOD, 0, "Nothing is raised.");
		tw_screen_end(screen);
	}
}

/* ---- JSON */

static void add_string(struct tw_text *json, const char *key, const char *string)
{
	tw_json_key(json, key);
	if (string[0] != '\0')
		tw_json_string(json, string);
	else
		tw_json_literal(json, "null");
}

static void add_value(struct tw_text *json, const char *key, struct tw_value value)
{
	tw_json_key(json, key);
	if (value.known)
		tw_json_milli(json, value.milli);
	else
		tw_json_literal(json, "null");
}

static void add_changes(struct tw_text *json, const struct tw_view_namespace *namespace,
			const struct tw_view_rule *rule)
{
	tw_json_key(json, "changes");
	tw_json_begin(json, '[');
	for (unsigned i = 0; i < namespace->changes.count; i++) {
		const struct tw_view_change *change = &namespace->changes.rows[i];

		if (strcmp(change->rule, rule->name) != 0)
			continue;
		tw_json_begin(json, '{');
		add_string(json, "sysctl", change->sysctl);
		add_string(json, "baseline", change->baseline);
		add_string(json, "value", change->value);
		add_string(json, "owner", change->owner);
		tw_json_end(json, '}');
	}
	tw_json_end(json, ']');
}

static void add_alert(struct tw_text *json, const struct tw_view_namespace *namespace, const struct tw_view_rule *rule)
{
	tw_json_begin(json, '{');
	add_string(json, "namespace", namespace->name);
	add_string(json, "rule", rule->name);
	add_string(json, "metric", rule->metric_name);
	add_string(json, "severity", tw_severity_name(rule->severity));
	add_string(json, "state", rule->state);
	add_value(json, "since", rule->since);
	add_value(json, "value", rule->value);
	add_value(json, "threshold", rule->raise);
	add_string(json, "finding", rule->finding);
	add_changes(json, namespace, rule);
	tw_json_end(json, '}');
}

void tw_raised_add_json(struct tw_text *text, const struct tw_view *view)
{

	tw_json_begin(text, '{');
	tw_json_key(text, "alerts");
	tw_json_begin(text, '[');
	for (unsigned i = 0; i < view->namespace_count; i++) {
		const struct tw_view_rule *raised[TW_RULES_MAX];
		unsigned count = tw_status_raised(&view->namespaces[i], raised);

		for (unsigned j = 0; j < count; j++)
			add_alert(text, &view->namespaces[i], raised[j]);
	}
	tw_json_end(text, ']');
	tw_json_end(text, '}');
	tw_text_add_char(text, '\n');
}

/* ---- events */

void tw_raised_add_event(struct tw_text *text, const char *when, const struct tw_remote_event *event)
{
	tw_text_addf(text, "%s ", when);
	tw_text_add_scrubbed(text, event->event);
	tw_text_add(text, ": ");
	tw_text_add_scrubbed(text, event->message);
	tw_text_add_char(text, '\n');
}

void tw_raised_add_event_json(struct tw_text *text, int64_t seconds, const struct tw_remote_event *event)
{

	tw_json_begin(text, '{');
	tw_json_key(text, "time");
	tw_json_u64(text, (uint64_t)seconds);
	add_string(text, "event", event->event);
	add_string(text, "namespace", event->namespace);
	add_string(text, "rule", event->rule);
	add_string(text, "message", event->message);
	tw_json_end(text, '}');
	tw_text_add_char(text, '\n');
}
