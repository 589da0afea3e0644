/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proof-fixture.h"

/* ---- overflow: looked at each second from 80 s on, raised twofold at 100 s */

struct overflow_story {
	const char *name;
	unsigned began;			/* the alert */
	uint64_t before, after, during; /* a second: before, since, and from 100 s until `until` */
	unsigned until;
	uint64_t time_wait; /* since */
	bool climbs;
	enum tw_proof_edge edge;
	unsigned at; /* the edge */
	const char *words;
};

static const struct overflow_story overflows[] = {
	{ "it stops", 90, 50, 0, 0, 0, 80000, false, HELPED, 130,
	  "connections closed without TIME-WAIT: 500 in 10s before, 0 in 10s after" },
	{ "it stops a while later", 90, 50, 0, 50, 111, 80000, false, HELPED, 130,
	  "connections closed without TIME-WAIT: 500 in 10s before, 0 in 10s after" },
	{ "the load stops: nobody needed the room", 90, 50, 0, 0, 0, 60000, false, UNTESTED, 130,
	  "connections closed without TIME-WAIT: 500 in 10s before, 0 in 10s after" },
	{ "as much as the old value allows is no more", 90, 50, 0, 0, 0, 65536, false, UNTESTED, 130, NULL },
	{ "less is less", 90, 50, 45, 45, 0, 131072, false, HELPED, 130,
	  "connections closed without TIME-WAIT: 500 in 10s before, 450 in 10s after" },
	{ "the ladder is not failed while it climbs", 90, 50, 50, 50, 0, 70000, true, NO, 0, NULL },
	{ "though the last step is full, it keeps more than before", 90, 50, 500, 500, 0, 131072, false, NO, 0, NULL },
	{ "the whole ladder", 90, 50, 46, 46, 0, 66000, false, FAILED, 130,
	  "connections closed without TIME-WAIT: 500 in 10s before, 460 in 10s after" },
	{ "the limit is not what closes them", 90, 50, 10, 10, 0, 1000, false, FAILED, 130, NULL },
	{ "windows are of one length, however short the alert was: 5 s", 99, 50, 45, 45, 0, 131072, false, HELPED, 130,
	  "connections closed without TIME-WAIT: 50 in 1s before, 225 in 5s after" },
	{ "and of a long one its end counts", 10, 50, 45, 45, 0, 131072, false, HELPED, 161, NULL },
};

static void test_overflow(TW_UNUSED void **state)
{
	struct tw_count *overflow = &sample.gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW];

	for (size_t i = 0; i < TW_ARRAY_SIZE(overflows); i++) {
		const struct overflow_story *it = &overflows[i];
		enum tw_proof_edge edge = NO;
		unsigned told_at = 0;

		(void)clear(NULL);
		subject.has_destination = false;
		climbs = it->climbs;
		overflow->known = true;
		for (unsigned at = 5; at <= 200 && edge == NO; at++) {
			overflow->value += at <= 100 ? it->before : at <= it->until ? it->during : it->after;
			sample.gauge.at_usec = at * S;
			sample.gauge.time_wait = at <= 100 ? 65536 : it->time_wait;
			over = at >= it->began;
			edge = step(BUCKETS, at < 100 ? NONE : 131072, at);
			told_at = edge == NO ? 0 : at;
		}
		if (edge != it->edge || told_at != it->at)
			fail_msg("'%s': edge %d at %u", it->name, edge, told_at);
		if (it->words)
			assert_string_equal(explain(BUCKETS), it->words);
	}
}

/* A ladder is held against what was before its first step, and each step gets its own time. */
static void test_ladder(TW_UNUSED void **state)
{
	struct tw_count *overflow = &sample.gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW];
	enum tw_proof_edge edge = NO;

	subject.has_destination = false;
	overflow->known = true;
	for (unsigned at = 90; at <= 160; at++) {
		/* A tenth less with each step: of what was before the first one it is more. */
		overflow->value += at <= 100 ? 100 : at <= 120 ? 95 : at <= 140 ? 92 : 89;
		sample.gauge.at_usec = at * S;
		sample.gauge.time_wait = at <= 100 ? 65536 : 70000;
		climbs = at < 140;
		edge = step(BUCKETS, at < 100 ? NONE : at < 120 ? 66000 : at < 140 ? 68000 : 70000, at);
		assert_int_equal(edge, NO);
	}
	for (unsigned at = 161; edge == NO && at < 300; at++) {
		overflow->value += 89;
		sample.gauge.at_usec = at * S;
		edge = step(BUCKETS, 70000, at);
	}
	assert_int_equal(edge, HELPED);
	assert_int_equal(proof.since_usec, 170 * S);
	assert_int_equal(proof.base, 65536);
}

static void test_overflow_not_known(TW_UNUSED void **state)
{
	subject.has_destination = false;
	for (unsigned at = 90; at < 130; at++)
		assert_int_equal(step(BUCKETS, at < 100 ? NONE : 131072, at), NO);
	assert_int_equal(step(BUCKETS, 131072, 130), UNTESTED);
	assert_int_equal(step(BUCKETS, 131072, 131), NO);
}

/* What was raised at once has no window before: no overflow is no proof, and overflow no failure. */
static void test_no_window_before(TW_UNUSED void **state)
{
	struct tw_count *overflow = &sample.gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW];

	subject.has_destination = false;
	overflow->known = true;
	for (unsigned at = 100; at < 200; at++) {
		overflow->value += 50;
		sample.gauge.at_usec = at * S;
		sample.gauge.time_wait = 65536;
		assert_int_equal(step(BUCKETS, 131072, at), at == 130 ? UNTESTED : NO);
	}
}

/* ---- FIN-WAIT-2 */

struct fin_story {
	const char *name;
	bool no_destination;
	int64_t old, new;
	uint64_t before, after;
	unsigned due;
	enum tw_proof_edge edge;
};

static const struct fin_story fins[] = {
	{ "they fall with their time", false, 60, 15, 9000, 2250, 160, HELPED },
	{ "of all of them", true, 60, 15, 9000, 2250, 160, HELPED },
	{ "by a tenth", false, 60, 50, 9000, 8100, 160, HELPED },
	{ "by less: there may come more of them", false, 60, 50, 9000, 8101, 160, UNTESTED },
	{ "none comes any more", false, 60, 15, 9000, 0, 160, UNTESTED },
	{ "half as many come", false, 60, 15, 9000, 1125, 160, HELPED },
	{ "fewer than that: it is the load that falls", false, 60, 15, 9000, 1124, 160, UNTESTED },
	{ "just enough of them", false, 60, 15, 20, 10, 160, HELPED },
	{ "so few as there always are", false, 60, 5, 19, 2, 160, UNTESTED },
	{ "proof-after is longer", false, 12, 6, 9000, 4500, 130, HELPED },
	{ "what was there before is not known", false, NONE, 15, 9000, 2250, 130, UNTESTED },
	{ "somebody had it so already", false, 15, 15, 9000, 8000, 130, UNTESTED },
	{ "an old value that no kernel has", false, INT64_MAX, 15, 9000, 4500, 3700, HELPED },
};

static void set_orphaned(bool of_subject, unsigned at, uint64_t count)
{
	if (of_subject) {
		sample.survey.at_usec = at * S;
		sample.survey.top_count = 2;
		sample.survey.top[0].key = destination(10, 81);
		sample.survey.top[0].held[TW_HOLDER_FIN_WAIT_2_ORPHANED] = 77;
		sample.survey.top[1].key = destination(10, 80);
		sample.survey.top[1].held[TW_HOLDER_FIN_WAIT_2_ORPHANED] = (uint32_t)count;
	} else {
		sample.census.at_usec = at * S;
		sample.census.mini_fin_wait_2 = count;
	}
}

static void test_fin_timeout(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(fins); i++) {
		const struct fin_story *it = &fins[i];
		enum tw_proof_edge edge;

		(void)clear(NULL);
		subject.has_destination = !it->no_destination;
		sample.gauge.sysctls[FIN] = (struct tw_live_value){ { { it->old } }, it->old != NONE };
		set_orphaned(it->no_destination, 100, 5);
		set_orphaned(!it->no_destination, 100, it->before);
		assert_int_equal(step(FIN, it->new, 100), NO);
		/* What comes meanwhile stands beside what was there before; and an old look waits for the next. */
		set_orphaned(!it->no_destination, it->due - 1, it->after);
		assert_int_equal(step(FIN, it->new, it->due - 1), NO);
		assert_int_equal(step(FIN, it->new, it->due), NO);
		set_orphaned(!it->no_destination, it->due, it->after);
		edge = step(FIN, it->new, it->due);
		if (edge != it->edge)
			fail_msg("'%s': edge %d", it->name, edge);
	}
}

/* The subject's own number, or none: never that of all. */
static void test_whose_fin_wait_2(TW_UNUSED void **state)
{
	set_orphaned(false, 100, 9000);
	set_orphaned(true, 100, 4000);
	(void)step(FIN, 15, 100);
	set_orphaned(false, 160, 2250);
	set_orphaned(true, 160, 1000);
	sample.survey.partial = true;
	assert_int_equal(step(FIN, 15, 160), NO);
	sample.survey.partial = false;
	assert_int_equal(step(FIN, 15, 161), HELPED);
	assert_string_equal(explain(FIN), "orphaned FIN-WAIT-2 4000 -> 1000");
}

/* A census or a survey that is not whole, or was never made, is waited out. */
static void test_fin_wait_2_not_known(TW_UNUSED void **state)
{
	subject.has_destination = false;
	set_orphaned(false, 100, 9000);
	(void)step(FIN, 15, 100);
	set_orphaned(false, 160, 2250);
	sample.census.partial = true;
	assert_int_equal(step(FIN, 15, 160), NO);
	sample.census.partial = false;
	assert_int_equal(step(FIN, 15, 161), HELPED);
	/* The subject that a whole survey does not have is at 0, whatever stands behind its rows. */
	(void)clear(NULL);
	set_orphaned(true, 100, 4000);
	(void)step(FIN, 15, 100);
	set_orphaned(true, 160, 1000);
	sample.survey.top_count = 1;
	assert_int_equal(step(FIN, 15, 160), UNTESTED);
	assert_string_equal(explain(FIN), "orphaned FIN-WAIT-2 4000 -> 0");
}

/* ---- ports that are shared */

struct shared_story {
	const char *name;
	uint32_t before, bound, exclusive, shared; /* shared before; since, of 1000 usable ports */
	bool live;
	enum tw_proof_edge edge;
};

static const struct shared_story shareds[] = {
	{ "one is shared", 0, 400, 400, 1, false, HELPED },
	{ "twenty more were bound, but free ones come first", 0, 420, 420, 0, false, UNTESTED },
	{ "until none was free, and none is shared", 0, 980, 980, 0, false, FAILED },
	{ "by others too", 0, 420, 980, 0, false, FAILED },
	{ "nearly", 0, 979, 979, 0, false, UNTESTED },
	{ "taken by others", 0, 419, 990, 0, false, UNTESTED },
	{ "they were shared before: the programs do it themselves", 2, 400, 400, 9, false, UNTESTED },
	{ "they were shared before because it was in force for others", 2, 400, 400, 9, true, HELPED },
};

static void test_shared(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(shareds); i++) {
		const struct shared_story *it = &shareds[i];
		enum tw_proof_edge edge;

		(void)clear(NULL);
		set_live(AUTOBIND, it->live);
		sample.survey.at_usec = 95 * S;
		sample.survey.usable = 1000;
		sample.survey.bound_first_ports = sample.survey.exclusive_ports = 400;
		sample.survey.shared_ports = it->before;
		(void)step(AUTOBIND, NONE, 95);
		(void)step(AUTOBIND, 1, 100);
		sample.survey.bound_first_ports = it->bound;
		sample.survey.exclusive_ports = it->exclusive;
		sample.survey.shared_ports = it->shared;
		sample.survey.at_usec = 129 * S;
		assert_int_equal(step(AUTOBIND, 1, 130), NO);
		sample.survey.at_usec = 130 * S;
		edge = step(AUTOBIND, 1, 131);
		if (edge != it->edge)
			fail_msg("'%s': edge %d", it->name, edge);
		assert_non_null(strstr(explain(AUTOBIND), "are shared by several destinations"));
	}
}

/* What is tried again after the rest is held against what was before it, not against the first try. */
static void test_second_try(TW_UNUSED void **state)
{
	struct tw_count *overflow = &sample.gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW];
	enum tw_proof_edge edges[2] = { NO, NO };

	subject.has_destination = false;
	rule.cooldown_usec = 100 * S;
	overflow->known = true;
	for (unsigned at = 90; at <= 300; at++) {
		bool set = at >= 100 && proof.state != TW_PROOF_RESTING;
		enum tw_proof_edge edge;

		set = set || (at > 200 && tw_proof_rests(&proof, at * S) == 0);
		overflow->value += at > 240 ? 0 : 50;
		sample.gauge.at_usec = at * S;
		sample.gauge.time_wait = at > 235 ? 90000 : 65536;
		edge = step(BUCKETS, set ? 131072 : NONE, at);
		if (!set)
			set_live(BUCKETS, 65536);
		if (edge != NO)
			edges[at > 200] = edge;
		if (edge == FAILED)
			assert_int_equal(proof.first.at_usec, 0);
	}
	assert_int_equal(edges[0], FAILED);
	assert_int_equal(edges[1], HELPED);
	assert_true(proof.before.span_usec >= 30 * S && proof.before.span_usec <= 60 * S);
	assert_int_equal(proof.before.number, proof.before.span_usec / S * 50);
}

/* ---- states, of reuse that takes nothing over */

/* Raised at 100 s without any take-over, judged at 130 s. */
static enum tw_proof_edge fail_reuse(void)
{
	(void)step(REUSE, 1, 100);
	look_at(101, 110, 0, 0, 400, 500);
	return step(REUSE, 1, 130);
}

static void test_rest(TW_UNUSED void **state)
{

	assert_int_equal(fail_reuse(), FAILED);
	/* Still in force for a moment, then put back: it rests either way. */
	assert_int_equal(step(REUSE, 1, 131), NO);
	set_live(REUSE, 2);
	assert_int_equal(step(REUSE, NONE, 132), NO);
	assert_int_equal(proof.state, TW_PROOF_RESTING);
	assert_int_equal(tw_proof_rests(&proof, 729 * S), 1 * S);
	assert_false(tw_proof_wants_takeovers(&proof));
	assert_int_equal(tw_proof_rests(&proof, 730 * S), 0);
	assert_int_equal(step(REUSE, NONE, 729), NO);
	assert_int_equal(proof.state, TW_PROOF_RESTING);
	/* Rested: the proof begins anew, with nothing of what it has counted. */
	assert_int_equal(step(REUSE, 1, 730), NO);
	assert_int_equal(proof.state, TW_PROOF_WAITING);
	assert_true(tw_proof_wants_takeovers(&proof));
	look_at(731, 740, 1, 1, 5, 500);
	assert_int_equal(step(REUSE, 1, 760), HELPED);
	assert_false(tw_proof_wants_takeovers(&proof));
}

static void test_rest_ends_idle(TW_UNUSED void **state)
{
	(void)fail_reuse();
	set_live(REUSE, 2);
	(void)step(REUSE, NONE, 730);
	assert_int_equal(proof.state, TW_PROOF_IDLE);
	assert_true(tw_proof_wants_takeovers(&proof));
}

/* It would be put back and made again for ever: so it stays, and is told once. */
static void test_no_cooldown(TW_UNUSED void **state)
{
	rule.cooldown_usec = 0;
	assert_int_equal(fail_reuse(), FAILED);
	assert_int_equal(proof.state, TW_PROOF_PROVED);
	look_at(800, 810, 0, 0, 400, 500);
	assert_int_equal(step(REUSE, 1, 900), NO);
}

/* The rest is that of one value: another one in force is another change. */
static void test_another_value_while_it_rests(TW_UNUSED void **state)
{
	(void)fail_reuse();
	set_live(REUSE, 0);
	assert_int_equal(step(REUSE, 2, 140), NO);
	assert_int_equal(proof.state, TW_PROOF_WAITING);
	assert_int_equal(proof.base, 0);
	assert_int_equal(proof.since_usec, 140 * S);
}

static void test_taken_away(TW_UNUSED void **state)
{
	look_at(90, 95, 1, 1, 4, 500);
	(void)step(REUSE, NONE, 96);
	(void)step(REUSE, 1, 100);
	assert_int_equal(step(REUSE, NONE, 110), NO);
	assert_int_equal(proof.state, TW_PROOF_IDLE);
	assert_int_equal(step(REUSE, 1, 130), NO);
	assert_int_equal(proof.since_usec, 130 * S);
	/* What was seen without it is remembered. */
	look_at(140, 145, 1, 1, 4, 500);
	assert_int_equal(step(REUSE, 1, 160), UNTESTED);
}

static void test_nothing_is_claimed(TW_UNUSED void **state)
{
	/* A plain one, and `proof = no`: from the start, or while it waits. */
	(void)step(TW_TUNABLE_KEEPALIVE_TIME, 600, 100);
	assert_int_equal(proof.state, TW_PROOF_PROVED);
	assert_int_equal(step(TW_TUNABLE_KEEPALIVE_TIME, 600, 200), NO);
	assert_string_equal(explain(TW_TUNABLE_KEEPALIVE_TIME), "");
	assert_int_equal(step(TW_TUNABLE_KEEPALIVE_TIME, NONE, 201), NO);
	assert_int_equal(proof.state, TW_PROOF_IDLE);
	(void)clear(NULL);
	rule.proof = false;
	assert_int_equal(fail_reuse(), NO);
	assert_int_equal(proof.state, TW_PROOF_PROVED);
	(void)clear(NULL);
	(void)step(REUSE, 1, 100);
	rule.proof = false;
	assert_int_equal(fail_reuse(), NO);
	assert_int_equal(proof.state, TW_PROOF_PROVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_overflow, clear),
		cmocka_unit_test_setup(test_ladder, clear),
		cmocka_unit_test_setup(test_overflow_not_known, clear),
		cmocka_unit_test_setup(test_no_window_before, clear),
		cmocka_unit_test_setup(test_fin_timeout, clear),
		cmocka_unit_test_setup(test_whose_fin_wait_2, clear),
		cmocka_unit_test_setup(test_fin_wait_2_not_known, clear),
		cmocka_unit_test_setup(test_shared, clear),
		cmocka_unit_test_setup(test_second_try, clear),
		cmocka_unit_test_setup(test_rest, clear),
		cmocka_unit_test_setup(test_rest_ends_idle, clear),
		cmocka_unit_test_setup(test_no_cooldown, clear),
		cmocka_unit_test_setup(test_another_value_while_it_rests, clear),
		cmocka_unit_test_setup(test_taken_away, clear),
		cmocka_unit_test_setup(test_nothing_is_claimed, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
