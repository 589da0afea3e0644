/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/cgroup-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/text.h"
#include "measure/proc/cgroup-unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOUNTINFO_TEXT_MIN 16384
/* The kernel's own limit is 100000 mounts (fs.mount-max) of some 150 bytes. */
#define MOUNTINFO_TEXT_MAX (16 * 1024 * 1024)
/* Ids that a whole walk did not find: a dead cgroup's sockets must not cause a walk at each scan. */
#define MISSING_MAX 256

struct entry {
	uint64_t id;
	uint32_t name; /* offset into names */
};

struct tw_cgroup_source {
	char *root; /* NULL: to be looked for */
	unsigned directories_max;
	bool may_walk;

	struct entry *entries; /* by id */
	uint32_t count, room;
	char *names; /* one behind the other, each with its NUL */
	size_t names_length, names_room;

	uint64_t missing[MISSING_MAX]; /* a ring */
	unsigned missing_count, missing_next;
};

int tw_cgroup_source_new(const char *root, unsigned directories_max, struct tw_cgroup_source **ret)
{
	struct tw_cgroup_source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	source->directories_max = directories_max;
	if (root) {
		source->root = strdup(root);
		if (!source->root) {
			(void)tw_cgroup_source_free(source);
			return -ENOMEM;
		}
	}
	*ret = source;
	return 0;
}

struct tw_cgroup_source *tw_cgroup_source_free(struct tw_cgroup_source *source)
{
	if (source) {
		free(source->root);
		free(source->entries);
		free(source->names);
		free(source);
	}
	return NULL;
}

void tw_cgroup_source_allow_walk(struct tw_cgroup_source *source)
{
	source->may_walk = true;
}

static int find_root(char ret[PATH_MAX])
{
	for (size_t capacity = MOUNTINFO_TEXT_MIN; capacity <= MOUNTINFO_TEXT_MAX; capacity *= 4) {
		TW_CLEANUP_FREE char *text = malloc(capacity);
		long n;

		if (!text)
			return -ENOMEM;
		n = tw_file_read(AT_FDCWD, "/proc/self/mountinfo", text, capacity);
		if (n >= 0)
			return tw_cgroup_find_mount(text, (size_t)n, ret);
		if (n != -EFBIG)
			return (int)n;
	}
	return -EFBIG;
}

/* ---- the walk */

struct walk {
	struct tw_cgroup_source *source;
	dev_t device;
	unsigned depth;
	size_t length;	     /* of path */
	char path[PATH_MAX]; /* below the root, "" for the root itself; no NUL */
};

/* Hands back where the name stands. */
static int add_name(struct tw_cgroup_source *source, const char *name, uint32_t *ret)
{
	size_t length = strlen(name) + 1;

	if (source->names_length + length > source->names_room) {
		size_t room = TW_MAX(4096u, 2 * source->names_room);
		char *names = realloc(source->names, room);

		if (!names)
			return -ENOMEM;
		source->names = names;
		source->names_room = room;
	}
	memcpy(source->names + source->names_length, name, length);
	*ret = (uint32_t)source->names_length;
	source->names_length += length;
	return 0;
}

/* Returns 1, 0 where there is no room for more directories, or -ENOMEM. */
static int add_entry(struct walk *walk, uint64_t id, uint32_t parent, uint32_t *ret_name)
{
	struct tw_cgroup_source *source = walk->source;
	char unit[TW_UNIT_MAX];
	uint32_t name = parent;

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
	tw_cgroup_unit(walk->path, walk->length, unit);
	/* What is inside a unit shares its name. */
	if (source->count == 0 || strcmp(source->names + parent, unit) != 0) {
		int r = add_name(source, unit, &name);

		if (r < 0)
			return r;
	}
	source->entries[source->count++] = (struct entry){ id, name };
	*ret_name = name;
	return 1;
}

/* Errors of one directory that has gone, or that is not ours to look into. */
static bool is_passing(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -EACCES || error == -EPERM ||
	       error == -ENODEV;
}

static int visit(struct walk *walk, int fd, uint32_t parent);

/* One name of the directory `fd`, which it borrows. */
static int visit_child(struct walk *walk, int fd, const char *name, uint32_t parent)
{
	size_t length = walk->length, name_length = strlen(name);
	int child, r;

	if (length + 1 + name_length > sizeof(walk->path))
		return 1;
	child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child < 0) {
		r = tw_errno();
		return is_passing(r) ? 1 : r;
	}
	walk->path[length] = '/';
	memcpy(walk->path + length + 1, name, name_length);
	walk->length = length + 1 + name_length;
	walk->depth++;
	r = visit(walk, child, parent);
	walk->depth--;
	walk->length = length;
	return r;
}

static bool may_be_directory(const struct dirent *entry)
{
	return (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

/* Consumes `fd`. Returns 1, 0 where there is no room for more directories, or -errno. */
static int visit_children(struct walk *walk, int fd, uint32_t parent)
{
	DIR *directory = fdopendir(fd);
	const struct dirent *entry;
	int r = 1;

	if (!directory) {
		r = tw_errno();
		(void)tw_close(fd);
		return r;
	}
	while (r > 0) {
		errno = 0;
		entry = readdir(directory);
		if (!entry) {
			/* A directory that is removed while it is read has nothing to tell. */
			if (errno != 0 && !is_passing(tw_errno()))
				r = tw_errno();
			break;
		}
		if (may_be_directory(entry))
			r = visit_child(walk, fd, entry->d_name, parent);
	}
	(void)closedir(directory);
	return r;
}

/* Consumes `fd`. Returns as above. */
static int visit(struct walk *walk, int fd, uint32_t parent)
{
	struct stat status;
	uint32_t name;
	int r = 1;

	if (fstat(fd, &status) < 0)
		r = tw_errno();
	else if (walk->depth == 0)
		walk->device = status.st_dev;
	/* Another file system is mounted here: its inodes are none of cgroup2's. */
	if (r < 0 || status.st_dev != walk->device) {
		(void)tw_close(fd);
		return r;
	}
	r = add_entry(walk, status.st_ino, parent, &name);
	if (r <= 0 || walk->depth == TW_CGROUP_DEPTH_MAX) {
		(void)tw_close(fd);
		return r;
	}
	return visit_children(walk, fd, name);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Reads the whole tree anew. */
static int walk_tree(struct tw_cgroup_source *source)
{
	struct walk walk = { .source = source };
	char root[PATH_MAX];
	int fd, r;

	r = source->root ? 0 : find_root(root);
	if (r < 0)
		return r;
	fd = open(source->root ? source->root : root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return tw_errno();
	source->count = 0;
	source->names_length = 0;
	r = visit(&walk, fd, 0);
	if (source->count > 1)
		qsort(source->entries, source->count, sizeof(*source->entries), compare_entries);
	return r < 0 ? r : 0;
}

/* ---- the questions */

static const struct entry *find(const struct tw_cgroup_source *source, uint64_t id)
{
	struct entry key = { .id = id };

	if (source->count == 0)
		return NULL;
	return bsearch(&key, source->entries, source->count, sizeof(key), compare_entries);
}

static bool is_missing(const struct tw_cgroup_source *source, uint64_t id)
{
	for (unsigned i = 0; i < source->missing_count; i++)
		if (source->missing[i] == id)
			return true;
	return false;
}

/* An id is never used again, and a socket's cgroup is older than the socket: what a walk does not find is no more. */
static void note_missing(struct tw_cgroup_source *source, uint64_t id)
{
	source->missing[source->missing_next++ % MISSING_MAX] = id;
	source->missing_count = TW_MIN(source->missing_count + 1, (unsigned)MISSING_MAX);
}

int tw_cgroup_source_unit(struct tw_cgroup_source *source, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	const struct entry *entry = find(source, cgroup_id);

	if (!entry) {
		if (!source->may_walk || is_missing(source, cgroup_id))
			return -ENOENT;
		source->may_walk = false;
		if (walk_tree(source) < 0)
			return -ENOENT;
		entry = find(source, cgroup_id);
	}
	if (!entry) {
		note_missing(source, cgroup_id);
		return -ENOENT;
	}
	(void)tw_text_copy(ret, TW_UNIT_MAX, source->names + entry->name);
	return 0;
}
