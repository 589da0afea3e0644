/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/screen.h"

#include "base/macros.h"

#include <string.h>

/* Of the lines of a name that is too long. */
#define NAME_INDENT 4

/* SGR of ECMA-48: 1 is bold, 2 faint, 31 red, 32 green, 33 yellow. */
static const char *const escapes[] = {
	[TW_STYLE_PLAIN] = "",	      [TW_STYLE_TITLE] = "\033[1m", [TW_STYLE_FAINT] = "\033[2m",
	[TW_STYLE_GOOD] = "\033[32m", [TW_STYLE_WARN] = "\033[33m", [TW_STYLE_BAD] = "\033[1;31m",
};

static void begin_style(struct tw_screen *screen, enum tw_style style)
{
	if (screen->colour)
		tw_text_add(screen->text, escapes[style]);
}

static void end_style(struct tw_screen *screen, enum tw_style style)
{
	if (screen->colour && style != TW_STYLE_PLAIN)
		tw_text_add(screen->text, "\033[0m");
}

void tw_screen_indent(struct tw_screen *screen, unsigned indent)
{
	for (; screen->column < indent; screen->column++)
		tw_text_add_char(screen->text, ' ');
	screen->start = screen->column;
}

static void break_line(struct tw_screen *screen, unsigned indent)
{
	tw_text_add_char(screen->text, '\n');
	screen->column = 0;
	tw_screen_indent(screen, indent);
}

/* One that is longer than a whole line is cut into lines. */
static void add_word(struct tw_screen *screen, unsigned indent, const char *word, size_t length)
{
	char piece[512];

	(void)tw_text_copy_bytes(piece, sizeof(piece), word, length);
	for (const char *rest = piece; *rest != '\0';) {
		size_t fits = tw_columns_fit(rest, screen->width - screen->column);

		if (fits == 0) {
			break_line(screen, indent);
			continue;
		}
		tw_text_add_bytes(screen->text, rest, fits);
		screen->column += TW_MIN(tw_columns(rest), screen->width - screen->column);
		rest += fits;
	}
}

static unsigned columns_of(const char *word, size_t length)
{
	unsigned columns = 0;

	for (size_t i = 0; i < length; i++)
		columns += ((unsigned char)word[i] & 0xc0) != 0x80;
	return columns;
}

void tw_screen_words(struct tw_screen *screen, enum tw_style style, unsigned indent, const char *words)
{
	bool first = true;

	indent = TW_MIN(indent, screen->width / 2);
	begin_style(screen, style);
	for (const char *word = words; *word != '\0';) {
		size_t length = strcspn(word, " ");
		size_t blanks = strspn(word + length, " ");
		bool blank = !first && screen->column > screen->start;

		if (screen->column > screen->start &&
		    screen->column + blank + columns_of(word, length) > screen->width) {
			break_line(screen, indent);
		} else if (blank) {
			tw_text_add_char(screen->text, ' ');
			screen->column++;
		}
		if (length > 0)
			add_word(screen, indent, word, length);
		first = false;
		word += length + blanks;
	}
	end_style(screen, style);
}

void tw_screen_end(struct tw_screen *screen)
{
	tw_text_add_char(screen->text, '\n');
	screen->column = screen->start = 0;
}

void tw_screen_title(struct tw_screen *screen, const char *title)
{
	tw_screen_words(screen, TW_STYLE_TITLE, 0, title);
	tw_screen_end(screen);
}

/* What is left of the width cuts titles and figures alike: they keep under one another. */
static void add_cut(struct tw_screen *screen, enum tw_style style, const char *line)
{
	begin_style(screen, style);
	tw_text_add_bytes(screen->text, line, tw_columns_fit(line, screen->width));
	end_style(screen, style);
	screen->column = TW_MIN(tw_columns(line), screen->width);
}

static void add_row(struct tw_screen *screen, const struct tw_grid *grid, unsigned row)
{
	const char *name = grid->rows[row].name;
	char line[TW_GRID_COLUMNS_MAX * (TW_GRID_CELL_MAX + 2) + 2];
	struct tw_text text;

	tw_text_init(&text, line, sizeof(line));
	tw_grid_add_figures(grid, row, &text);
	add_cut(screen, TW_STYLE_PLAIN, line);
	if (tw_columns(name) > screen->width - screen->column) {
		while (text.length > 0 && screen->text->length > 0 &&
		       screen->text->bytes[screen->text->length - 1] == ' ')
			screen->text->bytes[--screen->text->length] = '\0';
		break_line(screen, NAME_INDENT);
	}
	tw_screen_words(screen, TW_STYLE_PLAIN, NAME_INDENT, name);
	tw_screen_end(screen);
}

void tw_screen_grid(struct tw_screen *screen, struct tw_grid *grid)
{
	char line[TW_GRID_COLUMNS_MAX * (TW_GRID_CELL_MAX + 2) + 64];
	struct tw_text text;

	tw_grid_fit(grid, screen->width, tw_grid_name_room(grid));
	tw_text_init(&text, line, sizeof(line));
	tw_grid_add_titles(grid, &text);
	tw_text_add(&text, grid->name_title);
	add_cut(screen, TW_STYLE_FAINT, line);
	tw_screen_end(screen);
	for (unsigned i = 0; i < grid->row_count; i++)
		add_row(screen, grid, i);
}

enum tw_style tw_style_of_severity(enum tw_severity severity)
{
	switch (severity) {
	case TW_SEVERITY_INFO:
	case TW_SEVERITY_NOTICE:
		return TW_STYLE_PLAIN;
	case TW_SEVERITY_WARNING:
		return TW_STYLE_WARN;
	case TW_SEVERITY_ERROR:
	case TW_SEVERITY_CRITICAL:
	case TW_SEVERITY_COUNT:
		return TW_STYLE_BAD;
	}
	return TW_STYLE_BAD;
}
