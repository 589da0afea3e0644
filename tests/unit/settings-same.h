/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline void assert_same_action(const struct tw_action *a, const struct tw_action *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->tunable, b->tunable);
	assert_true(tw_tunable_equal(a->tunable, &a->value, &b->value));
	assert_int_equal(a->step.multiplies, b->step.multiplies);
	assert_int_equal(a->step.by, b->step.by);
	assert_int_equal(a->step.limit, b->step.limit);
	assert_int_equal(a->step.every_usec, b->step.every_usec);
	assert_int_equal(a->destroy.state, b->destroy.state);
	assert_int_equal(a->destroy.older_than_usec, b->destroy.older_than_usec);
	assert_int_equal(a->destroy.max_per_second, b->destroy.max_per_second);
}

static inline void assert_same_scope(const struct tw_scope *a, const struct tw_scope *b)
{
	assert_string_equal(a->unit, b->unit);
	assert_int_equal(a->has_destination, b->has_destination);
	assert_true(tw_address_equal(&a->destination, &b->destination));
	assert_int_equal(a->destination_port, b->destination_port);
	assert_int_equal(a->has_listener, b->has_listener);
	assert_true(tw_address_equal(&a->listener, &b->listener));
	assert_int_equal(a->listener_port, b->listener_port);
}

static inline void assert_same_rule(const struct tw_rule_settings *a, const struct tw_rule_settings *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->metric, b->metric);
	assert_int_equal(a->raise_milli, b->raise_milli);
	assert_int_equal(a->clear_milli, b->clear_milli);
	assert_int_equal(a->raise_for_usec, b->raise_for_usec);
	assert_int_equal(a->clear_for_usec, b->clear_for_usec);
	assert_int_equal(a->forecast_usec, b->forecast_usec);
	assert_int_equal(a->age_usec, b->age_usec);
	assert_int_equal(a->remind_usec, b->remind_usec);
	assert_int_equal(a->cooldown_usec, b->cooldown_usec);
	assert_same_scope(&a->scope, &b->scope);
	assert_string_equal(a->namespaces.words, b->namespaces.words);
	assert_int_equal(a->severity, b->severity);
	assert_int_equal(a->gate, b->gate);
	assert_int_equal(a->proof, b->proof);
	assert_int_equal(a->action_count, b->action_count);
	for (unsigned i = 0; i < a->action_count; i++)
		assert_same_action(&a->actions[i], &b->actions[i]);
}

/* Field by field, so that a difference is told by its name. */
static inline void assert_same(const struct tw_settings *a, const struct tw_settings *b)
{
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->interval_usec, b->interval_usec);
	assert_int_equal(a->census_usec, b->census_usec);
	assert_int_equal(a->survey_usec, b->survey_usec);
	assert_int_equal(a->cpu_budget_milli, b->cpu_budget_milli);
	assert_int_equal(a->top, b->top);
	assert_int_equal(a->sample_record_usec, b->sample_record_usec);
	assert_int_equal(a->proof_after_usec, b->proof_after_usec);
	assert_int_equal(a->allow_unsafe, b->allow_unsafe);
	assert_int_equal(a->max_changes, b->max_changes);
	assert_int_equal(a->destroy_time_wait, b->destroy_time_wait);
	assert_int_equal(a->destroy_close_wait, b->destroy_close_wait);
	assert_string_equal(a->namespaces.words, b->namespaces.words);
	assert_int_equal(a->rule_count, b->rule_count);
	for (unsigned i = 0; i < a->rule_count; i++)
		assert_same_rule(&a->rules[i], &b->rules[i]);
}
