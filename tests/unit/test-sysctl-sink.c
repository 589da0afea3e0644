/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/sysctl-sink.h"

#include "base/macros.h"
#include "temporary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A tree of plain files in the place of /proc/sys. */
static char root[TEMPORARY_MAX];
static struct tw_sysctl_tree tree;

static const char *path_of(enum tw_tunable tunable, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", root, tw_tunable_info(tunable)->path);
	return path;
}

static void put(enum tw_tunable tunable, const char *text)
{
	char path[256];
	FILE *file = fopen(path_of(tunable, path), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void expect(enum tw_tunable tunable, const char *expected)
{
	char path[256], text[256];
	FILE *file = fopen(path_of(tunable, path), "r");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	assert_int_equal(fclose(file), 0);
	text[length] = '\0';
	assert_string_equal(text, expected);
}

static int set_up(void **state TW_UNUSED)
{
	char path[256];

	if (!make_temporary(root))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/net", root);
	if (mkdir(path, 0755) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/net/ipv4", root);
	if (mkdir(path, 0755) < 0)
		return -1;
	return tw_sysctl_tree_open(&tree, root);
}

static int tear_down(void **state TW_UNUSED)
{
	char path[256];

	tw_sysctl_tree_close(&tree);
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++)
		(void)unlink(path_of((enum tw_tunable)i, path));
	(void)snprintf(path, sizeof(path), "%s/net/ipv4", root);
	(void)rmdir(path);
	(void)snprintf(path, sizeof(path), "%s/net", root);
	(void)rmdir(path);
	return rmdir(root);
}

static const struct {
	enum tw_tunable tunable;
	const char *text;
	int error;
	int64_t numbers[2];
} reads[] = {
	{ TW_TUNABLE_TW_REUSE, "2\n", 0, { 2, 0 } },
	{ TW_TUNABLE_MAX_TW_BUCKETS, "-1\n", 0, { -1, 0 } },
	{ TW_TUNABLE_PORT_RANGE, "32768\t60999\n", 0, { 32768, 60999 } },
	{ TW_TUNABLE_TW_REUSE, "", -EBADMSG, { 0 } },
	{ TW_TUNABLE_TW_REUSE, "\n", -EBADMSG, { 0 } },
	{ TW_TUNABLE_TW_REUSE, "two\n", -EBADMSG, { 0 } },
	{ TW_TUNABLE_TW_REUSE, "1 2\n", -EBADMSG, { 0 } },
	{ TW_TUNABLE_PORT_RANGE, "32768\n", -EBADMSG, { 0 } },
};

static void test_reads(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(reads); i++) {
		struct tw_tunable_value value = { { 77, 78 } };
		int r;

		put(reads[i].tunable, reads[i].text);
		r = tree.sink.read(&tree.sink, reads[i].tunable, &value);
		if (r != reads[i].error)
			fail_msg("row %zu: %d, expected %d", i, r, reads[i].error);
		assert_int_equal(value.numbers[0], r < 0 ? 77 : reads[i].numbers[0]);
		assert_int_equal(value.numbers[1], r < 0 ? 78 : reads[i].numbers[1]);
	}
}

/* A value with a tail that no sysctl has. */
static void test_long_read(void **state TW_UNUSED)
{
	char text[16 * TW_TUNABLE_VALUE_MAX];
	struct tw_tunable_value value;

	memset(text, ' ', sizeof(text) - 1);
	text[0] = '1';
	text[sizeof(text) - 1] = '\0';
	put(TW_TUNABLE_TW_REUSE, text);
	assert_int_equal(tree.sink.read(&tree.sink, TW_TUNABLE_TW_REUSE, &value), -EBADMSG);
}

static void test_writes(void **state TW_UNUSED)
{
	struct tw_tunable_value value = { { 1, 0 } };

	/* Nothing of a longer value stays behind. */
	put(TW_TUNABLE_MAX_TW_BUCKETS, "131072\n");
	value.numbers[0] = 9;
	assert_int_equal(tree.sink.write(&tree.sink, TW_TUNABLE_MAX_TW_BUCKETS, &value), 0);
	expect(TW_TUNABLE_MAX_TW_BUCKETS, "9\n");
	put(TW_TUNABLE_PORT_RANGE, "32768\t60999\n");
	value = (struct tw_tunable_value){ { 1024, 65535 } };
	assert_int_equal(tree.sink.write(&tree.sink, TW_TUNABLE_PORT_RANGE, &value), 0);
	expect(TW_TUNABLE_PORT_RANGE, "1024 65535\n");
	assert_int_equal(tree.sink.read(&tree.sink, TW_TUNABLE_PORT_RANGE, &value), 0);
	assert_int_equal(value.numbers[1], 65535);
}

static void test_absent(void **state TW_UNUSED)
{
	struct tw_tunable_value value = { { 1, 0 } };
	char path[256];

	assert_int_equal(tree.sink.read(&tree.sink, TW_TUNABLE_TW_RECYCLE, &value), -ENOENT);
	assert_int_equal(tree.sink.write(&tree.sink, TW_TUNABLE_TW_RECYCLE, &value), -ENOENT);
	/* A write makes no file. */
	assert_int_equal(access(path_of(TW_TUNABLE_TW_RECYCLE, path), F_OK), -1);
}

/* The device that is always full. */
static void test_failed_write(void **state TW_UNUSED)
{
	struct tw_tunable_value value = { { 1, 0 } };
	char path[256];

	(void)unlink(path_of(TW_TUNABLE_SYNCOOKIES, path));
	assert_int_equal(symlink("/dev/full", path), 0);
	assert_int_equal(tree.sink.write(&tree.sink, TW_TUNABLE_SYNCOOKIES, &value), -ENOSPC);
	assert_int_equal(unlink(path), 0);
}

/* RLIMIT_FSIZE lets a write be short. */
static void test_short_write(void **state TW_UNUSED)
{
	struct tw_tunable_value value = { { 123456, 0 } };
	struct rlimit before, limit;
	int r;

	put(TW_TUNABLE_MAX_TW_BUCKETS, "1\n");
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	r = tree.sink.write(&tree.sink, TW_TUNABLE_MAX_TW_BUCKETS, &value);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -EIO);
	expect(TW_TUNABLE_MAX_TW_BUCKETS, "123");
}

static void test_no_root(void **state TW_UNUSED)
{
	struct tw_sysctl_tree none = { .root_fd = -1 };

	assert_int_equal(tw_sysctl_tree_open(&none, "/nonexistent/sys"), -ENOENT);
	assert_int_equal(tw_sysctl_tree_open(&none, "/dev/null"), -ENOTDIR);
	assert_int_equal(none.root_fd, -1);
	tw_sysctl_tree_close(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),	cmocka_unit_test(test_long_read),    cmocka_unit_test(test_writes),
		cmocka_unit_test(test_absent),	cmocka_unit_test(test_failed_write), cmocka_unit_test(test_short_write),
		cmocka_unit_test(test_no_root),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
