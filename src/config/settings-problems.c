/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-problems.h"

#include "base/text.h"

#include <stdarg.h>
#include <string.h>

bool tw_place_before(const struct tw_place *a, const struct tw_place *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->line < b->line;
}

void tw_problem_log_init(struct tw_problem_log *log, struct tw_problems *problems)
{
	log->problems = problems;
	problems->count = 0;
}

/* Makes room behind all that stands at or before `place`, and returns that row. */
static unsigned open_row(struct tw_problem_log *log, const struct tw_place *place)
{
	struct tw_problems *problems = log->problems;
	unsigned row = problems->count;

	while (row > 0 && tw_place_before(place, &log->places[row - 1]))
		row--;
	memmove(problems->texts[row + 1], problems->texts[row], (problems->count - row) * sizeof(problems->texts[0]));
	memmove(&log->places[row + 1], &log->places[row], (problems->count - row) * sizeof(log->places[0]));
	log->places[row] = *place;
	return row;
}

bool tw_problem_log_tells(const struct tw_problem_log *log)
{
	return log->problems->count < TW_PROBLEMS_MAX;
}

void tw_problem_log_add(struct tw_problem_log *log, const struct tw_place *place, const char *format, ...)
{
	struct tw_problems *problems = log->problems;
	struct tw_text text;
	va_list arguments;

	if (!tw_problem_log_tells(log)) {
		problems->count++;
		return;
	}
	tw_text_init(&text, problems->texts[open_row(log, place)], sizeof(problems->texts[0]));
	tw_text_add(&text, place->file ? place->file : "built-in defaults");
	if (place->line > 0)
		tw_text_addf(&text, ":%u", place->line);
	tw_text_add(&text, ": ");
	va_start(arguments, format);
	tw_text_addv(&text, format, arguments);
	va_end(arguments);
	problems->count++;
}
