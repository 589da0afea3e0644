/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-sample.h"

#include "base/macros.h"
#include "tell/known.h"
#include "tell/record-top.h"

#include <inttypes.h>
#include <string.h>

#define PREFIX "TIMEWAITD_"

static void add_count(struct tw_record *record, const char *prefix, const char *name, struct tw_count count)
{
	if (count.known)
		tw_record_add_u64(record, prefix, name, count.value);
}

/* Milliseconds of CPU time. */
static void add_cost(struct tw_record *record, const char *name, usec_t cost_usec)
{
	if (cost_usec > 0)
		tw_record_add_milli(record, PREFIX "COST_", name, (int64_t)TW_MIN(cost_usec, (usec_t)INT64_MAX));
}

void tw_record_add_numbers(struct tw_record *record, const struct tw_sample *sample)
{
	for (unsigned i = 0; i < TW_METRIC_COUNT; i++) {
		enum tw_metric metric = (enum tw_metric)i;
		struct tw_value value = tw_known_number(metric, tw_sample_metric(sample, metric));

		if (value.known)
			tw_record_add_milli(record, PREFIX, tw_metric_info(metric)->name, value.milli);
	}
	if (tw_known_survey(sample))
		tw_record_add_u64(record, PREFIX, "usable-ports", sample->survey.usable);
	add_cost(record, "tick", sample->cost.tick_usec);
	add_cost(record, "census", sample->cost.census_usec);
	add_cost(record, "survey", sample->cost.survey_usec);
	add_cost(record, "total", sample->cost.total_usec);
}

static void add_sysctl(struct tw_record *record, const struct tw_gauge *gauge, enum tw_tunable tunable)
{
	const char *dot = strrchr(tw_tunable_info(tunable)->key, '.');
	char value[TW_TUNABLE_VALUE_MAX];
	struct tw_text text;

	if (!gauge->sysctls[tunable].known || !dot)
		return;
	tw_record_begin(record, &text, PREFIX "SYSCTL_", dot + 1);
	tw_text_add(&text, tw_tunable_format(tunable, &gauge->sysctls[tunable].value, value));
	(void)tw_record_end(record, &text);
}

static void add_sysctls(struct tw_record *record, const struct tw_gauge *gauge)
{
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		add_sysctl(record, gauge, (enum tw_tunable)i);
}

static void add_gauge(struct tw_record *record, const struct tw_gauge *gauge)
{
	tw_record_add_u64(record, PREFIX, "reserved-ports", gauge->reserved_ports);
	add_sysctls(record, gauge);
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		add_count(record, PREFIX "TOTAL_", tw_counter_name((enum tw_counter)i), gauge->counters[i]);
	tw_record_add_u64(record, PREFIX, "orphan-sockets", gauge->orphan);
	tw_record_add_u64(record, PREFIX, "memory-pages", gauge->memory_pages);
	add_count(record, PREFIX, "memory-limit-pages", gauge->memory_limit_pages);
	add_count(record, PREFIX, "conntrack-count", gauge->conntrack_count);
	add_count(record, PREFIX, "conntrack-max", gauge->conntrack_max);
}

static void add_survey(struct tw_record *record, const struct tw_survey *survey, unsigned top)
{
	tw_record_add_u64(record, PREFIX, "bound-ports", survey->bound_ports);
	tw_record_add_u64(record, PREFIX, "exclusive-ports", survey->exclusive_ports);
	tw_record_add_u64(record, PREFIX, "bound-first-ports", survey->bound_first_ports);
	if (survey->unclear_ports > 0)
		tw_record_add_u64(record, PREFIX, "unclear-ports", survey->unclear_ports);
	tw_record_add_u64(record, PREFIX, "destinations", survey->destinations);
	if (survey->dropped > 0)
		tw_record_add_u64(record, PREFIX, "dropped-sockets", survey->dropped);
	if (survey->port_demand.known)
		tw_record_add_milli(record, PREFIX, "port-demand", survey->port_demand.milli);
	tw_record_add_top_destinations(record, survey, top);
	tw_record_add_top_held(record, survey, top);
	tw_record_add_top_bound(record, survey, top);
	tw_record_add_top_binders(record, survey, top);
}

void tw_record_add_flight(struct tw_record *record, const struct tw_sample *sample, unsigned top)
{
	if (sample->gauge.at_usec != 0)
		add_gauge(record, &sample->gauge);
	if (tw_known_survey(sample))
		add_survey(record, &sample->survey, top);
	if (tw_known_accepting(sample))
		tw_record_add_top_listeners(record, &sample->accepting, top);
	if (tw_known_close_wait(sample))
		tw_record_add_top_units(record, &sample->close_wait, top);
}

/* ---- what rules can be tried on */

#define SECONDS(n) ((n)*TW_USEC_PER_SEC)
#define MINUTES(n) ((n)*TW_USEC_PER_MINUTE)
#define HOURS(n) ((n)*TW_USEC_PER_HOUR)

const usec_t tw_record_ages[TW_RECORD_AGES] = {
	SECONDS(1),  SECONDS(2),  SECONDS(5), SECONDS(10), SECONDS(15), SECONDS(20), SECONDS(30), SECONDS(45),
	MINUTES(1),  SECONDS(90), MINUTES(2), MINUTES(3),  MINUTES(5),	MINUTES(10), MINUTES(15), MINUTES(20),
	MINUTES(30), MINUTES(45), HOURS(1),   HOURS(2),	   HOURS(3),	HOURS(6),    HOURS(12),	  HOURS(24),
};

/* The rows have the most ports first: of those that are no fuller than the last one told, only a sooner one counts. */
static void add_forecasts(struct tw_record *record, const struct tw_survey *survey)
{
	struct tw_value soonest = tw_value_unknown();
	struct tw_text text;

	for (unsigned i = 0; i < survey->top_count; i++) {
		const struct tw_destination_row *row = &survey->top[i];

		if (!row->port_use.known || !row->port_eta.known ||
		    (soonest.known && row->port_eta.milli >= soonest.milli))
			continue;
		if (!soonest.known)
			tw_record_begin(record, &text, PREFIX, "port-forecasts");
		else
			tw_text_add_char(&text, '\n');
		tw_text_add_milli(&text, row->port_use.milli);
		tw_text_add_char(&text, ' ');
		tw_text_add_milli(&text, row->port_eta.milli);
		soonest = row->port_eta;
	}
	if (soonest.known)
		(void)tw_record_end(record, &text);
}

static uint32_t count_older(const struct tw_close_wait *close_wait, usec_t age_usec)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < close_wait->waiter_count; i++)
		count += tw_usec_since(close_wait->at_usec, close_wait->waiters[i].since_usec) > age_usec;
	return count;
}

static void add_ages(struct tw_record *record, const struct tw_close_wait *close_wait)
{
	uint32_t count = close_wait->waiter_count;
	struct tw_text text;

	if (!close_wait->waiters && close_wait->waiter_count > 0)
		return;
	tw_record_begin(record, &text, PREFIX, "close-wait-ages");
	for (unsigned i = 0; i < TW_RECORD_AGES && count > 0; i++) {
		count = count_older(close_wait, tw_record_ages[i]);
		if (count > 0)
			tw_text_addf(&text, "%s%" PRIu32, i > 0 ? " " : "", count);
	}
	(void)tw_record_end(record, &text);
}

static void add_time(struct tw_record *record, const char *name, usec_t at_usec)
{
	if (at_usec != 0)
		tw_record_add_u64(record, PREFIX, name, at_usec);
}

void tw_record_add_basis(struct tw_record *record, const struct tw_sample *sample)
{
	const struct tw_gauge *gauge = &sample->gauge;

	add_time(record, "gauge-at", gauge->at_usec);
	add_time(record, "census-at", sample->census.at_usec);
	add_time(record, "survey-at", sample->survey.at_usec);
	if (tw_known_survey(sample)) {
		if (sample->survey.port_demand.known)
			tw_record_add_milli(record, PREFIX, "port-demand", sample->survey.port_demand.milli);
		add_forecasts(record, &sample->survey);
	}
	if (tw_known_close_wait(sample))
		add_ages(record, &sample->close_wait);
	if (gauge->at_usec == 0)
		return;
	tw_record_add_u64(record, PREFIX, "sockstat-time-wait", gauge->time_wait);
	tw_record_add_u64(record, PREFIX, "memory-pages", gauge->memory_pages);
	add_count(record, PREFIX, "memory-limit-pages", gauge->memory_limit_pages);
	if (!gauge->memory_limit_pages.known)
		add_count(record, PREFIX, "memory-bound-pages", gauge->memory_bound_pages);
	add_sysctl(record, gauge, TW_TUNABLE_MAX_TW_BUCKETS);
}
