/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-top.h"

#include "tell/known.h"
#include "tell/scrub.h"

#include <inttypes.h>
#include <stdbool.h>

#define PREFIX "TIMEWAITD_"

/* The widest line is that of a unit: its name and three numbers. */
#define LINE_MAX_BYTES (TW_UNIT_MAX + 96)

/* "\n... and 4294967295 more". */
#define MORE_MAX_BYTES 32

/* A table being written into a field. */
struct table {
	struct tw_text text;
	uint64_t total; /* rows that there are */
	uint64_t told;
};

/* Writes row `index` of a table into a line. */
typedef void (*add_row)(struct tw_text *line, const void *source, unsigned index);

/* Takes the line whole or not at all. */
static bool take_line(struct table *table, const struct tw_text *line)
{
	bool last = table->told + 1 >= table->total;
	size_t reserve = last ? 0 : MORE_MAX_BYTES;

	if (table->text.length + 1 + line->length + reserve >= TW_RECORD_TABLE_MAX)
		return false;
	if (table->told > 0)
		tw_text_add_char(&table->text, '\n');
	tw_text_add_bytes(&table->text, line->bytes, line->length);
	table->told++;
	return true;
}

/* `rows` lines of a table that has `total`; none behind one that had no room. */
static void add_table(struct tw_record *record, const char *name, const void *source, unsigned rows, uint64_t total,
		      add_row add)
{
	struct table table = { .total = TW_MAX(total, rows) };
	char bytes[LINE_MAX_BYTES];
	struct tw_text line;

	if (rows == 0)
		return;
	tw_record_begin(record, &table.text, PREFIX, name);
	for (unsigned i = 0; i < rows; i++) {
		tw_text_init(&line, bytes, sizeof(bytes));
		add(&line, source, i);
		if (!take_line(&table, &line))
			break;
	}
	if (table.told < table.total)
		tw_text_addf(&table.text, "%s... and %" PRIu64 " more", table.told > 0 ? "\n" : "",
			     table.total - table.told);
	(void)tw_record_end(record, &table.text);
}

static void add_unit(struct tw_text *line, const char *unit)
{
	if (unit[0] != '\0')
		tw_scrub_add(line, unit);
	else
		tw_text_add(line, "unknown");
}

static void add_destination(struct tw_text *line, const void *source, unsigned index)
{
	const struct tw_destination_row *row = &((const struct tw_survey *)source)->top[index];

	tw_address_add(line, &row->key.source);
	tw_text_add_char(line, ' ');
	tw_endpoint_add(line, &row->key.destination, row->key.port);
	tw_text_addf(line, " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " ", row->ports, row->time_wait,
		     row->established, row->other);
	tw_value_add(line, row->port_use, TW_UNIT_PERCENT);
}

void tw_record_add_top_destinations(struct tw_record *record, const struct tw_survey *survey, unsigned top)
{
	add_table(record, "top-destinations", survey, tw_known_rows(survey->top_count, top), survey->destinations,
		  add_destination);
}

static void add_held(struct tw_text *line, const void *source, unsigned index)
{
	const struct tw_destination_row *row = &((const struct tw_survey *)source)->top[index];

	tw_address_add(line, &row->key.source);
	tw_text_add_char(line, ' ');
	tw_endpoint_add(line, &row->key.destination, row->key.port);
	tw_text_addf(line, " blocked %" PRIu32 " bound-first ", row->blocked);
	if (row->bound_first_known)
		tw_text_addf(line, "%" PRIu32, row->bound_first);
	else
		tw_text_add(line, "unknown");
	for (unsigned i = 0; i < TW_HOLDER_COUNT; i++)
		if (row->held[i] > 0)
			tw_text_addf(line, " %s %" PRIu32, tw_holder_name((enum tw_holder)i), row->held[i]);
}

void tw_record_add_top_held(struct tw_record *record, const struct tw_survey *survey, unsigned top)
{
	add_table(record, "top-held", survey, tw_known_rows(survey->top_count, top), survey->destinations, add_held);
}

static void add_binder(struct tw_text *line, const void *source, unsigned index)
{
	const struct tw_binder_row *row = &((const struct tw_survey *)source)->binders[index];

	tw_address_add(line, &row->source);
	tw_text_addf(line, " %" PRIu32 " %" PRIu32 " ", row->ports, row->destinations);
	tw_endpoint_add(line, &row->most.destination, row->most.port);
}

void tw_record_add_top_binders(struct tw_record *record, const struct tw_survey *survey, unsigned top)
{
	add_table(record, "top-binders", survey, tw_known_rows(survey->binder_count, top), survey->binder_count,
		  add_binder);
}

static void add_bound(struct tw_text *line, const void *source, unsigned index)
{
	const struct tw_bound_row *row = &((const struct tw_survey *)source)->bound_rows[index];

	add_unit(line, row->unit);
	tw_text_addf(line, " %" PRIu32, row->sockets);
}

void tw_record_add_top_bound(struct tw_record *record, const struct tw_survey *survey, unsigned top)
{
	add_table(record, "top-bound", survey, tw_known_rows(survey->bound_row_count, top), survey->bound_row_count,
		  add_bound);
}

static void add_count(struct tw_text *line, struct tw_count count)
{
	if (count.known)
		tw_text_addf(line, "%" PRIu64 " ", count.value);
	else
		tw_text_add(line, "unknown ");
}

static void add_listener(struct tw_text *line, const void *source, unsigned index)
{
	const struct tw_accepting *accepting = source;
	const struct tw_listener_row *row = &accepting->rows[index];

	tw_endpoint_add(line, &row->address.address, row->address.port);
	tw_text_addf(line, " %" PRIu32 "/%" PRIu32 " ", row->queue, row->backlog);
	add_count(line, row->connections);
	tw_text_addf(line, "%" PRIu32 " %" PRIu32 " ", row->close_wait, row->syn_recv);
	add_count(line, row->time_wait);
	tw_value_add(line, tw_listener_share(row, accepting), TW_UNIT_PERCENT);
}

void tw_record_add_top_listeners(struct tw_record *record, const struct tw_accepting *accepting, unsigned top)
{
	add_table(record, "top-listeners", accepting, tw_known_rows(accepting->row_count, top), accepting->listeners,
		  add_listener);
}

static void add_leaker(struct tw_text *line, const void *source, unsigned index)
{
	const struct tw_close_wait_row *row = &((const struct tw_close_wait *)source)->rows[index];

	add_unit(line, row->unit);
	tw_text_addf(line, " %" PRIu32 " ", row->count);
	/* Seconds alone, at any age: a span in words has blanks. */
	tw_text_add_milli_rounded(line, (int64_t)(row->oldest_usec / TW_USEC_PER_MSEC), 1);
	tw_text_addf(line, "s %" PRIu64, row->unread);
}

void tw_record_add_top_units(struct tw_record *record, const struct tw_close_wait *close_wait, unsigned top)
{
	add_table(record, "top-units", close_wait, tw_known_rows(close_wait->row_count, top), close_wait->row_count,
		  add_leaker);
}
