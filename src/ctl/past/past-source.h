/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/past/past.h"

/*
 * Reads the records that are ordered, from wherever they are. Says on standard error what went wrong, and what to do.
 * Returns -1 to go on, with how many there were, or the exit status.
 */
int tw_past_load(const struct tw_past_order *order, struct tw_past_taker *taker, long *ret_count);

/* Says that there is none of `what` ("record", "sample") among those ordered, and why that may be. Returns the status.
 */
int tw_past_complain_none(const struct tw_past_order *order, const char *what);
