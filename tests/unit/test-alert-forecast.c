/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a forecast does to an alert: apart from test-alert because it is a second way to be raised, beside the level. */
#include "alert-fixture.h"

static void test_begins(void **state TW_UNUSED)
{
	static const struct {
		int64_t raise, clear, value, judged;
		bool soon, begins;
	} rows[] = {
		{ 45, 25, 45, NONE, false, true },  { 45, 25, 44, NONE, false, false },
		{ 45, 25, 10, 45, false, true },    { 45, 25, 10, 44, false, false },
		{ 45, 25, 23, NONE, true, true },   { 45, 25, NONE, NONE, true, false },
		{ 45, 25, NONE, 90, false, false }, { 15, 60, 15, NONE, false, true },
		{ 15, 60, 16, NONE, false, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_rule_settings settings = { .raise_milli = rows[i].raise * 1000,
						     .clear_milli = rows[i].clear * 1000 };
		struct tw_reading reading = { .soon = rows[i].soon, .at_usec = S };

		if (rows[i].value != NONE)
			reading.value = reading.pressure = tw_value_of(rows[i].value * 1000);
		if (rows[i].judged != NONE)
			reading.judged = tw_value_of(rows[i].judged * 1000);
		assert_int_equal(tw_alert_begins(&settings, &reading), rows[i].begins);
	}
}

/* One step of a story about the forecast: raised from 40 on, cleared at 20. */
struct forecast_step {
	unsigned at;
	int64_t value, pressure;
	bool soon;
	enum tw_rule_state state; /* afterwards */
	bool ahead;
};

struct forecast_story {
	const char *name;
	unsigned raise_for, clear_for;
	struct forecast_step steps[8];
};

static const struct forecast_story forecasts[] = {
	{ "two surveys in a row that see the end near",
	  0,
	  60,
	  { { 1, 25, 99, true, UP, false }, { 2, 30, 99, true, R, true } } },
	{ "the same survey seen again is no second one",
	  0,
	  60,
	  { { 1, 25, 99, true, UP, false }, { 1, 25, 99, true, UP, false }, { 2, 25, 99, true, R, true } } },
	{ "one that does not in between starts anew",
	  0,
	  60,
	  { { 1, 25, 99, true, UP, false },
	    { 2, 26, 99, false, N, false },
	    { 3, 27, 99, true, UP, false },
	    { 4, 28, 99, true, R, true } } },
	{ "without raise-for the level needs no forecast", 0, 60, { { 1, 40, 99, true, R, false } } },
	{ "at the level one survey is enough, and raise-for is not waited for",
	  60,
	  60,
	  { { 1, 40, 99, false, UP, false }, { 2, 41, 99, true, R, true } } },
	{ "the forecast is no part of raise-for",
	  10,
	  60,
	  { { 1, 25, 99, true, UP, false },
	    { 2, 40, 99, false, UP, false },
	    { 11, 41, 99, false, UP, false },
	    { 12, 41, 99, false, R, false } } },
	{ "clear is the level's, and holds while the end is not near",
	  0,
	  10,
	  { { 1, 25, 99, true, UP, false },
	    { 2, 25, 99, true, R, true },
	    { 3, 19, 21, false, R, true },
	    { 4, 20, 20, false, C, true },
	    { 13, 20, 20, true, R, true },
	    { 14, 20, 20, false, C, true },
	    { 24, 20, 20, false, N, true } } },
	{ "and its end is the end of its looks",
	  0,
	  0,
	  { { 1, 25, 99, true, UP, false },
	    { 2, 25, 99, true, R, true },
	    { 3, 20, 20, false, N, true },
	    { 4, 25, 99, true, UP, true },
	    { 5, 25, 99, false, N, true },
	    { 6, 40, 99, false, R, false } } },
};

static void test_forecasts(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(forecasts); i++) {
		const struct forecast_story *story = &forecasts[i];
		struct tw_rule_settings settings = {
			.raise_milli = 40000,
			.clear_milli = 20000,
			.raise_for_usec = story->raise_for * S,
			.clear_for_usec = story->clear_for * S,
		};
		struct tw_alert alert = { 0 };

		for (size_t k = 0; k < TW_ARRAY_SIZE(story->steps) && story->steps[k].at; k++) {
			const struct forecast_step *step = &story->steps[k];
			struct tw_reading reading = reading_of(step->value, step->at, true);
			bool active = tw_alert_active(&alert);
			enum tw_alert_edge edge;

			reading.pressure = tw_value_of(step->pressure * 1000);
			reading.soon = step->soon;
			edge = tw_alert_step(&alert, &settings, &reading, step->at * S);
			if (alert.state != step->state || alert.ahead != step->ahead)
				fail_msg("'%s', step %zu: state %d ahead %d", story->name, k, alert.state, alert.ahead);
			assert_int_equal(edge == TW_ALERT_EDGE_RAISED, !active && tw_alert_active(&alert));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begins),
		cmocka_unit_test(test_forecasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
