/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/past/past.h"

/*
 * One line of what `timewaitd --log=json` or `journalctl -o json` wrote, any bytes. Returns 1 for a record that was
 * taken; 0 for one that is passed over: a blank line, another program's, another namespace's, or of another time;
 * -EBADMSG for a line that is no object of JSON; or what the taker returned. `record` is room for it.
 */
int tw_lines_read_one(const struct tw_past_order *order, struct tw_past_taker *taker, struct tw_record *record,
		      const char *line, size_t length);
