/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/hand.h"

/* Stores the hand's ledger before a change. Returns 0 or -errno; then it is saved again at the next reconciliation. */
int tw_hand_save(struct tw_hand *hand);

/* The same after the fact: nothing waits for it, and a failure is told once until it works. */
void tw_hand_save_after(struct tw_hand *hand);
