/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/counter.h"

#include "base/macros.h"

static const char *const counter_names[] = {
	[TW_COUNTER_TIME_WAIT_OVERFLOW] = "time-wait-overflow",
	[TW_COUNTER_LISTEN_OVERFLOW] = "listen-overflow",
	[TW_COUNTER_LISTEN_DROP] = "listen-drop",
	[TW_COUNTER_SYN_COOKIES] = "syn-cookies",
	[TW_COUNTER_CONNECT_FAIL] = "connect-fail",
	[TW_COUNTER_RESET] = "reset",
	[TW_COUNTER_MEMORY_ABORT] = "memory-abort",
	[TW_COUNTER_TIME_WAIT_REUSED] = "time-wait-reused",
	[TW_COUNTER_ACTIVE_OPEN] = "active-open",
	[TW_COUNTER_PASSIVE_OPEN] = "passive-open",
};
_Static_assert(TW_ARRAY_SIZE(counter_names) == TW_COUNTER_COUNT, "a name for every counter");

const char *tw_counter_name(enum tw_counter counter)
{
	return counter_names[counter];
}
