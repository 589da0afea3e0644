/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/proof.h"

#include "base/macros.h"
#include "decide/proof-evidence.h"

#include <string.h>

static void enter(struct tw_proof *proof, enum tw_proof_state state, usec_t now_usec)
{
	proof->state = state;
	proof->since_usec = now_usec;
}

static void begin(struct tw_proof *proof, const struct tw_proof_case *it)
{
	const struct tw_live_value *live = &it->sample->gauge.sysctls[it->tunable];
	bool again = proof->state == TW_PROOF_WAITING || proof->state == TW_PROOF_PROVED;
	bool claims = it->rule->proof && tw_tunable_info(it->tunable)->evidence != TW_EVIDENCE_NONE;

	proof->value = *it->value;
	proof->untested_told = false;
	proof->middle = (struct tw_proof_mark){ 0 };
	proof->after = (struct tw_proof_window){ 0 };
	proof->most = 0;
	proof->taken = proof->expected_milli = 0;
	proof->taken_usec = 0;
	proof->refuted = false;
	proof->seen_usec = it->now_usec;
	/* The gauge that a change rests on is older than the change: it holds the value of before. */
	if (!again) {
		proof->base = live->known ? live->value.numbers[0] : 0;
		proof->changed = (struct tw_proof_mark){ 0 };
	}
	if (proof->changed.at_usec == 0)
		(void)tw_proof_measure(it, &proof->changed);
	enter(proof, claims ? TW_PROOF_WAITING : TW_PROOF_PROVED, it->now_usec);
}

/* Sockets in FIN-WAIT-2 of before the change keep the time that they have. */
static usec_t time_to_run_out(const struct tw_proof *proof, const struct tw_proof_case *it)
{
	if (tw_tunable_info(it->tunable)->evidence != TW_EVIDENCE_ORPHANED_FIN_WAIT_2 || proof->base <= 0)
		return 0;
	return (usec_t)TW_MIN(proof->base, tw_tunable_info(it->tunable)->high) * TW_USEC_PER_SEC;
}

static enum tw_proof_edge conclude(struct tw_proof *proof, const struct tw_proof_case *it)
{
	usec_t after_usec = TW_MAX(it->proof_after_usec, time_to_run_out(proof, it));
	usec_t due_usec = tw_usec_add(proof->since_usec, after_usec);
	enum tw_proof_answer said = tw_proof_answer(proof, it, due_usec);

	if (it->now_usec < due_usec)
		return TW_PROOF_NO_EDGE;
	switch (said) {
	case TW_PROOF_ANSWER_WAIT:
		return TW_PROOF_NO_EDGE;
	case TW_PROOF_ANSWER_UNTESTED:
		if (proof->untested_told)
			return TW_PROOF_NO_EDGE;
		proof->untested_told = true;
		return TW_PROOF_EDGE_NOT_TESTED;
	case TW_PROOF_ANSWER_HELPED:
		enter(proof, TW_PROOF_PROVED, it->now_usec);
		return TW_PROOF_EDGE_HELPED;
	case TW_PROOF_ANSWER_NO_DIFFERENCE:
		if (it->climbs)
			return TW_PROOF_NO_EDGE;
		proof->cooldown_usec = it->rule->cooldown_usec;
		/* Without a rest it would be put back and made again for ever: it stays, told once. */
		enter(proof, it->rule->cooldown_usec > 0 ? TW_PROOF_RESTING : TW_PROOF_PROVED, it->now_usec);
		if (proof->state == TW_PROOF_RESTING) /* the next try is held against what comes before it */
			proof->first = proof->middle = (struct tw_proof_mark){ 0 };
		return TW_PROOF_EDGE_NO_DIFFERENCE;
	}
	return TW_PROOF_NO_EDGE;
}

bool tw_proof_rests(const struct tw_proof *proof, usec_t now_usec, usec_t *ret_left_usec)
{
	usec_t rested_usec = tw_usec_since(now_usec, proof->since_usec);

	if (proof->state != TW_PROOF_RESTING || rested_usec >= proof->cooldown_usec)
		return false;
	*ret_left_usec = proof->cooldown_usec - rested_usec;
	return true;
}

bool tw_proof_wants_takeovers(const struct tw_proof *proof)
{
	return proof->state == TW_PROOF_WAITING || proof->state == TW_PROOF_IDLE;
}

/* The change is over, or there is none: that something was seen without it stays for the next one. */
static void step_without(struct tw_proof *proof, const struct tw_proof_case *it)
{
	bool noisy = proof->noisy;

	if (proof->state == TW_PROOF_WAITING || proof->state == TW_PROOF_PROVED) {
		memset(proof, 0, sizeof(*proof));
		proof->noisy = noisy;
	}
	tw_proof_watch(proof, it);
}

enum tw_proof_edge tw_proof_step(struct tw_proof *proof, const struct tw_proof_case *it)
{
	usec_t left_usec;

	if (proof->state == TW_PROOF_RESTING && !tw_proof_rests(proof, it->now_usec, &left_usec))
		enter(proof, TW_PROOF_IDLE, it->now_usec);
	if (!it->value) {
		step_without(proof, it);
		return TW_PROOF_NO_EDGE;
	}
	/* What rests is put back at the next step. */
	if (proof->state == TW_PROOF_IDLE || !tw_tunable_equal(it->tunable, &proof->value, it->value)) {
		begin(proof, it);
		return TW_PROOF_NO_EDGE;
	}
	if (proof->state != TW_PROOF_WAITING)
		return TW_PROOF_NO_EDGE;
	if (!it->rule->proof) {
		enter(proof, TW_PROOF_PROVED, it->now_usec);
		return TW_PROOF_NO_EDGE;
	}
	return conclude(proof, it);
}
