/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A reconciler in a world of memory, for the tests of src/act: one of its kind a program, set up anew for each test. */

#include "../fake/fake-act.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#define REUSE TW_TUNABLE_TW_REUSE
#define BUCKETS TW_TUNABLE_MAX_TW_BUCKETS

static struct tw_fake_act fake;
static struct tw_reconciler reconciler;
static struct tw_desires desires;
static const struct tw_rule_settings rule = {
	.name = "port-exhaustion", .metric = TW_METRIC_PORT_USE, .raise_milli = 45000, .clear_milli = 25000
};
static const struct tw_rule_settings other_rule = { .name = "other", .metric = TW_METRIC_PORT_USE };

static inline int set_up(void **state TW_UNUSED)
{
	tw_fake_act_init(&fake);
	tw_fake_act_set(&fake, REUSE, 2);
	tw_fake_act_set(&fake, BUCKETS, 4096);
	memset(&desires, 0, sizeof(desires));
	tw_fake_act_start(&fake, &reconciler);
	return 0;
}

static inline int tear_down(void **state TW_UNUSED)
{
	return fake.rash_writes ? -1 : 0;
}

static inline void want(enum tw_tunable tunable, int64_t number)
{
	desires.rows[tunable] = (struct tw_desire){
		.wanted = true,
		.value = { { number, 0 } },
		.rule = &rule,
		.subject = { .has_destination = true, .destination = { .port = 8080 } },
		.metric_value = tw_value_of(51000),
	};
}

static inline void want_nothing(void)
{
	memset(&desires, 0, sizeof(desires));
}

static inline void enforce(void)
{
	tw_reconcile_run(&reconciler, &desires, TW_MODE_ENFORCE);
}

static inline void observe(void)
{
	tw_reconcile_run(&reconciler, &desires, TW_MODE_OBSERVE);
}

static inline int64_t live(enum tw_tunable tunable)
{
	return fake.live[tunable].value.numbers[0];
}

/* So many events since the last look, the last of this kind. */
static inline const struct tw_event *expect(unsigned count, enum tw_event_kind kind)
{
	const struct tw_event *event = tw_fake_act_last(&fake);

	assert_int_equal(fake.event_count, count);
	assert_non_null(event);
	assert_int_equal(event->kind, kind);
	tw_fake_act_forget_events(&fake);
	return event;
}

static inline void expect_silence(void)
{
	assert_int_equal(fake.event_count, 0);
}

static inline void expect_values(const struct tw_event *event, int64_t old, int64_t new, int64_t baseline)
{
	assert_true(event->has_sysctl);
	assert_true(event->old.known && event->new.known && event->baseline.known);
	assert_int_equal(event->old.value.numbers[0], old);
	assert_int_equal(event->new.value.numbers[0], new);
	assert_int_equal(event->baseline.value.numbers[0], baseline);
}

static inline void adjust(void)
{
	want(REUSE, 1);
	enforce();
	(void)expect(1, TW_EVENT_ADJUSTED);
	assert_int_equal(live(REUSE), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
