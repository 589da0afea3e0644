/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/status-text.h"

#include "base/macros.h"
#include "ctl/live/status-cost.h"
#include "ctl/live/status-namespaces.h"
#include "ctl/live/status-say.h"

#include <inttypes.h>
#include <string.h>

#define SENTENCE_INDENT 4

static struct tw_figure figure_of(struct tw_value value, enum tw_unit unit)
{
	struct tw_figure figure;
	struct tw_text text;

	tw_text_init(&text, figure.bytes, sizeof(figure.bytes));
	tw_value_add(&text, value, unit);
	return figure;
}

static const char *or_unknown(const char *word)
{
	return word[0] != '\0' ? word : "unknown";
}

/* ---- who says it */

static void say_source(struct tw_screen *screen, const struct tw_status_order *order)
{
	const struct tw_view *view = order->view;
	struct tw_value up = tw_value_unknown();

	if (order->why_direct) {
		SAY(screen, TW_STYLE_WARN, 0,
		    "%s: measured just now by timewaitctl itself, in its own network namespace.", order->why_direct);
		tw_screen_end(screen);
		return;
	}
	SAY(screen, TW_STYLE_TITLE, 0, "timewaitd %s", view->version);
	SAY(screen, TW_STYLE_PLAIN, 0, ", mode %s", or_unknown(view->mode));
	if (view->started.known && view->now.known)
		up = tw_value_of(view->now.milli - view->started.milli);
	if (up.known && up.milli >= 0)
		SAY(screen, TW_STYLE_PLAIN, 0, ", running for %s", figure_of(up, TW_UNIT_SECONDS).bytes);
	tw_screen_end(screen);
}

/* ---- rules */

static bool is_before(const struct tw_view_rule *a, const struct tw_view_rule *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	return a->since.known && (!b->since.known || a->since.milli > b->since.milli);
}

unsigned tw_status_raised(const struct tw_view_namespace *namespace, const struct tw_view_rule *ret[TW_RULES_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < namespace->rules.count; i++) {
		const struct tw_view_rule *rule = &namespace->rules.rows[i];
		unsigned at = count;

		if (!tw_view_rule_is_raised(rule))
			continue;
		for (; at > 0 && is_before(rule, ret[at - 1]); at--)
			ret[at] = ret[at - 1];
		ret[at] = rule;
		count++;
	}
	return count;
}

/* What a rule sees where the snapshot has no sentence. */
static void say_figures(struct tw_screen *screen, const struct tw_view_rule *rule)
{
	enum tw_unit unit = rule->metric < TW_METRIC_COUNT ? tw_metric_info(rule->metric)->unit : TW_UNIT_SOCKETS;

	SAY(screen, TW_STYLE_PLAIN, SENTENCE_INDENT, "%s is %s (threshold %s)", or_unknown(rule->metric_name),
	    figure_of(rule->value, unit).bytes, figure_of(rule->raise, unit).bytes);
}

static void say_done(struct tw_screen *screen, const struct tw_view_change *change)
{
	tw_screen_indent(screen, SENTENCE_INDENT);
	SAY(screen, TW_STYLE_PLAIN, SENTENCE_INDENT, "done: %s %s -> %s", change->sysctl, or_unknown(change->baseline),
	    or_unknown(change->value));
	tw_screen_end(screen);
}

static bool is_yielded(const struct tw_view_change *change)
{
	return strcmp(change->owner, "yielded") == 0;
}

void tw_status_add_rule(struct tw_screen *screen, const struct tw_view_namespace *namespace,
			const struct tw_view_rule *rule)
{
	enum tw_style style = tw_style_of_severity(rule->severity);

	tw_screen_indent(screen, 2);
	SAY(screen, style, 2, "%s", or_unknown(rule->name));
	SAY(screen, style, 2, " %s", tw_severity_name(rule->severity));
	if (rule->since.known)
		SAY(screen, TW_STYLE_PLAIN, 2, ", %s for %s", rule->state,
		    figure_of(rule->since, TW_UNIT_SECONDS).bytes);
	tw_screen_end(screen);
	tw_screen_indent(screen, SENTENCE_INDENT);
	if (rule->finding[0] != '\0')
		tw_screen_words(screen, TW_STYLE_PLAIN, SENTENCE_INDENT, rule->finding);
	else
		say_figures(screen, rule);
	tw_screen_end(screen);
	for (unsigned i = 0; i < namespace->changes.count; i++) {
		const struct tw_view_change *change = &namespace->changes.rows[i];

		if (!is_yielded(change) && strcmp(change->rule, rule->name) == 0)
			say_done(screen, change);
	}
}

static void add_raised(struct tw_screen *screen, const struct tw_view_namespace *namespace)
{
	const struct tw_view_rule *raised[TW_RULES_MAX];
	unsigned count = tw_status_raised(namespace, raised);

	if (!namespace->rules.known) {
		tw_screen_words(screen, TW_STYLE_TITLE, 0, "Raised:");
		tw_screen_words(screen, TW_STYLE_PLAIN, 2, " not known: no daemon");
		tw_screen_end(screen);
		return;
	}
	if (count == 0) {
		tw_screen_words(screen, TW_STYLE_TITLE, 0, "Raised:");
		SAY(screen, TW_STYLE_GOOD, 2, " nothing, of %u rule%s", namespace->rules.count,
		    namespace->rules.count == 1 ? "" : "s");
		tw_screen_end(screen);
		return;
	}
	SAY(screen, TW_STYLE_TITLE, 0, "Raised: %u of %u rule%s", count, namespace->rules.count,
	    namespace->rules.count == 1 ? "" : "s");
	tw_screen_end(screen);
	for (unsigned i = 0; i < count; i++)
		tw_status_add_rule(screen, namespace, raised[i]);
}

static void add_change(struct tw_screen *screen, const struct tw_view_change *change)
{
	tw_screen_indent(screen, 2);
	if (is_yielded(change))
		SAY(screen, TW_STYLE_WARN, SENTENCE_INDENT,
		    "%s: yielded, somebody else has set it%s%s; it was %s before", change->sysctl,
		    change->value[0] != '\0' ? " over our " : "", change->value, or_unknown(change->baseline));
	else
		SAY(screen, TW_STYLE_PLAIN, SENTENCE_INDENT, "%s %s -> %s, by %s", change->sysctl,
		    or_unknown(change->baseline), or_unknown(change->value), or_unknown(change->rule));
	tw_screen_end(screen);
}

static void add_changes(struct tw_screen *screen, const struct tw_view_namespace *namespace)
{
	tw_screen_words(screen, TW_STYLE_TITLE, 0, "Changed:");
	if (namespace->changes.count == 0) {
		tw_screen_words(screen, TW_STYLE_PLAIN, 2,
				namespace->changes.known ? " nothing" : " not known: no daemon");
		tw_screen_end(screen);
		return;
	}
	tw_screen_end(screen);
	for (unsigned i = 0; i < namespace->changes.count; i++)
		add_change(screen, &namespace->changes.rows[i]);
}

/* ---- sockets */

/* In the order of what an administrator looks for. */
static const enum tw_state told_states[] = {
	TW_STATE_ESTABLISHED, TW_STATE_TIME_WAIT, TW_STATE_CLOSE_WAIT, TW_STATE_LISTEN,
	TW_STATE_SYN_RECV,    TW_STATE_SYN_SENT,  TW_STATE_FIN_WAIT_1, TW_STATE_FIN_WAIT_2,
	TW_STATE_LAST_ACK,    TW_STATE_CLOSING,	  TW_STATE_BOUND,
};
_Static_assert(TW_ARRAY_SIZE(told_states) == TW_STATE_COUNT, "each state is told");

/* "SYN-RECV", the number under the longest of it, and what is between two. */
#define STATE_WIDTH 24

static void add_states(struct tw_screen *screen, const struct tw_view_namespace *namespace)
{
	unsigned per_line = TW_MAX(1u, (screen->width - 2) / STATE_WIDTH);

	tw_screen_title(screen,
			namespace->partial ? "States (measured in part: the socket table moved too much)" : "States");
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		struct tw_value count = namespace->states[told_states[i]];
		char cell[STATE_WIDTH + 1];
		struct tw_text text;

		tw_text_init(&text, cell, sizeof(cell));
		tw_text_addf(&text, "  %-12s%*s", tw_state_title(told_states[i]), STATE_WIDTH - 14,
			     count.known ? figure_of(count, TW_UNIT_SOCKETS).bytes : "-");
		tw_text_add_bytes(screen->text, cell, tw_columns_fit(cell, screen->width));
		screen->column += STATE_WIDTH;
		if (i % per_line == per_line - 1 || i == TW_STATE_COUNT - 1)
			tw_screen_end(screen);
	}
}

static const struct tw_grid_column destination_columns[] = {
	{ "PORTS", TW_UNIT_SOCKETS, 9 },       { "USE", TW_UNIT_PERCENT, 8 },	{ "TIME-WAIT", TW_UNIT_SOCKETS, 7 },
	{ "ESTABLISHED", TW_UNIT_SOCKETS, 5 }, { "OTHER", TW_UNIT_SOCKETS, 3 }, { "FULL IN", TW_UNIT_SECONDS, 6 },
};

static void add_grid(struct tw_screen *screen, struct tw_grid *grid, const char *title, unsigned total)
{
	tw_screen_title(screen, title);
	tw_screen_grid(screen, grid);
	if (total > grid->row_count) {
		tw_screen_indent(screen, 2);
		SAY(screen, TW_STYLE_FAINT, 2, "and %u more", total - grid->row_count);
		tw_screen_end(screen);
	}
}

/* The daemon surveys when it has to: the rows may be older than all that stands around them. */
static void say_survey(struct tw_text *text, const struct tw_view_namespace *namespace)
{
	tw_text_add(text, "Busiest destinations");
	if (!namespace->age_survey.known)
		return;
	tw_text_add(text, " (surveyed ");
	tw_value_add(text, namespace->age_survey, TW_UNIT_SECONDS);
	tw_text_add(text, " ago)");
}

static void add_destinations(struct tw_screen *screen, const struct tw_view_namespace *namespace, unsigned rows,
			     struct tw_grid *grid)
{
	unsigned count = namespace->destinations.count;
	char title[SENTENCE_MAX];
	struct tw_text text;

	tw_text_init(&text, title, sizeof(title));
	say_survey(&text, namespace);
	if (count == 0) {
		tw_text_add_char(&text, ':');
		tw_screen_words(screen, TW_STYLE_TITLE, 0, title);
		tw_screen_words(screen, TW_STYLE_PLAIN, 2,
				namespace->destinations.known ? " none, no port is in use" : " not known");
		tw_screen_end(screen);
		return;
	}
	tw_grid_init(grid, destination_columns, TW_ARRAY_SIZE(destination_columns), "FROM -> TO");
	for (unsigned i = 0; i < TW_MIN(count, rows); i++) {
		const struct tw_view_destination *row = &namespace->destinations.rows[i];

		tw_grid_add(grid, or_unknown(row->name),
			    (struct tw_value[]){ row->ports, row->port_use, row->time_wait, row->established,
						 row->other, row->port_eta });
	}
	add_grid(screen, grid, title, count);
}

static const struct tw_grid_column unit_columns[] = {
	{ "CLOSE-WAIT", TW_UNIT_SOCKETS, 9 },
	{ "OLDEST", TW_UNIT_SECONDS, 8 },
	{ "UNREAD BYTES", TW_UNIT_SOCKETS, 3 },
};

static void add_units(struct tw_screen *screen, const struct tw_view_namespace *namespace, unsigned rows,
		      struct tw_grid *grid)
{
	unsigned count = namespace->units.count;

	if (count == 0)
		return;
	tw_grid_init(grid, unit_columns, TW_ARRAY_SIZE(unit_columns), "UNIT");
	for (unsigned i = 0; i < TW_MIN(count, rows); i++) {
		const struct tw_view_unit *row = &namespace->units.rows[i];

		tw_grid_add(grid, or_unknown(row->name), (struct tw_value[]){ row->count, row->oldest, row->unread });
	}
	add_grid(screen, grid, "Units that do not close", count);
}

static const struct tw_grid_column listener_columns[] = {
	{ "QUEUE", TW_UNIT_SOCKETS, 9 },      { "BACKLOG", TW_UNIT_SOCKETS, 8 },  { "CONNECTIONS", TW_UNIT_SOCKETS, 6 },
	{ "CLOSE-WAIT", TW_UNIT_SOCKETS, 4 }, { "SYN-RECV", TW_UNIT_SOCKETS, 3 },
};

static void add_listeners(struct tw_screen *screen, const struct tw_view_namespace *namespace, unsigned rows,
			  struct tw_grid *grid)
{
	unsigned count = namespace->listeners.count;

	if (count == 0)
		return;
	tw_grid_init(grid, listener_columns, TW_ARRAY_SIZE(listener_columns), "ADDRESS");
	for (unsigned i = 0; i < TW_MIN(count, rows); i++) {
		const struct tw_view_listener *row = &namespace->listeners.rows[i];

		tw_grid_add(grid, or_unknown(row->address),
			    (struct tw_value[]){ row->queue, row->backlog, row->connections, row->close_wait,
						 row->syn_recv });
	}
	add_grid(screen, grid, "Fullest listeners", count);
}

/* ---- the page */

static void add_namespace(struct tw_screen *screen, const struct tw_status_order *order,
			  const struct tw_view_namespace *namespace)
{
	struct tw_grid grid;

	if (order->view->namespace_count > 1) {
		tw_screen_end(screen);
		SAY(screen, TW_STYLE_TITLE, 0, "Network namespace %s", or_unknown(namespace->name));
		tw_screen_end(screen);
	}
	add_raised(screen, namespace);
	add_changes(screen, namespace);
	add_states(screen, namespace);
	add_destinations(screen, namespace, order->rows, &grid);
	add_units(screen, namespace, order->rows, &grid);
	add_listeners(screen, namespace, order->rows, &grid);
	if (!order->why_direct)
		tw_status_add_cost(screen, namespace);
}

/* Of those beside the first: what is raised in them, whatever else there is. */
static void add_others(struct tw_screen *screen, const struct tw_status_order *order)
{
	for (unsigned i = 1; i < order->view->namespace_count; i++) {
		const struct tw_view_namespace *namespace = &order->view->namespaces[i];
		const struct tw_view_rule *raised[TW_RULES_MAX];
		unsigned count = tw_status_raised(namespace, raised);

		if (count == 0)
			continue;
		tw_screen_end(screen);
		SAY(screen, TW_STYLE_TITLE, 0, "Raised in %s: %u of %u rules", or_unknown(namespace->name), count,
		    namespace->rules.count);
		tw_screen_end(screen);
		for (unsigned k = 0; k < count; k++)
			tw_status_add_rule(screen, namespace, raised[k]);
	}
}

void tw_status_add(struct tw_screen *screen, const struct tw_status_order *order)
{
	say_source(screen, order);
	if (order->chosen) {
		add_namespace(screen, order, order->chosen);
	} else if (order->view->namespace_count > 0) {
		add_namespace(screen, order, &order->view->namespaces[0]);
		add_others(screen, order);
		if (order->view->namespace_count > 1)
			tw_status_add_namespaces(screen, order->view, 2 * order->rows);
	}
}
