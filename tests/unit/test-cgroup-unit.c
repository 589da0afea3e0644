/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/cgroup-source.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
