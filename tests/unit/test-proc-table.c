/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "measure/proc/proc-table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = { "Cat", "Ant", "Bee" };

#define UNKNOWN UINT64_MAX

static void assert_read(struct tw_proc_layout *layout, const char *text, uint64_t cat, uint64_t ant, uint64_t bee)
{
	const uint64_t expected[] = { cat, ant, bee };
	struct tw_count found[TW_ARRAY_SIZE(names)] = { { 7, true }, { 7, true }, { 7, true } };

	assert_int_equal(tw_proc_table_read(text, strlen(text), "T:", names, TW_ARRAY_SIZE(names), layout, found), 0);
	for (size_t i = 0; i < TW_ARRAY_SIZE(names); i++) {
		assert_int_equal(found[i].known, expected[i] != UNKNOWN);
		if (found[i].known)
			assert_int_equal(found[i].value, expected[i]);
	}
}

static void test_columns(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		uint64_t cat, ant, bee;
	} rows[] = {
		{ "T: Ant Bee Cat\nT: 1 2 3\n", 3, 1, 2 },
		{ "T: Cat\nT: 1", 1, UNKNOWN, UNKNOWN },
		{ "T: x Cat y Ant\nT: 8 1 9 2\n", 1, 2, UNKNOWN },
		{ "Tx: Cat\nTx: 1\nT: Cat\nU: 3\nT: 2\n", 2, UNKNOWN, UNKNOWN },
		/* Parts of names are no names. */
		{ "T: Cats aCat Ca Cat\nT: 1 2 3 4\n", 4, UNKNOWN, UNKNOWN },
		/* Too few numbers, or what is none. */
		{ "T: Ant Bee Cat\nT: 1 2\n", UNKNOWN, 1, 2 },
		{ "T: Ant Bee Cat\nT: 1 x -3\n", UNKNOWN, 1, UNKNOWN },
		{ "T: Ant Bee Cat\nT: 1  3\n", 3, 1, UNKNOWN },
		{ "T: Ant Bee Cat\nT:\n", UNKNOWN, UNKNOWN, UNKNOWN },
		{ "T:\nT: 1\n", UNKNOWN, UNKNOWN, UNKNOWN },
		{ "T: \nT: 1\n", UNKNOWN, UNKNOWN, UNKNOWN },
		/* The first of two. */
		{ "T: Ant Ant\nT: 1 2\n", UNKNOWN, 1, UNKNOWN },
	};
	struct tw_proc_layout kept = { 0 };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_proc_layout layout = { 0 };

		assert_read(&layout, rows[i].text, rows[i].cat, rows[i].ant, rows[i].bee);
		assert_read(&layout, rows[i].text, rows[i].cat, rows[i].ant, rows[i].bee);
		/* Whatever was learned of another text. */
		assert_read(&kept, rows[i].text, rows[i].cat, rows[i].ant, rows[i].bee);
	}
}

/* What was learned is used, and given up where a name is not where it was. */
static void test_learned(void **state TW_UNUSED)
{
	struct tw_proc_layout layout = { 0 };

	assert_read(&layout, "T: Ant Bee Cat\nT: 1 2 3\n", 3, 1, 2);
	assert_int_equal(layout.count, 3);
	layout.found[0].column = 1;
	assert_read(&layout, "T: Ant Bee Cat\nT: 1 2 3\n", 3, 2, 2);
	assert_read(&layout, "T: Bee Ant Cat\nT: 1 2 3\n", 3, 2, 1);
	layout.found[0].column = 1;
	assert_read(&layout, "T: Bee Ant Cat Dog\nT: 1 2 3 4\n", 3, 2, 1);
}

static void test_no_table(void **state TW_UNUSED)
{
	static const char *const texts[] = {
		"", "T: Cat", "T: Cat\n", "T: Cat\nU: 1\n", "t: Cat\nt: 1\n", "TT: Cat\nTT: 1\n"
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(texts); i++) {
		struct tw_proc_layout layout = { 0 };
		struct tw_count found[TW_ARRAY_SIZE(names)] = { { 7, true } };

		assert_int_equal(tw_proc_table_read(texts[i], strlen(texts[i]), "T:", names, TW_ARRAY_SIZE(names),
						    &layout, found),
				 -EINVAL);
		assert_int_equal(found[0].value, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_learned),
		cmocka_unit_test(test_no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
