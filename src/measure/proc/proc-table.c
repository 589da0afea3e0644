/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/proc-table.h"

#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <string.h>

#define BLANK ' '

bool tw_proc_find_line(const char **cursor, const char *end, const char *label, struct tw_proc_line *ret)
{
	size_t label_length = strlen(label);

	while (*cursor < end) {
		const char *line = *cursor;
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);

		*cursor = newline ? newline + 1 : end;
		if (length < label_length || memcmp(line, label, label_length) != 0)
			continue;
		if (length == label_length) {
			*ret = (struct tw_proc_line){ line + length, 0 };
			return true;
		}
		if (line[label_length] == BLANK) {
			*ret = (struct tw_proc_line){ line + label_length + 1, length - label_length - 1 };
			return true;
		}
	}
	return false;
}

/* Up to the blank at or after `offset`, or to the end. */
static size_t word_length(const struct tw_proc_line *line, size_t offset)
{
	const char *blank = memchr(line->text + offset, BLANK, line->length - offset);

	return (blank ? (size_t)(blank - line->text) : line->length) - offset;
}

static bool is_name(const struct tw_proc_line *line, size_t offset, const char *name)
{
	size_t length = strlen(name);

	return offset <= line->length && (offset == 0 || line->text[offset - 1] == BLANK) &&
	       length <= line->length - offset && memcmp(line->text + offset, name, length) == 0 &&
	       (offset + length == line->length || line->text[offset + length] == BLANK);
}

static bool still_holds(const struct tw_proc_layout *layout, const struct tw_proc_line *line, const char *const *names)
{
	if (layout->names_length != line->length)
		return false;
	for (unsigned i = 0; i < layout->count; i++)
		if (!is_name(line, layout->found[i].offset, names[layout->found[i].index]))
			return false;
	return true;
}

/* Each name's first place, by column. */
static void learn(struct tw_proc_layout *layout, const struct tw_proc_line *line, const char *const *names,
		  unsigned count)
{
	bool taken[TW_PROC_COLUMNS_MAX] = { false };
	size_t offset = 0;

	*layout = (struct tw_proc_layout){ .names_length = line->length };
	for (unsigned column = 0; offset < line->length; column++) {
		for (unsigned i = 0; i < count; i++) {
			if (taken[i] || !is_name(line, offset, names[i]))
				continue;
			taken[i] = true;
			layout->found[layout->count].offset = offset;
			layout->found[layout->count].column = column;
			layout->found[layout->count++].index = i;
		}
		offset += word_length(line, offset) + 1;
	}
}

static void take_numbers(const struct tw_proc_layout *layout, const struct tw_proc_line *line, struct tw_count *ret)
{
	size_t offset = 0;
	unsigned column = 0;

	for (unsigned i = 0; i < layout->count; i++) {
		struct tw_count *count = &ret[layout->found[i].index];

		for (; column < layout->found[i].column && offset < line->length; column++)
			offset += word_length(line, offset) + 1;
		if (offset >= line->length)
			return;
		count->known = tw_parse_u64(line->text + offset, word_length(line, offset), &count->value) == 0;
	}
}

int tw_proc_table_read(const char *text, size_t length, const char *label, const char *const *names, unsigned count,
		       struct tw_proc_layout *layout, struct tw_count *ret)
{
	const char *cursor = text, *end = text + length;
	struct tw_proc_line name_line, number_line;

	if (!tw_proc_find_line(&cursor, end, label, &name_line) ||
	    !tw_proc_find_line(&cursor, end, label, &number_line))
		return -EINVAL;
	if (!still_holds(layout, &name_line, names))
		learn(layout, &name_line, names, TW_MIN(count, TW_PROC_COLUMNS_MAX));
	memset(ret, 0, count * sizeof(*ret));
	take_numbers(layout, &number_line, ret);
	return 0;
}
