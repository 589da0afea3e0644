/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/netns-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/parse.h"
#include "base/setns-source.h"
#include "base/text.h"
#include "measure/proc/cgroup-source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Names or processes in one step: some 3 us each. */
#define A_STEP 64
/* Twelve hierarchies of version 1, each with a path: more than PATH_MAX is none of interest. */
#define CGROUP_TEXT_MAX 16384
/* Rows of a list. */
#define ROOM_MIN 16u

/* ---- the list */

/* Where the inode is, or would be. */
static unsigned place_of(const struct tw_netns_list *list, uint64_t inode)
{
	unsigned low = 0, high = list->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (list->rows[middle].namespace.id < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct tw_netns_found *tw_netns_list_find(const struct tw_netns_list *list, uint64_t inode)
{
	unsigned at = place_of(list, inode);

	return at < list->count && list->rows[at].namespace.id == inode ? &list->rows[at] : NULL;
}

/* Finds the row of this inode, or makes one. Returns 1 where it is new, 0 where it is not, -ENOSPC or -ENOMEM. */
static int add(struct tw_netns_list *list, uint64_t inode, struct tw_netns_found **ret)
{
	unsigned at = place_of(list, inode);

	if (at < list->count && list->rows[at].namespace.id == inode) {
		*ret = &list->rows[at];
		return 0;
	}
	if (list->count == TW_NETNS_MAX)
		return -ENOSPC;
	if (list->count == list->room) {
		unsigned room = TW_MAX(ROOM_MIN, 2 * list->room);
		struct tw_netns_found *rows = realloc(list->rows, room * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		list->rows = rows;
		list->room = room;
	}
	memmove(&list->rows[at + 1], &list->rows[at], (list->count++ - at) * sizeof(*list->rows));
	list->rows[at] = (struct tw_netns_found){ .namespace.id = inode };
	*ret = &list->rows[at];
	return 1;
}

int tw_netns_list_add_name(struct tw_netns_list *list, uint64_t inode, const char *name)
{
	struct tw_netns_found *found;
	int r = add(list, inode, &found);

	if (r < 0)
		return r == -ENOSPC ? 0 : r;
	if (r > 0 || strcmp(name, found->file) < 0) {
		(void)tw_text_copy(found->namespace.name, sizeof(found->namespace.name), name);
		(void)tw_text_copy(found->file, sizeof(found->file), name);
		found->named = true;
	}
	return 0;
}

int tw_netns_list_add_process(struct tw_netns_list *list, uint64_t inode, uint64_t pid)
{
	struct tw_netns_found *found;
	int r = add(list, inode, &found);

	if (r < 0)
		return r == -ENOSPC ? 0 : r;
	if (found->pid == 0)
		found->pid = pid;
	return r;
}

/*
 * By the path in the hierarchy that systemd manages: that of cgroup2 ("0::/path"), or its own of version 1
 * ("1:name=systemd:/path"), see cgroups(7). The root of one says nothing where the other knows more.
 */
void tw_netns_list_entitle(struct tw_netns_list *list, uint64_t inode, const char *text, size_t length)
{
	static const char *const marks[] = { ":name=systemd:", "0::" };
	struct tw_netns_found *found = tw_netns_list_find(list, inode);
	const char *end = text + length;

	if (!found || found->named)
		return;
	(void)tw_text_copy(found->namespace.name, sizeof(found->namespace.name), "netns");
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;

		for (size_t i = 0; i < TW_ARRAY_SIZE(marks); i++) {
			const char *at = memmem(text, (size_t)(line_end - text), marks[i], strlen(marks[i]));
			const char *path = at ? at + strlen(marks[i]) : line_end;

			if (line_end - path > 1 && (i == 0 || at == text))
				tw_cgroup_unit(path, (size_t)(line_end - path), found->namespace.name);
		}
		text = newline ? newline + 1 : end;
	}
}

static bool is_taken(const struct tw_netns_list *list, unsigned at)
{
	const char *name = list->rows[at].namespace.name;

	if (strcmp(name, TW_NAMESPACE_HOST) == 0)
		return true;
	for (unsigned i = 0; i < list->count; i++) {
		const struct tw_netns_found *other = &list->rows[i];

		/* A name under /run/netns stays as it is; of two others, the lower inode's does. */
		if (i == at || strcmp(other->namespace.name, name) != 0)
			continue;
		if (other->named != list->rows[at].named ? other->named : i < at)
			return true;
	}
	return false;
}

void tw_netns_list_tell_apart(struct tw_netns_list *list)
{
	for (unsigned i = list->count; i-- > 0;)
		if (is_taken(list, i))
			tw_namespace_tell_apart(&list->rows[i].namespace);
}

/* ---- the source */

const struct tw_netns_paths tw_netns_paths = { "/run/netns", "/proc" };

struct tw_netns_source {
	struct tw_netns_paths paths;
	uint64_t device, host;
	bool wants_processes;
	bool at_processes;
	DIR *directory; /* that is read now; NULL: the next one is to be opened, or nothing is left */
	bool done;
	unsigned asked, denied; /* processes */
	bool saw_first;		/* that of pid 1, which is there in any /proc */
	struct tw_netns_list list;
	char text[CGROUP_TEXT_MAX];
};

int tw_netns_source_new(const struct tw_netns_paths *paths, struct tw_netns_source **ret)
{
	struct tw_netns_source *source;
	struct stat here;

	if (stat(TW_NETNS_HERE, &here) < 0)
		return tw_errno();
	source = calloc(1, sizeof(*source));
	if (!source)
		return -ENOMEM;
	source->paths = *paths;
	source->device = here.st_dev;
	source->host = here.st_ino;
	source->done = true;
	*ret = source;
	return 0;
}

static void close_directory(struct tw_netns_source *source)
{
	if (source->directory)
		(void)closedir(source->directory);
	source->directory = NULL;
}

struct tw_netns_source *tw_netns_source_free(struct tw_netns_source *source)
{
	if (source) {
		close_directory(source);
		free(source->list.rows);
		free(source);
	}
	return NULL;
}

void tw_netns_source_begin(struct tw_netns_source *source, bool processes)
{
	close_directory(source);
	source->list.count = 0;
	source->wants_processes = processes;
	source->at_processes = false;
	source->done = false;
	source->asked = source->denied = 0;
	source->saw_first = false;
}

/* Another file system's inodes are none of nsfs; and the host's own is known. */
static bool is_other(const struct tw_netns_source *source, const struct stat *status)
{
	return status->st_dev == source->device && status->st_ino != source->host;
}

static int take_name(struct tw_netns_source *source, const char *name)
{
	struct stat status;

	/* Not every name leads to a namespace, and one that does may be gone by now. */
	if (fstatat(dirfd(source->directory), name, &status, 0) < 0 || !is_other(source, &status))
		return 0;
	return tw_netns_list_add_name(&source->list, status.st_ino, name);
}

static int take_process(struct tw_netns_source *source, const char *name)
{
	char path[64];
	struct stat status;
	uint64_t pid;
	long n;
	int r;

	if (tw_parse_u64(name, strlen(name), &pid) < 0)
		return 0;
	source->asked++;
	source->saw_first = source->saw_first || pid == 1;
	(void)snprintf(path, sizeof(path), "%" PRIu64 "/ns/net", pid);
	if (fstatat(dirfd(source->directory), path, &status, 0) < 0) {
		source->denied += errno == EACCES || errno == EPERM;
		return 0;
	}
	if (!is_other(source, &status))
		return 0;
	r = tw_netns_list_add_process(&source->list, status.st_ino, pid);
	if (r <= 0)
		return r;
	(void)snprintf(path, sizeof(path), "%" PRIu64 "/cgroup", pid);
	n = tw_file_read(dirfd(source->directory), path, source->text, sizeof(source->text));
	tw_netns_list_entitle(&source->list, status.st_ino, source->text, n > 0 ? (size_t)n : 0);
	return 0;
}

int tw_netns_source_step(struct tw_netns_source *source)
{
	const struct dirent *entry = NULL;
	int r = 0;

	if (source->done)
		return 0;
	if (!source->directory)
		source->directory = opendir(source->at_processes ? source->paths.processes : source->paths.names);
	/* Where nobody has made a namespace yet, there is no directory for their names. */
	if (!source->directory && errno != ENOENT)
		return tw_errno();
	for (unsigned i = 0; source->directory && i < A_STEP; i++) {
		errno = 0;
		entry = readdir(source->directory);
		if (!entry && errno != 0)
			return tw_errno();
		if (!entry)
			break;
		r = source->at_processes ? take_process(source, entry->d_name) : take_name(source, entry->d_name);
		if (r < 0)
			return r;
	}
	if (entry)
		return 1;
	close_directory(source);
	if (!source->at_processes && source->wants_processes) {
		source->at_processes = true;
		return 1;
	}
	tw_netns_list_tell_apart(&source->list);
	source->done = true;
	return 0;
}

const struct tw_netns_list *tw_netns_source_found(const struct tw_netns_source *source)
{
	return &source->list;
}

/* Those that are hidden (ProtectProc=invisible) cannot even be asked. */
bool tw_netns_source_is_denied(const struct tw_netns_source *source)
{
	return source->at_processes && (!source->saw_first || source->denied > source->asked / 2);
}

int tw_netns_source_open(const struct tw_netns_source *source, const struct tw_netns_found *found, int *ret_fd)
{
	TW_CLEANUP_CLOSE int fd = -1;
	char path[PATH_MAX];
	uint64_t inode;
	int length, r;

	if (found->named)
		length = snprintf(path, sizeof(path), "%s/%s", source->paths.names, found->file);
	else
		length = snprintf(path, sizeof(path), "%s/%" PRIu64 "/ns/net", source->paths.processes, found->pid);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	r = tw_netns_open(path, &fd, &inode);
	if (r < 0)
		return r;
	if (inode != found->namespace.id)
		return -ESTALE;
	*ret_fd = TW_TAKE_FD(fd);
	return 0;
}
