/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any records as those of a history: no line of the chart is wider than it may be, and the JSON of it is JSON. */
#include "base/macros.h"
#include "ctl/live/grid.h"
#include "ctl/past/chart.h"
#include "ctl/past/history-text.h"
#include "fuzz/fields.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As narrow as the line that says what the marks mean lets it be. */
#define WIDTH 64
#define HEIGHT 3
/* Room for what comes of an input of a few KiB. */
#define PAGE_MAX (1 << 20)

struct history {
	struct tw_series series[1];
	struct tw_happened happened;
	usec_t first_usec, last_usec;
};

static char page[PAGE_MAX];
static size_t page_length;

/* A promise is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

static void put(void *context, const char *bytes, size_t length)
{
	(void)context;
	if (length > sizeof(page) - page_length)
		length = sizeof(page) - page_length;
	memcpy(page + page_length, bytes, length);
	page_length += length;
}

static void take(struct history *history, usec_t at_usec, const struct tw_record *record)
{
	enum tw_event_kind kind;

	if (!tw_past_event(record, &kind))
		return;
	if (history->first_usec == 0)
		history->first_usec = at_usec;
	history->last_usec = TW_MAX(history->last_usec, at_usec);
	if (kind != TW_EVENT_SAMPLE)
		require(tw_happened_take(&history->happened, at_usec, kind, record) == 0);
	for (size_t i = 0; i < TW_ARRAY_SIZE(history->series) && kind == TW_EVENT_SAMPLE; i++)
		require(tw_series_take(&history->series[i], at_usec, record) == 0);
}

static void check_chart(const struct history *history, usec_t to_usec)
{
	static char bytes[65536];
	const struct tw_chart chart = {
		.series = history->series,
		.series_count = TW_ARRAY_SIZE(history->series),
		.events = history->happened.marks,
		.event_count = history->happened.count,
		.from_usec = history->first_usec,
		.to_usec = to_usec,
		.width = WIDTH,
		.height = HEIGHT,
	};
	struct tw_text text;

	require(tw_chart_bytes(&chart) <= sizeof(bytes));
	tw_text_init(&text, bytes, tw_chart_bytes(&chart));
	require(tw_chart_add(&chart, &text) == 0 && !text.cut);
	for (char *line = bytes, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		require(tw_columns(line) <= WIDTH);
	}
}

static void check_texts(const struct history *history, usec_t to_usec)
{
	static struct tw_out out;
	json_t *read;

	page_length = 0;
	tw_out_init(&out, put, NULL);
	tw_history_add_sums(history->series, TW_ARRAY_SIZE(history->series), &out);
	tw_history_add_events(&history->happened, WIDTH, &out);
	tw_out_end(&out);
	for (size_t i = 0; i < page_length; i++)
		require((unsigned char)page[i] >= 0x20 || page[i] == '\n');
	page_length = 0;
	tw_history_add_json("host", history->first_usec, to_usec, history->series, TW_ARRAY_SIZE(history->series),
			    &history->happened, &out);
	require(!out.text.cut);
	tw_out_end(&out);
	if (page_length == sizeof(page))
		return;
	read = json_loadb(page, page_length, 0, NULL);
	require(json_is_object(read));
	json_decref(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "port-use" };
	static struct tw_record record;
	struct history history = { 0 };
	const char *cursor = (const char *)data, *end = cursor + size, *near;
	usec_t at_usec;

	if (size > FIELDS_SIZE_MAX)
		return 0;
	for (size_t i = 0; i < TW_ARRAY_SIZE(names); i++)
		require(tw_series_init(&history.series[i], names[i], &near));
	while (fields_next(&cursor, end, &record, &at_usec))
		take(&history, at_usec, &record);
	if (history.first_usec > 0) {
		usec_t to_usec = TW_MAX(history.last_usec, history.first_usec + TW_USEC_PER_SEC);

		check_chart(&history, to_usec);
		check_texts(&history, to_usec);
	}
	for (size_t i = 0; i < TW_ARRAY_SIZE(names); i++)
		tw_series_done(&history.series[i]);
	tw_happened_done(&history.happened);
	return 0;
}
