/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/judge.h"

#include "base/text.h"
#include "decide/gate.h"

#include <string.h>

/* One tunable's hearing: what the parts of it need. */
struct hearing {
	enum tw_tunable tunable;
	const struct tw_desire *desire;
	const struct tw_sample *sample;
	usec_t now_usec;
	struct tw_recorder *recorder;
	const char *namespace;
};

/* The hearing of one tunable at the court's time and place. */
static struct hearing hear(const struct hearing *court, enum tw_tunable tunable, const struct tw_desires *desires)
{
	struct hearing hearing = *court;

	hearing.tunable = tunable;
	hearing.desire = &desires->rows[tunable];
	return hearing;
}

void tw_judge_init(struct tw_judge *judge)
{
	memset(judge, 0, sizeof(*judge));
	for (size_t i = 0; i < TW_ARRAY_SIZE(judge->rows); i++)
		tw_proof_init(&judge->rows[i].proof);
}

static void add_span(struct tw_text *text, usec_t span_usec)
{
	tw_value_add(text, tw_value_of((int64_t)(span_usec / TW_USEC_PER_MSEC)), TW_UNIT_SECONDS);
}

static struct tw_event hearing_event(const struct hearing *it, enum tw_event_kind kind, enum tw_severity severity)
{
	return (struct tw_event){
		.kind = kind,
		.severity = severity,
		.rule = it->desire->rule,
		.has_sysctl = true,
		.sysctl = it->tunable,
		.subject = it->desire->subject,
	};
}

/* ---- before the change */

static struct tw_event refused_event(const struct hearing *it)
{
	struct tw_event event = hearing_event(it, TW_EVENT_REFUSED, TW_SEVERITY_WARNING);

	event.has_metric = true;
	event.metric = it->desire->rule->metric;
	event.value = it->desire->metric_value;
	event.old = it->sample->gauge.sysctls[it->tunable];
	event.new = (struct tw_live_value){ .value = it->desire->value, .known = true };
	return event;
}

static void tell_refused(const struct hearing *it, enum tw_gate_verdict verdict)
{
	struct tw_event event = refused_event(it);
	struct tw_text reason, advice;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	tw_gate_explain(verdict, it->tunable, it->sample, &reason, &advice);
	it->recorder->tell(it->recorder, it->namespace, &event);
}

static void tell_resting(const struct hearing *it, const struct tw_proof *proof, usec_t left_usec)
{
	struct tw_event event = refused_event(it);
	struct tw_text reason;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_add(&reason, "it made no difference ");
	add_span(&reason, tw_usec_since(it->now_usec, proof->since_usec));
	tw_text_add(&reason, " ago, and rests for another ");
	add_span(&reason, left_usec);
	it->recorder->tell(it->recorder, it->namespace, &event);
}

/* Another value than the one that made no difference is another action. */
static bool rests(const struct tw_judge_row *row, const struct hearing *it, usec_t *ret_left_usec)
{
	return it->desire->rule->proof && tw_proof_rests(&row->proof, it->now_usec, ret_left_usec) &&
	       tw_tunable_equal(it->tunable, &row->rested, &it->desire->value);
}

static bool refuse_resting(struct tw_judge_row *row, const struct hearing *it)
{
	usec_t left_usec;
	bool resting = rests(row, it, &left_usec);

	if (resting && !row->rest_told)
		tell_resting(it, &row->proof, left_usec);
	row->rest_told = resting;
	return resting;
}

static usec_t pause_left(const struct tw_judge_row *row, usec_t now_usec)
{
	return tw_usec_since(tw_usec_add(row->paused_usec, row->pause_usec), now_usec);
}

void tw_judge_pause(struct tw_judge *judge, enum tw_tunable tunable, usec_t pause_usec, usec_t now_usec)
{
	struct tw_judge_row *row = &judge->rows[tunable];

	if (pause_left(row, now_usec) >= pause_usec)
		return;
	row->paused_usec = now_usec;
	row->pause_usec = pause_usec;
}

static bool refuse_paused(struct tw_judge_row *row, const struct hearing *it)
{
	usec_t left_usec = pause_left(row, it->now_usec);
	struct tw_event event;
	struct tw_text reason;

	if (left_usec > 0 && !row->pause_told) {
		event = refused_event(it);
		tw_text_init(&reason, event.reason, sizeof(event.reason));
		tw_text_add(&reason, "everything was put back on request ");
		add_span(&reason, tw_usec_since(it->now_usec, row->paused_usec));
		tw_text_add(&reason, " ago, and rests for another ");
		add_span(&reason, left_usec);
		it->recorder->tell(it->recorder, it->namespace, &event);
	}
	row->pause_told = left_usec > 0;
	return left_usec > 0;
}

static bool refuse_at_gate(struct tw_judge_row *row, const struct hearing *it)
{
	enum tw_gate_verdict verdict =
		it->desire->rule->gate ? tw_gate_check(it->tunable, &it->desire->value, it->sample) : TW_GATE_OPEN;
	bool refused = verdict != TW_GATE_OPEN;

	if (refused && !(row->refused_told && row->refused == (int)verdict))
		tell_refused(it, verdict);
	row->refused_told = refused;
	row->refused = (int)verdict;
	return refused;
}

static void tell_spent(const struct hearing *it, struct tw_judge_row *row, unsigned max_changes, usec_t wait_usec)
{
	struct tw_event event = refused_event(it);
	struct tw_text reason, advice;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_addf(&reason, "it was changed %u times within the last hour, and max-changes is %u; the next change ",
		     tw_budget_spent(&row->budget, it->now_usec), max_changes);
	tw_text_add(&reason, "can be in ");
	add_span(&reason, wait_usec);
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	tw_text_add(&advice, "a wider gap between raise and clear of the rule, or a longer clear-for");
	it->recorder->tell(it->recorder, it->namespace, &event);
}

/* What is in force stays: putting it back would be followed by one more change. */
static void hold(struct tw_judge_row *row, struct tw_desire *desire)
{
	if (row->was_ours)
		desire->value = row->was;
	else
		memset(desire, 0, sizeof(*desire));
}

/* Holds the row where the hour's changes are used up. Returns whether it did. */
static bool keep_budget(struct tw_judge_row *row, const struct hearing *it, struct tw_desire *desire,
			unsigned max_changes, bool yielded)
{
	bool changes = !yielded && !(row->was_ours && tw_tunable_equal(it->tunable, &row->was, &desire->value));
	usec_t wait_usec = max_changes > 0 ? tw_budget_wait(&row->budget, max_changes, it->now_usec) : 0;

	if (wait_usec == 0)
		row->budget_told = false;
	if (wait_usec == 0 || !changes)
		return false;
	if (!row->budget_told)
		tell_spent(it, row, max_changes, wait_usec);
	row->budget_told = true;
	hold(row, desire);
	return true;
}

void tw_judge_filter(struct tw_judge *judge, struct tw_desires *desires, const struct tw_in_force *in_force,
		     unsigned max_changes, const struct tw_sample *sample, usec_t now_usec,
		     struct tw_recorder *recorder, const char *namespace)
{
	const struct hearing court = {
		.sample = sample, .now_usec = now_usec, .recorder = recorder, .namespace = namespace
	};

	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		struct tw_judge_row *row = &judge->rows[i];
		const struct hearing hearing = hear(&court, (enum tw_tunable)i, desires);
		bool settled = in_force->rows[i].ours || in_force->rows[i].yielded;

		row->was_ours = in_force->rows[i].ours;
		row->was = in_force->rows[i].value;
		if (!hearing.desire->wanted || settled)
			row->refused_told = false;
		if (!hearing.desire->wanted)
			row->rest_told = row->pause_told = false;
		/* What is somebody else's passes, or it would be forgotten that it is theirs. */
		else if (!in_force->rows[i].yielded && (refuse_paused(row, &hearing) || refuse_resting(row, &hearing)))
			memset(&desires->rows[i], 0, sizeof(desires->rows[i]));
		/* Before the gate: it is not asked about what cannot be done now. */
		else if (!keep_budget(row, &hearing, &desires->rows[i], max_changes, in_force->rows[i].yielded) &&
			 !settled && refuse_at_gate(row, &hearing))
			memset(&desires->rows[i], 0, sizeof(desires->rows[i]));
	}
}

/* ---- after the change */

static void tell_effect(const struct hearing *it, const struct tw_judge_row *row, bool helped)
{
	struct tw_event event = hearing_event(it, TW_EVENT_EFFECT, helped ? TW_SEVERITY_NOTICE : TW_SEVERITY_WARNING);
	struct tw_text reason, advice;

	event.new = (struct tw_live_value){ .value = row->proof.value, .known = true };
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_proof_explain(&row->proof, it->tunable, it->sample, &reason);
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	if (row->proof.state == TW_PROOF_RESTING) {
		tw_text_add(&advice, "it is put back and rests for ");
		add_span(&advice, row->proof.cooldown_usec);
	} else if (!helped) {
		tw_text_add(&advice, "it stays: the rule's cooldown is 0");
	}
	it->recorder->tell(it->recorder, it->namespace, &event);
}

static void count_change(struct tw_judge_row *row, const struct hearing *it, const struct tw_in_force *in_force)
{
	const struct tw_tunable_value *value = &in_force->rows[it->tunable].value;

	if (in_force->rows[it->tunable].ours && !(row->was_ours && tw_tunable_equal(it->tunable, &row->was, value)))
		tw_budget_note(&row->budget, it->now_usec);
}

void tw_judge_prove(struct tw_judge *judge, const struct tw_desires *desires, const struct tw_in_force *in_force,
		    usec_t proof_after_usec, const struct tw_sample *sample, usec_t now_usec,
		    struct tw_recorder *recorder, const char *namespace)
{
	const struct hearing court = {
		.sample = sample, .now_usec = now_usec, .recorder = recorder, .namespace = namespace
	};

	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		struct tw_judge_row *row = &judge->rows[i];
		const struct hearing hearing = hear(&court, (enum tw_tunable)i, desires);
		/* What is in force and not wanted is on its way back: nothing is to be proved of it. */
		bool stands = in_force->rows[i].ours && hearing.desire->wanted;
		enum tw_proof_edge edge =
			tw_proof_step(&row->proof, hearing.tunable, stands ? &in_force->rows[i].value : NULL,
				      hearing.desire->rule, proof_after_usec, sample, now_usec);

		count_change(row, &hearing, in_force);
		if (edge == TW_PROOF_NO_EDGE)
			continue;
		if (edge == TW_PROOF_EDGE_NO_DIFFERENCE)
			row->rested = hearing.desire->value;
		tell_effect(&hearing, row, edge == TW_PROOF_EDGE_HELPED);
	}
}
