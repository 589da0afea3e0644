/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In directories of its own: files that are bound to real namespaces stand for names, links to them for processes. */
#include "measure/proc/netns-source.h"
#include "namespace-fixture.h"

#include "base/setns-source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

static char top[] = "/tmp/test-netns-source-XXXXXX";
static char names[64], processes[64];
static struct tw_netns_paths paths = { names, processes };

static void make_directory(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* What the calling thread is in, as this file. Returns its inode. */
static uint64_t bind_here(const char *path)
{
	struct tw_netns_id here;

	write_file(path, "");
	assert_int_equal(mount(TW_NETNS_HERE, path, "none", MS_BIND, NULL), 0);
	assert_int_equal(tw_netns_identify(NULL, &here), 0);
	return here.inode;
}

static uint64_t name_here(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", names, name);
	return bind_here(path);
}

/* A process that is where `name` leads, in this cgroup. */
static void add_process(unsigned pid, const char *name, const char *cgroup)
{
	char path[128], target[128];

	(void)snprintf(path, sizeof(path), "%s/%u", processes, pid);
	make_directory(path);
	(void)snprintf(path, sizeof(path), "%s/%u/ns", processes, pid);
	make_directory(path);
	(void)snprintf(path, sizeof(path), "%s/%u/ns/net", processes, pid);
	(void)snprintf(target, sizeof(target), "%s%s%s", name[0] == '/' ? "" : names, name[0] == '/' ? "" : "/", name);
	assert_int_equal(symlink(target, path), 0);
	(void)snprintf(path, sizeof(path), "%s/%u/cgroup", processes, pid);
	write_file(path, cgroup);
}

/* Private, so that nothing of it is seen outside, and goes with the process. */
static int set_up(void **state TW_UNUSED)
{
	if (refused)
		return 0;
	/* In a user namespace of our own, without a map of users, nothing can be made in a tmpfs either. */
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) < 0 || !mkdtemp(top)) {
		refused = strerror(errno);
		return 0;
	}
	(void)snprintf(names, sizeof(names), "%s/netns", top);
	(void)snprintf(processes, sizeof(processes), "%s/proc", top);
	return 0;
}

static const struct tw_netns_list *look(struct tw_netns_source *source, bool with_processes)
{
	int r;

	tw_netns_source_begin(source, with_processes);
	while ((r = tw_netns_source_step(source)) > 0)
		;
	assert_int_equal(r, 0);
	assert_int_equal(tw_netns_source_step(source), 0);
	return tw_netns_source_found(source);
}

static void test_what_there_is(void **state TW_UNUSED)
{
	TW_CLEANUP_NETNS_SOURCE struct tw_netns_source *source = NULL;
	const struct tw_netns_list *list;
	struct tw_netns_id here;
	uint64_t web, db, inode;
	char path[128], nameless[128];
	int home, fd = -1;

	need_namespace();
	assert_int_equal(tw_netns_open(TW_NETNS_HERE, &home, &inode), 0);
	assert_int_equal(tw_netns_source_new(&paths, &source), 0);
	/* Nobody has made a name yet, and there is no process. */
	make_directory(processes);
	assert_int_equal(look(source, true)->count, 0);
	make_directory(names);
	(void)name_here("home");
	(void)snprintf(path, sizeof(path), "%s/file", names);
	write_file(path, "no namespace");
	(void)snprintf(path, sizeof(path), "%s/nowhere", names);
	assert_int_equal(symlink("/nonexistent", path), 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	web = name_here("web");
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	(void)snprintf(nameless, sizeof(nameless), "%s/nameless", top);
	db = bind_here(nameless);
	tw_netns_leave(&(struct tw_netns){ .home_fd = home });

	list = look(source, false);
	assert_int_equal(list->count, 1);
	assert_string_equal(tw_netns_list_find(list, web)->namespace.name, "web");

	add_process(1, "home", "0::/init.scope\n");
	add_process(17, "web", "0::/system.slice/web.service\n");
	/* One without a name is found by its process. */
	add_process(18, nameless, "0::/system.slice/db.service\n");
	(void)snprintf(path, sizeof(path), "%s/self", processes);
	make_directory(path);
	list = look(source, true);
	assert_int_equal(list->count, 2);
	assert_string_equal(tw_netns_list_find(list, web)->namespace.name, "web");
	assert_int_equal(tw_netns_list_find(list, web)->pid, 17);
	assert_string_equal(tw_netns_list_find(list, db)->namespace.name, "db.service");
	assert_false(tw_netns_source_is_denied(source));
	/* Where the first of all processes is not to be seen, others are hidden too: /proc with hidepid=invisible. */
	(void)snprintf(path, sizeof(path), "%s/1", processes);
	(void)snprintf(nameless, sizeof(nameless), "%s/hidden", processes);
	assert_int_equal(rename(path, nameless), 0);
	assert_int_equal(look(source, false)->count, 1);
	assert_false(tw_netns_source_is_denied(source));
	assert_int_equal(look(source, true)->count, 2);
	assert_true(tw_netns_source_is_denied(source));
	assert_int_equal(rename(nameless, path), 0);
	(void)look(source, true);

	/* It is entered, and left; what is opened is what was found. */
	assert_int_equal(tw_netns_source_open(source, tw_netns_list_find(list, web), &fd), 0);
	assert_int_equal(tw_netns_enter(&(struct tw_netns){ .fd = fd }), 0);
	assert_int_equal(tw_netns_identify(NULL, &here), 0);
	assert_int_equal(here.inode, web);
	tw_netns_leave(&(struct tw_netns){ .home_fd = home });
	assert_int_equal(tw_netns_identify(NULL, &here), 0);
	assert_int_equal(here.inode, inode);
	(void)close(fd);
	/* A plain file is there while it is deleted: it is gone. Then another one has come in the place of its name. */
	(void)snprintf(path, sizeof(path), "%s/web", names);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(tw_netns_source_open(source, tw_netns_list_find(list, web), &fd), -ENOENT);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(mount(TW_NETNS_HERE, path, "none", MS_BIND, NULL), 0);
	tw_netns_leave(&(struct tw_netns){ .home_fd = home });
	assert_int_equal(tw_netns_source_open(source, tw_netns_list_find(list, web), &fd), -ESTALE);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(tw_netns_source_open(source, tw_netns_list_find(list, web), &fd), -ENOENT);
	(void)close(home);
}

/* What the activity tells is what the gauge does, and it moves with the first packet. */
static void test_activity(void **state TW_UNUSED)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *kernel = NULL;
	static struct tw_gauge gauge;
	struct tw_activity activity;
	struct tw_source *base;
	int listener;

	need_namespace();
	kernel = new_source();
	base = kernel;
	assert_int_equal(base->gauge(base, &gauge), 0);
	assert_int_equal(base->activity(base, true, &activity), 0);
	assert_true(activity.segments.known);
	assert_true(tw_gauge_has_activity(&gauge, &activity));
	listener = listening("127.0.0.1", 7000, 1);
	assert_int_equal(base->activity(base, false, &activity), 0);
	assert_false(activity.segments.known);
	assert_false(tw_gauge_has_activity(&gauge, &activity));
	assert_int_equal(activity.tcp_inuse, gauge.tcp_inuse + 1);
	(void)close(listener);
	/* Refused: one segment each way, and no socket is left. */
	listener = open_socket(AF_INET);
	{
		struct sockaddr_storage address;
		socklen_t length = address_of(&address, "127.0.0.1", 7001);

		assert_int_equal(connect(listener, (struct sockaddr *)&address, length), -1);
	}
	(void)close(listener);
	assert_int_equal(base->activity(base, false, &activity), 0);
	assert_true(tw_gauge_has_activity(&gauge, &activity));
	assert_int_equal(base->activity(base, true, &activity), 0);
	assert_false(tw_gauge_has_activity(&gauge, &activity));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_activity),
		cmocka_unit_test(test_what_there_is),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, set_up, NULL);
}
