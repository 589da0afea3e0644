/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-load.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Far above what 64 rules take; it bounds what a wrong path (a log, a device) can cost. */
#define TEXT_MAX ((size_t)1 << 20)

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The drop-ins, in the order of their names. Editors leave their own files beside ours, and hide them, which glob()
 * leaves out. Returns 0, also where there is no such directory, or -errno.
 */
static int find_drop_ins(const char *directory, glob_t *ret)
{
	TW_CLEANUP_FREE char *pattern = NULL;
	struct stat status;
	int r;

	if (stat(directory, &status) < 0)
		return errno == ENOENT ? 0 : tw_errno();
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	if (asprintf(&pattern, "%s/*.conf", directory) < 0) {
		pattern = NULL;
		return -ENOMEM;
	}
	/* Sorted here: glob() would follow the locale. */
	r = glob(pattern, GLOB_ERR | GLOB_NOSORT, NULL, ret);
	if (r == 0)
		qsort(ret->gl_pathv, ret->gl_pathc, sizeof(*ret->gl_pathv), compare_paths);
	if (r == 0 || r == GLOB_NOMATCH)
		return 0;
	return r == GLOB_ABORTED && errno > 0 ? tw_errno() : -ENOMEM;
}

/* Whether a drop-in is one to read: a link that leads nowhere is, so that it is told; a directory is not. */
static bool is_readable(const char *path)
{
	struct stat status;

	return stat(path, &status) < 0 || S_ISREG(status.st_mode);
}

static void read_file(struct tw_settings_reader *reader, const char *path, char *buffer)
{
	long length = tw_file_read(AT_FDCWD, path, buffer, TEXT_MAX + 1);

	if (length >= 0)
		tw_settings_reader_add(reader, path, buffer, (size_t)length);
	else if (length == -EFBIG)
		tw_settings_reader_fail(reader, path, "the file is larger than 1 MiB");
	else
		tw_settings_reader_fail(reader, path, strerror((int)-length));
}

int tw_settings_load(const char *file, const char *main_file, const char *drop_in_directory,
		     struct tw_problems *problems, struct tw_settings **ret)
{
	TW_CLEANUP(globfree) glob_t drop_ins = { 0 };
	TW_CLEANUP_FREE char *buffer = malloc(TEXT_MAX + 1);
	TW_CLEANUP_FREE struct tw_settings_reader *reader = NULL;
	TW_CLEANUP_SETTINGS struct tw_settings *settings = NULL;
	struct stat status;
	/* One whose place cannot be looked at is there: reading it tells why. */
	bool has_main = file || stat(main_file, &status) == 0 || errno != ENOENT;
	int r = file ? 0 : find_drop_ins(drop_in_directory, &drop_ins);

	problems->count = 0;
	settings = has_main ? tw_settings_new_empty() : tw_settings_new();
	if (!buffer || !settings || r == -ENOMEM)
		return -ENOMEM;
	reader = tw_settings_reader_new(settings, problems);
	if (!reader)
		return -ENOMEM;
	if (has_main)
		read_file(reader, file ? file : main_file, buffer);
	for (size_t i = 0; i < drop_ins.gl_pathc; i++)
		if (is_readable(drop_ins.gl_pathv[i]))
			read_file(reader, drop_ins.gl_pathv[i], buffer);
	if (r < 0)
		tw_settings_reader_fail(reader, drop_in_directory, strerror(-r));
	tw_settings_reader_finish(reader);
	if (problems->count > 0)
		return -EINVAL;
	*ret = TW_TAKE_PTR(settings);
	return 0;
}
