/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faults/inject.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/utsname.h>
#include <unistd.h>

/* One wrapper for each call of libc that the daemon and its libraries make and that can fail. */

#define OBJECT_MAX 160

/* ---- paths */

static const char *name_of_directory(int directory)
{
	return directory == AT_FDCWD ? "." : inject_name(directory);
}

#define TIDY(directory, path)    \
	char object[OBJECT_MAX]; \
	inject_tidy(object, sizeof(object), name_of_directory(directory), path)

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;
	int fd;
	TIDY(AT_FDCWD, path);

	va_start(arguments, flags);
	if (flags & O_CREAT)
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	FAIL_IF_TOLD("open", object, -1);
	fd = REAL(open)(path, flags, mode);
	inject_opened(fd, object);
	return fd;
}

int openat(int directory, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;
	int fd;
	TIDY(directory, path);

	va_start(arguments, flags);
	if (flags & O_CREAT)
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	FAIL_IF_TOLD("openat", object, -1);
	fd = REAL(openat)(directory, path, flags, mode);
	inject_opened(fd, object);
	return fd;
}

/* The names that libraries built for large files have for them. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int directory, const char *path, int flags, ...) __attribute__((alias("openat")));
int __open64_2(const char *path, int flags);
int __openat64_2(int directory, const char *path, int flags);

int __open64_2(const char *path, int flags)
{
	return open(path, flags);
}

int __openat64_2(int directory, const char *path, int flags)
{
	return openat(directory, path, flags);
}

FILE *fopen64(const char *path, const char *mode)
{
	TIDY(AT_FDCWD, path);
	FAIL_IF_TOLD("fopen", object, NULL);
	return REAL(fopen64)(path, mode);
}

int stat(const char *path, struct stat *ret)
{
	TIDY(AT_FDCWD, path);
	FAIL_IF_TOLD("stat", object, -1);
	return REAL(stat)(path, ret);
}

int fstatfs(int fd, struct statfs *ret)
{
	FAIL_IF_TOLD("fstatfs", inject_name(fd), -1);
	return REAL(fstatfs)(fd, ret);
}

int setns(int fd, int kind)
{
	FAIL_IF_TOLD("setns", inject_name(fd), -1);
	return REAL(setns)(fd, kind);
}

int fstat(int fd, struct stat *ret)
{
	FAIL_IF_TOLD("fstat", inject_name(fd), -1);
	return REAL(fstat)(fd, ret);
}

int fstatat(int directory, const char *path, struct stat *ret, int flags)
{
	TIDY(directory, path);
	FAIL_IF_TOLD("fstatat", object, -1);
	return REAL(fstatat)(directory, path, ret, flags);
}

int fstat64(int fd, struct stat64 *ret)
{
	FAIL_IF_TOLD("fstat", inject_name(fd), -1);
	return REAL(fstat64)(fd, ret);
}

int stat64(const char *path, struct stat64 *ret)
{
	TIDY(AT_FDCWD, path);
	FAIL_IF_TOLD("stat", object, -1);
	return REAL(stat64)(path, ret);
}

int access(const char *path, int mode)
{
	TIDY(AT_FDCWD, path);
	FAIL_IF_TOLD("access", object, -1);
	return REAL(access)(path, mode);
}

int mkdir(const char *path, mode_t mode)
{
	TIDY(AT_FDCWD, path);
	FAIL_IF_TOLD("mkdir", object, -1);
	return REAL(mkdir)(path, mode);
}

int chmod(const char *path, mode_t mode)
{
	TIDY(AT_FDCWD, path);
	FAIL_IF_TOLD("chmod", object, -1);
	return REAL(chmod)(path, mode);
}

int unlinkat(int directory, const char *path, int flags)
{
	TIDY(directory, path);
	FAIL_IF_TOLD("unlinkat", object, -1);
	return REAL(unlinkat)(directory, path, flags);
}

int renameat(int from, const char *old, int to, const char *new)
{
	TIDY(from, old);
	FAIL_IF_TOLD("renameat", object, -1);
	return REAL(renameat)(from, old, to, new);
}

/* ---- directories */

DIR *opendir(const char *path)
{
	DIR *directory;
	TIDY(AT_FDCWD, path);

	FAIL_IF_TOLD("opendir", object, NULL);
	directory = REAL(opendir)(path);
	if (directory)
		inject_opened(dirfd(directory), object);
	return directory;
}

int scandir(const char *path, struct dirent ***ret, int (*filter)(const struct dirent *),
	    int (*compare)(const struct dirent **, const struct dirent **))
{
	TIDY(AT_FDCWD, path);
	FAIL_IF_TOLD("scandir", object, -1);
	return REAL(scandir)(path, ret, filter, compare);
}

DIR *fdopendir(int fd)
{
	FAIL_IF_TOLD("fdopendir", inject_name(fd), NULL);
	return REAL(fdopendir)(fd);
}

struct dirent *readdir(DIR *directory)
{
	FAIL_IF_TOLD("readdir", inject_name(dirfd(directory)), NULL);
	return REAL(readdir)(directory);
}

int closedir(DIR *directory)
{
	inject_closed(dirfd(directory));
	return REAL(closedir)(directory);
}

/* ---- descriptors */

/* Linux lets go of the descriptor whatever close() says. */
int close(int fd)
{
	const char *object = inject_name(fd);
	int error = inject_fault("close", object), r;

	if (inject_inside == 0)
		inject_closed(fd);
	r = REAL(close)(fd);
	if (error == 0)
		return r;
	errno = error;
	return -1;
}

ssize_t read(int fd, void *buffer, size_t size)
{
	int error = inject_fault("read", inject_name(fd));

	if (error > 0 && error != INJECT_SHORT) {
		errno = error;
		return -1;
	}
	return REAL(read)(fd, buffer, error == INJECT_SHORT && size > 3 ? 3 : size);
}

ssize_t pread(int fd, void *buffer, size_t size, off_t at)
{
	int error = inject_fault("pread", inject_name(fd));

	if (error > 0 && error != INJECT_SHORT) {
		errno = error;
		return -1;
	}
	return REAL(pread)(fd, buffer, error == INJECT_SHORT && size > 3 ? 3 : size, at);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	int error = inject_fault("write", inject_name(fd));

	if (error > 0 && error != INJECT_SHORT) {
		errno = error;
		return -1;
	}
	return REAL(write)(fd, bytes, error == INJECT_SHORT && size > 1 ? size / 2 : size);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	FAIL_IF_TOLD("writev", inject_name(fd), -1);
	return REAL(writev)(fd, pieces, count);
}

int fsync(int fd)
{
	FAIL_IF_TOLD("fsync", inject_name(fd), -1);
	return REAL(fsync)(fd);
}

int ftruncate(int fd, off_t length)
{
	FAIL_IF_TOLD("ftruncate", inject_name(fd), -1);
	return REAL(ftruncate)(fd, length);
}

int flock(int fd, int operation)
{
	FAIL_IF_TOLD("flock", inject_name(fd), -1);
	return REAL(flock)(fd, operation);
}

int fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;
	int r;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	FAIL_IF_TOLD("fcntl", inject_name(fd), -1);
	r = REAL(fcntl)(fd, command, argument);
	if (command == F_DUPFD_CLOEXEC || command == F_DUPFD)
		inject_opened(r, inject_name(fd));
	return r;
}

int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	FAIL_IF_TOLD("poll", "", -1);
	return REAL(poll)(fds, count, timeout);
}

int memfd_create(const char *name, unsigned flags)
{
	int fd;

	FAIL_IF_TOLD("memfd_create", name, -1);
	fd = REAL(memfd_create)(name, flags);
	inject_opened(fd, "memfd");
	return fd;
}

int eventfd(unsigned count, int flags)
{
	int fd;

	FAIL_IF_TOLD("eventfd", "", -1);
	fd = REAL(eventfd)(count, flags);
	inject_opened(fd, "eventfd");
	return fd;
}

/* One that is there already is changed, not made. */
int signalfd(int fd, const sigset_t *mask, int flags)
{
	int r;

	FAIL_IF_TOLD("signalfd", fd < 0 ? "new" : "there", -1);
	r = REAL(signalfd)(fd, mask, flags);
	if (fd < 0)
		inject_opened(r, "signalfd");
	return r;
}

/* ---- the rest */

int uname(struct utsname *ret)
{
	FAIL_IF_TOLD("uname", "", -1);
	return REAL(uname)(ret);
}

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
	int error = inject_fault("getrandom", "");

	if (error > 0 && error != INJECT_SHORT) {
		errno = error;
		return -1;
	}
	return REAL(getrandom)(buffer, error == INJECT_SHORT ? size / 2 : size, flags);
}

int pthread_attr_init(pthread_attr_t *attributes)
{
	int error = inject_fault("pthread_attr_init", "");

	return error > 0 ? error : REAL(pthread_attr_init)(attributes);
}

int pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	int error = inject_fault("pthread_create", "");

	return error > 0 ? error : REAL(pthread_create)(ret, attributes, run, argument);
}

/* These two make their memory inside libc. */
char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy;

	FAIL_IF_TOLD("strdup", "", NULL);
	copy = malloc(size);
	return copy ? memcpy(copy, text, size) : NULL;
}

int asprintf(char **ret, const char *format, ...)
{
	va_list arguments;
	int r;

	FAIL_IF_TOLD("asprintf", "", -1);
	va_start(arguments, format);
	r = vasprintf(ret, format, arguments);
	va_end(arguments);
	return r;
}
