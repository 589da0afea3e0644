/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-words.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Whole sentences in plain letters, on one line, one blank between words. */
static void check_sentences(const char *name, const char *words)
{
	size_t length;

	if (!words)
		fail_msg("%s: words are missing", name);
	length = strlen(words);
	if (length < 8 || words[length - 1] != '.')
		fail_msg("%s: no sentence: '%s'", name, words);
	if (strstr(words, "  ") || strstr(words, "..") == words + length - 2)
		fail_msg("%s: two blanks or two stops: '%s'", name, words);
	for (size_t i = 0; i < length; i++)
		if (words[i] < 0x20 || words[i] > 0x7e)
			fail_msg("%s: byte %zu is no plain letter", name, i);
}

static void check_words(const char *name, const struct tw_explain_words *words)
{
	check_sentences(name, words->means);
	check_sentences(name, words->costs);
	check_sentences(name, words->helps);
	check_sentences(name, words->vain);
}

static void test_each_state(TW_UNUSED void **state)
{
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		check_words(tw_state_name((enum tw_state)i), tw_explain_state_words((enum tw_state)i));
}

static void test_each_metric(TW_UNUSED void **state)
{
	for (unsigned i = 0; i < TW_METRIC_COUNT; i++)
		check_words(tw_metric_info((enum tw_metric)i)->name, tw_explain_metric_words((enum tw_metric)i));
}

static void test_each_tunable(TW_UNUSED void **state)
{
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		const struct tw_explain_words *words = tw_explain_tunable_words((enum tw_tunable)i);

		check_words(tw_tunable_info((enum tw_tunable)i)->key, words);
		assert_true(strlen(words->good_for) > 0 && strlen(words->not_for) > 0);
	}
}

static void test_a_state_is_its_metric(TW_UNUSED void **state)
{
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		assert_ptr_equal(tw_explain_metric_words(TW_METRIC_OF_STATE(i)),
				 tw_explain_state_words((enum tw_state)i));
}

/* What admins are told wrongly elsewhere has to be right here. */
static void test_facts(TW_UNUSED void **state)
{
	const struct tw_explain_words *time_wait = tw_explain_state_words(TW_STATE_TIME_WAIT);
	const struct tw_explain_words *close_wait = tw_explain_state_words(TW_STATE_CLOSE_WAIT);
	const struct tw_explain_words *fin_timeout = tw_explain_tunable_words(TW_TUNABLE_FIN_TIMEOUT);
	const struct tw_explain_words *reuse = tw_explain_tunable_words(TW_TUNABLE_TW_REUSE);
	const struct tw_explain_words *recycle = tw_explain_tunable_words(TW_TUNABLE_TW_RECYCLE);
	const struct {
		const char *words, *has;
	} rows[] = {
		{ time_wait->means, "60 s (2 MSL)" },
		{ fin_timeout->good_for, "FIN-WAIT-2" },
		{ fin_timeout->not_for, "TIME-WAIT" },
		{ time_wait->means, "closes first" },
		{ time_wait->means, "ACK must be repeated" },
		{ time_wait->means, "segments of the old connection" },
		{ time_wait->costs, "256 bytes" },
		{ time_wait->vain, "tcp_fin_timeout does not shorten it" },
		{ time_wait->vain, "gone since Linux 4.12" },
		{ time_wait->vain, "evicts nothing" },
		{ close_wait->costs, "no time limit" },
		{ close_wait->helps, "close()" },
		{ fin_timeout->means, "FIN-WAIT-2" },
		{ fin_timeout->vain, "compiled into the kernel" },
		{ reuse->means, "timestamps at both ends" },
		{ reuse->vain, "Incoming connections" },
		{ reuse->vain, "does not fall" },
		{ recycle->means, "Linux 4.12 removed it" },
		{ recycle->costs, "NAT" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++)
		if (!strstr(rows[i].words, rows[i].has))
			fail_msg("'%s' is not in '%s'", rows[i].has, rows[i].words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_state),   cmocka_unit_test(test_each_metric),
		cmocka_unit_test(test_each_tunable), cmocka_unit_test(test_a_state_is_its_metric),
		cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
