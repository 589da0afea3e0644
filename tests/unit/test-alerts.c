/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_lives(void **state TW_UNUSED)
{
	struct tw_past_alerts alerts = { 0 };
	char longer[2 * TW_RULE_NAME_MAX];

	tw_alerts_clear(&alerts, "a", 1);
	assert_int_equal(tw_alerts_raise(&alerts, "a", 10), 0);
	assert_int_equal(tw_alerts_raise(&alerts, "a", 11), 0);
	assert_int_equal(tw_alerts_raise(&alerts, "b", 12), 0);
	tw_alerts_clear(&alerts, "a", 20);
	assert_int_equal(tw_alerts_raise(&alerts, "a", 30), 0);
	tw_alerts_stop(&alerts, 40);
	assert_int_equal(alerts.count, 3);
	assert_int_equal(alerts.rows[0].ended_usec, 20);
	assert_int_equal(alerts.rows[0].end, TW_ALERT_CLEARED);
	assert_int_equal(alerts.rows[1].end, TW_ALERT_STOPPED);
	assert_int_equal(alerts.rows[2].ended_usec, 40);
	/* A name that nobody's configuration has is cut, and still one name. */
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(tw_alerts_raise(&alerts, longer, 50), 0);
	assert_int_equal(tw_alerts_raise(&alerts, longer, 51), 0);
	assert_int_equal(alerts.count, 4);
	tw_alerts_done(&alerts);
}

static void test_match(void **state TW_UNUSED)
{
	struct tw_past_alerts a = { 0 }, b = { 0 };

	(void)tw_alerts_raise(&a, "x", 100);
	tw_alerts_clear(&a, "x", 200);
	(void)tw_alerts_raise(&a, "x", 1000);
	(void)tw_alerts_raise(&a, "y", 1000);
	(void)tw_alerts_raise(&b, "x", 205);
	tw_alerts_clear(&b, "x", 300);
	(void)tw_alerts_raise(&b, "x", 5000);
	(void)tw_alerts_raise(&b, "z", 5000);

	tw_alerts_match(&a, &b, 4);
	assert_int_equal(a.rows[0].twin, SIZE_MAX);
	tw_alerts_match(&a, &b, 5);
	assert_int_equal(a.rows[0].twin, 0);
	assert_int_equal(b.rows[0].twin, 0);
	/* Open ones meet whatever comes later; another rule never. */
	assert_int_equal(a.rows[1].twin, 1);
	assert_int_equal(a.rows[2].twin, SIZE_MAX);
	assert_int_equal(b.rows[2].twin, SIZE_MAX);
	assert_false(tw_alerts_same(&a.rows[0], &b.rows[0], 99));
	assert_false(tw_alerts_same(&a.rows[0], &b.rows[0], 104));
	assert_true(tw_alerts_same(&a.rows[0], &b.rows[0], 105));
	assert_false(tw_alerts_same(&a.rows[0], &b.rows[1], 100000));
	tw_alerts_done(&a);
	tw_alerts_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
