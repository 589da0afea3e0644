/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-sample.h"

#include "base/macros.h"
#include "tell/known.h"
#include "tell/record-top.h"

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
		tw_record_add_u64(record, PREFIX, "usable-ports", tw_survey_usable(&sample->survey));
	add_cost(record, "tick", sample->cost.tick_usec);
	add_cost(record, "census", sample->cost.census_usec);
	add_cost(record, "survey", sample->cost.survey_usec);
	add_cost(record, "total", sample->cost.total_usec);
}

static void add_sysctls(struct tw_record *record, const struct tw_gauge *gauge)
{
	char value[TW_TUNABLE_VALUE_MAX];
	struct tw_text text;

	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		enum tw_tunable tunable = (enum tw_tunable)i;
		const char *dot = strrchr(tw_tunable_info(tunable)->key, '.');

		if (!gauge->sysctls[i].known || !dot)
			continue;
		tw_record_begin(record, &text, PREFIX "SYSCTL_", dot + 1);
		tw_text_add(&text, tw_tunable_format(tunable, &gauge->sysctls[i].value, value));
		(void)tw_record_end(record, &text);
	}
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
	tw_record_add_u64(record, PREFIX, "destinations", survey->destinations);
	if (survey->dropped > 0)
		tw_record_add_u64(record, PREFIX, "dropped-sockets", survey->dropped);
	if (survey->port_demand.known)
		tw_record_add_milli(record, PREFIX, "port-demand", survey->port_demand.milli);
	tw_record_add_top_destinations(record, survey, top);
	tw_record_add_top_bound(record, survey, top);
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
