/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/port-model.h"

#include "base/macros.h"
#include "ctl/lint/lint-check.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_set(void **state TW_UNUSED)
{
	struct tw_port_set set, other;

	memset(&set, 0xff, sizeof(set));
	assert_int_equal(tw_port_set_size(&set), 65536);
	tw_port_set_clear(&set);
	assert_int_equal(tw_port_set_size(&set), 0);
	for (unsigned round = 0; round < 2; round++) {
		tw_port_set_add(&set, 0);
		tw_port_set_add(&set, 63);
		tw_port_set_add(&set, 64);
		tw_port_set_add(&set, 65535);
	}
	assert_int_equal(tw_port_set_size(&set), 4);
	assert_true(tw_port_set_has(&set, 0) && tw_port_set_has(&set, 63) && tw_port_set_has(&set, 65535));
	assert_false(tw_port_set_has(&set, 1) || tw_port_set_has(&set, 62) || tw_port_set_has(&set, 65534));
	tw_port_set_remove(&set, 63);
	tw_port_set_remove(&set, 63);
	assert_false(tw_port_set_has(&set, 63));
	assert_true(tw_port_set_has(&set, 64));
	tw_port_set_clear(&other);
	tw_port_set_add_range(&other, 64, 65534);
	tw_port_set_subtract(&set, &other);
	assert_int_equal(tw_port_set_size(&set), 2);
	assert_true(tw_port_set_has(&set, 0) && tw_port_set_has(&set, 65535));
}

static void test_range(void **state TW_UNUSED)
{
	static const struct {
		uint16_t low, high;
		uint32_t size;
	} cases[] = {
		{ 32768, 60999, 28232 }, { 0, 65535, 65536 }, { 65535, 65535, 1 }, { 0, 0, 1 }, { 2, 1, 0 },
		{ 65535, 0, 0 },	 { 63, 64, 2 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_port_set set = { 0 };

		tw_port_set_add_range(&set, cases[i].low, cases[i].high);
		assert_int_equal(tw_port_set_size(&set), cases[i].size);
		if (cases[i].size > 0)
			assert_true(tw_port_set_has(&set, cases[i].low) && tw_port_set_has(&set, cases[i].high));
	}
}

/* One after the other, over the bounds of words, and the last one there is. */
static void test_next(void **state TW_UNUSED)
{
	static const uint16_t ports[] = { 0, 1, 63, 64, 127, 200, 4096, 32767, 65535 };
	struct tw_port_set set = { 0 };
	uint32_t port = 0;
	size_t found = 0;

	assert_false(tw_port_set_next(&set, &port));
	assert_int_equal(port, 0);
	for (size_t i = 0; i < TW_ARRAY_SIZE(ports); i++)
		tw_port_set_add(&set, ports[i]);
	for (; tw_port_set_next(&set, &port); port++)
		assert_int_equal(port, ports[found++]);
	assert_int_equal(found, TW_ARRAY_SIZE(ports));
	assert_int_equal(tw_port_set_odd(&set), 5);
}

static void test_parse(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		int r;
		uint32_t size;
	} cases[] = {
		{ "", 0, 0 },
		{ "\n", 0, 0 },
		{ "8080\n", 0, 1 },
		{ "8080,9000-9010\n", 0, 12 },
		{ "0-65535", 0, 65536 },
		{ "5-5,5", 0, 1 },
		{ "1,2,3,1-4\n", 0, 4 },
		{ ",", -EINVAL, 0 },
		{ "1,", -EINVAL, 0 },
		{ "1,\n", -EINVAL, 0 },
		{ ",1", -EINVAL, 0 },
		{ "1,,2", -EINVAL, 0 },
		{ "-", -EINVAL, 0 },
		{ "1-", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1-2-3", -EINVAL, 0 },
		{ "2-1", -EINVAL, 0 },
		{ "65536", -EINVAL, 0 },
		{ "1-65536", -EINVAL, 0 },
		{ "18446744073709551617", -EINVAL, 0 },
		{ "1 2", -EINVAL, 0 },
		{ "1, 2", -EINVAL, 0 },
		{ "http", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_port_set set;

		memset(&set, 0xff, sizeof(set));
		assert_int_equal(tw_port_set_parse(cases[i].text, strlen(cases[i].text), &set), cases[i].r);
		/* Untouched on failure. */
		assert_int_equal(tw_port_set_size(&set), cases[i].r < 0 ? 65536 : cases[i].size);
	}
}

static void test_unite_and_equal(void **state TW_UNUSED)
{
	struct tw_port_set set = { 0 }, other = { 0 };

	tw_port_set_add_range(&set, 10, 20);
	tw_port_set_add_range(&other, 20, 65535);
	assert_false(tw_port_set_equal(&set, &other));
	tw_port_set_unite(&set, &other);
	assert_int_equal(tw_port_set_size(&set), 65526);
	tw_port_set_unite(&other, &set);
	assert_true(tw_port_set_equal(&set, &other));
	tw_port_set_remove(&set, 65535);
	assert_false(tw_port_set_equal(&set, &other));
}

static void test_text(void **state TW_UNUSED)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "0", "0" },
		{ "65535", "65535" },
		{ "0-65535", "0-65535" },
		{ "8080,9000-9010", "8080,9000-9010" },
		{ "9,8,7,5,1-3", "1-3,5,7-9" },
		{ "63,64,65534,65535", "63-64,65534-65535" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		char bytes[TW_PORT_SET_TEXT_MAX];
		struct tw_port_set set;
		struct tw_text text;

		assert_int_equal(tw_port_set_parse(cases[i][0], strlen(cases[i][0]), &set), 0);
		tw_text_init(&text, bytes, sizeof(bytes));
		tw_port_set_add_text(&set, &text);
		assert_string_equal(bytes, cases[i][1]);
		assert_false(text.cut);
	}
}

static void test_text_that_is_too_long(void **state TW_UNUSED)
{
	char bytes[TW_PORT_SET_TEXT_MAX];
	struct tw_port_set set = { 0 };
	struct tw_text text;

	for (unsigned port = 1; port < 65535; port += 2)
		tw_port_set_add(&set, (uint16_t)port);
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_port_set_add_text(&set, &text);
	assert_true(text.cut);
}

static void test_parse_stops_at_the_length(void **state TW_UNUSED)
{
	struct tw_port_set set;

	assert_int_equal(tw_port_set_parse("80,81", 2, &set), 0);
	assert_int_equal(tw_port_set_size(&set), 1);
	assert_true(tw_port_set_has(&set, 80));
	assert_int_equal(tw_port_set_parse("80\0", 3, &set), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_unite_and_equal),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_that_is_too_long),
		cmocka_unit_test(test_parse_stops_at_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
