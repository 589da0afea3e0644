/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/proof.h"

#include "base/macros.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define UNKNOWN (-1)
/* A tunable by counter (time-wait-reused) and metric (port-use), by a metric alone (fin-wait-2), and one by nothing. */
#define BOTH TW_TUNABLE_TW_REUSE
#define METRIC TW_TUNABLE_FIN_TIMEOUT
#define NEITHER TW_TUNABLE_KEEPALIVE_TIME

/* Large: not for the stack of each test. */
static struct tw_sample sample;
static struct tw_rule_settings rule;
static struct tw_proof proof;

static int clear(TW_UNUSED void **state)
{
	memset(&sample, 0, sizeof(sample));
	tw_rule_settings_init(&rule);
	rule.cooldown_usec = 600 * S;
	tw_proof_init(&proof);
	return 0;
}

/* The evidence of all of them, measured at one time. */
static void measure(unsigned at, int64_t counter, int64_t metric_milli)
{
	struct tw_count count = { counter == UNKNOWN ? 0 : (uint64_t)counter, counter != UNKNOWN };

	sample.gauge.at_usec = at * S;
	sample.gauge.counters[TW_COUNTER_TIME_WAIT_REUSED] = count;
	sample.survey.at_usec = at * S;
	sample.survey.port_use = (struct tw_value){ metric_milli, metric_milli != UNKNOWN };
	sample.census.at_usec = at * S;
	sample.census.count[TW_STATE_FIN_WAIT_2] = metric_milli == UNKNOWN ? 0 : (uint64_t)metric_milli;
	sample.census.known[TW_STATE_FIN_WAIT_2] = metric_milli != UNKNOWN;
}

static void measure_fin_wait_2(unsigned at, uint64_t count)
{
	sample.census.at_usec = at * S;
	sample.census.count[TW_STATE_FIN_WAIT_2] = count;
	sample.census.known[TW_STATE_FIN_WAIT_2] = true;
}

static enum tw_proof_edge step_at(enum tw_tunable tunable, int64_t value, unsigned at)
{
	const struct tw_tunable_value number = { { value } };

	return tw_proof_step(&proof, tunable, value == UNKNOWN ? NULL : &number, value == UNKNOWN ? NULL : &rule,
			     30 * S, &sample, at * S);
}

/* In force at 100 s, looked at 30 s later. */
static void test_verdicts(TW_UNUSED void **state)
{
	static const struct {
		enum tw_tunable tunable;
		int64_t counter_before, counter_after, metric_before, metric_after;
		enum tw_proof_edge edge;
		enum tw_proof_state state;
	} rows[] = {
		{ BOTH, 0, 5210, 52700, 52900, TW_PROOF_EDGE_HELPED, TW_PROOF_PROVED },
		{ BOTH, 7, 8, 52700, 52900, TW_PROOF_EDGE_HELPED, TW_PROOF_PROVED },
		{ BOTH, 7, 7, 50000, 45000, TW_PROOF_EDGE_HELPED, TW_PROOF_PROVED }, /* by a tenth */
		{ BOTH, 7, 7, 50000, 45001, TW_PROOF_EDGE_NO_DIFFERENCE, TW_PROOF_RESTING },
		{ BOTH, 7, 7, 50000, 50000, TW_PROOF_EDGE_NO_DIFFERENCE, TW_PROOF_RESTING },
		{ BOTH, 7, 3, 50000, 50000, TW_PROOF_EDGE_NO_DIFFERENCE, TW_PROOF_RESTING },
		{ BOTH, 7, 7, 0, 0, TW_PROOF_EDGE_NO_DIFFERENCE, TW_PROOF_RESTING }, /* by the counter alone */
		{ BOTH, 7, 7, UNKNOWN, 100, TW_PROOF_EDGE_NO_DIFFERENCE, TW_PROOF_RESTING },
		{ BOTH, 7, 3, 0, 0, TW_PROOF_NO_EDGE, TW_PROOF_PROVED }, /* made anew: nothing to tell by */
		{ BOTH, 7, UNKNOWN, UNKNOWN, 0, TW_PROOF_NO_EDGE, TW_PROOF_PROVED },
		{ BOTH, 7, 7, 50000, UNKNOWN, TW_PROOF_NO_EDGE, TW_PROOF_WAITING }, /* the next survey may tell */
		{ BOTH, 7, 8, 50000, UNKNOWN, TW_PROOF_EDGE_HELPED, TW_PROOF_PROVED },
		{ BOTH, UNKNOWN, 9, 50000, 50000, TW_PROOF_EDGE_NO_DIFFERENCE, TW_PROOF_RESTING },
		{ BOTH, UNKNOWN, 9, 50000, 100, TW_PROOF_EDGE_HELPED, TW_PROOF_PROVED },
		{ METRIC, 0, 99, 50000, 50000, TW_PROOF_EDGE_NO_DIFFERENCE, TW_PROOF_RESTING },
		{ METRIC, 0, 0, 50000, 20000, TW_PROOF_EDGE_HELPED, TW_PROOF_PROVED },
		{ METRIC, 0, 0, 1, 0, TW_PROOF_EDGE_HELPED, TW_PROOF_PROVED },
		{ METRIC, 0, 0, INT64_MAX, INT64_MAX, TW_PROOF_EDGE_NO_DIFFERENCE, TW_PROOF_RESTING },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		enum tw_proof_edge edge;

		(void)clear(NULL);
		measure(100, rows[i].counter_before, rows[i].metric_before);
		assert_int_equal(step_at(rows[i].tunable, 1, 100), TW_PROOF_NO_EDGE);
		assert_int_equal(proof.state, TW_PROOF_WAITING);
		measure(129, rows[i].counter_after, rows[i].metric_after);
		assert_int_equal(step_at(rows[i].tunable, 1, 129), TW_PROOF_NO_EDGE);
		assert_int_equal(proof.state, TW_PROOF_WAITING);
		measure(130, rows[i].counter_after, rows[i].metric_after);
		edge = step_at(rows[i].tunable, 1, 130);
		if (edge != rows[i].edge || proof.state != rows[i].state)
			fail_msg("row %zu: edge %d, state %d", i, edge, proof.state);
		/* And never a second time. */
		assert_int_equal(step_at(rows[i].tunable, 1, 131), TW_PROOF_NO_EDGE);
	}
}

static void test_nothing_to_prove(TW_UNUSED void **state)
{
	static const struct {
		enum tw_tunable tunable;
		int64_t counter, metric;
		bool proof;
	} rows[] = {
		{ NEITHER, 1, 50000, true }, { BOTH, UNKNOWN, UNKNOWN, true }, { BOTH, UNKNOWN, 0, true },
		{ METRIC, 1, 0, true },	     { METRIC, 1, UNKNOWN, true },     { BOTH, 1, 50000, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		rule.proof = rows[i].proof;
		measure(100, rows[i].counter, rows[i].metric);
		assert_int_equal(step_at(rows[i].tunable, 1, 100), TW_PROOF_NO_EDGE);
		assert_int_equal(proof.state, TW_PROOF_PROVED);
		measure(200, rows[i].counter, rows[i].metric);
		assert_int_equal(step_at(rows[i].tunable, 1, 200), TW_PROOF_NO_EDGE);
		assert_int_equal(step_at(rows[i].tunable, UNKNOWN, 201), TW_PROOF_NO_EDGE);
		assert_int_equal(proof.state, TW_PROOF_IDLE);
	}
}

/* proof-after is 30 s: sockets in FIN-WAIT-2 of before the change are there until their own time is over. */
static void test_old_sockets_run_out(TW_UNUSED void **state)
{
	static const struct {
		int64_t old; /* s; UNKNOWN */
		unsigned due;
	} rows[] = { { 60, 160 }, { 61, 161 },	    { 12, 130 },	{ 0, 130 },
		     { -5, 130 }, { UNKNOWN, 130 }, { INT64_MAX, 3700 } };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		sample.gauge.sysctls[TW_TUNABLE_FIN_TIMEOUT] =
			(struct tw_live_value){ { { rows[i].old } }, rows[i].old != UNKNOWN };
		measure_fin_wait_2(100, 9000);
		assert_int_equal(step_at(TW_TUNABLE_FIN_TIMEOUT, 15, 100), TW_PROOF_NO_EDGE);
		sample.gauge.sysctls[TW_TUNABLE_FIN_TIMEOUT] = (struct tw_live_value){ { { 15 } }, true };
		/* What comes meanwhile stands beside what was there before. */
		measure_fin_wait_2(rows[i].due - 1, 13500);
		assert_int_equal(step_at(TW_TUNABLE_FIN_TIMEOUT, 15, rows[i].due - 1), TW_PROOF_NO_EDGE);
		assert_int_equal(step_at(TW_TUNABLE_FIN_TIMEOUT, 15, rows[i].due), TW_PROOF_NO_EDGE);
		measure_fin_wait_2(rows[i].due, 4500);
		assert_int_equal(step_at(TW_TUNABLE_FIN_TIMEOUT, 15, rows[i].due), TW_PROOF_EDGE_HELPED);
	}
}

/* A survey from before proof-after has passed is waited out, however late the next one comes. */
static void test_old_metric_proves_nothing(TW_UNUSED void **state)
{
	measure(100, 7, 50000);
	(void)step_at(METRIC, 1, 100);
	measure(129, 7, 100);
	assert_int_equal(step_at(METRIC, 1, 130), TW_PROOF_NO_EDGE);
	assert_int_equal(step_at(METRIC, 1, 500), TW_PROOF_NO_EDGE);
	assert_int_equal(proof.state, TW_PROOF_WAITING);
	measure(130, 7, 50000);
	assert_int_equal(step_at(METRIC, 1, 501), TW_PROOF_EDGE_NO_DIFFERENCE);
}

static void test_rest(TW_UNUSED void **state)
{
	usec_t left = 0;

	measure(100, 7, 50000);
	(void)step_at(BOTH, 1, 100);
	assert_false(tw_proof_rests(&proof, 100 * S, &left));
	measure(130, 7, 50000);
	assert_int_equal(step_at(BOTH, 1, 130), TW_PROOF_EDGE_NO_DIFFERENCE);
	/* Still in force for a moment, then put back: it rests either way. */
	assert_int_equal(step_at(BOTH, 1, 131), TW_PROOF_NO_EDGE);
	assert_int_equal(step_at(BOTH, UNKNOWN, 132), TW_PROOF_NO_EDGE);
	assert_int_equal(proof.state, TW_PROOF_RESTING);
	assert_true(tw_proof_rests(&proof, 729 * S, &left));
	assert_int_equal(left, 1 * S);
	assert_false(tw_proof_rests(&proof, 730 * S, &left));
	assert_int_equal(step_at(BOTH, UNKNOWN, 729), TW_PROOF_NO_EDGE);
	assert_int_equal(proof.state, TW_PROOF_RESTING);
	/* Rested: the proof begins anew. */
	measure(730, 7, 50000);
	assert_int_equal(step_at(BOTH, 1, 730), TW_PROOF_NO_EDGE);
	assert_int_equal(proof.state, TW_PROOF_WAITING);
	assert_int_equal(proof.since_usec, 730 * S);
	measure(760, 8, 50000);
	assert_int_equal(step_at(BOTH, 1, 760), TW_PROOF_EDGE_HELPED);
}

static void test_rest_ends_idle(TW_UNUSED void **state)
{
	measure(100, 7, 50000);
	(void)step_at(BOTH, 1, 100);
	measure(130, 7, 50000);
	(void)step_at(BOTH, 1, 130);
	(void)step_at(BOTH, UNKNOWN, 730);
	assert_int_equal(proof.state, TW_PROOF_IDLE);
}

/* It would be put back and made again for ever: so it stays, and is told once. */
static void test_no_cooldown(TW_UNUSED void **state)
{
	rule.cooldown_usec = 0;
	measure(100, 7, 50000);
	(void)step_at(BOTH, 1, 100);
	measure(130, 7, 50000);
	assert_int_equal(step_at(BOTH, 1, 130), TW_PROOF_EDGE_NO_DIFFERENCE);
	assert_int_equal(proof.state, TW_PROOF_PROVED);
	measure(900, 7, 50000);
	assert_int_equal(step_at(BOTH, 1, 900), TW_PROOF_NO_EDGE);
}

/* Whatever the state, another value in force is another change. */
static void test_another_value(TW_UNUSED void **state)
{
	measure(100, 7, 50000);
	(void)step_at(BOTH, 1, 100);
	measure(120, 9, 50000);
	(void)step_at(BOTH, 2, 120); /* waiting */
	assert_int_equal(proof.before.counter.value, 9);
	measure(130, 9, 50000);
	assert_int_equal(step_at(BOTH, 2, 130), TW_PROOF_NO_EDGE);
	measure(150, 9, 50000);
	assert_int_equal(step_at(BOTH, 2, 150), TW_PROOF_EDGE_NO_DIFFERENCE);
	(void)step_at(BOTH, 1, 151); /* resting */
	assert_int_equal(proof.state, TW_PROOF_WAITING);
	measure(181, 10, 50000);
	assert_int_equal(step_at(BOTH, 1, 181), TW_PROOF_EDGE_HELPED);
	(void)step_at(BOTH, 2, 182); /* proved */
	assert_int_equal(proof.state, TW_PROOF_WAITING);
}

static void test_taken_away(TW_UNUSED void **state)
{
	measure(100, 7, 50000);
	(void)step_at(BOTH, 1, 100);
	assert_int_equal(step_at(BOTH, UNKNOWN, 110), TW_PROOF_NO_EDGE);
	assert_int_equal(proof.state, TW_PROOF_IDLE);
	measure(130, 7, 50000);
	assert_int_equal(step_at(BOTH, 1, 130), TW_PROOF_NO_EDGE);
	assert_int_equal(proof.since_usec, 130 * S);
}

/* Switched off while it waits. */
static void test_proof_off(TW_UNUSED void **state)
{
	measure(100, 7, 50000);
	(void)step_at(BOTH, 1, 100);
	rule.proof = false;
	measure(130, 7, 50000);
	assert_int_equal(step_at(BOTH, 1, 130), TW_PROOF_NO_EDGE);
	assert_int_equal(proof.state, TW_PROOF_PROVED);
}

static void test_explain(TW_UNUSED void **state)
{
	static const struct {
		enum tw_tunable tunable;
		int64_t counter_before, counter_after, metric_before, metric_after;
		unsigned survey_at;
		const char *text;
	} rows[] = {
		{ BOTH, 0, 5210, 52700, 52900, 130, "time-wait-reused 0 -> 5210, port-use 52.7% -> 52.9%" },
		{ BOTH, 0, 5210, 52700, 52900, 100, "time-wait-reused 0 -> 5210" }, /* no survey since */
		{ BOTH, 0, 5210, 52700, UNKNOWN, 130, "time-wait-reused 0 -> 5210" },
		{ BOTH, UNKNOWN, 1, 52700, 0, 130, "port-use 52.7% -> 0%" },
		{ METRIC, 0, 5210, 52700, 22900, 130, "fin-wait-2 52700 -> 22900" },
		{ NEITHER, 0, 5210, 52700, 22900, 130, "" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		char bytes[128];
		struct tw_text text;

		(void)clear(NULL);
		measure(100, rows[i].counter_before, rows[i].metric_before);
		(void)step_at(rows[i].tunable, 1, 100);
		measure(130, rows[i].counter_after, rows[i].metric_after);
		sample.survey.at_usec = rows[i].survey_at * S;
		tw_text_init(&text, bytes, sizeof(bytes));
		tw_proof_explain(&proof, rows[i].tunable, &sample, &text);
		assert_string_equal(bytes, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_verdicts, clear),
		cmocka_unit_test_setup(test_nothing_to_prove, clear),
		cmocka_unit_test_setup(test_old_metric_proves_nothing, clear),
		cmocka_unit_test_setup(test_old_sockets_run_out, clear),
		cmocka_unit_test_setup(test_rest, clear),
		cmocka_unit_test_setup(test_rest_ends_idle, clear),
		cmocka_unit_test_setup(test_no_cooldown, clear),
		cmocka_unit_test_setup(test_another_value, clear),
		cmocka_unit_test_setup(test_taken_away, clear),
		cmocka_unit_test_setup(test_proof_off, clear),
		cmocka_unit_test_setup(test_explain, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
