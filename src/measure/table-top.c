/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rows of the table are told, apart from how it counts for its length. */
#include "base/macros.h"
#include "measure/table.h"

#include <string.h>

/* Ordered: the heaviest first, ties by the bytes of their keys. */
struct top {
	const struct tw_table_entry **rows;
	uint64_t weights[TW_TOP_MAX];
	unsigned count;
};

static bool ranks_above(const struct tw_table_entry *a, uint64_t a_weight, const struct tw_table_entry *b,
			uint64_t b_weight)
{
	if (a_weight != b_weight)
		return a_weight > b_weight;
	return memcmp(&a->key, &b->key, sizeof(a->key)) < 0;
}

/* Into its place among the first `count`; the one that stood behind them is gone. */
static void insert(struct top *top, unsigned count, const struct tw_table_entry *entry, uint64_t weight)
{
	unsigned at;

	for (at = count; at > 0 && ranks_above(entry, weight, top->rows[at - 1], top->weights[at - 1]); at--) {
		top->rows[at] = top->rows[at - 1];
		top->weights[at] = top->weights[at - 1];
	}
	top->rows[at] = entry;
	top->weights[at] = weight;
}

static bool is_watched(const struct tw_watched *watched, const struct tw_table_entry *entry)
{
	for (unsigned i = 0; i < watched->count; i++)
		if (memcmp(&watched->keys[i], &entry->key, sizeof(entry->key)) == 0)
			return true;
	return false;
}

static bool has(const struct top *top, const struct tw_table_entry *entry)
{
	for (unsigned i = 0; i < top->count; i++)
		if (top->rows[i] == entry)
			return true;
	return false;
}

/* The last row that nobody watches makes room; where there is none, nothing changes. */
static void replace_last(struct top *top, const struct tw_watched *watched, const struct tw_table_entry *entry,
			 uint64_t weight)
{
	unsigned last = top->count;

	while (last > 0 && is_watched(watched, top->rows[last - 1]))
		last--;
	if (last == 0)
		return;
	for (unsigned i = last; i < top->count; i++) {
		top->rows[i - 1] = top->rows[i];
		top->weights[i - 1] = top->weights[i];
	}
	insert(top, top->count - 1, entry, weight);
}

unsigned tw_table_top(const struct tw_table *table, const struct tw_watched *watched, tw_table_weigh weigh,
		      void *context, const struct tw_table_entry **rows, unsigned room)
{
	struct top top = { .rows = rows };

	room = TW_MIN(room, (unsigned)TW_TOP_MAX);
	for (uint32_t i = 0; i < table->slot_count && room > 0; i++) {
		const struct tw_table_entry *entry = &table->slots[i];
		uint64_t weight = entry->used ? weigh(context, entry) : 0;

		if (!entry->used ||
		    (top.count == room && !ranks_above(entry, weight, rows[top.count - 1], top.weights[top.count - 1])))
			continue;
		if (top.count < room)
			top.count++;
		insert(&top, top.count - 1, entry, weight);
	}
	/* Else all are there. */
	for (unsigned i = 0; top.count == room && i < watched->count; i++) {
		const struct tw_table_entry *entry = tw_table_find(table, &watched->keys[i]);

		if (entry && !has(&top, entry))
			replace_last(&top, watched, entry, weigh(context, entry));
	}
	return top.count;
}
