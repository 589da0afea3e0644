/* SPDX-License-Identifier: GPL-2.0-or-later */
#define NCURSES_NOMACROS 1
#include "ctl/live/top-sink.h"

#include "base/macros.h"

#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Head, panes, titles above the rows; hints below them. */
#define LINES_ABOVE 3
#define LINES_BELOW 1
/* How long after an escape byte more may follow: a key of a local terminal comes at once. */
#define ESCAPE_DELAY_MS 25
/* Widths of the trace; each divides TW_TRACE_LENGTH. */
static const unsigned trace_widths[] = { 30, 18, 10 };
/* From this width on it has room for "CLOSE-WAIT, 3 MIN". */
#define TRACE_TITLED 18

#define LINE_MAX_BYTES 1024

/* The colours' numbers for curses. */
enum {
	PAIR_ALARM = 1,
	PAIR_TRACE,
};

static struct {
	SCREEN *screen; /* NULL: not taken */
	bool colour;
	bool utf8;
} display;

int tw_top_open(const struct tw_terminal *terminal)
{
	if (!isatty(STDIN_FILENO) || !terminal->moves)
		return -ENOTTY;
	display.screen = newterm(NULL, stdout, stdin);
	if (!display.screen)
		return -ENOTTY;
	display.utf8 = terminal->utf8;
	display.colour = terminal->colour && has_colors();
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, true);
	(void)nodelay(stdscr, true);
	(void)set_escdelay(ESCAPE_DELAY_MS);
	(void)curs_set(0);
	if (display.colour) {
		(void)start_color();
		(void)use_default_colors();
		(void)init_pair(PAIR_ALARM, COLOR_RED, -1);
		(void)init_pair(PAIR_TRACE, COLOR_CYAN, -1);
	}
	return 0;
}

void tw_top_close(void)
{
	if (!display.screen)
		return;
	(void)endwin();
	delscreen(display.screen);
	display.screen = NULL;
}

static unsigned width(void)
{
	return (unsigned)TW_MAX(getmaxx(stdscr), 1);
}

static unsigned height(void)
{
	return (unsigned)TW_MAX(getmaxy(stdscr), 1);
}

unsigned tw_top_page(void)
{
	return height() > LINES_ABOVE + LINES_BELOW ? height() - LINES_ABOVE - LINES_BELOW : 1;
}

/* Cut at the edge; what lies beyond it is not drawn. Returns the column behind it. */
static unsigned put(unsigned y, unsigned x, attr_t how, const char *text)
{
	size_t fits;

	if (y >= height() || x >= width())
		return x;
	fits = tw_columns_fit(text, width() - x);
	(void)attron((int)how);
	(void)mvaddnstr((int)y, (int)x, text, (int)fits);
	(void)attroff((int)how);
	return x + TW_MIN(tw_columns(text), width() - x);
}

static attr_t pair(short number)
{
	return display.colour ? (attr_t)COLOR_PAIR(number) : 0;
}

/* ---- parts */

static void draw_head(const struct tw_top *top, const struct tw_top_head *head)
{
	attr_t how = head->alarm ? pair(PAIR_ALARM) | A_BOLD : A_BOLD;
	unsigned x = put(0, 0, how, head->line);

	if (top->paused)
		(void)put(0, TW_MIN(x + 1, width() > 7 ? width() - 7 : 0), A_REVERSE, " PAUSED");
}

/* Short titles where the long ones have no room. */
static void draw_panes(const struct tw_top *top)
{
	static const char *const brief[] = { "Dest", "List", "Unit", "Net" };
	unsigned needed = 0, x = 0;

	for (unsigned i = 0; i < TW_TOP_PANE_COUNT; i++)
		needed += tw_columns(tw_top_pane_info((enum tw_top_pane)i)->title) + 4;
	for (unsigned i = 0; i < TW_TOP_PANE_COUNT; i++) {
		bool full = needed <= width();
		char label[64];
		struct tw_text text;

		tw_text_init(&text, label, sizeof(label));
		if (full)
			tw_text_addf(&text, " %u %s ", i + 1, tw_top_pane_info((enum tw_top_pane)i)->title);
		else
			tw_text_add(&text, brief[i]);
		x = put(1, x, i == (unsigned)top->pane ? A_REVERSE : A_NORMAL, label);
		x += 1;
	}
}

static unsigned choose_trace(const struct tw_grid *grid)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(trace_widths); i++)
		if (grid->figures_width + trace_widths[i] + 2 + tw_grid_name_room(grid) <= width())
			return trace_widths[i];
	return 0;
}

/* The one that is sorted by is set off, with the way that it goes: down from the highest, or from A on. */
static void put_title(unsigned x, const char *title, const struct tw_top_table *table, unsigned column)
{
	bool sorted = table->sort == column;

	if (sorted && table->reverse)
		(void)put(2, x - 1, A_BOLD, display.utf8 ? "▲" : "^");
	else if (sorted)
		(void)put(2, x - 1, A_BOLD, display.utf8 ? "▼" : "v");
	(void)put(2, x, sorted ? A_REVERSE : A_BOLD, title);
}

/* Each title over its column; then the trace's, then the name's. */
static void draw_titles(const struct tw_top_table *table, const struct tw_top_pane_info *info,
			const struct tw_grid *grid, unsigned trace)
{
	unsigned x = 0;

	for (unsigned i = 0; i < grid->column_count; i++) {
		const char *title = grid->columns[i].title;

		if (grid->widths[i] == 0)
			continue;
		x += 2 + grid->widths[i];
		put_title(x - tw_columns(title), title, table, i);
	}
	x += 2;
	if (trace > 0) {
		char title[64];
		struct tw_text text;

		tw_text_init(&text, title, sizeof(title));
		if (trace < TRACE_TITLED)
			tw_text_add(&text, "LAST 3 MIN");
		else
			tw_text_addf(&text, "%s, 3 MIN", info->columns[info->traced].title);
		/* Over the newest bars: those come first. */
		x += trace;
		(void)put(2, x - TW_MIN(tw_columns(title), trace), A_BOLD, title);
		x += 2;
	}
	put_title(x, grid->name_title, table, info->column_count);
}

/* Of an address what stands last tells most, the port; of other names what stands first. */
static void put_name(unsigned y, unsigned x, const char *name, bool tail)
{
	unsigned room = width() > x ? width() - x : 0, columns = tw_columns(name);
	const char *mark = display.utf8 ? "…" : "~";

	if (columns <= room || room < 2) {
		(void)put(y, x, A_NORMAL, name);
	} else if (tail) {
		x = put(y, x, A_DIM, mark);
		(void)put(y, x, A_NORMAL, name + tw_columns_fit(name, columns - room + 1));
	} else {
		(void)put(y, x, A_NORMAL, name);
		(void)put(y, width() - 1, A_DIM, mark);
	}
}

static void draw_row(const struct tw_top *top, const struct tw_grid *grid, unsigned row, unsigned trace)
{
	bool addresses = top->pane == TW_TOP_DESTINATIONS || top->pane == TW_TOP_LISTENERS;
	unsigned y = LINES_ABOVE + row, x;
	char line[LINE_MAX_BYTES];
	struct tw_text text;

	tw_text_init(&text, line, sizeof(line));
	tw_grid_add_figures(grid, row, &text);
	x = put(y, 0, A_NORMAL, line);
	if (trace > 0) {
		tw_text_init(&text, line, sizeof(line));
		tw_trace_add(&top->tables[top->pane].trace, grid->rows[row].name, trace, display.utf8, &text);
		x = put(y, x, pair(PAIR_TRACE), line) + 2;
	}
	put_name(y, x, grid->rows[row].name, addresses);
}

static void draw_nothing(const struct tw_top *top, const struct tw_top_table *table,
			 const struct tw_top_pane_info *info)
{
	const char *words = info->empty;

	if (!table->known)
		words = "not known yet";
	else if (table->row_count > 0 && top->filter[0] != '\0')
		words = "nothing matches the filter";
	(void)put(LINES_ABOVE, 2, A_DIM, words);
}

static void draw_table(struct tw_top *top)
{
	const struct tw_top_pane_info *info = tw_top_pane_info(top->pane);
	const struct tw_top_table *table = &top->tables[top->pane];
	unsigned page = TW_MIN(tw_top_page(), (unsigned)TW_GRID_ROWS_MAX), trace;
	struct tw_grid grid;

	tw_grid_init(&grid, info->columns, info->column_count, info->name_title);
	for (unsigned i = table->first; i < table->shown_count && i < table->first + page; i++) {
		const struct tw_top_row *row = &table->rows[table->shown[i]];

		tw_grid_add(&grid, row->name, row->figures);
	}
	tw_grid_fit(&grid, width(), tw_grid_name_room(&grid));
	trace = choose_trace(&grid);
	draw_titles(table, info, &grid, trace);
	for (unsigned i = 0; i < grid.row_count; i++)
		draw_row(top, &grid, i, trace);
	if (grid.row_count == 0)
		draw_nothing(top, table, info);
}

static void draw_help(void)
{
	static const char *const lines[] = {
		"Tab, 1 to 4    the next pane, or that one",
		"s              sort by the next column",
		"r              reverse the order",
		"/              show only names that contain a text;",
		"               Enter keeps it, Esc shows all again",
		"arrows, PgUp   scroll",
		"space          pause, and go on",
		"q              quit",
		"",
		"The bars are the last three minutes of a row, from 0",
		"to its own highest. What is not known is \"-\".",
	};

	for (unsigned i = 0; i < TW_ARRAY_SIZE(lines); i++)
		if (2 + i < height() - LINES_BELOW)
			(void)put(2 + i, 1, A_NORMAL, lines[i]);
}

static void draw_foot(const struct tw_top *top)
{
	const struct tw_top_table *table = &top->tables[top->pane];
	char line[256];
	struct tw_text text;

	if (height() <= LINES_ABOVE)
		return;
	tw_text_init(&text, line, sizeof(line));
	if (top->help)
		tw_text_add(&text, "any key: back   q quit");
	else if (top->editing)
		tw_text_addf(&text, "filter: %s_", top->filter);
	else if (top->filter[0] != '\0')
		tw_text_addf(&text, "%u of %u match \"%s\"   Esc all   q quit", table->shown_count, table->row_count,
			     top->filter);
	else
		tw_text_add(&text, width() < 76 ? "? help  q quit"
						: "Tab pane  s sort  r reverse  / filter  space pause  ? help  q quit");
	(void)put(height() - 1, 0, top->editing ? A_BOLD : A_DIM, line);
}

void tw_top_draw(struct tw_top *top, const struct tw_top_head *head)
{
	(void)erase();
	draw_head(top, head);
	draw_panes(top);
	if (top->help)
		draw_help();
	else
		draw_table(top);
	draw_foot(top);
	(void)refresh();
}

/* ---- keys */

static int translate(int key)
{
	switch (key) {
	case KEY_UP:
		return TW_TOP_KEY_UP;
	case KEY_DOWN:
		return TW_TOP_KEY_DOWN;
	case KEY_PPAGE:
		return TW_TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TW_TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TW_TOP_KEY_HOME;
	case KEY_END:
		return TW_TOP_KEY_END;
	case KEY_RIGHT:
		return '\t';
	case KEY_LEFT:
	case KEY_BTAB:
		return TW_TOP_KEY_BACK_TAB;
	case KEY_BACKSPACE:
		return TW_TOP_KEY_BACKSPACE;
	case KEY_ENTER:
		return '\n';
	case KEY_RESIZE:
		/* What was on its way meanwhile stands elsewhere now than curses believes: all is drawn anew. */
		(void)clearok(curscr, true);
		return TW_TOP_KEY_NONE;
	default:
		/* Bytes are themselves; other function keys mean nothing. */
		return key >= 0 && key < 256 ? key : TW_TOP_KEY_NONE;
	}
}

int tw_top_wait_key(usec_t timeout_usec, bool *ret_gone)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	usec_t timeout_ms = (timeout_usec + TW_USEC_PER_MSEC - 1) / TW_USEC_PER_MSEC;
	int key = getch();

	*ret_gone = false;
	/* What curses has read already no poll() sees. */
	if (key != ERR)
		return translate(key);
	if (poll(&input, 1, (int)TW_MIN(timeout_ms, (usec_t)60000)) > 0 && !(input.revents & POLLIN))
		*ret_gone = true;
	key = getch();
	/* Readable, and nothing to read: the other side has hung up. */
	if (key == ERR && (input.revents & POLLIN))
		*ret_gone = true;
	return key == ERR ? TW_TOP_KEY_NONE : translate(key);
}
