/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/ledger-store.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/parse.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"

int tw_boot_id_read(char ret[TW_BOOT_ID_MAX])
{
	char bytes[2 * TW_BOOT_ID_MAX];
	const char *id = bytes;
	long length = tw_file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", bytes, sizeof(bytes));
	size_t rest;

	if (length < 0)
		return (int)length;
	rest = (size_t)length;
	tw_parse_trim(&id, &rest);
	if (rest != TW_BOOT_ID_MAX - 1 || memchr(id, '\0', rest))
		return -EBADMSG;
	(void)tw_text_copy_bytes(ret, TW_BOOT_ID_MAX, id, rest);
	return 0;
}

static int write_whole(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written <= 0)
			return written < 0 ? tw_errno() : -EIO;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* The pid in the lock file, 0 where there is none to read. */
static pid_t read_owner(int directory_fd)
{
	char text[32];
	const char *trimmed = text;
	long read = tw_file_read(directory_fd, LOCK_NAME, text, sizeof(text));
	size_t length = read > 0 ? (size_t)read : 0;
	uint64_t pid;

	tw_parse_trim(&trimmed, &length);
	return tw_parse_u64(trimmed, length, &pid) == 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static int write_owner(int lock_fd)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(lock_fd, 0) < 0)
		return tw_errno();
	return write_whole(lock_fd, text, (size_t)length);
}

/* The mode is set apart from the making: it must not hang on the umask. */
static int make_directory(const char *path)
{
	if (mkdir(path, 0755) < 0)
		return errno == EEXIST ? 0 : tw_errno();
	return chmod(path, 0755) < 0 ? tw_errno() : 0;
}

int tw_state_directory_open(struct tw_state_directory *ret, const char *path, pid_t *ret_owner)
{
	TW_CLEANUP_CLOSE int fd = -1;
	TW_CLEANUP_CLOSE int lock_fd = -1;
	int r = make_directory(path);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return tw_errno();
	lock_fd = openat(fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock_fd < 0)
		return tw_errno();
	if (flock(lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return tw_errno();
		if (ret_owner)
			*ret_owner = read_owner(fd);
		return -EBUSY;
	}
	r = write_owner(lock_fd);
	if (r < 0)
		return r;
	ret->fd = TW_TAKE_FD(fd);
	ret->lock_fd = TW_TAKE_FD(lock_fd);
	return 0;
}

void tw_state_directory_close(struct tw_state_directory *directory)
{
	/* Nobody's, before it can be somebody else's. */
	if (directory->lock_fd >= 0)
		(void)!ftruncate(directory->lock_fd, 0);
	directory->lock_fd = tw_close(directory->lock_fd);
	directory->fd = tw_close(directory->fd);
}

static int write_new(int directory_fd, const char *name, const char *bytes, size_t length)
{
	TW_CLEANUP_CLOSE int fd = -1;
	int r;

	/* One that a crash left; a new file cannot be somebody's open one, nor a link to elsewhere. */
	if (unlinkat(directory_fd, name, 0) < 0 && errno != ENOENT)
		return tw_errno();
	fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return tw_errno();
	r = write_whole(fd, bytes, length);
	return r == 0 && fsync(fd) < 0 ? tw_errno() : r;
}

static int replace(const struct tw_ledger_file *file, const struct tw_ledger *ledger)
{
	char temporary[sizeof(file->name) + 8], bytes[TW_LEDGER_TEXT_MAX];
	struct tw_text text;
	int r;

	(void)snprintf(temporary, sizeof(temporary), ".%s.new", file->name);
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_ledger_text_write(ledger, &text);
	if (text.cut)
		return -EFBIG;
	r = write_new(file->directory_fd, temporary, text.bytes, text.length);
	if (r == 0 && renameat(file->directory_fd, temporary, file->directory_fd, file->name) < 0)
		r = tw_errno();
	if (r < 0)
		(void)unlinkat(file->directory_fd, temporary, 0);
	return r;
}

static int save(struct tw_ledger_store *store, const struct tw_ledger *ledger)
{
	const struct tw_ledger_file *file = (const struct tw_ledger_file *)store;
	int r = 0;

	if (tw_ledger_owes(ledger))
		r = replace(file, ledger);
	else if (unlinkat(file->directory_fd, file->name, 0) < 0)
		return errno == ENOENT ? 0 : tw_errno();
	return r == 0 && fsync(file->directory_fd) < 0 ? tw_errno() : r;
}

_Static_assert(offsetof(struct tw_ledger_file, store) == 0, "a store is known by its address");

void tw_ledger_file_init(struct tw_ledger_file *file, int directory_fd, uint64_t inode)
{
	*file = (struct tw_ledger_file){ .store = { .save = save }, .directory_fd = directory_fd, .name = "ledger" };
	if (inode > 0)
		(void)snprintf(file->name, sizeof(file->name), TW_LEDGER_OF_NAMESPACE "%" PRIu64, inode);
}

int tw_ledger_file_load(const struct tw_ledger_file *file, const char *boot_id, const struct tw_netns_id *namespace,
			struct tw_ledger *ret)
{
	char bytes[TW_LEDGER_TEXT_MAX];
	struct tw_ledger ledger;
	long length = tw_file_read(file->directory_fd, file->name, bytes, sizeof(bytes));
	int r;

	if (length == -EFBIG)
		return -EBADMSG;
	if (length < 0)
		return (int)length;
	r = tw_ledger_text_parse(bytes, (size_t)length, &ledger);
	if (r < 0)
		return r;
	if (strcmp(ledger.boot_id, boot_id) != 0)
		return -ESTALE;
	if (namespace && !tw_netns_same(&ledger.namespace, namespace))
		return -EXDEV;
	*ret = ledger;
	return 0;
}

int tw_ledger_file_set_aside(const struct tw_ledger_file *file)
{
	char aside[sizeof(file->name) + 8];

	(void)snprintf(aside, sizeof(aside), "%s.old", file->name);
	if (renameat(file->directory_fd, file->name, file->directory_fd, aside) < 0 && errno != ENOENT)
		return tw_errno();
	return 0;
}
