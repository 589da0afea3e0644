/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/owners.h"

#include "base/macros.h"
#include "base/text.h"

#include <stdbool.h>
#include <string.h>

void tw_owners_clear(struct tw_owners *owners)
{
	memset(owners->slots, 0, sizeof(owners->slots));
	owners->owner_count = 0;
	owners->unit_count = 0;
}

uint32_t tw_owners_add(struct tw_owners *owners, uint64_t cgroup_id)
{
	/* By the fraction of the golden ratio (Knuth 6.4): the ids are the kernel's, one after the other. */
	uint32_t at = (uint32_t)(cgroup_id * UINT64_C(0x9e3779b97f4a7c15) >> 32) % TW_OWNERS_SLOTS;

	while (owners->slots[at] != 0) {
		uint32_t owner = owners->slots[at] - 1u;

		if (owners->owners[owner].cgroup_id == cgroup_id)
			return owner;
		at = (at + 1) % TW_OWNERS_SLOTS;
	}
	if (owners->owner_count == TW_OWNERS_MAX)
		return TW_NO_UNIT;
	owners->owners[owners->owner_count++] = (struct tw_owner){ cgroup_id, TW_NO_UNIT };
	owners->slots[at] = (uint16_t)owners->owner_count;
	return owners->owner_count - 1;
}

/* FNV-1a: to compare numbers first, and names only where these are equal. */
static uint64_t hash_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash;
}

void tw_owners_name(struct tw_owners *owners, uint32_t owner, const char *unit)
{
	uint64_t hash = hash_of(unit);
	uint32_t at = 0;

	while (at < owners->unit_count &&
	       (owners->units[at].name_hash != hash || strcmp(owners->units[at].name, unit) != 0))
		at++;
	if (at == owners->unit_count) {
		/* There are as many places as owners. */
		owners->unit_count++;
		owners->units[at].name_hash = hash;
		(void)tw_text_copy(owners->units[at].name, sizeof(owners->units[at].name), unit);
	}
	owners->owners[owner].unit = at;
}

static struct tw_owner_unit *unit_of(struct tw_owners *owners, const struct tw_close_wait_socket *waiter)
{
	return waiter->unit == TW_NO_UNIT ? NULL : &owners->units[owners->owners[waiter->unit].unit];
}

static void sum_up(struct tw_owners *owners, const struct tw_close_wait_socket *waiters, uint32_t count, usec_t at_usec)
{
	for (uint32_t i = 0; i < owners->unit_count; i++) {
		struct tw_owner_unit *unit = &owners->units[i];

		unit->count = 0;
		unit->row = TW_NO_UNIT;
		unit->oldest_usec = 0;
		unit->unread = 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct tw_owner_unit *unit = unit_of(owners, &waiters[i]);

		if (!unit)
			continue;
		unit->count++;
		unit->oldest_usec = TW_MAX(unit->oldest_usec, tw_usec_since(at_usec, waiters[i].since_usec));
		unit->unread += waiters[i].unread;
	}
}

static bool ranks_above(const struct tw_owner_unit *a, const struct tw_owner_unit *b)
{
	return a->count != b->count ? a->count > b->count : strcmp(a->name, b->name) < 0;
}

static unsigned find_top(struct tw_owners *owners, struct tw_owner_unit *top[TW_TOP_MAX])
{
	unsigned count = 0;

	for (uint32_t i = 0; i < owners->unit_count; i++) {
		struct tw_owner_unit *unit = &owners->units[i];
		unsigned at;

		if (unit->count == 0 || (count == TW_TOP_MAX && !ranks_above(unit, top[count - 1])))
			continue;
		if (count < TW_TOP_MAX)
			count++;
		for (at = count - 1; at > 0 && ranks_above(unit, top[at - 1]); at--)
			top[at] = top[at - 1];
		top[at] = unit;
	}
	return count;
}

void tw_owners_results(struct tw_owners *owners, struct tw_close_wait_socket *waiters, uint32_t count, usec_t at_usec,
		       struct tw_close_wait *ret)
{
	struct tw_owner_unit *top[TW_TOP_MAX];
	unsigned rows;

	sum_up(owners, waiters, count, at_usec);
	rows = find_top(owners, top);
	ret->row_count = rows;
	for (unsigned i = 0; i < rows; i++) {
		struct tw_close_wait_row *row = &ret->rows[i];

		top[i]->row = i;
		*row = (struct tw_close_wait_row){
			.count = top[i]->count,
			.oldest_usec = top[i]->oldest_usec,
			.unread = top[i]->unread,
		};
		(void)tw_text_copy(row->unit, sizeof(row->unit), top[i]->name);
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct tw_owner_unit *unit = unit_of(owners, &waiters[i]);

		waiters[i].unit = unit ? unit->row : TW_NO_UNIT;
	}
	ret->sockets = waiters;
	ret->socket_count = count;
}
