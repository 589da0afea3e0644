/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/snapshot.h"

#include "base/macros.h"
#include "tell/message.h"
#include "tell/rows.h"

#include <inttypes.h>

/* A finding is one clause of some 200 bytes, and may name a unit and two addresses. */
#define FINDING_MAX 1024

static const char *const rule_states[] = {
	[TW_RULE_NORMAL] = "normal",
	[TW_RULE_RISING] = "rising",
	[TW_RULE_RAISED] = "raised",
	[TW_RULE_CLEARING] = "clearing",
};

static void add_string(struct tw_text *json, const char *key, const char *string)
{
	tw_json_string(tw_json_key(json, key), string);
}

static void add_number(struct tw_text *json, const char *key, bool known, uint64_t number)
{
	tw_json_key(json, key);
	if (known)
		tw_json_u64(json, number);
	else
		tw_json_literal(json, "null");
}

/* In thousandths. */
static void add_milli(struct tw_text *json, const char *key, bool known, int64_t milli)
{
	tw_json_key(json, key);
	if (known)
		tw_json_milli(json, milli);
	else
		tw_json_literal(json, "null");
}

static void add_numbers(struct tw_text *json, const struct tw_sample *sample)
{
	tw_json_begin(tw_json_key(json, "states"), '{');
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		add_number(json, tw_state_name((enum tw_state)i), tw_known_census(sample) && sample->census.known[i],
			   sample->census.count[i]);
	tw_json_end(json, '}');

	tw_json_begin(tw_json_key(json, "metrics"), '{');
	for (unsigned i = TW_METRIC_STATE_LAST + 1; i < TW_METRIC_COUNT; i++) {
		enum tw_metric metric = (enum tw_metric)i;
		struct tw_value value = tw_known_number(metric, tw_sample_metric(sample, metric));

		add_milli(json, tw_metric_info(metric)->name, value.known, value.milli);
	}
	tw_json_end(json, '}');

	/* Since the namespace was made: they only grow. */
	tw_json_begin(tw_json_key(json, "counters"), '{');
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		add_number(json, tw_counter_name((enum tw_counter)i), sample->gauge.counters[i].known,
			   sample->gauge.counters[i].value);
	tw_json_end(json, '}');
}

static void add_tunable(struct tw_text *json, const char *key, enum tw_tunable tunable,
			const struct tw_live_value *live, bool quoted)
{
	char value[TW_TUNABLE_VALUE_MAX];

	tw_json_key(json, key);
	if (!live->known)
		tw_json_literal(json, "null");
	else if (quoted)
		tw_json_string(json, tw_tunable_format(tunable, &live->value, value));
	else
		tw_json_literal(json, tw_tunable_format(tunable, &live->value, value));
}

static void add_limits(struct tw_text *json, const struct tw_sample *sample)
{
	const struct tw_gauge *gauge = &sample->gauge;
	const struct tw_live_value *range = &gauge->sysctls[TW_TUNABLE_PORT_RANGE];
	bool known = tw_known_survey(sample);

	tw_json_begin(tw_json_key(json, "limits"), '{');
	add_number(json, "usable-ports", known, sample->survey.usable);
	add_number(json, "exclusive-ports", known, sample->survey.exclusive_ports);
	add_number(json, "bound-first-ports", known, sample->survey.bound_first_ports);
	add_number(json, "unclear-ports", known, sample->survey.unclear_ports);
	add_number(json, "range-low", range->known, (uint64_t)range->value.numbers[0]);
	add_number(json, "range-high", range->known, (uint64_t)range->value.numbers[1]);
	add_number(json, "reserved-ports", gauge->at_usec != 0, gauge->reserved_ports);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		enum tw_tunable tunable = (enum tw_tunable)i;

		add_tunable(json, tw_tunable_short_name(tunable), tunable, &gauge->sysctls[i],
			    tw_tunable_info(tunable)->kind == TW_TUNABLE_RANGE);
	}
	tw_json_end(json, '}');
}

/* Seconds; a time of 0 is none. */
static void add_age(struct tw_text *json, const char *key, usec_t at_usec, usec_t now_usec)
{
	add_milli(json, key, at_usec != 0, (int64_t)(tw_usec_since(now_usec, at_usec) / TW_USEC_PER_MSEC));
}

static void add_finding(struct tw_text *json, const struct tw_sample *sample, const struct tw_rule_situation *situation)
{
	const struct tw_event event = {
		.kind = TW_EVENT_RAISED,
		.severity = situation->rule->severity,
		.rule = situation->rule,
		.has_metric = true,
		.metric = situation->rule->metric,
		.value = situation->value,
		.threshold = tw_value_of(situation->rule->raise_milli),
		.subject = situation->subject,
		.sample = sample,
		.forecast = situation->forecast,
	};
	char bytes[FINDING_MAX];
	struct tw_text text;

	tw_json_key(json, "finding");
	if (situation->state == TW_RULE_NORMAL)
		return tw_json_literal(json, "null");
	tw_text_init(&text, bytes, sizeof(bytes));
	(void)tw_message_add_finding(&text, &event);
	tw_json_string(json, bytes);
}

static void add_rule(struct tw_text *json, const struct tw_sample *sample, const struct tw_rule_situation *situation,
		     usec_t now_usec)
{
	const struct tw_rule_settings *rule = situation->rule;
	struct tw_value value = tw_known_number(rule->metric, situation->value);

	tw_json_begin(json, '{');
	add_string(json, "name", rule->name);
	add_string(json, "metric", tw_metric_info(rule->metric)->name);
	add_string(json, "state", rule_states[situation->state]);
	add_age(json, "since", situation->since_usec, now_usec);
	add_milli(json, "value", value.known, value.milli);
	add_milli(json, "raise", true, rule->raise_milli);
	add_milli(json, "clear", true, rule->clear_milli);
	add_string(json, "severity", tw_severity_name(rule->severity));
	add_finding(json, sample, situation);
	tw_json_end(json, '}');
}

static void add_change(struct tw_text *json, const struct tw_change_situation *change)
{
	const struct tw_live_value baseline = { .value = change->baseline, .known = true };

	tw_json_begin(json, '{');
	add_string(json, "sysctl", tw_tunable_info(change->sysctl)->key);
	add_tunable(json, "baseline", change->sysctl, &baseline, true);
	add_tunable(json, "value", change->sysctl, &change->value, true);
	add_string(json, "owner", change->yielded ? "yielded" : "ours");
	add_string(json, "rule", change->rule);
	tw_json_end(json, '}');
}

static void add_situation(struct tw_text *json, const struct tw_sample *sample, const struct tw_situation *situation)
{
	const struct tw_cost *cost = &sample->cost;

	tw_json_begin(tw_json_key(json, "ages"), '{');
	add_age(json, "gauge", sample->gauge.at_usec, situation->now_usec);
	add_age(json, "census", sample->census.at_usec, situation->now_usec);
	add_age(json, "survey", sample->survey.at_usec, situation->now_usec);
	tw_json_end(json, '}');

	tw_json_begin(tw_json_key(json, "rules"), '[');
	for (unsigned i = 0; i < situation->rule_count; i++)
		add_rule(json, sample, &situation->rules[i], situation->now_usec);
	tw_json_end(json, ']');

	tw_json_begin(tw_json_key(json, "changes"), '[');
	for (unsigned i = 0; i < situation->change_count; i++)
		add_change(json, &situation->changes[i]);
	tw_json_end(json, ']');

	tw_json_begin(tw_json_key(json, "cost"), '{');
	add_milli(json, "tick", cost->tick_usec != 0, (int64_t)cost->tick_usec);
	add_milli(json, "census", cost->census_usec != 0, (int64_t)cost->census_usec);
	add_milli(json, "survey", cost->survey_usec != 0, (int64_t)cost->survey_usec);
	add_milli(json, "total", cost->total_usec != 0, (int64_t)cost->total_usec);
	tw_json_end(json, '}');
}

void tw_snapshot_add_json(struct tw_text *json, const char *namespace, const struct tw_sample *sample, unsigned top,
			  const struct tw_situation *situation)
{
	tw_json_begin(json, '{');
	add_string(json, "name", namespace);
	tw_json_literal(tw_json_key(json, "partial"), tw_known_in_part(sample) ? "true" : "false");
	add_numbers(json, sample);
	add_limits(json, sample);
	for (unsigned i = 0; i < TW_ROWS_COUNT; i++) {
		struct tw_rows rows = tw_rows_of(sample, (enum tw_rows_kind)i, top);

		tw_rows_add_json(json, &rows);
	}
	if (situation)
		add_situation(json, sample, situation);
	tw_json_end(json, '}');
}

/* ---- the same as a page of text */

/* A number of a column. */
static void add_column(struct tw_text *text, int width, bool known, uint64_t number)
{
	if (known)
		tw_text_addf(text, "%*" PRIu64, width, number);
	else
		tw_text_addf(text, "%*s", width, "unknown");
}

static void add_states_text(struct tw_text *text, const struct tw_sample *sample)
{
	const struct tw_census *census = &sample->census;

	tw_text_add(text, "State              sockets   of them IPv6\n");
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		bool known = tw_known_census(sample) && census->known[i];

		tw_text_addf(text, "  %-12s", tw_state_title((enum tw_state)i));
		add_column(text, 12, known, census->count[i]);
		if (known)
			add_column(text, 15, census->ipv6_known[i], census->count_ipv6[i]);
		tw_text_add_char(text, '\n');
	}
}

/* Those that are known: on a page for a person the others are noise. */
static void add_metrics_text(struct tw_text *text, const struct tw_sample *sample)
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

static void add_limits_text(struct tw_text *text, const struct tw_sample *sample)
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
	add_states_text(text, sample);
	add_metrics_text(text, sample);
	add_limits_text(text, sample);
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
