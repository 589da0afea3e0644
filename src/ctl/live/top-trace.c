/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/top-trace.h"

#include "base/macros.h"

#include <string.h>

void tw_trace_begin(struct tw_trace *trace)
{
	trace->look++;
	for (unsigned i = 0; i < trace->count; i++)
		trace->lines[i].values[trace->look % TW_TRACE_LENGTH] = TW_TRACE_UNKNOWN;
}

/* Its line; `count` where it has none. */
static unsigned find(const struct tw_trace *trace, const char *name)
{
	unsigned i = 0;

	while (i < trace->count && strcmp(trace->lines[i].name, name) != 0)
		i++;
	return i;
}

/* A free line, or that of whom was not told of for the longest time. */
static struct tw_trace_line *make_room(struct tw_trace *trace)
{
	struct tw_trace_line *oldest = &trace->lines[0];

	if (trace->count < TW_TRACE_NAMES_MAX)
		return &trace->lines[trace->count++];
	for (unsigned i = 1; i < trace->count; i++)
		if (trace->lines[i].seen < oldest->seen)
			oldest = &trace->lines[i];
	return oldest;
}

void tw_trace_note(struct tw_trace *trace, const char *name, struct tw_value value)
{
	unsigned found = find(trace, name);
	struct tw_trace_line *line = &trace->lines[found];
	int64_t whole = value.milli / 1000;

	if (found == trace->count) {
		line = make_room(trace);
		(void)tw_text_copy(line->name, sizeof(line->name), name);
		/* Every byte of it: TW_TRACE_UNKNOWN. */
		memset(line->values, 0xff, sizeof(line->values));
	}
	line->seen = trace->look;
	if (value.known)
		line->values[trace->look % TW_TRACE_LENGTH] =
			(uint32_t)TW_MIN(TW_MAX(whole, INT64_C(0)), (int64_t)TW_TRACE_UNKNOWN - 1);
}

static uint32_t higher(uint32_t a, uint32_t b)
{
	if (a == TW_TRACE_UNKNOWN || b == TW_TRACE_UNKNOWN)
		return TW_MIN(a, b);
	return TW_MAX(a, b);
}

/* Columns hold the same looks from one drawing to the next, so that nothing flickers: the newest may be young. */
static uint32_t column_value(const struct tw_trace *trace, const struct tw_trace_line *line, uint32_t column,
			     uint32_t step)
{
	uint32_t value = TW_TRACE_UNKNOWN;

	for (uint32_t look = column * step; look < (column + 1) * step; look++)
		if (look > 0 && look <= trace->look && trace->look - look < TW_TRACE_LENGTH)
			value = higher(value, line->values[look % TW_TRACE_LENGTH]);
	return value;
}

static void add_bar(struct tw_text *text, uint32_t value, uint32_t most, bool utf8)
{
	/* None fills its line: a bar stands off from that of the row above. */
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇" };
	static const char *const signs[] = { "_", ".", ":", "-", "=", "+", "#" };
	_Static_assert(TW_ARRAY_SIZE(blocks) == TW_ARRAY_SIZE(signs), "as many either way");
	uint64_t level = most > 0 ? ((uint64_t)value * (TW_ARRAY_SIZE(blocks) - 1) + most - 1) / most : 0;

	if (value == TW_TRACE_UNKNOWN)
		tw_text_add_char(text, ' ');
	else
		tw_text_add(text, utf8 ? blocks[level] : signs[level]);
}

void tw_trace_add(const struct tw_trace *trace, const char *name, unsigned columns, bool utf8, struct tw_text *text)
{
	unsigned found = find(trace, name);
	const struct tw_trace_line *line = found < trace->count ? &trace->lines[found] : NULL;
	uint32_t step = TW_TRACE_LENGTH / TW_MAX(columns, 1u), newest = trace->look / step, most = 0;

	for (unsigned i = 0; line && i < TW_TRACE_LENGTH; i++)
		if (line->values[i] != TW_TRACE_UNKNOWN)
			most = TW_MAX(most, line->values[i]);
	for (unsigned i = 0; i < columns; i++) {
		uint32_t back = columns - 1 - i;

		if (!line || back > newest)
			tw_text_add_char(text, ' ');
		else
			add_bar(text, column_value(trace, line, newest - back, step), most, utf8);
	}
}
