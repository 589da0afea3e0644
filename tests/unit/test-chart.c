/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/chart.h"


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MINUTE TW_USEC_PER_MINUTE
/* 2026-11-22 12:00:00 UTC. */
#define NOON (UINT64_C(1795348800) * TW_USEC_PER_SEC)

static struct tw_record record; /* 68 KiB: not for the stack */

static void add(struct tw_series *series, unsigned minute, const char *figure)
{
	tw_record_init(&record);
	(void)tw_record_addf(&record, "", series->field, "%s", figure);
	assert_int_equal(tw_series_take(series, NOON + minute * MINUTE, &record), 0);
}

static void init(struct tw_series *series, const char *name)
{
	const char *near;

	assert_true(tw_series_init(series, name, &near));
}

static const char *draw(const struct tw_series *series, unsigned count, const struct tw_chart_event *events,
			size_t event_count, bool ascii)
{
	static char bytes[65536];
	const struct tw_chart chart = {
		.series = series,
		.series_count = count,
		.events = events,
		.event_count = event_count,
		.from_usec = NOON,
		.to_usec = NOON + 20 * MINUTE,
		.width = 30,
		.height = 5,
		.ascii = ascii,
	};
	struct tw_text text;

	assert_true(tw_chart_bytes(&chart) <= sizeof(bytes));
	tw_text_init(&text, bytes, tw_chart_bytes(&chart));
	assert_int_equal(tw_chart_add(&chart, &text), 0);
	assert_false(text.cut);
	return bytes;
}

/* Six minutes are missing: they stay empty. */
static void test_plain(void **state TW_UNUSED)
{
	static const struct tw_chart_event events[] = {
		{ NOON + 10 * MINUTE, TW_EVENT_RAISED },   { NOON + 20 * MINUTE, TW_EVENT_CLEARED },
		{ NOON + 20 * MINUTE, TW_EVENT_RESTORED }, { NOON + 5 * MINUTE, TW_EVENT_REMINDED },
		{ NOON + 30 * MINUTE, TW_EVENT_RAISED },
	};
	struct tw_series series;

	init(&series, "TIME_WAIT");
	for (unsigned i = 0; i <= 20; i++)
		if (i < 12 || i > 17)
			add(&series, i, i < 8 ? "0" : "4000");
	assert_string_equal(draw(&series, 1, events, TW_ARRAY_SIZE(events), true), "* time-wait (sockets)\n"
										   "4000 |         ****       ****\n"
										   "     |         *\n"
										   "2000 |         *\n"
										   "     |         *\n"
										   "   0 |**********\n"
										   "     ++----------------+------\n"
										   "      12:00          12:15\n"
										   "                 R           +\n"
										   "      R raised  + several\n");
	tw_series_done(&series);
}

static void test_two_of_one_unit_take_turns(void **state TW_UNUSED)
{
	struct tw_series series[3];
	const char *chart;

	init(&series[0], "time-wait");
	init(&series[1], "port-use");
	init(&series[2], "established");
	for (unsigned i = 0; i <= 20; i++) {
		add(&series[0], i, "100");
		add(&series[2], i, i < 10 ? "100" : "0");
	}
	chart = draw(series, 3, NULL, 0, true);
	/* One panel for both, and one for percent, empty as it is. */
	assert_non_null(strstr(chart, "* time-wait   x established (sockets)\n"));
	assert_non_null(strstr(chart, "*x*x*"));
	assert_non_null(strstr(chart, "o port-use (percent)\n"));
	for (unsigned i = 0; i < 3; i++)
		tw_series_done(&series[i]);
}

/* Eight dots a character: a line from the lower left to the upper right. */
static void test_braille(void **state TW_UNUSED)
{
	struct tw_series series;
	char figure[16];

	init(&series, "port-use");
	for (unsigned i = 0; i <= 20; i++) {
		struct tw_text text;

		tw_text_init(&text, figure, sizeof(figure));
		tw_text_addf(&text, "%u", i * 5);
		add(&series, i, figure);
	}
	assert_string_equal(draw(&series, 1, NULL, 0, false), "⣿ port-use (percent)\n"
							      "100% │                   ⢀⣀⡤⠖⠚\n"
							      "     │               ⣀⡤⠴⠚⠉\n"
							      " 50% │         ⣀⣠⠴⠒⠒⠋⠁\n"
							      "     │    ⢀⣠⠤⠖⠋⠁\n"
							      "  0% │⣀⡤⠖⠚⠉\n"
							      "     └┴────────────────┴──────\n"
							      "      12:00          12:15\n");
	tw_series_done(&series);
}

static void test_tops(void **state TW_UNUSED)
{
	static const struct {
		const char *name;
		int64_t most, top;
	} rows[] = {
		{ "time-wait", 0, 2000 },     { "time-wait", 2001, 3000 },
		{ "port-use", 0, 1000 },      { "port-use", 96000, 100000 },
		{ "port-use", 47254, 50000 }, { "cost-tick", 7, 10 },
		{ "cost-tick", 61, 80 },      { "time-wait", INT64_MAX, INT64_MAX / 2 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_series series;

		init(&series, rows[i].name);
		assert_int_equal(tw_axis_top(&series, rows[i].most), rows[i].top);
	}
}

static void test_series(void **state TW_UNUSED)
{
	struct tw_series series;
	struct tw_series_sum sum;
	const char *near;

	assert_false(tw_series_init(&series, "time-wat", &near));
	assert_string_equal(near, "time-wait");
	assert_false(tw_series_init(&series, "no-such-thing", &near));
	assert_null(near);

	init(&series, "Cost_Census");
	assert_string_equal(series.field, "TIMEWAITD_COST_CENSUS");
	assert_false(tw_series_sum(&series).mean.known);
	assert_int_equal(tw_series_gap(&series), 0);
	add(&series, 1, "1.5");
	add(&series, 0, "9");	    /* older than the last: not taken */
	add(&series, 2, "rubbish"); /* no number: a gap */
	add(&series, 3, "4.5");
	sum = tw_series_sum(&series);
	assert_int_equal(series.count, 2);
	assert_int_equal(sum.low.milli, 1500);
	assert_int_equal(sum.mean.milli, 3000);
	assert_int_equal(sum.high.milli, 4500);
	assert_int_equal(tw_series_gap(&series), 5 * MINUTE);
	tw_series_done(&series);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	cmocka_unit_test(test_two_of_one_unit_take_turns),
		cmocka_unit_test(test_braille), cmocka_unit_test(test_tops),
		cmocka_unit_test(test_series),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
