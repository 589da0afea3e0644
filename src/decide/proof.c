/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/proof.h"

#include "base/macros.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

void tw_proof_init(struct tw_proof *proof)
{
	memset(proof, 0, sizeof(*proof));
}

static struct tw_proof_look look(const struct tw_evidence *evidence, const struct tw_sample *sample)
{
	struct tw_proof_look now = { 0 };

	if (evidence->by_counter)
		now.counter = sample->gauge.counters[evidence->grows];
	if (evidence->by_metric) {
		now.metric = tw_sample_metric(sample, evidence->falls);
		now.metric_at_usec = tw_sample_metric_at(sample, evidence->falls);
	}
	return now;
}

/* What is 0 cannot fall. */
static bool can_fall(const struct tw_proof_look *before)
{
	return before->metric.known && before->metric.milli > 0;
}

/* A counter that went back was made anew, and tells nothing of what lies before. */
static bool counted(const struct tw_proof_look *before, const struct tw_proof_look *after)
{
	return before->counter.known && after->counter.known && after->counter.value >= before->counter.value;
}

static bool grew(const struct tw_proof_look *before, const struct tw_proof_look *after)
{
	return counted(before, after) && after->counter.value > before->counter.value;
}

/* By a tenth or more. */
static bool fell(const struct tw_proof_look *before, const struct tw_proof_look *after)
{
	return can_fall(before) && after->metric.known &&
	       (__int128)after->metric.milli * 10 <= (__int128)before->metric.milli * 9;
}

static void enter(struct tw_proof *proof, enum tw_proof_state state, usec_t now_usec)
{
	proof->state = state;
	proof->since_usec = now_usec;
}

/* The gauge that a change rests on is older than the change: it holds the value of before. */
static usec_t time_to_run_out(enum tw_tunable tunable, const struct tw_sample *sample)
{
	const struct tw_live_value *old = &sample->gauge.sysctls[tunable];
	int64_t seconds = old->known ? old->value.numbers[0] : 0;

	if (!tw_tunable_info(tunable)->evidence.runs_out || seconds <= 0)
		return 0;
	return (usec_t)TW_MIN(seconds, tw_tunable_info(tunable)->high) * TW_USEC_PER_SEC;
}

static void begin(struct tw_proof *proof, enum tw_tunable tunable, const struct tw_tunable_value *value,
		  const struct tw_rule_settings *rule, const struct tw_sample *sample, usec_t now_usec)
{
	bool measurable;

	proof->value = *value;
	proof->before = look(&tw_tunable_info(tunable)->evidence, sample);
	proof->old_usec = time_to_run_out(tunable, sample);
	measurable = proof->before.counter.known || can_fall(&proof->before);
	enter(proof, rule->proof && measurable ? TW_PROOF_WAITING : TW_PROOF_PROVED, now_usec);
}

static enum tw_proof_edge conclude(struct tw_proof *proof, const struct tw_evidence *evidence,
				   const struct tw_rule_settings *rule, usec_t proof_after_usec,
				   const struct tw_sample *sample, usec_t now_usec)
{
	usec_t due_usec = tw_usec_add(proof->since_usec, TW_MAX(proof_after_usec, proof->old_usec));
	struct tw_proof_look after = look(evidence, sample);

	if (now_usec < due_usec)
		return TW_PROOF_NO_EDGE;
	if (after.metric_at_usec < due_usec)
		after.metric = tw_value_unknown();
	if (grew(&proof->before, &after) || fell(&proof->before, &after)) {
		enter(proof, TW_PROOF_PROVED, now_usec);
		return TW_PROOF_EDGE_HELPED;
	}
	if (can_fall(&proof->before) && !after.metric.known)
		return TW_PROOF_NO_EDGE; /* its measurement is yet to come */
	if (!can_fall(&proof->before) && !counted(&proof->before, &after)) {
		enter(proof, TW_PROOF_PROVED, now_usec);
		return TW_PROOF_NO_EDGE;
	}
	proof->cooldown_usec = rule->cooldown_usec;
	/* Without a rest it would be put back and made again for ever: it stays, told once. */
	enter(proof, rule->cooldown_usec > 0 ? TW_PROOF_RESTING : TW_PROOF_PROVED, now_usec);
	return TW_PROOF_EDGE_NO_DIFFERENCE;
}

bool tw_proof_rests(const struct tw_proof *proof, usec_t now_usec, usec_t *ret_left_usec)
{
	usec_t rested_usec = tw_usec_since(now_usec, proof->since_usec);

	if (proof->state != TW_PROOF_RESTING || rested_usec >= proof->cooldown_usec)
		return false;
	*ret_left_usec = proof->cooldown_usec - rested_usec;
	return true;
}

enum tw_proof_edge tw_proof_step(struct tw_proof *proof, enum tw_tunable tunable, const struct tw_tunable_value *value,
				 const struct tw_rule_settings *rule, usec_t proof_after_usec,
				 const struct tw_sample *sample, usec_t now_usec)
{
	const struct tw_evidence *evidence = &tw_tunable_info(tunable)->evidence;
	usec_t left_usec;

	if (proof->state == TW_PROOF_RESTING && !tw_proof_rests(proof, now_usec, &left_usec))
		tw_proof_init(proof);
	if (!value) {
		if (proof->state != TW_PROOF_RESTING)
			tw_proof_init(proof);
		return TW_PROOF_NO_EDGE;
	}
	if (proof->state == TW_PROOF_IDLE || !tw_tunable_equal(tunable, &proof->value, value)) {
		begin(proof, tunable, value, rule, sample, now_usec);
		return TW_PROOF_NO_EDGE;
	}
	if (proof->state != TW_PROOF_WAITING)
		return TW_PROOF_NO_EDGE;
	if (!rule->proof) {
		enter(proof, TW_PROOF_PROVED, now_usec);
		return TW_PROOF_NO_EDGE;
	}
	return conclude(proof, evidence, rule, proof_after_usec, sample, now_usec);
}

void tw_proof_explain(const struct tw_proof *proof, enum tw_tunable tunable, const struct tw_sample *sample,
		      struct tw_text *text)
{
	const struct tw_evidence *evidence = &tw_tunable_info(tunable)->evidence;
	const struct tw_proof_look *before = &proof->before;
	struct tw_proof_look after = look(evidence, sample);
	const char *divider = "";

	if (before->counter.known && after.counter.known) {
		tw_text_addf(text, "%s %" PRIu64 " -> %" PRIu64, tw_counter_name(evidence->grows),
			     before->counter.value, after.counter.value);
		divider = ", ";
	}
	if (before->metric.known && after.metric.known && after.metric_at_usec > before->metric_at_usec) {
		const struct tw_metric_info *info = tw_metric_info(evidence->falls);

		tw_text_addf(text, "%s%s ", divider, info->name);
		tw_value_add(text, before->metric, info->unit);
		tw_text_add(text, " -> ");
		tw_value_add(text, after.metric, info->unit);
	}
}
