/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/textfile-sink.h"

#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a collector takes for its own ends in ".prom": this does not. */
#define NEW_SUFFIX ".new"
#define FILE_MODE 0644

static int write_whole(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return tw_errno();
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

/* One that a killed run left is in the way, whatever it is. */
static int open_new(const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, flags, FILE_MODE);

	if (fd < 0 && errno == EEXIST && unlink(path) == 0)
		fd = open(path, flags, FILE_MODE);
	return fd < 0 ? tw_errno() : fd;
}

int tw_textfile_write(const char *path, const char *bytes, size_t length)
{
	TW_CLEANUP_CLOSE int fd = -1;
	char beside[PATH_MAX];
	struct tw_text name;
	int r;

	tw_text_init(&name, beside, sizeof(beside));
	tw_text_addf(&name, "%s" NEW_SUFFIX, path);
	if (name.cut)
		return -ENAMETOOLONG;
	fd = open_new(beside);
	if (fd < 0)
		return fd;
	r = write_whole(fd, bytes, length);
	/* Not as the umask would have it. */
	if (r >= 0 && fchmod(fd, FILE_MODE) < 0)
		r = tw_errno();
	if (r >= 0 && rename(beside, path) < 0)
		r = tw_errno();
	if (r < 0)
		(void)unlink(beside);
	return r;
}
