/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/sysctl-sink.h"

#include "base/fd.h"
#include "base/file-source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int read_value(struct tw_sysctl_sink *sink, enum tw_tunable tunable, struct tw_tunable_value *ret)
{
	const struct tw_sysctl_tree *tree = (const struct tw_sysctl_tree *)sink;
	char bytes[2 * TW_TUNABLE_VALUE_MAX];
	long length = tw_netns_enter(tree->netns);

	if (length < 0)
		return (int)length;
	length = tw_file_read(tree->root_fd, tw_tunable_info(tunable)->path, bytes, sizeof(bytes));
	tw_netns_leave(tree->netns);
	if (length == -EFBIG)
		return -EBADMSG;
	if (length < 0)
		return (int)length;
	return tw_tunable_parse(tunable, bytes, (size_t)length, ret) < 0 ? -EBADMSG : 0;
}

/*
 * The kernel takes a value by one write(2): a second one would be a second value. Plain files keep the tail of a longer
 * value without O_TRUNC; sysctls do not mind it.
 */
static int write_value(struct tw_sysctl_sink *sink, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	const struct tw_sysctl_tree *tree = (const struct tw_sysctl_tree *)sink;
	TW_CLEANUP_CLOSE int fd = -1;
	char text[TW_TUNABLE_VALUE_MAX + 1];
	size_t length;
	ssize_t written;
	int r = tw_netns_enter(tree->netns);

	if (r < 0)
		return r;
	(void)tw_tunable_format(tunable, value, text);
	length = strlen(text);
	text[length++] = '\n';
	fd = openat(tree->root_fd, tw_tunable_info(tunable)->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	written = fd < 0 ? -1 : write(fd, text, length);
	if (written < 0)
		r = tw_errno();
	else if ((size_t)written < length)
		r = -EIO;
	tw_netns_leave(tree->netns);
	return r;
}

int tw_sysctl_tree_open(struct tw_sysctl_tree *tree, const char *root)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return tw_errno();
	*tree = (struct tw_sysctl_tree){ .sink = { .read = read_value, .write = write_value }, .root_fd = fd };
	return 0;
}

void tw_sysctl_tree_close(struct tw_sysctl_tree *tree)
{
	tree->root_fd = tw_close(tree->root_fd);
}
