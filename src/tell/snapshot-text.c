/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/macros.h"
#include "tell/rows.h"
#include "tell/snapshot.h"

#include <inttypes.h>

/* A number of a column. */
static void add_number(struct tw_text *text, int width, bool known, uint64_t number)
{
	if (known)
		tw_text_addf(text, "%*" PRIu64, width, number);
	else
		tw_text_addf(text, "%*s", width, "unknown");
}

static void add_states(struct tw_text *text, const struct tw_sample *sample)
{
	const struct tw_census *census = &sample->census;

	tw_text_add(text, "State              sockets   of them IPv6\n");
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		bool known = tw_known_census(sample) && census->known[i];

		tw_text_addf(text, "  %-12s", tw_state_title((enum tw_state)i));
		add_number(text, 12, known, census->count[i]);
		if (known)
			add_number(text, 15, census->ipv6_known[i], census->count_ipv6[i]);
		tw_text_add_char(text, '\n');
	}
}

/* Those that are known: on a page for a person the others are noise. */
static void add_metrics(struct tw_text *text, const struct tw_sample *sample)
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

static void add_limits(struct tw_text *text, const struct tw_sample *sample)
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

/* Names stand last: they have no common width. */
static const struct {
	enum tw_rows_kind kind;
	const char *title; /* where there is a row */
	const char *line;
} tables[] = {
	{ TW_ROWS_DESTINATIONS, "    ports  TIME-WAIT  ESTABLISHED   other  blocked     use  source -> destination\n",
	  "{ports:9}{time-wait:11}{established:13}{other:8}{blocked:9}{port-use:8}  {source} -> {destination}\n" },
	{ TW_ROWS_LISTENERS,
	  "\nListeners\n"
	  "  sockets    queue  backlog  connections   share  CLOSE-WAIT  SYN-RECV  TIME-WAIT  address\n",
	  "{sockets:9}{queue:9}{backlog:9}{connections:13}{share:8}{close-wait:12}{syn-recv:10}{time-wait:11}  "
	  "{address}\n" },
	{ TW_ROWS_CLOSE_WAIT,
	  "\nCLOSE-WAIT by unit\n"
	  "  sockets        oldest  unread bytes  unit\n",
	  "{count:9}{oldest:14}{unread:14}  {unit}\n" },
	{ TW_ROWS_BOUND,
	  "\nBound, not connected, by unit\n"
	  "  sockets  unit\n",
	  "{sockets:9}  {unit}\n" },
};

/* Of destinations it is also told that there is none. */
static void add_no_destination(struct tw_text *text, const struct tw_sample *sample)
{
	tw_text_add(text, "\nPorts by destination\n");
	if (!tw_known_survey(sample))
		tw_text_add(text, "  unknown\n");
	else if (sample->survey.top_count == 0)
		tw_text_add(text, "  none in use\n");
}

/* What a full table could not tell apart. */
static void add_untold(struct tw_text *text, const struct tw_rows *rows)
{
	uint64_t dropped = rows->sample->survey.dropped, untracked = rows->sample->close_wait.untracked;

	if (rows->kind == TW_ROWS_DESTINATIONS && rows->known && dropped > 0)
		tw_text_addf(text, "  %" PRIu64 " sockets are not told apart by destination: the table is full\n",
			     dropped);
	if (rows->kind == TW_ROWS_CLOSE_WAIT && rows->count > 0 && untracked > 0)
		tw_text_addf(text, "  and %" PRIu64 " more sockets that are not told apart\n", untracked);
}

void tw_snapshot_add_text(struct tw_text *text, const char *namespace, const struct tw_sample *sample, unsigned top)
{
	tw_text_addf(text, "Network namespace %s%s\n\n", namespace,
		     tw_known_in_part(sample) ? " (measured in part only: the socket table moved too much)" : "");
	add_states(text, sample);
	add_metrics(text, sample);
	add_limits(text, sample);
	add_no_destination(text, sample);
	for (unsigned i = 0; i < TW_ARRAY_SIZE(tables); i++) {
		struct tw_rows rows = tw_rows_of(sample, tables[i].kind, top);

		if (rows.count > 0)
			tw_text_add(text, tables[i].title);
		for (unsigned j = 0; j < rows.count; j++)
			tw_rows_add_text(text, &rows, j, tables[i].line);
		if (rows.total > rows.count && (rows.count > 0 || (rows.kind == TW_ROWS_DESTINATIONS && rows.known)))
			tw_text_addf(text, "  and %" PRIu64 " more\n", rows.total - rows.count);
		add_untold(text, &rows);
	}
}
