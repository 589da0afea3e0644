/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/top-model.h"

#include "base/macros.h"

#include <ctype.h>
#include <string.h>

#define ESCAPE 27
#define CONTROL_U 21

static const struct tw_top_pane_info panes[] = {
	[TW_TOP_DESTINATIONS] = {
		.title = "Destinations",
		.name_title = "FROM -> TO",
		.empty = "no port towards any destination is in use",
		.column_count = 6,
		.columns = { { "PORTS", TW_UNIT_SOCKETS, 9 }, { "USE", TW_UNIT_PERCENT, 8 },
			     { "TIME-WAIT", TW_UNIT_SOCKETS, 6 }, { "ESTAB", TW_UNIT_SOCKETS, 5 },
			     { "OTHER", TW_UNIT_SOCKETS, 3 }, { "FULL IN", TW_UNIT_SECONDS, 4 } },
		.traced = 0,
	},
	[TW_TOP_LISTENERS] = {
		.title = "Listeners",
		.name_title = "ADDRESS",
		.empty = "nothing listens",
		.column_count = 7,
		.columns = { { "QUEUE", TW_UNIT_SOCKETS, 8 }, { "BACKLOG", TW_UNIT_SOCKETS, 7 },
			     { "FULL", TW_UNIT_PERCENT, 9 }, { "CONNS", TW_UNIT_SOCKETS, 6 },
			     { "CLOSE-WAIT", TW_UNIT_SOCKETS, 5 }, { "SYN-RECV", TW_UNIT_SOCKETS, 4 },
			     { "TIME-WAIT", TW_UNIT_SOCKETS, 3 } },
		.traced = 3,
	},
	[TW_TOP_UNITS] = {
		.title = "Units",
		.name_title = "UNIT",
		.empty = "no unit has sockets in CLOSE-WAIT, or bound and not connected",
		.column_count = 4,
		.columns = { { "CLOSE-WAIT", TW_UNIT_SOCKETS, 9 }, { "OLDEST", TW_UNIT_SECONDS, 8 },
			     { "UNREAD", TW_UNIT_SOCKETS, 4 }, { "BOUND", TW_UNIT_SOCKETS, 6 } },
		.traced = 0,
	},
	[TW_TOP_NAMESPACES] = {
		.title = "Namespaces",
		.name_title = "NAMESPACE",
		.empty = "no network namespace is watched",
		.column_count = 7,
		.columns = { { "PORT-USE", TW_UNIT_PERCENT, 9 }, { "ESTAB", TW_UNIT_SOCKETS, 7 },
			     { "TIME-WAIT", TW_UNIT_SOCKETS, 6 }, { "CLOSE-WAIT", TW_UNIT_SOCKETS, 5 },
			     { "QUEUE", TW_UNIT_PERCENT, 4 }, { "RAISED", TW_UNIT_SOCKETS, 8 },
			     { "CHANGED", TW_UNIT_SOCKETS, 3 } },
		.traced = 2,
	},
};
_Static_assert(TW_ARRAY_SIZE(panes) == TW_TOP_PANE_COUNT, "each pane has its row");

const struct tw_top_pane_info *tw_top_pane_info(enum tw_top_pane pane)
{
	return &panes[pane];
}

/* ---- rows */

/* A row of the pane; where more than one namespace is watched its name tells which. NULL where there is no room. */
static struct tw_top_row *add_row(struct tw_top_table *table, const char *name, const char *namespace)
{
	struct tw_top_row *row;
	struct tw_text text;

	if (table->row_count == TW_TOP_ROWS_MAX)
		return NULL;
	row = &table->rows[table->row_count++];
	*row = (struct tw_top_row){ 0 };
	tw_text_init(&text, row->name, sizeof(row->name));
	tw_text_add(&text, name[0] != '\0' ? name : "unknown");
	if (namespace)
		tw_text_addf(&text, " (%s)", namespace);
	return row;
}

#define SET_FIGURES(row, ...)                                                      \
	do {                                                                       \
		if (row)                                                           \
			memcpy((row)->figures, (struct tw_value[]){ __VA_ARGS__ }, \
			       sizeof((struct tw_value[]){ __VA_ARGS__ }));        \
	} while (0)

static void add_destinations(struct tw_top_table *table, const struct tw_view_namespace *from, const char *namespace)
{
	table->known |= from->destinations.known;
	for (unsigned i = 0; i < from->destinations.count; i++) {
		const struct tw_view_destination *of = &from->destinations.rows[i];
		struct tw_top_row *row = add_row(table, of->name, namespace);

		SET_FIGURES(row, of->ports, of->port_use, of->time_wait, of->established, of->other, of->port_eta);
	}
}

static struct tw_value fullness(const struct tw_view_listener *of)
{
	if (!of->queue.known || !of->backlog.known || of->queue.milli < 0 || of->backlog.milli < 0)
		return tw_value_unknown();
	/* As tw_listener_fullness(). */
	return tw_value_percent((uint64_t)of->queue.milli, (uint64_t)TW_MAX(of->backlog.milli, 1000));
}

static void add_listeners(struct tw_top_table *table, const struct tw_view_namespace *from, const char *namespace)
{
	table->known |= from->listeners.known;
	for (unsigned i = 0; i < from->listeners.count; i++) {
		const struct tw_view_listener *of = &from->listeners.rows[i];
		struct tw_top_row *row = add_row(table, of->address, namespace);

		SET_FIGURES(row, of->queue, of->backlog, fullness(of), of->connections, of->close_wait, of->syn_recv,
			    of->time_wait);
	}
}

static const struct tw_view_bound *find_bound(const struct tw_view_namespace *from, const char *name)
{
	for (unsigned i = 0; i < from->bound.count; i++)
		if (strcmp(from->bound.rows[i].name, name) == 0)
			return &from->bound.rows[i];
	return NULL;
}

static bool has_unit(const struct tw_view_namespace *from, const char *name)
{
	for (unsigned i = 0; i < from->units.count; i++)
		if (strcmp(from->units.rows[i].name, name) == 0)
			return true;
	return false;
}

static void add_units(struct tw_top_table *table, const struct tw_view_namespace *from, const char *namespace)
{
	/* What is not in a table that is known is none. */
	struct tw_value no_wait = { .known = from->units.known }, no_bound = { .known = from->bound.known };

	table->known |= from->units.known || from->bound.known;
	for (unsigned i = 0; i < from->units.count; i++) {
		const struct tw_view_unit *of = &from->units.rows[i];
		const struct tw_view_bound *bound = find_bound(from, of->name);
		struct tw_top_row *row = add_row(table, of->name, namespace);

		SET_FIGURES(row, of->count, of->oldest, of->unread, bound ? bound->sockets : no_bound);
	}
	for (unsigned i = 0; i < from->bound.count; i++) {
		const struct tw_view_bound *of = &from->bound.rows[i];

		if (!has_unit(from, of->name)) {
			struct tw_top_row *row = add_row(table, of->name, namespace);

			SET_FIGURES(row, no_wait, tw_value_unknown(), tw_value_unknown(), of->sockets);
		}
	}
}

static void add_namespace(struct tw_top_table *table, const struct tw_view_namespace *from)
{
	struct tw_top_row *row = add_row(table, from->name, NULL);
	struct tw_value raised = { .known = from->rules.known };
	struct tw_value changed = { .milli = (int64_t)from->changes.count * 1000, .known = from->changes.known };

	table->known = true;
	for (unsigned i = 0; i < from->rules.count; i++)
		raised.milli += tw_view_rule_is_raised(&from->rules.rows[i]) ? 1000 : 0;
	SET_FIGURES(row, from->metrics[TW_METRIC_PORT_USE], from->states[TW_STATE_ESTABLISHED],
		    from->states[TW_STATE_TIME_WAIT], from->states[TW_STATE_CLOSE_WAIT],
		    from->metrics[TW_METRIC_ACCEPT_QUEUE], raised, changed);
}

/* ---- order and choice */

static bool contains(const char *text, const char *part)
{
	for (; *text != '\0' || *part == '\0'; text++) {
		size_t i = 0;

		while (part[i] != '\0' && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
			i++;
		if (part[i] == '\0')
			return true;
	}
	return false;
}

/* Figures from the highest on, names from A on, until they are reversed; the unknown is last either way. */
static bool is_before(const struct tw_top_table *table, const struct tw_top_pane_info *info, unsigned a, unsigned b)
{
	const struct tw_top_row *left = &table->rows[a], *right = &table->rows[b];
	int order = strcmp(left->name, right->name);

	if (table->sort < info->column_count) {
		struct tw_value x = left->figures[table->sort], y = right->figures[table->sort];

		if (x.known != y.known)
			return x.known;
		if (x.known && x.milli != y.milli)
			return (x.milli > y.milli) != table->reverse;
		return order < 0;
	}
	return table->reverse ? order > 0 : order < 0;
}

static void arrange(struct tw_top *top, enum tw_top_pane pane)
{
	struct tw_top_table *table = &top->tables[pane];

	table->shown_count = 0;
	for (unsigned i = 0; i < table->row_count; i++) {
		unsigned at = table->shown_count;

		if (!contains(table->rows[i].name, top->filter))
			continue;
		for (; at > 0 && is_before(table, &panes[pane], i, table->shown[at - 1]); at--)
			table->shown[at] = table->shown[at - 1];
		table->shown[at] = i;
		table->shown_count++;
	}
	if (table->first >= table->shown_count)
		table->first = table->shown_count > 0 ? table->shown_count - 1 : 0;
}

static void arrange_all(struct tw_top *top)
{
	for (unsigned i = 0; i < TW_TOP_PANE_COUNT; i++)
		arrange(top, (enum tw_top_pane)i);
}

static void trace_rows(struct tw_top_table *table, unsigned traced)
{
	tw_trace_begin(&table->trace);
	for (unsigned i = 0; i < table->row_count; i++)
		tw_trace_note(&table->trace, table->rows[i].name, table->rows[i].figures[traced]);
}

void tw_top_update(struct tw_top *top, const struct tw_view *view)
{
	for (unsigned i = 0; i < TW_TOP_PANE_COUNT; i++) {
		top->tables[i].row_count = 0;
		top->tables[i].known = false;
	}
	for (unsigned i = 0; i < view->namespace_count; i++) {
		const struct tw_view_namespace *from = &view->namespaces[i];
		const char *name = view->namespace_count > 1 ? from->name : NULL;

		add_destinations(&top->tables[TW_TOP_DESTINATIONS], from, name);
		add_listeners(&top->tables[TW_TOP_LISTENERS], from, name);
		add_units(&top->tables[TW_TOP_UNITS], from, name);
		add_namespace(&top->tables[TW_TOP_NAMESPACES], from);
	}
	for (unsigned i = 0; i < TW_TOP_PANE_COUNT; i++)
		trace_rows(&top->tables[i], panes[i].traced);
	arrange_all(top);
}

/* ---- keys */

static void edit_filter(struct tw_top *top, int key)
{
	size_t length = strlen(top->filter);

	if (key == '\n' || key == '\r') {
		top->editing = false;
	} else if (key == ESCAPE) {
		top->editing = false;
		top->filter[0] = '\0';
	} else if (key == CONTROL_U) {
		top->filter[0] = '\0';
	} else if (key == TW_TOP_KEY_BACKSPACE || key == 127 || key == '\b') {
		if (length > 0)
			top->filter[length - 1] = '\0';
	} else if (key >= ' ' && key < 127 && length + 1 < sizeof(top->filter)) {
		top->filter[length] = (char)key;
		top->filter[length + 1] = '\0';
	}
	arrange_all(top);
}

static void scroll(struct tw_top_table *table, int key, unsigned page)
{
	unsigned last = table->shown_count > page ? table->shown_count - page : 0;
	unsigned step = key == TW_TOP_KEY_PAGE_UP || key == TW_TOP_KEY_PAGE_DOWN ? TW_MAX(page, 1u) : 1;

	if (key == TW_TOP_KEY_HOME)
		table->first = 0;
	else if (key == TW_TOP_KEY_END)
		table->first = last;
	else if (key == TW_TOP_KEY_UP || key == TW_TOP_KEY_PAGE_UP)
		table->first -= TW_MIN(step, table->first);
	else
		table->first = TW_MIN(table->first + step, TW_MAX(last, table->first));
}

static void switch_pane(struct tw_top *top, unsigned pane)
{
	top->pane = (enum tw_top_pane)(pane % TW_TOP_PANE_COUNT);
}

bool tw_top_key(struct tw_top *top, int key, unsigned page)
{
	struct tw_top_table *table = &top->tables[top->pane];

	if (top->editing) {
		edit_filter(top, key);
		return true;
	}
	if (top->help) {
		top->help = false;
		return key != 'q';
	}
	if (key >= '1' && key <= '4')
		switch_pane(top, (unsigned)(key - '1'));
	else if (key >= TW_TOP_KEY_UP && key <= TW_TOP_KEY_END)
		scroll(table, key, page);
	switch (key) {
	case 'q':
		return false;
	case '\t':
		switch_pane(top, top->pane + 1u);
		break;
	case TW_TOP_KEY_BACK_TAB:
		switch_pane(top, top->pane + TW_TOP_PANE_COUNT - 1u);
		break;
	case 's':
		table->sort = (table->sort + 1) % (panes[top->pane].column_count + 1);
		break;
	case 'r':
		table->reverse = !table->reverse;
		break;
	case '/':
		top->editing = true;
		break;
	case ESCAPE:
		top->filter[0] = '\0';
		break;
	case ' ':
		top->paused = !top->paused;
		break;
	case '?':
	case 'h':
		top->help = true;
		break;
	}
	arrange_all(top);
	return true;
}
