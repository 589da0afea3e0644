/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/sysctl-sink.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

_Static_assert(offsetof(struct tw_sysctl_tree, sink) == 0, "a sink is known by its address");

static int read_value(struct tw_sysctl_sink *sink, enum tw_tunable tunable, struct tw_tunable_value *ret)
{
	const struct tw_sysctl_tree *tree = (const struct tw_sysctl_tree *)sink;
	char bytes[2 * TW_TUNABLE_VALUE_MAX];
	long length = tw_file_read(tree->root_fd, tw_tunable_info(tunable)->path, bytes, sizeof(bytes));

	if (length == -EFBIG)
		return -EBADMSG;
	if (length < 0)
		return (int)length;
	return tw_tunable_parse(tunable, bytes, (size_t)length, ret) < 0 ? -EBADMSG : 0;
}

/* The kernel takes a value by one write(2): a second one would be a second value. */
static int write_once(const struct tw_sysctl_tree *tree, const char *path, const char *bytes, size_t length)
{
	TW_CLEANUP_CLOSE int fd = -1;
	ssize_t written;

	/* Plain files keep the tail of a longer value without O_TRUNC; sysctls do not mind it. */
	fd = openat(tree->root_fd, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return tw_errno();
	written = write(fd, bytes, length);
	if (written < 0)
		return tw_errno();
	return (size_t)written == length ? 0 : -EIO;
}

static int write_value(struct tw_sysctl_sink *sink, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	const struct tw_sysctl_tree *tree = (const struct tw_sysctl_tree *)sink;
	char text[TW_TUNABLE_VALUE_MAX + 1];
	size_t length;

	(void)tw_tunable_format(tunable, value, text);
	length = strlen(text);
	text[length++] = '\n';
	return write_once(tree, tw_tunable_info(tunable)->path, text, length);
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
