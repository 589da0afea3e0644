/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/cgroup-source.h"

#include "base/fd.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of the root: systemd's own name for it. */
#define ROOT_UNIT "-.slice"
/* Ids that a whole walk did not find: a dead cgroup's sockets must not cause a walk at each scan. */
#define MISSING_MAX 256

struct entry {
	uint64_t id;
	char unit[TW_UNIT_MAX];
};

struct tw_cgroup_source {
	const char *root; /* borrows; NULL: to be looked for */
	unsigned directories_max;
	bool may_walk;
	dev_t device;	       /* of the root, in a walk */
	struct entry *entries; /* by id, but in a walk */
	uint32_t count, room;
	uint64_t missing[MISSING_MAX]; /* a ring; no id is 0 */
	unsigned missing_next;
};

/* ---- names */

static bool is_unit(const char *name, size_t length)
{
	static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount", ".swap", ".slice" };

	for (size_t i = 0; i < TW_ARRAY_SIZE(suffixes); i++) {
		size_t suffix_length = strlen(suffixes[i]);

		/* The suffix alone names nothing. */
		if (length > suffix_length && memcmp(name + length - suffix_length, suffixes[i], suffix_length) == 0)
			return true;
	}
	return false;
}

void tw_cgroup_unit(const char *path, size_t length, char ret[TW_UNIT_MAX])
{
	const char *end = path + length, *name = NULL;
	size_t name_length = 0;
	bool unit = false;

	/* From the last component to the first. */
	while (end > path && !unit) {
		const char *slash = memrchr(path, '/', (size_t)(end - path)), *start = slash ? slash + 1 : path;

		unit = is_unit(start, (size_t)(end - start));
		if (unit || (!name && start < end)) {
			name = start;
			name_length = (size_t)(end - start);
		}
		end = slash ? slash : path;
	}
	(void)tw_text_copy_bytes(ret, TW_UNIT_MAX, name ? name : ROOT_UNIT, name ? name_length : strlen(ROOT_UNIT));
}

/* ---- the source */

struct tw_cgroup_source *tw_cgroup_source_new(const char *root, unsigned directories_max)
{
	struct tw_cgroup_source *source = calloc(1, sizeof(*source));

	if (source) {
		source->root = root;
		source->directories_max = directories_max;
	}
	return source;
}

struct tw_cgroup_source *tw_cgroup_source_free(struct tw_cgroup_source *source)
{
	if (source)
		free(source->entries);
	free(source);
	return NULL;
}

void tw_cgroup_source_allow_walk(struct tw_cgroup_source *source)
{
	source->may_walk = true;
}

/* Where cgroup2 is mounted; its whole tree rather than a part of it: what is above was made before, and has a lower id.
 */
static int find_root(char ret[PATH_MAX])
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	ino_t found = 0;
	char text[2 * PATH_MAX];
	struct mntent mount;
	struct stat status;

	if (!mounts)
		return tw_errno();
	while (getmntent_r(mounts, &mount, text, sizeof(text)))
		if (strcmp(mount.mnt_type, "cgroup2") == 0 && stat(mount.mnt_dir, &status) == 0 &&
		    (found == 0 || status.st_ino < found) && tw_text_copy(ret, PATH_MAX, mount.mnt_dir))
			found = status.st_ino;
	(void)endmntent(mounts);
	return found ? 0 : -ENOENT;
}

/* Returns 1, 0 where there is no room for more directories, or -ENOMEM. */
static int add_entry(struct tw_cgroup_source *source, uint64_t id, const char *path)
{
	if (source->count == source->directories_max)
		return 0;
	if (source->count == source->room) {
		uint32_t room = TW_MAX(64u, 2 * source->room);
		struct entry *entries = realloc(source->entries, room * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		source->entries = entries;
		source->room = room;
	}
	source->entries[source->count].id = id;
	tw_cgroup_unit(path, strlen(path), source->entries[source->count++].unit);
	return 1;
}

/* A directory that has gone, or that is not ours to look into, has nothing to tell. Returns 1, or -errno. */
static int pass_over(unsigned depth, int error)
{
	return depth > 0 && (error == ENOENT || error == EACCES || error == EPERM || error == ENODEV) ? 1 : -error;
}

static void close_directory(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

/* The directory and all that is below it; `path` is longer while that is visited. Returns as add_entry(), or -errno. */
static int visit(struct tw_cgroup_source *source, char path[PATH_MAX], size_t root_length, unsigned depth)
{
	TW_CLEANUP(close_directory) DIR *directory = opendir(path);
	size_t length = strlen(path), name_length;
	struct dirent *entry;
	struct stat status;
	int r;

	if (!directory || fstat(dirfd(directory), &status) < 0)
		return pass_over(depth, errno);
	if (depth == 0)
		source->device = status.st_dev;
	/* Another file system is mounted here: its inodes are none of cgroup2's. */
	if (status.st_dev != source->device)
		return 1;
	r = add_entry(source, status.st_ino, path + root_length);
	while (r > 0 && depth < TW_CGROUP_DEPTH_MAX) {
		errno = 0;
		entry = readdir(directory);
		if (!entry)
			return errno == 0 ? 1 : pass_over(depth, errno);
		name_length = strlen(entry->d_name);
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    length + 1 + name_length >= PATH_MAX)
			continue;
		path[length] = '/';
		memcpy(path + length + 1, entry->d_name, name_length + 1);
		r = visit(source, path, root_length, depth + 1);
		path[length] = '\0';
	}
	return r;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Reads the whole tree anew. */
static int walk_tree(struct tw_cgroup_source *source)
{
	char path[PATH_MAX];
	int r = 0;

	if (!source->root)
		r = find_root(path);
	else if (!tw_text_copy(path, sizeof(path), source->root))
		r = -ENAMETOOLONG;
	if (r < 0)
		return r;
	source->count = 0;
	r = visit(source, path, strlen(path), 0);
	if (source->count > 1)
		qsort(source->entries, source->count, sizeof(*source->entries), compare_entries);
	return r;
}

static const struct entry *find(const struct tw_cgroup_source *source, uint64_t id)
{
	const struct entry key = { .id = id };

	return source->count == 0 ? NULL : bsearch(&key, source->entries, source->count, sizeof(key), compare_entries);
}

static bool is_missing(const struct tw_cgroup_source *source, uint64_t id)
{
	for (unsigned i = 0; i < MISSING_MAX; i++)
		if (source->missing[i] == id)
			return true;
	return false;
}

int tw_cgroup_source_unit(struct tw_cgroup_source *source, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	const struct entry *entry = find(source, cgroup_id);

	if (!entry && source->may_walk && !is_missing(source, cgroup_id)) {
		source->may_walk = false;
		if (walk_tree(source) < 0)
			return -ENOENT;
		entry = find(source, cgroup_id);
		/* An id is never used again, and a socket's cgroup is older than the socket: it is no more. */
		if (!entry)
			source->missing[source->missing_next++ % MISSING_MAX] = cgroup_id;
	}
	if (!entry)
		return -ENOENT;
	(void)tw_text_copy(ret, TW_UNIT_MAX, entry->unit);
	return 0;
}
