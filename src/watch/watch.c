/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/watch.h"

#include "base/macros.h"
#include "measure/diag/diag.h"

#include <inttypes.h>
#include <string.h>

/* While something grows fast, ticks come so many times as often, but never closer than this. */
#define HURRY_FACTOR 4
#define HURRY_MIN_USEC (100 * TW_USEC_PER_MSEC)
/* Ticks come no further apart while sockets are to be ended: an order's bucket holds one second's worth. */
#define DESTROY_TICK_MAX_USEC TW_USEC_PER_SEC
/* A scan of fewer sockets in TIME-WAIT than this is cheap enough (2 ms) to be read whole rather than derived. */
#define DERIVE_ABOVE 5000
/*
 * The same of ESTABLISHED, where deriving has its price: what each listener has is not known then. Measured on Linux
 * 6.18, leaving one out spares some 700 ns: 7 ms, which every 5 s are a seventh of cpu-budget as it is by default.
 */
#define DERIVE_ESTABLISHED_ABOVE 10000
/* Ports that the kernel is asked about in a survey: 4 ms at the most. */
#define ASK_MAX 1000
/* CPU time that may be borrowed against the budget: some dumps of all the sockets that a range can hold. */
#define BORROW_MAX_USEC (500 * TW_USEC_PER_MSEC)
/* So many ticks in a row without a sample are a fault worth a record, not a hiccup. */
#define FAILURES_TOLD 3
/* So many scans in a row that broke off: one is made up for by the next. */
#define PARTIAL_SCANS 2

void tw_watch_init(struct tw_watch *watch, const char *name, const struct tw_watch_edges *edges,
		   struct tw_scratch *scratch, const struct tw_settings *settings)
{
	watch->name = name;
	watch->edges = *edges;
	watch->scratch = scratch;
	watch->charged = &watch->debt;
	tw_policy_init(&watch->policy, settings, name);
}

void tw_watch_done(struct tw_watch *watch)
{
	watch->acting = tw_acting_free(watch->acting);
	tw_scan_past_done(&watch->past);
}

/* ---- what is told */

/* A read that failed: told where it is the third in a row. */
static void note_failure(struct tw_watch *watch, const char *what, int error, const char *why)
{
	watch->error = error;
	if (++watch->failures == FAILURES_TOLD)
		tw_recorder_tell(watch->edges.recorder, watch->name, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING,
				 "cannot read the kernel's %s: %s; nothing is decided until it works again", what, why);
}

/*
 * The history, as often as it is asked for. Where that is no further apart than ticks, each tick has one: then the
 * history holds all that was decided on.
 */
static void tell_sample(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_event event = {
		.kind = TW_EVENT_SAMPLE,
		.severity = TW_SEVERITY_INFO,
		.sample = &watch->sample,
		.top = settings->top,
	};

	if (settings->sample_record_usec == 0)
		return;
	if (settings->sample_record_usec > settings->interval_usec &&
	    (watch->sample.census.at_usec == 0 || now_usec < watch->sample_record_due_usec))
		return;
	watch->sample_record_due_usec = tw_usec_add(now_usec, settings->sample_record_usec);
	watch->edges.recorder->tell(watch->edges.recorder, watch->name, &event);
}

/* What the scan that has ended did not see whole, or not tell apart: once as long as it is so. */
static void tell_gaps(struct tw_watch *watch)
{
	uint64_t dropped = watch->sample.survey.dropped;

	watch->partial_scans = watch->sample.census.partial ? watch->partial_scans + 1 : 0;
	if (watch->partial_scans == PARTIAL_SCANS)
		tw_recorder_tell(
			watch->edges.recorder, watch->name, TW_EVENT_PARTIAL, TW_SEVERITY_WARNING,
			"the socket table moved too much to be read whole, twice in a row; no action rests on it");
	if (dropped > 0 && !watch->dropped_told)
		tw_recorder_tell(watch->edges.recorder, watch->name, TW_EVENT_PARTIAL, TW_SEVERITY_WARNING,
				 "%" PRIu64 " sockets go to more destinations than the survey's table holds: they are "
				 "counted, but not told apart; the busiest destinations are kept",
				 dropped);
	watch->dropped_told = dropped > 0;
}

/* ---- one pass of a sample through the wings */

int tw_watch_make_ready(struct tw_watch *watch)
{
	return watch->acting ? 0 : watch->edges.make_acting(watch->edges.context, watch->name, &watch->acting);
}

/* Does what is wanted. Where what that takes cannot be made, it is told once, until it can. */
static void act(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	int r;

	if (!watch->scratch->desires.any && !watch->ends_sockets && tw_acting_rests(watch->acting))
		return;
	r = tw_watch_make_ready(watch);
	if (r < 0 && !watch->unable_told)
		tw_recorder_tell(watch->edges.recorder, watch->name, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING,
				 "cannot act in this network namespace: %s; nothing is done there until it works",
				 strerror(-r));
	watch->unable_told = r < 0;
	if (r >= 0)
		tw_acting_carry_out(watch->acting, &watch->scratch->desires, settings, &watch->sample, now_usec);
}

/* Decided, done, proved. */
static void decide(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_scratch *scratch = watch->scratch;
	struct tw_in_force force = tw_acting_in_force(watch->acting);
	const struct tw_scene scene = {
		settings, &watch->sample, &force, now_usec, watch->edges.recorder, watch->name
	};

	tw_policy_step(&watch->policy, &scene, &scratch->desires, &scratch->kills);
	watch->ends_sockets = scratch->kills.count > 0;
	act(watch, settings, now_usec);
	force = tw_acting_in_force(watch->acting);
	tw_policy_prove(&watch->policy, &scene);
	watch->hurries = tw_policy_hurries(settings, &watch->sample, tw_gauge_tally(&watch->sample.gauge));
}

/* ---- what is to be counted */

/* A survey counts as a census too. */
static void find_due(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	watch->wants_survey = now_usec >= watch->survey_due_usec ||
			      tw_policy_survey_need(&watch->policy, settings, &watch->sample).survey;
	watch->scan_due = watch->job == TW_WATCH_IDLE && (watch->wants_survey || now_usec >= watch->census_due_usec);
}

static bool wants_destroy_job(const struct tw_watch *watch)
{
	return watch->acting && watch->acting->search_wanted;
}

static bool is_paid_for(const struct tw_watch *watch)
{
	return watch->scratch->starting || (watch->charged->owed_usec == 0 && !watch->scratch->routine_waits);
}

/*
 * What is about to fail cannot wait for the budget; nor can what is over its level or was changed for more than
 * `census`: nobody leaves that unseen, or changes a machine blindly.
 */
static bool may_borrow(const struct tw_watch *watch, usec_t now_usec)
{
	bool has_trouble = !tw_policy_rests(&watch->policy) || !tw_acting_rests(watch->acting);

	return (watch->hurries || (has_trouble && watch->scan_due && now_usec >= watch->census_due_usec)) &&
	       watch->charged->owed_usec + watch->charged->borrowed_usec < BORROW_MAX_USEC &&
	       !watch->scratch->credit_is_used;
}

bool tw_watch_may_begin(const struct tw_watch *watch, usec_t now_usec)
{
	return (watch->scan_due || wants_destroy_job(watch)) && (is_paid_for(watch) || may_borrow(watch, now_usec));
}

static void begin_scan(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	const struct tw_sample *sample = &watch->sample;
	struct tw_scan_order *order = &watch->order;

	*order = (struct tw_scan_order){
		.kind = watch->wants_survey ? TW_SCAN_SURVEY : TW_SCAN_CENSUS,
		.derive_time_wait = sample->gauge.time_wait > DERIVE_ABOVE,
		.derive_established = sample->gauge.established > DERIVE_ESTABLISHED_ABOVE,
		.bound_known = watch->edges.tells_bound,
		.close_wait_age_usec = tw_settings_close_wait_age(settings),
		.ask_most = tw_policy_survey_need(&watch->policy, settings, sample).exclusive ? ASK_MAX : 0,
		.baseline = tw_acting_baseline(watch->acting, TW_TUNABLE_TW_REUSE),
		.at_usec = now_usec,
		.gauge = sample->gauge,
	};
	if (watch->wants_survey) {
		order->has_evidence = tw_policy_evidence(&watch->policy, settings, sample, &order->evidence);
		tw_policy_watched(&watch->policy, &order->watched);
	}
	watch->scan_due = watch->job_begun = false;
	watch->destroy_first = wants_destroy_job(watch);
	watch->job = TW_WATCH_SCAN;
}

/* Both read from one source. What had to wait for the other is first, so that a tight budget starves neither. */
bool tw_watch_begin(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	watch->job_borrows = !is_paid_for(watch);
	if (wants_destroy_job(watch) && (watch->destroy_first || !watch->scan_due)) {
		watch->destroy_first = false;
		if (tw_acting_begin_search(watch->acting, &watch->sample, now_usec))
			watch->job = TW_WATCH_DESTROY;
	}
	if (watch->scan_due && watch->job == TW_WATCH_IDLE)
		begin_scan(watch, settings, now_usec);
	return watch->job != TW_WATCH_IDLE;
}

/* The first step of a dump is its request: the kernel walks the table in it already. */
int tw_watch_step(void *context)
{
	struct tw_watch *watch = context;
	int r;

	if (watch->job == TW_WATCH_DESTROY)
		return tw_destroy_search_step(watch->acting->search, watch->edges.source);
	if (watch->job_begun)
		return tw_scan_step(watch->scratch->scan, watch->edges.source);
	watch->job_begun = true;
	r = tw_scan_begin(watch->scratch->scan, &watch->past, watch->edges.source, &watch->order);
	return r < 0 ? r : 1;
}

static void end_scan(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec, usec_t cpu_usec)
{
	struct tw_sample *sample = &watch->sample;

	watch->failures = 0;
	watch->error = 0;
	tw_scan_results(watch->scratch->scan, sample);
	watch->census_due_usec = tw_usec_add(sample->census.at_usec, settings->census_usec);
	if (watch->order.kind == TW_SCAN_SURVEY) {
		sample->cost.survey_usec = cpu_usec;
		watch->survey_due_usec = tw_usec_add(sample->census.at_usec, settings->survey_usec);
	} else {
		sample->cost.census_usec = cpu_usec;
	}
	if (watch->left)
		return;
	tell_gaps(watch);
	decide(watch, settings, now_usec);
}

void tw_watch_end(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec, int result,
		  usec_t cpu_usec)
{
	enum tw_watch_job job = watch->job;

	watch->job = TW_WATCH_IDLE;
	if (job == TW_WATCH_DESTROY)
		tw_acting_end_search(watch->acting, result);
	else if (result == 0)
		end_scan(watch, settings, now_usec, cpu_usec);
	else
		note_failure(watch, "sockets", result, tw_diag_error_text(result));
}

/* ---- ticks */

int tw_watch_tick(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_source *source = watch->edges.source;
	struct tw_clock *clock = watch->scratch->clock;
	usec_t cpu_usec = clock->read(clock).cpu_usec;
	struct tw_gauge gauge = { 0 };
	bool was_quiet = watch->quiet;
	int r;

	/* What is in our hands, or was at the tick before, has to be known as it is now. */
	watch->quiet = tw_acting_rests(watch->acting) && tw_policy_rests(&watch->policy);
	if (!watch->quiet || !was_quiet)
		source->refresh(source);
	r = source->gauge(source, &gauge);
	if (r < 0) {
		note_failure(watch, "counters", r, strerror(-r));
		watch->sample.cost.tick_usec = tw_usec_since(clock->read(clock).cpu_usec, cpu_usec);
		return r;
	}
	gauge.at_usec = now_usec;
	watch->sample.previous = watch->sample.gauge;
	watch->sample.gauge = gauge;
	watch->sample.peak = tw_recent_peak_highest(&watch->peak, now_usec);
	tw_recent_peak_add(&watch->peak, tw_gauge_tally(&gauge));
	decide(watch, settings, now_usec);
	if (watch->acting)
		tw_acting_order(watch->acting, &watch->scratch->kills, settings->mode, now_usec);
	find_due(watch, settings, now_usec);
	tell_sample(watch, settings, now_usec);
	watch->sample.cost.tick_usec = tw_usec_since(clock->read(clock).cpu_usec, cpu_usec);
	return 0;
}

usec_t tw_watch_interval(const struct tw_watch *watch, const struct tw_settings *settings)
{
	usec_t quick_usec = TW_MAX(settings->interval_usec / HURRY_FACTOR, HURRY_MIN_USEC);

	if (watch->hurries)
		return TW_MIN(quick_usec, settings->interval_usec);
	return watch->ends_sockets ? TW_MIN(settings->interval_usec, DESTROY_TICK_MAX_USEC) : settings->interval_usec;
}

bool tw_watch_stands_still(const struct tw_watch *watch)
{
	const struct tw_sample *sample = &watch->sample;

	return watch->failures == 0 && watch->job == TW_WATCH_IDLE && !watch->scan_due &&
	       tw_acting_rests(watch->acting) && tw_policy_rests(&watch->policy) && sample->census.at_usec != 0 &&
	       !sample->census.partial && sample->accepting.accept_queue.milli == 0 && sample->previous.at_usec != 0 &&
	       sample->previous.segments == sample->gauge.segments;
}

void tw_watch_confirm(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	tw_sample_confirm(&watch->sample, now_usec);
	if (watch->sample.close_wait.socket_count > 0)
		decide(watch, settings, now_usec);
}

void tw_watch_rebase(struct tw_watch *watch, const struct tw_settings *from, const struct tw_settings *to,
		     usec_t now_usec)
{
	const struct tw_scene scene = {
		.settings = to, .now_usec = now_usec, .recorder = watch->edges.recorder, .namespace = watch->name
	};

	watch->left = false;
	tw_policy_rebase(&watch->policy, from, &scene);
	watch->census_due_usec = TW_MIN(watch->census_due_usec, tw_usec_add(now_usec, to->census_usec));
	watch->survey_due_usec = TW_MIN(watch->survey_due_usec, tw_usec_add(now_usec, to->survey_usec));
	watch->sample_record_due_usec =
		TW_MIN(watch->sample_record_due_usec, tw_usec_add(now_usec, to->sample_record_usec));
	tw_watch_let_go(watch); /* they hold pointers into the old settings */
}
