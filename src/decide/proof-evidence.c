/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/proof-evidence.h"

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

/* NULL where the subject is no destination, or the survey has no row of it. */
static const struct tw_destination_row *row_of(const struct tw_proof_case *it)
{
	return it->subject->has_destination ? tw_survey_row(&it->sample->survey, &it->subject->destination) : NULL;
}

/* The subject's own number where it is a destination: a complete survey without it has none. */
static bool measure_orphaned(const struct tw_proof_case *it, struct tw_proof_mark *ret)
{
	const struct tw_survey *survey = &it->sample->survey;
	const struct tw_census *census = &it->sample->census;
	const struct tw_destination_row *row = row_of(it);

	if (it->subject->has_destination) {
		*ret = (struct tw_proof_mark){ survey->at_usec, row ? row->held[TW_HOLDER_FIN_WAIT_2_ORPHANED] : 0 };
		return survey->at_usec != 0 && !survey->partial;
	}
	*ret = (struct tw_proof_mark){ census->at_usec, census->mini_fin_wait_2 };
	return census->at_usec != 0 && !census->partial;
}

bool tw_proof_measure(const struct tw_proof_case *it, struct tw_proof_mark *ret)
{
	const struct tw_sample *sample = it->sample;
	const struct tw_count *overflow = &sample->gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW];

	switch (tw_tunable_info(it->tunable)->evidence) {
	case TW_EVIDENCE_NONE:
	case TW_EVIDENCE_TAKEOVERS:
		return false;
	case TW_EVIDENCE_OVERFLOW:
		*ret = (struct tw_proof_mark){ sample->gauge.at_usec, overflow->value };
		return overflow->known;
	case TW_EVIDENCE_ORPHANED_FIN_WAIT_2:
		return measure_orphaned(it, ret);
	case TW_EVIDENCE_SHARED_PORTS:
		*ret = (struct tw_proof_mark){ sample->survey.at_usec, sample->survey.bound_first_ports };
		return sample->survey.at_usec != 0 && !sample->survey.partial;
	}
	return false;
}

/*
 * Whether the window is the subject's: any is where that is no destination. What is blocked for all is taken over by
 * nobody.
 */
static bool is_of_subject(const struct tw_proof_case *it, const struct tw_takeovers *seen)
{
	return seen->from_usec != 0 && !it->sample->survey.partial && !it->subject->holds_for_all &&
	       !it->subject->has_binder &&
	       (!it->subject->has_destination || memcmp(&seen->key, &it->subject->destination, sizeof(seen->key)) == 0);
}

/* ---- before the change */

/* Whether what is live does what the change would do: set for another alert, by somebody else, or just put back. */
static bool is_live_already(const struct tw_proof_case *it)
{
	const struct tw_live_value *live = &it->sample->gauge.sysctls[it->tunable];

	if (!live->known)
		return false;
	return tw_tunable_info(it->tunable)->evidence == TW_EVIDENCE_TAKEOVERS
		       ? tw_reuse_in_force(live->value.numbers[0], &it->sample->survey.takeovers.key)
		       : live->value.numbers[0] != 0;
}

/* What would show that it helps although it was not in force: made by resets, by destroys, by the programs. */
static void watch_noise(struct tw_proof *proof, const struct tw_proof_case *it)
{
	const struct tw_survey *survey = &it->sample->survey;
	bool takeovers = tw_tunable_info(it->tunable)->evidence == TW_EVIDENCE_TAKEOVERS;
	usec_t began_usec = takeovers ? survey->takeovers.from_usec : survey->at_usec;

	if (is_live_already(it))
		proof->seen_usec = it->now_usec;
	else if (began_usec > proof->seen_usec && !survey->partial &&
		 (takeovers ? is_of_subject(it, &survey->takeovers) && survey->takeovers.early > 0
			    : survey->shared_ports > 0))
		proof->noisy = true;
}

/* Where the window before the change begins: with the alert, and half a minute to a minute ago where that is long. */
static void watch_window(struct tw_proof *proof, const struct tw_proof_case *it)
{
	struct tw_proof_mark now;

	if (!it->over)
		proof->first = proof->middle = (struct tw_proof_mark){ 0 };
	else if (!tw_proof_measure(it, &now))
		return;
	else if (proof->first.at_usec == 0)
		proof->first = proof->middle = now;
	else if (tw_usec_since(now.at_usec, proof->middle.at_usec) >= WINDOW_MAX_USEC / 2) {
		proof->first = proof->middle;
		proof->middle = now;
	}
}

void tw_proof_watch(struct tw_proof *proof, const struct tw_proof_case *it)
{
	switch (tw_tunable_info(it->tunable)->evidence) {
	case TW_EVIDENCE_NONE:
	case TW_EVIDENCE_ORPHANED_FIN_WAIT_2:
		return;
	case TW_EVIDENCE_TAKEOVERS:
	case TW_EVIDENCE_SHARED_PORTS:
		watch_noise(proof, it);
		return;
	case TW_EVIDENCE_OVERFLOW:
		watch_window(proof, it);
		return;
	}
}

/* ---- after the change */

/* Whether take-overs there need no change: of the namespace as a whole loopback is a part, which 2 covers. */
static bool is_covered(const struct tw_proof *proof, const struct tw_proof_case *it, const struct tw_takeovers *seen)
{
	int64_t before = proof->base == proof->value.numbers[0] ? 2 : proof->base;

	return !it->subject->has_destination && tw_reuse_in_force(before, &seen->key);
}

/* Each window since the change counts once. */
static void take_in(struct tw_proof *proof, const struct tw_proof_case *it)
{
	const struct tw_takeovers *seen = &it->sample->survey.takeovers;
	const struct tw_destination_row *row = row_of(it);

	if (is_covered(proof, it, seen))
		return;
	if (!is_of_subject(it, seen) || seen->from_usec < proof->since_usec || seen->until_usec <= proof->seen_usec)
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

/*
 * Once those that wait fill all that connect() looks at first, new connections pass them by on other ports: what is
 * opened among them tells no more, but the survey does.
 */
static bool is_refuted(const struct tw_proof *proof, const struct tw_proof_case *it)
{
	const struct tw_survey *survey = &it->sample->survey;
	const struct tw_destination_row *row = row_of(it);

	return row && row->reuse_refuted && !survey->partial && survey->at_usec > proof->since_usec;
}

static enum tw_proof_answer answer_takeovers(struct tw_proof *proof, const struct tw_proof_case *it)
{
	take_in(proof, it);
	proof->refuted = proof->refuted || is_refuted(proof, it);
	if (proof->taken > 0)
		return proof->noisy ? TW_PROOF_ANSWER_UNTESTED : TW_PROOF_ANSWER_HELPED;
	return proof->expected_milli >= EXPECTED_MIN * 1000 || proof->refuted ? TW_PROOF_ANSWER_NO_DIFFERENCE
									      : TW_PROOF_ANSWER_UNTESTED;
}

static uint64_t grown(const struct tw_proof_mark *from, const struct tw_proof_mark *to)
{
	return to->number > from->number ? to->number - from->number : 0;
}

static struct tw_proof_window window_between(const struct tw_proof_mark *from, const struct tw_proof_mark *to)
{
	return (struct tw_proof_window){ grown(from, to), tw_usec_since(to->at_usec, from->at_usec) };
}

/* By a tenth at least. Ticks are late: windows of about the same length are held against each other by their rates. */
static bool is_less(const struct tw_proof_window *a, const struct tw_proof_window *b)
{
	return (unsigned __int128)a->number * b->span_usec * 10 <= (unsigned __int128)b->number * a->span_usec * 9;
}

/*
 * TIME-WAIT beyond the old value is what would have overflowed: as long as there is some, it helps, however many more
 * connections come than before.
 */
static enum tw_proof_answer judge_overflow(const struct tw_proof *proof, const struct tw_proof_case *it)
{
	uint64_t base = (uint64_t)TW_MAX(proof->base, 0);
	bool used = proof->most > base;

	if (proof->after.number == 0)
		return used ? TW_PROOF_ANSWER_HELPED : TW_PROOF_ANSWER_UNTESTED;
	if (it->climbs)
		return TW_PROOF_ANSWER_WAIT;
	if (used && is_less(&proof->after, &proof->before))
		return TW_PROOF_ANSWER_HELPED;
	return base > 0 && (unsigned __int128)proof->most * 10 <= (unsigned __int128)base * 11
		       ? TW_PROOF_ANSWER_NO_DIFFERENCE
		       : TW_PROOF_ANSWER_WAIT;
}

static enum tw_proof_answer answer_overflow(struct tw_proof *proof, const struct tw_proof_case *it)
{
	struct tw_proof_mark now;

	if (!tw_proof_measure(it, &now) || proof->first.at_usec == 0 || proof->changed.at_usec == 0)
		return TW_PROOF_ANSWER_UNTESTED;
	if (now.at_usec <= proof->since_usec)
		return TW_PROOF_ANSWER_WAIT;
	proof->before = window_between(&proof->first, &proof->changed);
	proof->most = TW_MAX(proof->most, it->sample->gauge.time_wait);
	if (proof->middle.at_usec == 0)
		proof->middle = now;
	if (tw_usec_since(now.at_usec, proof->middle.at_usec) >=
	    TW_MAX(TW_MIN(proof->before.span_usec, WINDOW_MAX_USEC), WINDOW_MIN_USEC)) {
		proof->after = window_between(&proof->middle, &now);
		proof->middle = now;
	}
	return proof->after.span_usec > 0 ? judge_overflow(proof, it) : TW_PROOF_ANSWER_WAIT;
}

/* As of N that arrive in the old time, N * new / old arrive in the new one; half as many, and fewer come than did. */
static enum tw_proof_answer answer_fin_wait_2(struct tw_proof *proof, const struct tw_proof_case *it, usec_t due_usec)
{
	int64_t old = proof->base, new = proof->value.numbers[0];
	uint64_t before = proof->changed.number;
	struct tw_proof_mark now;

	if (!tw_proof_measure(it, &now) || now.at_usec < due_usec)
		return TW_PROOF_ANSWER_WAIT;
	/* That they did not fall can be their arrivals, which nobody counts. */
	return before >= EXPECTED_MIN && old > new &&
			       (unsigned __int128)now.number * 10 <= (unsigned __int128)before * 9 &&
			       (unsigned __int128)now.number *(uint64_t)old * 2 >=
				       (unsigned __int128)before *(uint64_t) new
		       ? TW_PROOF_ANSWER_HELPED
		       : TW_PROOF_ANSWER_UNTESTED;
}

/* The kernel shares a port once bind() finds none that is free (inet_csk_find_open_port()). */
static enum tw_proof_answer answer_shared(struct tw_proof *proof, const struct tw_proof_case *it, usec_t due_usec)
{
	const struct tw_survey *survey = &it->sample->survey;
	struct tw_proof_mark now;

	if (!tw_proof_measure(it, &now) || now.at_usec < due_usec)
		return TW_PROOF_ANSWER_WAIT;
	if (survey->shared_ports > 0)
		return proof->noisy ? TW_PROOF_ANSWER_UNTESTED : TW_PROOF_ANSWER_HELPED;
	return proof->changed.at_usec != 0 && grown(&proof->changed, &now) >= EXPECTED_MIN &&
			       (uint64_t)survey->exclusive_ports * 100 >= (uint64_t)survey->usable * NEARLY_ALL
		       ? TW_PROOF_ANSWER_NO_DIFFERENCE
		       : TW_PROOF_ANSWER_UNTESTED;
}

enum tw_proof_answer tw_proof_answer(struct tw_proof *proof, const struct tw_proof_case *it, usec_t due_usec)
{
	switch (tw_tunable_info(it->tunable)->evidence) {
	case TW_EVIDENCE_TAKEOVERS:
		return answer_takeovers(proof, it);
	case TW_EVIDENCE_OVERFLOW:
		return answer_overflow(proof, it);
	case TW_EVIDENCE_ORPHANED_FIN_WAIT_2:
		return answer_fin_wait_2(proof, it, due_usec);
	case TW_EVIDENCE_SHARED_PORTS:
		return answer_shared(proof, it, due_usec);
	case TW_EVIDENCE_NONE:
		break;
	}
	return TW_PROOF_ANSWER_UNTESTED;
}

/* ---- in words */

static void explain_takeovers(const struct tw_proof *proof, const struct tw_proof_case *it, struct tw_text *text)
{
	const struct tw_destination_row *row = row_of(it);

	if (proof->taken == 0 && proof->refuted) {
		if (!row || row->no_timestamps_usec == 0)
			tw_text_add(text, "all ports that connect() looks at first are held, and none that waits is "
					  "taken over: ");
		tw_text_add(text, "the connections to ");
		tw_endpoint_add(text, &it->subject->destination.destination, it->subject->destination.port);
		tw_text_add(text, " have no TCP timestamps");
		return;
	}
	if (proof->taken_usec == 0) {
		tw_text_add(text, "nobody has looked at its sockets twice since");
		return;
	}
	tw_text_addf(text, "%" PRIu64 " ports in TIME-WAIT were taken over", proof->taken);
	if (it->subject->has_destination) {
		tw_text_add(text, " by connections to ");
		tw_endpoint_add(text, &it->subject->destination.destination, it->subject->destination.port);
	}
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
	struct tw_proof_mark now = { 0 };

	(void)tw_proof_measure(it, &now);
	switch (tw_tunable_info(it->tunable)->evidence) {
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
		return;
	}
}
