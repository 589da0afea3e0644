/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"

#include <time.h>

/* What a clock of clock_gettime(2) shows, in microseconds; 0 where there is none. */
static inline usec_t tw_clock_read(clockid_t id)
{
	struct timespec now = { 0 };

	(void)clock_gettime(id, &now);
	return (usec_t)now.tv_sec * TW_USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}
