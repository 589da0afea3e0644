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
	bool full;
};

static void table_begin(struct tw_record *record, struct table *table, const char *name, uint64_t total)
{
	*table = (struct table){ .total = total };
	tw_record_begin(record, &table->text, PREFIX, name);
}

/* Takes the line whole or not at all, and none behind one that it did not take. */
static void table_add(struct table *table, const struct tw_text *line)
{
	bool last = table->told + 1 >= table->total;
	size_t reserve = last ? 0 : MORE_MAX_BYTES;

	if (table->full || table->text.length + 1 + line->length + reserve >= TW_RECORD_TABLE_MAX) {
		table->full = true;
		return;
	}
	if (table->told > 0)
		tw_text_add_char(&table->text, '\n');
	tw_text_add_bytes(&table->text, line->bytes, line->length);
	table->told++;
}

static void table_end(struct tw_record *record, struct table *table)
{
	if (table->told < table->total)
		tw_text_addf(&table->text, "%s... and %" PRIu64 " more", table->told > 0 ? "\n" : "",
			     table->total - table->told);
	(void)tw_record_end(record, &table->text);
}

static void add_destination(struct tw_text *line, const struct tw_destination_row *row)
{
	tw_address_add(line, &row->key.source);
	tw_text_add_char(line, ' ');
	tw_endpoint_add(line, &row->key.destination, row->key.port);
	tw_text_addf(line, " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " ", row->ports, row->time_wait,
		     row->established, row->other);
	tw_value_add(line, row->port_use, TW_UNIT_PERCENT);
}

void tw_record_add_top_destinations(struct tw_record *record, const struct tw_survey *survey, unsigned top)
{
	unsigned rows = tw_known_rows(survey->top_count, top);
	char bytes[LINE_MAX_BYTES];
	struct tw_text line;
	struct table table;

	if (rows == 0)
		return;
	table_begin(record, &table, "top-destinations", TW_MAX(survey->destinations, rows));
	for (unsigned i = 0; i < rows; i++) {
		tw_text_init(&line, bytes, sizeof(bytes));
		add_destination(&line, &survey->top[i]);
		table_add(&table, &line);
	}
	table_end(record, &table);
}

static void add_listener(struct tw_text *line, const struct tw_listener_row *row, uint64_t connections)
{
	tw_endpoint_add(line, &row->address.address, row->address.port);
	tw_text_addf(line, " %" PRIu32 "/%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " ", row->queue, row->backlog,
		     row->connections, row->close_wait, row->syn_recv);
	if (row->time_wait.known)
		tw_text_addf(line, "%" PRIu64 " ", row->time_wait.value);
	else
		tw_text_add(line, "unknown ");
	tw_value_add(line, tw_value_percent(row->connections, connections), TW_UNIT_PERCENT);
}

void tw_record_add_top_listeners(struct tw_record *record, const struct tw_accepting *accepting, unsigned top)
{
	unsigned rows = tw_known_rows(accepting->row_count, top);
	char bytes[LINE_MAX_BYTES];
	struct tw_text line;
	struct table table;

	if (rows == 0)
		return;
	table_begin(record, &table, "top-listeners", TW_MAX(accepting->listeners, rows));
	for (unsigned i = 0; i < rows; i++) {
		tw_text_init(&line, bytes, sizeof(bytes));
		add_listener(&line, &accepting->rows[i], accepting->connections);
		table_add(&table, &line);
	}
	table_end(record, &table);
}

static void add_unit(struct tw_text *line, const struct tw_close_wait_row *row)
{
	if (row->unit[0] != '\0')
		tw_scrub_add(line, row->unit);
	else
		tw_text_add(line, "unknown");
	tw_text_addf(line, " %" PRIu32 " ", row->count);
	/* Seconds alone, at any age: a span in words has blanks. */
	tw_text_add_milli_rounded(line, (int64_t)(row->oldest_usec / TW_USEC_PER_MSEC), 1);
	tw_text_addf(line, "s %" PRIu64, row->unread);
}

void tw_record_add_top_units(struct tw_record *record, const struct tw_close_wait *close_wait, unsigned top)
{
	unsigned rows = tw_known_rows(close_wait->row_count, top);
	char bytes[LINE_MAX_BYTES];
	struct tw_text line;
	struct table table;

	if (rows == 0)
		return;
	table_begin(record, &table, "top-units", close_wait->row_count);
	for (unsigned i = 0; i < rows; i++) {
		tw_text_init(&line, bytes, sizeof(bytes));
		add_unit(&line, &close_wait->rows[i]);
		table_add(&table, &line);
	}
	table_end(record, &table);
}
