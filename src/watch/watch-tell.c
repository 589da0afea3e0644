/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/watch.h"

#include "base/macros.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* So many ticks in a row without a sample are a fault worth a record, not a hiccup. */
#define TW_FAILURES_TOLD 3
/* So many scans in a row that broke off: one is made up for by the next. */
#define PARTIAL_SCANS 2
/* A stretch that goes on is told again after this. */
#define TW_STRETCH_REMIND_USEC TW_USEC_PER_HOUR

static void tell(struct tw_watch *watch, enum tw_event_kind kind, const char *reason)
{
	struct tw_event event = { .kind = kind, .severity = TW_SEVERITY_WARNING };

	(void)tw_text_copy(event.reason, sizeof(event.reason), reason);
	watch->edges.recorder->tell(watch->edges.recorder, watch->name, &event);
}

void tw_watch_tell_failure(struct tw_watch *watch, const char *what, int error, const char *why)
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

void tw_watch_tell_unable(struct tw_watch *watch, int error)
{
	struct tw_text text;
	char reason[TW_REASON_MAX];

	if (watch->unable_told)
		return;
	watch->unable_told = true;
	tw_text_init(&text, reason, sizeof(reason));
	tw_text_addf(&text, "cannot act in this network namespace: %s; nothing is done there until it works",
		     strerror(-error));
	tell(watch, TW_EVENT_DEGRADED, reason);
}

/* Where they come no further apart than ticks, each tick has one: then the history holds all that was decided on. */
static bool sample_is_due(const struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	bool dense = settings->sample_record_usec <= settings->interval_usec;

	return settings->sample_record_usec > 0 &&
	       (dense || (watch->sample.census.at_usec != 0 && now_usec >= watch->sample_record_due_usec));
}

void tw_watch_tell_sample(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_event event = { .kind = TW_EVENT_SAMPLE, .severity = TW_SEVERITY_INFO };

	if (!sample_is_due(watch, settings, now_usec))
		return;
	event.sample = &watch->sample;
	event.top = settings->top;
	watch->sample_record_due_usec = tw_usec_add(now_usec, settings->sample_record_usec);
	watch->edges.recorder->tell(watch->edges.recorder, watch->name, &event);
}

void tw_watch_tell_stretch(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
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

void tw_watch_tell_gaps(struct tw_watch *watch)
{
	unsigned before = watch->partial_scans;

	watch->partial_scans = watch->sample.census.partial ? TW_MIN(before + 1, PARTIAL_SCANS + 1) : 0;
	if (watch->partial_scans == PARTIAL_SCANS && before < PARTIAL_SCANS)
		tell(watch, TW_EVENT_PARTIAL,
		     "the socket table moved too much to be read whole, twice in a row; no action rests on it");
	tell_dropped(watch);
}
