/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-load.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/macros.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Far above what 64 rules take; it bounds what a wrong path (a log, a device) can cost. */
#define TEXT_MAX ((size_t)1 << 20)

/* The texts of a configuration, in the order of reading. */
struct file_list {
	char **paths;
	size_t count;
	bool has_main; /* the first is the main file, or the one asked for */
	char *broken;  /* the drop-in directory, where it cannot be listed */
	int error;
};

static void file_list_done(struct file_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->paths[i]);
	free(list->paths);
	free(list->broken);
}

static int file_list_add(struct file_list *list, const char *path)
{
	char **paths = reallocarray(list->paths, list->count + 1, sizeof(*paths));

	if (!paths)
		return -ENOMEM;
	list->paths = paths;
	paths[list->count] = strdup(path);
	if (!paths[list->count])
		return -ENOMEM;
	list->count++;
	return 0;
}

/* Editors leave their own files beside ours, and hide them: ".#local.conf". */
static bool is_drop_in_name(const char *name)
{
	static const char suffix[] = ".conf";
	size_t length = strlen(name);

	return name[0] != '.' && length >= sizeof(suffix) && strcmp(name + length - (sizeof(suffix) - 1), suffix) == 0;
}

/* Whether a drop-in is one to read: a link that leads nowhere is, so that it is told; a directory is not. */
static bool is_drop_in(int directory_fd, const char *name)
{
	struct stat status;

	return is_drop_in_name(name) && (fstatat(directory_fd, name, &status, 0) < 0 || S_ISREG(status.st_mode));
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_directory(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

static int file_list_add_entry(struct file_list *list, const char *path, const char *name)
{
	TW_CLEANUP_FREE char *whole = NULL;

	if (asprintf(&whole, "%s/%s", path, name) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	return file_list_add(list, whole);
}

/* Adds every drop-in. Returns 0 where there is no such directory, or -errno. */
static int list_drop_ins(struct file_list *list, const char *path)
{
	TW_CLEANUP(close_directory) DIR *directory = opendir(path);
	size_t first = list->count;
	struct dirent *entry;
	int r = 0;

	if (!directory)
		return errno == ENOENT ? 0 : tw_errno();
	for (errno = 0; r == 0 && (entry = readdir(directory)); errno = 0)
		if (is_drop_in(dirfd(directory), entry->d_name))
			r = file_list_add_entry(list, path, entry->d_name);
	if (r == 0 && errno > 0)
		r = tw_errno();
	if (list->count > first)
		qsort(list->paths + first, list->count - first, sizeof(*list->paths), compare_paths);
	return r;
}

/* The main file where there is one, or its place cannot be looked at; then the drop-ins. */
static int list_files(struct file_list *list, const char *main_file, const char *drop_in_directory)
{
	struct stat status;
	int r = 0;

	if (main_file && (stat(main_file, &status) == 0 || errno != ENOENT)) {
		list->has_main = true;
		r = file_list_add(list, main_file);
	}
	if (r < 0 || !drop_in_directory)
		return r;
	r = list_drop_ins(list, drop_in_directory);
	if (r == 0 || r == -ENOMEM)
		return r;
	list->error = r;
	list->broken = strdup(drop_in_directory);
	return list->broken ? 0 : -ENOMEM;
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

static int read_files(const struct file_list *list, struct tw_settings *settings, struct tw_problems *problems)
{
	TW_CLEANUP_SETTINGS_READER struct tw_settings_reader *reader = tw_settings_reader_new(settings, problems);
	TW_CLEANUP_FREE char *buffer = malloc(TEXT_MAX + 1);

	if (!reader || !buffer)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++)
		read_file(reader, list->paths[i], buffer);
	if (list->broken)
		tw_settings_reader_fail(reader, list->broken, strerror(-list->error));
	tw_settings_reader_finish(reader);
	return problems->count > 0 ? -EINVAL : 0;
}

int tw_settings_load(const char *file, const char *main_file, const char *drop_in_directory,
		     struct tw_problems *problems, struct tw_settings **ret)
{
	TW_CLEANUP(file_list_done) struct file_list list = { .has_main = file != NULL };
	TW_CLEANUP_SETTINGS struct tw_settings *settings = NULL;
	int r;

	problems->count = 0;
	r = file ? file_list_add(&list, file) : list_files(&list, main_file, drop_in_directory);
	if (r < 0)
		return r;
	settings = list.has_main ? tw_settings_new_empty() : tw_settings_new();
	if (!settings)
		return -ENOMEM;
	r = read_files(&list, settings, problems);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(settings);
	return 0;
}
