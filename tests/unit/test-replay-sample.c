/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/simulate/replay-sample.h"

#include "base/macros.h"
#include "decide/reading.h"
#include "tell-sample.h"
#include "tell/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct tw_record record; /* 68 KiB: not for the stack */
static struct tw_close_wait_socket room[TW_REPLAY_WAITERS_MAX];
static struct tw_sample again;

static bool round_trip(const struct tw_sample *from)
{
	const struct tw_event event = { .kind = TW_EVENT_SAMPLE, .sample = from, .top = 10 };

	tw_record_build(&record, "host", &event);
	return tw_replay_sample(&record, room, &again);
}

static struct tw_reading read_worst(const struct tw_sample *from, const struct tw_rule_settings *rule)
{
	struct tw_reading_row row;

	tw_reading_worst(from, rule, &row);
	return row.reading;
}

/* Every metric that was known has the same value to the last digit, and the same age. */
static void test_metrics_come_back(void **state TW_UNUSED)
{
	struct tw_sample from = sample;

	/* They come with the census. */
	from.accepting.at_usec = from.close_wait.at_usec = from.census.at_usec;
	from.gauge.at_usec = TW_MAX(from.gauge.at_usec, TW_MAX(from.census.at_usec, from.survey.at_usec));
	assert_true(round_trip(&from));
	for (unsigned i = 0; i < TW_METRIC_COUNT; i++) {
		enum tw_metric metric = (enum tw_metric)i;
		struct tw_value was = tw_sample_metric(&from, metric), is = tw_sample_metric(&again, metric);

		if (was.known != is.known || was.milli != is.milli)
			fail_msg("%s: %lld (%d) has become %lld (%d)", tw_metric_info(metric)->name,
				 (long long)was.milli, was.known, (long long)is.milli, is.known);
		if (tw_sample_metric_at(&from, metric) != 0)
			assert_int_equal(tw_sample_metric_at(&again, metric) - tw_sample_metric_at(&from, metric),
					 TW_REPLAY_SHIFT_USEC);
	}
}

/* Of sockets in CLOSE-WAIT of all ages, each age that samples tell counts the same. */
static void test_ages_come_back(void **state TW_UNUSED)
{
	static const usec_t ages[] = {
		0, 999999, 1000000, 1000001, 59999999, 60000000, 60000001, 90500500, 7200000000
	};
	struct tw_close_wait_socket known[TW_ARRAY_SIZE(ages)];
	struct tw_sample from = { 0 };
	struct tw_rule_settings rule = { .metric = TW_METRIC_CLOSE_WAIT_AGED, .raise_milli = 2, .clear_milli = 1 };

	from.gauge.at_usec = from.census.at_usec = from.close_wait.at_usec = 10 * TW_USEC_PER_HOUR;
	from.close_wait.sockets = known;
	for (uint32_t count = 0; count <= TW_ARRAY_SIZE(ages); count++) {
		from.close_wait.socket_count = count;
		for (uint32_t i = 0; i < count; i++)
			known[i] = (struct tw_close_wait_socket){ .since_usec = from.close_wait.at_usec - ages[i],
						       .unit = TW_NO_UNIT };
		assert_true(round_trip(&from));
		assert_int_equal(tw_sample_metric(&again, TW_METRIC_CLOSE_WAIT_AGE).milli,
				 tw_sample_metric(&from, TW_METRIC_CLOSE_WAIT_AGE).milli);
		for (unsigned i = 0; i < TW_RECORD_AGES; i++) {
			rule.age_usec = tw_record_ages[i];
			assert_int_equal(read_worst(&again, &rule).value.milli, read_worst(&from, &rule).value.milli);
		}
	}
}

/* A forecast of any span and level finds the same, though rows that say nothing new are not recorded. */
static void test_forecasts_come_back(void **state TW_UNUSED)
{
	struct tw_sample from = { 0 };
	struct tw_survey *survey = &from.survey;

	from.gauge.at_usec = from.census.at_usec = survey->at_usec = TW_USEC_PER_HOUR;
	survey->usable = 28232;
	survey->has_busiest = true;
	survey->port_use = survey->port_demand = tw_value_of(60000);
	survey->top_count = 7;
	for (unsigned i = 0; i < survey->top_count; i++) {
		static const int64_t etas[] = { -1, 50000, 70000, 20000, 30000, 20000, 0 };

		survey->top[i].port_use = tw_value_of(60000 - 7001 * (int64_t)i);
		survey->top[i].port_eta = etas[i] < 0 ? tw_value_unknown() : tw_value_of(etas[i]);
	}
	assert_true(round_trip(&from));
	assert_string_equal(tw_record_get(&record, "TIMEWAITD_PORT_FORECASTS"), "52.999 50\n38.997 20\n17.994 0");
	for (int64_t level = 1000; level <= 130000; level += 999) {
		for (usec_t span = 0; span <= 80; span++) {
			struct tw_rule_settings rule = {
				.metric = TW_METRIC_PORT_USE,
				.raise_milli = level,
				.forecast_usec = span * TW_USEC_PER_SEC,
			};

			assert_int_equal(read_worst(&again, &rule).soon, read_worst(&from, &rule).soon);
		}
	}
}

/* Whatever anybody wrote into the journal: no sample, or one of which less is known. */
static void test_nonsense(void **state TW_UNUSED)
{
	static const char *const rows[][3] = {
		{ "TIMEWAITD_GAUGE_AT", "0", NULL },
		{ "TIMEWAITD_GAUGE_AT", "-5", NULL },
		{ "TIMEWAITD_GAUGE_AT", "18446744073709551615", NULL },
		{ "TIMEWAITD_GAUGE_AT", "5", "9" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		tw_record_init(&record);
		(void)tw_record_addf(&record, "", rows[i][0], "%s", rows[i][1]);
		if (rows[i][2])
			(void)tw_record_addf(&record, "", "TIMEWAITD_CENSUS_AT", "%s", rows[i][2]);
		assert_false(tw_replay_sample(&record, room, &again));
	}
	tw_record_init(&record);
	(void)tw_record_addf(&record, "", "TIMEWAITD_GAUGE_AT", "%s", "5");
	(void)tw_record_addf(&record, "", "TIMEWAITD_CENSUS_AT", "%s", "5");
	(void)tw_record_addf(&record, "", "TIMEWAITD_SURVEY_AT", "%s", "5");
	(void)tw_record_addf(&record, "", "TIMEWAITD_CLOSE_WAIT_AGE", "%s", "1000000");
	(void)tw_record_addf(&record, "", "TIMEWAITD_CLOSE_WAIT_AGES", "%s", "18446744073709551615 3 99999999999 7");
	(void)tw_record_addf(&record, "", "TIMEWAITD_USABLE_PORTS", "%s", "99999999999");
	(void)tw_record_addf(&record, "", "TIMEWAITD_PORT_FORECASTS", "%s", "1 x\n2 3");
	(void)tw_record_addf(&record, "", "TIMEWAITD_TIME_WAIT", "%s", "-3");
	(void)tw_record_addf(&record, "", "TIMEWAITD_RESET", "%s", "-3");
	(void)tw_record_addf(&record, "", "TIMEWAITD_ORPHANS", "%s", "9223372036854775.807");
	assert_true(tw_replay_sample(&record, room, &again));
	assert_int_equal(again.close_wait.socket_count, TW_REPLAY_WAITERS_MAX);
	assert_int_equal(again.survey.top_count, 0);
	assert_int_equal(again.survey.usable, 0);
	assert_true(again.census.partial);
	assert_false(tw_sample_metric(&again, TW_METRIC_RESET).known);
	assert_true(tw_sample_metric(&again, TW_METRIC_ORPHANS).known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metrics_come_back),
		cmocka_unit_test(test_ages_come_back),
		cmocka_unit_test(test_forecasts_come_back),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
