/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/snapshot.h"

#include "base/macros.h"

#include <inttypes.h>
#include <string.h>

static bool knows_census(const struct tw_sample *sample)
{
	return sample->census.at_usec != 0 && !sample->census.partial;
}

static bool knows_survey(const struct tw_sample *sample)
{
	return sample->survey.at_usec != 0 && !sample->survey.partial;
}

static bool is_partial(const struct tw_sample *sample)
{
	return sample->census.partial || sample->survey.partial;
}

static unsigned row_count(const struct tw_sample *sample, unsigned top)
{
	return knows_survey(sample) ? TW_MIN(TW_MIN(top, sample->survey.top_count), (unsigned)TW_TOP_MAX) : 0;
}

/* "tcp_tw_reuse" of "net.ipv4.tcp_tw_reuse". */
static const char *short_key(enum tw_tunable tunable)
{
	const char *key = tw_tunable_info(tunable)->key;
	const char *dot = strrchr(key, '.');

	return dot ? dot + 1 : key;
}

static void add_json_number(struct tw_json *json, const char *key, bool known, uint64_t number)
{
	tw_json_key(json, key);
	if (known)
		tw_json_u64(json, number);
	else
		tw_json_null(json);
}

static void add_json_value(struct tw_json *json, const char *key, struct tw_value value)
{
	tw_json_key(json, key);
	if (value.known)
		tw_json_milli(json, value.milli);
	else
		tw_json_null(json);
}

static void add_json_states(struct tw_json *json, const struct tw_sample *sample)
{
	tw_json_object_begin(json);
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		add_json_number(json, tw_state_name((enum tw_state)i), knows_census(sample) && sample->census.known[i],
				sample->census.count[i]);
	tw_json_object_end(json);
}

static void add_json_metrics(struct tw_json *json, const struct tw_sample *sample)
{
	tw_json_object_begin(json);
	for (unsigned i = TW_METRIC_STATE_LAST + 1; i < TW_METRIC_COUNT; i++)
		add_json_value(json, tw_metric_info((enum tw_metric)i)->name,
			       tw_sample_metric(sample, (enum tw_metric)i));
	tw_json_object_end(json);
}

static void add_json_tunable(struct tw_json *json, enum tw_tunable tunable, const struct tw_live_value *live)
{
	char value[TW_TUNABLE_VALUE_MAX];

	tw_json_key(json, short_key(tunable));
	if (!live->known)
		tw_json_null(json);
	else if (tw_tunable_info(tunable)->kind == TW_TUNABLE_RANGE)
		tw_json_string(json, tw_tunable_format(tunable, &live->value, value));
	else
		tw_json_i64(json, live->value.numbers[0]);
}

static void add_json_limits(struct tw_json *json, const struct tw_sample *sample)
{
	const struct tw_gauge *gauge = &sample->gauge;
	const struct tw_live_value *range = &gauge->sysctls[TW_TUNABLE_PORT_RANGE];
	bool known = knows_survey(sample);

	tw_json_object_begin(json);
	add_json_number(json, "usable-ports", known, known ? tw_survey_usable(&sample->survey) : 0);
	add_json_number(json, "range-low", range->known, (uint64_t)range->value.numbers[0]);
	add_json_number(json, "range-high", range->known, (uint64_t)range->value.numbers[1]);
	add_json_number(json, "reserved-ports", gauge->at_usec != 0, gauge->reserved_ports);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		add_json_tunable(json, (enum tw_tunable)i, &gauge->sysctls[i]);
	tw_json_object_end(json);
}

static void add_json_row(struct tw_json *json, const struct tw_destination_row *row)
{
	char address[TW_ENDPOINT_TEXT_MAX];
	struct tw_text text;

	tw_json_object_begin(json);
	tw_text_init(&text, address, sizeof(address));
	tw_address_add(&text, &row->key.source);
	tw_json_key(json, "source");
	tw_json_string(json, address);
	tw_text_init(&text, address, sizeof(address));
	tw_endpoint_add(&text, &row->key.destination, row->key.port);
	tw_json_key(json, "destination");
	tw_json_string(json, address);
	add_json_number(json, "ports", true, row->ports);
	add_json_number(json, "time-wait", true, row->time_wait);
	add_json_number(json, "established", true, row->established);
	add_json_value(json, "port-use", row->port_use);
	tw_json_object_end(json);
}

static void add_json_destinations(struct tw_json *json, const struct tw_sample *sample, unsigned top)
{
	if (!knows_survey(sample)) {
		tw_json_null(json);
		return;
	}
	tw_json_array_begin(json);
	for (unsigned i = 0; i < row_count(sample, top); i++)
		add_json_row(json, &sample->survey.top[i]);
	tw_json_array_end(json);
}

void tw_snapshot_add_json(struct tw_json *json, const char *namespace, const struct tw_sample *sample, unsigned top)
{
	tw_json_object_begin(json);
	tw_json_key(json, "name");
	tw_json_string(json, namespace);
	tw_json_key(json, "partial");
	tw_json_bool(json, is_partial(sample));
	tw_json_key(json, "states");
	add_json_states(json, sample);
	tw_json_key(json, "metrics");
	add_json_metrics(json, sample);
	tw_json_key(json, "limits");
	add_json_limits(json, sample);
	tw_json_key(json, "destinations");
	add_json_destinations(json, sample, top);
	/* Nothing attributes sockets to listeners or units yet: not known, which is not empty. */
	tw_json_key(json, "listeners");
	tw_json_null(json);
	tw_json_key(json, "close-wait");
	tw_json_null(json);
	tw_json_object_end(json);
}

static void add_text_states(struct tw_text *text, const struct tw_sample *sample)
{
	const struct tw_census *census = &sample->census;

	tw_text_addf(text, "%-14s%12s%15s\n", "State", "sockets", "of them IPv6");
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		tw_text_addf(text, "  %-12s", tw_state_title((enum tw_state)i));
		if (knows_census(sample) && census->known[i])
			tw_text_addf(text, "%12" PRIu64 "%15" PRIu64 "\n", census->count[i], census->count_ipv6[i]);
		else
			tw_text_addf(text, "%12s\n", "unknown");
	}
}

/* Those that are known: on a page for a person the others are noise. */
static void add_text_metrics(struct tw_text *text, const struct tw_sample *sample)
{
	const char *title = "\nMetrics\n";

	for (unsigned i = TW_METRIC_STATE_LAST + 1; i < TW_METRIC_COUNT; i++) {
		const struct tw_metric_info *info = tw_metric_info((enum tw_metric)i);
		struct tw_value value = tw_sample_metric(sample, (enum tw_metric)i);

		if (!value.known)
			continue;
		tw_text_addf(text, "%s  %-20s ", title, info->name);
		tw_value_add(text, value, info->unit);
		tw_text_add_char(text, '\n');
		title = "";
	}
}

static void add_text_limits(struct tw_text *text, const struct tw_sample *sample)
{
	const struct tw_gauge *gauge = &sample->gauge;
	char value[TW_TUNABLE_VALUE_MAX];

	tw_text_add(text, "\nLimits\n");
	if (knows_survey(sample))
		tw_text_addf(text, "  %-32s %" PRIu32 "\n", "usable ports", tw_survey_usable(&sample->survey));
	if (gauge->at_usec != 0)
		tw_text_addf(text, "  %-32s %" PRIu32 "\n", "reserved ports of the range", gauge->reserved_ports);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		if (gauge->sysctls[i].known)
			tw_text_addf(text, "  %-32s %s\n", tw_tunable_info((enum tw_tunable)i)->key,
				     tw_tunable_format((enum tw_tunable)i, &gauge->sysctls[i].value, value));
	}
}

/* Names stand last: they have no common width. */
static void add_text_destinations(struct tw_text *text, const struct tw_sample *sample, unsigned top)
{
	unsigned rows = row_count(sample, top);

	tw_text_add(text, "\nPorts by destination\n");
	if (!knows_survey(sample))
		tw_text_add(text, "  unknown\n");
	else if (rows == 0)
		tw_text_add(text, "  none in use\n");
	else
		tw_text_addf(text, "%9s%11s%13s%8s%8s  %s\n", "ports", "TIME-WAIT", "ESTABLISHED", "other", "use",
			     "source -> destination");
	for (unsigned i = 0; i < rows; i++) {
		const struct tw_destination_row *row = &sample->survey.top[i];
		char use_bytes[TW_DURATION_TEXT_MAX];
		struct tw_text use;

		tw_text_init(&use, use_bytes, sizeof(use_bytes));
		tw_value_add(&use, row->port_use, TW_UNIT_PERCENT);
		tw_text_addf(text, "%9" PRIu32 "%11" PRIu32 "%13" PRIu32 "%8" PRIu32 "%8s  ", row->ports,
			     row->time_wait, row->established, row->other, use_bytes);
		tw_destination_add(text, &row->key);
		tw_text_add_char(text, '\n');
	}
	if (knows_survey(sample) && sample->survey.destinations > rows)
		tw_text_addf(text, "  and %" PRIu32 " more\n", sample->survey.destinations - rows);
}

void tw_snapshot_add_text(struct tw_text *text, const char *namespace, const struct tw_sample *sample, unsigned top)
{
	tw_text_addf(text, "Network namespace %s%s\n\n", namespace,
		     is_partial(sample) ? " (measured in part only: the socket table moved too much)" : "");
	add_text_states(text, sample);
	add_text_metrics(text, sample);
	add_text_limits(text, sample);
	add_text_destinations(text, sample, top);
}
