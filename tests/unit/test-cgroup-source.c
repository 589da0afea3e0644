/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against a tree of the test's own, and against the machine's cgroup2 where there is one to write to. */
#include "measure/proc/cgroup-source.h"

#include "base/fd.h"
#include "base/text.h"
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char root[TEMPORARY_MAX];
	struct tw_cgroup_source *source;
};

static struct tw_cgroup_source *new_source(const char *root, unsigned directories_max)
{
	struct tw_cgroup_source *source = tw_cgroup_source_new(root, directories_max);

	assert_non_null(source);
	return source;
}

static int set_up(void **state)
{
	static struct fixture fixture;

	if (!make_temporary(fixture.root))
		return -1;
	fixture.source = new_source(fixture.root, TW_CGROUP_DIRECTORIES_MAX);
	*state = &fixture;
	return 0;
}

static int remove_one(const char *path, const struct stat *status TW_UNUSED, int type TW_UNUSED,
		      struct FTW *walk TW_UNUSED)
{
	return remove(path);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	fixture->source = tw_cgroup_source_free(fixture->source);
	assert_null(tw_cgroup_source_free(NULL));
	return nftw(fixture->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const struct fixture *fixture, const char *path)
{
	static char text[PATH_MAX];

	(void)snprintf(text, sizeof(text), "%s/%s", fixture->root, path);
	return text;
}

/* Its id. */
static uint64_t make(const struct fixture *fixture, const char *path)
{
	struct stat status;

	assert_int_equal(mkdir(path_of(fixture, path), 0755), 0);
	assert_int_equal(stat(path_of(fixture, path), &status), 0);
	return status.st_ino;
}

static void assert_unit(struct tw_cgroup_source *source, uint64_t id, const char *expected)
{
	char unit[TW_UNIT_MAX] = "untouched";

	assert_int_equal(tw_cgroup_source_unit(source, id, unit), expected ? 0 : -ENOENT);
	assert_string_equal(unit, expected ? expected : "untouched");
}

static void test_tree(void **state)
{
	struct fixture *fixture = *state;
	uint64_t system = make(fixture, "system.slice"), web = make(fixture, "system.slice/web.service");
	uint64_t inner = make(fixture, "system.slice/web.service/inner"), docker = make(fixture, "docker");
	uint64_t container = make(fixture, "docker/0123456789ab");
	struct stat root;

	assert_int_equal(stat(fixture->root, &root), 0);
	/* Before it is allowed nothing is looked at. */
	assert_unit(fixture->source, web, NULL);
	tw_cgroup_source_allow_walk(fixture->source);
	assert_unit(fixture->source, web, "web.service");
	assert_unit(fixture->source, inner, "web.service");
	assert_unit(fixture->source, system, "system.slice");
	assert_unit(fixture->source, docker, "docker");
	assert_unit(fixture->source, container, "0123456789ab");
	assert_unit(fixture->source, root.st_ino, "-.slice");
	assert_unit(fixture->source, UINT64_MAX, NULL);
}

/* One walk, then no more until it is allowed again; what is known needs none. */
static void test_walks(void **state)
{
	struct fixture *fixture = *state;
	uint64_t first = make(fixture, "first.service"), second, third;

	tw_cgroup_source_allow_walk(fixture->source);
	assert_unit(fixture->source, first, "first.service");
	second = make(fixture, "second.service");
	assert_unit(fixture->source, second, NULL);
	tw_cgroup_source_allow_walk(fixture->source);
	/* The old one is known: the walk is still to be had. */
	assert_unit(fixture->source, first, "first.service");
	assert_unit(fixture->source, second, "second.service");
	/* Forgotten at the next walk, not before. */
	assert_int_equal(rmdir(path_of(fixture, "first.service")), 0);
	assert_unit(fixture->source, first, "first.service");
	third = make(fixture, "third.scope");
	tw_cgroup_source_allow_walk(fixture->source);
	if (third != first) {
		assert_unit(fixture->source, third, "third.scope");
		assert_unit(fixture->source, first, NULL);
	}
	assert_unit(fixture->source, second, "second.service");
}

/* What a walk did not find is asked for no more, so that the next walk is there for others. */
static void test_missing(void **state)
{
	struct fixture *fixture = *state;
	uint64_t late;

	tw_cgroup_source_allow_walk(fixture->source);
	assert_unit(fixture->source, UINT64_MAX, NULL);
	late = make(fixture, "late.service");
	tw_cgroup_source_allow_walk(fixture->source);
	assert_unit(fixture->source, UINT64_MAX, NULL);
	assert_unit(fixture->source, late, "late.service");
}

/* Files, links and what is behind them are none of the tree's. */
static void test_strange_things(void **state)
{
	struct fixture *fixture = *state;
	TW_CLEANUP_CLOSE int file = -1;
	uint64_t outside, inside;
	struct stat status;
	char target[128];

	make(fixture, "a.slice");
	inside = make(fixture, "a.slice/in.service");
	outside = make(fixture, "out");
	(void)snprintf(target, sizeof(target), "%s/a.slice", fixture->root);
	assert_int_equal(symlink(target, path_of(fixture, "out/link.service")), 0);
	assert_int_equal(symlink("..", path_of(fixture, "out/loop")), 0);
	file = open(path_of(fixture, "out/cgroup.procs"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(file >= 0);
	assert_int_equal(fstat(file, &status), 0);
	tw_cgroup_source_allow_walk(fixture->source);
	assert_unit(fixture->source, inside, "in.service");
	assert_unit(fixture->source, outside, "out");
	assert_unit(fixture->source, status.st_ino, NULL);
	assert_int_equal(lstat(path_of(fixture, "out/link.service"), &status), 0);
	assert_unit(fixture->source, status.st_ino, NULL);
}

static void test_bounds(void **state)
{
	struct fixture *fixture = *state;
	TW_CLEANUP_CGROUP_SOURCE struct tw_cgroup_source *small = new_source(fixture->root, 20);
	uint64_t ids[TW_CGROUP_DEPTH_MAX + 2];
	char path[256] = "", unit[TW_UNIT_MAX];
	struct tw_text text;
	unsigned found = 0;

	tw_text_init(&text, path, sizeof(path));
	for (unsigned depth = 1; depth < TW_ARRAY_SIZE(ids); depth++) {
		tw_text_addf(&text, "%sd%u", depth > 1 ? "/" : "", depth);
		ids[depth] = make(fixture, path);
	}
	tw_cgroup_source_allow_walk(fixture->source);
	assert_unit(fixture->source, ids[TW_CGROUP_DEPTH_MAX], "d32");
	assert_unit(fixture->source, ids[TW_CGROUP_DEPTH_MAX + 1], NULL);
	/* The root and 19 more. */
	for (unsigned depth = 1; depth < TW_ARRAY_SIZE(ids); depth++) {
		tw_cgroup_source_allow_walk(small);
		found += tw_cgroup_source_unit(small, ids[depth], unit) == 0;
	}
	assert_int_equal(found, 19);
}

static void test_no_root(void **state)
{
	struct fixture *fixture = *state;
	char none[PATH_MAX];
	TW_CLEANUP_CGROUP_SOURCE struct tw_cgroup_source *source =
		new_source(strcat(strcpy(none, fixture->root), "/none"), 100);
	uint64_t id;

	tw_cgroup_source_allow_walk(source);
	assert_unit(source, 1, NULL);
	/* A walk that failed proves nothing: the id is looked for again. */
	(void)make(fixture, "none");
	id = make(fixture, "none/a.service");
	tw_cgroup_source_allow_walk(source);
	assert_unit(source, id, "a.service");
}

/* Many directories: the names and ids move as they grow. */
static void test_many(void **state)
{
	struct fixture *fixture = *state;
	uint64_t ids[1000];
	char name[64];

	for (unsigned i = 0; i < TW_ARRAY_SIZE(ids); i++) {
		(void)snprintf(name, sizeof(name), "a-service-with-a-name-%u.service", i);
		ids[i] = make(fixture, name);
	}
	tw_cgroup_source_allow_walk(fixture->source);
	for (unsigned i = 0; i < TW_ARRAY_SIZE(ids); i++) {
		(void)snprintf(name, sizeof(name), "a-service-with-a-name-%u.service", i);
		assert_unit(fixture->source, ids[i], name);
	}
}

/* ---- the machine's own */

static bool find_cgroup2(char root[PATH_MAX])
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[2 * PATH_MAX], type[64];
	bool found = false;

	assert_non_null(mounts);
	while (!found && fgets(line, sizeof(line), mounts))
		found = sscanf(line, "%*s %4095s %63s", root, type) == 2 && strcmp(type, "cgroup2") == 0;
	assert_int_equal(fclose(mounts), 0);
	return found;
}

static void test_kernel(void **state TW_UNUSED)
{
	TW_CLEANUP_CGROUP_SOURCE struct tw_cgroup_source *source = NULL;
	char root[PATH_MAX], path[PATH_MAX + 64];
	struct stat status;
	int r;

	if (!find_cgroup2(root)) {
		print_message("skipped: no cgroup2\n");
		skip();
	}
	(void)snprintf(path, sizeof(path), "%s/timewaitd-test-%d.service", root, (int)getpid());
	if (mkdir(path, 0755) < 0) {
		print_message("skipped: no cgroup can be made: %s\n", strerror(errno));
		skip();
	}
	r = stat(path, &status);
	source = new_source(NULL, TW_CGROUP_DIRECTORIES_MAX);
	tw_cgroup_source_allow_walk(source);
	if (r == 0) {
		char unit[TW_UNIT_MAX];

		r = tw_cgroup_source_unit(source, status.st_ino, unit);
		(void)rmdir(path);
		assert_int_equal(r, 0);
		assert_string_equal(unit, strrchr(path, '/') + 1);
		return;
	}
	(void)rmdir(path);
	fail();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tree),   TEST(test_walks),   TEST(test_missing), TEST(test_strange_things),
		TEST(test_bounds), TEST(test_no_root), TEST(test_many),	   cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
