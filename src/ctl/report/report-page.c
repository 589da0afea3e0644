/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/report/report-page.h"

#include "ctl/report/html.h"
#include "ctl/report/report-chart.h"
#include "ctl/report/report-table.h"

#include <time.h>

/*
 * Colours stand off from their ground by 4.5 and more in both schemes (WCAG 2.1, 1.4.3). Nothing is told by colour
 * alone: events have their names, marks their shapes.
 */
static const char style[] =
	":root{color-scheme:light dark;--ground:#fff;--card:#f5f7fa;--ink:#1a2027;--faint:#4f5b67;--rule:#d3dae2;"
	"--line:#0b5cad;--alert:#b42318;--veil:rgba(217,45,32,.14);--act:#8a4b00;--warn:#8a4b00}\n"
	"@media (prefers-color-scheme:dark){:root{--ground:#10151b;--card:#1a212a;--ink:#e8edf3;--faint:#a9b4c0;"
	"--rule:#36414d;--line:#6cb6ff;--alert:#ff8a80;--veil:rgba(255,120,110,.2);--act:#f5b94e;--warn:#f5b94e}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;padding:2rem 1.5rem 3rem;max-width:76rem;background:var(--ground);color:var(--ink);"
	"font:1rem/1.5 system-ui,\"Segoe UI\",\"DejaVu Sans\",sans-serif}\n"
	"h1{font-size:1.9rem;line-height:1.2;margin:0 0 .4rem}\n"
	"h2{font-size:1.3rem;margin:2.6rem 0 .8rem;padding-bottom:.3rem;border-bottom:1px solid var(--rule)}\n"
	"h3{font-size:1.05rem;margin:1.6rem 0 .3rem}\n"
	"p{margin:.3rem 0 .8rem}\n"
	"header p,.legend,figcaption,caption,footer{color:var(--faint)}\n"
	"dl.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.8rem;margin:1.4rem 0 "
	"0}\n"
	"dl.cards div{background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.7rem .9rem}\n"
	"dl.cards dt{color:var(--faint);font-size:.85rem}\n"
	"dl.cards dd{margin:.1rem 0 0;font-size:1.45rem;font-weight:600;font-variant-numeric:tabular-nums}\n"
	".wide{overflow-x:auto;margin:.2rem 0 1.2rem}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
	"caption{text-align:left;padding:.5rem 0 .3rem;font-weight:600}\n"
	"th,td{text-align:left;vertical-align:top;padding:.38rem .8rem .38rem 0;border-bottom:1px solid var(--rule)}\n"
	"th{color:var(--faint);font-weight:600;white-space:nowrap}\n"
	"td{unicode-bidi:isolate}\n"
	"th:last-child,td:last-child{padding-right:0}\n"
	".number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	".time{white-space:nowrap;font-variant-numeric:tabular-nums}\n"
	".name,.key,.value{overflow-wrap:anywhere;min-width:9.5rem}\n"
	".key{min-width:16rem}\n"
	".value{min-width:6rem}\n"
	".words{overflow-wrap:anywhere;min-width:16rem}\n"
	".event{display:inline-block;white-space:nowrap;border:1px solid var(--rule);border-radius:1rem;"
	"padding:0 .55rem;font-size:.82rem}\n"
	".event.warning{border-color:var(--warn);color:var(--warn)}\n"
	".event.error{border-color:var(--alert);color:var(--alert);font-weight:600}\n"
	".numbers span{display:inline-block;background:var(--card);border:1px solid var(--rule);border-radius:.4rem;"
	"padding:.05rem .5rem;margin:.1rem .25rem .1rem 0;font-size:.88rem}\n"
	"figure{margin:0 0 .6rem;overflow-x:auto}\n"
	"figure svg{min-width:40rem}\n"
	"figcaption{font-size:.9rem}\n"
	"figcaption b{color:var(--ink)}\n"
	"svg{display:block;width:100%;height:auto}\n"
	".legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;margin:0 0 1rem;padding:0;"
	"font-size:.9rem}\n"
	".legend li{display:flex;align-items:center;gap:.4rem}\n"
	".legend svg{width:16px;height:16px}\n"
	".line{fill:none;stroke:var(--line);stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}\n"
	".grid{fill:none;stroke:var(--rule)}\n"
	".tick{stroke:var(--faint)}\n"
	".label{fill:var(--faint);font-size:12px;font-variant-numeric:tabular-nums}\n"
	".level{fill:none;stroke:var(--alert);stroke-dasharray:6 4}\n"
	".up{fill:var(--veil)}\n"
	".raised{fill:var(--alert)}\n"
	".adjusted{fill:var(--act)}\n"
	".restored{fill:var(--ground);stroke:var(--act);stroke-width:2}\n"
	".stem{fill:none;stroke:var(--faint);stroke-dasharray:2 4;stroke-width:.8}\n"
	"footer{margin-top:3rem;font-size:.85rem}\n"
	"@media print{:root{color-scheme:light;--ground:#fff;--card:#fff;--ink:#000;--faint:#3d4650;--rule:#b8c0c8;"
	"--line:#0b5cad;--alert:#b42318;--veil:rgba(217,45,32,.14);--act:#8a4b00;--warn:#8a4b00;font-size:10pt}"
	"body{max-width:none;padding:0}dl.cards{grid-template-columns:repeat(6,1fr);gap:.4rem}"
	"dl.cards dt{font-size:.72rem;white-space:nowrap}"
	"h2,h3,h2+p,h3+p,.numbers,.legend,caption,thead{break-after:avoid}"
	"figure,tr,dl.cards div{break-inside:avoid}.wide,figure{overflow:visible}figure svg{min-width:0}"
	"thead{display:table-header-group}"
	"*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n"
	"@page{margin:16mm}\n";

static void add_zone(struct tw_text *text, usec_t at_usec)
{
	time_t seconds = (time_t)(at_usec / TW_USEC_PER_SEC);
	struct tm local = { 0 };
	long minutes;

	(void)localtime_r(&seconds, &local);
	minutes = labs(local.tm_gmtoff) / 60;
	tw_text_addf(text, "UTC%c%02ld:%02ld", local.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static void add_head(const struct tw_report *report, struct tw_text *text)
{
	tw_text_add(text, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
			  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
			  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
			  "'unsafe-inline'\"/>\n<title>timewaitd: incident report");
	if (report->host[0] != '\0') {
		tw_text_add(text, " of ");
		tw_html_add(text, report->host);
	}
	tw_text_add(text, "</title>\n<style>\n");
	tw_text_add(text, style);
	tw_text_add(text, "</style>\n</head>\n<body>\n");
}

static void add_header(const struct tw_report *report, struct tw_text *text)
{
	tw_text_add(text, "<header>\n<h1>Incident report");
	if (report->host[0] != '\0') {
		tw_text_add(text, ": ");
		tw_html_add(text, report->host);
	}
	tw_text_add(text, "</h1>\n<p>");
	tw_html_add_time(text, report->from_usec);
	tw_text_add(text, " to ");
	tw_html_add_time(text, report->to_usec);
	tw_text_add(text, " (");
	add_zone(text, report->to_usec);
	tw_text_add(text, ") · network namespace ");
	tw_html_add(text, report->namespace);
	if (report->kernel[0] != '\0') {
		tw_text_add(text, " · ");
		tw_html_add(text, report->kernel);
	}
	tw_text_add(text, "</p>\n");
}

static void add_card(const char *name, struct tw_value value, enum tw_unit unit, struct tw_text *text)
{
	tw_text_addf(text, "<div><dt>%s</dt><dd>", name);
	if (value.known)
		tw_value_add(text, value, unit);
	else
		tw_text_add(text, "not recorded");
	tw_text_add(text, "</dd></div>\n");
}

static struct tw_value count_of(size_t count)
{
	return tw_value_of((int64_t)count * 1000);
}

static size_t count_events(const struct tw_report *report, enum tw_event_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < report->happened.count; i++)
		count += report->happened.rows[i].kind == kind;
	return count;
}

static void add_cards(const struct tw_report *report, struct tw_text *text)
{
	size_t up = 0;

	for (size_t i = 0; i < report->alerts.count; i++)
		up += report->alerts.rows[i].end == TW_ALERT_OPEN;
	tw_text_add(text, "<dl class=\"cards\">\n");
	add_card("rules raised", count_of(report->alerts.count), TW_UNIT_SOCKETS, text);
	add_card("still up", count_of(up), TW_UNIT_SOCKETS, text);
	add_card("peak port-use", tw_series_sum(&report->port_use).high, TW_UNIT_PERCENT, text);
	add_card("peak TIME-WAIT", tw_series_sum(&report->states[TW_STATE_TIME_WAIT]).high, TW_UNIT_SOCKETS, text);
	add_card("sysctls changed", count_of(count_events(report, TW_EVENT_ADJUSTED)), TW_UNIT_SOCKETS, text);
	add_card("put back", count_of(count_events(report, TW_EVENT_RESTORED)), TW_UNIT_SOCKETS, text);
	tw_text_add(text, "</dl>\n</header>\n<main>\n");
}

void tw_report_write(const struct tw_report *report, struct tw_out *out)
{
	add_head(report, tw_out_pass(out));
	add_header(report, tw_out_pass(out));
	add_cards(report, tw_out_pass(out));
	tw_report_add_alerts(report, out);
	tw_report_add_timeline(report, out);
	tw_report_add_flights(report, out);
	tw_report_add_sysctls(report, out);
	tw_report_add_records(report, out);
	tw_text_add(tw_out_pass(out), "</main>\n<footer>Made by timewaitctl report, ");
	tw_html_add_time(&out->text, report->made_usec);
	tw_text_add(&out->text, ", of what timewaitd had recorded. Names and sentences are as they stood in the "
				"journal.</footer>\n</body>\n</html>\n");
	tw_out_end(out);
}
