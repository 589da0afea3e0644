/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/watch.h"

/* A scan of fewer sockets in TIME-WAIT than this is cheap enough (2 ms) to be read whole rather than derived. */
#define TW_DERIVE_ABOVE 5000
/*
 * The same of ESTABLISHED, where deriving has its price: what each listener has is not known then. Measured on Linux
 * 6.18, leaving one out spares some 700 ns: 7 ms, which every 5 s are a seventh of cpu-budget as it is by default.
 */
#define TW_DERIVE_ESTABLISHED_ABOVE 10000
/* CPU time that a hurried survey may borrow against the budget: some dumps of all the sockets that a range can hold. */
#define TW_BORROW_MAX_USEC (500 * TW_USEC_PER_MSEC)

/* A survey counts as a census too. */
void tw_watch_find_due(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	bool survey =
		now_usec >= watch->survey_due_usec || tw_policy_wants_survey(&watch->policy, settings, &watch->sample);

	watch->scan_due = !tw_watch_busy(watch) && (survey || now_usec >= watch->census_due_usec);
	watch->scan_kind = survey ? TW_SCAN_SURVEY : TW_SCAN_CENSUS;
	watch->scan_late = watch->scan_due && now_usec >= tw_usec_add(watch->census_due_usec, settings->census_usec);
}

static void start_scan(struct tw_watch *watch, usec_t now_usec)
{
	watch->order = (struct tw_scan_order){
		.kind = watch->scan_kind,
		.derive_time_wait = watch->sample.gauge.time_wait > TW_DERIVE_ABOVE,
		.derive_established = watch->sample.gauge.established > TW_DERIVE_ESTABLISHED_ABOVE,
		.bound_known = watch->edges.tells_bound,
		.at_usec = now_usec,
		.gauge = watch->sample.gauge,
	};
	watch->scan_due = false;
	watch->chase_first = watch->acting && watch->acting->chase.wanted;
	tw_watch_start_job(watch, TW_WATCH_SCAN);
}

/* What is about to fail cannot wait for the budget: it borrows, within bounds. */
static bool may_begin(const struct tw_watch *watch)
{
	return (tw_meter_allows(&watch->meter) && !watch->room->overspent) ||
	       (watch->hurries && watch->meter.owed_usec < TW_BORROW_MAX_USEC);
}

static bool begin_scan(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	if (!watch->scan_due)
		return false;
	if (!may_begin(watch)) {
		if (watch->scan_late)
			tw_watch_tell_stretch(watch, settings, now_usec);
		return false;
	}
	if (!watch->scan_late)
		watch->stretch_told_usec = 0;
	start_scan(watch, now_usec);
	return true;
}

/* Within the budget, when no scan is under way: both read from one source. */
static bool begin_chase(struct tw_watch *watch, usec_t now_usec)
{
	if (!watch->acting || !watch->acting->chase.wanted || !may_begin(watch))
		return false;
	watch->chase_first = false;
	if (!tw_chase_begin(&watch->acting->chase, &watch->sample, now_usec))
		return false;
	tw_watch_start_job(watch, TW_WATCH_HUNT);
	return true;
}

/* What had to wait for the other is first, so that a tight budget starves neither. */
bool tw_watch_begin(struct tw_watch *watch, const struct tw_settings *settings, struct tw_time time)
{
	if (watch->chase_first && begin_chase(watch, time.now_usec))
		return true;
	return begin_scan(watch, settings, time.now_usec) || begin_chase(watch, time.now_usec);
}
