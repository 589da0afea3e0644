/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stepper-fixture.h"

/* Each look in turn: 0 where nothing is wanted. */
static void test_life(void **state TW_UNUSED)
{
	static const struct {
		unsigned at;
		enum tw_rule_state state;
		int64_t milli, wanted;
		bool told;
	} rows[] = {
		{ 100, TW_RULE_RISING, 5000, 0, false },
		{ 110, TW_RULE_RAISED, 5000, 131072, false }, /* at once */
		{ 111, TW_RULE_RAISED, 5000, 131072, false },
		{ 139, TW_RULE_RAISED, 5000, 131072, false },
		{ 140, TW_RULE_RAISED, 5000, 262144, false }, /* a span later */
		{ 170, TW_RULE_RAISED, 999, 262144, false },  /* below raise */
		{ 175, TW_RULE_CLEARING, 0, 262144, false },
		{ 180, TW_RULE_RAISED, 1000, 524288, false }, /* overdue: at once, at the level itself */
		{ 209, TW_RULE_RAISED, 5000, 524288, false },
		{ 300, TW_RULE_RAISED, 5000, 1048576, false }, /* one, however late */
		{ 329, TW_RULE_RAISED, 5000, 1048576, false },
		{ 330, TW_RULE_RAISED, 5000, 1048576, true }, /* the limit, told once */
		{ 360, TW_RULE_RAISED, 5000, 1048576, false },
		{ 390, TW_RULE_CLEARING, 0, 1048576, false },
		{ 450, TW_RULE_NORMAL, 0, 0, false }, /* in one go */
		{ 460, TW_RULE_RISING, 5000, 0, false },
		{ 470, TW_RULE_RAISED, 5000, 131072, false }, /* and again from the beginning */
		{ 500, TW_RULE_RAISED, 5000, 262144, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		/* What is live follows, but the base is that of the beginning. */
		set_live(rows[i].wanted && tw_stepper_wants(&stepper) ? stepper.wanted : 65536);
		assert_int_equal(look(rows[i].at, rows[i].state, rows[i].milli), rows[i].told);
		assert_int_equal(tw_stepper_wants(&stepper), rows[i].wanted != 0);
		if (rows[i].wanted)
			assert_int_equal(stepper.wanted, rows[i].wanted);
	}
}

/* From a base, three looks a span apart; 0 where the step wants nothing. */
static void test_arithmetic(void **state TW_UNUSED)
{
	static const struct {
		enum tw_tunable tunable;
		bool multiplies;
		int64_t by, limit, base, wanted[3];
	} rows[] = {
		{ BUCKETS, true, 2000, 1048576, 65536, { 131072, 262144, 524288 } },
		{ BUCKETS, true, 10000, 16777216, 262144, { 2621440, 16777216, 16777216 } },
		{ BUCKETS, true, 2000, 100000, 65536, { 100000, 100000, 100000 } },
		{ BUCKETS, true, 2000, 1048576, 1048576, { 0, 0, 0 } },
		{ BUCKETS, true, 2000, 1048576, 2000000, { 0, 0, 0 } }, /* beyond the limit already */
		{ BUCKETS, false, 4096, 16777216, 65536, { 69632, 73728, 77824 } },
		{ BUCKETS, true, 2000, 16777216, 0, { 1024, 2048, 4096 } }, /* from below the bounds onto them */
		{ BUCKETS, true, 2000, 16777216, 500, { 1024, 2048, 4096 } },
		{ BUCKETS, true, 2000, 16777216, 513, { 1026, 2052, 4104 } },
		{ BUCKETS, false, 100, 16777216, -1, { 1024, 1124, 1224 } },
		{ FIN, false, -5, 20, 7200, { 3600, 3595, 3590 } },

		{ TW_TUNABLE_TW_REUSE, true, 1001, 2, 1, { 2, 2, 2 } }, /* less than one is one */
		{ FIN, true, 1500, 3600, 7, { 11, 17, 26 } },		/* rounded up */
		{ FIN, false, -5, 20, 60, { 55, 50, 45 } },
		{ FIN, false, -25, 20, 60, { 35, 20, 20 } },
		{ FIN, false, -25, 20, 20, { 0, 0, 0 } },
		{ FIN, false, -25, 20, 10, { 0, 0, 0 } },
		{ FIN, false, -5, 5, 7, { 5, 5, 5 } },
		{ FIN, false, 3600, 3600, 60, { 3600, 3600, 3600 } },
		{ BUCKETS, true, 10000, 16777216, INT64_MAX, { 0, 0, 0 } },
		{ FIN, false, -3600, 5, INT64_MIN, { 0, 0, 0 } },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		action.tunable = rows[i].tunable;
		action.step.multiplies = rows[i].multiplies;
		action.step.by = rows[i].by;
		action.step.limit = rows[i].limit;
		set_live(rows[i].base);
		for (unsigned at = 0; at < 3; at++) {
			(void)look(100 + 30 * at, TW_RULE_RAISED, 5000);
			assert_int_equal(tw_stepper_wants(&stepper) ? stepper.wanted : 0, rows[i].wanted[at]);
		}
	}
}

/* What has no live value cannot be stepped; it begins when it has one. */
static void test_unknown(void **state TW_UNUSED)
{
	assert_false(look(100, TW_RULE_RAISED, 5000));
	assert_false(tw_stepper_wants(&stepper));
	set_live(65536);
	assert_false(look(101, TW_RULE_RAISED, 5000));
	assert_int_equal(stepper.wanted, 131072);
}

/* No step rests on a value that is missing, or that was measured before the last step. */
static void test_old_values(void **state TW_UNUSED)
{
	set_live(65536);
	(void)look(100, TW_RULE_RAISED, 5000);
	alert.frozen = true;
	(void)look(130, TW_RULE_RAISED, 5000);
	assert_int_equal(stepper.wanted, 131072);
	alert.frozen = false;
	alert.measured_usec = 100 * S;
	assert_false(tw_stepper_step(&stepper, &action, &settings, &alert, &sample, 131 * S));
	assert_int_equal(stepper.wanted, 131072);
	alert.measured_usec = 100 * S + 1;
	assert_false(tw_stepper_step(&stepper, &action, &settings, &alert, &sample, 131 * S));
	assert_int_equal(stepper.wanted, 262144);
}

/* No further step while the last one is not in force: it would be a leap once it may be. */
static void test_not_in_force(void **state TW_UNUSED)
{
	set_live(65536);
	in_force = false;
	assert_false(look(100, TW_RULE_RAISED, 5000));
	for (unsigned at = 101; at < 1000; at++)
		assert_false(look(at, TW_RULE_RAISED, 5000)); /* nor is it at its limit */
	assert_int_equal(stepper.wanted, 131072);
	/* Once it is, it has its span. */
	set_live(131072);
	assert_false(look(1000, TW_RULE_RAISED, 5000));
	assert_int_equal(stepper.wanted, 131072);
	assert_false(look(1029, TW_RULE_RAISED, 5000));
	assert_int_equal(stepper.wanted, 262144);
	/* Somebody else's value, and one that cannot be read. */
	set_live(200000);
	assert_false(look(1100, TW_RULE_RAISED, 5000));
	sample.gauge.sysctls[BUCKETS].known = false;
	assert_false(look(1200, TW_RULE_RAISED, 5000));
	assert_int_equal(stepper.wanted, 262144);
}

static void test_falling_rule(void **state TW_UNUSED)
{
	settings.raise_milli = 30000;
	settings.clear_milli = 60000;
	set_live(65536);
	(void)look(100, TW_RULE_RAISED, 20000);
	(void)look(130, TW_RULE_RAISED, 30001);
	assert_int_equal(stepper.wanted, 131072);
	(void)look(131, TW_RULE_RAISED, 30000);
	assert_int_equal(stepper.wanted, 262144);
}

static void explain(char reason[TW_REASON_MAX], char advice[TW_REASON_MAX])
{
	struct tw_text reason_text, advice_text;

	tw_text_init(&reason_text, reason, TW_REASON_MAX);
	tw_text_init(&advice_text, advice, TW_REASON_MAX);
	tw_stepper_explain(&stepper, &action, &sample, &reason_text, &advice_text);
	assert_false(reason_text.cut);
}

/* 262144 pages are 1 GiB, a quarter 256 MiB: at 256 bytes each, 1048576 sockets fit. */
static void test_memory(void **state TW_UNUSED)
{
	char reason[TW_REASON_MAX], advice[TW_REASON_MAX];

	sample.gauge.memory_bound_pages = (struct tw_count){ 262144, true };
	action.step.limit = 16777216;
	set_live(500000);
	assert_false(look(100, TW_RULE_RAISED, 5000));
	assert_int_equal(stepper.wanted, 1000000);
	assert_true(look(130, TW_RULE_RAISED, 5000));
	assert_int_equal(stepper.wanted, 1000000);
	assert_int_equal(stepper.refused, 2000000);
	explain(reason, advice);
	assert_string_equal(reason, "2000000 sockets in TIME-WAIT could take 488 MiB, more than the 256 MiB that "
				    "timewaitd leaves them of TCP's memory; net.ipv4.tcp_max_tw_buckets stays at "
				    "1000000");
	assert_true(advice[0] != '\0');
	assert_false(look(160, TW_RULE_RAISED, 5000));
	/* More of it, and it goes on. */
	sample.gauge.memory_bound_pages.value *= 2;
	assert_false(look(190, TW_RULE_RAISED, 5000));
	assert_int_equal(stepper.wanted, 2000000);
	assert_true(look(220, TW_RULE_RAISED, 5000));
}

static void test_memory_exactly(void **state TW_UNUSED)
{
	char reason[TW_REASON_MAX], advice[TW_REASON_MAX];
	static const struct {
		uint64_t pages;
		int64_t by;
		bool fits;
	} rows[] = {
		{ 262144, 1048576 - 1024, true },
		{ 262144, 1048577 - 1024, false },
		{ 0, 1024, false },
		{ UINT64_MAX, 16777216 - 1024, true },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		sample.gauge.memory_bound_pages = (struct tw_count){ rows[i].pages, true };
		action.step = (struct tw_step){ .by = rows[i].by, .limit = 16777216, .every_usec = S };
		set_live(1024);
		assert_int_equal(look(100, TW_RULE_RAISED, 5000), !rows[i].fits);
		assert_int_equal(tw_stepper_wants(&stepper), rows[i].fits);
	}
	/* Nobody tells how much there is: it stays as it is. */
	(void)clear(NULL);
	sample.gauge.memory_bound_pages.known = false;
	set_live(65536);
	assert_true(look(100, TW_RULE_RAISED, 5000));
	assert_false(tw_stepper_wants(&stepper));
	explain(reason, advice);
	assert_string_equal(reason, "how much memory TCP may take on this machine is not known; "
				    "net.ipv4.tcp_max_tw_buckets stays at 65536");
	assert_false(look(130, TW_RULE_RAISED, 5000));
	/* Only TIME-WAIT is bounded by it. */
	(void)clear(NULL);
	sample.gauge.memory_bound_pages = (struct tw_count){ 1, true };
	action.tunable = TW_TUNABLE_MAX_ORPHANS;
	set_live(65536);
	(void)look(100, TW_RULE_RAISED, 5000);
	assert_int_equal(stepper.wanted, 131072);
}

static void test_limit_explained(void **state TW_UNUSED)
{
	char reason[TW_REASON_MAX], advice[TW_REASON_MAX];

	set_live(2000000);
	assert_true(look(100, TW_RULE_RAISED, 5000));
	explain(reason, advice);
	assert_string_equal(reason, "net.ipv4.tcp_max_tw_buckets is at 2000000, and the rule's step ends at 1048576");
	assert_false(look(130, TW_RULE_RAISED, 5000));
}

/* 1000 buckets of before, 2000 now. */
static void test_needed(void **state TW_UNUSED)
{
	static const struct {
		uint64_t time_wait;
		bool needed;
	} rows[] = {
		{ 0, false }, { 900, false }, { 901, true }, { 1000, true }, { 2000, true }, { UINT64_MAX, true }
	};

	sample.gauge.at_usec = 1 * S;
	set_live(1000);
	sample.gauge.time_wait = 2000;
	assert_false(tw_stepper_needed(&stepper, &action, &sample)); /* no step yet */
	(void)look(1, TW_RULE_RAISED, 5000);
	assert_false(tw_stepper_needed(&stepper, &action, &sample)); /* refused, or not set yet */
	set_live(stepper.wanted);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		sample.gauge.time_wait = rows[i].time_wait;
		assert_int_equal(tw_stepper_needed(&stepper, &action, &sample), rows[i].needed);
	}
	sample.gauge.at_usec = 0; /* nothing is known */
	assert_false(tw_stepper_needed(&stepper, &action, &sample));
	sample.gauge.at_usec = 1 * S;
	action.tunable = FIN;
	assert_false(tw_stepper_needed(&stepper, &action, &sample));
	action.tunable = BUCKETS;
	action.kind = TW_ACTION_SET;
	assert_false(tw_stepper_needed(&stepper, &action, &sample));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_life, clear),
		cmocka_unit_test_setup(test_arithmetic, clear),
		cmocka_unit_test_setup(test_unknown, clear),
		cmocka_unit_test_setup(test_old_values, clear),
		cmocka_unit_test_setup(test_not_in_force, clear),
		cmocka_unit_test_setup(test_falling_rule, clear),
		cmocka_unit_test_setup(test_memory, clear),
		cmocka_unit_test_setup(test_memory_exactly, clear),
		cmocka_unit_test_setup(test_limit_explained, clear),
		cmocka_unit_test_setup(test_needed, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
