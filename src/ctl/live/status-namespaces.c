/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/status-namespaces.h"

#include "base/macros.h"

#include <inttypes.h>
#include <string.h>

const struct tw_view_namespace *tw_status_find(const struct tw_view *view, const char *name)
{
	for (unsigned i = 0; i < view->namespace_count; i++)
		if (strcmp(view->namespaces[i].name, name) == 0)
			return &view->namespaces[i];
	return NULL;
}

static struct tw_value count_raised(const struct tw_view_namespace *namespace)
{
	int64_t raised = 0;

	for (unsigned i = 0; i < namespace->rules.count; i++)
		raised += tw_view_rule_is_raised(&namespace->rules.rows[i]);
	return namespace->rules.known ? tw_value_of(raised * 1000) : tw_value_unknown();
}

static int64_t count_sockets(const struct tw_view_namespace *namespace)
{
	int64_t sockets = 0;

	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		if (namespace->states[i].known && namespace->states[i].milli < INT64_MAX / TW_STATE_COUNT)
			sockets += namespace->states[i].milli;
	return sockets;
}

/* What is known is more than what is not. */
static int compare(struct tw_value a, struct tw_value b)
{
	if (a.known != b.known)
		return a.known ? 1 : -1;
	return !a.known || a.milli == b.milli ? 0 : a.milli > b.milli ? 1 : -1;
}

static bool is_before(const struct tw_view_namespace *a, const struct tw_view_namespace *b)
{
	int order = compare(count_raised(a), count_raised(b));

	if (order == 0)
		order = compare(a->metrics[TW_METRIC_PORT_USE], b->metrics[TW_METRIC_PORT_USE]);
	if (order == 0)
		order = compare(tw_value_of(count_sockets(a)), tw_value_of(count_sockets(b)));
	return order != 0 ? order > 0 : strcmp(a->name, b->name) < 0;
}

static unsigned find_first(const struct tw_view *view, const struct tw_view_namespace **top, unsigned room)
{
	unsigned count = 0;

	for (unsigned i = 0; i < view->namespace_count; i++) {
		const struct tw_view_namespace *namespace = &view->namespaces[i];
		unsigned at;

		if (count == room && !is_before(namespace, top[count - 1]))
			continue;
		count += count < room;
		for (at = count - 1; at > 0 && is_before(namespace, top[at - 1]); at--)
			top[at] = top[at - 1];
		top[at] = namespace;
	}
	return count;
}

static const struct tw_grid_column columns[] = {
	{ "RAISED", TW_UNIT_SOCKETS, 8 },      { "USE", TW_UNIT_PERCENT, 9 },
	{ "ESTABLISHED", TW_UNIT_SOCKETS, 5 }, { "TIME-WAIT", TW_UNIT_SOCKETS, 7 },
	{ "CLOSE-WAIT", TW_UNIT_SOCKETS, 6 },  { "COUNTED AGO", TW_UNIT_SECONDS, 4 },
};

void tw_status_add_namespaces(struct tw_screen *screen, const struct tw_view *view, unsigned rows)
{
	const struct tw_view_namespace *top[TW_GRID_ROWS_MAX];
	unsigned count = find_first(view, top, TW_MIN(TW_MAX(rows, 1u), (unsigned)TW_GRID_ROWS_MAX));
	char bytes[128];
	struct tw_text text;
	struct tw_grid grid;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_addf(&text, "Network namespaces (%u)", view->namespace_count);
	tw_grid_init(&grid, columns, TW_ARRAY_SIZE(columns), "NAME");
	for (unsigned i = 0; i < count; i++)
		tw_grid_add(&grid, top[i]->name[0] != '\0' ? top[i]->name : "unknown",
			    (struct tw_value[]){ count_raised(top[i]), top[i]->metrics[TW_METRIC_PORT_USE],
						 top[i]->states[TW_STATE_ESTABLISHED],
						 top[i]->states[TW_STATE_TIME_WAIT],
						 top[i]->states[TW_STATE_CLOSE_WAIT], top[i]->age_census });
	tw_screen_title(screen, bytes);
	tw_screen_grid(screen, &grid);
	if (view->namespace_count == count)
		return;
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_addf(&text, "and %u more; --namespace NAME shows one", view->namespace_count - count);
	tw_screen_indent(screen, 2);
	tw_screen_words(screen, TW_STYLE_FAINT, 2, bytes);
	tw_screen_end(screen);
}
