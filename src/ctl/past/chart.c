/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/chart.h"

#include <errno.h>
#include <string.h>

/* A character of braille is two dots wide and four high. */
#define DOTS_WIDE 2
#define DOTS_HIGH 4
#define BRAILLE 0x2800

/* A cell of a panel: its dots in braille, and a bit for each series that is in it. */
struct cell {
	unsigned char dots;
	unsigned char series;
};
_Static_assert(TW_METRICS_MAX <= 8, "each series has a bit");

struct panel {
	const struct tw_chart *chart;
	unsigned first; /* of its series */
	unsigned count;
	unsigned columns, rows;
	bool braille; /* one series alone has the finer dots */
	int64_t top_milli;
	struct cell *cells;
};

static const char *const marks_wide[] = { "●", "▲", "■", "◆", "○", "△", "□", "◇" };
static const char *const marks_ascii[] = { "*", "o", "x", "+", "#", "@", "%", "&" };
_Static_assert(TW_ARRAY_SIZE(marks_wide) == TW_ARRAY_SIZE(marks_ascii), "each series has both marks");

/* Cyan, yellow, magenta, green, blue, red and again: colours that stand off from black and from white. */
static const unsigned char colors[] = { 36, 33, 35, 32, 34, 31, 36, 33 };

static void begin_color(const struct tw_chart *chart, unsigned series, struct tw_text *text)
{
	if (chart->color)
		tw_text_addf(text, "\033[%um", (unsigned)colors[series % TW_ARRAY_SIZE(colors)]);
}

static void end_color(const struct tw_chart *chart, struct tw_text *text)
{
	if (chart->color)
		tw_text_add(text, "\033[0m");
}

/* ---- drawing */

static void set_dot(struct panel *panel, unsigned series, unsigned x, unsigned y)
{
	static const unsigned char bits[DOTS_WIDE][DOTS_HIGH] = { { 0x40, 0x04, 0x02, 0x01 },
								  { 0x80, 0x20, 0x10, 0x08 } };
	unsigned wide = panel->braille ? DOTS_WIDE : 1, high = panel->braille ? DOTS_HIGH : 1;
	struct cell *cell = &panel->cells[(size_t)(y / high) * panel->columns + x / wide];

	cell->dots |= bits[x % wide][y % high];
	cell->series |= (unsigned char)(1u << series);
}

static void set_column(struct panel *panel, unsigned series, unsigned x, unsigned from_y, unsigned to_y)
{
	for (unsigned y = TW_MIN(from_y, to_y); y <= TW_MAX(from_y, to_y); y++)
		set_dot(panel, series, x, y);
}

static unsigned scale_x(const struct panel *panel, usec_t at_usec)
{
	const struct tw_chart *chart = panel->chart;
	unsigned last = panel->columns * (panel->braille ? DOTS_WIDE : 1) - 1;

	return (unsigned)((unsigned __int128)(at_usec - chart->from_usec) * last / (chart->to_usec - chart->from_usec));
}

static unsigned scale_y(const struct panel *panel, int64_t milli)
{
	unsigned last = panel->rows * (panel->braille ? DOTS_HIGH : 1) - 1;
	int64_t held = TW_MAX(TW_MIN(milli, panel->top_milli), 0);

	return (unsigned)(((__int128)held * last + panel->top_milli / 2) / panel->top_milli);
}

static void draw_line(struct panel *panel, unsigned series, const struct tw_point *from, const struct tw_point *to)
{
	unsigned x0 = scale_x(panel, from->at_usec), x1 = scale_x(panel, to->at_usec);
	unsigned y0 = scale_y(panel, from->milli), y1 = scale_y(panel, to->milli), before = y0;

	if (x0 == x1) {
		set_column(panel, series, x0, y0, y1);
		return;
	}
	for (unsigned x = x0 + 1; x <= x1; x++) {
		long y = (long)y0 + ((long)y1 - (long)y0) * (long)(x - x0) / (long)(x1 - x0);

		set_column(panel, series, x, before, (unsigned)y);
		before = (unsigned)y;
	}
}

static bool is_in(const struct tw_chart *chart, const struct tw_point *point)
{
	return point->at_usec >= chart->from_usec && point->at_usec <= chart->to_usec;
}

static void draw_series(struct panel *panel, unsigned index)
{
	const struct tw_series *series = &panel->chart->series[index];
	usec_t gap_usec = tw_series_gap(series);

	for (size_t i = 0; i < series->count; i++) {
		const struct tw_point *point = &series->points[i];
		unsigned y;

		if (!is_in(panel->chart, point))
			continue;
		y = scale_y(panel, point->milli);
		set_column(panel, index, scale_x(panel, point->at_usec), y, y);
		if (i > 0 && is_in(panel->chart, point - 1) && point->at_usec - point[-1].at_usec <= gap_usec)
			draw_line(panel, index, point - 1, point);
	}
}

/* ---- printing */

static void add_braille(struct tw_text *text, unsigned char dots)
{
	unsigned code = BRAILLE + dots;

	tw_text_add_char(text, (char)(0xe0 | code >> 12));
	tw_text_add_char(text, (char)(0x80 | (code >> 6 & 0x3f)));
	tw_text_add_char(text, (char)(0x80 | (code & 0x3f)));
}

static const char *mark_of(const struct tw_chart *chart, unsigned series)
{
	return (chart->ascii ? marks_ascii : marks_wide)[series % TW_ARRAY_SIZE(marks_wide)];
}

/* Who is shown in a cell, and 1; 0 for nobody. Where several are, they take turns from column to column. */
static unsigned shown_in(const struct cell *cell, unsigned x)
{
	unsigned turn = cell->series != 0 ? x % (unsigned)__builtin_popcount(cell->series) : 0;

	for (unsigned i = 0; i < TW_METRICS_MAX; i++)
		if ((cell->series >> i & 1) && turn-- == 0)
			return i + 1;
	return 0;
}

static void add_row(const struct panel *panel, unsigned row, struct tw_text *text)
{
	const struct tw_chart *chart = panel->chart;
	unsigned color = 0;

	for (unsigned x = 0; x < panel->columns; x++) {
		const struct cell *cell = &panel->cells[(size_t)row * panel->columns + x];
		unsigned shown = shown_in(cell, x);

		if (shown != color && color != 0)
			end_color(chart, text);
		if (shown != color && shown != 0)
			begin_color(chart, shown - 1, text);
		color = shown;
		if (shown == 0)
			tw_text_add_char(text, ' ');
		else if (panel->braille)
			add_braille(text, cell->dots);
		else
			tw_text_add(text, mark_of(chart, shown - 1));
	}
	if (color != 0)
		end_color(chart, text);
	while (text->length > 0 && text->bytes[text->length - 1] == ' ')
		text->bytes[--text->length] = '\0';
	tw_text_add_char(text, '\n');
}

static void add_title(const struct panel *panel, struct tw_text *text)
{
	const struct tw_chart *chart = panel->chart;

	for (unsigned i = panel->first; i < chart->series_count; i++) {
		const struct tw_series *series = &chart->series[i];

		if (strcmp(tw_series_unit(series), tw_series_unit(&chart->series[panel->first])) != 0)
			continue;
		if (i > panel->first)
			tw_text_add(text, "   ");
		begin_color(chart, i, text);
		tw_text_add(text, panel->braille ? "⣿" : mark_of(chart, i));
		end_color(chart, text);
		tw_text_addf(text, " %s", series->name);
	}
	tw_text_addf(text, " (%s)\n", tw_series_unit(&chart->series[panel->first]));
}

static bool shares_panel(const struct tw_chart *chart, unsigned a, unsigned b)
{
	return strcmp(tw_series_unit(&chart->series[a]), tw_series_unit(&chart->series[b])) == 0;
}

static int64_t top_of(const struct tw_chart *chart, unsigned first)
{
	int64_t most = 0;

	for (unsigned i = first; i < chart->series_count; i++)
		for (size_t j = 0; shares_panel(chart, i, first) && j < chart->series[i].count; j++)
			if (is_in(chart, &chart->series[i].points[j]))
				most = TW_MAX(most, chart->series[i].points[j].milli);
	return tw_axis_top(&chart->series[first], most);
}

static int add_panel(const struct tw_chart *chart, unsigned first, unsigned margin, struct tw_text *text)
{
	struct panel panel = {
		.chart = chart,
		.first = first,
		.columns = chart->width - margin - 1,
		.rows = chart->height,
		.top_milli = top_of(chart, first),
	};

	for (unsigned i = first; i < chart->series_count; i++)
		panel.count += shares_panel(chart, i, first);
	panel.braille = !chart->ascii && panel.count == 1;
	panel.cells = calloc((size_t)panel.columns * panel.rows, sizeof(*panel.cells));
	if (!panel.cells)
		return -ENOMEM;
	for (unsigned i = first; i < chart->series_count; i++)
		if (shares_panel(chart, i, first))
			draw_series(&panel, i);
	add_title(&panel, text);
	for (unsigned row = panel.rows; row > 0; row--) {
		tw_axis_add_label(&chart->series[first], panel.top_milli, row - 1, panel.rows, margin, text);
		tw_text_add(text, chart->ascii ? "|" : "│");
		add_row(&panel, row - 1, text);
	}
	free(panel.cells);
	return 0;
}

/* Whether a panel of an earlier series has it already. */
static bool is_drawn(const struct tw_chart *chart, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (shares_panel(chart, i, index))
			return true;
	return false;
}

size_t tw_chart_bytes(const struct tw_chart *chart)
{
	/* A cell is three bytes and at worst an escape of nine; a few lines more a panel. */
	return (size_t)(chart->height + 8) * (chart->width + 8) * 12 * (chart->series_count + 1) + 4096;
}

int tw_chart_add(const struct tw_chart *chart, struct tw_text *text)
{
	unsigned margin = 0;
	int r = 0;

	for (unsigned i = 0; i < chart->series_count; i++)
		margin = TW_MAX(margin, tw_axis_margin(&chart->series[i], top_of(chart, i)));
	for (unsigned i = 0; r >= 0 && i < chart->series_count; i++) {
		if (is_drawn(chart, i))
			continue;
		r = add_panel(chart, i, margin, text);
		tw_axis_add_rule(chart, margin, text);
	}
	if (r < 0)
		return r;
	tw_axis_add_times(chart, margin, text);
	tw_axis_add_events(chart, margin, text);
	return 0;
}
