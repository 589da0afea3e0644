/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "ctl/lint/lint-check.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Longer than any file of settings that is written by hand. */
#define TEXT_MAX (256 * 1024)

/* Strongest first; on most machines the last two are one. */
static const char *const directories[] = {
	"etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d",
};
#define OLD_FILE "etc/sysctl.conf"
static const char *const readers[] = { "usr/lib/systemd/systemd-sysctl", "lib/systemd/systemd-sysctl" };

struct tree {
	int fd; /* borrows */
	const char *name;
	tw_lint_complain *complain;
	bool refused;
	struct tw_sysctl_plan *plan; /* borrows */
	char *text;		     /* TEXT_MAX */
	struct tw_sysctl_file *files;
	size_t count;
	/* Whether the old file has been read under another name. */
	bool old_known, old_read;
	dev_t old_device;
	ino_t old_inode;
};

/* No link leads out of the tree. Where the kernel cannot promise that (before 5.6), only the real root is read. */
static int open_below(const struct tree *tree, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_RDONLY | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT,
	};
	long fd = syscall(SYS_openat2, tree->fd, path, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS && strcmp(tree->name, "/") == 0)
		fd = openat(tree->fd, path, flags | O_RDONLY | O_CLOEXEC);
	return fd < 0 ? tw_errno() : (int)fd;
}

/* As people write it. */
static void name_path(const struct tree *tree, const char *path, char ret[PATH_MAX])
{
	struct tw_text text;
	size_t length = strlen(tree->name);

	while (length > 0 && tree->name[length - 1] == '/')
		length--;
	tw_text_init(&text, ret, PATH_MAX);
	tw_text_add_bytes(&text, tree->name, length);
	tw_text_addf(&text, "/%s", path);
}

static void refuse(struct tree *tree, const char *path, int error)
{
	char name[PATH_MAX];

	name_path(tree, path, name);
	tree->complain(name, error);
	tree->refused = true;
}

static int list_directory(struct tree *tree, unsigned rank)
{
	int fd = open_below(tree, directories[rank], O_DIRECTORY);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (!directory) {
		(void)tw_close(fd);
		if (fd != -ENOENT && fd != -ENOTDIR)
			refuse(tree, directories[rank], fd < 0 ? fd : -ENOMEM);
		return 0;
	}
	while (r >= 0 && (entry = readdir(directory))) {
		size_t length = strlen(entry->d_name);
		struct tw_sysctl_file *files;

		if (entry->d_name[0] == '.' || length < 5 || strcmp(entry->d_name + length - 5, ".conf") != 0)
			continue;
		files = reallocarray(tree->files, tree->count + 1, sizeof(*files));
		if (!files) {
			r = -ENOMEM;
			break;
		}
		tree->files = files;
		files[tree->count].directory = rank;
		(void)tw_text_copy(files[tree->count++].name, sizeof(files->name), entry->d_name);
	}
	(void)closedir(directory);
	return r;
}

/* A link to /dev/null, which masks a file, has nothing in it; a directory is no file. */
static int read_file(struct tree *tree, const char *path, bool unread)
{
	TW_CLEANUP_CLOSE int fd = open_below(tree, path, O_NONBLOCK | O_NOCTTY);
	char name[PATH_MAX];
	struct stat status;
	long length;

	if (fd < 0) {
		if (fd != -ENOENT)
			refuse(tree, path, fd);
		return 0;
	}
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	if (tree->old_known && status.st_dev == tree->old_device && status.st_ino == tree->old_inode)
		tree->old_read = true;
	length = tw_file_reread(fd, tree->text, TEXT_MAX);
	if (length < 0) {
		refuse(tree, path, (int)length);
		return 0;
	}
	name_path(tree, path, name);
	return tw_sysctl_plan_add(tree->plan, name, unread, tree->text, (size_t)length);
}

static bool is_there(const struct tree *tree, const char *path)
{
	int fd = open_below(tree, path, 0);

	(void)tw_close(fd);
	return fd >= 0 || fd == -EACCES;
}

static void find_old_file(struct tree *tree)
{
	TW_CLEANUP_CLOSE int fd = open_below(tree, OLD_FILE, O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return;
	tree->old_known = true;
	tree->old_device = status.st_dev;
	tree->old_inode = status.st_ino;
}

static int read_tree(struct tree *tree)
{
	bool systemd = false;

	for (unsigned i = 0; i < TW_ARRAY_SIZE(directories); i++) {
		int r = list_directory(tree, i);

		if (r < 0)
			return r;
	}
	tree->count = tw_sysctl_files_order(tree->files, tree->count);
	find_old_file(tree);
	for (size_t i = 0; i < tree->count; i++) {
		char path[PATH_MAX];
		struct tw_text text;
		int r;

		tw_text_init(&text, path, sizeof(path));
		tw_text_addf(&text, "%s/%s", directories[tree->files[i].directory], tree->files[i].name);
		r = read_file(tree, path, false);
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < TW_ARRAY_SIZE(readers); i++)
		systemd = systemd || is_there(tree, readers[i]);
	return tree->old_read ? 0 : read_file(tree, OLD_FILE, systemd);
}

int tw_lint_read_files(const char *root, struct tw_sysctl_plan *plan, tw_lint_complain *complain, bool *ret_refused)
{
	TW_CLEANUP_CLOSE int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tree tree = { .fd = fd, .name = root, .complain = complain, .plan = plan };
	int r;

	if (fd < 0)
		return tw_errno();
	tree.text = malloc(TEXT_MAX);
	r = tree.text ? read_tree(&tree) : -ENOMEM;
	free(tree.text);
	free(tree.files);
	*ret_refused = tree.refused;
	return r;
}
