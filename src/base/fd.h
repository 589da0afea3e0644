/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"

#include <errno.h>
#include <time.h>
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

/* What a clock of clock_gettime(2) shows, in microseconds; 0 where there is none. */
static inline usec_t tw_clock_read(clockid_t id)
{
	struct timespec now = { 0 };

	(void)clock_gettime(id, &now);
	return (usec_t)now.tv_sec * TW_USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}
