/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/gate.h"

#include "base/macros.h"
#include "model/port-model.h"

/* Below this share of its ports a destination is short of nothing: connect() finds one at once. */
#define SHORT_OF_PORTS_MILLI (20 * 1000)
/* One usable port in so many, or fewer: as good as none. From one in fifty on those who need few still find one. */
#define NONE_LEFT 200
/* More than any number of a verdict. */
#define TOLD_LEFT 1000
/* TIME-WAIT comes near to tcp_max_tw_buckets. */
#define BUCKETS_MILLI (50 * 1000)

/* ---- what the sample tells; what it does not tell is not below anything */

static bool is_below(struct tw_value value, int64_t milli)
{
	return value.known && value.milli < milli;
}

static bool is_live(const struct tw_sample *sample, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	const struct tw_live_value *live = &sample->gauge.sysctls[tunable];

	return live->known && tw_tunable_equal(tunable, &live->value, value);
}

static bool has_no_timestamps(const struct tw_sample *sample)
{
	return is_live(sample, TW_TUNABLE_TIMESTAMPS, &(struct tw_tunable_value){ { 0 } });
}

bool tw_gate_covered(enum tw_tunable tunable, const struct tw_sample *sample, const struct tw_destination_row *row)
{
	return tunable == TW_TUNABLE_TW_REUSE && is_live(sample, tunable, &(struct tw_tunable_value){ { 2 } }) && row &&
	       tw_reuse_in_force(2, &row->key);
}

static bool survey_holds(const struct tw_survey *survey)
{
	return survey->at_usec != 0 && !survey->partial;
}

const struct tw_destination_row *tw_gate_row(const struct tw_sample *sample, const struct tw_subject *subject)
{
	const struct tw_survey *survey = &sample->survey;

	if (!survey_holds(survey) || !survey->has_busiest || survey->top_count == 0)
		return NULL;
	return subject->has_destination ? tw_survey_row(survey, &subject->destination) : &survey->top[0];
}

/* It has no row: of a whole table it holds no port, else it is not known to be short, for who is shortest has one. */
static bool is_gone(const struct tw_sample *sample, const struct tw_subject *subject)
{
	return subject->has_destination && survey_holds(&sample->survey) && !tw_gate_row(sample, subject);
}

enum tw_holder tw_gate_holder(const struct tw_destination_row *row)
{
	enum tw_holder most = TW_HOLDER_TIME_WAIT;

	for (int i = 0; i < TW_HOLDER_COUNT; i++)
		if (row->held[i] > row->held[most])
			most = (enum tw_holder)i;
	return most;
}

/* What is blocked for every destination, by others than this one. */
static uint32_t held_by_others(const struct tw_survey *survey, const struct tw_destination_row *row)
{
	uint32_t own = row && row->bound_first_known ? row->bound_first : 0;

	return survey->exclusive_ports - TW_MIN(survey->exclusive_ports, own);
}

/* Listening and bound sockets, or those that were bound first: whoever has more of what is blocked for all. */
static enum tw_gate_verdict exclusive_verdict(const struct tw_survey *survey)
{
	return (uint64_t)survey->bound_first_ports * 2 >= survey->exclusive_ports ? TW_GATE_BOUND_FIRST
										  : TW_GATE_HELD_BOUND;
}

/* Its own TIME-WAIT is a good part of what others leave, and nothing is free beside the two. */
static bool is_left_waiting(const struct tw_survey *survey, const struct tw_destination_row *row, uint32_t others)
{
	uint32_t waiting = row->held[TW_HOLDER_TIME_WAIT], left = survey->usable - TW_MIN(survey->usable, others);

	return waiting > 0 && tw_port_is_worth(waiting, left) && row->bound_first_known && row->bound_first == 0 &&
	       (uint64_t)others + row->ports + survey->usable / NONE_LEFT >= survey->usable;
}

const struct tw_destination_row *tw_gate_left_waiting(const struct tw_sample *sample)
{
	const struct tw_live_value *reuse = &sample->gauge.sysctls[TW_TUNABLE_TW_REUSE];
	const struct tw_survey *survey = &sample->survey;
	const struct tw_destination_row *most = NULL;

	if (!survey_holds(survey) || has_no_timestamps(sample))
		return NULL;
	for (unsigned i = 0; i < survey->top_count; i++) {
		const struct tw_destination_row *row = &survey->top[i];

		if (!row->reuse_refuted && !(reuse->known && tw_reuse_in_force(reuse->value.numbers[0], &row->key)) &&
		    is_left_waiting(survey, row, survey->exclusive_ports) &&
		    (!most || row->held[TW_HOLDER_TIME_WAIT] > most->held[TW_HOLDER_TIME_WAIT]))
			most = row;
	}
	return most;
}

/* ---- the checks */

static enum tw_gate_verdict check_need(const struct tw_survey *survey, const struct tw_subject *subject,
				       const struct tw_destination_row *row)
{
	struct tw_value use =
		row ? tw_value_percent(TW_MAX(row->blocked, row->blocked_baseline), survey->usable) : survey->port_use;

	if (!is_below(use, SHORT_OF_PORTS_MILLI))
		return TW_GATE_OPEN;
	/* More than half of all TIME-WAIT. */
	return !subject->has_destination && survey->accepting_time_wait > survey->time_wait / 2 ? TW_GATE_SERVER_SIDE
												: TW_GATE_PORTS_FREE;
}

/* Who holds the row's ports, where that is not TIME-WAIT that reuse could take over. */
static enum tw_gate_verdict check_holders(const struct tw_survey *survey, const struct tw_destination_row *row)
{
	uint32_t waiting = row ? row->held[TW_HOLDER_TIME_WAIT] : 0, others = held_by_others(survey, row);
	enum tw_holder holder = row ? tw_gate_holder(row) : TW_HOLDER_TIME_WAIT;

	if (row && row->bound_first_known && (uint64_t)row->bound_first * 2 > row->ports)
		return TW_GATE_BOUND_FIRST;
	/*
	 * What others hold for all is theirs, where that is enough to be short of; what it has in TIME-WAIT beside that
	 * can be taken over all the same.
	 */
	if (others > (row ? row->ports : 0) &&
	    !is_below(tw_value_percent(others, survey->usable), SHORT_OF_PORTS_MILLI) &&
	    !tw_port_is_worth(waiting, tw_port_left(others, survey->usable)) &&
	    !(row && is_left_waiting(survey, row, others)))
		return exclusive_verdict(survey);
	if (holder == TW_HOLDER_TIME_WAIT || (uint64_t)waiting * 4 >= row->ports)
		return TW_GATE_OPEN;
	return (enum tw_gate_verdict)(TW_GATE_HELD_ESTABLISHED + holder - TW_HOLDER_ESTABLISHED);
}

static enum tw_gate_verdict check_reuse(enum tw_tunable tunable, const struct tw_tunable_value *value,
					const struct tw_sample *sample, const struct tw_subject *subject, bool ours)
{
	const struct tw_survey *survey = &sample->survey;
	const struct tw_destination_row *row = tw_gate_row(sample, subject);
	enum tw_gate_verdict need = TW_GATE_OPEN, verdict = TW_GATE_OPEN;
	bool live = is_live(sample, tunable, value);

	/* To turn it off needs no reason. */
	if (value->numbers[0] == 0)
		return TW_GATE_OPEN;
	if (survey_holds(survey)) {
		if (subject->holds_for_all)
			return subject->has_binder ? TW_GATE_BOUND_FIRST : TW_GATE_HELD_BOUND;
		if (subject->has_binder)
			return tw_survey_binder_need(survey, &subject->binder) ? TW_GATE_BIND_SHORT
									       : TW_GATE_PORTS_FREE;
		if (is_gone(sample, subject))
			return TW_GATE_PORTS_FREE;
		need = check_need(survey, subject, row);
		/* Who holds them comes first: it says more than that reuse is on already. */
		verdict = check_holders(survey, row);
	}
	/* In force for another, its alert is judged by demand: that ports are free then tells that it helps. */
	if (ours && live && need == TW_GATE_PORTS_FREE && subject->has_destination)
		need = TW_GATE_OPEN;
	if (verdict != TW_GATE_OPEN)
		return need == TW_GATE_OPEN ? verdict : need;
	if (row && row->reuse_refuted && need == TW_GATE_OPEN)
		return has_no_timestamps(sample) ? TW_GATE_NO_TIMESTAMPS : TW_GATE_REFUTED;
	/* While it is ours, what is live is gone as soon as nobody wants it. */
	if (!ours && (live || tw_gate_covered(tunable, sample, row)))
		return TW_GATE_ALREADY;
	return has_no_timestamps(sample) ? TW_GATE_NO_TIMESTAMPS : need;
}

static enum tw_gate_verdict check_buckets(const struct tw_sample *sample)
{
	struct tw_value overflow = tw_sample_metric(sample, TW_METRIC_TIME_WAIT_OVERFLOW);

	return overflow.known && overflow.milli == 0 &&
			       is_below(tw_sample_metric(sample, TW_METRIC_TIME_WAIT_BUCKETS), BUCKETS_MILLI)
		       ? TW_GATE_NO_OVERFLOW
		       : TW_GATE_OPEN;
}

static enum tw_gate_verdict check_fin_wait_2(const struct tw_sample *sample, const struct tw_subject *subject)
{
	struct tw_value all = tw_sample_metric(sample, TW_METRIC_OF_STATE(TW_STATE_FIN_WAIT_2));
	const struct tw_destination_row *row = subject->has_destination ? tw_gate_row(sample, subject) : NULL;

	if (is_gone(sample, subject))
		return TW_GATE_NO_FIN_WAIT_2;
	if (row && row->held[TW_HOLDER_FIN_WAIT_2_ORPHANED] == 0)
		return row->held[TW_HOLDER_FIN_WAIT_2] > 0 ? TW_GATE_OWNED_FIN_WAIT_2 : TW_GATE_NO_FIN_WAIT_2;
	if (!all.known || sample->census.mini_fin_wait_2 > 0)
		return TW_GATE_OPEN;
	return all.milli > 0 ? TW_GATE_OWNED_FIN_WAIT_2 : TW_GATE_NO_FIN_WAIT_2;
}

/* Only who binds first is helped, never who has to do without these ports. */
static enum tw_gate_verdict check_autobind(const struct tw_sample *sample, const struct tw_subject *subject)
{
	const struct tw_survey *survey = &sample->survey;
	const struct tw_destination_row *row = subject->has_destination ? tw_gate_row(sample, subject) : NULL;

	if (row && row->bound_first_known && row->bound_first == 0)
		return held_by_others(survey, row) > row->ports ? exclusive_verdict(survey) : TW_GATE_NOT_BOUND_FIRST;
	return survey_holds(survey) && survey->bound_first_ports == 0 && survey->unclear_ports == 0
		       ? TW_GATE_NOT_BOUND_FIRST
		       : TW_GATE_OPEN;
}

enum tw_gate_verdict tw_gate_check(enum tw_tunable tunable, const struct tw_tunable_value *value,
				   const struct tw_sample *sample, const struct tw_subject *subject, bool ours)
{
	switch (tw_tunable_info(tunable)->gate) {
	case TW_GATE_NONE:
		break;
	case TW_GATE_REUSE:
		return check_reuse(tunable, value, sample, subject, ours);
	case TW_GATE_BUCKETS:
		return check_buckets(sample);
	case TW_GATE_FIN_WAIT_2:
		return check_fin_wait_2(sample, subject);
	case TW_GATE_AUTOBIND:
		return check_autobind(sample, subject);
	}
	return TW_GATE_OPEN;
}

/* Of the states that hold a destination's ports each has a verdict of its own. */
int tw_gate_told(enum tw_gate_verdict verdict, const struct tw_sample *sample, const struct tw_subject *subject)
{
	const struct tw_binder_need *need =
		verdict == TW_GATE_BIND_SHORT ? tw_survey_binder_need(&sample->survey, &subject->binder) : NULL;
	bool left = subject->holds_for_all && (verdict == TW_GATE_BOUND_FIRST || verdict == TW_GATE_HELD_BOUND) &&
		    tw_gate_left_waiting(sample);

	return (int)verdict + (need ? (int)need->holder * TW_GATE_VERDICT_COUNT : 0) + (left ? TOLD_LEFT : 0);
}

bool tw_gate_is_told(int before, int now)
{
	return before == now || before == now + TOLD_LEFT;
}
