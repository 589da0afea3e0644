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

int tw_netns_enter(const struct tw_netns *netns)
{
	return netns && setns(netns->fd, CLONE_NEWNET) < 0 ? tw_errno() : 0;
}

/* What is done next would be done to another machine's sockets and sysctls. */
void tw_netns_leave(const struct tw_netns *netns)
{
	if (netns && setns(netns->home_fd, CLONE_NEWNET) < 0)
		abort();
}

int tw_netns_identify(const struct tw_netns *netns, struct tw_netns_id *ret)
{
	struct stat status;
	int r = tw_netns_enter(netns);

	if (r < 0)
		return r;
	if (stat(TW_NETNS_HERE, &status) < 0)
		r = tw_errno();
	else
		*ret = (struct tw_netns_id){ .inode = status.st_ino, .cookie = read_cookie() };
	tw_netns_leave(netns);
	return r;
}
