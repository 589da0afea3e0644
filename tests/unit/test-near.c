/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_near(TW_UNUSED void **state)
{
	static const char *const words[] = {
		"raise", "clear", "raise-for", "clear-for", "severity", "set", "port-use"
	};
	static const struct {
		const char *word;
		const char *nearest;
	} rows[] = {
		{ "raise", "raise" },
		{ "rais", "raise" },
		{ "raises", "raise" },
		{ "rase", "raise" },
		{ "riase", "raise" }, /* two neighbours swapped: two edits */
		{ "raise_for", "raise-for" },
		{ "clearfor", "clear-for" },
		{ "severty", "severity" },
		{ "saverety", "severity" },
		{ "savarety", NULL }, /* three edits */
		{ "st", NULL },	      /* one edit is half the word */
		{ "sat", "set" },     /* fewer than half */
		{ "sit-", NULL },     /* two edits are half */
		{ "PORT-USE", NULL },
		{ "port-usage", "port-use" },
		{ "port-uses", "port-use" },
		{ "", NULL },
		{ "x", NULL },
		{ "something-else", NULL },
		{ "raise-forth", "raise-for" }, /* two letters more */
		{ "raise-forths", NULL },	/* three */
		{ "severi", "severity" },	/* two letters less */
		{ "sever", NULL },		/* three */
		{ "xxxxx-for", NULL },		/* of a length, and given up on the way */
		{ "clear-far", "clear-for" },	/* not by the first word that is long enough */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const char *found = tw_near(rows[i].word, words, TW_ARRAY_SIZE(words));

		if (!found != !rows[i].nearest || (found && strcmp(found, rows[i].nearest) != 0))
			fail_msg("'%s': '%s'", rows[i].word, found ? found : "none");
	}
}

static void test_nearest_wins_then_the_first(TW_UNUSED void **state)
{
	static const char *const words[] = { "abcdxx", "abcdex", "abcdey" };

	assert_ptr_equal(tw_near("abcdef", words, 3), words[1]);
	assert_ptr_equal(tw_near("abcdef", words, 1), words[0]);
	assert_ptr_equal(tw_near("abcdey", words, 3), words[2]);
	assert_null(tw_near("abcdef", words, 0));
}

static void test_long_words(TW_UNUSED void **state)
{
	char word[70], other[70];
	const char *const words[] = { other };

	memset(word, 'a', sizeof(word));
	memset(other, 'a', sizeof(other));
	word[64] = other[64] = '\0';
	word[10] = 'b';
	assert_ptr_equal(tw_near(word, words, 1), other);

	/* One byte beyond what is compared, on either side. */
	other[64] = 'a';
	other[65] = '\0';
	assert_null(tw_near(word, words, 1));
	other[64] = '\0';
	word[64] = 'a';
	word[65] = '\0';
	assert_null(tw_near(word, words, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_nearest_wins_then_the_first),
		cmocka_unit_test(test_long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
