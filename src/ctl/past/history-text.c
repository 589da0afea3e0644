/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/history-text.h"

#include "base/text.h"
#include "ctl/page.h"
#include "ctl/when.h"

#include <string.h>

/* What happened last is what is asked about; report has all of it. */
#define EVENTS_MAX 12
/* Of the lines of an event after its first. */
#define INDENT 4

static bool is_marked(enum tw_event_kind kind)
{
	return kind == TW_EVENT_RAISED || kind == TW_EVENT_CLEARED || kind == TW_EVENT_ADJUSTED ||
	       kind == TW_EVENT_RESTORED;
}

static void add_sum(const struct tw_series *series, struct tw_text *text)
{
	struct tw_series_sum sum = tw_series_sum(series);

	tw_text_addf(text, "%s: ", series->name);
	if (series->count == 0) {
		tw_text_add(text, "no sample has it\n");
		return;
	}
	tw_text_add(text, "min ");
	tw_series_add_figure(series, sum.low, text);
	tw_text_add(text, ", avg ");
	tw_series_add_figure(series, sum.mean, text);
	tw_text_add(text, ", max ");
	tw_series_add_figure(series, sum.high, text);
	tw_text_addf(text, " of %zu %s\n", series->count, series->count == 1 ? "sample" : "samples");
}

void tw_history_add_sums(const struct tw_series *series, unsigned count, struct tw_out *out)
{
	for (unsigned i = 0; i < count; i++)
		add_sum(&series[i], tw_out_pass(out));
}

void tw_history_add_events(const struct tw_happened *happened, unsigned width, struct tw_out *out)
{
	size_t marked = 0, passed = 0;

	for (size_t i = 0; i < happened->count; i++)
		marked += is_marked(happened->rows[i].kind);
	if (marked > EVENTS_MAX)
		tw_text_addf(tw_out_pass(out), "%zu earlier events, then:\n", marked - EVENTS_MAX);
	for (size_t i = 0; i < happened->count; i++) {
		const struct tw_happening *row = &happened->rows[i];
		struct tw_text *text = tw_out_pass(out);
		size_t began = text->length;

		if (!is_marked(row->kind) || passed++ + EVENTS_MAX < marked)
			continue;
		tw_when_add(text, row->at_usec);
		tw_text_addf(text, " %s: ", tw_event_name(row->kind));
		tw_page_add_words(text, row->message, strlen(row->message), width, text->length - began, INDENT);
	}
}

static void add_value(struct tw_text *json, const char *name, struct tw_value value)
{
	tw_json_key(json, name);
	if (value.known)
		tw_json_milli(json, value.milli);
	else
		tw_json_literal(json, "null");
}

static void add_time(struct tw_text *json, usec_t at_usec)
{
	char bytes[48];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_when_add_utc(&text, at_usec);
	tw_json_string(json, bytes);
}

static void add_series(struct tw_text *json, const struct tw_series *series, struct tw_out *out)
{
	struct tw_series_sum sum = tw_series_sum(series);

	tw_json_begin(json, '{');
	tw_json_key(json, "name");
	tw_json_string(json, series->name);
	tw_json_key(json, "unit");
	tw_json_string(json, tw_series_unit(series));
	add_value(json, "min", sum.low);
	add_value(json, "avg", sum.mean);
	add_value(json, "max", sum.high);
	tw_json_key(json, "points");
	tw_json_begin(json, '[');
	for (size_t i = 0; i < series->count; i++) {
		tw_json_begin(json, '[');
		add_time(json, series->points[i].at_usec);
		tw_json_milli(json, series->points[i].milli);
		tw_json_end(json, ']');
		(void)tw_out_pass(out);
	}
	tw_json_end(json, ']');
	tw_json_end(json, '}');
}

static void add_event(struct tw_text *json, const struct tw_happening *row)
{
	tw_json_begin(json, '{');
	tw_json_key(json, "at");
	add_time(json, row->at_usec);
	tw_json_key(json, "event");
	tw_json_string(json, tw_event_name(row->kind));
	tw_json_key(json, "rule");
	if (row->rule[0] != '\0')
		tw_json_string(json, row->rule);
	else
		tw_json_literal(json, "null");
	tw_json_key(json, "message");
	tw_json_string(json, row->message);
	tw_json_end(json, '}');
}

void tw_history_add_json(const char *namespace, usec_t from_usec, usec_t to_usec, const struct tw_series *series,
			 unsigned count, const struct tw_happened *happened, struct tw_out *out)
{

	tw_json_begin(&out->text, '{');
	tw_json_key(&out->text, "namespace");
	tw_json_string(&out->text, namespace);
	tw_json_key(&out->text, "from");
	add_time(&out->text, from_usec);
	tw_json_key(&out->text, "to");
	add_time(&out->text, to_usec);
	tw_json_key(&out->text, "series");
	tw_json_begin(&out->text, '[');
	for (unsigned i = 0; i < count; i++)
		add_series(&out->text, &series[i], out);
	tw_json_end(&out->text, ']');
	tw_json_key(&out->text, "events");
	tw_json_begin(&out->text, '[');
	for (size_t i = 0; i < happened->count; i++) {
		if (is_marked(happened->rows[i].kind))
			add_event(&out->text, &happened->rows[i]);
		(void)tw_out_pass(out);
	}
	tw_json_end(&out->text, ']');
	tw_json_end(&out->text, '}');
	tw_text_add_char(&out->text, '\n');
}
