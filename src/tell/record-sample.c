/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "tell/record.h"
#include "tell/rows.h"

#include <inttypes.h>

#define PREFIX "TIMEWAITD_"

static void add_number(struct tw_record *record, const char *name, uint64_t number)
{
	(void)tw_record_addf(record, PREFIX, name, "%" PRIu64, number);
}

static void add_unless_zero(struct tw_record *record, const char *name, uint64_t number)
{
	if (number > 0)
		add_number(record, name, number);
}

static void add_count(struct tw_record *record, const char *prefix, const char *name, struct tw_count count)
{
	if (count.known)
		(void)tw_record_addf(record, prefix, name, "%" PRIu64, count.value);
}

/* Milliseconds of CPU time. */
static void add_cost(struct tw_record *record, const char *name, usec_t cost_usec)
{
	if (cost_usec > 0)
		tw_record_add_value(record, PREFIX "COST_", name,
				    tw_value_of((int64_t)TW_MIN(cost_usec, (usec_t)INT64_MAX)));
}

static void add_numbers(struct tw_record *record, const struct tw_sample *sample)
{
	for (unsigned i = 0; i < TW_METRIC_COUNT; i++) {
		enum tw_metric metric = (enum tw_metric)i;

		tw_record_add_value(record, PREFIX, tw_metric_info(metric)->name,
				    tw_known_number(metric, tw_sample_metric(sample, metric)));
	}
	if (tw_known_survey(sample))
		add_number(record, "usable-ports", sample->survey.usable);
	add_cost(record, "tick", sample->cost.tick_usec);
	add_cost(record, "census", sample->cost.census_usec);
	add_cost(record, "survey", sample->cost.survey_usec);
	add_cost(record, "total", sample->cost.total_usec);
}

static void add_sysctl(struct tw_record *record, const struct tw_gauge *gauge, enum tw_tunable tunable)
{
	char value[TW_TUNABLE_VALUE_MAX];

	if (gauge->sysctls[tunable].known)
		(void)tw_record_addf(record, PREFIX "SYSCTL_", tw_tunable_short_name(tunable), "%s",
				     tw_tunable_format(tunable, &gauge->sysctls[tunable].value, value));
}

static void add_gauge(struct tw_record *record, const struct tw_gauge *gauge)
{
	add_number(record, "reserved-ports", gauge->reserved_ports);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		add_sysctl(record, gauge, (enum tw_tunable)i);
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		add_count(record, PREFIX "TOTAL_", tw_counter_name((enum tw_counter)i), gauge->counters[i]);
	add_number(record, "orphan-sockets", gauge->orphan);
	add_number(record, "memory-pages", gauge->memory_pages);
	add_count(record, PREFIX, "memory-limit-pages", gauge->memory_limit_pages);
	add_count(record, PREFIX, "conntrack-count", gauge->conntrack_count);
	add_count(record, PREFIX, "conntrack-max", gauge->conntrack_max);
}

static void add_survey(struct tw_record *record, const struct tw_survey *survey)
{
	add_number(record, "bound-ports", survey->bound_ports);
	add_number(record, "exclusive-ports", survey->exclusive_ports);
	add_number(record, "bound-first-ports", survey->bound_first_ports);
	add_unless_zero(record, "unclear-ports", survey->unclear_ports);
	add_number(record, "destinations", survey->destinations);
	add_unless_zero(record, "dropped-sockets", survey->dropped);
	tw_record_add_value(record, PREFIX, "port-demand", survey->port_demand);
}

/* The tables of the flight recorder: who is behind the numbers. */
static const struct {
	const char *name;
	enum tw_rows_kind kind;
	const char *line;
} tables[] = {
	{ "top-destinations", TW_ROWS_DESTINATIONS,
	  "{source} {destination} {ports} {time-wait} {established} {other} {port-use}" },
	/* Of the same: each state that holds some. */
	{ "top-held", TW_ROWS_DESTINATIONS,
	  "{source} {destination} blocked {blocked} bound-first {bound-first}{held}" },
	/* Who holds ports that are bound and not connected. */
	{ "top-bound", TW_ROWS_BOUND, "{unit} {sockets}" },
	/* Whose ports were bound before connect(), and where most of them go. */
	{ "top-binders", TW_ROWS_BINDERS, "{source} {ports} {destinations} {most}" },
	{ "top-listeners", TW_ROWS_LISTENERS,
	  "{address} {queue}/{backlog} {connections} {close-wait} {syn-recv} {time-wait} {share}" },
	{ "top-units", TW_ROWS_CLOSE_WAIT, "{unit} {count} {oldest-seconds} {unread}" },
};

/* The widest line is that of a unit: its name and three numbers. */
#define LINE_MAX_BYTES (TW_UNIT_MAX + 96)

/* "\n... and 4294967295 more". */
#define MORE_MAX_BYTES 32

/* Each line whole or not at all, and none behind one that had no room. A table without a row is not there. */
static void add_table(struct tw_record *record, const char *name, const struct tw_rows *rows, const char *format)
{
	char bytes[LINE_MAX_BYTES];
	struct tw_text text, line;
	unsigned told = 0;

	if (rows->count == 0)
		return;
	tw_record_begin(record, &text, PREFIX, name);
	for (; told < rows->count; told++) {
		size_t reserve = told + 1 >= rows->total ? 0 : MORE_MAX_BYTES;

		tw_text_init(&line, bytes, sizeof(bytes));
		tw_rows_add_text(&line, rows, told, format);
		if (text.length + 1 + line.length + reserve >= TW_RECORD_TABLE_MAX)
			break;
		tw_text_addf(&text, "%s%s", told > 0 ? "\n" : "", bytes);
	}
	if (told < rows->total)
		tw_text_addf(&text, "%s... and %" PRIu64 " more", told > 0 ? "\n" : "", rows->total - told);
	(void)tw_record_end(record, &text);
}

static void add_flight(struct tw_record *record, const struct tw_sample *sample, unsigned top)
{
	if (sample->gauge.at_usec != 0)
		add_gauge(record, &sample->gauge);
	if (tw_known_survey(sample))
		add_survey(record, &sample->survey);
	for (unsigned i = 0; i < TW_ARRAY_SIZE(tables); i++) {
		struct tw_rows rows = tw_rows_of(sample, tables[i].kind, top);

		add_table(record, tables[i].name, &rows, tables[i].line);
	}
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

static void add_ages(struct tw_record *record, const struct tw_close_wait *close_wait)
{
	uint32_t count = close_wait->socket_count;
	struct tw_text text;

	if (!close_wait->sockets && close_wait->socket_count > 0)
		return;
	tw_record_begin(record, &text, PREFIX, "close-wait-ages");
	for (unsigned i = 0; i < TW_RECORD_AGES && count > 0; i++) {
		count = 0;
		for (uint32_t j = 0; j < close_wait->socket_count; j++)
			count += tw_usec_since(close_wait->at_usec, close_wait->sockets[j].since_usec) >
				 tw_record_ages[i];
		if (count > 0)
			tw_text_addf(&text, "%s%" PRIu32, i > 0 ? " " : "", count);
	}
	(void)tw_record_end(record, &text);
}

static void add_basis(struct tw_record *record, const struct tw_sample *sample)
{
	const struct tw_gauge *gauge = &sample->gauge;

	add_unless_zero(record, "gauge-at", gauge->at_usec);
	add_unless_zero(record, "census-at", sample->census.at_usec);
	add_unless_zero(record, "survey-at", sample->survey.at_usec);
	if (tw_known_survey(sample)) {
		tw_record_add_value(record, PREFIX, "port-demand", sample->survey.port_demand);
		add_forecasts(record, &sample->survey);
	}
	if (tw_known_close_wait(sample))
		add_ages(record, &sample->close_wait);
	if (gauge->at_usec == 0)
		return;
	add_number(record, "sockstat-time-wait", gauge->time_wait);
	add_number(record, "memory-pages", gauge->memory_pages);
	add_count(record, PREFIX, "memory-limit-pages", gauge->memory_limit_pages);
	if (!gauge->memory_limit_pages.known)
		add_count(record, PREFIX, "memory-bound-pages", gauge->memory_bound_pages);
	add_sysctl(record, gauge, TW_TUNABLE_MAX_TW_BUCKETS);
}

void tw_record_add_sample(struct tw_record *record, const struct tw_event *event)
{
	add_numbers(record, event->sample);
	if (event->kind == TW_EVENT_SAMPLE)
		add_basis(record, event->sample);
	if (event->kind == TW_EVENT_RAISED)
		add_flight(record, event->sample, event->top);
}
