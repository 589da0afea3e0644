/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a step goes on over a reload: apart from test-stepper because that has one and the same action all along. */
#include "stepper-fixture.h"

/* Over a reload, what is in force is gone on from; its base is that of before, and its next step has its span. */
static void test_follow(void **state TW_UNUSED)
{
	struct tw_stepper old;
	struct tw_action was = action;

	set_live(65536);
	(void)look(100, TW_RULE_RAISED, 5000);
	(void)look(130, TW_RULE_RAISED, 5000);
	old = stepper;

	for (unsigned i = 0; i < 4; i++) {
		static const int64_t next[] = { 524288, 786432, 393216, 262144 };

		action = was;
		if (i == 1)
			action.step.by = 3000;
		if (i == 2)
			action.step = (struct tw_step){ .by = 131072, .limit = 1048576, .every_usec = 30 * S };
		if (i == 3)
			action.step.limit = 4096; /* never below it */
		stepper = (struct tw_stepper){ 0 };
		tw_stepper_follow(&stepper, &action, &old, &was);
		assert_int_equal(stepper.base, 65536);
		(void)look(140, TW_RULE_RAISED, 5000);
		assert_int_equal(stepper.wanted, 262144);
		assert_int_equal(look(160, TW_RULE_RAISED, 5000), i == 3);
		assert_int_equal(stepper.wanted, next[i]);
		assert_true(tw_stepper_wants(&stepper));
	}
}

/* A limit that was told is told again where it is another one, and only there. */
static void test_follow_at_limit(void **state TW_UNUSED)
{
	struct tw_stepper old;
	struct tw_action was;

	action.step.limit = 131072;
	was = action;
	set_live(65536);
	(void)look(100, TW_RULE_RAISED, 5000);
	assert_true(look(130, TW_RULE_RAISED, 5000));
	old = stepper;
	tw_stepper_follow(&stepper, &action, &old, &was);
	assert_false(look(160, TW_RULE_RAISED, 5000));
	action.step.limit = 150000;
	tw_stepper_follow(&stepper, &action, &old, &was);
	assert_false(look(170, TW_RULE_RAISED, 5000));
	assert_int_equal(stepper.wanted, 150000);
	assert_true(look(200, TW_RULE_RAISED, 5000));
}

/* A `set` became a step: while what it wanted is in force that goes on, without a base; else the step starts by itself.
 */
static void test_follow_set(void **state TW_UNUSED)
{
	static const struct {
		int64_t live;
		enum tw_rule_state state;
		int64_t first, second;
	} rows[] = {
		{ 100000, TW_RULE_RAISED, 100000, 200000 },
		{ 65536, TW_RULE_RAISED, 131072, 262144 },
		{ 100000, TW_RULE_NORMAL, 0, 200000 },
	};
	struct tw_action was = { .kind = TW_ACTION_SET, .tunable = BUCKETS, .value = { { 100000 } } };
	struct tw_stepper none = { 0 };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		stepper = (struct tw_stepper){ 0 };
		tw_stepper_follow(&stepper, &action, &none, &was);
		assert_false(tw_stepper_wants(&stepper));
		set_live(rows[i].live);
		(void)look(100, rows[i].state, 5000);
		assert_int_equal(tw_stepper_wants(&stepper) ? stepper.wanted : 0, rows[i].first);
		(void)look(130, TW_RULE_RAISED, 5000);
		assert_int_equal(stepper.wanted, rows[i].second);
	}
	/* Whether the value of before would do is not known, so it does not keep the rule up. */
	stepper = (struct tw_stepper){ 0 };
	tw_stepper_follow(&stepper, &action, &none, &was);
	set_live(100000);
	(void)look(100, TW_RULE_RAISED, 5000);
	sample.gauge.at_usec = 100 * S;
	sample.gauge.time_wait = 100000;
	assert_false(tw_stepper_needed(&stepper, &action, &sample));
}

/* Of another sysctl, or of sockets, it is none. */
static void test_follow_another(void **state TW_UNUSED)
{
	struct tw_stepper old = { .started = true, .has_base = true, .base = 1, .wanted = 2 };
	struct tw_action was = action;

	was.tunable = TW_TUNABLE_MAX_ORPHANS;
	tw_stepper_follow(&stepper, &action, &old, &was);
	was.kind = TW_ACTION_DESTROY;
	was.tunable = action.tunable;
	tw_stepper_follow(&stepper, &action, &old, &was);
	was.kind = TW_ACTION_STEP;
	action.kind = TW_ACTION_SET;
	tw_stepper_follow(&stepper, &action, &old, &was);
	assert_false(stepper.started || stepper.follows_set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_follow, clear),
		cmocka_unit_test_setup(test_follow_at_limit, clear),
		cmocka_unit_test_setup(test_follow_set, clear),
		cmocka_unit_test_setup(test_follow_another, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
