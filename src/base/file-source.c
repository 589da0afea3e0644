/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file-source.h"

#include "base/fd.h"

#include <fcntl.h>

long tw_file_read(int directory_fd, const char *path, char *buffer, size_t capacity)
{
	TW_CLEANUP_CLOSE int fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t length = 0;

	if (fd < 0)
		return tw_errno();
	/* A short read is no end: /proc hands out a page at a time. The NUL's place serves to notice one byte too many.
	 */
	while (length < capacity) {
		ssize_t n = read(fd, buffer + length, capacity - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return tw_errno();
		if (n == 0) {
			buffer[length] = '\0';
			return (long)length;
		}
		length += (size_t)n;
	}
	return -EFBIG;
}

long tw_file_reread(int fd, char *buffer, size_t capacity)
{
	ssize_t n;

	do
		n = pread(fd, buffer, capacity, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return tw_errno();
	if ((size_t)n == capacity)
		return -EFBIG;
	buffer[n] = '\0';
	return n;
}
