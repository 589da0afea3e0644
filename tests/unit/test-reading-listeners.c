/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/reading.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define UNKNOWN INT64_MIN

/* Large: not for the stack of each test. */
static struct tw_sample sample;
static struct tw_rule_settings rule;

static int clear(TW_UNUSED void **state)
{
	memset(&sample, 0, sizeof(sample));
	tw_rule_settings_init(&rule);
	return 0;
}

static struct tw_address address(const char *text)
{
	struct tw_address parsed = { 0 };

	assert_int_equal(tw_address_parse(text, strlen(text), &parsed), 0);
	return parsed;
}

static void check(struct tw_value value, int64_t milli)
{
	assert_int_equal(value.known, milli != UNKNOWN);
	if (value.known)
		assert_int_equal(value.milli, milli);
}

/* Who overflows now, and who has more half-open connections than its backlog is long. */
static void test_listener_behind_a_counter(TW_UNUSED void **state)
{
	static const struct {
		enum tw_metric metric;
		uint32_t queue, backlog, syn_recv;
		bool named;
	} rows[] = {
		{ TW_METRIC_LISTEN_OVERFLOW, 5, 4, 0, true },  { TW_METRIC_LISTEN_OVERFLOW, 4, 4, 0, true },
		{ TW_METRIC_LISTEN_OVERFLOW, 3, 4, 9, false }, { TW_METRIC_LISTEN_OVERFLOW, 0, 0, 0, false },
		{ TW_METRIC_SYN_COOKIES, 0, 4, 4, true },      { TW_METRIC_SYN_COOKIES, 4, 4, 3, false },
		{ TW_METRIC_SYN_COOKIES, 0, 0, 0, false },     { TW_METRIC_SYN_COOKIES, 0, 0, 1, true },
		{ TW_METRIC_LISTEN_DROP, 5, 4, 4, false },     { TW_METRIC_RESET, 5, 4, 4, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_accepting *accepting = &sample.accepting;
		struct tw_subject subject;

		(void)clear(NULL);
		rule.metric = rows[i].metric;
		accepting->at_usec = 5 * S;
		accepting->listeners = accepting->row_count = 3;
		for (unsigned k = 0; k < 3; k++)
			accepting->rows[k].address.port = (uint16_t)(80 + k);
		accepting->rows[0].backlog = accepting->rows[2].backlog = 8;
		accepting->rows[2].syn_recv = 1;
		accepting->rows[1].queue = rows[i].queue;
		accepting->rows[1].backlog = rows[i].backlog;
		accepting->rows[1].syn_recv = rows[i].syn_recv;
		tw_reading_subject(&sample, &rule, &subject);
		if (subject.has_listener != rows[i].named || (rows[i].named && subject.listener.port != 81))
			fail_msg("row %zu", i);
		accepting->partial = true;
		tw_reading_subject(&sample, &rule, &subject);
		assert_false(subject.has_listener);
	}
}

/* Of two that are flooded, the one with more. */
static void test_most_flooded(TW_UNUSED void **state)
{
	struct tw_subject subject;

	rule.metric = TW_METRIC_SYN_COOKIES;
	sample.accepting.at_usec = 5 * S;
	sample.accepting.listeners = sample.accepting.row_count = 2;
	sample.accepting.rows[0] = (struct tw_listener_row){ .address.port = 80, .backlog = 4, .syn_recv = 5 };
	sample.accepting.rows[1] = (struct tw_listener_row){ .address.port = 81, .backlog = 64, .syn_recv = 64 };
	tw_reading_subject(&sample, &rule, &subject);
	assert_int_equal(subject.listener.port, 81);
}

static void add_listener(const char *text, uint16_t port, uint32_t queue, uint32_t backlog)
{
	struct tw_accepting *accepting = &sample.accepting;

	accepting->at_usec = 5 * S;
	accepting->listeners++;
	accepting->rows[accepting->row_count++] = (struct tw_listener_row){
		.address = { .address = address(text), .port = port },
		.queue = queue,
		.backlog = backlog,
	};
}

static void test_listeners(TW_UNUSED void **state)
{
	static const struct {
		const char *listener; /* NULL: unscoped */
		uint16_t port;
		int64_t value;
		int row;
	} rows[] = {
		{ NULL, 0, 77000, 1 }, /* the figure of the census, the row of the table */
		{ "0.0.0.0", 80, 50000, 1 },	 { "::", 80, 50000, 1 },
		{ "10.0.0.1", 80, 25000, 0 },	 { "10.0.0.2", 80, 50000, 1 },
		{ "10.0.0.3", 80, UNKNOWN, -1 }, { "0.0.0.0", 81, 100000, 3 }, /* no backlog: room for one */
		{ "0.0.0.0", 82, UNKNOWN, -1 },	 { "0.0.0.0", 443, 101000, 4 },
	};

	add_listener("10.0.0.1", 80, 1, 4);
	add_listener("10.0.0.2", 80, 2, 4);
	add_listener("::", 80, 0, 4);
	add_listener("::", 81, 1, 0);
	add_listener("::", 443, 101, 100);
	sample.accepting.accept_queue = tw_value_of(77000);
	rule.metric = TW_METRIC_ACCEPT_QUEUE;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_reading reading;
		struct tw_subject subject;
		int row = rows[i].listener ? rows[i].row : 4;

		rule.scope.has_listener = rows[i].listener;
		if (rows[i].listener)
			rule.scope.listener = address(rows[i].listener);
		rule.scope.listener_port = rows[i].port;
		reading = tw_reading_take(&sample, &rule);
		check(reading.value, rows[i].value);
		check(reading.pressure, rows[i].value);
		assert_int_equal(reading.at_usec, 5 * S);
		assert_false(reading.confirmed);
		tw_reading_subject(&sample, &rule, &subject);
		assert_int_equal(subject.has_listener, row >= 0);
		if (row >= 0)
			assert_memory_equal(&subject.listener, &sample.accepting.rows[row].address,
					    sizeof(subject.listener));
	}

	/* Where the table does not hold them all, it can be one whose queue is emptier. */
	rule.scope.listener_port = 82;
	sample.accepting.listeners++;
	check(tw_reading_take(&sample, &rule).value, 0);
	sample.accepting.partial = true;
	check(tw_reading_take(&sample, &rule).value, UNKNOWN);
	sample.accepting.partial = false;
	sample.accepting.at_usec = 0;
	check(tw_reading_take(&sample, &rule).value, UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_listener_behind_a_counter, clear),
		cmocka_unit_test_setup(test_most_flooded, clear),
		cmocka_unit_test_setup(test_listeners, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
