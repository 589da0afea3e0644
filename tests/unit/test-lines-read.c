/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

struct taken {
	struct tw_past_taker taker; /* first: its address is this one's */
	int answer;
	unsigned count;
	usec_t at_usec;
	char message[64];
};

static int take(struct tw_past_taker *taker, usec_t at_usec, const struct tw_record *record)
{
	struct taken *taken = (struct taken *)taker;

	taken->count++;
	taken->at_usec = at_usec;
	(void)tw_text_copy(taken->message, sizeof(taken->message), tw_past_text(record, "MESSAGE"));
	assert_null(tw_record_get(record, "_PID"));
	return taken->answer;
}

static int read_one(struct taken *taken, const struct tw_past_order *order, const char *line, size_t length)
{
	static struct tw_record record;

	taken->taker.take = take;
	return tw_lines_read_one(order, &taken->taker, &record, line, length);
}

#define EVENT "\"TIMEWAITD_EVENT\":\"raised\",\"TIMEWAITD_NAMESPACE\":\"host\",\"_PID\":\"7\",\"MESSAGE\":\"m\""
#define AT(text) "{" EVENT ",\"__REALTIME_TIMESTAMP\":" text "}"

static void test_lines(void **state TW_UNUSED)
{
	static const struct {
		const char *line;
		int answer;
	} rows[] = {
		{ AT("\"500\"") "\n", 1 },
		{ "  " AT("\"500\"") " \r\n", 1 },
		/* The span is inclusive, and the journal's. */
		{ AT("\"100\""), 1 },
		{ AT("\"99\""), 0 },
		{ AT("\"900\""), 1 },
		{ AT("\"901\""), 0 },
		{ AT("500"), 0 },
		{ AT("\"5e2\""), 0 },
		{ AT("\"\""), 0 },
		{ "{" EVENT "}", 0 },
		/* Not timewaitd's. */
		{ "{\"__REALTIME_TIMESTAMP\":\"500\",\"MESSAGE\":\"m\"}", 0 },
		{ "{\"__REALTIME_TIMESTAMP\":\"500\",\"TIMEWAITD_EVENT\":[1]}", 0 },
		{ "{\"__REALTIME_TIMESTAMP\":\"500\",\"TIMEWAITD_EVENT\":\"raised\"}", 0 },
		{ "{\"__REALTIME_TIMESTAMP\":\"500\",\"TIMEWAITD_EVENT\":\"raised\",\"TIMEWAITD_NAMESPACE\":\"hos\"}",
		  0 },
		{ "{\"__REALTIME_TIMESTAMP\":\"500\",\"TIMEWAITD_EVENT=x\":\"raised\",\"TIMEWAITD_NAMESPACE\":"
		  "\"host\"}",
		  0 },
		{ "{}", 0 },
		{ "", 0 },
		{ "\n", 0 },
		{ " \t\r\n", 0 },
		{ "[]", -EBADMSG },
		{ "5", -EBADMSG },
		{ "null", -EBADMSG },
		{ "{\"a\":1", -EBADMSG },
		{ "{} {}", -EBADMSG },
		{ "Nov 22 19:45:44 raised", -EBADMSG },
		{ "{\"a\":\"\xff\"}", -EBADMSG },
	};
	const struct tw_past_order order = { .namespace = "host", .since_usec = 100, .until_usec = 900 };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct taken taken = { .answer = 0 };
		int r = read_one(&taken, &order, rows[i].line, strlen(rows[i].line));

		if (r != rows[i].answer || taken.count != (r == 1))
			fail_msg("%s: %d, taken %u times", rows[i].line, r, taken.count);
		if (r == 1)
			assert_string_equal(taken.message, "m");
	}
}

/* Bytes behind the line are not looked at; a NUL within it is no end of it. */
static void test_length(void **state TW_UNUSED)
{
	static const char line[] = AT("\"500\"");
	const struct tw_past_order order = { .until_usec = TW_USEC_INFINITY };
	struct taken taken = { .answer = 0 };

	assert_int_equal(read_one(&taken, &order, line, sizeof(line) - 1), 1);
	assert_int_equal(taken.at_usec, 500);
	assert_int_equal(read_one(&taken, &order, line, sizeof(line) - 2), -EBADMSG);
	assert_int_equal(read_one(&taken, &order, "\0{}", 3), -EBADMSG);
	assert_int_equal(taken.count, 1);
}

/* A time that the journal cannot hold is none: to add to it would begin time anew. */
static void test_the_end_of_time(void **state TW_UNUSED)
{
	const struct tw_past_order order = { .until_usec = TW_USEC_INFINITY };
	struct taken taken = { .answer = 0 };

	assert_int_equal(read_one(&taken, &order, AT("\"36028797018963967\""), strlen(AT("\"36028797018963967\""))), 1);
	assert_int_equal(taken.at_usec, (UINT64_C(1) << 55) - 1);
	assert_int_equal(read_one(&taken, &order, AT("\"36028797018963968\""), strlen(AT("\"36028797018963968\""))), 0);
	assert_int_equal(
		read_one(&taken, &order, AT("\"18446744073709551615\""), strlen(AT("\"18446744073709551615\""))), 0);
	assert_int_equal(read_one(&taken, &order, AT("\"0\""), strlen(AT("\"0\""))), 0);
}

static void test_what_the_taker_says(void **state TW_UNUSED)
{
	const struct tw_past_order order = { .until_usec = TW_USEC_INFINITY };
	struct taken taken = { .answer = -ENOMEM };

	assert_int_equal(read_one(&taken, &order, AT("\"500\""), strlen(AT("\"500\""))), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_the_end_of_time),
		cmocka_unit_test(test_what_the_taker_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
