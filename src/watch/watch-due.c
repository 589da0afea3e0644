/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/watch.h"

#include "decide/survey-need.h"

/* A scan of fewer sockets in TIME-WAIT than this is cheap enough (2 ms) to be read whole rather than derived. */
#define TW_DERIVE_ABOVE 5000
/*
 * The same of ESTABLISHED, where deriving has its price: what each listener has is not known then. Measured on Linux
 * 6.18, leaving one out spares some 700 ns: 7 ms, which every 5 s are a seventh of cpu-budget as it is by default.
 */
#define TW_DERIVE_ESTABLISHED_ABOVE 10000
/* CPU time that a hurried survey may borrow against the budget: some dumps of all the sockets that a range can hold. */
#define TW_BORROW_MAX_USEC (500 * TW_USEC_PER_MSEC)

/* Where nothing has moved since the last scan, the next one comes after so many times `survey`. */
#define TW_SPARED_SURVEYS 10

/* Since the last scan; or that one failed, or something is on its way that takes time alone. */
static bool has_moved(const struct tw_watch *watch)
{
	const struct tw_census *census = &watch->sample.census;
	const struct tw_gauge *then = &watch->order.gauge, *now = &watch->sample.gauge;

	return census->at_usec == 0 || census->at_usec != watch->order.at_usec || census->partial ||
	       !tw_policy_rests(&watch->policy) || watch->sample.accepting.accept_queue.milli > 0 ||
	       then->segments != now->segments || then->tcp_inuse != now->tcp_inuse ||
	       then->tcp6_inuse != now->tcp6_inuse || then->time_wait != now->time_wait;
}

usec_t tw_watch_rescan_usec(const struct tw_watch *watch, const struct tw_settings *settings)
{
	usec_t span_usec = settings->survey_usec;

	for (unsigned i = 1; watch->spared && i < TW_SPARED_SURVEYS; i++)
		span_usec = tw_usec_add(span_usec, settings->survey_usec);
	return tw_usec_add(watch->sample.census.at_usec, span_usec);
}

/* A survey counts as a census too. */
void tw_watch_find_due(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	bool survey =
		now_usec >= watch->survey_due_usec || tw_policy_wants_survey(&watch->policy, settings, &watch->sample);

	watch->scan_due = !tw_watch_busy(watch) && (survey || now_usec >= watch->census_due_usec);
	if (watch->spared && !has_moved(watch))
		watch->scan_due = watch->scan_due && now_usec >= tw_watch_rescan_usec(watch, settings);
	watch->scan_asks = tw_policy_asks_exclusive(&watch->policy, settings, &watch->sample);
	watch->has_evidence = survey && tw_policy_evidence(&watch->policy, settings, &watch->sample, &watch->evidence);
	watch->scan_kind = survey ? TW_SCAN_SURVEY : TW_SCAN_CENSUS;
	watch->close_wait_age_usec = watch->scan_due ? tw_settings_close_wait_age(settings) : 0;
	watch->scan_routine = watch->scan_due && now_usec >= watch->census_due_usec;
	watch->scan_late = watch->scan_due && now_usec >= tw_usec_add(watch->census_due_usec, settings->census_usec);
}

/* Ports that the kernel is asked about in a survey: 4 ms at the most. */
#define TW_ASK_MAX 1000

static bool wants_destroy_job(const struct tw_watch *watch)
{
	return watch->acting && watch->acting->destroying.wanted;
}

static void start_scan(struct tw_watch *watch, usec_t now_usec)
{
	watch->order = (struct tw_scan_order){
		.kind = watch->scan_kind,
		.derive_time_wait = watch->sample.gauge.time_wait > TW_DERIVE_ABOVE,
		.derive_established = watch->sample.gauge.established > TW_DERIVE_ESTABLISHED_ABOVE,
		.bound_known = watch->edges.tells_bound,
		.close_wait_age_usec = watch->close_wait_age_usec,
		.ask_most = watch->scan_asks ? TW_ASK_MAX : 0,
		.baseline = tw_acting_baseline(watch->acting, TW_TUNABLE_TW_REUSE),
		.at_usec = now_usec,
		.gauge = watch->sample.gauge,
	};
	watch->order.has_evidence = watch->has_evidence;
	watch->order.evidence = watch->evidence;
	if (watch->scan_kind == TW_SCAN_SURVEY)
		tw_policy_watched(&watch->policy, &watch->order.watched);
	watch->scan_due = false;
	watch->destroy_first = wants_destroy_job(watch);
	tw_watch_start_job(watch, TW_WATCH_SCAN);
}

static bool is_paid_for(const struct tw_watch *watch)
{
	const struct tw_scratch *room = watch->room;

	return room->starting || (tw_cpu_budget_allows(watch->charged) && !room->overspent && !room->pressed);
}

/* Something is over its level, or was changed: nobody leaves that unseen, or changes a machine blindly. */
static bool has_trouble(const struct tw_watch *watch)
{
	return !tw_policy_rests(&watch->policy) || !tw_acting_rests(watch->acting);
}

/* What is about to fail cannot wait for the budget, nor what has trouble for more than `census`. They borrow. */
static bool may_borrow(const struct tw_watch *watch)
{
	return (watch->hurries || (watch->scan_routine && has_trouble(watch))) &&
	       tw_cpu_budget_debt(watch->charged) < TW_BORROW_MAX_USEC && !watch->room->overdrawn;
}

bool tw_watch_may_begin(const struct tw_watch *watch)
{
	return !tw_watch_busy(watch) && (watch->scan_due || wants_destroy_job(watch)) &&
	       (is_paid_for(watch) || may_borrow(watch));
}

/* Both read from one source. */
static bool begin_destroy_job(struct tw_watch *watch, usec_t now_usec)
{
	if (!wants_destroy_job(watch))
		return false;
	watch->destroy_first = false;
	if (!tw_destroy_job_begin(&watch->acting->destroying, &watch->sample, now_usec))
		return false;
	tw_watch_start_job(watch, TW_WATCH_DESTROY);
	return true;
}

/* What had to wait for the other is first, so that a tight budget starves neither. */
bool tw_watch_begin(struct tw_watch *watch, struct tw_time time)
{
	watch->job_borrows = !is_paid_for(watch);
	if (watch->destroy_first && begin_destroy_job(watch, time.now_usec))
		return true;
	if (!watch->scan_due)
		return begin_destroy_job(watch, time.now_usec);
	if (!watch->scan_late && tw_cpu_budget_debt(watch->charged) == 0)
		watch->stretch_told_usec = 0;
	start_scan(watch, time.now_usec);
	return true;
}
