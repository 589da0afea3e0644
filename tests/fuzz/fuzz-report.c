/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any records as those of an incident: the page stays a page, whatever stands in them, and its lines on it. */
#include "base/macros.h"
#include "ctl/report/report-chart.h"
#include "ctl/report/report-table.h"
#include "fuzz/fields.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The page is long, and its reader is not what is under test: without what makes it slow. */
#ifdef __clang__
#define UNWATCHED __attribute__((no_sanitize("address", "undefined", "coverage")))
#else
#define UNWATCHED
#endif

/* Deepest nesting of a page's tags that is looked after. */
#define DEPTH_MAX 32

/* A promise is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

/* Reads on in what is written: how deep in tags it is, and in which part of one. */
struct reader {
	bool in_tag, in_value, closes;
	char before;
	int depth;
};

static void read_mark(struct reader *reader, char byte)
{
	if (byte == '"' && reader->in_tag) {
		reader->in_value = !reader->in_value;
	} else if (byte == '<') {
		require(!reader->in_tag);
		*reader = (struct reader){ .in_tag = true, .depth = reader->depth };
	} else if (byte == '>') {
		require(reader->in_tag && !reader->in_value);
		if (reader->closes)
			reader->depth--;
		else if (reader->before != '/')
			reader->depth++;
		require(reader->depth >= 0 && reader->depth < DEPTH_MAX);
		reader->in_tag = false;
	} else if (byte == '/' && reader->before == '<') {
		reader->closes = true;
	}
}

UNWATCHED static void put(void *context, const char *bytes, size_t length)
{
	struct reader *reader = context;

	for (size_t i = 0; i < length; i++) {
		char byte = bytes[i];

		require((unsigned char)byte >= 0x20 || byte == '\n' || byte == '\t');
		if (byte == '"' || byte == '<' || byte == '>' || byte == '/')
			read_mark(reader, byte);
		reader->before = byte;
	}
}

/* All of the page but its head, which is always the same. */
static void write_page(const struct tw_report *report)
{
	static struct tw_out out;
	struct reader reader = { 0 };

	tw_out_init(&out, put, &reader);
	tw_report_add_alerts(report, &out);
	tw_report_add_timeline(report, &out);
	tw_report_add_flights(report, &out);
	tw_report_add_sysctls(report, &out);
	tw_report_add_records(report, &out);
	require(!out.text.cut);
	tw_out_end(&out);
	require(!reader.in_tag && reader.depth == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tw_record record;
	static struct tw_report report;
	const char *cursor = (const char *)data, *end = cursor + size;
	usec_t at_usec;

	if (size > FIELDS_SIZE_MAX)
		return 0;
	tw_report_init(&report, "host");
	while (fields_next(&cursor, end, &record, &at_usec))
		require(tw_report_take(&report, at_usec, &record) == 0);
	report.from_usec = report.first_usec;
	report.to_usec = TW_MAX(report.last_usec, report.from_usec + TW_USEC_PER_SEC);
	if (report.first_usec > 0)
		write_page(&report);
	tw_report_done(&report);
	return 0;
}
