/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/proof.h"

/* What a sample shows of a change: the part of the proof that knows the tunables, apart from its states. */
enum tw_proof_answer {
	TW_PROOF_ANSWER_WAIT,
	TW_PROOF_ANSWER_UNTESTED,
	TW_PROOF_ANSWER_HELPED,
	TW_PROOF_ANSWER_NO_DIFFERENCE,
};

/* Of what grows or falls in one number. Returns false where the sample does not tell. */
bool tw_proof_measure(const struct tw_proof_case *it, struct tw_proof_mark *ret);

/* While it is not in force: what it will be held against. */
void tw_proof_watch(struct tw_proof *proof, const struct tw_proof_case *it);

/* While it waits: what is known by now. `due_usec`: evidence in one number that is older is none. */
enum tw_proof_answer tw_proof_answer(struct tw_proof *proof, const struct tw_proof_case *it, usec_t due_usec);
