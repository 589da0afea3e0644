/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/watch.h"

#include "base/text.h"
#include "measure/diag.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* A scan of fewer sockets in TIME-WAIT than this is cheap enough (2 ms) to be read whole rather than derived. */
#define TW_DERIVE_ABOVE 5000
/*
 * The same of ESTABLISHED, where deriving has its price: what each listener has is not known then. Measured on Linux
 * 6.18, leaving one out spares some 700 ns: 7 ms, which every 5 s are a seventh of cpu-budget as it is by default.
 */
#define TW_DERIVE_ESTABLISHED_ABOVE 10000
/* While something grows fast, ticks come so many times as often, but never closer than this. */
#define TW_HURRY_FACTOR 4
#define TW_HURRY_MIN_USEC (100 * TW_USEC_PER_MSEC)
/* CPU time that a hurried survey may borrow against the budget: some dumps of all the sockets that a range can hold. */
#define TW_BORROW_MAX_USEC (500 * TW_USEC_PER_MSEC)
/* So many ticks in a row without a sample are a fault worth a record, not a hiccup. */
#define TW_FAILURES_TOLD 3
/* A stretch that goes on is told again after this. */
#define TW_STRETCH_REMIND_USEC TW_USEC_PER_HOUR
/* Ticks come no further apart while sockets are to be ended: an order's bucket holds one second's worth. */
#define TW_CHASE_MAX_USEC TW_USEC_PER_SEC

int tw_watch_init(struct tw_watch *watch, const char *name, const struct tw_watch_edges *edges,
		  const struct tw_hash_key *key, const struct tw_ledger *ledger, usec_t now_usec)
{
	memset(watch, 0, sizeof(*watch));
	watch->name = name;
	watch->edges = *edges;
	watch->scan = tw_scan_new(key);
	if (!watch->scan)
		return -ENOMEM;
	if (tw_chase_init(&watch->chase, edges->socket, edges->recorder, name) < 0) {
		tw_watch_done(watch);
		return -ENOMEM;
	}
	tw_hand_init(&watch->hand, ledger, edges->sysctl, edges->store, edges->recorder, name);
	tw_policy_init(&watch->policy);
	tw_judge_init(&watch->judge);
	tw_meter_init(&watch->meter, now_usec);
	return 0;
}

void tw_watch_done(struct tw_watch *watch)
{
	struct tw_worker_end end;

	if (watch->edges.worker && tw_watch_busy(watch)) {
		tw_worker_give_up(watch->edges.worker);
		tw_worker_wait(watch->edges.worker, &end);
	}
	tw_chase_done(&watch->chase);
	tw_scan_past_done(&watch->past);
	watch->scan = tw_scan_free(watch->scan);
}

static void tell(struct tw_watch *watch, enum tw_event_kind kind, const char *reason)
{
	struct tw_event event = { .kind = kind, .severity = TW_SEVERITY_WARNING };

	(void)tw_text_copy(event.reason, sizeof(event.reason), reason);
	watch->edges.recorder->tell(watch->edges.recorder, watch->name, &event);
}

static void tell_failure(struct tw_watch *watch, const char *what, int error, const char *why)
{
	struct tw_text text;
	char reason[TW_REASON_MAX];

	watch->error = error;
	if (++watch->failures != TW_FAILURES_TOLD)
		return;
	tw_text_init(&text, reason, sizeof(reason));
	tw_text_addf(&text, "%s: %s; nothing is decided until it works again", what, why);
	tell(watch, TW_EVENT_DEGRADED, reason);
}

static struct tw_in_force in_force(const struct tw_hand *hand)
{
	struct tw_in_force ret = { 0 };

	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		ret.rows[i].ours = hand->ledger.entries[i].owner == TW_OWNER_OURS;
		ret.rows[i].yielded = hand->ledger.entries[i].owner == TW_OWNER_YIELDED;
		ret.rows[i].value = hand->ledger.entries[i].written;
	}
	return ret;
}

/* Decided, judged, done, proved: one pass of a sample through the wings. */
static void decide(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_recorder *recorder = watch->edges.recorder;
	struct tw_in_force force;

	tw_policy_step(&watch->policy, settings, &watch->sample, now_usec, recorder, watch->name, &watch->desires,
		       &watch->kills);
	if (watch->at_rest && !watch->desires.any)
		return;
	force = in_force(&watch->hand);
	tw_judge_filter(&watch->judge, &watch->desires, &force, settings->max_changes, &watch->sample, now_usec,
			recorder, watch->name);
	if (watch->sample.accepting.at_usec != 0 && !watch->sample.accepting.partial)
		watch->desires.rows[TW_TUNABLE_PORT_RANGE].avoid = &watch->sample.accepting.listening;
	tw_hand_reconcile(&watch->hand, &watch->desires, settings->mode);
	force = in_force(&watch->hand);
	tw_judge_prove(&watch->judge, &watch->desires, &force, settings->proof_after_usec, &watch->sample, now_usec,
		       recorder, watch->name);
	watch->at_rest = !watch->desires.any && tw_hand_at_rest(&watch->hand);
}

/* Where they come no further apart than ticks, each tick has one: then the history holds all that was decided on. */
static bool sample_is_due(const struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	bool dense = settings->sample_record_usec <= settings->interval_usec;

	return settings->sample_record_usec > 0 &&
	       (dense || (watch->sample.census.at_usec != 0 && now_usec >= watch->sample_record_due_usec));
}

static void tell_sample(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_event event = { .kind = TW_EVENT_SAMPLE, .severity = TW_SEVERITY_INFO };

	if (!sample_is_due(watch, settings, now_usec))
		return;
	event.sample = &watch->sample;
	event.top = settings->top;
	watch->sample_record_due_usec = tw_usec_add(now_usec, settings->sample_record_usec);
	watch->edges.recorder->tell(watch->edges.recorder, watch->name, &event);
}

/* Told at its beginning, and once an hour while it goes on. */
static void tell_stretch(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_text text;
	char reason[TW_REASON_MAX];

	if (watch->stretch_told_usec != 0 && tw_usec_since(now_usec, watch->stretch_told_usec) < TW_STRETCH_REMIND_USEC)
		return;
	watch->stretch_told_usec = now_usec;
	tw_text_init(&text, reason, sizeof(reason));
	tw_text_add(&text, "counting sockets costs more than cpu-budget = ");
	tw_text_add_milli(&text, settings->cpu_budget_milli);
	tw_text_add(&text, "% allows: census and survey come later than configured; the gauge stays on time");
	tell(watch, TW_EVENT_STRETCHED, reason);
}

static void start_scan(struct tw_watch *watch, enum tw_scan_kind kind, struct tw_time time)
{
	watch->order = (struct tw_scan_order){
		.kind = kind,
		.derive_time_wait = watch->sample.gauge.time_wait > TW_DERIVE_ABOVE,
		.derive_established = watch->sample.gauge.established > TW_DERIVE_ESTABLISHED_ABOVE,
		.bound_known = watch->edges.tells_bound,
		.at_usec = time.now_usec,
		.gauge = watch->sample.gauge,
	};
	watch->chase_first = watch->chase.wanted;
	tw_watch_start_job(watch, TW_WATCH_SCAN);
}

/* What is about to fail cannot wait for the budget: it borrows, within bounds. */
static bool may_scan(const struct tw_watch *watch, const struct tw_settings *settings)
{
	return tw_meter_allows(&watch->meter) ||
	       (tw_policy_hurries(settings, &watch->sample) && watch->meter.owed_usec < TW_BORROW_MAX_USEC);
}

/* A survey counts as a census too. */
static void start_due_scan(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time)
{
	bool survey = time.now_usec >= watch->survey_due_usec ||
		      tw_policy_wants_survey(&watch->policy, settings, &watch->sample);
	bool late;

	if (tw_watch_busy(watch) || (!survey && time.now_usec < watch->census_due_usec))
		return;
	late = time.now_usec >= tw_usec_add(watch->census_due_usec, settings->census_usec);
	tw_meter_pay(&watch->meter, settings->cpu_budget_milli, time.now_usec);
	if (!may_scan(watch, settings)) {
		if (late)
			tell_stretch(watch, settings, time.now_usec);
		return;
	}
	if (!late)
		watch->stretch_told_usec = 0;
	start_scan(watch, survey ? TW_SCAN_SURVEY : TW_SCAN_CENSUS, time);
}

/* Within the budget, when no scan is under way: both read from one source. */
static void start_chase(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	if (tw_watch_busy(watch) || !watch->chase.wanted)
		return;
	tw_meter_pay(&watch->meter, settings->cpu_budget_milli, now_usec);
	if (!may_scan(watch, settings))
		return;
	watch->chase_first = false;
	if (tw_chase_begin(&watch->chase, &watch->sample, now_usec))
		tw_watch_start_job(watch, TW_WATCH_HUNT);
}

/* What had to wait for the other is first, so that a tight budget starves neither. */
static void start_due(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time)
{
	tw_chase_order(&watch->chase, &watch->kills, settings->mode, time.now_usec);
	if (watch->chase_first)
		start_chase(watch, settings, time.now_usec);
	start_due_scan(watch, settings, time);
	start_chase(watch, settings, time.now_usec);
}

/* Nothing is done, and nothing was at the tick before. */
static bool is_quiet(struct tw_watch *watch, const struct tw_settings *settings)
{
	bool quiet = watch->at_rest && tw_policy_raised(&watch->policy, settings) == 0;
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
	if (!is_quiet(watch, settings))
		source->refresh(source);
	r = source->gauge(source, &gauge);
	if (r < 0) {
		tell_failure(watch, "cannot read the kernel's counters", r, strerror(-r));
		return r;
	}
	gauge.at_usec = time.now_usec;
	watch->sample.previous = watch->sample.gauge;
	watch->sample.gauge = gauge;
	watch->sample.crest = tw_crest_highest(&watch->crest, time.now_usec);
	tw_crest_add(&watch->crest, tw_gauge_tally(&gauge));
	decide(watch, settings, time.now_usec);
	start_due(watch, settings, time);
	tell_sample(watch, settings, time.now_usec);
	return 0;
}

/* Once, until a survey tells all sockets apart again. */
static void tell_dropped(struct tw_watch *watch)
{
	uint64_t dropped = watch->sample.survey.dropped;
	struct tw_text text;
	char reason[TW_REASON_MAX];

	if (dropped > 0 && !watch->dropped_told) {
		tw_text_init(&text, reason, sizeof(reason));
		tw_text_addf(&text,
			     "%" PRIu64 " sockets go to more destinations than the survey's table holds: they are "
			     "counted, but not told apart; the busiest destinations are kept",
			     dropped);
		tell(watch, TW_EVENT_PARTIAL, reason);
	}
	watch->dropped_told = dropped > 0;
}

static void end_scan(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time)
{
	bool partial;

	watch->failures = 0;
	watch->error = 0;
	tw_scan_results(watch->scan, &watch->sample);
	if (watch->order.kind == TW_SCAN_SURVEY)
		watch->sample.cost.survey_usec = watch->job_cost_usec;
	else
		watch->sample.cost.census_usec = watch->job_cost_usec;
	watch->census_due_usec = tw_usec_add(watch->sample.census.at_usec, settings->census_usec);
	if (watch->order.kind == TW_SCAN_SURVEY)
		watch->survey_due_usec = tw_usec_add(watch->sample.census.at_usec, settings->survey_usec);
	partial = watch->sample.census.partial;
	if (partial && !watch->partial_told)
		tell(watch, TW_EVENT_PARTIAL,
		     "the socket table moved too much to be read whole, three times in a row; no action rests on it");
	watch->partial_told = partial;
	tell_dropped(watch);
	decide(watch, settings, time.now_usec);
}

bool tw_watch_work(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time)
{
	enum tw_watch_job job = watch->job;
	int r;

	if (job == TW_WATCH_IDLE)
		return false;
	if (!tw_watch_end_job(watch, &r))
		return !watch->edges.worker;
	watch->job = TW_WATCH_IDLE;
	if (job == TW_WATCH_HUNT) {
		tw_chase_end(&watch->chase, r);
	} else if (r == 0) {
		end_scan(watch, settings, time);
		start_chase(watch, settings, time.now_usec);
	} else {
		tell_failure(watch, "cannot read the kernel's sockets", r, tw_diag_error_text(r));
	}
	return tw_watch_busy(watch) && !watch->edges.worker;
}

void tw_watch_ticked(struct tw_watch *watch, usec_t cpu_usec)
{
	/* A worker's share is not told apart here. */
	if (!watch->edges.worker || !tw_watch_busy(watch))
		watch->sample.cost.tick_usec = cpu_usec;
	watch->sample.cost.total_usec = watch->meter.spent_usec;
}

usec_t tw_watch_interval(const struct tw_watch *watch, const struct tw_settings *settings)
{
	usec_t quick_usec = TW_MAX(settings->interval_usec / TW_HURRY_FACTOR, TW_HURRY_MIN_USEC);

	if (!tw_policy_hurries(settings, &watch->sample))
		return watch->kills.count > 0 ? TW_MIN(settings->interval_usec, TW_CHASE_MAX_USEC)
					      : settings->interval_usec;
	return TW_MIN(quick_usec, settings->interval_usec);
}

void tw_watch_rebase(struct tw_watch *watch, const struct tw_settings *from, const struct tw_settings *to,
		     struct tw_time time)
{
	tw_policy_rebase(&watch->policy, from, to, time.now_usec, watch->edges.recorder, watch->name);
	watch->census_due_usec = TW_MIN(watch->census_due_usec, tw_usec_add(time.now_usec, to->census_usec));
	watch->survey_due_usec = TW_MIN(watch->survey_due_usec, tw_usec_add(time.now_usec, to->survey_usec));
	watch->sample_record_due_usec =
		TW_MIN(watch->sample_record_due_usec, tw_usec_add(time.now_usec, to->sample_record_usec));
	tw_watch_let_go(watch); /* they hold pointers into the old settings */
}
