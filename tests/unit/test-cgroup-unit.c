/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/cgroup-unit.h"

#include "base/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* From memory of exactly that size, so that a sanitizer sees what goes wrong. */
static void *exact(const void *bytes, size_t length)
{
	void *copy = malloc(length + 1);

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	return realloc(copy, length > 0 ? length : 1);
}

static void test_units(void **state TW_UNUSED)
{
	static const struct {
		const char *path, *unit;
	} cases[] = {
		{ "", "-.slice" },
		{ "/", "-.slice" },
		{ "///", "-.slice" },
		{ "/init.scope", "init.scope" },
		{ "/system.slice", "system.slice" },
		{ "/system.slice/web.service", "web.service" },
		{ "system.slice/web.service", "web.service" },
		{ "/system.slice/web.service/", "web.service" },
		{ "/system.slice/web.service/payload/deep", "web.service" },
		{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service" },
		{ "/system.slice/cups.socket", "cups.socket" },
		{ "/system.slice/mnt-data.mount", "mnt-data.mount" },
		{ "/system.slice/swap-file.swap", "swap-file.swap" },
		{ "/system.slice/dev\\x2dsda.mount", "dev\\x2dsda.mount" },
		/* The innermost of several: a user's own service, not the manager that started it. */
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/leaky.service", "leaky.service" },
		{ "/user.slice/user-1000.slice/session-2.scope", "session-2.scope" },
		/* Containers: with systemd as the manager of cgroups, and without. */
		{ "/system.slice/docker-0123456789ab.scope", "docker-0123456789ab.scope" },
		{ "/system.slice/docker-0123456789ab.scope/init", "docker-0123456789ab.scope" },
		{ "/kubepods.slice/kubepods-pod1.slice/cri-containerd-ab.scope", "cri-containerd-ab.scope" },
		{ "/docker/0123456789ab", "0123456789ab" },
		{ "/lxc.payload.web", "lxc.payload.web" },
		{ "/docker", "docker" },
		/* No units: a suffix alone, another suffix, a suffix in the middle. */
		{ "/system.slice/.service", "system.slice" },
		{ "/.service", ".service" },
		{ "/system.slice/a.timer", "system.slice" },
		{ "/a/b.service.d", "b.service.d" },
		{ "/a/b.servic", "b.servic" },
		{ "/a/b.SERVICE", "b.SERVICE" },
		{ "/a/xservice", "xservice" },
		{ "/a/..service", "..service" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		char *path = exact(cases[i].path, strlen(cases[i].path));
		char unit[TW_UNIT_MAX];

		memset(unit, 'x', sizeof(unit));
		tw_cgroup_unit(path, strlen(cases[i].path), unit);
		assert_string_equal(unit, cases[i].unit);
		free(path);
	}
}

/* The longest name that a directory can have, and one that none can have. */
static void test_long_names(void **state TW_UNUSED)
{
	char path[600], unit[TW_UNIT_MAX];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	memcpy(path + 256 - 8, ".service", 8);
	tw_cgroup_unit(path, 256, unit);
	assert_int_equal(strlen(unit), 255);
	assert_memory_equal(unit, path + 1, 255);
	tw_cgroup_unit(path, sizeof(path), unit);
	assert_int_equal(strlen(unit), 255);
}

#define LINE(id, root, point, options, type) #id " 25 0:29 " root " " point " rw,nosuid" options " - " type " x rw\n"
#define PROC LINE(20, "/", "/proc", " shared:1", "proc")
#define V1 LINE(21, "/", "/sys/fs/cgroup/systemd", " shared:2", "cgroup")

static void test_mounts(void **state TW_UNUSED)
{
	static const struct {
		const char *text;
		int r;
		const char *path;
	} cases[] = {
		{ PROC LINE(24, "/", "/sys/fs/cgroup", " shared:9", "cgroup2"), 0, "/sys/fs/cgroup" },
		{ PROC V1 LINE(24, "/", "/sys/fs/cgroup/unified", "", "cgroup2"), 0, "/sys/fs/cgroup/unified" },
		{ LINE(24, "/", "/cg", " shared:1 master:2 unbindable", "cgroup2") PROC, 0, "/cg" },
		/* A part of the tree serves where the whole of it is nowhere. */
		{ LINE(24, "/a.slice", "/part", "", "cgroup2") PROC, 0, "/part" },
		{ LINE(24, "/a.slice", "/part", "", "cgroup2") LINE(25, "/", "/whole", "", "cgroup2"), 0, "/whole" },
		{ LINE(24, "/a", "/one", "", "cgroup2") LINE(25, "/b", "/two", "", "cgroup2"), 0, "/one" },
		{ LINE(24, "/", "/with\\040blank\\011tab\\134back", "", "cgroup2"), 0, "/with blank\ttab\\back" },
		{ LINE(24, "/", "/no\\04\\9octal\\", "", "cgroup2"), 0, "/no\\04\\9octal\\" },
		{ "24 25 0:29 / /last rw - cgroup2 x rw", 0, "/last" },
		{ "24 25 0:29 / /last rw - cgroup2", 0, "/last" },
		{ "", -ENOENT, NULL },
		{ "\n\n\n", -ENOENT, NULL },
		{ PROC V1, -ENOENT, NULL },
		{ LINE(24, "/", "/cgroup2", "", "cgroup"), -ENOENT, NULL },
		{ LINE(24, "/", "/x", "", "cgroup22"), -ENOENT, NULL },
		{ "24 25 0:29 / /x rw -", -ENOENT, NULL },
		{ "24 25 0:29 - cgroup2 x rw", -ENOENT, NULL }, /* too short for a mount point */
		{ "24 25 0:29 / - cgroup2 rw", -ENOENT, NULL },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		char *text = exact(cases[i].text, strlen(cases[i].text));
		char path[PATH_MAX] = "untouched";

		assert_int_equal(tw_cgroup_find_mount(text, strlen(cases[i].text), path), cases[i].r);
		assert_string_equal(path, cases[i].r == 0 ? cases[i].path : "untouched");
		free(text);
	}
}

static void test_long_mount(void **state TW_UNUSED)
{
	static char text[PATH_MAX * 5];
	char path[PATH_MAX] = "untouched";

	for (size_t length = PATH_MAX - 1; length <= PATH_MAX; length++) {
		for (unsigned escaped = 0; escaped < 2; escaped++) {
			size_t at = strlen(strcpy(text, "1 2 0:3 / "));

			for (size_t i = 0; i < length; i++) {
				memcpy(text + at, escaped ? "\\101" : "A", escaped ? 4 : 1);
				at += escaped ? 4 : 1;
			}
			strcpy(text + at, " rw - cgroup2 x rw\n");
			strcpy(path, "untouched");
			if (length < PATH_MAX) {
				assert_int_equal(tw_cgroup_find_mount(text, strlen(text), path), 0);
				assert_int_equal(strspn(path, "A"), length);
				assert_int_equal(strlen(path), length);
			} else {
				assert_int_equal(tw_cgroup_find_mount(text, strlen(text), path), -ENAMETOOLONG);
				assert_string_equal(path, "untouched");
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_long_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
