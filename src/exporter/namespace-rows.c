/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/namespace-families.h"

#include <string.h>

#define DEFINE_ROWS(name)                                                                                    \
	void tw_rows_##name(struct tw_sample_line *line, const struct tw_namespace_family *family TW_UNUSED, \
			    const struct tw_view_namespace *namespace, unsigned rows TW_UNUSED)

/* The rows of a table that are told, one after the other. */
#define FOR_ROWS(row, table)                                                                                          \
	for (__typeof__((table).rows[0]) const *row = (table).rows; row < (table).rows + TW_MIN((table).count, rows); \
	     row++)

/* Each rule and each change is told: there are no more of them than the configuration has. */
#define FOR_ALL(row, table) \
	for (__typeof__((table).rows[0]) const *row = (table).rows; row < (table).rows + (table).count; row++)

/* ---- destinations: "10.0.0.1 -> 10.0.0.2:80" */

struct ends {
	char source[TW_DESTINATION_TEXT_MAX];
	const char *destination;
};

static void label_ends(struct tw_sample_line *line, const struct tw_view_destination *row, struct ends *ends)
{
	static const char arrow[] = " -> ";
	char *at;

	(void)tw_text_copy(ends->source, sizeof(ends->source), row->name);
	at = strstr(ends->source, arrow);
	ends->destination = at ? at + strlen(arrow) : "";
	if (at)
		*at = '\0';
	line->labels[1] = (struct tw_label){ "source", ends->source };
	line->labels[2] = (struct tw_label){ "destination", ends->destination };
}

DEFINE_ROWS(destination)
{
	struct ends ends;

	FOR_ROWS(row, namespace->destinations)
	{
		label_ends(line, row, &ends);
		tw_sample_line_add(line, 3, tw_figure_in(row, family), family->shift);
	}
}

static void add_state(struct tw_sample_line *line, const char *state, struct tw_value value)
{
	line->labels[3] = (struct tw_label){ "state", state };
	tw_sample_line_add(line, 4, value, 0);
}

DEFINE_ROWS(destination_sockets)
{
	struct ends ends;

	FOR_ROWS(row, namespace->destinations)
	{
		label_ends(line, row, &ends);
		add_state(line, "time-wait", row->time_wait);
		add_state(line, "established", row->established);
		add_state(line, "other", row->other);
	}
}

/* ---- listeners and units: by one word */

#define DEFINE_NAMED_ROWS(name, table, label, word)                                            \
	DEFINE_ROWS(name)                                                                      \
	{                                                                                      \
		FOR_ROWS(row, namespace->table)                                                \
		{                                                                              \
			line->labels[1] = (struct tw_label){ label, row->word };               \
			tw_sample_line_add(line, 2, tw_figure_in(row, family), family->shift); \
		}                                                                              \
	}
DEFINE_NAMED_ROWS(listener, listeners, "listener", address)
DEFINE_NAMED_ROWS(unit, units, "unit", name)
DEFINE_NAMED_ROWS(bound, bound, "unit", name)

/* ---- rules and changes */

DEFINE_ROWS(rule_raised)
{
	FOR_ALL(row, namespace->rules)
	{
		line->labels[1] = (struct tw_label){ "rule", row->name };
		line->labels[2] = (struct tw_label){ "severity", tw_severity_name(row->severity) };
		tw_sample_line_add(line, 3, tw_value_of_truth(tw_view_rule_is_raised(row)), 0);
	}
}

DEFINE_ROWS(rule_state)
{
	static const char *const states[] = { "normal", "rising", "raised", "clearing" };

	FOR_ALL(row, namespace->rules)
	{
		line->labels[1] = (struct tw_label){ "rule", row->name };
		for (size_t i = 0; i < TW_ARRAY_SIZE(states); i++) {
			line->labels[2] = (struct tw_label){ "state", states[i] };
			tw_sample_line_add(line, 3, tw_value_of_truth(strcmp(row->state, states[i]) == 0), 0);
		}
	}
}

DEFINE_ROWS(rule)
{
	FOR_ALL(row, namespace->rules)
	{
		line->labels[1] = (struct tw_label){ "rule", row->name };
		line->labels[2] = (struct tw_label){ "metric", row->metric_name };
		tw_sample_line_add(line, 3, tw_figure_in(row, family), family->shift);
	}
}

DEFINE_ROWS(changes)
{
	FOR_ALL(row, namespace->changes)
	{
		line->labels[1] = (struct tw_label){ "sysctl", row->sysctl };
		line->labels[2] = (struct tw_label){ "rule", row->rule };
		line->labels[3] = (struct tw_label){ "owner", row->owner };
		tw_sample_line_add(line, 4, tw_value_of_truth(true), 0);
	}
}
