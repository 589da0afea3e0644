/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"

#include <errno.h>
#include <unistd.h>

/* errno as a negative value that is never 0, taken at once. */
static inline int tw_errno(void)
{
	return errno > 0 ? -errno : -EIO;
}

/* Closes and returns -1, to be assigned: `fd = tw_close(fd)`. Keeps errno. */
static inline int tw_close(int fd)
{
	if (fd >= 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
	}
	return -1;
}

static inline void tw_closep(int *fd)
{
	*fd = tw_close(*fd);
}
#define TW_CLEANUP_CLOSE TW_CLEANUP(tw_closep)
