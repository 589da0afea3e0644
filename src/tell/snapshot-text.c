/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/known.h"
#include "tell/scrub.h"
#include "tell/snapshot.h"

#include <inttypes.h>

/* A number of a column. */
static void add_text_count(struct tw_text *text, int width, struct tw_count count)
{
	if (count.known)
		tw_text_addf(text, "%*" PRIu64, width, count.value);
	else
		tw_text_addf(text, "%*s", width, "unknown");
}

static void add_text_states(struct tw_text *text, const struct tw_sample *sample)
{
	const struct tw_census *census = &sample->census;

	tw_text_addf(text, "%-14s%12s%15s\n", "State", "sockets", "of them IPv6");
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		tw_text_addf(text, "  %-12s", tw_state_title((enum tw_state)i));
		if (!tw_known_census(sample) || !census->known[i]) {
			tw_text_addf(text, "%12s\n", "unknown");
			continue;
		}
		add_text_count(text, 12, (struct tw_count){ census->count[i], true });
		add_text_count(text, 15, (struct tw_count){ census->count_ipv6[i], census->ipv6_known[i] });
		tw_text_add_char(text, '\n');
	}
}

/* Those that are known: on a page for a person the others are noise. */
static void add_text_metrics(struct tw_text *text, const struct tw_sample *sample)
{
	const char *title = "\nMetrics\n";

	for (unsigned i = TW_METRIC_STATE_LAST + 1; i < TW_METRIC_COUNT; i++) {
		enum tw_metric metric = (enum tw_metric)i;
		const struct tw_metric_info *info = tw_metric_info(metric);
		struct tw_value value = tw_known_number(metric, tw_sample_metric(sample, metric));

		if (!value.known)
			continue;
		tw_text_addf(text, "%s  %-20s ", title, info->name);
		tw_value_add(text, value, info->unit);
		tw_text_add_char(text, '\n');
		title = "";
	}
}

static void add_text_limits(struct tw_text *text, const struct tw_sample *sample)
{
	const struct tw_gauge *gauge = &sample->gauge;
	char value[TW_TUNABLE_VALUE_MAX];

	tw_text_add(text, "\nLimits\n");
	if (tw_known_survey(sample))
		tw_text_addf(text, "  %-32s %" PRIu32 "\n  %-32s %" PRIu32 "\n", "usable ports", sample->survey.usable,
			     "of these taken for everybody", sample->survey.exclusive_ports);
	if (gauge->at_usec != 0)
		tw_text_addf(text, "  %-32s %" PRIu32 "\n", "reserved ports of the range", gauge->reserved_ports);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		if (gauge->sysctls[i].known)
			tw_text_addf(text, "  %-32s %s\n", tw_tunable_info((enum tw_tunable)i)->key,
				     tw_tunable_format((enum tw_tunable)i, &gauge->sysctls[i].value, value));
	}
}

/* A figure of a column: the numbers behind it start where the title says. */
static void add_text_figure(struct tw_text *text, int width, struct tw_value value, enum tw_unit unit)
{
	char bytes[TW_DURATION_TEXT_MAX];
	struct tw_text figure;

	tw_text_init(&figure, bytes, sizeof(bytes));
	tw_value_add(&figure, value, unit);
	tw_text_addf(text, "%*s", width, bytes);
}

static void add_text_more(struct tw_text *text, uint64_t total, uint64_t shown)
{
	if (total > shown)
		tw_text_addf(text, "  and %" PRIu64 " more\n", total - shown);
}

/* Names stand last: they have no common width. */
static void add_text_destinations(struct tw_text *text, const struct tw_sample *sample, unsigned top)
{
	const struct tw_survey *survey = &sample->survey;
	unsigned rows = tw_known_survey(sample) ? tw_known_rows(survey->top_count, top) : 0;

	tw_text_add(text, "\nPorts by destination\n");
	if (!tw_known_survey(sample)) {
		tw_text_add(text, "  unknown\n");
		return;
	}
	if (survey->top_count == 0)
		tw_text_add(text, "  none in use\n");
	if (rows > 0)
		tw_text_addf(text, "%9s%11s%13s%8s%9s%8s  %s\n", "ports", "TIME-WAIT", "ESTABLISHED", "other",
			     "blocked", "use", "source -> destination");
	for (unsigned i = 0; i < rows; i++) {
		const struct tw_destination_row *row = &survey->top[i];

		tw_text_addf(text, "%9" PRIu32 "%11" PRIu32 "%13" PRIu32 "%8" PRIu32 "%9" PRIu32, row->ports,
			     row->time_wait, row->established, row->other, row->blocked);
		add_text_figure(text, 8, row->port_use, TW_UNIT_PERCENT);
		tw_text_add(text, "  ");
		tw_destination_add(text, &row->key);
		tw_text_add_char(text, '\n');
	}
	add_text_more(text, survey->destinations, rows);
	if (survey->dropped > 0)
		tw_text_addf(text, "  %" PRIu64 " sockets are not told apart by destination: the table is full\n",
			     survey->dropped);
}

static void add_text_listeners(struct tw_text *text, const struct tw_sample *sample, unsigned top)
{
	const struct tw_accepting *accepting = &sample->accepting;
	unsigned rows = tw_known_accepting(sample) ? tw_known_rows(accepting->row_count, top) : 0;

	if (rows == 0)
		return;
	tw_text_addf(text, "\nListeners\n%9s%9s%9s%13s%8s%12s%10s%11s  %s\n", "sockets", "queue", "backlog",
		     "connections", "share", "CLOSE-WAIT", "SYN-RECV", "TIME-WAIT", "address");
	for (unsigned i = 0; i < rows; i++) {
		const struct tw_listener_row *row = &accepting->rows[i];

		tw_text_addf(text, "%9" PRIu32 "%9" PRIu32 "%9" PRIu32, row->sockets, row->queue, row->backlog);
		add_text_count(text, 13, row->connections);
		add_text_figure(text, 8, tw_listener_share(row, accepting), TW_UNIT_PERCENT);
		tw_text_addf(text, "%12" PRIu32 "%10" PRIu32, row->close_wait, row->syn_recv);
		add_text_count(text, 11, row->time_wait);
		tw_text_add(text, "  ");
		tw_endpoint_add(text, &row->address.address, row->address.port);
		tw_text_add_char(text, '\n');
	}
	add_text_more(text, accepting->listeners, rows);
}

static void add_text_close_wait(struct tw_text *text, const struct tw_sample *sample, unsigned top)
{
	const struct tw_close_wait *close_wait = &sample->close_wait;
	unsigned rows = tw_known_close_wait(sample) ? tw_known_rows(close_wait->row_count, top) : 0;

	if (rows == 0)
		return;
	tw_text_addf(text, "\nCLOSE-WAIT by unit\n%9s%14s%14s  %s\n", "sockets", "oldest", "unread bytes", "unit");
	for (unsigned i = 0; i < rows; i++) {
		const struct tw_close_wait_row *row = &close_wait->rows[i];

		tw_text_addf(text, "%9" PRIu32, row->count);
		add_text_figure(text, 14, tw_value_of((int64_t)(row->oldest_usec / TW_USEC_PER_MSEC)), TW_UNIT_SECONDS);
		tw_text_addf(text, "%14" PRIu64 "  ", row->unread);
		tw_scrub_add(text, row->unit[0] != '\0' ? row->unit : "unknown");
		tw_text_add_char(text, '\n');
	}
	add_text_more(text, close_wait->row_count, rows);
	if (close_wait->untracked > 0)
		tw_text_addf(text, "  and %" PRIu64 " more sockets that are not told apart\n", close_wait->untracked);
}

static void add_text_bound(struct tw_text *text, const struct tw_sample *sample, unsigned top)
{
	const struct tw_survey *survey = &sample->survey;
	unsigned rows = tw_known_survey(sample) ? tw_known_rows(survey->bound_row_count, top) : 0;

	if (rows == 0)
		return;
	tw_text_addf(text, "\nBound, not connected, by unit\n%9s  %s\n", "sockets", "unit");
	for (unsigned i = 0; i < rows; i++) {
		const struct tw_bound_row *row = &survey->bound_rows[i];

		tw_text_addf(text, "%9" PRIu32 "  ", row->sockets);
		tw_scrub_add(text, row->unit[0] != '\0' ? row->unit : "unknown");
		tw_text_add_char(text, '\n');
	}
	add_text_more(text, survey->bound_row_count, rows);
}

void tw_snapshot_add_text(struct tw_text *text, const char *namespace, const struct tw_sample *sample, unsigned top)
{
	tw_text_addf(text, "Network namespace %s%s\n\n", namespace,
		     tw_known_in_part(sample) ? " (measured in part only: the socket table moved too much)" : "");
	add_text_states(text, sample);
	add_text_metrics(text, sample);
	add_text_limits(text, sample);
	add_text_destinations(text, sample, top);
	add_text_listeners(text, sample, top);
	add_text_close_wait(text, sample, top);
	add_text_bound(text, sample, top);
}
