/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/report/report-page.h"

#include "model/metric.h"

#include <errno.h>
#include <string.h>

static const char *const table_fields[TW_REPORT_TABLES] = {
	[TW_REPORT_DESTINATIONS] = "TIMEWAITD_TOP_DESTINATIONS",
	[TW_REPORT_LISTENERS] = "TIMEWAITD_TOP_LISTENERS",
	[TW_REPORT_UNITS] = "TIMEWAITD_TOP_UNITS",
	[TW_REPORT_BOUND] = "TIMEWAITD_TOP_BOUND",
};

void tw_report_init(struct tw_report *report, const char *namespace)
{
	const char *near;

	*report = (struct tw_report){ .namespace = namespace };
	(void)tw_series_init(&report->port_use, tw_metric_info(TW_METRIC_PORT_USE)->name, &near);
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		(void)tw_series_init(&report->states[i], tw_metric_info(TW_METRIC_OF_STATE(i))->name, &near);
}

static void free_flight(struct tw_report_flight *flight)
{
	free(flight->rule);
	free(flight->message);
	for (unsigned i = 0; i < TW_REPORT_TABLES; i++)
		free(flight->tables[i]);
}

void tw_report_done(struct tw_report *report)
{
	tw_series_done(&report->port_use);
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		tw_series_done(&report->states[i]);
	tw_happened_done(&report->happened);
	tw_alerts_done(&report->alerts);
	for (size_t i = 0; i < TW_MIN(report->flight_count, (size_t)TW_REPORT_FLIGHTS_MAX); i++)
		free_flight(&report->flights[i]);
}

static bool fill_flight(struct tw_report_flight *flight, usec_t at_usec, const struct tw_record *record)
{
	bool whole;

	*flight = (struct tw_report_flight){
		.at_usec = at_usec,
		.rule = strdup(tw_past_text(record, "TIMEWAITD_RULE")),
		.message = strdup(tw_past_text(record, "MESSAGE")),
		.usable_ports = tw_past_milli(record, "TIMEWAITD_USABLE_PORTS"),
	};
	whole = flight->rule && flight->message;
	for (unsigned i = 0; i < TW_REPORT_TABLES; i++) {
		flight->tables[i] = strdup(tw_past_text(record, table_fields[i]));
		whole = whole && flight->tables[i];
	}
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		flight->numbers[i] = tw_past_metric(record, TW_METRIC_OF_STATE(i));
	return whole;
}

static int take_raised(struct tw_report *report, usec_t at_usec, const struct tw_record *record)
{
	const char *port_use = tw_metric_info(TW_METRIC_PORT_USE)->name;

	if (!report->level.known && strcmp(tw_past_text(record, "TIMEWAITD_METRIC"), port_use) == 0)
		report->level = tw_past_milli(record, "TIMEWAITD_THRESHOLD");
	if (report->flight_count < TW_REPORT_FLIGHTS_MAX &&
	    !fill_flight(&report->flights[report->flight_count], at_usec, record)) {
		free_flight(&report->flights[report->flight_count]);
		return -ENOMEM;
	}
	report->flight_count++;
	return tw_alerts_raise(&report->alerts, tw_past_text(record, "TIMEWAITD_RULE"), at_usec);
}

static int take_sample(struct tw_report *report, usec_t at_usec, const struct tw_record *record)
{
	int r = tw_series_take(&report->port_use, at_usec, record);

	for (unsigned i = 0; r >= 0 && i < TW_STATE_COUNT; i++)
		r = tw_series_take(&report->states[i], at_usec, record);
	return r;
}

int tw_report_take(struct tw_report *report, usec_t at_usec, const struct tw_record *record)
{
	enum tw_event_kind kind;
	int r;

	if (!tw_past_event(record, &kind))
		return 0;
	if (report->first_usec == 0)
		report->first_usec = at_usec;
	report->last_usec = TW_MAX(report->last_usec, at_usec);
	if (report->host[0] == '\0')
		(void)tw_text_copy(report->host, sizeof(report->host), tw_past_text(record, "_HOSTNAME"));
	if (kind == TW_EVENT_SAMPLE)
		return take_sample(report, at_usec, record);
	r = tw_happened_take(&report->happened, at_usec, kind, record);
	if (r >= 0 && kind == TW_EVENT_RAISED)
		r = take_raised(report, at_usec, record);
	if (kind == TW_EVENT_CLEARED)
		tw_alerts_clear(&report->alerts, tw_past_text(record, "TIMEWAITD_RULE"), at_usec);
	if (kind == TW_EVENT_STARTED || kind == TW_EVENT_STOPPED)
		tw_alerts_stop(&report->alerts, at_usec);
	return r;
}
