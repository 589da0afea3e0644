/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/netns-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/parse.h"
#include "base/setns-source.h"
#include "base/text.h"

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
	TW_CLEANUP_NETNS_SOURCE struct tw_netns_source *source = calloc(1, sizeof(*source));
	struct tw_netns_id here;
	int r;

	if (!source)
		return -ENOMEM;
	source->paths = *paths;
	source->done = true;
	r = tw_netns_device(&source->device);
	if (r >= 0)
		r = tw_netns_here(&here);
	if (r < 0)
		return r;
	source->host = here.inode;
	*ret = TW_TAKE_PTR(source);
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
		tw_netns_list_done(&source->list);
		free(source);
	}
	return NULL;
}

void tw_netns_source_begin(struct tw_netns_source *source, bool processes)
{
	close_directory(source);
	tw_netns_list_clear(&source->list);
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

/* Returns 1 where there is a directory to read, 0 where nothing is left, or -errno. */
static int open_next(struct tw_netns_source *source)
{
	source->directory = opendir(source->at_processes ? source->paths.processes : source->paths.names);
	if (source->directory)
		return 1;
	/* Where nobody has made a namespace yet, there is no directory for their names. */
	if (errno != ENOENT)
		return tw_errno();
	if (source->at_processes || !source->wants_processes)
		return 0;
	source->at_processes = true;
	return open_next(source);
}

static int end(struct tw_netns_source *source)
{
	tw_netns_list_tell_apart(&source->list);
	source->done = true;
	return 0;
}

/* The directory has been read to its end. */
static int end_directory(struct tw_netns_source *source)
{
	close_directory(source);
	if (source->at_processes || !source->wants_processes)
		return end(source);
	source->at_processes = true;
	return 1;
}

int tw_netns_source_step(struct tw_netns_source *source)
{
	int r = 1;

	if (source->done)
		return 0;
	if (!source->directory) {
		r = open_next(source);
		if (r <= 0)
			return r < 0 ? r : end(source);
	}
	for (unsigned i = 0; i < A_STEP && r >= 0; i++) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(source->directory);
		if (!entry)
			return errno != 0 ? tw_errno() : end_directory(source);
		r = source->at_processes ? take_process(source, entry->d_name) : take_name(source, entry->d_name);
	}
	return r < 0 ? r : 1;
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
