/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file-source.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

/* One read(2) or, with `from_start`, pread(2) at `at`; interruptions are no matter. */
static long read_once(int fd, char *to, size_t room, size_t at, bool from_start)
{
	ssize_t n;

	do
		n = from_start ? pread(fd, to, room, (off_t)at) : read(fd, to, room);
	while (n < 0 && errno == EINTR);
	return n < 0 ? tw_errno() : n;
}

static long read_whole(int fd, char *buffer, size_t capacity, bool from_start)
{
	size_t length = 0;

	if (capacity == 0)
		return -EFBIG;

	/* A short read is no end: /proc hands out a page at a time. The NUL's place serves to notice one byte too many.
	 */
	while (length < capacity) {
		long n = read_once(fd, buffer + length, capacity - length, length, from_start);

		if (n < 0)
			return n;
		if (n == 0) {
			buffer[length] = '\0';
			return (long)length;
		}
		length += (size_t)n;
	}
	return -EFBIG;
}

long tw_file_read(int directory_fd, const char *path, char *buffer, size_t capacity)
{
	TW_CLEANUP_CLOSE int fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return tw_errno();
	return read_whole(fd, buffer, capacity, false);
}

long tw_file_reread(int fd, char *buffer, size_t capacity)
{
	return read_whole(fd, buffer, capacity, true);
}
