/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/port-model.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC

static struct tw_address address(const char *text)
{
	struct tw_address ret;
	uint16_t port;

	assert_int_equal(tw_endpoint_parse(text, strlen(text), &ret, &port), 0);
	return ret;
}

static void test_in_force(void **state TW_UNUSED)
{
	static const struct {
		const char *source, *destination;
		uint32_t device;
		bool by_two;
	} rows[] = {
		{ "10.0.0.1", "10.0.0.2", 0, false },	     { "127.0.0.1", "127.0.0.1", 0, true },
		{ "10.0.0.1", "127.5.0.1", 0, true },	     { "127.255.0.1", "10.0.0.1", 0, true },
		{ "::ffff:127.0.0.1", "10.0.0.1", 0, true }, { "126.0.0.1", "128.0.0.1", 0, false },
		{ "::1", "2001:db8::1", 0, true },	     { "2001:db8::1", "::1", 0, true },
		{ "2001:db8::1", "2001:db8::2", 0, false },  { "::7f00:1", "2001:db8::2", 0, false },
		{ "10.0.0.1", "10.0.0.2", 1, true },	     { "10.0.0.1", "10.0.0.2", 2, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_destination key = {
			.source = address(rows[i].source),
			.destination = address(rows[i].destination),
			.device = rows[i].device,
			.port = 80,
		};

		assert_false(tw_reuse_in_force(0, &key));
		assert_true(tw_reuse_in_force(1, &key));
		assert_int_equal(tw_reuse_in_force(2, &key), rows[i].by_two);
		assert_false(tw_reuse_in_force(3, &key));
	}
}

static struct tw_live_value live(int64_t value)
{
	return (struct tw_live_value){ .value.numbers = { value }, .known = true };
}

static void test_rule(void **state TW_UNUSED)
{
	struct tw_live_value baseline = { 0 };
	struct tw_gauge gauge = { 0 };
	struct tw_reuse_rule rule = tw_reuse_rule(&gauge, &baseline);

	assert_int_equal(rule.reuse, 0);
	assert_int_equal(rule.baseline, 0);
	assert_int_equal(rule.delay_ms, 1000);
	gauge.sysctls[TW_TUNABLE_TW_REUSE] = live(1);
	gauge.sysctls[TW_TUNABLE_TW_REUSE_DELAY] = live(20000);
	rule = tw_reuse_rule(&gauge, &baseline);
	assert_int_equal(rule.reuse, 1);
	assert_int_equal(rule.baseline, 1);
	assert_int_equal(rule.delay_ms, 20000);
	baseline = live(2);
	assert_int_equal(tw_reuse_rule(&gauge, &baseline).baseline, 2);
	gauge.sysctls[TW_TUNABLE_TW_REUSE_DELAY] = live(-1);
	assert_int_equal(tw_reuse_rule(&gauge, &baseline).delay_ms, 1000);
}

/* Of 500 ports, 300 wait, 40 of them are unripe and 20 young; 100 are exclusive, 60 of these wait and are ripe. */
static void test_blocked(void **state TW_UNUSED)
{
	const struct tw_port_holding holding = {
		.ports = 500,
		.time_wait = 300,
		.unripe_time_wait = 40,
		.young_time_wait = 20,
		.exclusive = 100,
		.exclusive_ripe = 60,
	};
	const struct tw_port_holding none = { 0 };

	assert_int_equal(tw_port_blocked(&holding, 100, false), 500);
	assert_int_equal(tw_port_blocked(&holding, 130, false), 530);
	/* 260 are ripe, 60 of them exclusive: 200 can be taken over. */
	assert_int_equal(tw_port_blocked(&holding, 100, true), 300);
	assert_int_equal(tw_port_blocked(&holding, 130, true), 330);
	assert_int_equal(tw_port_blocked(&none, 130, true), 130);
	assert_int_equal(tw_port_demand(&holding, 130, 60000, 5000), 200 + 30 + 20 * 12);
	assert_int_equal(tw_port_demand(&none, 130, 60000, 5000), 130);
}

static void test_parity(void **state TW_UNUSED)
{
	static const struct {
		uint32_t near, far;
		enum tw_parity parity;
	} rows[] = {
		{ 0, 0, TW_PARITY_PLAIN },	{ 500, 0, TW_PARITY_PLAIN },	 { 90, 10, TW_PARITY_PLAIN },
		{ 89, 11, TW_PARITY_UNCLEAR },	{ 50, 50, TW_PARITY_UNCLEAR },	 { 11, 89, TW_PARITY_UNCLEAR },
		{ 10, 90, TW_PARITY_FIRST },	{ 0, 300, TW_PARITY_FIRST },	 { 449, 20, TW_PARITY_PLAIN },
		{ 450, 20, TW_PARITY_UNCLEAR }, { 100, 489, TW_PARITY_UNCLEAR }, { 100, 490, TW_PARITY_FIRST },
		{ 0, 7, TW_PARITY_UNCLEAR },	{ 0, 8, TW_PARITY_FIRST },	 { 500, 500, TW_PARITY_UNCLEAR },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const struct tw_parity_ports ports = { rows[i].near, rows[i].far, 500, 500 };

		assert_int_equal(tw_parity_judge(&ports), rows[i].parity);
		assert_int_equal(tw_parity_is_blinding(&ports), rows[i].near >= 450);
	}
}

/* Beyond half of 1000, connections go on, the near half is full of what waits, and nothing is taken over. */
static const struct tw_reuse_look before = {
	.at_usec = 100 * S,
	.in_force = true,
	.ports = 650,
	.time_wait = 640,
	.unripe_time_wait = 10,
	.young_time_wait = 50,
	.reused = { 7, true },
};

static struct tw_reuse_look after(usec_t span_usec)
{
	struct tw_reuse_look look = before;

	look.at_usec += span_usec;
	look.near_held = 480;
	return look;
}

static void test_refuted(void **state TW_UNUSED)
{
	struct tw_reuse_look first = before, now = after(5 * S);

	assert_true(tw_reuse_refuted(&first, &now, 1000));
	now = after(180 * S);
	assert_true(tw_reuse_refuted(&first, &now, 1000));
	now = after(180 * S + 1);
	assert_false(tw_reuse_refuted(&first, &now, 1000));
	/* Those young ones may be the same as before. */
	now = after(4 * S);
	assert_false(tw_reuse_refuted(&first, &now, 1000));
	now = after(5 * S);
	now.reused.value++;
	assert_false(tw_reuse_refuted(&first, &now, 1000));
	/* The counter is another's, but the ports grow. */
	now.ports += 30;
	now.time_wait += 30;
	assert_true(tw_reuse_refuted(&first, &now, 1000));
	now.at_usec = first.at_usec + 7 * S;
	assert_false(tw_reuse_refuted(&first, &now, 1000));
}

/* Healthy ones: what is taken for useless by mistake alarms for nothing. */
static void test_not_refuted(void **state TW_UNUSED)
{
	struct tw_reuse_look first = before, now;

	for (unsigned i = 0; i < 9; i++) {
		first = before;
		now = after(5 * S);
		switch (i) {
		case 0:
			first.in_force = false;
			break;
		case 1:
			now.in_force = false;
			break;
		case 2: /* within half */
			first.ports = first.time_wait = 500;
			break;
		case 3:
			now.ports = now.time_wait = 500;
			break;
		case 4: /* nobody connects */
			now.young_time_wait = 10;
			break;
		case 5: /* a pool is closed, and what lived waits now */
			first.time_wait -= 45;
			break;
		case 6: /* the near half has free ports, which connect() takes as well */
			now.near_held = 200;
			break;
		case 7: /* so many live that there may have been nothing to take */
			first.time_wait = 100;
			break;
		default:
			now.reused.known = false;
			break;
		}
		assert_false(tw_reuse_refuted(&first, &now, 1000));
	}
}

static void test_left(void **state TW_UNUSED)
{
	static const struct {
		uint32_t exclusive, usable, left;
	} rows[] = { { 0, 1000, 1000 }, { 799, 1000, 201 }, { 801, 1000, 200 }, { 1000, 1000, 200 },
		     { 9, 1000, 991 },	{ 4, 4, 4 },	    { 5, 5, 1 },	{ 0, 0, 0 } };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++)
		assert_int_equal(tw_port_left(rows[i].exclusive, rows[i].usable), rows[i].left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_force),    cmocka_unit_test(test_rule),   cmocka_unit_test(test_blocked),
		cmocka_unit_test(test_left),	    cmocka_unit_test(test_parity), cmocka_unit_test(test_refuted),
		cmocka_unit_test(test_not_refuted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
