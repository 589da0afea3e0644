/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/scan.h"

#include "base/macros.h"
#include "measure/census.h"
#include "measure/close-wait.h"
#include "measure/diag/diag.h"
#include "measure/listeners.h"
#include "measure/survey.h"
#include "measure/walk.h"
#include "model/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A scan that fails in a passing way is begun again so often. */
#define REPEATS_MAX 2
/*
 * A dump without a socket while the gauge counts more than this is no empty machine: the dump is lying. Living sockets
 * may be gone by then: where it has told the listeners, a burst of so many is believed to be over.
 */
#define SILENCE_MAX 64
#define BURST_MAX 4096

/* What a scan does, in this order. */
enum stage {
	STAGE_LISTENERS,   /* dump: they tell which ports are the accepting side's */
	STAGE_REST,	   /* dump: all others, but for what is derived */
	STAGE_ESTABLISHED, /* dump: those, where deriving them turned out not to do */
	STAGE_IDLE,	 /* dump: how long those in CLOSE-WAIT have been idle, where that is asked of many; may fail */
	STAGE_QUESTIONS, /* about those in CLOSE-WAIT, who holds bound ports, and which ports are exclusive */
	STAGE_DONE,
};

struct tw_scan {
	struct tw_scan_order order;
	struct tw_scan_past *past; /* borrows */
	enum stage stage;
	unsigned repeats;
	struct tw_walk walk;
	uint64_t rows, rows_before; /* told so far; of these, before this stage */
	bool asks_established;	    /* they are among what is dumped, or else derived */
	bool idle_missed;
	struct tw_census census;
	struct tw_survey_work work;
	struct tw_listeners listeners;
	struct tw_close_wait_work close_wait;
	struct tw_takeover_look *look; /* of this survey, where it has a destination to look at */
};

struct tw_scan *tw_scan_new(const struct tw_hash_key *key)
{
	TW_CLEANUP_SCAN struct tw_scan *scan = calloc(1, sizeof(*scan));

	if (!scan || tw_survey_work_init(&scan->work, key) < 0 || tw_close_wait_work_init(&scan->close_wait, key) < 0)
		return NULL;
	scan->stage = STAGE_DONE;
	return TW_TAKE_PTR(scan);
}

struct tw_scan *tw_scan_free(struct tw_scan *scan)
{
	if (scan) {
		tw_survey_work_done(&scan->work);
		tw_close_wait_work_done(&scan->close_wait);
		free(scan->look);
		free(scan);
	}
	return NULL;
}

void tw_scan_past_done(struct tw_scan_past *past)
{
	tw_waiter_set_done(&past->waiters);
	free(past->look);
	past->look = NULL;
}

static uint32_t all_states(const struct tw_scan *scan)
{
	uint32_t states = 0;

	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		if (i != TW_STATE_BOUND || scan->order.bound_known)
			states |= tw_state_kernel_bit((enum tw_state)i);
	return states;
}

static bool asks_time_wait(const struct tw_scan *scan)
{
	return scan->order.kind == TW_SCAN_SURVEY || !scan->order.derive_time_wait;
}

static uint32_t stage_states(const struct tw_scan *scan)
{
	uint32_t listen = tw_state_kernel_bit(TW_STATE_LISTEN);
	uint32_t established = tw_state_kernel_bit(TW_STATE_ESTABLISHED);

	if (scan->stage == STAGE_LISTENERS)
		return listen;
	if (scan->stage == STAGE_ESTABLISHED)
		return established;
	if (scan->stage == STAGE_IDLE)
		return tw_state_kernel_bit(TW_STATE_CLOSE_WAIT);
	return all_states(scan) & ~listen & ~(asks_time_wait(scan) ? 0 : tw_state_kernel_bit(TW_STATE_TIME_WAIT)) &
	       ~(scan->asks_established ? 0 : established);
}

/* From the very beginning, with nothing counted. */
static int begin_try(struct tw_scan *scan, struct tw_source *source)
{
	scan->stage = STAGE_LISTENERS;
	scan->rows = scan->rows_before = 0;
	scan->idle_missed = false;
	scan->asks_established = scan->order.kind == TW_SCAN_SURVEY || !scan->order.derive_established ||
				 !tw_calibration_allows(&scan->past->calibration);
	memset(&scan->census, 0, sizeof(scan->census));
	tw_listeners_clear(&scan->listeners);
	tw_close_wait_work_begin(&scan->close_wait, &scan->past->waiters, scan->order.at_usec,
				 scan->order.close_wait_age_usec);
	return tw_walk_begin(&scan->walk, source, stage_states(scan), 0, &scan->order.gauge);
}

int tw_scan_begin(struct tw_scan *scan, struct tw_scan_past *past, struct tw_source *source,
		  const struct tw_scan_order *order)
{
	scan->past = past;
	scan->order = *order;
	scan->repeats = 0;
	source->scan_begin(source);
	return begin_try(scan, source);
}

static inline void count(struct tw_scan *scan, const struct tw_flow *flow)
{
	scan->rows++;
	tw_census_count(&scan->census, flow);
}

static void on_listener(void *context, const struct tw_flow *flow)
{
	struct tw_scan *scan = context;

	count(scan, flow);
	tw_listeners_add(&scan->listeners, flow);
}

static inline void attribute(struct tw_scan *scan, const struct tw_flow *flow)
{
	tw_listeners_attribute(&scan->listeners, flow);
	if (flow->state == TW_STATE_CLOSE_WAIT)
		tw_close_wait_work_add(&scan->close_wait, flow);
}

static void on_census_flow(void *context, const struct tw_flow *flow)
{
	count(context, flow);
	attribute(context, flow);
}

static void on_survey_flow(void *context, const struct tw_flow *flow)
{
	struct tw_scan *scan = context;

	count(scan, flow);
	attribute(scan, flow);
	tw_survey_work_add(&scan->work, flow);
	if (scan->look)
		tw_takeover_look_add(scan->look, flow);
}

/* Counted already. The row is younger than the scan by what that took, and the socket may seem older by as much. */
static void on_idle_flow(void *context, const struct tw_flow *flow)
{
	struct tw_scan *scan = context;

	tw_waiters_tell(&scan->close_wait.waiters, flow);
}

static tw_diag_on_flow stage_on_flow(const struct tw_scan *scan)
{
	if (scan->stage == STAGE_LISTENERS)
		return on_listener;
	if (scan->stage == STAGE_IDLE)
		return on_idle_flow;
	return scan->order.kind == TW_SCAN_SURVEY ? on_survey_flow : on_census_flow;
}

/* The listeners are known: what is left of the range is what connect() may pick from. */
static int begin_attribution(struct tw_scan *scan, struct tw_source *source)
{
	struct tw_port_set usable;
	const struct tw_survey_ground ground = {
		.usable = &usable,
		.listening = &scan->listeners.ports,
		.gauge = &scan->order.gauge,
		.baseline = &scan->order.baseline,
		.past = &scan->past->parity,
	};
	int r = source->port_range(source, &usable);

	if (r == 0)
		tw_survey_work_begin(&scan->work, &ground);
	free(scan->look);
	scan->look = scan->order.has_evidence
			     ? tw_takeover_look_new(&scan->order.evidence, &scan->order.gauge, scan->order.at_usec)
			     : NULL;
	return r;
}

/* Nothing told, while the gauge counts what should have been. */
static bool is_silent(const struct tw_scan *scan)
{
	const struct tw_gauge *gauge = &scan->order.gauge;
	uint64_t full = gauge->tcp_inuse + gauge->tcp6_inuse;
	uint64_t most = scan->census.count[TW_STATE_LISTEN] > 0 ? BURST_MAX : SILENCE_MAX;

	if (scan->stage == STAGE_LISTENERS || scan->stage == STAGE_IDLE || scan->rows > scan->rows_before)
		return false;
	full -= TW_MIN(full, scan->rows_before);
	if (scan->stage == STAGE_ESTABLISHED)
		return full > SILENCE_MAX;
	full -= scan->asks_established ? 0 : TW_MIN(full, gauge->established);
	return full > most || (asks_time_wait(scan) && gauge->time_wait > SILENCE_MAX);
}

/* Whether ESTABLISHED is known by now: told, which is something to learn from, or else derived. */
static bool settle_established(struct tw_scan *scan)
{
	struct tw_census *census = &scan->census;
	struct tw_calibration_dump dump = { census->count[TW_STATE_ESTABLISHED], census->count[TW_STATE_CLOSE_WAIT] };
	uint64_t gauge = scan->order.gauge.established;

	if (!scan->asks_established)
		return tw_calibration_derive(&scan->past->calibration, gauge, dump.close_wait,
					     &census->count[TW_STATE_ESTABLISHED]);
	tw_calibration_learn(&scan->past->calibration, gauge, &dump);
	return true;
}

static int ask(struct tw_scan *scan, struct tw_source *source)
{
	if (tw_close_wait_work_step(&scan->close_wait, source))
		return 1;
	if (scan->order.kind == TW_SCAN_SURVEY && tw_survey_work_step(&scan->work, source))
		return 1;
	scan->stage = STAGE_DONE;
	return 0;
}

static int begin_stage(struct tw_scan *scan, struct tw_source *source, enum stage stage)
{
	int r;

	scan->stage = stage;
	r = tw_walk_begin(&scan->walk, source, stage_states(scan), stage == STAGE_IDLE ? TW_DIAG_INFO : 0,
			  &scan->order.gauge);
	return r < 0 ? r : 1;
}

static int end_listeners(struct tw_scan *scan, struct tw_source *source)
{
	int r = scan->order.kind == TW_SCAN_SURVEY ? begin_attribution(scan, source) : 0;

	return r < 0 ? r : begin_stage(scan, source, STAGE_REST);
}

static int begin_questions(struct tw_scan *scan, struct tw_source *source)
{
	scan->stage = STAGE_QUESTIONS;
	return ask(scan, source);
}

/* The counts are whole without it: only what rests on ages has to wait for another scan. */
static int miss_idle(struct tw_scan *scan, struct tw_source *source)
{
	scan->idle_missed = true;
	return begin_questions(scan, source);
}

static int end_counting(struct tw_scan *scan, struct tw_source *source)
{
	int r;

	tw_census_finish(&scan->census, &scan->order, scan->asks_established, asks_time_wait(scan));
	if (scan->order.kind == TW_SCAN_SURVEY)
		tw_exclusive_ask(&scan->work.exclusive, scan->order.ask_most);
	if (!scan->close_wait.waiters.all)
		return begin_questions(scan, source);
	r = begin_stage(scan, source, STAGE_IDLE);
	return r < 0 ? miss_idle(scan, source) : r;
}

static int end_stage(struct tw_scan *scan, struct tw_source *source)
{
	if (is_silent(scan))
		return -EPROTO;
	scan->rows_before = scan->rows;
	if (scan->stage == STAGE_LISTENERS)
		return end_listeners(scan, source);
	if (scan->stage == STAGE_IDLE)
		return begin_questions(scan, source);
	if (!settle_established(scan)) {
		scan->asks_established = true;
		return begin_stage(scan, source, STAGE_ESTABLISHED);
	}
	return end_counting(scan, source);
}

static int read_datagram(struct tw_scan *scan, struct tw_source *source)
{
	int r = tw_walk_step(&scan->walk, source, stage_on_flow(scan), scan);

	if (r < 0 && scan->stage == STAGE_IDLE)
		return miss_idle(scan, source);
	return r == 0 ? end_stage(scan, source) : r;
}

static bool is_passing(int error)
{
	return error == -EINTR || error == -ENOBUFS || error == -EPROTO || error == -ETIMEDOUT;
}

/* What was counted in a broken try means nothing. */
static int give_up(struct tw_scan *scan)
{
	memset(&scan->census, 0, sizeof(scan->census));
	scan->census.partial = true;
	scan->stage = STAGE_DONE;
	return 0;
}

static int work(struct tw_scan *scan, struct tw_source *source)
{
	switch (scan->stage) {
	case STAGE_LISTENERS:
	case STAGE_REST:
	case STAGE_ESTABLISHED:
	case STAGE_IDLE:
		return read_datagram(scan, source);
	case STAGE_QUESTIONS:
		return ask(scan, source);
	case STAGE_DONE:
		break;
	}
	return 0;
}

int tw_scan_step(struct tw_scan *scan, struct tw_source *source)
{
	int r = work(scan, source);

	while (is_passing(r)) {
		if (scan->repeats == REPEATS_MAX)
			return give_up(scan);
		scan->repeats++;
		r = begin_try(scan, source);
		if (r == 0)
			return 1;
	}
	return r;
}

/* `survey` still holds the one before, from which the forecast is made. */
static void survey_results(struct tw_scan *scan, struct tw_survey *survey)
{
	struct tw_survey *fresh = &scan->work.survey;

	tw_survey_work_results(&scan->work, &scan->order.watched, survey, scan->order.at_usec, scan->census.partial);
	if (!fresh->partial) {
		if (scan->look)
			tw_takeover_compare(scan->past->look, scan->look, &fresh->takeovers);
		free(scan->past->look);
		scan->past->look = scan->look;
		scan->look = NULL;
	}
	fresh->bound_sockets = scan->census.count[TW_STATE_BOUND] + scan->census.count[TW_STATE_LISTEN];
	tw_survey_forecast(survey, fresh);
	memcpy(survey, fresh, offsetof(struct tw_survey, top) + fresh->top_count * sizeof(fresh->top[0]));
}

void tw_scan_results(struct tw_scan *scan, struct tw_sample *sample)
{
	sample->census = scan->census;
	sample->census.at_usec = scan->order.at_usec;
	tw_listeners_accepting(&scan->listeners, &sample->census, scan->asks_established, asks_time_wait(scan),
			       &sample->accepting);
	tw_close_wait_work_results(&scan->close_wait, scan->order.at_usec, scan->census.partial || scan->idle_missed,
				   &sample->close_wait);
	/* Nobody points to them any more. */
	if (!sample->close_wait.partial && sample->close_wait.socket_count == 0)
		tw_waiter_set_done(&scan->past->waiters);
	if (scan->order.kind == TW_SCAN_SURVEY)
		survey_results(scan, &sample->survey);
}
