/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/gate.h"

#include "base/macros.h"
#include "base/text.h"
#include "model/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define UNKNOWN (-1)

/* Large: not for the stack of each test. */
static struct tw_sample sample;

static int clear(TW_UNUSED void **state)
{
	memset(&sample, 0, sizeof(sample));
	return 0;
}

static void set_live(enum tw_tunable tunable, int64_t number)
{
	sample.gauge.at_usec = 2 * S;
	sample.gauge.sysctls[tunable] = (struct tw_live_value){ { { number } }, number != UNKNOWN };
}

/* So many a second. */
static void set_rate(enum tw_counter counter, int rate)
{
	sample.previous.at_usec = S;
	sample.gauge.at_usec = 2 * S;
	sample.previous.counters[counter] = (struct tw_count){ 7, rate != UNKNOWN };
	sample.gauge.counters[counter] = (struct tw_count){ 7 + (uint64_t)(rate + (rate == UNKNOWN)), true };
}

static void set_count(enum tw_state state, int64_t count)
{
	sample.census.at_usec = S;
	sample.census.known[state] = count != UNKNOWN;
	sample.census.count[state] = count == UNKNOWN ? 0 : (uint64_t)count;
}

static struct tw_address address(const char *text)
{
	struct tw_address parsed = { 0 };

	assert_int_equal(tw_address_parse(text, strlen(text), &parsed), 0);
	return parsed;
}

static void set_destination(const char *source, const char *destination, uint32_t ports, uint32_t time_wait,
			    uint32_t bound)
{
	struct tw_survey *survey = &sample.survey;

	survey->at_usec = S;
	survey->range_ports = 1000;
	survey->bound_ports = bound;
	survey->has_busiest = ports > 0;
	survey->destinations = survey->top_count = ports > 0;
	survey->top[0] = (struct tw_destination_row){
		.key = { .source = address(source), .destination = address(destination), .port = 8080 },
		.ports = ports,
		.time_wait = time_wait,
		.established = ports - time_wait,
	};
	survey->port_use = tw_value_percent(ports + bound, survey->range_ports);
}

static void set_sides(uint64_t time_wait, uint64_t accepting)
{
	sample.survey.time_wait = time_wait;
	sample.survey.accepting_time_wait = accepting;
}

static enum tw_gate_verdict check(enum tw_tunable tunable, int64_t number)
{
	const struct tw_tunable_value value = { { number } };

	return tw_gate_check(tunable, &value, &sample);
}

/* ---- tcp_tw_reuse */

static void test_reuse(TW_UNUSED void **state)
{
	static const struct {
		int64_t asked, live, timestamps;
		const char *source, *destination;
		uint32_t ports, time_wait, bound;
		enum tw_gate_verdict verdict;
	} rows[] = {
		{ 1, 2, 1, "10.0.0.1", "10.0.0.2", 500, 400, 0, TW_GATE_OPEN },
		{ 0, 0, 0, "10.0.0.1", "10.0.0.2", 1, 0, 900, TW_GATE_OPEN }, /* off needs no reason */
		{ 1, 1, 0, "10.0.0.1", "10.0.0.2", 500, 400, 0, TW_GATE_ALREADY },
		{ 2, 2, 1, "10.0.0.1", "10.0.0.2", 500, 400, 0, TW_GATE_ALREADY },
		{ 1, 2, 1, "127.0.0.1", "127.0.0.1", 500, 400, 0, TW_GATE_ALREADY },
		{ 1, 2, 1, "10.0.0.1", "::1", 500, 400, 0, TW_GATE_ALREADY },
		{ 1, 2, 1, "127.0.0.9", "10.0.0.2", 500, 400, 0, TW_GATE_ALREADY }, /* either end of it */
		{ 1, 0, 1, "127.0.0.1", "127.0.0.1", 500, 400, 0, TW_GATE_OPEN },
		{ 1, 0, 0, "10.0.0.1", "10.0.0.2", 500, 400, 0, TW_GATE_NO_TIMESTAMPS },
		{ 1, 0, 2, "10.0.0.1", "10.0.0.2", 500, 400, 0, TW_GATE_OPEN },
		{ 1, 0, UNKNOWN, "10.0.0.1", "10.0.0.2", 500, 400, 0, TW_GATE_OPEN },
		{ 1, UNKNOWN, 1, "10.0.0.1", "10.0.0.2", 500, 400, 0, TW_GATE_OPEN },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 199, 199, 0, TW_GATE_PORTS_FREE },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 200, 200, 0, TW_GATE_OPEN },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 0, 0, 0, TW_GATE_PORTS_FREE }, /* no destination at all */
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 0, 0, 200, TW_GATE_HELD_BOUND },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 300, 300, 300, TW_GATE_OPEN }, /* half is not more than half */
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 300, 300, 301, TW_GATE_HELD_BOUND },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 400, 100, 0, TW_GATE_OPEN },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 400, 99, 0, TW_GATE_HELD_ESTABLISHED },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 401, 100, 0, TW_GATE_HELD_ESTABLISHED },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		enum tw_gate_verdict verdict;

		(void)clear(NULL);
		set_live(TW_TUNABLE_TW_REUSE, rows[i].live);
		set_live(TW_TUNABLE_TIMESTAMPS, rows[i].timestamps);
		set_destination(rows[i].source, rows[i].destination, rows[i].ports, rows[i].time_wait, rows[i].bound);
		verdict = check(TW_TUNABLE_TW_REUSE, rows[i].asked);
		if (verdict != rows[i].verdict)
			fail_msg("row %zu: verdict %d, expected %d", i, verdict, rows[i].verdict);
	}
}

/* What is unknown never refuses: no survey, a partial one, one without a range. */
static void test_reuse_without_survey(TW_UNUSED void **state)
{
	assert_int_equal(check(TW_TUNABLE_TW_REUSE, 1), TW_GATE_OPEN);
	set_destination("10.0.0.1", "10.0.0.2", 10, 0, 0);
	assert_int_equal(check(TW_TUNABLE_TW_REUSE, 1), TW_GATE_PORTS_FREE);
	sample.survey.partial = true;
	assert_int_equal(check(TW_TUNABLE_TW_REUSE, 1), TW_GATE_OPEN);
	sample.survey.partial = false;
	sample.survey.at_usec = 0;
	assert_int_equal(check(TW_TUNABLE_TW_REUSE, 1), TW_GATE_OPEN);
	set_destination("127.0.0.1", "127.0.0.1", 500, 0, 0);
	set_live(TW_TUNABLE_TW_REUSE, 2);
	sample.survey.partial = true;
	assert_int_equal(check(TW_TUNABLE_TW_REUSE, 1), TW_GATE_OPEN);
	sample.survey = (struct tw_survey){ .at_usec = S };
	assert_int_equal(check(TW_TUNABLE_TW_REUSE, 1), TW_GATE_OPEN);
}

/* More than half of TIME-WAIT is not the connecting side's. */
static void test_server_side(TW_UNUSED void **state)
{
	static const struct {
		uint64_t time_wait, accepting;
		bool server_side;
	} rows[] = {
		{ 0, 0, false },    { 1, 0, false },	 { 1, 1, true },	  { 200, 100, false },
		{ 201, 101, true }, { 20000, 0, false }, { 20000, 10000, false }, { 20000, 10001, true },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		enum tw_gate_verdict expected = rows[i].server_side ? TW_GATE_SERVER_SIDE : TW_GATE_PORTS_FREE;

		(void)clear(NULL);
		set_destination("10.0.0.1", "10.0.0.2", 100, 100, 0);
		set_sides(rows[i].time_wait, rows[i].accepting);
		/* A census of another moment does not tell the sides. */
		set_count(TW_STATE_TIME_WAIT, i % 2 ? 20000 : UNKNOWN);
		if (check(TW_TUNABLE_TW_REUSE, 1) != expected)
			fail_msg("row %zu", i);
	}
}

/* ---- the others: a share in thousandths of a percent, or a count, and the rates; UNKNOWN never refuses */

static void test_buckets(TW_UNUSED void **state)
{
	static const struct {
		uint64_t time_wait; /* of 1000 */
		int64_t limit;
		int overflow;
		bool open;
	} rows[] = {
		{ 499, 1000, 0, false }, { 500, 1000, 0, true },     { 0, 1000, 1, true },
		{ 0, UNKNOWN, 0, true }, { 0, 1000, UNKNOWN, true }, { 0, 1000, 0, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		sample.gauge.time_wait = rows[i].time_wait;
		set_live(TW_TUNABLE_MAX_TW_BUCKETS, rows[i].limit);
		set_rate(TW_COUNTER_TIME_WAIT_OVERFLOW, rows[i].overflow);
		assert_int_equal(check(TW_TUNABLE_MAX_TW_BUCKETS, 2000),
				 rows[i].open ? TW_GATE_OPEN : TW_GATE_NO_OVERFLOW);
	}
}

static void test_fin_wait_2(TW_UNUSED void **state)
{
	static const struct {
		int64_t count;
		uint64_t mini;
		bool partial, open;
	} rows[] = {
		{ 0, 0, false, false }, { 1, 0, false, true },	     { 0, 1, false, true },
		{ 0, 0, true, true },	{ UNKNOWN, 0, false, true },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		set_count(TW_STATE_FIN_WAIT_2, rows[i].count);
		sample.census.mini_fin_wait_2 = rows[i].mini;
		sample.census.partial = rows[i].partial;
		assert_int_equal(check(TW_TUNABLE_FIN_TIMEOUT, 10),
				 rows[i].open ? TW_GATE_OPEN : TW_GATE_NO_FIN_WAIT_2);
	}
}

/* A sample that tells nothing opens every gate. */
static void test_unknown_is_open(TW_UNUSED void **state)
{
	for (int i = 0; i < TW_TUNABLE_COUNT; i++)
		assert_int_equal(check((enum tw_tunable)i, 1), TW_GATE_OPEN);
}

/* ---- the words */

static void fill_sample(void)
{
	set_live(TW_TUNABLE_TIMESTAMPS, 0);
	set_live(TW_TUNABLE_TW_REUSE, 1);
	set_live(TW_TUNABLE_MAX_TW_BUCKETS, 40000);
	sample.gauge.time_wait = 5000;
	set_destination("10.0.0.1", "10.0.0.2", 13000, 1000, 14000);
	sample.survey.range_ports = 28232;
	sample.survey.port_use = tw_value_of(12345);
	set_sides(21000, 20000);
}

static void test_words(TW_UNUSED void **state)
{
	static const struct {
		enum tw_gate_verdict verdict;
		enum tw_tunable tunable;
		const char *reason, *advice; /* the advice: how it begins */
	} rows[] = {
		{ TW_GATE_OPEN, TW_TUNABLE_TW_REUSE, "", "" },
		{ TW_GATE_NO_TIMESTAMPS, TW_TUNABLE_TW_REUSE,
		  "net.ipv4.tcp_tw_reuse would do nothing: it needs net.ipv4.tcp_timestamps, which is 0 here",
		  "turn net.ipv4.tcp_timestamps on (both ends need it)" },
		{ TW_GATE_ALREADY, TW_TUNABLE_TW_REUSE, "net.ipv4.tcp_tw_reuse is 1 already", "let the client pool" },
		{ TW_GATE_HELD_ESTABLISHED, TW_TUNABLE_TW_REUSE,
		  "12000 of 13000 ports towards 10.0.0.2:8080 are held by live connections, 7.7% by TIME-WAIT",
		  "let the client pool its connections, widen net.ipv4.ip_local_port_range, or add " },
		{ TW_GATE_HELD_BOUND, TW_TUNABLE_TW_REUSE,
		  "14000 of 27000 ports in use are held by sockets that are bound, not connected", "let the programs" },
		{ TW_GATE_SERVER_SIDE, TW_TUNABLE_TW_REUSE,
		  "20000 sockets are in TIME-WAIT on the accepting side, where they cost memory of about 5 MiB and no "
		  "port",
		  "no sysctl is needed; if the memory matters, let the clients close first" },
		{ TW_GATE_PORTS_FREE, TW_TUNABLE_TW_REUSE,
		  "no destination is short of ports: the busiest, 10.0.0.2:8080, uses 12.3% of 28232",
		  "no sysctl is needed" },
		{ TW_GATE_NO_OVERFLOW, TW_TUNABLE_MAX_TW_BUCKETS,
		  "TIME-WAIT is at 12.5% of net.ipv4.tcp_max_tw_buckets, and no connection is closed without it",
		  "no sysctl is needed" },
		{ TW_GATE_NO_FIN_WAIT_2, TW_TUNABLE_FIN_TIMEOUT,
		  "no socket is in FIN-WAIT-2, and net.ipv4.tcp_fin_timeout does not shorten TIME-WAIT: the kernel "
		  "keeps it for 60s",
		  "where TIME-WAIT holds ports" },
	};

	fill_sample();
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		char reason[TW_REASON_MAX], advice[TW_REASON_MAX];
		struct tw_text reason_text, advice_text;

		tw_text_init(&reason_text, reason, sizeof(reason));
		tw_text_init(&advice_text, advice, sizeof(advice));
		tw_gate_explain(rows[i].verdict, rows[i].tunable, &sample, &reason_text, &advice_text);
		assert_string_equal(reason, rows[i].reason);
		assert_memory_equal(advice, rows[i].advice, strlen(rows[i].advice));
		assert_int_equal(advice[0] == '\0', rows[i].verdict == TW_GATE_OPEN);
		assert_false(reason_text.cut || advice_text.cut);
	}
}

static void check_reason(enum tw_gate_verdict verdict, const char *expected)
{
	char reason[TW_REASON_MAX], advice[TW_REASON_MAX];
	struct tw_text reason_text, advice_text;

	tw_text_init(&reason_text, reason, sizeof(reason));
	tw_text_init(&advice_text, advice, sizeof(advice));
	tw_gate_explain(verdict, TW_TUNABLE_TW_REUSE, &sample, &reason_text, &advice_text);
	assert_string_equal(reason, expected);
}

static void test_special_words(TW_UNUSED void **state)
{
	set_live(TW_TUNABLE_TW_REUSE, 2);
	set_destination("127.0.0.1", "127.0.0.1", 500, 500, 0);
	check_reason(TW_GATE_ALREADY, "net.ipv4.tcp_tw_reuse is 2 already, which covers loopback, and the busiest "
				      "destination, 127.0.0.1 -> 127.0.0.1:8080, is there");
	set_destination("10.0.0.1", "10.0.0.2", 0, 0, 0);
	check_reason(TW_GATE_PORTS_FREE, "no destination is short of ports: in use are 0% of 1000");
	set_sides(100, 90);
	check_reason(TW_GATE_SERVER_SIDE, "90 sockets are in TIME-WAIT on the accepting side, where they cost memory "
					  "of less than 1 MiB and no port");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reuse, clear),
		cmocka_unit_test_setup(test_reuse_without_survey, clear),
		cmocka_unit_test_setup(test_server_side, clear),
		cmocka_unit_test_setup(test_buckets, clear),
		cmocka_unit_test_setup(test_fin_wait_2, clear),
		cmocka_unit_test_setup(test_unknown_is_open, clear),
		cmocka_unit_test_setup(test_words, clear),
		cmocka_unit_test_setup(test_special_words, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
