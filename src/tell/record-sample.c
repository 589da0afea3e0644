/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-sample.h"

#include "base/macros.h"

#include <inttypes.h>
#include <string.h>

#define PREFIX "TIMEWAITD_"

/* In the order of enum tw_counter. */
static const char *const counter_names[] = {
	[TW_COUNTER_TIME_WAIT_OVERFLOW] = "time-wait-overflow",
	[TW_COUNTER_LISTEN_OVERFLOW] = "listen-overflow",
	[TW_COUNTER_LISTEN_DROP] = "listen-drop",
	[TW_COUNTER_SYN_COOKIES] = "syn-cookies",
	[TW_COUNTER_CONNECT_FAIL] = "connect-fail",
	[TW_COUNTER_RESET] = "reset",
	[TW_COUNTER_MEMORY_ABORT] = "memory-abort",
	[TW_COUNTER_TIME_WAIT_REUSED] = "time-wait-reused",
	[TW_COUNTER_ACTIVE_OPEN] = "active-open",
	[TW_COUNTER_PASSIVE_OPEN] = "passive-open",
};
_Static_assert(TW_ARRAY_SIZE(counter_names) == TW_COUNTER_COUNT, "a name for every counter");

static void add_u64(struct tw_record *record, const char *prefix, const char *name, uint64_t value)
{
	struct tw_text text;

	tw_record_begin(record, &text, prefix, name);
	tw_text_addf(&text, "%" PRIu64, value);
	(void)tw_record_end(record, &text);
}

static void add_count(struct tw_record *record, const char *prefix, const char *name, struct tw_count count)
{
	if (count.known)
		add_u64(record, prefix, name, count.value);
}

/* A survey that was never taken, or was thrown away, knows no ports. */
static bool knows_ports(const struct tw_survey *survey)
{
	return survey->at_usec != 0 && !survey->partial;
}

void tw_record_add_numbers(struct tw_record *record, const struct tw_sample *sample)
{
	struct tw_text text;

	for (unsigned i = 0; i < TW_METRIC_COUNT; i++) {
		struct tw_value value = tw_sample_metric(sample, (enum tw_metric)i);

		if (!value.known)
			continue;
		tw_record_begin(record, &text, PREFIX, tw_metric_info((enum tw_metric)i)->name);
		tw_text_add_milli(&text, value.milli);
		(void)tw_record_end(record, &text);
	}
	if (knows_ports(&sample->survey))
		add_u64(record, PREFIX, "usable-ports", tw_survey_usable(&sample->survey));
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
	add_u64(record, PREFIX, "reserved-ports", gauge->reserved_ports);
	add_sysctls(record, gauge);
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		add_count(record, PREFIX "TOTAL_", counter_names[i], gauge->counters[i]);
	add_u64(record, PREFIX, "orphan-sockets", gauge->orphan);
	add_u64(record, PREFIX, "memory-pages", gauge->memory_pages);
	add_count(record, PREFIX, "memory-limit-pages", gauge->memory_limit_pages);
	add_count(record, PREFIX, "conntrack-count", gauge->conntrack_count);
	add_count(record, PREFIX, "conntrack-max", gauge->conntrack_max);
}

static void add_row(struct tw_text *text, const struct tw_destination_row *row)
{
	tw_address_add(text, &row->key.source);
	tw_text_add_char(text, ' ');
	tw_endpoint_add(text, &row->key.destination, row->key.port);
	tw_text_addf(text, " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " ", row->ports, row->time_wait,
		     row->established, row->other);
	tw_value_add(text, row->port_use, TW_UNIT_PERCENT);
}

static void add_survey(struct tw_record *record, const struct tw_survey *survey, unsigned top)
{
	unsigned rows = TW_MIN(TW_MIN(top, survey->top_count), (unsigned)TW_TOP_MAX);
	struct tw_text text;

	add_u64(record, PREFIX, "bound-ports", survey->bound_ports);
	add_u64(record, PREFIX, "destinations", survey->destinations);
	if (survey->port_demand.known) {
		tw_record_begin(record, &text, PREFIX, "port-demand");
		tw_text_add_milli(&text, survey->port_demand.milli);
		(void)tw_record_end(record, &text);
	}
	if (rows == 0)
		return;
	tw_record_begin(record, &text, PREFIX, "top-destinations");
	for (unsigned i = 0; i < rows; i++) {
		if (i > 0)
			tw_text_add_char(&text, '\n');
		add_row(&text, &survey->top[i]);
	}
	(void)tw_record_end(record, &text);
}

void tw_record_add_flight(struct tw_record *record, const struct tw_sample *sample, unsigned top)
{
	if (sample->gauge.at_usec != 0)
		add_gauge(record, &sample->gauge);
	if (knows_ports(&sample->survey))
		add_survey(record, &sample->survey, top);
}
