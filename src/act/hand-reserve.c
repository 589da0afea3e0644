/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/hand-reserve.h"

#include "act/hand-save.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

static int look(struct tw_hand *hand, struct tw_port_set *ret)
{
	return hand->sysctl->read_reserved(hand->sysctl, ret);
}

static bool is_pending(const struct tw_ledger_reserved *reserved)
{
	return !tw_port_set_equal(&reserved->previous, &reserved->written);
}

/* A write that was announced may not have happened: then the list before it is still what we left. */
static bool is_left_by_us(const struct tw_ledger_reserved *reserved, const struct tw_port_set *live)
{
	return tw_port_set_equal(live, &reserved->written) || tw_port_set_equal(live, &reserved->previous);
}

/* Whether the kernel takes it in one write. */
static bool is_short(const struct tw_port_set *ports)
{
	char bytes[TW_PORT_SET_TEXT_MAX];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_port_set_add_text(ports, &text);
	return !text.cut;
}

static void add_range(struct tw_port_set *set, const struct tw_tunable_value *range)
{
	if (range->numbers[0] >= 0 && range->numbers[1] <= UINT16_MAX)
		tw_port_set_add_range(set, (uint16_t)range->numbers[0], (uint16_t)range->numbers[1]);
}

/* What is listened on in what `to` has and `from` has not. */
static void find_needed(const struct tw_tunable_value *from, const struct tw_tunable_value *to,
			const struct tw_port_set *listening, struct tw_port_set *ret)
{
	struct tw_port_set old = { 0 };

	memset(ret, 0, sizeof(*ret));
	add_range(ret, to);
	add_range(&old, from);
	tw_port_set_subtract(ret, &old);
	tw_port_set_intersect(ret, listening);
}

enum tw_hand_obstacle tw_hand_reserve_plan(struct tw_hand *hand, enum tw_tunable tunable,
					   const struct tw_ledger_entry *entry, const struct tw_port_set *listening,
					   int *ret_error)
{
	struct tw_ledger_reserved *reserved = &hand->ledger.reserved;
	struct tw_port_set live, wanted;

	if (tunable != TW_TUNABLE_PORT_RANGE)
		return TW_HAND_OBSTACLE_NONE;
	if (!listening)
		return TW_HAND_OBSTACLE_LISTENERS;
	*ret_error = look(hand, &live);
	if (*ret_error < 0)
		return *ret_error == -E2BIG ? TW_HAND_OBSTACLE_LIST_LONG : TW_HAND_OBSTACLE_LIST_READ;
	if (reserved->ours && !is_left_by_us(reserved, &live))
		return TW_HAND_OBSTACLE_LIST_FOREIGN;
	find_needed(&entry->baseline, &entry->written, listening, &wanted);
	tw_port_set_unite(&wanted, &live);
	if (!is_short(&wanted))
		return TW_HAND_OBSTACLE_LIST_LONG;
	if (!reserved->ours && tw_port_set_equal(&wanted, &live))
		return TW_HAND_OBSTACLE_NONE;
	if (!reserved->ours)
		reserved->baseline = live;
	reserved->ours = true;
	reserved->previous = live;
	reserved->written = wanted;
	return TW_HAND_OBSTACLE_NONE;
}

void tw_hand_reserve_forget(struct tw_hand *hand, enum tw_tunable tunable)
{
	struct tw_ledger_reserved *reserved = &hand->ledger.reserved;

	if (tunable != TW_TUNABLE_PORT_RANGE)
		return;
	reserved->written = reserved->previous;
	if (tw_port_set_equal(&reserved->previous, &reserved->baseline))
		memset(reserved, 0, sizeof(*reserved));
}

enum tw_hand_obstacle tw_hand_reserve(struct tw_hand *hand, enum tw_tunable tunable, int *ret_error)
{
	struct tw_ledger_reserved *reserved = &hand->ledger.reserved;
	struct tw_port_set found;
	int r, looked;

	if (tunable != TW_TUNABLE_PORT_RANGE || !reserved->ours || !is_pending(reserved))
		return TW_HAND_OBSTACLE_NONE;
	r = hand->sysctl->write_reserved(hand->sysctl, &reserved->written);
	looked = look(hand, &found);
	*ret_error = r < 0 ? r : looked;
	if (looked < 0)
		return r < 0 ? TW_HAND_OBSTACLE_LIST_WRITE : TW_HAND_OBSTACLE_LIST_READ;
	if (!tw_port_set_equal(&found, &reserved->written))
		return r < 0 ? TW_HAND_OBSTACLE_LIST_WRITE : TW_HAND_OBSTACLE_LIST_KEPT;
	reserved->previous = reserved->written;
	return TW_HAND_OBSTACLE_NONE;
}

static void drop(struct tw_hand *hand)
{
	memset(&hand->ledger.reserved, 0, sizeof(hand->ledger.reserved));
	hand->reserved_used = false;
	hand->reserved_failed = false;
	tw_hand_save_after(hand);
}

static int fail(struct tw_hand *hand, int error)
{
	if (!hand->reserved_failed)
		tw_hand_tell_list_owed(hand, error);
	hand->reserved_failed = true;
	return error;
}

static int yield(struct tw_hand *hand, const struct tw_port_set *live)
{
	tw_hand_tell_list_yielded(hand, live);
	drop(hand);
	return 0;
}

/* What never had a range over it was told of as refused. */
static int end(struct tw_hand *hand, enum tw_hand_will will)
{
	if (hand->reserved_used || will == TW_HAND_WILL_RECOVER)
		tw_hand_tell_list_restored(hand);
	drop(hand);
	return 0;
}

/* `live` is what we left. */
static int put_back(struct tw_hand *hand, const struct tw_port_set *live, enum tw_hand_will will)
{
	struct tw_ledger_reserved *reserved = &hand->ledger.reserved;
	struct tw_port_set written = reserved->written, found;
	int r, looked;

	reserved->previous = *live;
	reserved->written = reserved->baseline;
	r = hand->sysctl->write_reserved(hand->sysctl, &reserved->baseline);
	looked = look(hand, &found);
	if (looked < 0) /* whether it is back shows at the next look */
		return fail(hand, r < 0 ? r : looked);
	if (tw_port_set_equal(&found, &reserved->baseline))
		return end(hand, will);
	reserved->written = written;
	return tw_port_set_equal(&found, live) ? fail(hand, r < 0 ? r : -EIO) : yield(hand, &found);
}

int tw_hand_release(struct tw_hand *hand, enum tw_tunable tunable, enum tw_hand_will will)
{
	const struct tw_ledger_reserved *reserved = &hand->ledger.reserved;
	struct tw_port_set live;
	int r;

	if (tunable != TW_TUNABLE_PORT_RANGE || !reserved->ours ||
	    hand->ledger.entries[tunable].owner != TW_OWNER_NOBODY)
		return 0;
	r = look(hand, &live);
	if (r < 0)
		return fail(hand, r);
	if (tw_port_set_equal(&live, &reserved->baseline)) {
		if (is_pending(reserved) && tw_port_set_equal(&live, &reserved->written))
			return end(hand, will);
		if (is_pending(reserved) || will == TW_HAND_WILL_RECOVER) {
			drop(hand);
			return 0;
		}
	}
	return is_left_by_us(reserved, &live) ? put_back(hand, &live, will) : yield(hand, &live);
}
