/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alert-fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* One step of a story: at second `at` the metric read `value` (plain units). */
struct step {
	unsigned at;
	int64_t value;
	enum tw_rule_state state; /* afterwards */
	enum tw_alert_edge edge;
};

struct story {
	const char *name;
	int64_t raise, clear;
	unsigned raise_for, clear_for, remind;
	bool confirmed;
	struct step steps[16];
};

#define NO TW_ALERT_NO_EDGE

static const struct story stories[] = {
	{ "an attributed metric is raised at its first reading: the gauge was the first look",
	  45,
	  25,
	  0,
	  60,
	  0,
	  true,
	  { { 1, 10, N, NO }, { 2, 45, R, TW_ALERT_EDGE_RAISED }, { 3, 90, R, NO } } },
	{ "any other metric needs two looks though raise-for is 0",
	  45,
	  25,
	  0,
	  0,
	  0,
	  false,
	  { { 1, 50, UP, NO }, { 2, 50, R, TW_ALERT_EDGE_RAISED } } },
	{ "a single look raises nothing",
	  45,
	  25,
	  0,
	  0,
	  0,
	  false,
	  { { 1, 50, UP, NO }, { 2, 44, N, NO }, { 3, 50, UP, NO } } },
	{ "the same measurement seen again is no second look",
	  45,
	  25,
	  0,
	  0,
	  0,
	  false,
	  { { 1, 50, UP, NO }, { 1, 50, UP, NO }, { 2, 50, R, TW_ALERT_EDGE_RAISED } } },
	{ "raise-for is a time between measurements",
	  10,
	  5,
	  10,
	  0,
	  0,
	  false,
	  { { 1, 10, UP, NO }, { 10, 10, UP, NO }, { 11, 10, R, TW_ALERT_EDGE_RAISED } } },
	{ "one look under the level starts raise-for anew",
	  10,
	  5,
	  10,
	  0,
	  0,
	  false,
	  { { 1, 10, UP, NO },
	    { 9, 9, N, NO },
	    { 12, 10, UP, NO },
	    { 21, 10, UP, NO },
	    { 22, 10, R, TW_ALERT_EDGE_RAISED } } },
	{ "clear-for is held, and one look above clear starts it anew",
	  10,
	  5,
	  0,
	  10,
	  0,
	  true,
	  { { 1, 10, R, TW_ALERT_EDGE_RAISED },
	    { 2, 5, C, NO },
	    { 11, 5, C, NO },
	    { 11, 6, C, NO },
	    { 12, 6, R, NO },
	    { 13, 5, C, NO },
	    { 22, 5, C, NO },
	    { 23, 5, N, TW_ALERT_EDGE_CLEARED } } },
	{ "between clear and raise a raised rule stays raised and a normal one normal",
	  10,
	  5,
	  0,
	  0,
	  0,
	  true,
	  { { 1, 7, N, NO },
	    { 2, 10, R, TW_ALERT_EDGE_RAISED },
	    { 3, 7, R, NO },
	    { 4, 5, N, TW_ALERT_EDGE_CLEARED } } },
	{ "downward",
	  15,
	  60,
	  0,
	  10,
	  0,
	  true,
	  { { 1, 70, N, NO },
	    { 2, 15, R, TW_ALERT_EDGE_RAISED },
	    { 3, 59, R, NO },
	    { 4, 60, C, NO },
	    { 14, 61, N, TW_ALERT_EDGE_CLEARED } } },
	{ "a missing value freezes, and its time does not count",
	  10,
	  5,
	  10,
	  0,
	  0,
	  false,
	  { { 1, 10, UP, NO },
	    { 5, 10, UP, NO },
	    { 6, NONE, UP, NO },
	    { 7, NONE, UP, NO },
	    { 15, 10, UP, NO },
	    { 20, 10, UP, NO },
	    { 21, 10, R, TW_ALERT_EDGE_RAISED },
	    { 22, NONE, R, NO },
	    { 23, 3, N, TW_ALERT_EDGE_CLEARED } } },
	{ "nor while it clears",
	  10,
	  5,
	  0,
	  10,
	  0,
	  true,
	  { { 1, 10, R, TW_ALERT_EDGE_RAISED },
	    { 2, 5, C, NO },
	    { 6, 5, C, NO },
	    { 30, NONE, C, NO },
	    { 40, 5, C, NO },
	    { 45, 5, C, NO },
	    { 46, 5, N, TW_ALERT_EDGE_CLEARED } } },
	{ "what rose before it was missing is the first look still",
	  10,
	  5,
	  0,
	  0,
	  0,
	  false,
	  { { 1, 10, UP, NO }, { 2, NONE, UP, NO }, { 900, 10, R, TW_ALERT_EDGE_RAISED } } },
	{ "reminders at most each `remind`, also while clearing",
	  10,
	  5,
	  0,
	  100,
	  10,
	  true,
	  { { 1, 10, R, TW_ALERT_EDGE_RAISED },
	    { 10, 10, R, NO },
	    { 11, 10, R, TW_ALERT_EDGE_REMINDED },
	    { 12, 5, C, NO },
	    { 20, 5, C, NO },
	    { 21, 5, C, TW_ALERT_EDGE_REMINDED },
	    { 22, 5, C, NO } } },
	{ "and while its value is missing",
	  10,
	  5,
	  0,
	  100,
	  10,
	  true,
	  { { 1, 10, R, TW_ALERT_EDGE_RAISED },
	    { 10, NONE, R, NO },
	    { 11, NONE, R, TW_ALERT_EDGE_REMINDED },
	    { 12, 10, R, NO } } },
	{ "but not before it is raised",
	  10,
	  5,
	  60,
	  0,
	  10,
	  false,
	  { { 1, 10, UP, NO }, { 20, 10, UP, NO }, { 40, NONE, UP, NO } } },
	{ "without `remind` there is none",
	  10,
	  5,
	  0,
	  0,
	  0,
	  true,
	  { { 1, 10, R, TW_ALERT_EDGE_RAISED }, { 40000, 10, R, NO } } },
};

static struct tw_rule_settings settings_of(const struct story *story)
{
	return (struct tw_rule_settings){
		.raise_milli = story->raise * 1000,
		.clear_milli = story->clear * 1000,
		.raise_for_usec = story->raise_for * S,
		.clear_for_usec = story->clear_for * S,
		.remind_usec = story->remind * S,
	};
}

static enum tw_alert_edge take(struct tw_alert *alert, const struct tw_rule_settings *settings, const struct step *step,
			       bool confirmed)
{
	struct tw_reading reading = reading_of(step->value == NONE ? 0 : step->value, step->at, confirmed);

	return step->value == NONE ? tw_alert_wait(alert, settings, step->at * S)
				   : tw_alert_step(alert, settings, &reading, step->at * S);
}

static void test_stories(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(stories); i++) {
		const struct story *story = &stories[i];
		struct tw_rule_settings settings = settings_of(story);
		struct tw_alert alert = { 0 };
		enum tw_rule_state before = TW_RULE_NORMAL;
		usec_t entered_usec = S;

		for (size_t k = 0; k < TW_ARRAY_SIZE(story->steps) && story->steps[k].at; k++) {
			const struct step *step = &story->steps[k];
			enum tw_alert_edge edge = take(&alert, &settings, step, story->confirmed);

			if (edge != step->edge || alert.state != step->state)
				fail_msg("'%s', step %zu: state %d edge %d, expected %d and %d", story->name, k,
					 alert.state, edge, step->state, step->edge);
			if (alert.state != before)
				entered_usec = step->at * S;
			before = alert.state;
			assert_int_equal(alert.entered_usec, entered_usec);
			assert_int_equal(alert.frozen, step->value == NONE);
			if (edge == TW_ALERT_EDGE_RAISED)
				assert_int_equal(alert.raised_usec, step->at * S);
			/* What it is told with: that of the last measurement there was. */
			if (step->value != NONE && (k == 0 || step->at > story->steps[k - 1].at))
				assert_int_equal(alert.value.milli, step->value * 1000);
		}
	}
}

/* While a remedy is in force the value may stay high or fall at once; what clears is the pressure, then both. */
static void test_pressure(void **state TW_UNUSED)
{
	static const struct {
		unsigned at;
		int64_t value, pressure;
		enum tw_rule_state state;
	} steps[] = {
		{ 1, 50, 300, R }, { 2, 90, 300, R }, { 3, 20, 300, R }, /* low use alone clears nothing */
		{ 4, 90, 0, C },   { 64, 90, 0, C }, /* held long enough, but the ports are taken still */
		{ 65, 20, 0, N },
	};
	struct tw_rule_settings settings = { .raise_milli = 45000, .clear_milli = 25000, .clear_for_usec = 60 * S };
	struct tw_alert alert = { 0 };

	for (size_t i = 0; i < TW_ARRAY_SIZE(steps); i++) {
		struct tw_reading reading = reading_of(steps[i].value, steps[i].at, true);

		reading.pressure = tw_value_of(steps[i].pressure * 1000);
		(void)tw_alert_step(&alert, &settings, &reading, steps[i].at * S);
		assert_int_equal(alert.state, steps[i].state);
	}
}

/*
 * While reuse is ours a second destination is raised by what it would come to without it, however few of its ports are
 * blocked; and it is judged by that alone as long as the reading says so.
 */
static void test_judged(void **state TW_UNUSED)
{
	static const struct {
		unsigned at;
		int64_t value, judged; /* NONE: by the value */
		enum tw_rule_state state;
	} steps[] = {
		{ 1, 10, 44, N },    { 2, 10, 45, R },	{ 3, 10, 44, R },    { 4, 10, 26, R },
		{ 5, 10, 25, C },    { 6, 10, 26, R },	{ 7, 10, 25, C },    { 67, 10, 25, N },
		{ 68, 44, NONE, N }, { 69, 45, 10, N }, { 70, 45, NONE, R },
	};
	struct tw_rule_settings settings = { .raise_milli = 45000, .clear_milli = 25000, .clear_for_usec = 60 * S };
	struct tw_alert alert = { 0 };

	for (size_t i = 0; i < TW_ARRAY_SIZE(steps); i++) {
		struct tw_reading reading = reading_of(steps[i].value, steps[i].at, true);

		if (steps[i].judged != NONE)
			reading.judged = reading.pressure = tw_value_of(steps[i].judged * 1000);
		(void)tw_alert_step(&alert, &settings, &reading, steps[i].at * S);
		if (alert.state != steps[i].state)
			fail_msg("step %zu: state %d", i, alert.state);
		assert_int_equal(alert.value.milli, steps[i].value * 1000);
	}
}

/* A guess is no reason to begin anything, a forecast is. */
static void test_over(void **state TW_UNUSED)
{
	static const struct {
		int64_t value, judged;
		bool guessed, soon, over;
	} rows[] = {
		{ 45, NONE, false, false, true }, { 44, NONE, false, false, false }, { 10, 45, false, false, true },
		{ 10, 45, true, false, false },	  { 10, 10, true, true, true },
	};
	struct tw_rule_settings settings = { .raise_milli = 45000, .clear_milli = 25000 };
	struct tw_alert alert = { 0 };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_reading reading = reading_of(rows[i].value, (unsigned)i + 1, true);

		if (rows[i].judged != NONE)
			reading.judged = reading.pressure = tw_value_of(rows[i].judged * 1000);
		reading.guessed = rows[i].guessed;
		reading.soon = rows[i].soon;
		(void)tw_alert_step(&alert, &settings, &reading, (i + 1) * S);
		if (alert.over != rows[i].over)
			fail_msg("row %zu", i);
	}
}

/*
 * Random walks: whatever the readings, an edge stands for the change of state that it names, a rule is raised only
 * after raise-for over the level, and cleared only after clear-for under it.
 */
static void test_walks(void **state TW_UNUSED)
{
	const char *given = getenv("TW_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20240601u;

	print_message("# seed %u (set TW_SEED for another)\n", seed);
	srandom(seed);
	for (int walk = 0; walk < 200; walk++) {
		struct tw_rule_settings settings = {
			.raise_milli = 10000,
			.clear_milli = 5000,
			.raise_for_usec = (usec_t)(random() % 5) * S,
			.clear_for_usec = (usec_t)(random() % 5) * S,
		};
		unsigned over_since = 0, under_since = 0, now = 0;
		struct tw_alert alert = { 0 };

		for (int step = 0; step < 200; step++) {
			bool active = tw_alert_active(&alert);
			int64_t value = random() % 15;
			enum tw_alert_edge edge;
			struct tw_reading reading;

			now += 1 + (unsigned)random() % 2;
			over_since = value < 10 ? 0 : over_since ? over_since : now;
			under_since = value > 5 ? 0 : under_since ? under_since : now;
			reading = reading_of(value, now, false);
			edge = tw_alert_step(&alert, &settings, &reading, now * S);
			assert_int_equal(alert.over, value >= 10);
			assert_true((edge == TW_ALERT_EDGE_RAISED) == (!active && tw_alert_active(&alert)));
			assert_true((edge == TW_ALERT_EDGE_CLEARED) == (active && !tw_alert_active(&alert)));
			if (edge == TW_ALERT_EDGE_RAISED)
				assert_true(over_since && now > over_since &&
					    (now - over_since) * S >= settings.raise_for_usec);
			if (edge == TW_ALERT_EDGE_CLEARED)
				assert_true(under_since && (now - under_since) * S >= settings.clear_for_usec);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories), cmocka_unit_test(test_pressure), cmocka_unit_test(test_judged),
		cmocka_unit_test(test_over),	cmocka_unit_test(test_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
