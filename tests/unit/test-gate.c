/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate-fixture.h"

static enum tw_gate_verdict check_for(enum tw_tunable tunable, int64_t number, const struct tw_subject *subject,
				      bool ours)
{
	const struct tw_tunable_value value = { { number } };

	return tw_gate_check(tunable, &value, &sample, subject, ours);
}

static enum tw_gate_verdict check(enum tw_tunable tunable, int64_t number)
{
	return check_for(tunable, number, &nobody, false);
}

static enum tw_gate_verdict reuse_for(const struct tw_destination_row *row, bool ours)
{
	const struct tw_subject subject = subject_of(row);

	return check_for(TW_TUNABLE_TW_REUSE, 1, &subject, ours);
}

/* ---- tcp_tw_reuse */

/* What is live, and where the ends are. */
static void test_reuse(TW_UNUSED void **state)
{
	static const struct {
		int64_t asked, live, timestamps;
		const char *source, *destination;
		uint32_t ports, time_wait;
		enum tw_gate_verdict verdict;
		bool ours;
	} rows[] = {
		{ 1, 2, 1, "10.0.0.1", "10.0.0.2", 500, 400, TW_GATE_OPEN, false },
		{ 0, 0, 0, "10.0.0.1", "10.0.0.2", 1, 0, TW_GATE_OPEN, false }, /* off needs no reason */
		{ 1, 1, 0, "10.0.0.1", "10.0.0.2", 500, 400, TW_GATE_ALREADY, false },
		{ 2, 2, 1, "10.0.0.1", "10.0.0.2", 500, 400, TW_GATE_ALREADY, false },
		{ 1, 2, 1, "127.0.0.1", "127.0.0.1", 500, 400, TW_GATE_ALREADY, false },
		{ 1, 2, 1, "10.0.0.1", "::1", 500, 400, TW_GATE_ALREADY, false },
		{ 1, 2, 1, "127.0.0.9", "10.0.0.2", 500, 400, TW_GATE_ALREADY, false }, /* either end of it */
		/* What is ours is gone as soon as nobody wants it: no reason to want it no more. */
		{ 1, 1, 1, "10.0.0.1", "10.0.0.2", 500, 400, TW_GATE_OPEN, true },
		{ 2, 2, 1, "127.0.0.1", "127.0.0.1", 500, 400, TW_GATE_OPEN, true },
		{ 1, 0, 1, "127.0.0.1", "127.0.0.1", 500, 400, TW_GATE_OPEN, false },
		{ 1, 0, 0, "10.0.0.1", "10.0.0.2", 500, 400, TW_GATE_NO_TIMESTAMPS, false },
		{ 1, 1, 0, "10.0.0.1", "10.0.0.2", 500, 400, TW_GATE_NO_TIMESTAMPS, true },
		{ 1, 0, 2, "10.0.0.1", "10.0.0.2", 500, 400, TW_GATE_OPEN, false },
		{ 1, 0, UNKNOWN, "10.0.0.1", "10.0.0.2", 500, 400, TW_GATE_OPEN, false },
		{ 1, UNKNOWN, 1, "10.0.0.1", "10.0.0.2", 500, 400, TW_GATE_OPEN, false },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 199, 199, TW_GATE_PORTS_FREE, false },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 200, 200, TW_GATE_OPEN, false },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 400, 100, TW_GATE_OPEN, false }, /* a quarter of it waits */
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 400, 99, TW_GATE_HELD_ESTABLISHED, false },
		{ 1, 0, 1, "10.0.0.1", "10.0.0.2", 401, 100, TW_GATE_HELD_ESTABLISHED, false },
		/* Who holds them says more than what is live already, and need more than both. */
		{ 1, 1, 0, "10.0.0.1", "10.0.0.2", 400, 99, TW_GATE_HELD_ESTABLISHED, false },
		{ 1, 1, 0, "10.0.0.1", "10.0.0.2", 199, 9, TW_GATE_PORTS_FREE, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		enum tw_gate_verdict verdict, busiest;
		struct tw_subject subject;

		(void)clear(NULL);
		set_live(TW_TUNABLE_TW_REUSE, rows[i].live);
		set_live(TW_TUNABLE_TIMESTAMPS, rows[i].timestamps);
		subject = subject_of(add_row(rows[i].source, rows[i].destination, rows[i].ports, rows[i].time_wait,
					     TW_HOLDER_ESTABLISHED));
		verdict = check_for(TW_TUNABLE_TW_REUSE, rows[i].asked, &subject, rows[i].ours);
		busiest = check_for(TW_TUNABLE_TW_REUSE, rows[i].asked, &nobody, rows[i].ours);
		if (verdict != rows[i].verdict || busiest != verdict)
			fail_msg("row %zu: verdict %d and %d, expected %d", i, verdict, busiest, rows[i].verdict);
	}
}

/* Each holder, first as the subject's own, then as that of a busier one, which is no reason. */
static void test_another_does_not_matter(TW_UNUSED void **state)
{
	static const struct {
		enum tw_holder holder;
		enum tw_gate_verdict verdict;
	} rows[] = {
		{ TW_HOLDER_TIME_WAIT, TW_GATE_OPEN },
		{ TW_HOLDER_ESTABLISHED, TW_GATE_HELD_ESTABLISHED },
		{ TW_HOLDER_SYN_SENT, TW_GATE_HELD_SYN_SENT },
		{ TW_HOLDER_FIN_WAIT_2_ORPHANED, TW_GATE_HELD_FIN_WAIT_2_ORPHANED },
		{ TW_HOLDER_FIN_WAIT_2, TW_GATE_HELD_FIN_WAIT_2 },
		{ TW_HOLDER_CLOSE_WAIT, TW_GATE_HELD_CLOSE_WAIT },
		{ TW_HOLDER_CLOSING, TW_GATE_HELD_CLOSING },
	};
	_Static_assert(TW_ARRAY_SIZE(rows) == TW_HOLDER_COUNT, "each holder");

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const struct tw_destination_row *busier, *own;

		(void)clear(NULL);
		busier = add_row("10.0.0.1", "10.0.0.2", 900, 100, rows[i].holder);
		own = add_row("10.0.0.1", "10.0.0.3", 400, 400, TW_HOLDER_TIME_WAIT);
		if (reuse_for(busier, false) != rows[i].verdict || check(TW_TUNABLE_TW_REUSE, 1) != rows[i].verdict ||
		    reuse_for(own, false) != TW_GATE_OPEN)
			fail_msg("row %zu", i);
	}
	/* A busier one on loopback is covered by 2, which is no reason either; nor is one that has no timestamps. */
	(void)clear(NULL);
	set_live(TW_TUNABLE_TW_REUSE, 2);
	assert_int_equal(reuse_for(add_row("127.0.0.1", "127.0.0.1", 900, 900, TW_HOLDER_TIME_WAIT), false),
			 TW_GATE_ALREADY);
	add_row("10.0.0.1", "10.0.0.2", 800, 800, TW_HOLDER_TIME_WAIT)->reuse_refuted = true;
	assert_int_equal(reuse_for(&sample.survey.top[1], false), TW_GATE_REFUTED);
	assert_int_equal(reuse_for(&sample.survey.top[1], true), TW_GATE_REFUTED);
	assert_int_equal(reuse_for(add_row("10.0.0.1", "10.0.0.3", 400, 400, TW_HOLDER_TIME_WAIT), false),
			 TW_GATE_OPEN);
	/* Nor that a busier one is short of ports a reason for one that is not. */
	assert_int_equal(reuse_for(add_row("10.0.0.1", "10.0.0.4", 199, 199, TW_HOLDER_TIME_WAIT), false),
			 TW_GATE_PORTS_FREE);
}

/* Ports that reuse makes free again are not blocked now: needed it is for what they would come to. */
static void test_needed_while_it_helps(TW_UNUSED void **state)
{
	struct tw_destination_row *row = add_row("10.0.0.1", "10.0.0.2", 500, 450, TW_HOLDER_ESTABLISHED);

	row->blocked = 50;
	row->port_use = tw_value_of(5000);
	assert_int_equal(reuse_for(row, true), TW_GATE_OPEN);
	row->blocked_baseline = 199;
	assert_int_equal(reuse_for(row, true), TW_GATE_PORTS_FREE);
	/* In force for another already: what raised this one is its demand. */
	set_live(TW_TUNABLE_TW_REUSE, 1);
	assert_int_equal(reuse_for(row, true), TW_GATE_OPEN);
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &nobody, true), TW_GATE_PORTS_FREE);
}

/* What is blocked for all, of which none is the destination's; or half of what it holds is bound first. */
static void test_exclusive(TW_UNUSED void **state)
{
	static const struct {
		uint32_t ports, bound_first, own_first;
		bool own_known;
		uint32_t exclusive;
		enum tw_gate_verdict verdict;
	} rows[] = {
		{ 300, 0, 0, true, 300, TW_GATE_OPEN }, /* half is not more than half */
		{ 79, 0, 0, true, 200, TW_GATE_HELD_BOUND },
		{ 79, 99, 0, true, 200, TW_GATE_HELD_BOUND },
		{ 79, 100, 0, true, 200, TW_GATE_BOUND_FIRST },
		/* Beside that it can be helped with those that it holds itself, a tenth of the 800. */
		{ 80, 100, 0, true, 200, TW_GATE_OPEN },
		{ 50, 100, 0, true, 199, TW_GATE_OPEN }, /* too few for anybody to be short of them */
		{ 20, 700, 0, true, 810, TW_GATE_OPEN }, /* a tenth of a fifth, however few are left */
		{ 19, 700, 0, true, 810, TW_GATE_BOUND_FIRST },
		{ 300, 300, 150, true, 300, TW_GATE_OPEN },
		{ 300, 300, 151, true, 300, TW_GATE_BOUND_FIRST },
		{ 300, 300, 300, false, 300, TW_GATE_OPEN }, /* not known is no reason */
		{ 0, 0, 0, true, 200, TW_GATE_HELD_BOUND },
		{ 0, 0, 0, true, 199, TW_GATE_PORTS_FREE },
		{ 0, 0, 0, true, 0, TW_GATE_PORTS_FREE },
		{ 49, 500, 0, true, 500, TW_GATE_BOUND_FIRST }, /* a victim */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_subject subject = { 0 };
		enum tw_gate_verdict verdict;

		(void)clear(NULL);
		set_survey(1000);
		if (rows[i].ports > 0) {
			struct tw_destination_row *row =
				add_row("10.0.0.1", "10.0.0.2", rows[i].ports, rows[i].ports, TW_HOLDER_TIME_WAIT);

			row->bound_first_known = rows[i].own_known;
			row->bound_first = rows[i].own_first;
			subject = subject_of(row);
		}
		set_exclusive(rows[i].exclusive, rows[i].bound_first);
		sample.survey.port_use = tw_value_percent(rows[i].ports + rows[i].exclusive, 1000);
		verdict = check_for(TW_TUNABLE_TW_REUSE, 1, &subject, false);
		if (verdict != rows[i].verdict)
			fail_msg("row %zu: verdict %d, expected %d", i, verdict, rows[i].verdict);
	}
}

/* An alert of who holds ports for all is judged as that, whatever the busiest destination's TIME-WAIT. */
static void test_holder_is_the_subject(TW_UNUSED void **state)
{
	struct tw_subject binder = { .has_binder = true, .holds_for_all = true, .binder = address("10.0.0.1") };
	struct tw_subject victim = { .has_binder = true, .binder = address("10.0.0.1") };
	struct tw_subject listeners = { .holds_for_all = true }, unit = { .unit = "batch.service" };

	add_row("10.0.0.1", "10.0.0.2", 900, 900, TW_HOLDER_TIME_WAIT);
	set_exclusive(600, 100);
	sample.survey.need_count = 1;
	sample.survey.needs[0].source = address("10.0.0.1");
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &binder, false), TW_GATE_BOUND_FIRST);
	/* A unit that holds no such port is the subject of another metric. */
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &unit, false), TW_GATE_OPEN);
	unit.holds_for_all = true;
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &unit, false), TW_GATE_HELD_BOUND);
	/* Nor does it need a name. */
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &listeners, false), TW_GATE_HELD_BOUND);
	/* A binder that does not hold them finds them taken itself. */
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &victim, false), TW_GATE_BIND_SHORT);
	/* Another state that holds most is another refusal, for a binder: a destination has a verdict for each. */
	sample.survey.needs[0].holder = TW_HOLDER_ESTABLISHED;
	assert_int_not_equal(tw_gate_told(TW_GATE_BIND_SHORT, &sample, &victim), TW_GATE_BIND_SHORT);
	sample.survey.needs[0].holder = TW_HOLDER_TIME_WAIT;
	assert_int_equal(tw_gate_told(TW_GATE_BIND_SHORT, &sample, &victim), TW_GATE_BIND_SHORT);
	sample.survey.needs[0].holder = TW_HOLDER_CLOSE_WAIT;
	assert_int_equal(tw_gate_told(TW_GATE_PORTS_FREE, &sample, &victim), TW_GATE_PORTS_FREE);
	sample.survey.need_count = 0;
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &victim, false), TW_GATE_PORTS_FREE);
	sample.survey.need_count = 1;
	sample.survey.partial = true;
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &binder, false), TW_GATE_OPEN);
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &victim, false), TW_GATE_OPEN);
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &unit, false), TW_GATE_OPEN);
}

/* What is unknown never refuses: no survey, a partial one, one without a range, a subject that fell off the table. */
static void test_reuse_without_survey(TW_UNUSED void **state)
{
	struct tw_subject gone = { .has_destination = true };
	struct tw_destination_row *row;

	assert_int_equal(check(TW_TUNABLE_TW_REUSE, 1), TW_GATE_OPEN);
	row = add_row("10.0.0.1", "10.0.0.2", 10, 0, TW_HOLDER_ESTABLISHED);
	assert_int_equal(reuse_for(row, false), TW_GATE_PORTS_FREE);
	sample.survey.partial = true;
	assert_int_equal(reuse_for(row, false), TW_GATE_OPEN);
	sample.survey.partial = false;
	sample.survey.at_usec = 0;
	assert_int_equal(reuse_for(row, false), TW_GATE_OPEN);
	(void)clear(NULL);
	row = add_row("127.0.0.1", "127.0.0.1", 500, 0, TW_HOLDER_ESTABLISHED);
	set_live(TW_TUNABLE_TW_REUSE, 2);
	sample.survey.partial = true;
	assert_int_equal(reuse_for(row, false), TW_GATE_OPEN);
	sample.survey = (struct tw_survey){ .at_usec = S };
	assert_int_equal(check(TW_TUNABLE_TW_REUSE, 1), TW_GATE_OPEN);
	/* Who has an alert has a row, also where the table is cut: without one it holds no port. */
	(void)clear(NULL);
	row = add_row("10.0.0.1", "10.0.0.2", 900, 0, TW_HOLDER_ESTABLISHED);
	set_exclusive(1, 0);
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &gone, false), TW_GATE_PORTS_FREE);
	sample.survey.exclusive_ports = 0;
	sample.survey.destinations = 2;
	assert_int_equal(check_for(TW_TUNABLE_TW_REUSE, 1, &gone, false), TW_GATE_PORTS_FREE);
}

/* More than half of TIME-WAIT is not the connecting side's: that matters to who asks for no destination. */
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
		const struct tw_destination_row *row;

		(void)clear(NULL);
		row = add_row("10.0.0.1", "10.0.0.2", 100, 100, TW_HOLDER_TIME_WAIT);
		set_sides(rows[i].time_wait, rows[i].accepting);
		/* A census of another moment does not tell the sides. */
		set_count(TW_STATE_TIME_WAIT, i % 2 ? 20000 : UNKNOWN);
		if (check(TW_TUNABLE_TW_REUSE, 1) != expected || reuse_for(row, false) != TW_GATE_PORTS_FREE)
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

/* Of the namespace: all of them, and of these the orphaned. */
static void test_fin_wait_2(TW_UNUSED void **state)
{
	static const struct {
		int64_t count;
		uint64_t mini;
		bool partial;
		enum tw_gate_verdict verdict;
	} rows[] = {
		{ 0, 0, false, TW_GATE_NO_FIN_WAIT_2 },
		{ 1, 0, false, TW_GATE_OWNED_FIN_WAIT_2 }, /* programs have them still */
		{ 1, 1, false, TW_GATE_OPEN },
		{ 0, 1, false, TW_GATE_OPEN },
		{ 0, 0, true, TW_GATE_OPEN },
		{ UNKNOWN, 0, false, TW_GATE_OPEN },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		set_count(TW_STATE_FIN_WAIT_2, rows[i].count);
		sample.census.mini_fin_wait_2 = rows[i].mini;
		sample.census.partial = rows[i].partial;
		if (check(TW_TUNABLE_FIN_TIMEOUT, 10) != rows[i].verdict)
			fail_msg("row %zu", i);
	}
}

/* Of a destination: what holds its own ports, though there are orphaned ones elsewhere. */
static void test_fin_wait_2_of_a_destination(TW_UNUSED void **state)
{
	struct tw_subject orphaned, owned, neither, gone = { .has_destination = true };

	set_count(TW_STATE_FIN_WAIT_2, 900);
	sample.census.mini_fin_wait_2 = 400;
	orphaned = subject_of(add_row("10.0.0.1", "10.0.0.2", 400, 0, TW_HOLDER_FIN_WAIT_2_ORPHANED));
	owned = subject_of(add_row("10.0.0.1", "10.0.0.3", 500, 0, TW_HOLDER_FIN_WAIT_2));
	neither = subject_of(add_row("10.0.0.1", "10.0.0.4", 600, 600, TW_HOLDER_TIME_WAIT));
	assert_int_equal(check_for(TW_TUNABLE_FIN_TIMEOUT, 10, &orphaned, false), TW_GATE_OPEN);
	assert_int_equal(check_for(TW_TUNABLE_FIN_TIMEOUT, 10, &owned, false), TW_GATE_OWNED_FIN_WAIT_2);
	assert_int_equal(check_for(TW_TUNABLE_FIN_TIMEOUT, 10, &neither, false), TW_GATE_NO_FIN_WAIT_2);
	assert_int_equal(check_for(TW_TUNABLE_FIN_TIMEOUT, 10, &gone, false), TW_GATE_NO_FIN_WAIT_2);
	/* Without a survey that holds what the census has of all. */
	sample.survey.partial = true;
	assert_int_equal(check_for(TW_TUNABLE_FIN_TIMEOUT, 10, &owned, false), TW_GATE_OPEN);
}

/* ---- ip_autobind_reuse */

static void test_autobind(TW_UNUSED void **state)
{
	struct tw_destination_row *plain, *first;
	struct tw_subject victim, own, binder = { .has_binder = true, .binder = address("10.0.0.1") };

	set_survey(1000);
	assert_int_equal(check(TW_TUNABLE_AUTOBIND_REUSE, 1), TW_GATE_NOT_BOUND_FIRST);
	sample.survey.unclear_ports = 1;
	assert_int_equal(check(TW_TUNABLE_AUTOBIND_REUSE, 1), TW_GATE_OPEN);
	first = add_row("10.0.0.1", "10.0.0.2", 500, 0, TW_HOLDER_ESTABLISHED);
	first->bound_first = 500;
	plain = add_row("10.0.0.1", "10.0.0.3", 400, 0, TW_HOLDER_ESTABLISHED);
	set_exclusive(500, 500);
	own = subject_of(first);
	victim = subject_of(plain);
	assert_int_equal(check(TW_TUNABLE_AUTOBIND_REUSE, 1), TW_GATE_OPEN);
	assert_int_equal(check_for(TW_TUNABLE_AUTOBIND_REUSE, 1, &binder, false), TW_GATE_OPEN);
	assert_int_equal(check_for(TW_TUNABLE_AUTOBIND_REUSE, 1, &own, false), TW_GATE_OPEN);
	assert_int_equal(check_for(TW_TUNABLE_AUTOBIND_REUSE, 1, &victim, false), TW_GATE_BOUND_FIRST);
	/* One that holds more itself is no victim, but no binder either; one of whom that is not known may be one. */
	plain->ports = 501;
	assert_int_equal(check_for(TW_TUNABLE_AUTOBIND_REUSE, 1, &victim, false), TW_GATE_NOT_BOUND_FIRST);
	plain->bound_first_known = false;
	assert_int_equal(check_for(TW_TUNABLE_AUTOBIND_REUSE, 1, &victim, false), TW_GATE_OPEN);
}

/* A sample that tells nothing opens every gate. */
static void test_unknown_is_open(TW_UNUSED void **state)
{
	for (int i = 0; i < TW_TUNABLE_COUNT; i++)
		assert_int_equal(check((enum tw_tunable)i, 1), TW_GATE_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reuse, clear),
		cmocka_unit_test_setup(test_another_does_not_matter, clear),
		cmocka_unit_test_setup(test_needed_while_it_helps, clear),
		cmocka_unit_test_setup(test_exclusive, clear),
		cmocka_unit_test_setup(test_holder_is_the_subject, clear),
		cmocka_unit_test_setup(test_reuse_without_survey, clear),
		cmocka_unit_test_setup(test_server_side, clear),
		cmocka_unit_test_setup(test_buckets, clear),
		cmocka_unit_test_setup(test_fin_wait_2, clear),
		cmocka_unit_test_setup(test_fin_wait_2_of_a_destination, clear),
		cmocka_unit_test_setup(test_autobind, clear),
		cmocka_unit_test_setup(test_unknown_is_open, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
