/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-rule.h"

#include "ctl/explain/explain-words.h"
#include "decide/alert.h"
#include "decide/gate.h"
#include "decide/reading.h"
#include "tell/message.h"
#include "tell/rows.h"

#include <inttypes.h>

enum tw_standing tw_explain_rule_standing(const struct tw_rule_settings *rule, const struct tw_sample *sample)
{
	struct tw_reading_row worst;

	tw_reading_worst(sample, rule, &worst);
	if (!worst.reading.value.known)
		return TW_STANDING_UNKNOWN;
	return tw_alert_begins(rule, &worst.reading) ? TW_STANDING_OVER : TW_STANDING_WELL;
}

static void add_scope(struct tw_text *text, const struct tw_rule_settings *rule)
{
	const struct tw_scope *scope = &rule->scope;

	if (rule->metric == TW_METRIC_CLOSE_WAIT_AGED) {
		tw_text_add(text, " older than ");
		tw_value_add_span(text, rule->age_usec);
	}
	if (scope->unit[0] != '\0')
		tw_text_addf(text, " of %s", scope->unit);
	if (scope->has_destination) {
		tw_text_add(text, " towards ");
		if (scope->destination_port != 0)
			tw_endpoint_add(text, &scope->destination, scope->destination_port);
		else
			tw_address_add(text, &scope->destination);
	}
	if (scope->has_listener) {
		tw_text_add(text, " at ");
		tw_endpoint_add(text, &scope->listener, scope->listener_port);
	}
}

static void add_hold(struct tw_text *text, usec_t span_usec)
{
	if (span_usec == 0)
		return;
	tw_text_add(text, " held for ");
	tw_value_add_span(text, span_usec);
}

void tw_explain_rule_say(struct tw_page *page, const struct tw_rule_settings *rule, const struct tw_sample *sample)
{
	struct tw_text *text = tw_page_begin(page, "Rule");
	struct tw_reading_row worst;
	struct tw_value now;

	tw_reading_worst(sample, rule, &worst);
	now = worst.reading.value;
	tw_text_addf(text, "%s (%s) watches %s", rule->name, tw_severity_name(rule->severity),
		     tw_metric_info(rule->metric)->name);
	add_scope(text, rule);
	tw_text_add(text, ": raised at ");
	tw_message_add_figure(text, rule->metric, tw_value_of(rule->raise_milli));
	add_hold(text, rule->raise_for_usec);
	tw_text_add(text, ", cleared at ");
	tw_message_add_figure(text, rule->metric, tw_value_of(rule->clear_milli));
	add_hold(text, rule->clear_for_usec);
	tw_text_add(text, ". It reads ");
	tw_message_add_figure(text, rule->metric, now);
	switch (tw_explain_rule_standing(rule, sample)) {
	case TW_STANDING_UNKNOWN:
		tw_text_add(text, " here, so it cannot be judged.");
		break;
	case TW_STANDING_WELL:
		tw_text_add(text, " here now, which is well.");
		break;
	case TW_STANDING_OVER:
		tw_text_add(text, " here now, which is over its level.");
		break;
	}
	tw_page_note(page, tw_metric_info(rule->metric)->name, now);
}

void tw_explain_rule_say_over(struct tw_page *page, const struct tw_rule_settings *rule, const struct tw_sample *sample)
{
	struct tw_reading_row worst;
	struct tw_event event = {
		.kind = TW_EVENT_RAISED,
		.rule = rule,
		.has_metric = true,
		.metric = rule->metric,
		.threshold = tw_value_of(rule->raise_milli),
		.sample = sample,
	};
	struct tw_text *text = tw_page_begin(page, "Wrong now");

	tw_reading_worst(sample, rule, &worst);
	event.value = worst.reading.value;
	event.subject = worst.subject;
	event.has_count =
		event.subject.unit[0] != '\0' && tw_reading_count(sample, rule, event.subject.unit, &event.count);
	tw_text_addf(text, "%s (%s): ", rule->name, tw_severity_name(rule->severity));
	(void)tw_message_add_finding(text, &event);
	tw_text_add_char(text, '.');
	if (rule->raise_for_usec > 0) {
		tw_text_add(text, " One look has seen it; the daemon raises the rule when it has held for ");
		tw_value_add_span(text, rule->raise_for_usec);
		tw_text_add_char(text, '.');
	}
}

static void say_refused(struct tw_page *page, const struct tw_sample *sample, enum tw_tunable tunable,
			const struct tw_subject *subject, enum tw_gate_verdict verdict)
{
	struct tw_text *text = tw_page_begin(page, "The rule's own remedy cannot help now");
	char advice[TW_REASON_MAX];
	struct tw_text rest;

	tw_text_init(&rest, advice, sizeof(advice));
	tw_gate_explain(verdict, tunable, sample, subject, text, &rest);
	tw_text_addf(text, ". Instead: %s.", advice);
}

static void say_change(struct tw_page *page, const struct tw_rule_settings *rule, const struct tw_action *action,
		       const struct tw_sample *sample)
{
	const struct tw_explain_words *words = tw_explain_tunable_words(action->tunable);
	const struct tw_tunable_info *info = tw_tunable_info(action->tunable);
	bool steps = action->kind == TW_ACTION_STEP;
	struct tw_tunable_value value =
		steps ? (struct tw_tunable_value){ .numbers = { action->step.limit } } : action->value;
	enum tw_gate_verdict verdict;
	struct tw_reading_row worst;
	char spelt[TW_TUNABLE_VALUE_MAX];
	struct tw_text *text;

	tw_reading_worst(sample, rule, &worst);
	verdict = tw_gate_check(action->tunable, &value, sample, &worst.subject, false);
	if (!sample->gauge.sysctls[action->tunable].known) {
		tw_text_addf(tw_page_begin(page, "The rule's own remedy"), "%s, which is not there.", info->key);
		return;
	}
	if (rule->gate && verdict != TW_GATE_OPEN) {
		say_refused(page, sample, action->tunable, &worst.subject, verdict);
		return;
	}
	text = tw_page_begin(page, "The rule's own remedy");
	tw_text_addf(text, steps ? "%s, step by step up to %s" : "%s=%s", info->key,
		     tw_tunable_format(action->tunable, &value, spelt));
	tw_text_addf(text, ", for %s. Not for %s.", words->good_for, words->not_for);
}

static void say_destroy(struct tw_page *page, const struct tw_destroy *destroy)
{
	struct tw_text *text = tw_page_begin(page, "The rule's own remedy");

	tw_text_addf(text, "to end sockets that are in %s for more than ", tw_state_title(destroy->state));
	tw_value_add_span(text, destroy->older_than_usec);
	tw_text_addf(text, ", at most %" PRIu32 " a second. ", destroy->max_per_second);
	tw_text_add(text, destroy->state == TW_STATE_TIME_WAIT
				  ? "That gives up the rest of TIME-WAIT's protection against stray segments."
				  : "That frees the kernel's half of the leak; the descriptor stays with the program.");
}

void tw_explain_rule_say_actions(struct tw_page *page, const struct tw_rule_settings *rule,
				 const struct tw_sample *sample)
{
	for (unsigned i = 0; i < rule->action_count; i++) {
		const struct tw_action *action = &rule->actions[i];

		switch (action->kind) {
		case TW_ACTION_SET:
		case TW_ACTION_STEP:
			say_change(page, rule, action, sample);
			break;
		case TW_ACTION_DESTROY:
			say_destroy(page, &action->destroy);
			break;
		}
	}
}
