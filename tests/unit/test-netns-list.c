/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/netns-source.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tw_netns_list list;

static int clear(void **state TW_UNUSED)
{
	free(list.rows);
	list = (struct tw_netns_list){ 0 };
	return 0;
}

static const char *name_of(uint64_t inode)
{
	const struct tw_netns_found *found = tw_netns_list_find(&list, inode);

	return found ? found->namespace.name : "none";
}

static void add_process(uint64_t inode, uint64_t pid, const char *cgroup)
{
	if (tw_netns_list_add_process(&list, inode, pid) == 1)
		tw_netns_list_entitle(&list, inode, cgroup, strlen(cgroup));
}

static void test_names(void **state TW_UNUSED)
{
	assert_int_equal(tw_netns_list_add_name(&list, 30, "web"), 0);
	assert_int_equal(tw_netns_list_add_name(&list, 10, "zoo"), 0);
	assert_int_equal(tw_netns_list_add_name(&list, 10, "abc"), 0);
	assert_int_equal(tw_netns_list_add_name(&list, 10, "bcd"), 0);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rows[0].namespace.id, 10);
	assert_string_equal(name_of(10), "abc");
	assert_string_equal(name_of(30), "web");
	assert_null(tw_netns_list_find(&list, 20));
	assert_null(tw_netns_list_find(&list, 31));
}

/* A name of its own goes before all that is in it. */
static void test_processes(void **state TW_UNUSED)
{
	(void)tw_netns_list_add_name(&list, 10, "web");
	add_process(10, 4, "0::/system.slice/a.service");
	add_process(20, 5, "0::/system.slice/b.service");
	add_process(20, 6, "0::/system.slice/c.service");
	assert_string_equal(name_of(10), "web");
	assert_true(tw_netns_list_find(&list, 10)->named);
	assert_int_equal(tw_netns_list_find(&list, 10)->pid, 4);
	assert_string_equal(name_of(20), "b.service");
	assert_false(tw_netns_list_find(&list, 20)->named);
	assert_int_equal(tw_netns_list_find(&list, 20)->pid, 5);
}

static void test_titles(void **state TW_UNUSED)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "0::/system.slice/docker-8f3c.scope\n", "docker-8f3c.scope" },
		{ "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-9.scope\n", "cri-containerd-9.scope" },
		{ "0::/docker/8f3c\n", "8f3c" },
		/* Version 1 beside it: systemd's own hierarchy, whichever comes first. */
		{ "4:memory:/x\n1:name=systemd:/system.slice/web.service\n0::/\n", "web.service" },
		{ "0::/\n1:name=systemd:/system.slice/web.service\n", "web.service" },
		{ "1:name=systemd:/\n0::/system.slice/web.service\n", "web.service" },
		{ "12:cpu,cpuacct:/system.slice/other.service\n0::/system.slice/web.service", "web.service" },
		/* The root of all, or nothing that is understood. */
		{ "0::/\n", "netns" },
		{ "0::\n", "netns" },
		{ "", "netns" },
		{ "x0::/web.service\n", "netns" },
		{ "no line of this kind\n", "netns" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		add_process(100 + i, 1, rows[i].text);
		assert_string_equal(name_of(100 + i), rows[i].name);
	}
}

static void test_told_apart(void **state TW_UNUSED)
{
	(void)tw_netns_list_add_name(&list, 50, "web.service");
	(void)tw_netns_list_add_name(&list, 60, "host");
	add_process(10, 1, "0::/web.service");
	add_process(20, 2, "0::/db.service");
	add_process(30, 3, "0::/db.service");
	add_process(40, 4, "0::/db.service");
	tw_netns_list_tell_apart(&list);
	assert_string_equal(name_of(50), "web.service");
	assert_string_equal(name_of(10), "web.service@10");
	assert_string_equal(name_of(20), "db.service");
	assert_string_equal(name_of(30), "db.service@30");
	assert_string_equal(name_of(40), "db.service@40");
	assert_string_equal(name_of(60), "host@60");
	assert_string_equal(tw_netns_list_find(&list, 60)->file, "host");
}

/* Any order of finding gives the same list; beyond its room nothing is added. */
static void test_many(void **state TW_UNUSED)
{
	for (unsigned i = 0; i < TW_NETNS_MAX + 7; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(tw_netns_list_add_name(&list, 1 + (uint64_t)i * 7919 % 100003, name), 0);
	}
	assert_int_equal(list.count, TW_NETNS_MAX);
	assert_int_equal(tw_netns_list_add_process(&list, 200000, 1), 0);
	assert_int_equal(list.count, TW_NETNS_MAX);
	for (unsigned i = 1; i < list.count; i++)
		assert_true(list.rows[i - 1].namespace.id < list.rows[i].namespace.id);
	for (unsigned i = 0; i < TW_NETNS_MAX; i++)
		assert_non_null(tw_netns_list_find(&list, 1 + (uint64_t)i * 7919 % 100003));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_names, clear),  cmocka_unit_test_teardown(test_processes, clear),
		cmocka_unit_test_teardown(test_titles, clear), cmocka_unit_test_teardown(test_told_apart, clear),
		cmocka_unit_test_teardown(test_many, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
