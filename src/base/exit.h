/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Exit statuses of every program here, as the manuals promise them; 78 is EX_CONFIG of sysexits.h. */
enum {
	TW_EXIT_OK = 0,
	TW_EXIT_FAILURE = 1,
	TW_EXIT_USAGE = 2,
	TW_EXIT_CONFIG = 78,
};
