/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sysctls that most kernels do not have, on a tree of plain files that has them or has them not. */
#include "reconcile-fixture.h"

#include "act/sysctl-sink.h"
#include "temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[TEMPORARY_MAX];
static struct tw_sysctl_tree tree;

static const char *path_of(const char *name, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", root, name);
	return path;
}

static int make_tree(void **state)
{
	char path[256];

	if (!make_temporary(root) || mkdir(path_of("net", path), 0755) < 0 ||
	    mkdir(path_of("net/ipv4", path), 0755) < 0)
		return -1;
	(void)set_up(state);
	reconciler.sysctl = &tree.sink;
	return tw_sysctl_tree_open(&tree, root);
}

static int remove_tree(void **state TW_UNUSED)
{
	char path[256];

	tw_sysctl_tree_close(&tree);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		(void)unlink(path_of(tw_tunable_info((enum tw_tunable)i)->path, path));
	(void)rmdir(path_of("net/ipv4", path));
	(void)rmdir(path_of("net", path));
	return rmdir(root);
}

static void put(enum tw_tunable tunable, const char *text)
{
	char path[256];
	FILE *file = fopen(path_of(tw_tunable_info(tunable)->path, path), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void expect_file(enum tw_tunable tunable, int64_t number)
{
	struct tw_tunable_value value;

	assert_int_equal(tree.sink.read(&tree.sink, tunable, &value), 0);
	assert_int_equal(value.numbers[0], number);
}

static const struct {
	enum tw_tunable tunable;
	const char *before;
	int64_t wanted;
	const char *why_not; /* part of the reason where the kernel has no such sysctl */
} rows[] = {
	{ TW_TUNABLE_TW_RECYCLE, "0\n", 1, "Linux 4.12 removed it" },
	{ TW_TUNABLE_TW_TIMEOUT, "60\n", 30, "" },
	{ TW_TUNABLE_TW_REUSE_DELAY, "1000\n", 500, "" },
};

/* Where the kernel has it, it is a sysctl like any other: changed, and given back. */
static void test_there(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		int64_t before = strtol(rows[i].before, NULL, 10);

		tw_fake_act_forget_events(&fake);
		put(rows[i].tunable, rows[i].before);
		want(rows[i].tunable, rows[i].wanted);
		tw_reconcile_run(&reconciler, &desires, TW_MODE_ENFORCE);
		assert_int_equal(fake.event_count, 1);
		assert_int_equal(fake.events[0].kind, TW_EVENT_ADJUSTED);
		expect_file(rows[i].tunable, rows[i].wanted);
		want_nothing();
		tw_reconcile_run(&reconciler, &desires, TW_MODE_ENFORCE);
		assert_int_equal(tw_fake_act_last(&fake)->kind, TW_EVENT_RESTORED);
		expect_file(rows[i].tunable, before);
	}
}

/* Where it has not, that is said once, with the reason, and nothing is made in its place. */
static void test_not_there(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		char path[256];

		tw_fake_act_forget_events(&fake);
		want_nothing();
		want(rows[i].tunable, rows[i].wanted);
		for (int call = 0; call < 3; call++)
			tw_reconcile_run(&reconciler, &desires, TW_MODE_ENFORCE);
		assert_int_equal(fake.event_count, 1);
		assert_int_equal(fake.events[0].kind, TW_EVENT_REFUSED);
		assert_non_null(strstr(fake.events[0].reason, rows[i].why_not));
		assert_int_equal(access(path_of(tw_tunable_info(rows[i].tunable)->path, path), F_OK), -1);
		assert_int_equal(fake.saved.entries[rows[i].tunable].owner, TW_OWNER_NOBODY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(test_not_there, make_tree, remove_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
