/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/crash-sink.h"

#ifdef TW_CRASH_POINTS

#include "base/parse.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void tw_crash_point(void)
{
	static uint64_t reached;
	const char *text = getenv("TW_CRASH_AT");
	uint64_t at;

	reached++;
	if (text && tw_parse_u64(text, strlen(text), &at) == 0 && reached == at)
		(void)kill(getpid(), SIGKILL);
}

#endif
