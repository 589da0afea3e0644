/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/report/report-chart.h"

#include "ctl/past/chart.h"
#include "ctl/report/html.h"

/* In units of the drawing, which the browser scales. */
#define WIDTH 1000
#define LEFT 72
#define RIGHT 12
#define PLOT (WIDTH - LEFT - RIGHT)
/* Above the plot: the marks, what was raised over what was done about it. Below: the times. */
#define ABOVE 36
#define LANE_RAISED 9
#define LANE_DONE 25
#define BELOW 24
#define HEIGHT_MAIN 200
#define HEIGHT_STATE 64
#define TICKS_MAX 10

struct panel {
	const struct tw_report *report;
	const struct tw_series *series;
	int64_t top_milli;
	unsigned height;
	usec_t gap_usec;
};

static unsigned scale_x(const struct tw_report *report, usec_t at_usec)
{
	usec_t held = TW_MIN(TW_MAX(at_usec, report->from_usec), report->to_usec);

	return LEFT +
	       (unsigned)((unsigned __int128)(held - report->from_usec) * PLOT / (report->to_usec - report->from_usec));
}

static unsigned scale_y(const struct panel *panel, int64_t milli)
{
	int64_t held = TW_MAX(TW_MIN(milli, panel->top_milli), 0);

	return ABOVE + panel->height - (unsigned)((__int128)held * panel->height / panel->top_milli);
}

/* ---- the line: of all points in one column, the lowest and the highest */

struct pen {
	bool down;
	unsigned x, first, low, high, last;
};

static void lift(struct pen *pen, struct tw_text *text)
{
	const unsigned ys[] = { pen->first, pen->low, pen->high, pen->last };

	for (size_t i = 0; pen->down && i < TW_ARRAY_SIZE(ys); i++)
		if (i == 0 || ys[i] != ys[i - 1])
			tw_text_addf(text, " %u,%u", pen->x, ys[i]);
	pen->down = false;
}

static void move(struct pen *pen, unsigned x, unsigned y, struct tw_text *text)
{
	if (pen->down && pen->x != x)
		lift(pen, text);
	if (!pen->down) {
		*pen = (struct pen){ .down = true, .x = x, .first = y, .low = y, .high = y, .last = y };
		return;
	}
	pen->low = TW_MIN(pen->low, y);
	pen->high = TW_MAX(pen->high, y);
	pen->last = y;
}

static void add_line(const struct panel *panel, struct tw_out *out)
{
	const struct tw_series *series = panel->series;
	struct pen pen = { 0 };
	bool drawing = false;

	for (size_t i = 0; i < series->count; i++) {
		const struct tw_point *point = &series->points[i];
		struct tw_text *text = tw_out_pass(out);

		if (point->at_usec < panel->report->from_usec || point->at_usec > panel->report->to_usec)
			continue;
		if (drawing && point->at_usec - point[-1].at_usec > panel->gap_usec) {
			lift(&pen, text);
			tw_text_add(text, "\"/>\n");
			drawing = false;
		}
		if (!drawing)
			tw_text_add(text, "<path class=\"line\" d=\"M");
		drawing = true;
		move(&pen, scale_x(panel->report, point->at_usec), scale_y(panel, point->milli), text);
	}
	lift(&pen, &out->text);
	if (drawing)
		tw_text_add(&out->text, "\"/>\n");
}

/* ---- what stands behind and around it */

static void add_alerts(const struct panel *panel, struct tw_out *out)
{
	const struct tw_report *report = panel->report;

	for (size_t i = 0; i < report->alerts.count; i++) {
		const struct tw_past_alert *alert = &report->alerts.rows[i];
		usec_t end_usec = alert->end == TW_ALERT_OPEN ? report->to_usec : alert->ended_usec;
		unsigned from = scale_x(report, alert->raised_usec), to = scale_x(report, end_usec);
		struct tw_text *text = tw_out_pass(out);

		tw_text_addf(text, "<rect class=\"up\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"><title>", from,
			     ABOVE, TW_MAX(to - TW_MIN(from, to), 2u), panel->height);
		tw_html_add(text, alert->rule);
		tw_text_add(text, " was raised</title></rect>\n");
	}
}

/* A triangle for raised, a full diamond for adjusted, an empty one for put back: by shape, not by colour. */
static const char *shape_of(enum tw_event_kind kind)
{
	switch ((int)kind) {
	case TW_EVENT_RAISED:
		return "<path class=\"raised\" d=\"M-6 5L0 -6L6 5Z\"/>";
	case TW_EVENT_ADJUSTED:
		return "<path class=\"adjusted\" d=\"M0 -7L6 0L0 7L-6 0Z\"/>";
	case TW_EVENT_RESTORED:
		return "<path class=\"restored\" d=\"M0 -7L6 0L0 7L-6 0Z\"/>";
	}
	return NULL;
}

static void add_marks(const struct panel *panel, struct tw_out *out)
{
	const struct tw_report *report = panel->report;

	for (size_t i = 0; i < report->happened.count; i++) {
		const struct tw_happening *row = &report->happened.rows[i];
		const char *shape = shape_of(row->kind);
		unsigned lane = row->kind == TW_EVENT_RAISED ? LANE_RAISED : LANE_DONE;
		struct tw_text *text = tw_out_pass(out);

		if (!shape || row->at_usec < report->from_usec || row->at_usec > report->to_usec)
			continue;
		tw_text_addf(text, "<g transform=\"translate(%u %u)\"><title>", scale_x(report, row->at_usec), lane);
		tw_html_add(text, row->message);
		tw_text_addf(text, "</title>%s<path class=\"stem\" d=\"M0 7V%u\"/></g>\n", shape,
			     ABOVE - lane + panel->height);
	}
}

static void add_figure(const struct panel *panel, int64_t milli, struct tw_text *text)
{
	tw_text_addf(text, "<text class=\"label\" x=\"%u\" y=\"%u\" text-anchor=\"end\">", LEFT - 8,
		     scale_y(panel, milli) + 4);
	tw_series_add_figure(panel->series, tw_value_of(milli), text);
	tw_text_add(text, "</text>\n");
}

static void add_grid(const struct panel *panel, struct tw_text *text)
{
	int64_t levels[] = { 0, panel->top_milli / 2, panel->top_milli };

	for (size_t i = 0; i < TW_ARRAY_SIZE(levels); i++) {
		if (i == 1 && panel->height < HEIGHT_MAIN)
			continue;
		tw_text_addf(text, "<path class=\"grid\" d=\"M%u %uH%u\"/>\n", LEFT, scale_y(panel, levels[i]),
			     LEFT + PLOT);
		add_figure(panel, levels[i], text);
	}
}

static void add_times(const struct panel *panel, struct tw_text *text)
{
	usec_t from = panel->report->from_usec, to = panel->report->to_usec;
	usec_t step_usec = tw_axis_step(from, to, TICKS_MAX);
	char label[TW_AXIS_TIME_MAX];

	for (usec_t next = tw_axis_first(from, step_usec); next <= to; next += step_usec) {
		unsigned x = scale_x(panel->report, next);

		tw_text_addf(text, "<path class=\"tick\" d=\"M%u %uv5\"/>", x, ABOVE + panel->height);
		/* The outermost would hang over the edge. */
		if (x >= LEFT + 12 && x <= LEFT + PLOT - 12)
			tw_text_addf(text, "<text class=\"label\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">%s</text>\n",
				     x, ABOVE + panel->height + 19, tw_axis_time(label, next, step_usec, to - from));
	}
}

static void add_level(const struct panel *panel, struct tw_text *text)
{
	struct tw_value level = panel->report->level;
	unsigned y;

	if (panel->series != &panel->report->port_use || !level.known || level.milli > panel->top_milli)
		return;
	y = scale_y(panel, level.milli);
	tw_text_addf(text,
		     "<path class=\"level\" d=\"M%u %uH%u\"/><text class=\"label\" x=\"%u\" y=\"%u\" "
		     "text-anchor=\"end\">raise at ",
		     LEFT, y, LEFT + PLOT, LEFT + PLOT - 4, y - 5);
	tw_value_add(text, level, TW_UNIT_PERCENT);
	tw_text_add(text, "</text>\n");
}

static void add_panel(const struct tw_report *report, const struct tw_series *series, unsigned height,
		      struct tw_out *out)
{
	struct tw_series_sum sum = tw_series_sum(series);
	struct panel panel = {
		.report = report,
		.series = series,
		.top_milli = tw_axis_top(series, sum.high.milli),
		.height = height,
		.gap_usec = tw_series_gap(series),
	};
	struct tw_text *text = tw_out_pass(out);

	tw_text_addf(text, "<figure>\n<figcaption><b>%s</b> (%s): at most ", series->name, tw_series_unit(series));
	tw_series_add_figure(series, sum.high, text);
	tw_text_add(text, ", on average ");
	tw_series_add_figure(series, sum.mean, text);
	tw_text_addf(text, "</figcaption>\n<svg viewBox=\"0 0 %u %u\" role=\"img\" aria-label=\"%s over time\">\n",
		     WIDTH, ABOVE + height + BELOW, series->name);
	add_alerts(&panel, out);
	add_grid(&panel, tw_out_pass(out));
	add_times(&panel, tw_out_pass(out));
	add_level(&panel, tw_out_pass(out));
	add_line(&panel, out);
	add_marks(&panel, out);
	tw_text_add(tw_out_pass(out), "</svg>\n</figure>\n");
}

static void add_legend(struct tw_text *text)
{
	static const struct {
		enum tw_event_kind kind;
		const char *meaning;
	} rows[] = {
		{ TW_EVENT_RAISED, "a rule is raised" },
		{ TW_EVENT_ADJUSTED, "a sysctl is changed" },
		{ TW_EVENT_RESTORED, "a sysctl is put back" },
	};

	tw_text_add(text, "<ul class=\"legend\">\n");
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++)
		tw_text_addf(text, "<li><svg viewBox=\"-8 -8 16 16\" aria-hidden=\"true\">%s</svg>%s</li>\n",
			     shape_of(rows[i].kind), rows[i].meaning);
	tw_text_add(text, "<li><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><rect class=\"up\" width=\"16\" "
			  "height=\"16\"/></svg>while a rule is up</li>\n</ul>\n");
}

void tw_report_add_timeline(const struct tw_report *report, struct tw_out *out)
{
	tw_text_add(tw_out_pass(out), "<section>\n<h2>Timeline</h2>\n");
	if (report->port_use.count == 0 && report->states[TW_STATE_TIME_WAIT].count == 0)
		tw_text_add(&out->text, "<p>No sample was recorded in this span.</p>\n");
	else
		add_legend(&out->text);
	if (report->port_use.count > 0)
		add_panel(report, &report->port_use, HEIGHT_MAIN, out);
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		struct tw_series_sum sum = tw_series_sum(&report->states[i]);

		if (sum.high.known && sum.high.milli > 0)
			add_panel(report, &report->states[i], HEIGHT_STATE, out);
	}
	tw_text_add(tw_out_pass(out), "</section>\n");
}
