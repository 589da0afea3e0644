/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config.h"

/*
 * A place where the process may die, in builds for the tests (configure --enable-crash-points): the Nth one that is
 * reached kills it with SIGKILL, N being the environment's TW_CRASH_AT. Nothing in any other build.
 */
#ifdef TW_CRASH_POINTS
void tw_crash_point(void);
#else
static inline void tw_crash_point(void)
{
}
#endif
