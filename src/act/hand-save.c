/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/hand-save.h"

#include "act/hand-tell.h"

int tw_hand_save(struct tw_hand *hand)
{
	int r = hand->store->save(hand->store, &hand->ledger);

	hand->unsaved = r < 0;
	if (r >= 0)
		hand->unsaved_told = false;
	return r;
}

void tw_hand_save_after(struct tw_hand *hand)
{
	int r = tw_hand_save(hand);

	if (r < 0 && !hand->unsaved_told) {
		hand->unsaved_told = true;
		tw_hand_tell_stale(hand, r);
	}
}
