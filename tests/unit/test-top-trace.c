/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/top-trace.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct tw_trace trace;

static int clear(TW_UNUSED void **state)
{
	memset(&trace, 0, sizeof(trace));
	return 0;
}

static void look(const char *name, int64_t value)
{
	tw_trace_begin(&trace);
	if (name)
		tw_trace_note(&trace, name, tw_value_of(value * 1000));
}

static void shows(const char *name, unsigned columns, bool utf8, const char *wanted)
{
	char bytes[256];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_trace_add(&trace, name, columns, utf8, &text);
	assert_string_equal(bytes, wanted);
}

static void test_never_seen(TW_UNUSED void **state)
{
	shows("a", 10, true, "          ");
	look("b", 5);
	shows("a", 10, true, "          ");
}

/* Each column is the highest of its looks; the first look is number 1, and column 0 has one less. */
static void test_columns(TW_UNUSED void **state)
{
	for (int64_t i = 1; i <= 26; i++)
		look("a", i % 9 == 4 ? i : 0);
	shows("a", 10, false, "       :=#");
	shows("a", 10, true, "       \xe2\x96\x83\xe2\x96\x85\xe2\x96\x87");
}

static void test_gap(TW_UNUSED void **state)
{
	for (int i = 0; i < 90; i++)
		look(i < 30 || i >= 60 ? "a" : NULL, 7);
	shows("a", 10, false, "###  #####");
}

static void test_zero_and_unknown(TW_UNUSED void **state)
{
	for (int i = 0; i < 8; i++)
		look("a", 0);
	shows("a", 10, false, "         _");
	tw_trace_begin(&trace);
	tw_trace_note(&trace, "a", tw_value_unknown());
	shows("a", 10, false, "        _ ");
}

static void test_held(TW_UNUSED void **state)
{
	look("a", -5);
	shows("a", 10, false, "         _");
	look("b", INT64_MAX / 1000);
	shows("b", 10, false, "         #");
}

/* It goes on in a ring: what is older than its length is gone. */
static void test_ring(TW_UNUSED void **state)
{
	look("a", 1000);
	for (unsigned i = 0; i < 3 * TW_TRACE_LENGTH; i++)
		look("a", 1);
	shows("a", 10, false, "##########");
}

static void test_room(TW_UNUSED void **state)
{
	char name[16];
	struct tw_text text;

	look("old", 1);
	for (unsigned i = 0; i < TW_TRACE_NAMES_MAX; i++) {
		tw_text_init(&text, name, sizeof(name));
		tw_text_addf(&text, "n%u", i);
		look(name, 1);
	}
	assert_int_equal(trace.count, TW_TRACE_NAMES_MAX);
	shows("old", 1, false, " ");
	tw_text_init(&text, name, sizeof(name));
	tw_text_addf(&text, "n%u", TW_TRACE_NAMES_MAX - 1);
	shows(name, 1, false, "#");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_never_seen, clear), cmocka_unit_test_setup(test_columns, clear),
		cmocka_unit_test_setup(test_gap, clear),	cmocka_unit_test_setup(test_zero_and_unknown, clear),
		cmocka_unit_test_setup(test_held, clear),	cmocka_unit_test_setup(test_ring, clear),
		cmocka_unit_test_setup(test_room, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
