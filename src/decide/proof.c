/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/proof.h"

#include "base/macros.h"
#include "model/port-model.h"

#include <inttypes.h>
#include <string.h>

/*
 * So many take-overs have to be missing, so many sockets or ports be there: were each port that is tried one that can
 * be taken with a probability of a half only, none in twenty would be chance once in a million.
 */
#define EXPECTED_MIN 20
/*
 * Of the ports that connect() looks at first, one in so many has to wait: in one round it takes two in nine, one after
 * the other (table_perturb), so that fewer may all lie where it comes to last. Linux 6.18, of a thousand ports 100 in
 * TIME-WAIT: none of the next hundred connections takes one over; of 250 or more they take what is expected.
 */
#define WAITING_SHARE 4
/* A window of counting is no shorter, where the alert was; longer ones tell no more. */
#define WINDOW_MIN_USEC (5 * TW_USEC_PER_SEC)
#define WINDOW_MAX_USEC TW_USEC_PER_MINUTE
/* Of a hundred usable ports: beyond this, none is left. */
#define NEARLY_ALL 98

static enum tw_evidence evidence_of(const struct tw_proof_case *it)
{
	return tw_tunable_info(it->tunable)->evidence;
}

/* NULL where the subject is no destination, or the survey has no row of it. */
static const struct tw_destination_row *row_of(const struct tw_proof_case *it)
{
	return it->subject->has_destination ? tw_survey_row(&it->sample->survey, &it->subject->destination) : NULL;
}

/* Of what grows or falls in one number; nothing where the sample does not tell. */
static struct tw_proof_mark measure(const struct tw_proof_case *it)
{
	const struct tw_sample *sample = it->sample;
	const struct tw_count *overflow = &sample->gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW];
	const struct tw_destination_row *row = row_of(it);
	usec_t surveyed_usec = sample->survey.partial ? 0 : sample->survey.at_usec;
	struct tw_proof_mark now = { 0 };

	switch (evidence_of(it)) {
	case TW_EVIDENCE_NONE:
	case TW_EVIDENCE_TAKEOVERS:
		break;
	case TW_EVIDENCE_OVERFLOW:
		now = (struct tw_proof_mark){ overflow->known ? sample->gauge.at_usec : 0, overflow->value };
		break;
	case TW_EVIDENCE_ORPHANED_FIN_WAIT_2:
		now = (struct tw_proof_mark){ sample->census.partial ? 0 : sample->census.at_usec,
					      sample->census.mini_fin_wait_2 };
		/* The subject's own number where it is a destination: a complete survey without it has none. */
		if (it->subject->has_destination)
			now = (struct tw_proof_mark){ surveyed_usec,
						      row ? row->held[TW_HOLDER_FIN_WAIT_2_ORPHANED] : 0 };
		break;
	case TW_EVIDENCE_SHARED_PORTS:
		now = (struct tw_proof_mark){ surveyed_usec, sample->survey.bound_first_ports };
		break;
	}
	return now.at_usec == 0 ? (struct tw_proof_mark){ 0 } : now;
}

/* Of one that is no destination any window is, but nobody takes over what is blocked for all. */
static bool is_of_subject(const struct tw_proof_case *it, const struct tw_takeovers *seen)
{
	return seen->from_usec != 0 && !it->sample->survey.partial && !it->subject->holds_for_all &&
	       !it->subject->has_binder &&
	       (!it->subject->has_destination || memcmp(&seen->key, &it->subject->destination, sizeof(seen->key)) == 0);
}

/* ---- before the change */

/* What would show that it helps although it was not in force: made by resets, by destroys, by the programs. */
static void watch_noise(struct tw_proof *proof, const struct tw_proof_case *it)
{
	const struct tw_live_value *live = &it->sample->gauge.sysctls[it->tunable];
	const struct tw_survey *survey = &it->sample->survey;
	bool takeovers = evidence_of(it) == TW_EVIDENCE_TAKEOVERS;
	usec_t began_usec = takeovers ? survey->takeovers.from_usec : survey->at_usec;

	/* What is live does what the change would do: set for another alert, by somebody else, or just put back. */
	if (live->known && (takeovers ? tw_reuse_in_force(live->value.numbers[0], &survey->takeovers.key)
				      : live->value.numbers[0] != 0))
		proof->seen_usec = it->now_usec;
	else if (began_usec > proof->seen_usec && !survey->partial &&
		 (takeovers ? is_of_subject(it, &survey->takeovers) && survey->takeovers.early > 0
			    : survey->shared_ports > 0))
		proof->noisy = true;
}

/* Where the window before the change begins: with the alert, and half a minute to a minute ago where that is long. */
static void watch_window(struct tw_proof *proof, const struct tw_proof_case *it)
{
	struct tw_proof_mark now = measure(it);

	if (!it->over)
		proof->first = proof->middle = (struct tw_proof_mark){ 0 };
	else if (proof->first.at_usec == 0)
		proof->first = proof->middle = now;
	else if (now.at_usec != 0 && tw_usec_since(now.at_usec, proof->middle.at_usec) >= WINDOW_MAX_USEC / 2) {
		proof->first = proof->middle;
		proof->middle = now;
	}
}

/* ---- after the change */

/* Each window since the change counts once. */
static void take_in(struct tw_proof *proof, const struct tw_proof_case *it)
{
	const struct tw_takeovers *seen = &it->sample->survey.takeovers;
	const struct tw_destination_row *row = row_of(it);
	int64_t before = proof->base == proof->value.numbers[0] ? 2 : proof->base;

	/* Nor do take-overs tell that need no change: of the namespace as a whole loopback is a part, which 2 covers.
	 */
	if ((!it->subject->has_destination && tw_reuse_in_force(before, &seen->key)) || !is_of_subject(it, seen) ||
	    seen->from_usec < proof->since_usec || seen->until_usec <= proof->seen_usec)
		return;
	proof->seen_usec = seen->until_usec;
	proof->taken += seen->taken;
	proof->taken_usec += seen->until_usec - seen->from_usec;
	/*
	 * A port that is tried is free, or waits: of those that were opened at least so many met one that waits. Where
	 * some are gone early that no reuse accounts for, nothing is known.
	 */
	if (seen->early > 0 || seen->near_ports == 0 || (uint64_t)seen->waiting * WAITING_SHARE < seen->near_ports)
		return;
	proof->expected_milli += (uint64_t)seen->opened * 1000 * seen->waiting / seen->near_ports;
	/* What bind() has taken before connect() goes there in any case. */
	if (row && row->bound_first_known && row->bound_first == 0)
		proof->expected_milli += (uint64_t)seen->passed * 1000;
}

static enum tw_proof_edge answer_takeovers(struct tw_proof *proof, const struct tw_proof_case *it)
{
	const struct tw_survey *survey = &it->sample->survey;
	const struct tw_destination_row *row = row_of(it);

	take_in(proof, it);
	/*
	 * Once those that wait fill all that connect() looks at first, new connections pass them by on other ports:
	 * what is opened among them tells no more, but the survey does.
	 */
	if (row && row->reuse_refuted && !survey->partial && survey->at_usec > proof->since_usec)
		proof->refuted = true;
	if (proof->taken > 0)
		return proof->noisy ? TW_PROOF_EDGE_NOT_TESTED : TW_PROOF_EDGE_HELPED;
	return proof->expected_milli >= EXPECTED_MIN * 1000 || proof->refuted ? TW_PROOF_EDGE_NO_DIFFERENCE
									      : TW_PROOF_EDGE_NOT_TESTED;
}

static struct tw_proof_window window_between(const struct tw_proof_mark *from, const struct tw_proof_mark *to)
{
	return (struct tw_proof_window){ to->number - TW_MIN(from->number, to->number),
					 tw_usec_since(to->at_usec, from->at_usec) };
}

/*
 * TIME-WAIT beyond the old value is what would have overflowed: as long as there is some, it helps, however many more
 * connections come than before.
 */
static enum tw_proof_edge judge_overflow(const struct tw_proof *proof, const struct tw_proof_case *it)
{
	uint64_t base = (uint64_t)TW_MAX(proof->base, 0);
	const struct tw_proof_window *before = &proof->before, *after = &proof->after;
	bool used = proof->most > base;

	if (after->number == 0)
		return used ? TW_PROOF_EDGE_HELPED : TW_PROOF_EDGE_NOT_TESTED;
	if (it->climbs)
		return TW_PROOF_NO_EDGE;
	/* Less by a tenth. Ticks are late: windows of about the same length are compared by their rates. */
	if (used && (unsigned __int128)after->number * before->span_usec * 10 <=
			    (unsigned __int128)before->number * after->span_usec * 9)
		return TW_PROOF_EDGE_HELPED;
	return base > 0 && (unsigned __int128)proof->most * 10 <= (unsigned __int128)base * 11
		       ? TW_PROOF_EDGE_NO_DIFFERENCE
		       : TW_PROOF_NO_EDGE;
}

static enum tw_proof_edge answer_overflow(struct tw_proof *proof, const struct tw_proof_case *it,
					  const struct tw_proof_mark *now)
{
	if (now->at_usec == 0 || proof->first.at_usec == 0 || proof->changed.at_usec == 0)
		return TW_PROOF_EDGE_NOT_TESTED;
	if (now->at_usec <= proof->since_usec)
		return TW_PROOF_NO_EDGE;
	proof->before = window_between(&proof->first, &proof->changed);
	proof->most = TW_MAX(proof->most, it->sample->gauge.time_wait);
	if (proof->middle.at_usec == 0)
		proof->middle = *now;
	if (tw_usec_since(now->at_usec, proof->middle.at_usec) >=
	    TW_MAX(TW_MIN(proof->before.span_usec, WINDOW_MAX_USEC), WINDOW_MIN_USEC)) {
		proof->after = window_between(&proof->middle, now);
		proof->middle = *now;
	}
	return proof->after.span_usec > 0 ? judge_overflow(proof, it) : TW_PROOF_NO_EDGE;
}

/* As of N that arrive in the old time, N * new / old arrive in the new one; half as many, and fewer come than did. */
static bool has_less_fin_wait_2(const struct tw_proof *proof, unsigned __int128 now)
{
	unsigned __int128 before = proof->changed.number;
	int64_t old = proof->base, new = proof->value.numbers[0];

	return before >= EXPECTED_MIN && old > new &&now * 10 <= before * 9 &&
	       now *(uint64_t)old * 2 >= before *(uint64_t) new;
}

/* The kernel shares a port once bind() finds none that is free (inet_csk_find_open_port()). */
static enum tw_proof_edge answer_shared(const struct tw_proof *proof, const struct tw_survey *survey,
					const struct tw_proof_mark *now)
{
	if (survey->shared_ports > 0)
		return proof->noisy ? TW_PROOF_EDGE_NOT_TESTED : TW_PROOF_EDGE_HELPED;
	return proof->changed.at_usec != 0 && window_between(&proof->changed, now).number >= EXPECTED_MIN &&
			       (uint64_t)survey->exclusive_ports * 100 >= (uint64_t)survey->usable * NEARLY_ALL
		       ? TW_PROOF_EDGE_NO_DIFFERENCE
		       : TW_PROOF_EDGE_NOT_TESTED;
}

/* While it waits: what is known by now. `due_usec`: evidence in one number that is older is none. */
static enum tw_proof_edge answer(struct tw_proof *proof, const struct tw_proof_case *it, usec_t due_usec)
{
	struct tw_proof_mark now = measure(it);

	switch (evidence_of(it)) {
	case TW_EVIDENCE_NONE:
		break;
	case TW_EVIDENCE_TAKEOVERS:
		return answer_takeovers(proof, it);
	case TW_EVIDENCE_OVERFLOW:
		return answer_overflow(proof, it, &now);
	case TW_EVIDENCE_ORPHANED_FIN_WAIT_2:
		if (now.at_usec < due_usec)
			return TW_PROOF_NO_EDGE;
		/* That they did not fall can be their arrivals, which nobody counts. */
		return has_less_fin_wait_2(proof, now.number) ? TW_PROOF_EDGE_HELPED : TW_PROOF_EDGE_NOT_TESTED;
	case TW_EVIDENCE_SHARED_PORTS:
		return now.at_usec < due_usec ? TW_PROOF_NO_EDGE : answer_shared(proof, &it->sample->survey, &now);
	}
	return TW_PROOF_EDGE_NOT_TESTED;
}

/* ---- its states */

static void enter(struct tw_proof *proof, enum tw_proof_state state, usec_t now_usec)
{
	proof->state = state;
	proof->since_usec = now_usec;
}

static void begin(struct tw_proof *proof, const struct tw_proof_case *it)
{
	const struct tw_live_value *live = &it->sample->gauge.sysctls[it->tunable];
	bool again = proof->state == TW_PROOF_WAITING || proof->state == TW_PROOF_PROVED;

	*proof = (struct tw_proof){
		.noisy = proof->noisy,
		.value = *it->value,
		.first = proof->first,
		.before = proof->before,
		.seen_usec = it->now_usec,
		/* The gauge that a change rests on is older than the change: it holds the value of before. */
		.base = again	      ? proof->base
			: live->known ? live->value.numbers[0]
				      : 0,
		.changed = again && proof->changed.at_usec != 0 ? proof->changed : measure(it),
	};
	enter(proof, it->rule->proof && evidence_of(it) != TW_EVIDENCE_NONE ? TW_PROOF_WAITING : TW_PROOF_PROVED,
	      it->now_usec);
}

static enum tw_proof_edge conclude(struct tw_proof *proof, const struct tw_proof_case *it)
{
	int64_t most = tw_tunable_info(it->tunable)->high, old = TW_MAX(TW_MIN(proof->base, most), 0);
	/* Sockets in FIN-WAIT-2 of before the change keep the time that they have. */
	usec_t left_usec = evidence_of(it) == TW_EVIDENCE_ORPHANED_FIN_WAIT_2 ? (usec_t)old * TW_USEC_PER_SEC : 0;
	usec_t due_usec = tw_usec_add(proof->since_usec, TW_MAX(it->proof_after_usec, left_usec));
	enum tw_proof_edge said = answer(proof, it, due_usec);

	if (it->now_usec < due_usec || (said == TW_PROOF_EDGE_NOT_TESTED && proof->untested_told) ||
	    (said == TW_PROOF_EDGE_NO_DIFFERENCE && it->climbs))
		return TW_PROOF_NO_EDGE;
	proof->untested_told |= said == TW_PROOF_EDGE_NOT_TESTED;
	if (said == TW_PROOF_EDGE_HELPED)
		enter(proof, TW_PROOF_PROVED, it->now_usec);
	if (said != TW_PROOF_EDGE_NO_DIFFERENCE)
		return said;
	proof->cooldown_usec = it->rule->cooldown_usec;
	/* Without a rest it would be put back and made again for ever: it stays, told once. */
	enter(proof, it->rule->cooldown_usec > 0 ? TW_PROOF_RESTING : TW_PROOF_PROVED, it->now_usec);
	if (proof->state == TW_PROOF_RESTING) /* the next try is held against what comes before it */
		proof->first = proof->middle = (struct tw_proof_mark){ 0 };
	return said;
}

usec_t tw_proof_rests(const struct tw_proof *proof, usec_t now_usec)
{
	return proof->state == TW_PROOF_RESTING
		       ? tw_usec_since(tw_usec_add(proof->since_usec, proof->cooldown_usec), now_usec)
		       : 0;
}

/* The change is over, or there is none: that something was seen without it stays for the next one. */
static void step_without(struct tw_proof *proof, const struct tw_proof_case *it)
{
	enum tw_evidence evidence = evidence_of(it);

	if (proof->state == TW_PROOF_WAITING || proof->state == TW_PROOF_PROVED)
		*proof = (struct tw_proof){ .noisy = proof->noisy };
	if (evidence == TW_EVIDENCE_TAKEOVERS || evidence == TW_EVIDENCE_SHARED_PORTS)
		watch_noise(proof, it);
	else if (evidence == TW_EVIDENCE_OVERFLOW)
		watch_window(proof, it);
}

enum tw_proof_edge tw_proof_step(struct tw_proof *proof, const struct tw_proof_case *it)
{
	if (proof->state == TW_PROOF_RESTING && tw_proof_rests(proof, it->now_usec) == 0)
		enter(proof, TW_PROOF_IDLE, it->now_usec);
	if (!it->value)
		step_without(proof, it);
	/* What rests is put back at the next step. */
	else if (proof->state == TW_PROOF_IDLE || !tw_tunable_equal(it->tunable, &proof->value, it->value))
		begin(proof, it);
	else if (proof->state == TW_PROOF_WAITING && it->rule->proof)
		return conclude(proof, it);
	else if (proof->state == TW_PROOF_WAITING)
		enter(proof, TW_PROOF_PROVED, it->now_usec);
	return TW_PROOF_NO_EDGE;
}

/* ---- in words */

static void explain_takeovers(const struct tw_proof *proof, const struct tw_proof_case *it, struct tw_text *text)
{
	const struct tw_destination_row *row = row_of(it);
	char bytes[TW_ENDPOINT_TEXT_MAX];
	struct tw_text to;

	tw_text_init(&to, bytes, sizeof(bytes));
	tw_endpoint_add(&to, &it->subject->destination.destination, it->subject->destination.port);
	if (proof->taken == 0 && proof->refuted) {
		if (!row || row->no_timestamps_usec == 0)
			tw_text_add(text, "all ports that connect() looks at first are held, and none that waits is "
					  "taken over: ");
		tw_text_addf(text, "the connections to %s have no TCP timestamps", bytes);
		return;
	}
	if (proof->taken_usec == 0) {
		tw_text_add(text, "nobody has looked at its sockets twice since");
		return;
	}
	tw_text_addf(text, "%" PRIu64 " ports in TIME-WAIT were taken over", proof->taken);
	if (it->subject->has_destination)
		tw_text_addf(text, " by connections to %s", bytes);
	tw_text_add(text, " in ");
	tw_value_add_span(text, proof->taken_usec);
	if (proof->taken == 0 && proof->expected_milli < 1000)
		tw_text_add(text, ", and none could be expected");
	else if (proof->taken == 0)
		tw_text_addf(text, ", of %" PRIu64 " that could be expected", proof->expected_milli / 1000);
	else if (proof->noisy)
		tw_text_add(text, ", as if it were in force before the change already");
}

void tw_proof_explain(const struct tw_proof *proof, const struct tw_proof_case *it, struct tw_text *text)
{
	struct tw_proof_mark now = measure(it);

	switch (evidence_of(it)) {
	case TW_EVIDENCE_NONE:
		return;
	case TW_EVIDENCE_TAKEOVERS:
		explain_takeovers(proof, it, text);
		return;
	case TW_EVIDENCE_OVERFLOW:
		tw_text_addf(text, "connections closed without TIME-WAIT: %" PRIu64 " in ", proof->before.number);
		tw_value_add_span(text, proof->before.span_usec);
		tw_text_addf(text, " before, %" PRIu64 " in ", proof->after.number);
		tw_value_add_span(text, proof->after.span_usec);
		tw_text_add(text, " after");
		return;
	case TW_EVIDENCE_ORPHANED_FIN_WAIT_2:
		tw_text_addf(text, "orphaned FIN-WAIT-2 %" PRIu64 " -> %" PRIu64, proof->changed.number, now.number);
		return;
	case TW_EVIDENCE_SHARED_PORTS:
		tw_text_addf(text, "%" PRIu32 " ports are shared by several destinations",
			     it->sample->survey.shared_ports);
	}
}
