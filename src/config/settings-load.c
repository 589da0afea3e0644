/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-load.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/macros.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Far above what 64 rules take; it bounds what a wrong path (a log, a device) can cost. */
#define TEXT_MAX ((size_t)1 << 20)

/* Editors leave their own files beside ours, and hide them. */
static int is_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0;
}

/* Not by the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
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
	struct dirent **drop_ins = NULL;
	TW_CLEANUP_FREE char *buffer = malloc(TEXT_MAX + 1);
	TW_CLEANUP_FREE struct tw_settings_reader *reader = NULL;
	TW_CLEANUP_SETTINGS struct tw_settings *settings = NULL;
	char path[PATH_MAX];
	struct stat status;
	/* One whose place cannot be looked at is there: reading it tells why. */
	bool has_main = file || stat(main_file, &status) == 0 || errno != ENOENT;
	int count, error = 0;

	problems->count = 0;
	settings = has_main ? tw_settings_new_empty() : tw_settings_new();
	if (!buffer || !settings)
		return -ENOMEM;
	reader = tw_settings_reader_new(settings, problems);
	if (!reader)
		return -ENOMEM;
	count = file ? 0 : scandir(drop_in_directory, &drop_ins, is_drop_in, compare_names);
	if (count < 0 && errno == ENOMEM)
		return -ENOMEM;
	if (count < 0 && errno != ENOENT)
		error = tw_errno();
	if (has_main)
		read_file(reader, file ? file : main_file, buffer);
	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", drop_in_directory, drop_ins[i]->d_name);
		free(drop_ins[i]);
		if (is_readable(path))
			read_file(reader, path, buffer);
	}
	free(drop_ins);
	if (error < 0)
		tw_settings_reader_fail(reader, drop_in_directory, strerror(-error));
	tw_settings_reader_finish(reader);
	if (problems->count > 0)
		return -EINVAL;
	*ret = TW_TAKE_PTR(settings);
	return 0;
}
