/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/metric.h"

#include <stdbool.h>

/* Columns of figures, and rows: one for each that a table can have. */
#define TW_GRID_COLUMNS_MAX 9
#define TW_GRID_ROWS_MAX 128
/* Longest figure, with NUL: "unknown", "18446744073709551615". */
#define TW_GRID_CELL_MAX 24

/* "10.100.200.101 -> 10.100.200.102:50000" of IPv4: for longer names no figure is left out. */
#define TW_GRID_NAME_ROOM 38

/* A column of figures, set to the right under its title. */
struct tw_grid_column {
	const char *title; /* borrows */
	enum tw_unit unit; /* of its figures */
	unsigned keep;	   /* the lower, the sooner it is left out where the width is scarce; never the highest */
};

/*
 * Figures in columns with a name behind them, in as many columns as the width has room for. Names stand last: they
 * have no common width.
 */
struct tw_grid {
	const struct tw_grid_column *columns; /* borrows */
	unsigned column_count;
	const char *name_title; /* borrows */
	unsigned row_count;
	struct tw_grid_row {
		const char *name; /* borrows */
		char cells[TW_GRID_COLUMNS_MAX][TW_GRID_CELL_MAX];
	} rows[TW_GRID_ROWS_MAX];
	/* Set by tw_grid_fit(). */
	unsigned widths[TW_GRID_COLUMNS_MAX]; /* 0: left out */
	unsigned figures_width;		      /* of all that are shown, with what is between them and the name */
};

void tw_grid_init(struct tw_grid *grid, const struct tw_grid_column *columns, unsigned count, const char *name_title);

/* Adds a row of `column_count` figures; one that does not fit any more is left out. Unknown is "-". */
void tw_grid_add(struct tw_grid *grid, const char *name, const struct tw_value *figures);

/* What the longest name takes, but not more than TW_GRID_NAME_ROOM. */
unsigned tw_grid_name_room(const struct tw_grid *grid);

/* Chooses the columns that leave `name_room` columns of `width` for the name, if any do. */
void tw_grid_fit(struct tw_grid *grid, unsigned width, unsigned name_room);

/* The titles, or the figures of a row, with what stands before the name; without the name. */
void tw_grid_add_titles(const struct tw_grid *grid, struct tw_text *text);
void tw_grid_add_figures(const struct tw_grid *grid, unsigned row, struct tw_text *text);

/* Columns that text takes on a terminal, where each code point takes one. */
unsigned tw_columns(const char *text);

/* How many bytes of `text` fit `columns`; whole code points. */
size_t tw_columns_fit(const char *text, unsigned columns);
