/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/past/past.h"

/*
 * Reads timewaitd's records out of a journal. Returns how many there were; -EACCES where nothing was found and the
 * system's journal is not the caller's to read; what the taker returned; or -errno.
 */
long tw_journal_read(const struct tw_past_order *order, struct tw_past_taker *taker);
