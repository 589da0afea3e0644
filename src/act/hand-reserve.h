/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/hand-step.h"
#include "act/hand-tell.h"
#include "act/hand.h"

/*
 * net.ipv4.ip_local_reserved_ports, of which connect() never picks: in a wider range it keeps the port of a service
 * free while that is restarted. Only what is listened on is put in, and only for as long as the range is ours.
 */

/* All of it does nothing, and finds nothing in the way, where `tunable` is not ip_local_port_range. */

/*
 * What widening the range from the entry's baseline to its `written` takes, put into the ledger and not yet into the
 * world. `listening` may be NULL where it is not known. Returns TW_HAND_OBSTACLE_NONE, also where it takes nothing, or
 * what is in the way, with the ledger's list as it was.
 */
enum tw_hand_obstacle tw_hand_reserve_plan(struct tw_hand *hand, enum tw_tunable tunable,
					   const struct tw_ledger_entry *entry, const struct tw_port_set *listening,
					   int *ret_error);

/* Takes back a plan that could not be saved. */
void tw_hand_reserve_forget(struct tw_hand *hand, enum tw_tunable tunable);

/* Carries out what was planned and saved, and looks at it. What is left of a failure is tw_hand_release()'s. */
enum tw_hand_obstacle tw_hand_reserve(struct tw_hand *hand, enum tw_tunable tunable, int *ret_error);

/*
 * Puts the list back where the range is no longer ours; where somebody else has changed it meanwhile, it is theirs.
 * Returns 0, or -errno where it is still owed.
 */
int tw_hand_release(struct tw_hand *hand, enum tw_tunable tunable, enum tw_hand_will will);
