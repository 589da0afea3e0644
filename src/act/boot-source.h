/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger.h"

/* This boot's id, from /proc/sys/kernel/random/boot_id. Returns 0, -EBADMSG for what is none, or -errno. */
int tw_boot_id_read(char ret[TW_BOOT_ID_MAX]);
