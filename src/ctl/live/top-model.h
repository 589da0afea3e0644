/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/live/grid.h"
#include "ctl/live/top-trace.h"
#include "remote/snapshot-read.h"

#include <stdbool.h>

enum tw_top_pane {
	TW_TOP_DESTINATIONS,
	TW_TOP_LISTENERS,
	TW_TOP_UNITS,
	TW_TOP_NAMESPACES,
	TW_TOP_PANE_COUNT,
};

/* Rows of a pane that are kept; the tables are sorted by weight already, the rest weighs little. */
#define TW_TOP_ROWS_MAX 512
#define TW_TOP_FILTER_MAX 64

/* What a pane shows, and how. */
struct tw_top_pane_info {
	const char *title;
	const char *name_title;
	const char *empty; /* what is said where there is no row */
	unsigned column_count;
	struct tw_grid_column columns[TW_GRID_COLUMNS_MAX];
	unsigned traced; /* the column whose history is drawn */
};

struct tw_top_row {
	char name[TW_TRACE_NAME_MAX];
	struct tw_value figures[TW_GRID_COLUMNS_MAX];
};

/* A pane's rows, and the order and choice of them. */
struct tw_top_table {
	bool known;    /* some namespace has this table */
	unsigned sort; /* a column; column_count: the name */
	bool reverse;
	unsigned first; /* the row that stands at the top */
	unsigned row_count;
	struct tw_top_row rows[TW_TOP_ROWS_MAX];
	unsigned shown_count;
	unsigned shown[TW_TOP_ROWS_MAX]; /* those that pass the filter, in order */
	struct tw_trace trace;
};

/* All that a live view knows, but for the screen. */
struct tw_top {
	enum tw_top_pane pane;
	bool paused;
	bool help;
	bool editing; /* keys go to the filter */
	char filter[TW_TOP_FILTER_MAX];
	struct tw_top_table tables[TW_TOP_PANE_COUNT];
};

/* Keys that are no characters. */
enum tw_top_key {
	TW_TOP_KEY_NONE = -1,
	TW_TOP_KEY_UP = 0x110000, /* beyond Unicode */
	TW_TOP_KEY_DOWN,
	TW_TOP_KEY_PAGE_UP,
	TW_TOP_KEY_PAGE_DOWN,
	TW_TOP_KEY_HOME,
	TW_TOP_KEY_END,
	TW_TOP_KEY_BACK_TAB,
	TW_TOP_KEY_BACKSPACE,
};

const struct tw_top_pane_info *tw_top_pane_info(enum tw_top_pane pane);

/* Zeroed memory is a live view that has seen nothing. Takes the rows of a view over, and goes on with the traces. */
void tw_top_update(struct tw_top *top, const struct tw_view *view);

/* What a key does; `page` is how many rows the screen has room for. Returns false where it means to quit. */
bool tw_top_key(struct tw_top *top, int key, unsigned page);
