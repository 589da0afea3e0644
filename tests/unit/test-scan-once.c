/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/scan.h"

#include "base/macros.h"
#include "fake/fake-source.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC

static struct tw_fake_source fake;
static struct tw_sample sample;
static struct tw_scan_past past;

static int set_up(TW_UNUSED void **state)
{
	tw_fake_source_init(&fake);
	memset(&sample, 0, sizeof(sample));
	return 0;
}

static int tear_down(TW_UNUSED void **state)
{
	tw_scan_past_done(&past);
	tw_fake_source_done(&fake);
	return 0;
}

static int look(usec_t at_usec)
{
	static const struct tw_hash_key key = { 1, 2 };
	struct tw_scan_order order = { .bound_known = true, .at_usec = at_usec };

	return tw_scan_once(&fake.base, &key, &order, &past, &sample);
}

static void test_all_of_it(TW_UNUSED void **state)
{
	tw_fake_source_add_listener(&fake, 80);
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 1, 443, 50000, 30, 1000);
	tw_fake_source_add_many(&fake, TW_STATE_BOUND, 0, 0, 60000, 2, 0);
	tw_fake_source_settle(&fake);
	assert_int_equal(look(5 * S), 0);
	assert_int_equal(sample.gauge.at_usec, 5 * S);
	assert_int_equal(sample.gauge.time_wait, 30);
	assert_int_equal(sample.previous.at_usec, 0);
	assert_int_equal(sample.census.count[TW_STATE_TIME_WAIT], 30);
	assert_int_equal(sample.census.count[TW_STATE_BOUND], 2);
	assert_int_equal(sample.survey.top[0].ports, 30);
	assert_int_equal(sample.accepting.listeners, 1);
}

static void test_rates_need_a_gauge_before(TW_UNUSED void **state)
{
	fake.gauge.counters[TW_COUNTER_RESET] = (struct tw_count){ 10, true };
	assert_int_equal(fake.base.gauge(&fake.base, &sample.gauge), 0);
	sample.gauge.at_usec = 1 * S;
	fake.gauge.counters[TW_COUNTER_RESET].value = 30;
	assert_int_equal(look(3 * S), 0);
	assert_int_equal(sample.previous.at_usec, 1 * S);
	assert_int_equal(tw_sample_metric(&sample, TW_METRIC_RESET).milli, 10000);
}

/* What fails for good leaves nothing behind; what passes by is repeated. */
static void test_failures(TW_UNUSED void **state)
{
	static const struct {
		enum tw_fake_fault fault;
		unsigned times;
		int error, result;
	} rows[] = {
		{ TW_FAKE_GAUGE, 1, -EIO, -EIO },
		{ TW_FAKE_DUMP_BEGIN, UINT_MAX, -ENOENT, -ENOENT },
		{ TW_FAKE_DUMP_NEXT, 1, -ENOBUFS, 0 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		set_up(NULL);
		tw_fake_source_fail(&fake, rows[i].fault, 0, rows[i].times, rows[i].error);
		assert_int_equal(look(S), rows[i].result);
		assert_int_equal(sample.gauge.at_usec, rows[i].result < 0 ? 0 : S);
		tear_down(NULL);
	}
	set_up(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_of_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rates_need_a_gauge_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
