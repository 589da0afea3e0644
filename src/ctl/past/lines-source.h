/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/past/past.h"

/*
 * Reads them out of lines of JSON. Returns how many there were; -EBADMSG for a line that is no object, whose number is
 * in *ret_line then; what the taker returned; or -errno.
 */
long tw_lines_read(const struct tw_past_order *order, struct tw_past_taker *taker, unsigned long *ret_line);
