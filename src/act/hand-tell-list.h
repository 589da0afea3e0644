/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/hand-tell.h"
#include "base/text.h"

/* What the hand says of net.ipv4.ip_local_reserved_ports, within records of the range and in records of its own. */

/* "8080,9000-9010": what was put into the list, or how many where that is long. */
void tw_hand_tell_added(struct tw_text *text, const struct tw_ledger_reserved *reserved);

/* Why the list stands in the way of a wider range; nothing for what is no obstacle of the list. */
void tw_hand_tell_list_obstacle(struct tw_text *reason, enum tw_hand_obstacle obstacle, int error);
