/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A world of two destinations, an alert over each, and what they want of it tick by tick. */
#include "base/macros.h"
#include "decide/desired.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define REUSE TW_TUNABLE_TW_REUSE
#define BUCKETS TW_TUNABLE_MAX_TW_BUCKETS
#define A 0
#define B 1

/* Large: not for the stack of each test. Two destinations, an alert each, and another rule's alert over the first. */
static struct tw_sample sample;
static struct tw_in_force in_force;
static struct tw_settings settings;
#define rules settings.rules
static struct tw_stepper steppers[2][TW_ACTIONS_MAX];
static struct tw_alert alerts[3];
static struct tw_desires desires;
static struct tw_kill_orders kills;
static struct tw_event told[16];
static unsigned told_count;
static bool advised, disobeys;

static inline void remember(struct tw_recorder *recorder TW_UNUSED, const char *namespace, const struct tw_event *event)
{
	assert_string_equal(namespace, "blue");
	assert_true(told_count < TW_ARRAY_SIZE(told));
	told[told_count++] = *event;
}

static struct tw_recorder recorder = { .tell = remember };

static inline struct tw_destination destination_of(unsigned row)
{
	const uint8_t source[] = { 10, 0, 0, 1 }, to[] = { 10, 0, 0, 2 };

	return (struct tw_destination){ tw_address_from_ipv4(source), tw_address_from_ipv4(to), 0, (uint16_t)(80 + row),
					0 };
}

/* So many of 1000 ports, all but some of them in TIME-WAIT. */
static inline void set_row(unsigned row, uint32_t ports, uint32_t established)
{
	sample.survey.top[row].key = destination_of(row);
	sample.survey.top[row].ports = sample.survey.top[row].blocked = sample.survey.top[row].blocked_baseline = ports;
	sample.survey.top[row].established = sample.survey.top[row].held[TW_HOLDER_ESTABLISHED] = established;
	sample.survey.top[row].time_wait = sample.survey.top[row].held[TW_HOLDER_TIME_WAIT] = ports - established;
	sample.survey.top[row].port_use = tw_value_percent(ports, 1000);
}

static inline void set_live(enum tw_tunable tunable, int64_t value)
{
	sample.gauge.sysctls[tunable] = (struct tw_live_value){ { { value } }, true };
}

static inline int clear(void **state TW_UNUSED)
{
	memset(&sample, 0, sizeof(sample));
	settings.proof_after_usec = 30 * S;
	memset(&in_force, 0, sizeof(in_force));
	memset(alerts, 0, sizeof(alerts));
	memset(steppers, 0, sizeof(steppers));
	memset(&kills, 0, sizeof(kills));
	told_count = 0;
	advised = disobeys = false;
	sample.survey.at_usec = S;
	sample.survey.has_busiest = true;
	sample.survey.usable = 1000;
	sample.survey.top_count = sample.survey.destinations = 2;
	set_row(A, 600, 20);
	set_row(B, 500, 490);
	set_live(REUSE, 2);
	set_live(TW_TUNABLE_TIMESTAMPS, 1);
	set_live(BUCKETS, 65536);
	sample.gauge.memory_bound_pages = (struct tw_count){ UINT64_MAX, true };
	for (unsigned i = 0; i < 2; i++) {
		tw_rule_settings_init(&rules[i]);
		strcpy(rules[i].name, i == 0 ? "one" : "two");
		rules[i].metric = TW_METRIC_PORT_USE;
		rules[i].raise_milli = 45000;
		rules[i].clear_milli = 25000;
		rules[i].severity = TW_SEVERITY_WARNING;
		rules[i].cooldown_usec = 600 * S;
	}
	for (unsigned i = 0; i < TW_ARRAY_SIZE(alerts); i++) {
		alerts[i].rule = i / 2;
		alerts[i].subject =
			(struct tw_subject){ .has_destination = true, .destination = destination_of(i % 2) };
		alerts[i].value = tw_value_of(52700);
	}
	return 0;
}

static inline struct tw_action *add_set(unsigned rule, enum tw_tunable tunable, int64_t value)
{
	struct tw_action *action = &rules[rule].actions[rules[rule].action_count++];

	*action = (struct tw_action){ .kind = TW_ACTION_SET, .tunable = tunable, .value.numbers[0] = value };
	return action;
}

static inline void add_step(unsigned rule, int64_t by, int64_t limit)
{
	rules[rule].actions[rules[rule].action_count++] = (struct tw_action){
		.kind = TW_ACTION_STEP,
		.tunable = BUCKETS,
		.step = { .multiplies = true, .by = by, .limit = limit, .every_usec = 30 * S },
	};
}

static inline void add_destroy(unsigned rule, uint16_t port)
{
	rules[rule].actions[rules[rule].action_count++] = (struct tw_action){
		.kind = TW_ACTION_DESTROY,
		.destroy = { .state = TW_STATE_TIME_WAIT, .older_than_usec = 30 * S, .port = port },
	};
}

/* The world obeys: what is wanted is in force, what is not is what it was. */
static inline void carry_out(void)
{
	static const struct {
		enum tw_tunable tunable;
		int64_t baseline;
	} rows[] = { { REUSE, 2 }, { BUCKETS, 65536 } };

	for (unsigned i = 0; i < TW_ARRAY_SIZE(rows) && !disobeys; i++) {
		const struct tw_desire *desire = &desires.rows[rows[i].tunable];

		if (in_force.rows[rows[i].tunable].yielded)
			continue;
		in_force.rows[rows[i].tunable].ours = desire->wanted;
		in_force.rows[rows[i].tunable].value = desire->value;
	}
}

/* One tick; what came to be in force is live at the next. */
static inline void turn(unsigned at)
{
	const struct tw_scene scene = { &settings, &sample, &in_force, at * S, &recorder, "blue" };
	struct tw_desired to = { &desires, &kills, advised };

	memset(&desires, 0, sizeof(desires));
	kills.count = 0;
	sample.gauge.at_usec = at * S;
	for (unsigned rule = 0; rule < 2; rule++) {
		struct tw_alert *first = NULL;

		for (unsigned i = 0; i < TW_ARRAY_SIZE(alerts); i++) {
			if (alerts[i].rule != rule || !tw_alert_active(&alerts[i]))
				continue;
			alerts[i].measured_usec = at * S;
			tw_desired_add(to, &alerts[i], first == NULL, &scene);
			first = first ? first : &alerts[i];
		}
		tw_desired_add_steps(to, steppers[rule], first, &rules[rule], &scene);
	}
	carry_out();
	for (unsigned i = 0; i < TW_ARRAY_SIZE(alerts); i++)
		tw_desired_prove(&alerts[i], steppers[alerts[i].rule], &scene);
	for (int i = 0; i < TW_TUNABLE_COUNT && !disobeys; i++)
		if (in_force.rows[i].ours)
			set_live((enum tw_tunable)i, in_force.rows[i].value.numbers[0]);
		else if (i == REUSE || i == BUCKETS)
			set_live((enum tw_tunable)i, i == REUSE ? 2 : 65536);
}

/* What is wanted; 0 for nothing. */
static inline int64_t wanted(enum tw_tunable tunable)
{
	return desires.rows[tunable].wanted ? desires.rows[tunable].value.numbers[0] : 0;
}

static inline void raise_alert(unsigned alert)
{
	alerts[alert].state = TW_RULE_RAISED;
	alerts[alert].over = true;
}

static inline void end_alert(unsigned alert)
{
	alerts[alert].state = TW_RULE_NORMAL;
}
