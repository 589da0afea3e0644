/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proof-fixture.h"

/* In force at 100 s; `before` at 95 s, each of `after` at its end, then 140 s. */
struct takeover_story {
	const char *name;
	bool no_destination;
	struct window before, after[3];
	enum tw_proof_edge edge; /* the first, at 130 s or when the window ends that tells */
	enum tw_proof_state state;
};

static const struct takeover_story takeovers[] = {
	{ "one that was taken over is enough", .after = { { 101, 110, 1, 1, 9, 300, .whose = OURS } }, .edge = HELPED,
	  .state = TW_PROOF_PROVED },
	{ "twenty to be expected, and none", .after = { { 101, 110, 0, 0, 40, 500, .whose = OURS } }, .edge = FAILED,
	  .state = TW_PROOF_RESTING },
	{ "a window that begins with the change", .after = { { 100, 110, 1, 1, 9, 300, .whose = OURS } },
	  .edge = HELPED, .state = TW_PROOF_PROVED },
	{ "a quarter waits", .after = { { 101, 110, 0, 0, 80, 250, .whose = OURS } }, .edge = FAILED,
	  .state = TW_PROOF_RESTING },
	{ "over several windows",
	  .after = { { 101, 110, 0, 0, 20, 500, .whose = OURS }, { 110, 120, 0, 0, 20, 500, .whose = OURS } },
	  .edge = FAILED, .state = TW_PROOF_RESTING },
	{ "nineteen are chance", .after = { { 101, 110, 0, 0, 39, 500, .whose = OURS } }, .edge = UNTESTED,
	  .state = TW_PROOF_WAITING },
	{ "nobody connects", .after = { { 101, 110, 0, 0, 0, 900, .whose = OURS } }, .edge = UNTESTED,
	  .state = TW_PROOF_WAITING },
	{ "nothing waits", .after = { { 101, 110, 0, 0, 900, 0, .whose = OURS } }, .edge = UNTESTED,
	  .state = TW_PROOF_WAITING },
	{ "so few wait that it may come to all free ones first",
	  .after = { { 101, 110, 0, 0, 900, 249, .whose = OURS } }, .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "without a look nothing is known", .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "a late one",
	  .after = { { 101, 110, 0, 0, 5, 500, .whose = OURS }, { 130, 135, 7, 7, 20, 500, .whose = OURS } },
	  .edge = UNTESTED, .state = TW_PROOF_PROVED },
	{ "both looks have to be since the change", .after = { { 99, 110, 9, 9, 40, 500, .whose = OURS } },
	  .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "and no more is expected of one that began before", .after = { { 99, 110, 0, 0, 400, 500, .whose = OURS } },
	  .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "another destination's are none", .after = { { 101, 110, 9, 9, 40, 500, .whose = ANOTHER_PORT } },
	  .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "nor is it expected to take any", .after = { { 101, 110, 0, 0, 400, 500, .whose = ANOTHER_PORT } },
	  .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "what was not seen whole tells nothing",
	  .after = { { 101, 110, 9, 9, 40, 500, .partial = true }, { 110, 120, 0, 0, 400, 500, .partial = true } },
	  .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "resets: gone early, but nothing was reused", .after = { { 101, 110, 5, 0, 400, 500, .whose = OURS } },
	  .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "noise of before is noise after", .before = { 90, 95, 3, 3, 40, 500, .whose = OURS },
	  .after = { { 101, 110, 9, 9, 40, 500, .whose = OURS } }, .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "also what no reuse accounts for", .before = { 90, 95, 3, 0, 40, 500, .whose = OURS },
	  .after = { { 101, 110, 9, 9, 40, 500, .whose = OURS } }, .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "but none is none", .before = { 90, 95, 3, 3, 40, 500, .whose = OURS },
	  .after = { { 101, 110, 0, 0, 40, 500, .whose = OURS } }, .edge = FAILED, .state = TW_PROOF_RESTING },
	{ "a quiet window of before", .before = { 90, 95, 0, 0, 40, 500, .whose = OURS },
	  .after = { { 101, 110, 9, 9, 40, 500, .whose = OURS } }, .edge = HELPED, .state = TW_PROOF_PROVED },
	{ "another destination's noise is not ours", .before = { 90, 95, 3, 3, 40, 500, .whose = ANOTHER_PORT },
	  .after = { { 101, 110, 9, 9, 40, 500, .whose = OURS } }, .edge = HELPED, .state = TW_PROOF_PROVED },
	{ "of the namespace as a whole any destination tells", .no_destination = true,
	  .after = { { 101, 110, 1, 1, 9, 300, .whose = ANOTHER_PORT } }, .edge = HELPED, .state = TW_PROOF_PROVED },
	{ "and any noise", .no_destination = true, .before = { 90, 95, 3, 3, 40, 500, .whose = ANOTHER_PORT },
	  .after = { { 101, 110, 1, 1, 9, 300, .whose = OURS } }, .edge = UNTESTED, .state = TW_PROOF_WAITING },
	{ "but loopback was covered before", .no_destination = true,
	  .after = { { 101, 110, 9, 9, 40, 500, .whose = LOOPBACK } }, .edge = UNTESTED, .state = TW_PROOF_WAITING },
};

static void test_takeovers(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(takeovers); i++) {
		const struct takeover_story *it = &takeovers[i];
		enum tw_proof_edge edge = NO;

		(void)clear(NULL);
		subject.has_destination = !it->no_destination;
		look(&it->before);
		assert_int_equal(step(REUSE, NONE, 95), NO);
		assert_int_equal(step(REUSE, 1, 100), NO);
		assert_int_equal(proof.state, TW_PROOF_WAITING);
		for (unsigned at = 101; at <= 140; at++) {
			enum tw_proof_edge now;

			for (size_t k = 0; k < TW_ARRAY_SIZE(it->after); k++)
				if (it->after[k].until == at)
					look(&it->after[k]);
			now = step(REUSE, 1, at);
			assert_true(at >= 130 || now == NO);
			assert_true(now != UNTESTED || at == 130); /* told once */
			edge = edge == NO ? now : edge;
		}
		if (edge != it->edge || proof.state != it->state)
			fail_msg("'%s': edge %d, state %d", it->name, edge, proof.state);
	}
}

/* Reuse is in force for one destination, and helps a second one: take-overs of that time are no noise. */
static void test_second_destination(TW_UNUSED void **state)
{
	set_live(REUSE, 1);
	look_at(85, 90, 9, 9, 40, 500);
	(void)step(REUSE, NONE, 91);
	(void)step(REUSE, 1, 100);
	look_at(101, 110, 9, 9, 40, 500);
	assert_int_equal(step(REUSE, 1, 130), HELPED);
	assert_string_equal(explain(REUSE), "9 ports in TIME-WAIT were taken over by connections to 10.0.0.2:80 in 9s");
}

/* Nor does loopback tell of the whole namespace then: what was live before all changes is not known, and 2 mostly. */
static void test_second_alert_of_all(TW_UNUSED void **state)
{
	set_live(REUSE, 1);
	subject.has_destination = false;
	(void)step(REUSE, 1, 100);
	look(&(struct window){ 101, 110, 9, 9, 40, 500, LOOPBACK, false });
	assert_int_equal(step(REUSE, 1, 130), UNTESTED);
	look(&(struct window){ 110, 120, 9, 9, 40, 500, ANOTHER_PORT, false });
	assert_int_equal(step(REUSE, 1, 131), HELPED);
}

/* Nor are those that a look finds after it was put back, of the time while it was in force. */
static void test_put_back_for_another(TW_UNUSED void **state)
{
	set_live(REUSE, 1);
	(void)step(REUSE, NONE, 90);
	set_live(REUSE, 2);
	look_at(90, 95, 9, 9, 40, 500);
	(void)step(REUSE, NONE, 95);
	assert_false(proof.noisy);
	look_at(91, 96, 9, 9, 40, 500);
	(void)step(REUSE, NONE, 96);
	assert_true(proof.noisy);
}

/* Each connection that passed by what waits is one that should not have; but for what was bound first. */
static void test_passed_by(TW_UNUSED void **state)
{
	static const struct {
		uint32_t passed, bound_first;
		bool known;
		enum tw_proof_edge edge;
	} rows[] = { { 20, 0, true, FAILED },
		     { 19, 0, true, UNTESTED },
		     { 20, 1, true, UNTESTED },
		     { 20, 0, false, UNTESTED } };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		(void)step(REUSE, 1, 100);
		look_at(101, 110, 0, 0, 0, 900);
		sample.survey.takeovers.passed = rows[i].passed;
		sample.survey.top_count = 1;
		sample.survey.top[0] = (struct tw_destination_row){ .key = destination(10, 80),
								    .bound_first = rows[i].bound_first,
								    .bound_first_known = rows[i].known };
		assert_int_equal(step(REUSE, 1, 130), rows[i].edge);
	}
}

/* The near half is full, so that new connections go to the other one: the survey's own verdict, of after the change. */
static void test_refuted(TW_UNUSED void **state)
{
	static const struct {
		unsigned at, top_count;
		uint32_t taken;
		bool partial, no_destination;
		enum tw_proof_edge edge;
	} rows[] = {
		{ 110, 2, 0, false, false, FAILED },   { 100, 2, 0, false, false, UNTESTED },
		{ 110, 1, 0, false, false, UNTESTED }, /* of another destination */
		{ 110, 2, 0, true, false, UNTESTED },  { 110, 2, 1, false, false, HELPED },
		{ 110, 2, 0, false, true, UNTESTED },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		(void)clear(NULL);
		subject.has_destination = !rows[i].no_destination;
		(void)step(REUSE, 1, 100);
		look_at(101, 105, rows[i].taken, rows[i].taken, 2, 900);
		assert_int_equal(step(REUSE, 1, 105), NO);
		look_at(105, 110, 0, 0, 2, 900);
		sample.survey.at_usec = rows[i].at * S;
		sample.survey.partial = rows[i].partial;
		sample.survey.top_count = rows[i].top_count;
		sample.survey.top[0].key = destination(10, 81);
		sample.survey.top[1].key = destination(10, 80);
		sample.survey.top[0].reuse_refuted = i == 2;
		sample.survey.top[1].reuse_refuted = true;
		assert_int_equal(step(REUSE, 1, 130), rows[i].edge);
		if (rows[i].edge == FAILED)
			assert_string_equal(explain(REUSE),
					    "all ports that connect() looks at first are held, and none that waits is "
					    "taken over: the connections to 10.0.0.2:80 have no TCP timestamps");
		/* A living one has said so, however many ports are held. */
		sample.survey.top[1].no_timestamps_usec = 1;
		if (rows[i].edge == FAILED)
			assert_string_equal(explain(REUSE), "the connections to 10.0.0.2:80 have no TCP timestamps");
	}
}

/* Where ip_local_port_range is not known, nothing is expected; what was taken over was. */
static void test_without_a_range(TW_UNUSED void **state)
{
	(void)step(REUSE, 1, 100);
	look_at(101, 110, 0, 0, 0, 0);
	sample.survey.takeovers.near_ports = 0;
	assert_int_equal(step(REUSE, 1, 130), UNTESTED);
	look_at(110, 120, 1, 1, 0, 0);
	sample.survey.takeovers.near_ports = 0;
	assert_int_equal(step(REUSE, 1, 131), HELPED);
}

static void test_takeovers_in_words(TW_UNUSED void **state)
{
	assert_string_equal(explain(REUSE), "nobody has looked at its sockets twice since");
	(void)step(REUSE, 1, 100);
	look_at(101, 103, 0, 0, 1, 500);
	(void)step(REUSE, 1, 103);
	assert_string_equal(explain(REUSE), "0 ports in TIME-WAIT were taken over by connections to 10.0.0.2:80 in 2s, "
					    "and none could be expected");
	look_at(103, 105, 0, 0, 39, 500);
	(void)step(REUSE, 1, 105);
	assert_string_equal(explain(REUSE), "0 ports in TIME-WAIT were taken over by connections to 10.0.0.2:80 in 4s, "
					    "of 20 that could be expected");
	proof.noisy = true;
	look_at(105, 108, 4, 4, 40, 500);
	(void)step(REUSE, 1, 108);
	look_at(108, 110, 3, 3, 40, 500);
	(void)step(REUSE, 1, 110);
	subject.has_destination = false;
	assert_string_equal(explain(REUSE), "7 ports in TIME-WAIT were taken over in 9s, as if it were in force before "
					    "the change already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_takeovers, clear),
		cmocka_unit_test_setup(test_second_destination, clear),
		cmocka_unit_test_setup(test_second_alert_of_all, clear),
		cmocka_unit_test_setup(test_put_back_for_another, clear),
		cmocka_unit_test_setup(test_passed_by, clear),
		cmocka_unit_test_setup(test_refuted, clear),
		cmocka_unit_test_setup(test_without_a_range, clear),
		cmocka_unit_test_setup(test_takeovers_in_words, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
