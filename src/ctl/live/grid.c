/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/grid.h"

#include "base/macros.h"

#include <string.h>

/* Blanks before each column, and before the name. */
#define GAP 2

static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

unsigned tw_columns(const char *text)
{
	unsigned columns = 0;

	for (; *text != '\0'; text++)
		columns += !continues(*text);
	return columns;
}

size_t tw_columns_fit(const char *text, unsigned columns)
{
	size_t at = 0;

	for (; text[at] != '\0'; at++) {
		if (continues(text[at]))
			continue;
		if (columns == 0)
			break;
		columns--;
	}
	return at;
}

void tw_grid_init(struct tw_grid *grid, const struct tw_grid_column *columns, unsigned count, const char *name_title)
{
	grid->columns = columns;
	grid->column_count = TW_MIN(count, (unsigned)TW_GRID_COLUMNS_MAX);
	grid->name_title = name_title;
	grid->row_count = 0;
}

void tw_grid_add(struct tw_grid *grid, const char *name, const struct tw_value *figures)
{
	struct tw_grid_row *row;

	if (grid->row_count == TW_GRID_ROWS_MAX)
		return;
	row = &grid->rows[grid->row_count++];
	row->name = name;
	for (unsigned i = 0; i < grid->column_count; i++) {
		struct tw_text text;

		tw_text_init(&text, row->cells[i], sizeof(row->cells[i]));
		if (figures[i].known)
			tw_value_add(&text, figures[i], grid->columns[i].unit);
		else
			tw_text_add_char(&text, '-');
	}
}

unsigned tw_grid_name_room(const struct tw_grid *grid)
{
	unsigned room = tw_columns(grid->name_title);

	for (unsigned i = 0; i < grid->row_count; i++)
		room = TW_MAX(room, TW_MIN(tw_columns(grid->rows[i].name), (unsigned)TW_GRID_NAME_ROOM));
	return room;
}

static unsigned needed_width(const struct tw_grid *grid, unsigned column)
{
	unsigned width = tw_columns(grid->columns[column].title);

	for (unsigned i = 0; i < grid->row_count; i++)
		width = TW_MAX(width, tw_columns(grid->rows[i].cells[column]));
	return width;
}

/* The shown column that is missed least; column_count where one alone is left. */
static unsigned least(const struct tw_grid *grid)
{
	unsigned found = grid->column_count, shown = 0;

	for (unsigned i = 0; i < grid->column_count; i++) {
		if (grid->widths[i] == 0)
			continue;
		shown++;
		if (found == grid->column_count || grid->columns[i].keep < grid->columns[found].keep)
			found = i;
	}
	return shown > 1 ? found : grid->column_count;
}

void tw_grid_fit(struct tw_grid *grid, unsigned width, unsigned name_room)
{
	grid->figures_width = GAP;
	for (unsigned i = 0; i < grid->column_count; i++) {
		grid->widths[i] = needed_width(grid, i);
		grid->figures_width += GAP + grid->widths[i];
	}
	while (grid->figures_width + name_room > width) {
		unsigned out = least(grid);

		if (out == grid->column_count)
			break;
		grid->figures_width -= GAP + grid->widths[out];
		grid->widths[out] = 0;
	}
}

static void add_right(struct tw_text *text, const char *cell, unsigned width)
{
	for (unsigned used = tw_columns(cell); used < width + GAP; used++)
		tw_text_add_char(text, ' ');
	tw_text_add(text, cell);
}

void tw_grid_add_titles(const struct tw_grid *grid, struct tw_text *text)
{
	for (unsigned i = 0; i < grid->column_count; i++)
		if (grid->widths[i] > 0)
			add_right(text, grid->columns[i].title, grid->widths[i]);
	tw_text_add(text, "  ");
}

void tw_grid_add_figures(const struct tw_grid *grid, unsigned row, struct tw_text *text)
{
	for (unsigned i = 0; i < grid->column_count; i++)
		if (grid->widths[i] > 0)
			add_right(text, grid->rows[row].cells[i], grid->widths[i]);
	tw_text_add(text, "  ");
}
