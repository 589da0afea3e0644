/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/snapshot.h"

#include "tell/known.h"
#include "tell/snapshot-situation.h"

#include <string.h>

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
		add_json_number(json, tw_state_name((enum tw_state)i),
				tw_known_census(sample) && sample->census.known[i], sample->census.count[i]);
	tw_json_object_end(json);
}

static void add_json_metrics(struct tw_json *json, const struct tw_sample *sample)
{
	tw_json_object_begin(json);
	for (unsigned i = TW_METRIC_STATE_LAST + 1; i < TW_METRIC_COUNT; i++) {
		enum tw_metric metric = (enum tw_metric)i;

		add_json_value(json, tw_metric_info(metric)->name,
			       tw_known_number(metric, tw_sample_metric(sample, metric)));
	}
	tw_json_object_end(json);
}

/* Since the namespace was made: they only grow. */
static void add_json_counters(struct tw_json *json, const struct tw_gauge *gauge)
{
	tw_json_object_begin(json);
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		add_json_number(json, tw_counter_name((enum tw_counter)i), gauge->counters[i].known,
				gauge->counters[i].value);
	tw_json_object_end(json);
}

static void add_json_tunable(struct tw_json *json, enum tw_tunable tunable, const struct tw_live_value *live)
{
	char value[TW_TUNABLE_VALUE_MAX];

	tw_json_key(json, tw_tunable_short_name(tunable));
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
	bool known = tw_known_survey(sample);

	tw_json_object_begin(json);
	add_json_number(json, "usable-ports", known, sample->survey.usable);
	add_json_number(json, "exclusive-ports", known, sample->survey.exclusive_ports);
	add_json_number(json, "bound-first-ports", known, sample->survey.bound_first_ports);
	add_json_number(json, "unclear-ports", known, sample->survey.unclear_ports);
	add_json_number(json, "range-low", range->known, (uint64_t)range->value.numbers[0]);
	add_json_number(json, "range-high", range->known, (uint64_t)range->value.numbers[1]);
	add_json_number(json, "reserved-ports", gauge->at_usec != 0, gauge->reserved_ports);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		add_json_tunable(json, (enum tw_tunable)i, &gauge->sysctls[i]);
	tw_json_object_end(json);
}

static void add_json_endpoint(struct tw_json *json, const char *key, const struct tw_address *address, uint16_t port)
{
	char bytes[TW_ENDPOINT_TEXT_MAX];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_endpoint_add(&text, address, port);
	tw_json_key(json, key);
	tw_json_string(json, bytes);
}

static void add_json_destination(struct tw_json *json, const struct tw_destination_row *row)
{
	char address[TW_ENDPOINT_TEXT_MAX];
	struct tw_text text;

	tw_json_object_begin(json);
	tw_text_init(&text, address, sizeof(address));
	tw_address_add(&text, &row->key.source);
	tw_json_key(json, "source");
	tw_json_string(json, address);
	add_json_endpoint(json, "destination", &row->key.destination, row->key.port);
	add_json_number(json, "device", row->key.device != 0, row->key.device);
	add_json_number(json, "ports", true, row->ports);
	add_json_number(json, "time-wait", true, row->time_wait);
	add_json_number(json, "established", true, row->established);
	add_json_number(json, "other", true, row->other);
	tw_json_key(json, "held");
	tw_json_object_begin(json);
	for (unsigned i = 0; i < TW_HOLDER_COUNT; i++)
		add_json_number(json, tw_holder_name((enum tw_holder)i), true, row->held[i]);
	tw_json_object_end(json);
	add_json_number(json, "blocked", true, row->blocked);
	add_json_number(json, "bound-first", row->bound_first_known, row->bound_first);
	add_json_value(json, "port-use", row->port_use);
	add_json_value(json, "port-demand", row->port_demand);
	add_json_value(json, "port-eta", tw_known_number(TW_METRIC_PORT_ETA, row->port_eta));
	tw_json_object_end(json);
}

static void add_json_destinations(struct tw_json *json, const struct tw_sample *sample, unsigned top)
{
	if (!tw_known_survey(sample)) {
		tw_json_null(json);
		return;
	}
	tw_json_array_begin(json);
	for (unsigned i = 0; i < tw_known_rows(sample->survey.top_count, top); i++)
		add_json_destination(json, &sample->survey.top[i]);
	tw_json_array_end(json);
}

static void add_json_listener(struct tw_json *json, const struct tw_listener_row *row, struct tw_value share)
{
	tw_json_object_begin(json);
	add_json_endpoint(json, "address", &row->address.address, row->address.port);
	add_json_number(json, "sockets", true, row->sockets);
	add_json_number(json, "queue", true, row->queue);
	add_json_number(json, "backlog", true, row->backlog);
	add_json_number(json, "connections", row->connections.known, row->connections.value);
	add_json_number(json, "close-wait", true, row->close_wait);
	add_json_number(json, "syn-recv", true, row->syn_recv);
	add_json_number(json, "time-wait", row->time_wait.known, row->time_wait.value);
	add_json_value(json, "share", share);
	tw_json_object_end(json);
}

static void add_json_listeners(struct tw_json *json, const struct tw_sample *sample, unsigned top)
{
	const struct tw_accepting *accepting = &sample->accepting;

	if (!tw_known_accepting(sample)) {
		tw_json_null(json);
		return;
	}
	tw_json_array_begin(json);
	for (unsigned i = 0; i < tw_known_rows(accepting->row_count, top); i++)
		add_json_listener(json, &accepting->rows[i], tw_listener_share(&accepting->rows[i], accepting));
	tw_json_array_end(json);
}

static void add_json_unit_name(struct tw_json *json, const char *unit)
{
	tw_json_key(json, "unit");
	if (unit[0] != '\0')
		tw_json_string(json, unit);
	else
		tw_json_null(json);
}

static void add_json_unit(struct tw_json *json, const struct tw_close_wait_row *row)
{
	tw_json_object_begin(json);
	add_json_unit_name(json, row->unit);
	add_json_number(json, "count", true, row->count);
	tw_json_key(json, "oldest");
	tw_json_milli(json, (int64_t)(row->oldest_usec / TW_USEC_PER_MSEC));
	add_json_number(json, "unread", true, row->unread);
	tw_json_object_end(json);
}

static void add_json_close_wait(struct tw_json *json, const struct tw_sample *sample, unsigned top)
{
	if (!tw_known_close_wait(sample)) {
		tw_json_null(json);
		return;
	}
	tw_json_array_begin(json);
	for (unsigned i = 0; i < tw_known_rows(sample->close_wait.row_count, top); i++)
		add_json_unit(json, &sample->close_wait.rows[i]);
	tw_json_array_end(json);
}

static void add_json_bound(struct tw_json *json, const struct tw_sample *sample, unsigned top)
{
	if (!tw_known_survey(sample)) {
		tw_json_null(json);
		return;
	}
	tw_json_array_begin(json);
	for (unsigned i = 0; i < tw_known_rows(sample->survey.bound_row_count, top); i++) {
		const struct tw_bound_row *row = &sample->survey.bound_rows[i];

		tw_json_object_begin(json);
		add_json_unit_name(json, row->unit);
		add_json_number(json, "sockets", true, row->sockets);
		tw_json_object_end(json);
	}
	tw_json_array_end(json);
}

static void add_json_binders(struct tw_json *json, const struct tw_sample *sample, unsigned top)
{
	char address[TW_ENDPOINT_TEXT_MAX];
	struct tw_text text;

	if (!tw_known_survey(sample)) {
		tw_json_null(json);
		return;
	}
	tw_json_array_begin(json);
	for (unsigned i = 0; i < tw_known_rows(sample->survey.binder_count, top); i++) {
		const struct tw_binder_row *row = &sample->survey.binders[i];

		tw_json_object_begin(json);
		tw_text_init(&text, address, sizeof(address));
		tw_address_add(&text, &row->source);
		tw_json_key(json, "source");
		tw_json_string(json, address);
		add_json_number(json, "ports", true, row->ports);
		add_json_number(json, "destinations", true, row->destinations);
		add_json_endpoint(json, "most", &row->most.destination, row->most.port);
		tw_json_object_end(json);
	}
	tw_json_array_end(json);
}

static void add_json_sample(struct tw_json *json, const char *namespace, const struct tw_sample *sample, unsigned top)
{
	tw_json_key(json, "name");
	tw_json_string(json, namespace);
	tw_json_key(json, "partial");
	tw_json_bool(json, tw_known_in_part(sample));
	tw_json_key(json, "states");
	add_json_states(json, sample);
	tw_json_key(json, "metrics");
	add_json_metrics(json, sample);
	tw_json_key(json, "counters");
	add_json_counters(json, &sample->gauge);
	tw_json_key(json, "limits");
	add_json_limits(json, sample);
	tw_json_key(json, "destinations");
	add_json_destinations(json, sample, top);
	tw_json_key(json, "listeners");
	add_json_listeners(json, sample, top);
	tw_json_key(json, "close-wait");
	add_json_close_wait(json, sample, top);
	tw_json_key(json, "bound");
	add_json_bound(json, sample, top);
	tw_json_key(json, "binders");
	add_json_binders(json, sample, top);
}

void tw_snapshot_add_json(struct tw_json *json, const char *namespace, const struct tw_sample *sample, unsigned top)
{
	tw_json_object_begin(json);
	add_json_sample(json, namespace, sample, top);
	tw_json_object_end(json);
}

void tw_snapshot_add_json_situation(struct tw_json *json, const char *namespace, const struct tw_sample *sample,
				    unsigned top, const struct tw_situation *situation)
{
	tw_json_object_begin(json);
	add_json_sample(json, namespace, sample, top);
	tw_snapshot_add_situation(json, sample, situation);
	tw_json_object_end(json);
}
