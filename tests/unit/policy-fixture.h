/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A policy over samples that a test fills by hand, and a recorder that remembers. */

#include "base/macros.h"
#include "decide/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC

/* A recorder that remembers kinds and rules. */
struct told {
	struct tw_recorder base;
	unsigned count;
	struct {
		enum tw_event_kind kind;
		char rule[TW_RULE_NAME_MAX];
		struct tw_event event;
	} events[64];
};

static inline void remember(struct tw_recorder *recorder, const char *namespace, const struct tw_event *event)
{
	struct told *told = (struct told *)recorder;

	assert_string_equal(namespace, "host");
	assert_true(told->count < TW_ARRAY_SIZE(told->events));
	told->events[told->count].kind = event->kind;
	strcpy(told->events[told->count].rule, event->rule->name);
	told->events[told->count++].event = *event;
}

struct stage {
	struct told told;
	struct tw_settings *settings;
	struct tw_policy policy;
	struct tw_sample sample;
	struct tw_desires desires;
	struct tw_kill_orders kills;
	struct tw_in_force in_force;
};

static inline int begin(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->told.base.tell = remember;
	stage->settings = tw_settings_new_empty();
	*state = stage;
	return stage->settings ? 0 : -1;
}

static inline int end(void **state)
{
	struct stage *stage = *state;

	tw_settings_free(stage->settings);
	free(stage);
	return 0;
}

/* A rule on the number of listeners: raised from 10, cleared at 5, without any hold. */
static inline struct tw_rule_settings *add_rule(struct tw_settings *settings, const char *name,
						enum tw_severity severity)
{
	struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

	tw_rule_settings_init(rule);
	strcpy(rule->name, name);
	rule->metric = TW_METRIC_STATE_FIRST;
	rule->raise_milli = 10000;
	rule->clear_milli = 5000;
	rule->raise_for_usec = rule->clear_for_usec = 0;
	rule->severity = severity;
	return rule;
}

static inline void add_set(struct tw_rule_settings *rule, enum tw_tunable tunable, int64_t value)
{
	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_SET,
		.tunable = tunable,
		.value.numbers[0] = value,
	};
}

static inline struct tw_scene scene_at(struct stage *stage, usec_t now_usec)
{
	return (struct tw_scene){
		stage->settings, &stage->sample, &stage->in_force, now_usec, &stage->told.base, "host"
	};
}

/* A step with what is in the sample. */
static inline void step_at(struct stage *stage, usec_t now_usec)
{
	const struct tw_scene scene = scene_at(stage, now_usec);

	tw_policy_step(&stage->policy, &scene, &stage->desires, &stage->kills);
}

static inline void step(struct stage *stage, unsigned at, uint64_t listeners)
{
	stage->sample.census.at_usec = at * S;
	stage->sample.census.known[TW_STATE_LISTEN] = true;
	stage->sample.census.count[TW_STATE_LISTEN] = listeners;
	step_at(stage, at * S);
}

/* Over port-use: raised from 45 % on, cleared at 25 %. */
static inline struct tw_rule_settings *add_ports_rule(struct tw_settings *settings)
{
	struct tw_rule_settings *rule = add_rule(settings, "ports", TW_SEVERITY_WARNING);

	rule->metric = TW_METRIC_PORT_USE;
	rule->raise_milli = 45000;
	rule->clear_milli = 25000;
	return rule;
}

/* A survey of 1000 usable ports in which nothing is held yet. */
static inline void begin_survey(struct stage *stage, unsigned at)
{
	stage->sample.survey = (struct tw_survey){
		.at_usec = at * S,
		.usable = 1000,
		.port_use = tw_value_of(0),
	};
}

/* A destination whose ports wait, all of them: so many, so many blocked, and so many young ones. */
static inline struct tw_destination_row *add_destination(struct stage *stage, uint16_t port, uint32_t ports,
							 uint32_t blocked, uint32_t young)
{
	struct tw_survey *survey = &stage->sample.survey;
	struct tw_destination_row *row = &survey->top[survey->top_count++];

	survey->has_busiest = true;
	survey->destinations = survey->top_count;
	*row = (struct tw_destination_row){
		.key.port = port,
		.ports = ports,
		.held = { [TW_HOLDER_TIME_WAIT] = ports },
		.time_wait = ports,
		.young_time_wait = young,
		.blocked = blocked,
		.blocked_baseline = ports,
		.bound_first_known = true,
		.port_use = tw_value_percent(blocked, 1000),
	};
	if (row->port_use.milli > survey->port_use.milli)
		survey->port_use = row->port_use;
	return row;
}

/* A step with the survey as it is. */
static inline void look(struct stage *stage)
{
	step_at(stage, stage->sample.survey.at_usec);
}

/* A survey with one destination alone, of which nothing is taken over, and a step. */
static inline void survey_one(struct stage *stage, unsigned at, uint32_t blocked, int64_t eta_milli)
{
	struct tw_destination_row *row;

	begin_survey(stage, at);
	row = add_destination(stage, 8080, blocked, blocked, blocked);
	if (eta_milli >= 0)
		row->port_eta = stage->sample.survey.port_eta = tw_value_of(eta_milli);
	look(stage);
}

/* What was wanted is in force: tcp_tw_reuse is ours. */
static inline void set_reuse_ours(struct stage *stage, bool ours)
{
	stage->in_force.rows[TW_TUNABLE_TW_REUSE].ours = ours;
	stage->in_force.rows[TW_TUNABLE_TW_REUSE].value.numbers[0] = ours;
	stage->sample.gauge.sysctls[TW_TUNABLE_TW_REUSE] = (struct tw_live_value){ { { ours } }, true };
}

/* Other settings from now on. */
static inline void rebase(struct stage *stage, const struct tw_settings *next, unsigned at)
{
	struct tw_scene scene = scene_at(stage, at * S);

	scene.settings = next;
	tw_policy_rebase(&stage->policy, stage->settings, &scene);
}

/* How many events of this kind were told. */
static inline unsigned told_of(struct stage *stage, enum tw_event_kind kind)
{
	unsigned count = 0;

	for (unsigned i = 0; i < stage->told.count; i++)
		count += stage->told.events[i].kind == kind;
	return count;
}

/* The last event of this kind about this destination; NULL for none. */
static inline const struct tw_event *told_about(const struct stage *stage, enum tw_event_kind kind, uint16_t port)
{
	for (unsigned i = stage->told.count; i-- > 0;)
		if (stage->told.events[i].kind == kind && stage->told.events[i].event.subject.destination.port == port)
			return &stage->told.events[i].event;
	return NULL;
}

/* The same where there has to be one. */
static inline const struct tw_event *surely_told(const struct stage *stage, enum tw_event_kind kind, uint16_t port)
{
	static const struct tw_event none;
	const struct tw_event *event = told_about(stage, kind, port);

	assert_non_null(event);
	return event ? event : &none;
}
