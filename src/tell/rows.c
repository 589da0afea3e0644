/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/rows.h"

#include "base/macros.h"
#include "base/parse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a field is in its row. */
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
	{ "port-eta", ETA, AT(port_eta) },	{ NULL },
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
	{ NULL },
};
#undef AT

static const struct field close_wait_fields[] = {
	{ "unit", UNIT, offsetof(struct tw_close_wait_row, unit) },
	{ "count", NUMBER, offsetof(struct tw_close_wait_row, count) },
	{ "oldest", SPAN, offsetof(struct tw_close_wait_row, oldest_usec) },
	{ "oldest-seconds", SECONDS, offsetof(struct tw_close_wait_row, oldest_usec) },
	{ "unread", NUMBER_64, offsetof(struct tw_close_wait_row, unread) },
	{ NULL },
};

static const struct field bound_fields[] = {
	{ "unit", UNIT, offsetof(struct tw_bound_row, unit) },
	{ "sockets", NUMBER, offsetof(struct tw_bound_row, sockets) },
	{ NULL },
};

static const struct field binder_fields[] = {
	{ "source", ADDRESS, offsetof(struct tw_binder_row, source) },
	{ "ports", NUMBER, offsetof(struct tw_binder_row, ports) },
	{ "destinations", NUMBER, offsetof(struct tw_binder_row, destinations) },
	{ "most", PEER, offsetof(struct tw_binder_row, most) },
	{ NULL },
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

/* Where a field goes: into JSON, or into a text for people. */
struct out {
	struct tw_json *json; /* or NULL */
	struct tw_text *text;
};

static void put_number(const struct out *out, bool known, uint64_t number)
{
	if (out->json && known)
		tw_json_u64(out->json, number);
	else if (out->json)
		tw_json_null(out->json);
	else if (known)
		tw_text_addf(out->text, "%" PRIu64, number);
	else
		tw_text_add(out->text, "unknown");
}

static void put_value(const struct out *out, struct tw_value value, enum tw_unit unit)
{
	if (out->json && value.known)
		tw_json_milli(out->json, value.milli);
	else if (out->json)
		tw_json_null(out->json);
	else
		tw_value_add(out->text, value, unit);
}

static void put_string(const struct out *out, const char *string)
{
	if (out->json && string[0] != '\0')
		tw_json_string(out->json, string);
	else if (out->json)
		tw_json_null(out->json);
	else
		tw_text_add_scrubbed(out->text, string[0] != '\0' ? string : "unknown");
}

/* " time-wait 3866 established 4": those that hold some. JSON has all. */
static void put_held(const struct out *out, const uint32_t *held)
{
	if (out->json)
		tw_json_object_begin(out->json);
	for (unsigned i = 0; i < TW_HOLDER_COUNT; i++) {
		const char *name = tw_holder_name((enum tw_holder)i);

		if (out->json)
			tw_json_u64(tw_json_key(out->json, name), held[i]);
		else if (held[i] > 0)
			tw_text_addf(out->text, " %s %" PRIu32, name, held[i]);
	}
	if (out->json)
		tw_json_object_end(out->json);
}

static void put_field(const struct out *out, const struct field *field, const void *row, const struct tw_sample *sample)
{
	const void *at = (const char *)row + field->offset;
	char address[TW_ENDPOINT_TEXT_MAX];
	struct tw_text text;

	tw_text_init(&text, address, sizeof(address));
	switch (field->type) {
	case NUMBER:
		return put_number(out, true, *(const uint32_t *)at);
	case NUMBER_64:
		return put_number(out, true, *(const uint64_t *)at);
	case DEVICE:
		return put_number(out, *(const uint32_t *)at != 0, *(const uint32_t *)at);
	case COUNT:
		return put_number(out, ((const struct tw_count *)at)->known, ((const struct tw_count *)at)->value);
	case BOUND_FIRST:
		return put_number(out, ((const struct tw_destination_row *)row)->bound_first_known,
				  ((const struct tw_destination_row *)row)->bound_first);
	case PERCENT:
		return put_value(out, *(const struct tw_value *)at, TW_UNIT_PERCENT);
	case ETA:
		return put_value(out, tw_known_number(TW_METRIC_PORT_ETA, *(const struct tw_value *)at),
				 TW_UNIT_SECONDS);
	case SHARE:
		return put_value(out, tw_listener_share(row, &sample->accepting), TW_UNIT_PERCENT);
	case SPAN:
		return put_value(out, tw_value_of((int64_t)(*(const usec_t *)at / TW_USEC_PER_MSEC)), TW_UNIT_SECONDS);
	case SECONDS:
		tw_text_add_milli_rounded(out->text, (int64_t)(*(const usec_t *)at / TW_USEC_PER_MSEC), 1);
		return tw_text_add_char(out->text, 's');
	case UNIT:
		return put_string(out, at);
	case ADDRESS:
		tw_address_add(&text, at);
		return put_string(out, address);
	case ENDPOINT:
		tw_endpoint_add(&text, &((const struct tw_endpoint *)at)->address,
				((const struct tw_endpoint *)at)->port);
		return put_string(out, address);
	case PEER:
		tw_endpoint_add(&text, &((const struct tw_destination *)at)->destination,
				((const struct tw_destination *)at)->port);
		return put_string(out, address);
	case HELD:
		return put_held(out, at);
	}
}

static const void *row_at(const struct tw_rows *rows, unsigned index)
{
	return (const char *)rows->sample + tables[rows->kind].rows + index * tables[rows->kind].row_size;
}

void tw_rows_add_text(struct tw_text *text, const struct tw_rows *rows, unsigned index, const char *format)
{
	char bytes[2 * TW_UNIT_MAX];
	struct tw_text cell;

	for (; *format != '\0'; format++) {
		const struct field *field = tables[rows->kind].fields;
		size_t length = strcspn(format + 1, ":}");

		if (*format != '{') {
			tw_text_add_char(text, *format);
			continue;
		}
		while (!tw_parse_is(format + 1, length, field->name))
			field++;
		tw_text_init(&cell, bytes, sizeof(bytes));
		put_field(&(struct out){ .text = &cell }, field, row_at(rows, index), rows->sample);
		format += 1 + length;
		tw_text_addf(text, "%*s", *format == ':' ? atoi(format + 1) : 0, bytes);
		format += strcspn(format, "}");
	}
}

void tw_rows_add_json(struct tw_json *json, const struct tw_rows *rows)
{
	tw_json_key(json, tables[rows->kind].name);
	if (!rows->known)
		return tw_json_null(json);
	tw_json_array_begin(json);
	for (unsigned i = 0; i < rows->count; i++) {
		tw_json_object_begin(json);
		for (const struct field *field = tables[rows->kind].fields; field->name; field++) {
			if (field->type == SECONDS)
				continue;
			tw_json_key(json, field->name);
			put_field(&(struct out){ .json = json }, field, row_at(rows, i), rows->sample);
		}
		tw_json_object_end(json);
	}
	tw_json_array_end(json);
}
