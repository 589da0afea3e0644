/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/watch.h"

#include "decide/survey-need.h"
#include "measure/diag/diag.h"

#include <string.h>

/* While something grows fast, ticks come so many times as often, but never closer than this. */
#define TW_HURRY_FACTOR 4
#define TW_HURRY_MIN_USEC (100 * TW_USEC_PER_MSEC)
/* Ticks come no further apart while sockets are to be ended: an order's bucket holds one second's worth. */
#define TW_DESTROY_JOB_MAX_USEC TW_USEC_PER_SEC

void tw_watch_init(struct tw_watch *watch, const char *name, const struct tw_watch_edges *edges,
		   struct tw_scratch *room, const struct tw_settings *settings)
{
	watch->name = name;
	watch->edges = *edges;
	watch->room = room;
	watch->charged = &watch->cpu_budget;
	tw_policy_init(&watch->policy, settings, name);
}

void tw_watch_done(struct tw_watch *watch)
{
	struct tw_worker_end end;

	if (watch->room && watch->room->worker && tw_watch_busy(watch)) {
		tw_worker_give_up(watch->room->worker);
		tw_worker_wait(watch->room->worker, &end);
	}
	watch->acting = tw_acting_free(watch->acting);
	tw_scan_past_done(&watch->past);
}

int tw_watch_make_ready(struct tw_watch *watch)
{
	return watch->acting ? 0 : watch->edges.make_acting(watch->edges.context, watch->name, &watch->acting);
}

/* Does what is wanted. */
static void act(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_scratch *room = watch->room;
	int r;

	if (!room->desires.any && !watch->ends_sockets && tw_acting_rests(watch->acting))
		return;
	r = tw_watch_make_ready(watch);
	if (r < 0) {
		tw_watch_tell_unable(watch, r);
		return;
	}
	watch->unable_told = false;
	tw_acting_carry_out(watch->acting, &room->desires, settings, &watch->sample, now_usec);
}

/* Decided, done, proved: one pass of a sample through the wings. */
static void decide(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_scratch *room = watch->room;
	struct tw_in_force force = tw_acting_in_force(watch->acting);

	tw_policy_step(&watch->policy, settings, &watch->sample, &force, now_usec, watch->edges.recorder, watch->name,
		       &room->desires, &room->kills);
	watch->ends_sockets = room->kills.count > 0;
	act(watch, settings, now_usec);
	force = tw_acting_in_force(watch->acting);
	tw_policy_prove(&watch->policy, settings, &watch->sample, &force, now_usec, watch->edges.recorder, watch->name);
}

/* Nothing is done nor about to be, and nothing was at the tick before. */
static bool is_quiet(struct tw_watch *watch)
{
	bool quiet = tw_acting_rests(watch->acting) && tw_policy_rests(&watch->policy);
	bool both = quiet && watch->quiet;

	watch->quiet = quiet;
	return both;
}

int tw_watch_tick(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time)
{
	struct tw_source *source = watch->edges.source;
	struct tw_gauge gauge = { 0 };
	int r;

	/* What is in our hands has to be known as it is now. */
	if (!is_quiet(watch))
		source->refresh(source);
	r = source->gauge(source, &gauge);
	if (r < 0) {
		tw_watch_tell_failure(watch, "cannot read the kernel's counters", r, strerror(-r));
		return r;
	}
	gauge.at_usec = time.now_usec;
	watch->sample.previous = watch->sample.gauge;
	watch->sample.gauge = gauge;
	watch->sample.peak = tw_recent_peak_highest(&watch->peak, time.now_usec);
	tw_recent_peak_add(&watch->peak, tw_gauge_tally(&gauge));
	decide(watch, settings, time.now_usec);
	watch->hurries = tw_policy_hurries(settings, &watch->sample);
	if (watch->acting)
		tw_destroy_job_order(&watch->acting->destroying, &watch->room->kills, settings->mode, time.now_usec);
	tw_watch_find_due(watch, settings, time.now_usec);
	tw_watch_tell_sample(watch, settings, time.now_usec);
	return 0;
}

bool tw_watch_stands_still(const struct tw_watch *watch)
{
	const struct tw_sample *sample = &watch->sample;

	return watch->failures == 0 && !tw_watch_busy(watch) && !watch->scan_due && tw_acting_rests(watch->acting) &&
	       tw_policy_rests(&watch->policy) && sample->census.at_usec != 0 && !sample->census.partial &&
	       sample->accepting.accept_queue.milli == 0 && sample->previous.at_usec != 0 &&
	       sample->previous.segments == sample->gauge.segments;
}

void tw_watch_confirm(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	tw_sample_confirm(&watch->sample, now_usec);
	if (watch->sample.close_wait.waiter_count > 0)
		decide(watch, settings, now_usec);
}

static void end_scan(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time)
{
	struct tw_sample *sample = &watch->sample;

	watch->failures = 0;
	watch->error = 0;
	tw_scan_results(watch->room->scan, sample);
	if (watch->order.kind == TW_SCAN_SURVEY)
		sample->cost.survey_usec = watch->job_cost_usec;
	else
		sample->cost.census_usec = watch->job_cost_usec;
	watch->census_due_usec = tw_usec_add(sample->census.at_usec, settings->census_usec);
	if (watch->order.kind == TW_SCAN_SURVEY)
		watch->survey_due_usec = tw_usec_add(sample->census.at_usec, settings->survey_usec);
	if (watch->left)
		return;
	tw_watch_tell_gaps(watch);
	decide(watch, settings, time.now_usec);
	watch->hurries = tw_policy_hurries(settings, sample);
}

bool tw_watch_work(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time)
{
	enum tw_watch_job job = watch->job;
	int r;

	if (job == TW_WATCH_IDLE)
		return false;
	if (!tw_watch_end_job(watch, &r))
		return !watch->room->worker;
	watch->job = TW_WATCH_IDLE;
	if (job == TW_WATCH_DESTROY)
		tw_destroy_job_end(&watch->acting->destroying, r);
	else if (r == 0)
		end_scan(watch, settings, time);
	else
		tw_watch_tell_failure(watch, "cannot read the kernel's sockets", r, tw_diag_error_text(r));
	return false;
}

usec_t tw_watch_interval(const struct tw_watch *watch, const struct tw_settings *settings)
{
	usec_t quick_usec = TW_MAX(settings->interval_usec / TW_HURRY_FACTOR, TW_HURRY_MIN_USEC);

	if (watch->hurries)
		return TW_MIN(quick_usec, settings->interval_usec);
	return watch->ends_sockets ? TW_MIN(settings->interval_usec, TW_DESTROY_JOB_MAX_USEC) : settings->interval_usec;
}

void tw_watch_rebase(struct tw_watch *watch, const struct tw_settings *from, const struct tw_settings *to,
		     struct tw_time time)
{
	watch->left = false;
	tw_policy_rebase(&watch->policy, from, to, time.now_usec, watch->edges.recorder, watch->name);
	watch->census_due_usec = TW_MIN(watch->census_due_usec, tw_usec_add(time.now_usec, to->census_usec));
	watch->survey_due_usec = TW_MIN(watch->survey_due_usec, tw_usec_add(time.now_usec, to->survey_usec));
	watch->sample_record_due_usec =
		TW_MIN(watch->sample_record_due_usec, tw_usec_add(time.now_usec, to->sample_record_usec));
	tw_watch_let_go(watch); /* they hold pointers into the old settings */
}
