/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdio.h>
#include <stdlib.h>

/* Of a path that has room for a socket's name behind it (unix(7): 108 bytes). */
#define TEMPORARY_MAX 96

/* Makes a directory where tests/tap.sh looks for what is left. Returns its path, which is `ret`, or NULL. */
static inline char *make_temporary(char ret[TEMPORARY_MAX])
{
	const char *place = getenv("TMPDIR");

	(void)snprintf(ret, TEMPORARY_MAX, "%.80s/tw-XXXXXX", place ? place : "/tmp");
	return mkdtemp(ret);
}
