/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/setns-source.h"

#include "base/fd.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define HERE "/proc/thread-self/ns/net"

int tw_netns_open(const char *path, int *ret_fd, uint64_t *ret_inode)
{
	TW_CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct statfs system;
	struct stat status;

	if (fd < 0)
		return tw_errno();
	if (fstatfs(fd, &system) < 0 || fstat(fd, &status) < 0)
		return tw_errno();
	if (system.f_type != NSFS_MAGIC)
		return -ENOENT;
	*ret_fd = TW_TAKE_FD(fd);
	*ret_inode = status.st_ino;
	return 0;
}

/* Every socket tells it. */
static uint64_t read_cookie(void)
{
	TW_CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0)
		return 0;
	return cookie;
}

int tw_netns_here(struct tw_netns_id *ret)
{
	struct stat status;

	if (stat(HERE, &status) < 0)
		return tw_errno();
	*ret = (struct tw_netns_id){ .inode = status.st_ino, .cookie = read_cookie() };
	return 0;
}

int tw_netns_device(uint64_t *ret)
{
	struct stat status;

	if (stat(HERE, &status) < 0)
		return tw_errno();
	*ret = status.st_dev;
	return 0;
}

int tw_netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET) < 0 ? tw_errno() : 0;
}

/* What is done next would be done to another machine's sockets and sysctls. */
void tw_netns_leave(int home_fd)
{
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
}
