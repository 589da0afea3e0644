/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of ports: apart from finding.c for their length. */
#include "tell/finding-ports.h"

#include "base/macros.h"
#include "tell/finding.h"
#include "tell/known.h"

#include <inttypes.h>
#include <string.h>

static const struct tw_survey *known_survey(const struct tw_event *event)
{
	return event->sample && tw_known_survey(event->sample) ? &event->sample->survey : NULL;
}

static const struct tw_destination_row *find_destination(const struct tw_event *event)
{
	const struct tw_survey *survey = known_survey(event);

	return survey && event->subject.has_destination ? tw_survey_row(survey, &event->subject.destination) : NULL;
}

/* The states as people know them. */
static const char *const holders[TW_HOLDER_COUNT] = {
	[TW_HOLDER_TIME_WAIT] = "TIME-WAIT",   [TW_HOLDER_ESTABLISHED] = "ESTABLISHED",
	[TW_HOLDER_SYN_SENT] = "SYN-SENT",     [TW_HOLDER_FIN_WAIT_2_ORPHANED] = "orphaned FIN-WAIT-2",
	[TW_HOLDER_FIN_WAIT_2] = "FIN-WAIT-2", [TW_HOLDER_CLOSE_WAIT] = "CLOSE-WAIT",
	[TW_HOLDER_CLOSING] = "closing",
};

/* ", 3871 of 8192, TIME-WAIT 3866": the two states that hold most. */
static void add_holders(struct tw_text *text, const struct tw_destination_row *row, const struct tw_survey *survey)
{
	uint32_t own = row->bound_first_known ? row->bound_first : 0;
	uint32_t others = survey->exclusive_ports - TW_MIN(survey->exclusive_ports, own);
	int most = 0, second = -1;

	for (int i = 0; i < TW_HOLDER_COUNT; i++)
		most = row->held[i] > row->held[most] ? i : most;
	for (int i = 0; i < TW_HOLDER_COUNT; i++)
		if (i != most && row->held[i] > 0 && (second < 0 || row->held[i] > row->held[second]))
			second = i;
	tw_text_addf(text, ", %" PRIu32 " of %" PRIu32 ", %s %" PRIu32, row->blocked, survey->usable, holders[most],
		     row->held[most]);
	if (second >= 0)
		tw_text_addf(text, ", %s %" PRIu32, holders[second], row->held[second]);
	/* Some listeners are no news. */
	if ((uint64_t)others * 20 >= survey->usable && others > 0)
		tw_text_addf(text, ", held by others for all destinations %" PRIu32, others);
}

/* "10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports (threshold 45%), 3871 of 8192, TIME-WAIT 3866". */
static void add_port_use(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_destination_row *row = find_destination(event);

	tw_destination_add(text, &event->subject.destination);
	tw_text_add(text, " uses ");
	tw_finding_add_figure(text, event->metric, event->value);
	tw_text_add(text, " of its ports");
	tw_finding_add_threshold(text, event);
	if (row)
		add_holders(text, row, &event->sample->survey);
}

/*
 * "192.168.77.1 and 7 other addresses hold 1300 of 2000 ports by bind() before connect() without
 * IP_BIND_ADDRESS_NO_PORT: blocked for every destination, and for every other program that connects without bind(); 65%
 * of the ports are in use (threshold 45%)".
 */
static void add_bound_first(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_survey *survey = known_survey(event);
	const struct tw_binder_row *row = survey ? tw_survey_binder(survey, &event->subject.binder) : NULL;
	unsigned others = row ? survey->binder_count - 1 : 0;

	tw_address_add(text, &event->subject.binder);
	if (others > 0)
		tw_text_addf(text, " and %u other %s", others, others > 1 ? "addresses" : "address");
	tw_text_add(text, others > 0 ? " hold " : " holds ");
	if (row)
		tw_text_addf(text, "%" PRIu32 " of %" PRIu32 " ", others > 0 ? survey->bound_first_ports : row->ports,
			     survey->usable);
	tw_text_add(text,
		    "ports by bind() before connect() without IP_BIND_ADDRESS_NO_PORT: blocked for every destination, "
		    "and for every other program that connects without bind(); ");
	tw_finding_add_figure(text, event->metric, event->value);
	tw_text_add(text, " of the ports are in use");
	tw_finding_add_threshold(text, event);
}

/* "10.0.0.1 -> 10.0.0.2:8080 uses 31% of its ports and runs out in 3.9s at the present rate (forecast 15s)". */
static bool add_forecast(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_destination_row *row = find_destination(event);
	bool knows_when = row && row->port_eta.known && !tw_known_never(TW_METRIC_PORT_ETA, row->port_eta);

	tw_destination_add(text, &event->subject.destination);
	tw_text_add(text, " uses ");
	/* The one that runs out first need not be the busiest, whose figure the metric is. */
	tw_finding_add_figure(text, TW_METRIC_PORT_USE, row && row->port_use.known ? row->port_use : event->value);
	tw_text_add(text, " of its ports");
	if (knows_when) {
		tw_text_add(text, " and runs out in ");
		tw_finding_add_figure(text, TW_METRIC_PORT_ETA, row->port_eta);
		tw_text_add(text, " at the present rate");
	}
	if (event->rule && event->rule->forecast_usec > 0) {
		tw_text_add(text, " (forecast ");
		tw_value_add_span(text, event->rule->forecast_usec);
		tw_text_add_char(text, ')');
	}
	return knows_when;
}

/* The subject's row among those that hold bound ports. */
static const struct tw_bound_row *find_bound(const struct tw_survey *survey, const char *unit)
{
	for (unsigned i = 0; survey && unit[0] != '\0' && i < survey->bound_row_count; i++)
		if (strcmp(survey->bound_rows[i].unit, unit) == 0)
			return &survey->bound_rows[i];
	return NULL;
}

/* "100% of the ports are in use (threshold 45%): batch.service holds 282 of the 282 that are bound and not connected"
 */
static void add_bound(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_survey *survey = known_survey(event);
	const struct tw_bound_row *row = find_bound(survey, event->subject.unit);

	tw_finding_add_figure(text, event->metric, event->value);
	tw_text_add(text, " of the ports are in use");
	tw_finding_add_threshold(text, event);
	if (row)
		tw_text_addf(text, ": %s holds %" PRIu32 " of the %" PRIu32 " that are bound and not connected",
			     row->unit, row->sockets, survey->bound_ports);
	else if (survey)
		tw_text_addf(text,
			     ": %" PRIu32 " of %" PRIu32
			     " are held for all destinations by sockets that listen or are bound",
			     survey->exclusive_ports - TW_MIN(survey->bound_first_ports, survey->exclusive_ports),
			     survey->usable);
}

/*
 * "bind() of 10.0.0.1 before connect() runs out of ports: 1520 of 2000 are held by sockets of this address, most in
 * ESTABLISHED; 52% of the half that has more room are in use (threshold 45%)".
 */
static void add_bind_short(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_survey *survey = known_survey(event);
	const struct tw_binder_need *need = survey ? tw_survey_binder_need(survey, &event->subject.binder) : NULL;

	tw_text_add(text, "bind() of ");
	tw_address_add(text, &event->subject.binder);
	tw_text_add(text, " before connect() runs out of ports: ");
	if (need)
		tw_text_addf(text, "%" PRIu32 " of %" PRIu32 " are held by sockets of this address, most in %s; ",
			     need->ports, survey->usable, holders[need->holder]);
	tw_finding_add_figure(text, event->metric, event->value);
	tw_text_add(text, " of the half that has more room are in use");
	tw_finding_add_threshold(text, event);
}

bool tw_finding_is_over_ports(const struct tw_subject *subject)
{
	return subject->has_destination || subject->has_binder || subject->holds_for_all;
}

bool tw_finding_add_ports(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_subject *subject = &event->subject;

	if (subject->has_destination && event->forecast)
		return add_forecast(text, event);
	if (subject->has_binder && !subject->holds_for_all)
		add_bind_short(text, event);
	else if (subject->has_binder)
		add_bound_first(text, event);
	else if (subject->holds_for_all)
		add_bound(text, event);
	else
		add_port_use(text, event);
	return false;
}
