/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a change helps beside who holds ports for all: apart from test-gate.c for its length. */
#include "gate-fixture.h"

static const struct tw_subject binder = { .has_binder = true, .holds_for_all = true };

static const struct tw_destination_row *other_for(const struct tw_subject *subject, enum tw_tunable tunable,
						  int64_t number)
{
	const struct tw_tunable_value value = { { number } };

	return tw_gate_other(tunable, &value, &sample, subject);
}

static bool helps(void)
{
	return other_for(&binder, TW_TUNABLE_TW_REUSE, 1);
}

/* Of a thousand ports: so many are blocked for all, the destination has a tenth of the others or more, none is left. */
static void test_who_is_left_hardly_any(TW_UNUSED void **state)
{
	static const struct {
		uint32_t exclusive, ports, waiting;
		bool helps;
	} rows[] = {
		{ 980, 20, 20, true },	 { 980, 20, 2, true },	  { 980, 20, 1, false },
		{ 975, 20, 20, true },	 { 975, 19, 19, false }, /* some are free */
		{ 1000, 1, 1, true },	 { 1000, 1, 0, false },	  { 999, 40, 1, true },
		{ 500, 500, 50, true },	 { 500, 500, 49, false }, /* nearly all that it holds lives */
		{ 0, 1000, 1000, true },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		add_row("10.0.0.1", "10.0.0.2", rows[i].ports, rows[i].waiting, TW_HOLDER_ESTABLISHED);
		set_exclusive(rows[i].exclusive, rows[i].exclusive);
		if (helps() != rows[i].helps)
			fail_msg("row %zu", i);
	}
}

/* What speaks against it, one by one. */
static void test_not_where(TW_UNUSED void **state)
{
	struct tw_subject destination;
	struct tw_destination_row *row = add_row("10.0.0.1", "10.0.0.2", 20, 20, TW_HOLDER_TIME_WAIT);

	set_exclusive(980, 980);
	destination = subject_of(row);
	assert_ptr_equal(other_for(&binder, TW_TUNABLE_TW_REUSE, 1), row);
	assert_null(other_for(&binder, TW_TUNABLE_TW_REUSE, 0));
	assert_null(other_for(&binder, TW_TUNABLE_TW_REUSE, 2)); /* loopback alone */
	assert_null(other_for(&binder, TW_TUNABLE_FIN_TIMEOUT, 1));
	assert_null(other_for(&binder, TW_TUNABLE_AUTOBIND_REUSE, 1));
	assert_null(other_for(&destination, TW_TUNABLE_TW_REUSE, 1));
	assert_null(other_for(NULL, TW_TUNABLE_TW_REUSE, 1));
	row->reuse_refuted = true;
	assert_false(helps());
	row->reuse_refuted = false;
	row->bound_first = 1;
	assert_false(helps());
	row->bound_first = 0;
	row->bound_first_known = false;
	assert_false(helps());
	row->bound_first_known = true;
	set_live(TW_TUNABLE_TIMESTAMPS, 0);
	assert_false(helps());
	set_live(TW_TUNABLE_TIMESTAMPS, 1);
	sample.survey.partial = true;
	assert_false(helps());
	sample.survey.partial = false;
	row->key.destination = address("127.0.0.1");
	set_live(TW_TUNABLE_TW_REUSE, 2);
	assert_false(helps()); /* it has it already */
	set_live(TW_TUNABLE_TW_REUSE, 0);
	assert_true(helps());
	/* Another is not blamed for that: to who holds them it is no help. */
	assert_int_equal(
		tw_gate_check(TW_TUNABLE_TW_REUSE, &(struct tw_tunable_value){ { 1 } }, &sample, &binder, false),
		TW_GATE_BOUND_FIRST);
}

/* The one with most of them is named. */
static void test_in_words(TW_UNUSED void **state)
{
	struct tw_subject idle = { .holds_for_all = true };
	char reason[TW_REASON_MAX], advice[TW_REASON_MAX];
	struct tw_text reason_text, advice_text;

	add_row("10.0.0.1", "10.0.0.2", 40, 10, TW_HOLDER_ESTABLISHED);
	add_row("10.0.0.1", "10.0.0.3", 30, 30, TW_HOLDER_TIME_WAIT);
	set_exclusive(980, 480);
	sample.survey.binder_count = 1;
	tw_text_init(&reason_text, reason, sizeof(reason));
	tw_text_init(&advice_text, advice, sizeof(advice));
	tw_gate_explain(TW_GATE_BOUND_FIRST, TW_TUNABLE_TW_REUSE, &sample, &binder, &reason_text, &advice_text);
	assert_string_equal(reason,
			    "480 of 1000 ports were taken by bind() before connect(), from 10.0.0.1: such a port "
			    "is blocked for every destination, and for every other program that connects without "
			    "bind(); net.ipv4.tcp_tw_reuse does not change that; 1 gives back the 30 in TIME-WAIT "
			    "towards 10.0.0.3:8080 alone");
	tw_text_init(&reason_text, reason, sizeof(reason));
	tw_gate_explain(TW_GATE_HELD_BOUND, TW_TUNABLE_TW_REUSE, &sample, &idle, &reason_text, &advice_text);
	assert_string_equal(reason,
			    "500 of 1000 ports are held by sockets that listen or are bound, not connected: for "
			    "every destination; 1 gives back the 30 in TIME-WAIT towards 10.0.0.3:8080 alone");
}

/* A rule that could set it is of use to such an alert: it keeps its severity. */
static void test_any_open(TW_UNUSED void **state)
{
	static const struct tw_in_force in_force;
	struct tw_rule_settings rule = {
		.gate = true,
		.action_count = 1,
		.actions = { { .kind = TW_ACTION_SET, .tunable = TW_TUNABLE_TW_REUSE, .value.numbers[0] = 1 } },
	};
	struct tw_destination_row *row = add_row("10.0.0.1", "10.0.0.2", 20, 20, TW_HOLDER_TIME_WAIT);

	set_exclusive(980, 980);
	assert_true(tw_gate_any_open(&rule, &sample, &binder, &in_force));
	row->reuse_refuted = true;
	assert_false(tw_gate_any_open(&rule, &sample, &binder, &in_force));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_who_is_left_hardly_any, clear),
		cmocka_unit_test_setup(test_not_where, clear),
		cmocka_unit_test_setup(test_in_words, clear),
		cmocka_unit_test_setup(test_any_open, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
