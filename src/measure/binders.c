/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/binders.h"

#include "base/macros.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Slots looked at in one step: the name of a unit is mostly at hand. */
#define SLOTS_A_STEP 64u

void tw_binders_clear(struct tw_binders *binders)
{
	memset(binders, 0, sizeof(*binders));
}

void tw_binders_add(struct tw_binders *binders, const struct tw_flow *flow)
{
	uint64_t cgroup_id = flow->has_cgroup ? flow->cgroup_id : 0;
	/* By the fraction of the golden ratio (Knuth 6.4): the ids are the kernel's, one after the other. */
	uint32_t at = (uint32_t)(cgroup_id * UINT64_C(0x9e3779b97f4a7c15) >> 32) % TW_BINDERS_SLOTS;

	while (binders->slots[at].sockets != 0 && binders->slots[at].cgroup_id != cgroup_id)
		at = (at + 1) % TW_BINDERS_SLOTS;
	if (binders->slots[at].sockets == 0) {
		if (binders->count == TW_BINDERS_MAX)
			return;
		binders->count++;
		binders->slots[at].cgroup_id = cgroup_id;
	}
	binders->slots[at].sockets++;
}

static struct tw_bound_row *find_row(struct tw_binders *binders, const char *unit)
{
	for (unsigned i = 0; i < binders->row_count; i++)
		if (strcmp(binders->rows[i].unit, unit) == 0)
			return &binders->rows[i];
	return NULL;
}

static int compare_rows(const void *left, const void *right)
{
	const struct tw_bound_row *a = left, *b = right;

	if (a->sockets != b->sockets)
		return a->sockets > b->sockets ? -1 : 1;
	return strcmp(a->unit, b->unit);
}

/* A unit may have several cgroups. Where the rows are full the smallest gives way. */
static void add_row(struct tw_binders *binders, const char *unit, uint32_t sockets)
{
	struct tw_bound_row *row = find_row(binders, unit);

	if (!row && binders->row_count < TW_BOUND_ROWS_MAX) {
		row = &binders->rows[binders->row_count++];
	} else if (!row) {
		row = &binders->rows[TW_BOUND_ROWS_MAX - 1];
		if (row->sockets >= sockets)
			return;
		row->sockets = 0;
	}
	if (row->sockets == 0)
		(void)tw_text_copy(row->unit, sizeof(row->unit), unit);
	row->sockets += sockets;
	qsort(binders->rows, binders->row_count, sizeof(*binders->rows), compare_rows);
}

bool tw_binders_step(struct tw_binders *binders, struct tw_source *source)
{
	uint32_t end = TW_MIN(binders->asked + SLOTS_A_STEP, TW_BINDERS_SLOTS);

	for (; binders->asked < end && binders->count > 0; binders->asked++) {
		const struct tw_binder *binder = &binders->slots[binders->asked];
		char unit[TW_UNIT_MAX];

		if (binder->sockets == 0)
			continue;
		if (binder->cgroup_id == 0 || source->unit(source, binder->cgroup_id, unit) < 0)
			unit[0] = '\0';
		add_row(binders, unit, binder->sockets);
	}
	return binders->count > 0 && binders->asked < TW_BINDERS_SLOTS;
}

void tw_binders_results(const struct tw_binders *binders, struct tw_survey *ret)
{
	ret->bound_row_count = binders->row_count;
	memcpy(ret->bound_rows, binders->rows, sizeof(ret->bound_rows));
}
