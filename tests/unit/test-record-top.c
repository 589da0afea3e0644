/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record.h"

#include "base/macros.h"
#include "tell-sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Not for the stack. */
static struct tw_record record;
static struct tw_close_wait leaks;
static struct tw_sample shown;

/* The table of that name in the flight recorder of a sample that holds these parts. */
static const char *table(const char *name, unsigned top)
{
	const struct tw_event event = { .kind = TW_EVENT_RAISED, .sample = &shown, .top = top };

	shown.survey.at_usec = shown.accepting.at_usec = shown.close_wait.at_usec = 1;
	tw_record_init(&record);
	tw_record_add_sample(&record, &event);
	return tw_record_get(&record, name);
}

static const char *of_survey(const char *name, const struct tw_survey *survey, unsigned top)
{
	shown.survey = *survey;
	return table(name, top);
}

static const char *destinations(const struct tw_survey *survey, unsigned top)
{
	return of_survey("TIMEWAITD_TOP_DESTINATIONS", survey, top);
}

static const char *listeners(const struct tw_accepting *accepting, unsigned top)
{
	shown.accepting = *accepting;
	return table("TIMEWAITD_TOP_LISTENERS", top);
}

static const char *units(const struct tw_close_wait *close_wait, unsigned top)
{
	shown.close_wait = *close_wait;
	return table("TIMEWAITD_TOP_UNITS", top);
}

static void test_destinations(void **state TW_UNUSED)
{
	struct tw_survey survey = sample.survey;

	assert_string_equal(destinations(&survey, 3), "10.0.0.1 10.0.0.2:8080 3871 3866 4 1 47.3%\n"
						      "::1 [::2]:443 9 0 9 0 0.1%\n"
						      "10.0.0.1 10.0.0.2:8080 1 0 0 0 unknown");
	assert_string_equal(destinations(&survey, 1), "10.0.0.1 10.0.0.2:8080 3871 3866 4 1 47.3%\n... and 2 more");
	assert_null(destinations(&survey, 0));
	survey.destinations = 4000000000;
	assert_string_equal(destinations(&survey, 1),
			    "10.0.0.1 10.0.0.2:8080 3871 3866 4 1 47.3%\n... and 3999999999 more");
	/* What the table holds is there, whatever the number says. */
	survey.destinations = 0;
	assert_string_equal(destinations(&survey, 1), "10.0.0.1 10.0.0.2:8080 3871 3866 4 1 47.3%");
	survey.top_count = 0;
	assert_null(destinations(&survey, 3));
}

static void test_held(void **state TW_UNUSED)
{
	struct tw_survey survey = sample.survey;

	assert_string_equal(
		of_survey("TIMEWAITD_TOP_HELD", &survey, 2),
		"10.0.0.1 10.0.0.2:8080 blocked 3871 bound-first 7 time-wait 3866 established 4 syn-sent 1\n"
		"::1 [::2]:443 blocked 9 bound-first unknown established 9\n... and 1 more");
}

static void test_binders(void **state TW_UNUSED)
{
	struct tw_survey survey = sample.survey;

	assert_string_equal(of_survey("TIMEWAITD_TOP_BINDERS", &survey, 3), "10.0.0.1 7 2 10.0.0.2:8080");
	survey.binder_count = 0;
	assert_null(of_survey("TIMEWAITD_TOP_BINDERS", &survey, 3));
}

static void test_bound(void **state TW_UNUSED)
{
	struct tw_survey survey = {
		.bound_row_count = 2,
		.bound_rows = { { "batch.service", 28000 }, { "", 3 } },
	};

	assert_string_equal(of_survey("TIMEWAITD_TOP_BOUND", &survey, 10), "batch.service 28000\nunknown 3");
	assert_string_equal(of_survey("TIMEWAITD_TOP_BOUND", &survey, 1), "batch.service 28000\n... and 1 more");
	survey.bound_row_count = 0;
	assert_null(of_survey("TIMEWAITD_TOP_BOUND", &survey, 1));
}

static void test_listeners(void **state TW_UNUSED)
{
	struct tw_accepting accepting = sample.accepting;

	assert_string_equal(listeners(&accepting, 10), "0.0.0.0:80 502/511 12 3 1 0 3.4%\n"
						       "[::1]:443 0/4096 0 0 0 unknown 0%\n"
						       "127.0.0.1:6379 0/128 340 0 0 unknown 96.6%");
	accepting.listeners = 5;
	accepting.connections.value = 0;
	accepting.rows[0].time_wait.value = UINT64_MAX;
	assert_string_equal(listeners(&accepting, 1),
			    "0.0.0.0:80 502/511 12 3 1 18446744073709551615 unknown\n... and 4 more");
	accepting.rows[0].connections = accepting.connections = (struct tw_count){ 0 };
	assert_string_equal(listeners(&accepting, 1),
			    "0.0.0.0:80 502/511 unknown 3 1 18446744073709551615 unknown\n... and 4 more");
	assert_null(listeners(&accepting, 0));
	accepting.row_count = 0;
	assert_null(listeners(&accepting, 10));
}

static void test_units(void **state TW_UNUSED)
{
	leaks = sample.close_wait;
	assert_string_equal(units(&leaks, 10), "web.service 3 71.2s 10\nunknown 1 5s 0");
	assert_string_equal(units(&leaks, 1), "web.service 3 71.2s 10\n... and 1 more");
	/* Each line stays one, and each figure one word. */
	(void)tw_text_copy(leaks.rows[0].unit, TW_UNIT_MAX, "a\nb.service");
	leaks.rows[0].oldest_usec = 3 * TW_USEC_PER_DAY + 40000;
	leaks.rows[0].unread = UINT64_MAX;
	assert_string_equal(units(&leaks, 1), "a?b.service 3 259200s 18446744073709551615\n... and 1 more");
	assert_null(units(&leaks, 0));
	leaks.row_count = 0;
	assert_null(units(&leaks, 10));
}

/* The rows of a table of `rows` units whose lines have `length` bytes, and what stands behind the last. */
static unsigned count_lines(unsigned rows, size_t length, const char **ret_rest)
{
	const char *at;
	unsigned lines = 0;

	memset(&leaks, 0, sizeof(leaks));
	leaks.row_count = rows;
	for (unsigned i = 0; i < rows; i++)
		memset(leaks.rows[i].unit, 'u', length - strlen(" 0 0s 0"));
	at = units(&leaks, TW_TOP_MAX);
	assert_true(strlen("TIMEWAITD_TOP_UNITS=") + strlen(at) < TW_RECORD_TABLE_MAX);
	for (; *at == 'u'; at += length + 1) {
		lines++;
		assert_memory_equal(at + length - strlen(" 0 0s 0"), " 0 0s 0", strlen(" 0 0s 0"));
		if (at[length] == '\0') {
			*ret_rest = "";
			return lines;
		}
	}
	*ret_rest = at;
	return lines;
}

/* journalctl shows 4095 bytes, the name with them: beyond that whole lines are left out, and counted. */
static void test_size(void **state TW_UNUSED)
{
	const size_t room = TW_RECORD_TABLE_MAX - 1 - strlen("TIMEWAITD_TOP_UNITS=");
	char more[64];
	const char *rest;

	for (size_t length = 20; length < TW_UNIT_MAX; length++) {
		unsigned fit = (unsigned)((room + 1) / (length + 1));
		unsigned lines = count_lines(TW_TOP_MAX, length, &rest);

		if (fit >= TW_TOP_MAX) {
			assert_int_equal(lines, TW_TOP_MAX);
			assert_string_equal(rest, "");
			continue;
		}
		/* "... and N more" takes the place of no more lines than it needs. */
		assert_in_range(lines, fit - 1 - 32 / length, fit);
		(void)snprintf(more, sizeof(more), "... and %u more", TW_TOP_MAX - lines);
		assert_string_equal(rest, more);
	}
}

/* A table that just fits is whole; with one byte more its last line makes place for what says so. */
static void test_edge(void **state TW_UNUSED)
{
	const size_t room = TW_RECORD_TABLE_MAX - 1 - strlen("TIMEWAITD_TOP_UNITS=");
	const size_t length = 250;
	unsigned rows = (unsigned)(room / (length + 1)) + 1;
	size_t last = room - (rows - 1) * (length + 1);
	const char *whole;

	memset(&leaks, 0, sizeof(leaks));
	leaks.row_count = rows;
	for (unsigned i = 0; i < rows; i++)
		memset(leaks.rows[i].unit, 'u', (i + 1 < rows ? length : last) - strlen(" 0 0s 0"));
	whole = units(&leaks, TW_TOP_MAX);
	assert_int_equal(strlen(whole), room);
	assert_null(strstr(whole, "more"));

	leaks.rows[rows - 1].unit[last - strlen(" 0 0s 0")] = 'u';
	whole = units(&leaks, TW_TOP_MAX);
	assert_true(strlen(whole) < room);
	assert_non_null(strstr(whole, "\n... and 1 more"));
}

/* More rows than a table has are never read, whatever it says. */
static void test_overlong(void **state TW_UNUSED)
{
	struct tw_accepting accepting = sample.accepting;
	struct tw_survey survey = sample.survey;

	survey.top_count = UINT32_MAX;
	assert_non_null(destinations(&survey, UINT32_MAX));
	accepting.row_count = UINT32_MAX;
	assert_non_null(listeners(&accepting, UINT32_MAX));
	leaks = sample.close_wait;
	leaks.row_count = UINT32_MAX;
	assert_non_null(units(&leaks, UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_destinations), cmocka_unit_test(test_bound),     cmocka_unit_test(test_binders),
		cmocka_unit_test(test_held),	     cmocka_unit_test(test_listeners), cmocka_unit_test(test_units),
		cmocka_unit_test(test_size),	     cmocka_unit_test(test_edge),      cmocka_unit_test(test_overlong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
