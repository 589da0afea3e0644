/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reading-fixture.h"

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
		struct tw_reading_row row;

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
		sample.previous.at_usec = S;
		sample.gauge.at_usec = 2 * S;
		for (int k = 0; k < TW_COUNTER_COUNT; k++)
			sample.gauge.counters[k].known = sample.previous.counters[k].known = true;
		row = worst();
		check(row.reading.value, 0);
		if (row.subject.has_listener != rows[i].named || (rows[i].named && row.subject.listener.port != 81))
			fail_msg("row %zu", i);
		accepting->partial = true;
		assert_false(worst().subject.has_listener);
		/* Without a rate there is nobody behind it. */
		accepting->partial = false;
		sample.previous.at_usec = 0;
		check(worst().reading.value, UNKNOWN);
		assert_false(worst().subject.has_listener);
	}
}

/* Of two that are flooded, the one with more. */
static void test_most_flooded(TW_UNUSED void **state)
{
	rule.metric = TW_METRIC_SYN_COOKIES;
	sample.previous.at_usec = S;
	sample.gauge.at_usec = 2 * S;
	sample.gauge.counters[TW_COUNTER_SYN_COOKIES].known = true;
	sample.previous.counters[TW_COUNTER_SYN_COOKIES].known = true;
	sample.accepting.at_usec = 5 * S;
	sample.accepting.listeners = sample.accepting.row_count = 2;
	sample.accepting.rows[0] = (struct tw_listener_row){ .address.port = 80, .backlog = 4, .syn_recv = 5 };
	sample.accepting.rows[1] = (struct tw_listener_row){ .address.port = 81, .backlog = 64, .syn_recv = 64 };
	assert_int_equal(worst().subject.listener.port, 81);
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

/* Each listener within the scope is a subject. */
static void test_listeners(TW_UNUSED void **state)
{
	static const struct {
		const char *listener; /* NULL: unscoped */
		uint16_t port;
		unsigned count;
		int row[5]; /* which they are */
		int64_t milli[5];
		int worst; /* -1: none */
		int64_t value;
	} rows[] = {
		{ NULL, 0, 5, { 0, 1, 2, 3, 4 }, { 25000, 50000, 0, 100000, 101000 }, 4, 101000 },
		{ "0.0.0.0", 80, 3, { 0, 1, 2 }, { 25000, 50000, 0 }, 1, 50000 },
		{ "::", 80, 3, { 0, 1, 2 }, { 25000, 50000, 0 }, 1, 50000 },
		{ "10.0.0.1", 80, 1, { 0 }, { 25000 }, 0, 25000 },
		{ "10.0.0.2", 80, 1, { 1 }, { 50000 }, 1, 50000 },
		{ "10.0.0.3", 80, 0, { 0 }, { 0 }, -1, 0 },
		{ "0.0.0.0", 81, 1, { 3 }, { 100000 }, 3, 100000 }, /* no backlog: room for one */
		{ "0.0.0.0", 82, 0, { 0 }, { 0 }, -1, 0 },
		{ "0.0.0.0", 443, 1, { 4 }, { 101000 }, 4, 101000 },
	};

	add_listener("10.0.0.1", 80, 1, 4);
	add_listener("10.0.0.2", 80, 2, 4);
	add_listener("::", 80, 0, 4);
	add_listener("::", 81, 1, 0);
	add_listener("::", 443, 101, 100);
	rule.metric = TW_METRIC_ACCEPT_QUEUE;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		unsigned cursor = 0;
		struct tw_reading_row row;

		rule.scope.has_listener = rows[i].listener;
		if (rows[i].listener)
			rule.scope.listener = address(rows[i].listener);
		rule.scope.listener_port = rows[i].port;
		for (unsigned k = 0; k < rows[i].count; k++) {
			const struct tw_listener_row *of = &sample.accepting.rows[rows[i].row[k]];

			assert_true(nth(cursor++, &row));
			assert_true(row.subject.has_listener);
			assert_memory_equal(&row.subject.listener, &of->address, sizeof(of->address));
			check(row.reading.value, rows[i].milli[k]);
			check(row.reading.pressure, rows[i].milli[k]);
			assert_int_equal(row.reading.at_usec, 5 * S);
			assert_false(row.reading.confirmed);
		}
		assert_false(nth(cursor++, &row));
		row = worst();
		check(row.reading.value, rows[i].value);
		assert_int_equal(row.subject.has_listener, rows[i].worst >= 0);
		if (rows[i].worst >= 0)
			assert_memory_equal(&row.subject.listener, &sample.accepting.rows[rows[i].worst].address,
					    sizeof(row.subject.listener));
	}
	sample.accepting.partial = true;
	check(worst().reading.value, UNKNOWN);
	sample.accepting.partial = false;
	sample.accepting.at_usec = 0;
	check(worst().reading.value, UNKNOWN);
}

/* One figure without a listener: of a machine that has none, or read back from a record. */
static void test_no_listener(TW_UNUSED void **state)
{
	unsigned cursor = 0;
	struct tw_reading_row row;

	rule.metric = TW_METRIC_ACCEPT_QUEUE;
	sample.accepting.at_usec = 5 * S;
	check(worst().reading.value, UNKNOWN);
	assert_false(tw_reading_known(&sample, &rule));
	sample.accepting.accept_queue = tw_value_of(77000);
	assert_true(nth(cursor++, &row));
	assert_false(row.subject.has_listener);
	check(row.reading.value, 77000);
	check(row.reading.pressure, 77000);
	assert_false(nth(cursor++, &row));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_listener_behind_a_counter, clear),
		cmocka_unit_test_setup(test_most_flooded, clear),
		cmocka_unit_test_setup(test_listeners, clear),
		cmocka_unit_test_setup(test_no_listener, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
