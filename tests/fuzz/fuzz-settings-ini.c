/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "config/settings-load.h"
#include "model/sample.h"
#include "model/settings.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the reader is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

/* What narrows a rule down is whole, and serves its metric. */
static void require_sound_scope(const struct tw_rule_settings *rule)
{
	const struct tw_scope *scope = &rule->scope;

	require(memchr(scope->unit, '\0', sizeof(scope->unit)) != NULL);
	require(!scope->unit[0] || (strchr(scope->unit, '.') && !strchr(scope->unit, '/')));
	require(!scope->unit[0] || rule->metric == TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT) ||
		rule->metric == TW_METRIC_CLOSE_WAIT_AGE || rule->metric == TW_METRIC_CLOSE_WAIT_AGED);
	require(!scope->has_destination ||
		((rule->metric == TW_METRIC_PORT_USE || rule->metric == TW_METRIC_PORT_ETA) &&
		 !tw_address_is_any(&scope->destination)));
	require(scope->has_destination || scope->destination_port == 0);
	require(!scope->has_listener || (rule->metric == TW_METRIC_ACCEPT_QUEUE && scope->listener_port > 0));
	require(scope->has_listener || scope->listener_port == 0);
}

static void require_sound_step(const struct tw_action *action)
{
	const struct tw_tunable_info *info = tw_tunable_info(action->tunable);
	const struct tw_step *step = &action->step;

	require(info->kind == TW_TUNABLE_INTEGER && step->limit >= info->low && step->limit <= info->high);
	require(step->multiplies ? step->by > 1000 && step->by <= 10000 : step->by != 0);
	require(!info->raise_only || step->by > 0);
	require(step->every_usec >= TW_USEC_PER_SEC && step->every_usec <= TW_USEC_PER_DAY);
}

static void require_sound_destroy(const struct tw_settings *settings, const struct tw_destroy *destroy)
{
	bool time_wait = destroy->state == TW_STATE_TIME_WAIT;

	require(time_wait || destroy->state == TW_STATE_CLOSE_WAIT);
	require(time_wait ? settings->destroy_time_wait : settings->destroy_close_wait);
	require(destroy->older_than_usec >= (time_wait ? 1 : 10) * TW_USEC_PER_SEC);
	require(!time_wait || destroy->older_than_usec < TW_TIME_WAIT_USEC);
	require(time_wait ? destroy->scope.unit[0] == '\0' : !destroy->scope.has_destination);
	require(memchr(destroy->scope.unit, '\0', sizeof(destroy->scope.unit)) != NULL);
	require(destroy->max_per_second >= 1 && destroy->max_per_second <= 100000);
}

static void require_sound_action(const struct tw_settings *settings, const struct tw_action *action)
{
	switch (action->kind) {
	case TW_ACTION_SET:
		require(tw_tunable_in_bounds(action->tunable, &action->value));
		break;
	case TW_ACTION_STEP:
		require_sound_step(action);
		break;
	case TW_ACTION_DESTROY:
		require_sound_destroy(settings, &action->destroy);
		break;
	}
}

static void require_sound_rule(const struct tw_settings *settings, const struct tw_rule_settings *rule)
{
	require(rule->name[0] != '\0' && memchr(rule->name, '\0', sizeof(rule->name)) != NULL);
	require((unsigned)rule->metric < TW_METRIC_COUNT);
	require((unsigned)rule->severity < TW_SEVERITY_COUNT);
	require(rule->raise_milli >= 0 && rule->clear_milli >= 0 && rule->raise_milli != rule->clear_milli);
	require(rule->metric != TW_METRIC_PORT_ETA || rule->raise_milli < rule->clear_milli);
	require(rule->forecast_usec == 0 || rule->metric == TW_METRIC_PORT_USE);
	require_sound_scope(rule);
	require(rule->action_count <= TW_ACTIONS_MAX);
	for (unsigned i = 0; i < rule->action_count; i++)
		require_sound_action(settings, &rule->actions[i]);
}

static void require_sound(const struct tw_settings *settings)
{
	require(settings->interval_usec >= 100 * TW_USEC_PER_MSEC && settings->interval_usec <= TW_USEC_PER_HOUR);
	require(settings->census_usec >= settings->interval_usec);
	require(settings->survey_usec >= settings->interval_usec);
	require(settings->sample_record_usec == 0 || settings->sample_record_usec >= settings->interval_usec);
	require(settings->cpu_budget_milli >= 100 && settings->cpu_budget_milli <= 100000);
	require(settings->top >= 1 && settings->top <= TW_TOP_MAX);
	require(settings->max_changes <= 3600);
	require(settings->rule_count <= TW_RULES_MAX);
	for (unsigned i = 0; i < settings->rule_count; i++)
		require_sound_rule(settings, &settings->rules[i]);
}

/* The problems are whole strings, and none is without a text. */
static void require_told(const struct tw_problems *problems)
{
	for (unsigned i = 0; i < problems->count && i < TW_PROBLEMS_MAX; i++)
		require(problems->texts[i][0] != '\0' &&
			memchr(problems->texts[i], '\0', sizeof(problems->texts[i])) != NULL);
}

/* Without its NUL, so that a read beyond the end is seen. */
static char *copy(const uint8_t *data, size_t size)
{
	char *text = malloc(size > 0 ? size : 1);

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	return text;
}

/* The input is a file over the built-in defaults; what stands behind the first form feed in it is a drop-in over both.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tw_problems problems;
	const uint8_t *feed = size > 0 ? memchr(data, '\f', size) : NULL;
	size_t length = feed ? (size_t)(feed - data) : size;
	TW_CLEANUP_FREE char *text = copy(data, length);
	TW_CLEANUP_FREE char *drop_in = feed ? copy(feed + 1, size - length - 1) : NULL;
	TW_CLEANUP_SETTINGS struct tw_settings *settings = tw_settings_new();
	TW_CLEANUP_FREE struct tw_settings_reader *reader = NULL;

	require(settings != NULL);
	reader = tw_settings_reader_new(settings, &problems);
	require(reader != NULL);
	tw_settings_reader_add(reader, "main.conf", text, length);
	if (drop_in)
		tw_settings_reader_add(reader, "drop-in.conf", drop_in, size - length - 1);
	tw_settings_reader_finish(reader);
	require_told(&problems);
	if (problems.count == 0)
		require_sound(settings);
	return 0;
}
