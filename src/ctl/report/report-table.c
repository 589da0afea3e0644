/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/report/report-table.h"

#include "ctl/report/html.h"

#include <string.h>

/* ---- one table of the flight recorder: lines of words divided by blanks, the numbers behind the names */

struct table_info {
	const char *caption;
	unsigned columns;
	const char *heads[8];
	unsigned names; /* columns in front that are no numbers */
};

static const struct table_info tables[TW_REPORT_TABLES] = {
	[TW_REPORT_DESTINATIONS] = { "Destinations with the most ports in use",
				     7,
				     { "source", "destination", "ports", "TIME-WAIT", "established", "other",
				       "in use" },
				     2 },
	[TW_REPORT_LISTENERS] = { "Listeners with the fullest accept queues",
				  7,
				  { "address", "queue/backlog", "connections", "CLOSE-WAIT", "SYN-RECV", "TIME-WAIT",
				    "share" },
				  1 },
	[TW_REPORT_UNITS] = { "Units with the most sockets in CLOSE-WAIT",
			      4,
			      { "unit", "sockets", "oldest", "bytes unread" },
			      1 },
	[TW_REPORT_BOUND] = { "Units that hold ports without connecting", 2, { "unit", "sockets" }, 1 },
};

/* A unit's name may have blanks: the numbers are split off from behind. */
static unsigned split(const char *line, size_t length, unsigned columns, const char *starts[], size_t lengths[])
{
	unsigned count = 0;

	while (count + 1 < columns) {
		const char *blank = memrchr(line, ' ', length);

		if (!blank)
			break;
		count++;
		starts[columns - count] = blank + 1;
		lengths[columns - count] = length - (size_t)(blank + 1 - line);
		length = (size_t)(blank - line);
	}
	starts[columns - count - 1] = line;
	lengths[columns - count - 1] = length;
	return count + 1;
}

static void add_table_row(const struct table_info *info, const char *line, size_t length, struct tw_text *text)
{
	const char *starts[8];
	size_t lengths[8];

	if (split(line, length, info->columns, starts, lengths) < info->columns) {
		/* "... and 7 more". */
		tw_text_addf(text, "<tr><td colspan=\"%u\">", info->columns);
		tw_html_add_bytes(text, line, length);
		tw_text_add(text, "</td></tr>\n");
		return;
	}
	tw_text_add(text, "<tr>");
	for (unsigned i = 0; i < info->columns; i++) {
		tw_text_add(text, i < info->names ? "<td class=\"name\">" : "<td class=\"number\">");
		tw_html_add_bytes(text, starts[i], lengths[i]);
		tw_text_add(text, "</td>");
	}
	tw_text_add(text, "</tr>\n");
}

static void add_table(const struct table_info *info, const char *lines, struct tw_out *out)
{
	struct tw_text *text = tw_out_pass(out);

	if (lines[0] == '\0')
		return;
	tw_text_addf(text, "<div class=\"wide\"><table>\n<caption>%s</caption>\n<thead><tr>", info->caption);
	for (unsigned i = 0; i < info->columns; i++)
		tw_text_addf(text, "<th scope=\"col\"%s>%s</th>", i < info->names ? "" : " class=\"number\"",
			     info->heads[i]);
	tw_text_add(text, "</tr></thead>\n<tbody>\n");
	while (*lines != '\0') {
		size_t length = strcspn(lines, "\n");

		if (length > 0)
			add_table_row(info, lines, length, tw_out_pass(out));
		lines += length + (lines[length] == '\n');
	}
	tw_text_add(tw_out_pass(out), "</tbody>\n</table></div>\n");
}

/* ---- what was raised */

/* The sentence of the raised record; "" where it is not among what was read. */
static const char *find_message(const struct tw_report *report, const struct tw_past_alert *alert)
{
	for (size_t i = 0; i < report->happened.count; i++) {
		const struct tw_happening *row = &report->happened.rows[i];

		if (row->kind == TW_EVENT_RAISED && row->at_usec == alert->raised_usec &&
		    strcmp(row->rule, alert->rule) == 0)
			return row->message;
	}
	return "";
}

static void add_alert(const struct tw_report *report, const struct tw_past_alert *alert, struct tw_text *text)
{
	tw_text_add(text, "<tr><td class=\"name\">");
	tw_html_add(text, alert->rule);
	tw_text_add(text, "</td><td class=\"time\">");
	tw_html_add_time(text, alert->raised_usec);
	tw_text_add(text, "</td><td class=\"time\">");
	if (alert->end == TW_ALERT_OPEN)
		tw_text_add(text, "<strong>still up</strong>");
	else
		tw_html_add_time(text, alert->ended_usec);
	if (alert->end == TW_ALERT_STOPPED)
		tw_text_add(text, "<br/>(timewaitd ended)");
	tw_text_add(text, "</td><td class=\"time\">");
	tw_value_add_span(text, tw_usec_since(alert->end == TW_ALERT_OPEN ? report->to_usec : alert->ended_usec,
					      alert->raised_usec));
	tw_text_add(text, "</td><td class=\"words\">");
	tw_html_add(text, find_message(report, alert));
	tw_text_add(text, "</td></tr>\n");
}

void tw_report_add_alerts(const struct tw_report *report, struct tw_out *out)
{
	tw_text_add(tw_out_pass(out), "<section>\n<h2>What was raised</h2>\n");
	if (report->alerts.count == 0) {
		tw_text_add(&out->text, "<p>No rule was raised in this span.</p>\n</section>\n");
		return;
	}
	tw_text_add(&out->text, "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">rule</th>"
				"<th scope=\"col\">raised</th><th scope=\"col\">cleared</th>"
				"<th scope=\"col\">lasted</th><th scope=\"col\">finding</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < report->alerts.count; i++)
		add_alert(report, &report->alerts.rows[i], tw_out_pass(out));
	tw_text_add(&out->text, "</tbody>\n</table></div>\n</section>\n");
}

/* ---- the flight recorder */

static void add_numbers(const struct tw_report_flight *flight, struct tw_text *text)
{
	tw_text_add(text, "<p class=\"numbers\">");
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		if (!flight->numbers[i].known || flight->numbers[i].milli <= 0)
			continue;
		tw_text_addf(text, "<span>%s ", tw_state_name((enum tw_state)i));
		tw_value_add(text, flight->numbers[i], TW_UNIT_SOCKETS);
		tw_text_add(text, "</span> ");
	}
	if (flight->usable_ports.known) {
		tw_text_add(text, "<span>usable ports ");
		tw_value_add(text, flight->usable_ports, TW_UNIT_SOCKETS);
		tw_text_add(text, "</span>");
	}
	tw_text_add(text, "</p>\n");
}

static void add_flight(const struct tw_report_flight *flight, struct tw_out *out)
{
	struct tw_text *text = tw_out_pass(out);

	tw_text_add(text, "<article>\n<h3>");
	tw_html_add(text, flight->rule);
	tw_text_add(text, ", ");
	tw_html_add_time(text, flight->at_usec);
	tw_text_add(text, "</h3>\n<p>");
	tw_html_add(text, flight->message);
	tw_text_add(text, "</p>\n");
	add_numbers(flight, tw_out_pass(out));
	for (unsigned i = 0; i < TW_REPORT_TABLES; i++)
		add_table(&tables[i], flight->tables[i], out);
	tw_text_add(tw_out_pass(out), "</article>\n");
}

void tw_report_add_flights(const struct tw_report *report, struct tw_out *out)
{
	if (report->flight_count == 0)
		return;
	tw_text_add(tw_out_pass(out), "<section>\n<h2>Who was behind it</h2>\n"
				      "<p>What timewaitd saw at the moment when each rule was raised.</p>\n");
	for (size_t i = 0; i < TW_MIN(report->flight_count, (size_t)TW_REPORT_FLIGHTS_MAX); i++)
		add_flight(&report->flights[i], out);
	if (report->flight_count > TW_REPORT_FLIGHTS_MAX)
		tw_text_addf(tw_out_pass(out),
			     "<p>And %zu more that this page leaves out; --since and --until choose "
			     "a shorter span.</p>\n",
			     report->flight_count - TW_REPORT_FLIGHTS_MAX);
	tw_text_add(&out->text, "</section>\n");
}

/* ---- sysctls */

static bool is_of_sysctl(const struct tw_happening *row)
{
	return row->sysctl[0] != '\0' &&
	       (row->kind == TW_EVENT_ADJUSTED || row->kind == TW_EVENT_RESTORED || row->kind == TW_EVENT_YIELDED ||
		row->kind == TW_EVENT_REFUSED || row->kind == TW_EVENT_ADVICE || row->kind == TW_EVENT_EFFECT);
}

static const char *done_name(enum tw_event_kind kind)
{
	return kind == TW_EVENT_RESTORED ? "put back" : tw_event_name(kind);
}

static void add_sysctl(const struct tw_happening *row, struct tw_text *text)
{
	tw_text_add(text, "<tr><td class=\"time\">");
	tw_html_add_time(text, row->at_usec);
	tw_text_addf(text, "</td><td class=\"time\">%s</td><td class=\"key\">", done_name(row->kind));
	tw_html_add(text, row->sysctl);
	tw_text_add(text, "</td><td class=\"value\">");
	tw_html_add(text, row->old[0] != '\0' ? row->old : "–");
	tw_text_add(text, "</td><td class=\"value\">");
	tw_html_add(text, row->new[0] != '\0' ? row->new : "–");
	tw_text_add(text, "</td><td class=\"name\">");
	tw_html_add(text, row->rule);
	tw_text_add(text, "</td></tr>\n");
}

void tw_report_add_sysctls(const struct tw_report *report, struct tw_out *out)
{
	size_t count = 0;

	for (size_t i = 0; i < report->happened.count; i++)
		count += is_of_sysctl(&report->happened.rows[i]);
	tw_text_add(tw_out_pass(out), "<section>\n<h2>Sysctls changed and put back</h2>\n");
	if (count == 0) {
		tw_text_add(&out->text, "<p>None was changed, and no change was refused.</p>\n</section>\n");
		return;
	}
	tw_text_add(&out->text, "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">time</th>"
				"<th scope=\"col\">what</th><th scope=\"col\">sysctl</th><th scope=\"col\">before</th>"
				"<th scope=\"col\">after</th><th scope=\"col\">rule</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < report->happened.count; i++)
		if (is_of_sysctl(&report->happened.rows[i]))
			add_sysctl(&report->happened.rows[i], tw_out_pass(out));
	tw_text_add(tw_out_pass(out), "</tbody>\n</table></div>\n</section>\n");
}

/* ---- every record */

static const char *class_of(unsigned priority)
{
	return priority <= 3 ? "error" : priority == 4 ? "warning" : "plain";
}

void tw_report_add_records(const struct tw_report *report, struct tw_out *out)
{
	tw_text_addf(tw_out_pass(out), "<section>\n<h2>All %zu records</h2>\n", report->happened.count);
	tw_text_add(&out->text, "<p>Samples are left out; the timeline is made of them.</p>\n");
	if (report->happened.count > 0)
		tw_text_add(&out->text, "<div class=\"wide\"><table class=\"records\">\n<thead><tr>"
					"<th scope=\"col\">time</th><th scope=\"col\">event</th>"
					"<th scope=\"col\">record</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < report->happened.count; i++) {
		const struct tw_happening *row = &report->happened.rows[i];
		struct tw_text *text = tw_out_pass(out);

		tw_text_add(text, "<tr><td class=\"time\">");
		tw_html_add_time(text, row->at_usec);
		tw_text_addf(text, "</td><td><span class=\"event %s\">%s</span></td><td class=\"words\">",
			     class_of(row->priority), tw_event_name(row->kind));
		tw_html_add(text, row->message);
		tw_text_add(text, "</td></tr>\n");
	}
	if (report->happened.count > 0)
		tw_text_add(tw_out_pass(out), "</tbody>\n</table></div>\n");
	tw_text_add(&out->text, "</section>\n");
}
