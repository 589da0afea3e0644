/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "remote/snapshot-read.h"

#include "base/parse.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define MILLI 1000
/* What a double tells exactly: DBL_DIG. */
#define REAL_DIGITS 15
/* Longest number that jansson writes with so many digits, with room. */
#define NUMBER_TEXT_MAX 64

/* ---- one value */

/* Digits behind the third are cut, and so is what jansson writes as a power of ten: no figure here is that large. */
static struct tw_value read_real(const json_t *number)
{
	char text[NUMBER_TEXT_MAX];
	size_t length = json_dumpb(number, text, sizeof(text), JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS));
	const char *point;
	int64_t milli;

	if (length == 0 || length > sizeof(text))
		return tw_value_unknown();
	if (memchr(text, 'e', length))
		return tw_value_unknown();
	point = memchr(text, '.', length);
	if (point)
		length = TW_MIN(length, (size_t)(point - text) + 1 + 3);
	return tw_parse_milli(text, length, &milli) < 0 ? tw_value_unknown() : tw_value_of(milli);
}

static struct tw_value read_number(const json_t *object, const char *key)
{
	const json_t *number = json_object_get(object, key);
	json_int_t whole;

	if (json_is_real(number))
		return read_real(number);
	if (!json_is_integer(number))
		return tw_value_unknown();
	whole = json_integer_value(number);
	if (whole > INT64_MAX / MILLI || whole < INT64_MIN / MILLI)
		return tw_value_of(whole > 0 ? INT64_MAX : INT64_MIN);
	return tw_value_of((int64_t)whole * MILLI);
}

static void read_text(const json_t *object, const char *key, char *to, size_t capacity)
{
	const char *string = json_string_value(json_object_get(object, key));
	struct tw_text text;

	tw_text_init(&text, to, capacity);
	if (string)
		tw_text_add_scrubbed(&text, string);
}

#define READ_TEXT(object, key, array) read_text(object, key, array, sizeof(array))

/* ---- rows */

static void read_destination(const json_t *from, struct tw_view_destination *row)
{
	char source[TW_ENDPOINT_TEXT_MAX], destination[TW_ENDPOINT_TEXT_MAX];
	struct tw_text name;

	READ_TEXT(from, "source", source);
	READ_TEXT(from, "destination", destination);
	tw_text_init(&name, row->name, sizeof(row->name));
	if (source[0] != '\0' || destination[0] != '\0')
		tw_text_addf(&name, "%s -> %s", source, destination);
	row->ports = read_number(from, "ports");
	row->time_wait = read_number(from, "time-wait");
	row->established = read_number(from, "established");
	row->other = read_number(from, "other");
	row->port_use = read_number(from, "port-use");
	row->port_eta = read_number(from, "port-eta");
}

static void read_listener(const json_t *from, struct tw_view_listener *row)
{
	READ_TEXT(from, "address", row->address);
	row->sockets = read_number(from, "sockets");
	row->queue = read_number(from, "queue");
	row->backlog = read_number(from, "backlog");
	row->connections = read_number(from, "connections");
	row->close_wait = read_number(from, "close-wait");
	row->syn_recv = read_number(from, "syn-recv");
	row->time_wait = read_number(from, "time-wait");
	row->share = read_number(from, "share");
}

static void read_unit(const json_t *from, struct tw_view_unit *row)
{
	READ_TEXT(from, "unit", row->name);
	row->count = read_number(from, "count");
	row->oldest = read_number(from, "oldest");
	row->unread = read_number(from, "unread");
}

static void read_bound(const json_t *from, struct tw_view_bound *row)
{
	READ_TEXT(from, "unit", row->name);
	row->sockets = read_number(from, "sockets");
}

static void read_rule(const json_t *from, struct tw_view_rule *row)
{
	const char *severity = json_string_value(json_object_get(from, "severity"));

	READ_TEXT(from, "name", row->name);
	READ_TEXT(from, "metric", row->metric_name);
	READ_TEXT(from, "state", row->state);
	READ_TEXT(from, "finding", row->finding);
	row->severity = TW_SEVERITY_WARNING;
	if (severity)
		(void)tw_severity_from_name(severity, strlen(severity), &row->severity);
	row->metric = TW_METRIC_COUNT;
	(void)tw_metric_from_name(row->metric_name, strlen(row->metric_name), &row->metric);
	row->since = read_number(from, "since");
	row->value = read_number(from, "value");
	row->raise = read_number(from, "raise");
	row->clear = read_number(from, "clear");
}

static void read_change(const json_t *from, struct tw_view_change *row)
{
	READ_TEXT(from, "sysctl", row->sysctl);
	READ_TEXT(from, "baseline", row->baseline);
	READ_TEXT(from, "value", row->value);
	READ_TEXT(from, "owner", row->owner);
	READ_TEXT(from, "rule", row->rule);
}

/* What is no object in an array of rows is passed over. */
#define READ_TABLE(object, key, table, read)                                                                      \
	do {                                                                                                      \
		const json_t *_rows = json_object_get(object, key);                                               \
		(table)->known = json_is_array(_rows);                                                            \
		for (size_t _i = 0; _i < json_array_size(_rows) && (table)->count < TW_ARRAY_SIZE((table)->rows); \
		     _i++) {                                                                                      \
			const json_t *_row = json_array_get(_rows, _i);                                           \
			if (json_is_object(_row))                                                                 \
				read(_row, &(table)->rows[(table)->count++]);                                     \
		}                                                                                                 \
	} while (0)

/* ---- a namespace */

static void read_limits(const json_t *from, struct tw_view_namespace *to)
{
	to->usable_ports = read_number(from, "usable-ports");
	to->reserved_ports = read_number(from, "reserved-ports");
	to->range_low = read_number(from, "range-low");
	to->range_high = read_number(from, "range-high");
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		to->sysctls[i] = read_number(from, tw_tunable_short_name((enum tw_tunable)i));
}

static void read_numbers(const json_t *from, struct tw_view_namespace *to)
{
	const json_t *part = json_object_get(from, "states");

	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		to->states[i] = read_number(part, tw_state_name((enum tw_state)i));
	part = json_object_get(from, "metrics");
	for (unsigned i = TW_METRIC_STATE_LAST + 1; i < TW_METRIC_COUNT; i++)
		to->metrics[i] = read_number(part, tw_metric_info((enum tw_metric)i)->name);
	part = json_object_get(from, "counters");
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		to->counters[i] = read_number(part, tw_counter_name((enum tw_counter)i));
	read_limits(json_object_get(from, "limits"), to);
	part = json_object_get(from, "ages");
	to->age_gauge = read_number(part, "gauge");
	to->age_census = read_number(part, "census");
	to->age_survey = read_number(part, "survey");
	part = json_object_get(from, "cost");
	to->cost_tick = read_number(part, "tick");
	to->cost_census = read_number(part, "census");
	to->cost_survey = read_number(part, "survey");
	to->cost_total = read_number(part, "total");
}

static void read_namespace(const json_t *from, struct tw_view_namespace *to)
{
	READ_TEXT(from, "name", to->name);
	to->partial = json_is_true(json_object_get(from, "partial"));
	read_numbers(from, to);
	READ_TABLE(from, "destinations", &to->destinations, read_destination);
	READ_TABLE(from, "listeners", &to->listeners, read_listener);
	READ_TABLE(from, "close-wait", &to->units, read_unit);
	READ_TABLE(from, "bound", &to->bound, read_bound);
	READ_TABLE(from, "rules", &to->rules, read_rule);
	READ_TABLE(from, "changes", &to->changes, read_change);
}

static void read_view(const json_t *root, const json_t *namespaces, struct tw_view *view)
{
	size_t room = view->namespace_count;

	READ_TEXT(root, "version", view->version);
	READ_TEXT(root, "mode", view->mode);
	view->started = read_number(root, "started");
	view->now = read_number(root, "now");
	view->namespace_count = 0;
	for (size_t i = 0; i < json_array_size(namespaces) && view->namespace_count < room; i++) {
		const json_t *from = json_array_get(namespaces, i);

		if (json_is_object(from))
			read_namespace(from, &view->namespaces[view->namespace_count++]);
	}
}

int tw_snapshot_read(const char *json, size_t length, struct tw_view **ret)
{
	json_error_t error;
	json_t *root = json_loadb(json, length, 0, &error);
	struct tw_view *view = NULL;
	const json_t *namespaces;
	size_t count;
	int r = 0;

	if (!json_is_object(root)) {
		r = !root && json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
		goto end;
	}
	namespaces = json_object_get(root, "namespaces");
	count = TW_MIN(json_array_size(namespaces), (size_t)TW_NAMESPACES_MAX);
	view = calloc(1, sizeof(*view) + count * sizeof(view->namespaces[0]));
	if (!view) {
		r = -ENOMEM;
		goto end;
	}
	view->namespace_count = (unsigned)count;
	read_view(root, namespaces, view);
	*ret = view;
end:
	json_decref(root);
	return r;
}

struct tw_view *tw_view_free(struct tw_view *view)
{
	free(view);
	return NULL;
}

bool tw_view_rule_is_raised(const struct tw_view_rule *rule)
{
	return strcmp(rule->state, "raised") == 0 || strcmp(rule->state, "clearing") == 0;
}
