/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom others leave nothing but its own TIME-WAIT: apart from test-gate.c for its length. */
#include "gate-fixture.h"

static const struct tw_subject binder = { .has_binder = true, .holds_for_all = true };
static const struct tw_tunable_value on = { { 1 } };

static bool is_left(void)
{
	return tw_gate_left_waiting(&sample);
}

/* Of a thousand ports: so many are blocked for all, the destination has a tenth of the others or more, none is left. */
static void test_who_is_left_nothing(TW_UNUSED void **state)
{
	static const struct {
		uint32_t exclusive, ports, waiting;
		bool left;
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
		if (is_left() != rows[i].left)
			fail_msg("row %zu", i);
	}
}

/* What speaks against it, one by one. */
static void test_not_where(TW_UNUSED void **state)
{
	struct tw_destination_row *row = add_row("10.0.0.1", "10.0.0.2", 20, 20, TW_HOLDER_TIME_WAIT);

	set_exclusive(980, 980);
	assert_ptr_equal(tw_gate_left_waiting(&sample), row);
	row->reuse_refuted = true;
	assert_false(is_left());
	row->reuse_refuted = false;
	row->bound_first = 1;
	assert_false(is_left());
	row->bound_first = 0;
	row->bound_first_known = false;
	assert_false(is_left());
	row->bound_first_known = true;
	set_live(TW_TUNABLE_TIMESTAMPS, 0);
	assert_false(is_left());
	set_live(TW_TUNABLE_TIMESTAMPS, 1);
	sample.survey.partial = true;
	assert_false(is_left());
	sample.survey.partial = false;
	set_live(TW_TUNABLE_TW_REUSE, 1);
	assert_false(is_left()); /* it has it already */
	set_live(TW_TUNABLE_TW_REUSE, 2);
	assert_true(is_left());
	row->key.destination = address("127.0.0.1");
	assert_false(is_left());
}

/* For who holds them the change does nothing, and it is refused; for the destination itself it is not. */
static void test_its_own_alert(TW_UNUSED void **state)
{
	struct tw_destination_row *row = add_row("10.0.0.1", "10.0.0.2", 15, 3, TW_HOLDER_ESTABLISHED);
	struct tw_subject destination = subject_of(row);

	set_exclusive(984, 984);
	row->held[TW_HOLDER_TIME_WAIT] = 10;
	row->held[TW_HOLDER_ESTABLISHED] = 5;
	assert_int_equal(tw_gate_check(TW_TUNABLE_TW_REUSE, &on, &sample, &destination, false), TW_GATE_OPEN);
	assert_int_equal(tw_gate_check(TW_TUNABLE_TW_REUSE, &on, &sample, &binder, false), TW_GATE_BOUND_FIRST);
	/* While there are others to take, what it has in TIME-WAIT is not what it is short of. */
	set_exclusive(970, 970);
	assert_int_equal(tw_gate_check(TW_TUNABLE_TW_REUSE, &on, &sample, &destination, false), TW_GATE_BOUND_FIRST);
}

/* It is news once, when it begins: not when it ends, nor when it comes again. */
static void test_told_once(TW_UNUSED void **state)
{
	int before, now;

	add_row("10.0.0.1", "10.0.0.2", 20, 20, TW_HOLDER_TIME_WAIT);
	set_exclusive(900, 900);
	before = tw_gate_told(TW_GATE_BOUND_FIRST, &sample, &binder);
	set_exclusive(980, 980);
	now = tw_gate_told(TW_GATE_BOUND_FIRST, &sample, &binder);
	assert_false(tw_gate_is_told(before, now));
	assert_true(tw_gate_is_told(now, now) && tw_gate_is_told(now, before) && tw_gate_is_told(before, before));
	assert_false(tw_gate_is_told(now, tw_gate_told(TW_GATE_HELD_BOUND, &sample, &binder)));
	assert_false(tw_gate_is_told(now, TW_GATE_HELD_BOUND));
	/* Of no other verdict, and of no other subject. */
	assert_int_equal(tw_gate_told(TW_GATE_ALREADY, &sample, &binder), TW_GATE_ALREADY);
	assert_int_equal(tw_gate_told(TW_GATE_BOUND_FIRST, &sample, &nobody), TW_GATE_BOUND_FIRST);
}

#define LEFT                                                                                                   \
	"; to 10.0.0.3:8080 net.ipv4.tcp_tw_reuse would give back its 30 ports in TIME-WAIT: a rule for that " \
	"destination can set it"

/* The one with most of them is named, where it is said who holds ports for all. */
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
			    "is blocked for every destination, and for every other program that connects "
			    "without bind(); net.ipv4.tcp_tw_reuse does not change that" LEFT);
	tw_text_init(&reason_text, reason, sizeof(reason));
	tw_gate_explain(TW_GATE_HELD_BOUND, TW_TUNABLE_TW_REUSE, &sample, &idle, &reason_text, &advice_text);
	assert_string_equal(reason,
			    "500 of 1000 ports are held by sockets that listen or are bound, not connected: for "
			    "every destination" LEFT);
	tw_text_init(&reason_text, reason, sizeof(reason));
	tw_gate_explain(TW_GATE_HELD_BOUND, TW_TUNABLE_TW_REUSE, &sample, &nobody, &reason_text, &advice_text);
	assert_null(strstr(reason, "10.0.0.3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_who_is_left_nothing, clear),
		cmocka_unit_test_setup(test_not_where, clear),
		cmocka_unit_test_setup(test_its_own_alert, clear),
		cmocka_unit_test_setup(test_told_once, clear),
		cmocka_unit_test_setup(test_in_words, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
