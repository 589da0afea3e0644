/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/report/report-page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct {
	size_t length, quotes;
	char end[16]; /* the last bytes, without a NUL */
} page;

/* Also over the seam of two pieces. */
static void put(void *context TW_UNUSED, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		memmove(page.end, page.end + 1, sizeof(page.end) - 1);
		page.end[sizeof(page.end) - 1] = bytes[i];
		page.quotes += memcmp(page.end + sizeof(page.end) - 6, "&quot;", 6) == 0;
	}
	page.length += length;
}

/* The longest words that a record can hold, all of which have to be written otherwise: nothing of the page is cut. */
static void test_the_longest_words(void **state TW_UNUSED)
{
	static struct tw_report report;
	static struct tw_record record;
	static struct tw_out out;
	static char words[60001];

	memset(words, '"', sizeof(words) - 1);
	tw_record_init(&record);
	(void)tw_record_addf(&record, "", "TIMEWAITD_EVENT", "%s", "raised");
	(void)tw_record_addf(&record, "", "TIMEWAITD_RULE", "%s", "r");
	assert_true(tw_record_addf(&record, "", "MESSAGE", "%s", words));
	tw_report_init(&report, "host");
	assert_int_equal(tw_report_take(&report, 5 * TW_USEC_PER_SEC, &record), 0);
	report.from_usec = report.first_usec;
	report.to_usec = report.from_usec + TW_USEC_PER_SEC;
	tw_out_init(&out, put, NULL);
	tw_report_write(&report, &out);
	tw_report_done(&report);
	assert_memory_equal(page.end, "</body>\n</html>\n", sizeof(page.end));
	/* Among the alerts, in the flight recorder and among the records. */
	assert_int_equal(page.quotes, 3 * (sizeof(words) - 1));
	assert_true(page.length > 6 * page.quotes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_longest_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
