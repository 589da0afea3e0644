/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/rows.h"

#include "base/macros.h"
#include "base/parse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Longest field: a unit, or all holders with a number each. */
#define FIELD_MAX (2 * TW_UNIT_MAX)

/* What a field is in its row; UNIT to PEER are strings. */
enum type {
	NUMBER,	     /* uint32_t */
	NUMBER_64,   /* uint64_t */
	DEVICE,	     /* uint32_t: 0 is none */
	COUNT,	     /* struct tw_count */
	BOUND_FIRST, /* of a destination */
	PERCENT,     /* struct tw_value */
	ETA,	     /* struct tw_value, where never is none */
	SHARE,	     /* of a listener, in all connections */
	SPAN,	     /* usec_t */
	SECONDS,     /* usec_t, for text alone: a span in words has blanks */
	UNIT,	     /* char[]: "" is not known */
	ADDRESS,     /* struct tw_address */
	ENDPOINT,    /* struct tw_endpoint */
	PEER,	     /* struct tw_destination: where it goes */
	HELD,	     /* uint32_t[TW_HOLDER_COUNT] */
};

struct field {
	const char *name;
	enum type type;
	size_t offset;
};

#define AT(member) offsetof(struct tw_destination_row, member)
static const struct field destination_fields[] = {
	{ "source", ADDRESS, AT(key.source) },	{ "destination", PEER, AT(key) },
	{ "device", DEVICE, AT(key.device) },	{ "ports", NUMBER, AT(ports) },
	{ "time-wait", NUMBER, AT(time_wait) }, { "established", NUMBER, AT(established) },
	{ "other", NUMBER, AT(other) },		{ "held", HELD, AT(held) },
	{ "blocked", NUMBER, AT(blocked) },	{ "bound-first", BOUND_FIRST, 0 },
	{ "port-use", PERCENT, AT(port_use) },	{ "port-demand", PERCENT, AT(port_demand) },
	{ "port-eta", ETA, AT(port_eta) },	{ .name = NULL },
};
#undef AT

#define AT(member) offsetof(struct tw_listener_row, member)
static const struct field listener_fields[] = {
	{ "address", ENDPOINT, AT(address) },
	{ "sockets", NUMBER, AT(sockets) },
	{ "queue", NUMBER, AT(queue) },
	{ "backlog", NUMBER, AT(backlog) },
	{ "connections", COUNT, AT(connections) },
	{ "close-wait", NUMBER, AT(close_wait) },
	{ "syn-recv", NUMBER, AT(syn_recv) },
	{ "time-wait", COUNT, AT(time_wait) },
	{ "share", SHARE, 0 },
	{ .name = NULL },
};
#undef AT

static const struct field close_wait_fields[] = {
	{ "unit", UNIT, offsetof(struct tw_close_wait_row, unit) },
	{ "count", NUMBER, offsetof(struct tw_close_wait_row, count) },
	{ "oldest", SPAN, offsetof(struct tw_close_wait_row, oldest_usec) },
	{ "oldest-seconds", SECONDS, offsetof(struct tw_close_wait_row, oldest_usec) },
	{ "unread", NUMBER_64, offsetof(struct tw_close_wait_row, unread) },
	{ .name = NULL },
};

static const struct field bound_fields[] = {
	{ "unit", UNIT, offsetof(struct tw_bound_row, unit) },
	{ "sockets", NUMBER, offsetof(struct tw_bound_row, sockets) },
	{ .name = NULL },
};

static const struct field binder_fields[] = {
	{ "source", ADDRESS, offsetof(struct tw_binder_row, source) },
	{ "ports", NUMBER, offsetof(struct tw_binder_row, ports) },
	{ "destinations", NUMBER, offsetof(struct tw_binder_row, destinations) },
	{ "most", PEER, offsetof(struct tw_binder_row, most) },
	{ .name = NULL },
};

/* The tables, and where in a sample they are. */
#define AT(member) offsetof(struct tw_sample, member)
static const struct {
	const char *name;
	const struct field *fields;
	bool (*known)(const struct tw_sample *sample);
	size_t rows, row_size;
	size_t count, total; /* uint32_t */
} tables[TW_ROWS_COUNT] = {
	[TW_ROWS_DESTINATIONS] = { "destinations", destination_fields, tw_known_survey, AT(survey.top),
				   sizeof(struct tw_destination_row), AT(survey.top_count), AT(survey.destinations) },
	[TW_ROWS_LISTENERS] = { "listeners", listener_fields, tw_known_accepting, AT(accepting.rows),
				sizeof(struct tw_listener_row), AT(accepting.row_count), AT(accepting.listeners) },
	[TW_ROWS_CLOSE_WAIT] = { "close-wait", close_wait_fields, tw_known_close_wait, AT(close_wait.rows),
				 sizeof(struct tw_close_wait_row), AT(close_wait.row_count), AT(close_wait.row_count) },
	[TW_ROWS_BOUND] = { "bound", bound_fields, tw_known_survey, AT(survey.bound_rows), sizeof(struct tw_bound_row),
			    AT(survey.bound_row_count), AT(survey.bound_row_count) },
	[TW_ROWS_BINDERS] = { "binders", binder_fields, tw_known_survey, AT(survey.binders),
			      sizeof(struct tw_binder_row), AT(survey.binder_count), AT(survey.binder_count) },
};

struct tw_rows tw_rows_of(const struct tw_sample *sample, enum tw_rows_kind kind, unsigned top)
{
	const char *at = (const char *)sample;
	bool known = tables[kind].known(sample);
	unsigned count = known ? tw_known_rows(*(const uint32_t *)(at + tables[kind].count), top) : 0;
	uint32_t total = *(const uint32_t *)(at + tables[kind].total);

	return (struct tw_rows){ kind, sample, known, count, TW_MAX(total, count) };
}

static void add_number(struct tw_text *text, bool known, uint64_t number)
{
	if (known)
		tw_text_addf(text, "%" PRIu64, number);
}

static void add_value(struct tw_text *text, struct tw_value value, enum tw_unit unit, bool json)
{
	if (value.known && json)
		tw_text_add_milli(text, value.milli);
	else if (value.known)
		tw_value_add(text, value, unit);
}

/* " time-wait 3866 established 4": those that hold some. JSON has all. */
static void add_held(struct tw_text *text, const uint32_t *held, bool json)
{
	if (json)
		tw_json_begin(text, '{');
	for (unsigned i = 0; i < TW_HOLDER_COUNT; i++) {
		if (json)
			tw_json_u64(tw_json_key(text, tw_holder_name((enum tw_holder)i)), held[i]);
		else if (held[i] > 0)
			tw_text_addf(text, " %s %" PRIu32, tw_holder_name((enum tw_holder)i), held[i]);
	}
	if (json)
		tw_json_end(text, '}');
}

/* As it stands in JSON, a string without its quotes, or as people read it; nothing where it is not known. */
static void add_field(struct tw_text *text, const struct field *field, const void *row, const struct tw_sample *sample,
		      bool json)
{
	const void *at = (const char *)row + field->offset;
	const struct tw_destination_row *destination = row;
	const struct tw_count *count = at;
	const struct tw_endpoint *endpoint = at;
	const struct tw_destination *key = at;
	const struct tw_value *value = at;
	const uint32_t *number = at;
	const uint64_t *long_number = at;

	switch (field->type) {
	case NUMBER:
		return add_number(text, true, *number);
	case NUMBER_64:
		return add_number(text, true, *long_number);
	case DEVICE:
		return add_number(text, *number != 0, *number);
	case COUNT:
		return add_number(text, count->known, count->value);
	case BOUND_FIRST:
		return add_number(text, destination->bound_first_known, destination->bound_first);
	case PERCENT:
		return add_value(text, *value, TW_UNIT_PERCENT, json);
	case ETA:
		return add_value(text, tw_known_number(TW_METRIC_PORT_ETA, *value), TW_UNIT_SECONDS, json);
	case SHARE:
		return add_value(text, tw_listener_share(row, &sample->accepting), TW_UNIT_PERCENT, json);
	case SPAN:
		return add_value(text, tw_value_of((int64_t)(*long_number / TW_USEC_PER_MSEC)), TW_UNIT_SECONDS, json);
	case SECONDS:
		tw_text_add_milli_rounded(text, (int64_t)(*long_number / TW_USEC_PER_MSEC), 1);
		return tw_text_add_char(text, 's');
	case UNIT:
		(json ? tw_text_add : tw_text_add_scrubbed)(text, at);
		return;
	case ADDRESS:
		return tw_address_add(text, at);
	case ENDPOINT:
		return tw_endpoint_add(text, &endpoint->address, endpoint->port);
	case PEER:
		return tw_endpoint_add(text, &key->destination, key->port);
	case HELD:
		return add_held(text, at, json);
	}
}

static const void *row_at(const struct tw_rows *rows, unsigned index)
{
	return (const char *)rows->sample + tables[rows->kind].rows + index * tables[rows->kind].row_size;
}

void tw_rows_add_text(struct tw_text *text, const struct tw_rows *rows, unsigned index, const char *format)
{
	char bytes[FIELD_MAX];
	struct tw_text cell;

	for (; *format != '\0'; format++) {
		const struct field *field = tables[rows->kind].fields;
		size_t length;

		if (*format != '{') {
			tw_text_add_char(text, *format);
			continue;
		}
		length = strcspn(++format, ":}");
		while (!tw_parse_is(format, length, field->name))
			field++;
		tw_text_init(&cell, bytes, sizeof(bytes));
		add_field(&cell, field, row_at(rows, index), rows->sample, false);
		if (cell.length == 0 && field->type != HELD)
			tw_text_add(&cell, "unknown");
		format += length;
		tw_text_addf(text, "%*s", *format == ':' ? (int)strtol(format + 1, NULL, 10) : 0, bytes);
		format += strcspn(format, "}");
	}
}

static void add_json_row(struct tw_text *json, const struct tw_rows *rows, unsigned index)
{
	char bytes[FIELD_MAX];
	struct tw_text cell;

	tw_json_begin(json, '{');
	for (const struct field *field = tables[rows->kind].fields; field->name; field++) {
		bool quoted = field->type >= UNIT && field->type <= PEER;

		if (field->type == SECONDS)
			continue;
		tw_text_init(&cell, bytes, sizeof(bytes));
		add_field(&cell, field, row_at(rows, index), rows->sample, true);
		tw_json_key(json, field->name);
		if (quoted && cell.length > 0)
			tw_json_string(json, bytes);
		else
			tw_json_literal(json, cell.length > 0 ? bytes : "null");
	}
	tw_json_end(json, '}');
}

void tw_rows_add_json(struct tw_text *json, const struct tw_rows *rows)
{
	tw_json_key(json, tables[rows->kind].name);
	if (!rows->known)
		return tw_json_literal(json, "null");
	tw_json_begin(json, '[');
	for (unsigned i = 0; i < rows->count; i++)
		add_json_row(json, rows, i);
	tw_json_end(json, ']');
}

/* ---- in a sentence */

void tw_message_add_figure(struct tw_text *text, enum tw_metric metric, struct tw_value value)
{
	if (tw_known_never(metric, value))
		tw_text_add(text, "none");
	else
		tw_value_add(text, value, tw_metric_info(metric)->unit);
}

bool tw_message_add_subject(struct tw_text *text, const struct tw_subject *subject, const char *before)
{
	if (subject->has_destination) {
		tw_text_add(text, before);
		tw_destination_add(text, &subject->destination);
		before = ", ";
	}
	if (subject->has_listener) {
		tw_text_addf(text, "%slistener ", before);
		tw_endpoint_add(text, &subject->listener.address, subject->listener.port);
		before = ", ";
	}
	if (subject->has_binder) {
		tw_text_addf(text, "%s%s", before, subject->holds_for_all ? "ports bound first from " : "bind() of ");
		tw_address_add(text, &subject->binder);
	}
	if (subject->unit[0] != '\0')
		tw_text_addf(text, "%sunit %s", before, subject->unit);
	return subject->has_destination || subject->has_listener || subject->has_binder || subject->unit[0] != '\0';
}
