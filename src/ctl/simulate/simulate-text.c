/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/simulate/simulate-text.h"

#include "base/text.h"
#include "ctl/page.h"
#include "ctl/when.h"

#include <string.h>

/* A rule's notes together: a sentence for each limit. */
#define NOTES_BYTES 2048
/* Records of one moment come within this of the sample that tells of it. */
#define SLACK_USEC TW_USEC_PER_SEC

enum mark {
	SAME,
	OTHER, /* both, but at other times */
	NEW,
	GONE,
	MARKS,
};

static const struct {
	char sign;
	const char *name;
	const char *meaning;
} marks[MARKS] = {
	[SAME] = { '=', "same", "as it happened" },
	[OTHER] = { '~', "other", "at other times than it happened" },
	[NEW] = { '+', "new", "did not happen" },
	[GONE] = { '-', "gone", "happened, and would not have" },
};

/* One alert, simulated or recorded or both. */
struct row {
	const struct tw_past_alert *simulated, *recorded; /* NULL for none */
	enum mark mark;
};

typedef void (*add_row)(struct tw_out *out, void *context, const struct row *row);

static usec_t slack_of(const struct tw_replay *replay)
{
	return tw_usec_add(tw_replay_span(replay).apart_usec, SLACK_USEC);
}

static struct row make_row(const struct tw_past_alert *simulated, const struct tw_past_alert *recorded,
			   usec_t slack_usec)
{
	struct row row = { simulated, recorded, NEW };

	if (!simulated)
		row.mark = GONE;
	else if (recorded)
		row.mark = tw_alerts_same(simulated, recorded, slack_usec) ? SAME : OTHER;
	return row;
}

/* In the order of time; those of a pair where the simulated one stands. */
static void walk(struct tw_replay *replay, struct tw_out *out, void *context, add_row add)
{
	struct tw_past_alerts *simulated = tw_replay_simulated(replay), *recorded = tw_replay_recorded(replay);
	usec_t slack_usec = slack_of(replay);
	size_t i = 0, j = 0;

	tw_alerts_match(simulated, recorded, slack_usec);
	while (i < simulated->count || j < recorded->count) {
		bool mine = i < simulated->count, theirs = j < recorded->count;
		const struct tw_past_alert *alert;
		struct row row;

		if (theirs && recorded->rows[j].twin != SIZE_MAX) {
			j++;
			continue;
		}
		if (mine && (!theirs || simulated->rows[i].raised_usec <= recorded->rows[j].raised_usec)) {
			alert = &simulated->rows[i++];
			row = make_row(alert, alert->twin != SIZE_MAX ? &recorded->rows[alert->twin] : NULL,
				       slack_usec);
		} else {
			row = make_row(NULL, &recorded->rows[j++], slack_usec);
		}
		add(out, context, &row);
		(void)tw_out_pass(out);
	}
}

/* ---- what samples could not tell */

static void add_limits(const struct tw_replay_rule *rule, struct tw_text *text)
{
	const char *metric = tw_metric_info(rule->metric)->name;
	char given[TW_DURATION_TEXT_MAX], told[TW_DURATION_TEXT_MAX];

	if (rule->limits & TW_REPLAY_SCOPED) {
		tw_text_add(text, "not tried. It looks at one destination, unit or listener alone, and samples tell "
				  "of all of them together.");
		return;
	}
	if (rule->samples == 0)
		tw_text_addf(text, "no sample has a value of %s. ", metric);
	if (rule->limits & TW_REPLAY_AGE)
		tw_text_addf(text, "tried with age = %s: samples do not count by an age of %s. ",
			     tw_duration_format(told, rule->told_usec), tw_duration_format(given, rule->age_usec));
	if (rule->limits & TW_REPLAY_STEP)
		tw_text_add(text, "the samples were taken under the sysctls of their time; what its own steps would "
				  "have changed is not in them. ");
	if (rule->limits & TW_REPLAY_SURVEY)
		tw_text_addf(text, "%s was measured when the rules of that time asked for it, else each survey. ",
			     metric);
}

static size_t fill_notes(const struct tw_replay_rule *rule, char notes[NOTES_BYTES])
{
	struct tw_text text;

	tw_text_init(&text, notes, NOTES_BYTES);
	add_limits(rule, &text);
	while (text.length > 0 && notes[text.length - 1] == ' ')
		notes[--text.length] = '\0';
	return text.length;
}

/* ---- for people */

static void add_times(struct tw_text *text, const struct tw_past_alert *alert)
{
	tw_text_add(text, "raised ");
	tw_when_add(text, alert->raised_usec);
	if (alert->end == TW_ALERT_OPEN) {
		tw_text_add(text, ", not cleared");
		return;
	}
	tw_text_add(text, alert->end == TW_ALERT_CLEARED ? ", cleared " : ", up when the daemon ended ");
	tw_when_add_after(text, alert->ended_usec, alert->raised_usec);
	tw_text_add(text, " (");
	tw_value_add_span(text, tw_usec_since(alert->ended_usec, alert->raised_usec));
	tw_text_add_char(text, ')');
}

static void add_line(struct tw_out *out, void *context, const struct row *row)
{
	const struct tw_past_alert *alert = row->simulated ? row->simulated : row->recorded;
	struct tw_text *text = &out->text;
	unsigned *seen = context;

	seen[row->mark]++;
	tw_text_addf(text, "%c ", marks[row->mark].sign);
	tw_text_add_scrubbed(text, alert->rule);
	tw_text_add(text, ": ");
	add_times(text, alert);
	if (row->mark == OTHER) {
		tw_text_add(text, "\n    in fact ");
		add_times(text, row->recorded);
	}
	tw_text_add_char(text, '\n');
}

static void add_head(const struct tw_replay *replay, struct tw_text *text)
{
	struct tw_replay_span span = tw_replay_span(replay);

	tw_text_addf(text, "Tried on %zu %s", span.samples, span.samples == 1 ? "sample" : "samples");
	if (span.samples > 0) {
		tw_text_add(text, ", ");
		tw_when_add(text, span.from_usec);
		tw_text_add(text, " to ");
		tw_when_add_after(text, span.to_usec, span.from_usec);
	}
	tw_text_add(text, ".\n");
	if (span.apart_usec > 0) {
		tw_text_add(text, "Samples are ");
		tw_value_add_span(text, span.apart_usec);
		tw_text_add(text, " apart: a shorter burst is not seen.\n");
	}
	tw_text_add_char(text, '\n');
}

/* Scrubbed and wrapped as every page is. */
static void add_notes(const struct tw_replay *replay, unsigned width, struct tw_text *text)
{
	const struct tw_replay_rule *rules;
	unsigned count = tw_replay_rules(replay, &rules);

	for (unsigned i = 0; i < count; i++) {
		char notes[NOTES_BYTES], bytes[NOTES_BYTES + TW_RULE_NAME_MAX + 8];
		struct tw_page page;

		if (fill_notes(&rules[i], notes) == 0)
			continue;
		tw_page_init(&page, bytes, sizeof(bytes));
		tw_page_say(&page, rules[i].name, notes);
		tw_page_add_text(&page, width, text);
	}
}

void tw_simulate_add_text(struct tw_replay *replay, unsigned width, struct tw_out *out)
{
	unsigned seen[MARKS] = { 0 };
	const char *between = "";

	add_head(replay, &out->text);
	walk(replay, out, seen, add_line);
	for (unsigned i = 0; i < MARKS; i++) {
		if (seen[i] == 0)
			continue;
		tw_text_addf(&out->text, "%s%c %u %s", between, marks[i].sign, seen[i], marks[i].meaning);
		between = ", ";
	}
	tw_text_add(&out->text, between[0] == '\0' ? "No rule would have been raised, and none was.\n" : ".\n");
	tw_text_add_char(tw_out_pass(out), '\n');
	add_notes(replay, width, &out->text);
}

/* ---- for programs */

static void add_time(struct tw_text *json, const char *name, usec_t at_usec)
{
	char bytes[48];
	struct tw_text text;

	tw_json_key(json, name);
	if (at_usec == 0) {
		tw_json_literal(json, "null");
		return;
	}
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_when_add_utc(&text, at_usec);
	tw_json_string(json, bytes);
}

static void add_alert(struct tw_text *json, const char *name, const struct tw_past_alert *alert)
{
	tw_json_key(json, name);
	if (!alert) {
		tw_json_literal(json, "null");
		return;
	}
	tw_json_begin(json, '{');
	add_time(json, "raised", alert->raised_usec);
	add_time(json, "cleared", alert->end == TW_ALERT_CLEARED ? alert->ended_usec : 0);
	add_time(json, "stopped", alert->end == TW_ALERT_STOPPED ? alert->ended_usec : 0);
	tw_json_end(json, '}');
}

static void add_object(struct tw_out *out TW_UNUSED, void *context, const struct row *row)
{
	struct tw_text *json = context;

	tw_json_begin(json, '{');
	tw_json_key(json, "rule");
	tw_json_string(json, row->simulated ? row->simulated->rule : row->recorded->rule);
	tw_json_key(json, "mark");
	tw_json_string(json, marks[row->mark].name);
	add_alert(json, "simulated", row->simulated);
	add_alert(json, "recorded", row->recorded);
	tw_json_end(json, '}');
}

static void add_rules(const struct tw_replay *replay, struct tw_text *json)
{
	const struct tw_replay_rule *rules;
	unsigned count = tw_replay_rules(replay, &rules);

	tw_json_begin(json, '[');
	for (unsigned i = 0; i < count; i++) {
		char notes[NOTES_BYTES];

		tw_json_begin(json, '{');
		tw_json_key(json, "name");
		tw_json_string(json, rules[i].name);
		tw_json_key(json, "tried");
		tw_json_literal(json, rules[i].index >= 0 ? "true" : "false");
		tw_json_key(json, "samples");
		tw_json_u64(json, rules[i].samples);
		tw_json_key(json, "note");
		if (fill_notes(&rules[i], notes) > 0)
			tw_json_string(json, notes);
		else
			tw_json_literal(json, "null");
		tw_json_end(json, '}');
	}
	tw_json_end(json, ']');
}

void tw_simulate_add_json(struct tw_replay *replay, struct tw_out *out)
{
	struct tw_replay_span span = tw_replay_span(replay);

	tw_json_begin(&out->text, '{');
	tw_json_key(&out->text, "samples");
	tw_json_u64(&out->text, span.samples);
	add_time(&out->text, "from", span.from_usec);
	add_time(&out->text, "to", span.to_usec);
	tw_json_key(&out->text, "apart");
	tw_json_milli(&out->text, (int64_t)(span.apart_usec / TW_USEC_PER_MSEC));
	tw_json_key(&out->text, "alerts");
	tw_json_begin(&out->text, '[');
	walk(replay, out, &out->text, add_object);
	tw_json_end(&out->text, ']');
	tw_json_key(&out->text, "rules");
	add_rules(replay, &out->text);
	tw_json_end(&out->text, '}');
	tw_text_add_char(&out->text, '\n');
}
