/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tables of configurations for the tests of src/config: a text in, its problems or its settings out. */

#include "base/duration.h"
#include "base/text.h"
#include "config/settings-load.h"
#include "model/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* A whole rule, to be gone on with. */
#define RULE "[rule r]\nmetric=time-wait\nraise=9\nclear=1\n"
#define PORT_RULE "[rule r]\nmetric=port-use\nraise=45%\nclear=25%\n"

#define TEN "0123456789"
#define FORTY TEN TEN TEN TEN

#define EXPECTED_SPAN(low, high) "expected a time span such as 500ms or 1min 30s, from " low " to " high "\n"

/* All problems of a row, or its settings, in one string. */
#define RENDERED_MAX 16384

struct row {
	const char *name;
	const char *text;     /* read as file "a" */
	const char *drop_in;  /* read as file "b" over it; NULL: there is none */
	const char *problems; /* each in a line */
	const char *settings; /* as render_settings() writes them; NULL: the row is about its problems */
};

static inline void render_problems(struct tw_text *text, const struct tw_problems *problems)
{
	for (unsigned i = 0; i < problems->count && i < TW_PROBLEMS_MAX; i++)
		tw_text_addf(text, "%s\n", problems->texts[i]);
}

static inline void render_span(struct tw_text *text, const char *name, usec_t span, usec_t usual)
{
	char bytes[TW_DURATION_TEXT_MAX];

	if (span != usual)
		tw_text_addf(text, " %s=%s", name, tw_duration_format(bytes, span));
}

/* Port 0 is none, and is told, so that one that was not asked for is seen. */
static inline void render_scope(struct tw_text *text, const struct tw_scope *scope)
{
	if (scope->unit[0])
		tw_text_addf(text, " unit=%s", scope->unit);
	if (scope->has_destination) {
		tw_text_add(text, " destination=");
		tw_endpoint_add(text, &scope->destination, scope->destination_port);
	}
	if (scope->has_listener) {
		tw_text_add(text, " listener=");
		tw_endpoint_add(text, &scope->listener, scope->listener_port);
	}
}

/* " step:net.ipv4.tcp_fin_timeout-5..20/30s". */
static inline void render_step(struct tw_text *text, const struct tw_action *action)
{
	char every[TW_DURATION_TEXT_MAX];

	tw_text_addf(text, " step:%s%s", tw_tunable_info(action->tunable)->key,
		     action->step.multiplies ? "x" : (action->step.by < 0 ? "" : "+"));
	tw_text_add_milli(text, action->step.multiplies ? action->step.by : action->step.by * 1000);
	tw_text_addf(text, "..%lld/%s", (long long)action->step.limit,
		     tw_duration_format(every, action->step.every_usec));
}

/* " destroy:time-wait>30s:80 10.0.0.2:443 web.service max=1000". */
static inline void render_destroy(struct tw_text *text, const struct tw_destroy *destroy)
{
	char older[TW_DURATION_TEXT_MAX];

	tw_text_addf(text, " destroy:%s>%s:%u", tw_state_name(destroy->state),
		     tw_duration_format(older, destroy->older_than_usec), destroy->port);
	if (destroy->scope.has_destination) {
		tw_text_add_char(text, ' ');
		tw_endpoint_add(text, &destroy->scope.destination, destroy->scope.destination_port);
	}
	if (destroy->scope.unit[0])
		tw_text_addf(text, " %s", destroy->scope.unit);
	tw_text_addf(text, " max=%u", destroy->max_per_second);
}

static inline void render_action(struct tw_text *text, const struct tw_action *action)
{
	char value[TW_TUNABLE_VALUE_MAX];

	switch (action->kind) {
	case TW_ACTION_SET:
		tw_text_addf(text, " %s=%s", tw_tunable_info(action->tunable)->key,
			     tw_tunable_format(action->tunable, &action->value, value));
		break;
	case TW_ACTION_STEP:
		render_step(text, action);
		break;
	case TW_ACTION_DESTROY:
		render_destroy(text, &action->destroy);
		break;
	}
}

static inline void render_rule(struct tw_text *text, const struct tw_rule_settings *rule)
{
	struct tw_rule_settings usual;

	tw_rule_settings_init(&usual);
	tw_text_addf(text, "%s: %s ", rule->name, tw_metric_info(rule->metric)->name);
	tw_text_add_milli(text, rule->raise_milli);
	tw_text_add_char(text, ' ');
	tw_text_add_milli(text, rule->clear_milli);
	render_span(text, "raise-for", rule->raise_for_usec, usual.raise_for_usec);
	render_span(text, "clear-for", rule->clear_for_usec, usual.clear_for_usec);
	render_span(text, "forecast", rule->forecast_usec, usual.forecast_usec);
	render_span(text, "age", rule->age_usec, usual.age_usec);
	render_span(text, "remind", rule->remind_usec, usual.remind_usec);
	render_span(text, "cooldown", rule->cooldown_usec, usual.cooldown_usec);
	if (rule->severity != usual.severity)
		tw_text_addf(text, " severity=%s", tw_severity_name(rule->severity));
	render_scope(text, &rule->scope);
	if (strcmp(rule->namespaces.words, usual.namespaces.words) != 0)
		tw_text_addf(text, " namespaces=%s", rule->namespaces.words);
	if (rule->gate != usual.gate)
		tw_text_addf(text, " gate=%d", (int)rule->gate);
	if (rule->proof != usual.proof)
		tw_text_addf(text, " proof=%d", (int)rule->proof);
	for (unsigned i = 0; i < rule->action_count; i++)
		render_action(text, &rule->actions[i]);
	tw_text_add_char(text, '\n');
}

/* What differs from `usual` of [daemon], in one line; then each rule, with what differs from a new one. */
static inline void render_settings(struct tw_text *text, const struct tw_settings *settings,
				   const struct tw_settings *usual)
{
	tw_text_add(text, "daemon:");
	if (settings->mode != usual->mode)
		tw_text_addf(text, " mode=%d", (int)settings->mode);
	render_span(text, "interval", settings->interval_usec, usual->interval_usec);
	render_span(text, "census", settings->census_usec, usual->census_usec);
	render_span(text, "survey", settings->survey_usec, usual->survey_usec);
	if (settings->cpu_budget_milli != usual->cpu_budget_milli) {
		tw_text_add(text, " cpu-budget=");
		tw_text_add_milli(text, settings->cpu_budget_milli);
	}
	if (strcmp(settings->namespaces.words, "host") != 0)
		tw_text_addf(text, " namespaces=%s", settings->namespaces.words);
	if (settings->top != usual->top)
		tw_text_addf(text, " top=%u", settings->top);
	render_span(text, "sample-record", settings->sample_record_usec, usual->sample_record_usec);
	render_span(text, "proof-after", settings->proof_after_usec, usual->proof_after_usec);
	if (settings->allow_unsafe != usual->allow_unsafe)
		tw_text_addf(text, " allow-unsafe=%d", (int)settings->allow_unsafe);
	if (settings->max_changes != usual->max_changes)
		tw_text_addf(text, " max-changes=%u", settings->max_changes);
	if (settings->destroy_time_wait)
		tw_text_add(text, " destroy-time-wait");
	if (settings->destroy_close_wait)
		tw_text_add(text, " destroy-close-wait");
	tw_text_add_char(text, '\n');
	for (unsigned i = 0; i < settings->rule_count; i++)
		render_rule(text, &settings->rules[i]);
	for (unsigned i = 0; i < settings->skipped_count; i++)
		tw_text_addf(text, "skipped: %s of %s, %s\n", tw_tunable_info(settings->skipped[i].tunable)->key,
			     settings->skipped[i].rule, settings->skipped[i].place);
}

static inline void read_texts(const char *a, const char *b, struct tw_settings *settings, struct tw_problems *problems)
{
	struct tw_settings_reader *reader = tw_settings_reader_new(settings, problems);

	assert_non_null(reader);
	tw_settings_reader_add(reader, "a", a, strlen(a));
	if (b)
		tw_settings_reader_add(reader, "b", b, strlen(b));
	tw_settings_reader_finish(reader);
	free(reader);
}

static inline void test_row(void **state)
{
	static struct tw_problems problems;
	static char bytes[RENDERED_MAX];
	struct tw_settings *settings = tw_settings_new_empty(), *usual = tw_settings_new_empty();
	const struct row *row = *state;
	struct tw_text text;

	assert_non_null(settings);
	assert_non_null(usual);
	read_texts(row->text, row->drop_in, settings, &problems);
	tw_text_init(&text, bytes, sizeof(bytes));
	render_problems(&text, &problems);
	assert_string_equal(bytes, row->problems);
	if (row->settings) {
		tw_text_init(&text, bytes, sizeof(bytes));
		render_settings(&text, settings, usual);
		assert_string_equal(bytes, row->settings);
	}
	assert_null(tw_settings_free(settings));
	assert_null(tw_settings_free(usual));
}

/* Most tests of one program. */
#define TESTS_MAX 100

/* Runs each row as a test of its own, and the further tests behind them. */
static inline int run_rows(const char *name, const struct row *rows, size_t row_count, const struct CMUnitTest *others,
			   size_t other_count)
{
	static struct CMUnitTest tests[TESTS_MAX];
	size_t count = 0;

	if (row_count + other_count > TESTS_MAX)
		return 1;
	for (size_t i = 0; i < row_count; i++)
		tests[count++] = (struct CMUnitTest){ .name = rows[i].name,
						      .test_func = test_row,
						      .initial_state = (void *)(uintptr_t)&rows[i] };
	for (size_t i = 0; i < other_count; i++)
		tests[count++] = others[i];
	return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}
