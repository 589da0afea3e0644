/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"
#include "config/settings-load.h"
#include "model/settings.h"
#include "settings-same.h"
#include "temporary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULE(name) "[rule " name "]\nmetric=time-wait\nraise=9\nclear=1\n"

/* A place of its own for each test, and what the last load said. */
struct world {
	char directory[TEMPORARY_MAX];
	char main_file[128];
	char drop_ins[128];
	struct tw_problems problems;
	struct tw_settings *settings;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -1;
	*state = world;
	if (!make_temporary(world->directory))
		return -1;
	(void)snprintf(world->main_file, sizeof(world->main_file), "%s/main.conf", world->directory);
	(void)snprintf(world->drop_ins, sizeof(world->drop_ins), "%s/main.conf.d", world->directory);
	return 0;
}

static int remove_one(const char *path, const struct stat *status TW_UNUSED, int kind TW_UNUSED,
		      struct FTW *position TW_UNUSED)
{
	return remove(path);
}

static int tear_down(void **state)
{
	struct world *world = *state;

	(void)tw_settings_free(world->settings);
	(void)nftw(world->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(world);
	return 0;
}

static void write_file(const char *directory, const char *name, const char *text, size_t length)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), (ssize_t)length);
	assert_int_equal(close(fd), 0);
}

static void put(const char *directory, const char *name, const char *text)
{
	write_file(directory, name, text, strlen(text));
}

static int load_file(struct world *world, const char *file)
{
	world->settings = tw_settings_free(world->settings);
	world->problems.count = 77; /* of a load before */
	return tw_settings_load(file, world->main_file, world->drop_ins, &world->problems, &world->settings);
}

static int load(struct world *world)
{
	return load_file(world, NULL);
}

/* The only problem, or the one at `at`, without the test's directory before it. */
static void assert_problem(const struct world *world, unsigned at, const char *expected)
{
	size_t length = strlen(world->directory);

	assert_true(at < world->problems.count);
	assert_memory_equal(world->problems.texts[at], world->directory, length);
	assert_string_equal(world->problems.texts[at] + length + 1, expected);
}

static void assert_built_in(const struct tw_settings *settings)
{
	struct tw_settings *built_in = tw_settings_new();

	assert_non_null(built_in);
	assert_same(settings, built_in);
	assert_null(tw_settings_free(built_in));
}

/* The file that is shipped, by TW_CONF or in the source tree. */
static const char *shipped_file(char path[512])
{
	const char *conf = getenv("TW_CONF"), *source = getenv("TW_SRCDIR");

	if (conf)
		return conf;
	(void)snprintf(path, 512, "%s/conf/timewaitd.conf", source ? source : ".");
	return path;
}

static void test_shipped_is_built_in(void **state)
{
	struct world *world = *state;
	char path[512];
	int r = load_file(world, shipped_file(path));

	for (unsigned i = 0; i < world->problems.count && i < TW_PROBLEMS_MAX; i++)
		print_error("%s\n", world->problems.texts[i]);
	assert_int_equal(r, 0);
	assert_int_equal(world->problems.count, 0);
	assert_built_in(world->settings);
}

/* Every key of [daemon] stands in the shipped file with its value, so that it explains itself. */
static void test_shipped_has_daemon_keys(void **state)
{
	static char bytes[1 << 16];
	const char *key;
	char path[512], line[80];
	FILE *file = fopen(shipped_file(path), "re");

	(void)state;
	assert_non_null(file);
	bytes[fread(bytes, 1, sizeof(bytes) - 1, file)] = '\0';
	assert_int_equal(fclose(file), 0);
	for (size_t i = 0; (key = tw_settings_key("daemon", i)); i++) {
		(void)snprintf(line, sizeof(line), "\n%s = ", key);
		assert_non_null(strstr(bytes, line));
	}
	for (size_t i = 0; (key = tw_settings_key("rule", i)); i++) {
		(void)snprintf(line, sizeof(line), "\n#   %s ", key);
		assert_non_null(strstr(bytes, line));
	}
}

static void test_nothing(void **state)
{
	struct world *world = *state;

	assert_int_equal(load(world), 0);
	assert_int_equal(world->problems.count, 0);
	assert_built_in(world->settings);
	/* An empty directory is nothing too. */
	assert_int_equal(mkdir(world->drop_ins, 0700), 0);
	assert_int_equal(load(world), 0);
	assert_built_in(world->settings);
}

static void test_main_replaces(void **state)
{
	struct world *world = *state;

	put(world->directory, "main.conf", "[daemon]\ntop=7\n");
	assert_int_equal(load(world), 0);
	assert_int_equal(world->settings->top, 7);
	assert_int_equal(world->settings->rule_count, 0);
	put(world->directory, "main.conf", "");
	assert_int_equal(load(world), 0);
	assert_int_equal(world->settings->rule_count, 0);
}

static void test_drop_ins_alone(void **state)
{
	struct world *world = *state;
	struct tw_settings *built_in = tw_settings_new();

	assert_int_equal(mkdir(world->drop_ins, 0700), 0);
	put(world->drop_ins, "a.conf",
	    "[rule port-exhaustion]\nraise=60%\n[rule more]\nmetric=reset\nraise=9/s\nclear=1/s\n");
	assert_int_equal(load(world), 0);
	assert_int_equal(world->settings->rule_count, built_in->rule_count + 1);
	assert_string_equal(world->settings->rules[built_in->rule_count].name, "more");
	assert_int_equal(world->settings->rules[0].raise_milli, 60000);
	built_in->rules[0].raise_milli = 60000;
	world->settings->rule_count--;
	assert_same(world->settings, built_in);
	assert_null(tw_settings_free(built_in));
}

/* By bytes: "10" before "9", capitals before small letters. */
static void test_order(void **state)
{
	struct world *world = *state;
	static const char *const names[] = { "Z", "9", "10", "b", "a" };
	static const char *const sorted[] = { "main", "10", "9", "Z", "a", "b" };
	char file[32], text[64];

	assert_int_equal(mkdir(world->drop_ins, 0700), 0);
	put(world->directory, "main.conf", RULE("main") "[daemon]\ntop=1\n");
	for (size_t i = 0; i < TW_ARRAY_SIZE(names); i++) {
		(void)snprintf(file, sizeof(file), "%s.conf", names[i]);
		(void)snprintf(text, sizeof(text), "[daemon]\ntop=%zu\n[rule %s]\nmetric=bound\nraise=9\nclear=1\n",
			       i + 10, names[i]);
		put(world->drop_ins, file, text);
	}
	assert_int_equal(load(world), 0);
	assert_int_equal(world->settings->rule_count, TW_ARRAY_SIZE(sorted));
	for (size_t i = 0; i < TW_ARRAY_SIZE(sorted); i++)
		assert_string_equal(world->settings->rules[i].name, sorted[i]);
	assert_int_equal(world->settings->top, 13); /* of b.conf, the last */
}

static void test_only_conf_files(void **state)
{
	struct world *world = *state;
	char path[256];

	assert_int_equal(mkdir(world->drop_ins, 0700), 0);
	put(world->directory, "main.conf", RULE("main"));
	put(world->drop_ins, "a.conf~", "bad");
	put(world->drop_ins, "a.conf.bak", "bad");
	put(world->drop_ins, ".hidden.conf", "bad");
	put(world->drop_ins, ".conf", "bad");
	put(world->drop_ins, "conf", "bad");
	(void)snprintf(path, sizeof(path), "%s/directory.conf", world->drop_ins);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/fifo.conf", world->drop_ins);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(path, sizeof(path), "%s/null.conf", world->drop_ins);
	assert_int_equal(symlink("/dev/null", path), 0);
	put(world->directory, "elsewhere", RULE("linked"));
	(void)snprintf(path, sizeof(path), "%s/link.conf", world->drop_ins);
	assert_int_equal(symlink("../elsewhere", path), 0);
	assert_int_equal(load(world), 0);
	assert_int_equal(world->settings->rule_count, 2);
	assert_string_equal(world->settings->rules[1].name, "linked");
}

static void test_explicit_file(void **state)
{
	struct world *world = *state;
	char path[256];

	assert_int_equal(mkdir(world->drop_ins, 0700), 0);
	put(world->directory, "main.conf", "bad");
	put(world->drop_ins, "a.conf", "bad");
	put(world->directory, "other", RULE("other"));
	(void)snprintf(path, sizeof(path), "%s/other", world->directory);
	assert_int_equal(load_file(world, path), 0);
	assert_int_equal(world->settings->rule_count, 1);
	(void)snprintf(path, sizeof(path), "%s/none", world->directory);
	assert_int_equal(load_file(world, path), -EINVAL);
	assert_null(world->settings);
	assert_int_equal(world->problems.count, 1);
	assert_problem(world, 0, "none: No such file or directory");
}

/* All of them, in the order of reading, and nothing is handed out. */
static void test_problems(void **state)
{
	struct world *world = *state;
	char path[256];

	assert_int_equal(mkdir(world->drop_ins, 0700), 0);
	put(world->directory, "main.conf", "[rule r]\n\ntop=1\n");
	put(world->drop_ins, "a.conf", "[daemon]\ntop=0\n");
	(void)snprintf(path, sizeof(path), "%s/b.conf", world->drop_ins);
	assert_int_equal(symlink("nowhere", path), 0);
	put(world->drop_ins, "c.conf", "x");
	assert_int_equal(load(world), -EINVAL);
	assert_null(world->settings);
	assert_int_equal(world->problems.count, 7);
	assert_problem(world, 0, "main.conf:1: [rule r] has no 'metric'; every rule needs one");
	assert_problem(world, 3, "main.conf:3: unknown key 'top' in [rule r]; it belongs into [daemon]");
	assert_problem(world, 4, "main.conf.d/a.conf:2: top = '0': expected a number from 1 to 100");
	assert_problem(world, 5, "main.conf.d/b.conf: No such file or directory");
	assert_problem(world, 6, "main.conf.d/c.conf:1: expected KEY = VALUE or [SECTION], found 'x'");
}

static void test_main_is_a_directory(void **state)
{
	struct world *world = *state;

	assert_int_equal(mkdir(world->main_file, 0700), 0);
	assert_int_equal(load(world), -EINVAL);
	assert_int_equal(world->problems.count, 1);
	assert_problem(world, 0, "main.conf: Is a directory");
}

static void test_drop_ins_are_a_file(void **state)
{
	struct world *world = *state;

	put(world->directory, "main.conf", "");
	put(world->directory, "main.conf.d", "");
	assert_int_equal(load(world), -EINVAL);
	assert_int_equal(world->problems.count, 1);
	assert_problem(world, 0, "main.conf.d: Not a directory");
}

/* Root may read everything: another user does the looking. */
static void test_unreadable(void **state)
{
	struct world *world = *state;
	bool root = geteuid() == 0;
	int r;

	put(world->directory, "main.conf", RULE("r"));
	assert_int_equal(mkdir(world->drop_ins, 0700), 0);
	put(world->drop_ins, "a.conf", RULE("s"));
	assert_int_equal(chmod(world->main_file, 0), 0);
	assert_int_equal(chmod(world->drop_ins, 0), 0);
	if (root && (chown(world->directory, 65534, (gid_t)-1) < 0 || seteuid(65534) < 0)) {
		(void)chown(world->directory, 0, (gid_t)-1);
		(void)chmod(world->drop_ins, 0700);
		skip(); /* nobody else can be there */
	}
	r = load(world);
	if (root) {
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(chown(world->directory, 0, (gid_t)-1), 0); /* not every root may go where it pleases */
	}
	assert_int_equal(chmod(world->drop_ins, 0700), 0);
	assert_int_equal(r, -EINVAL);
	assert_int_equal(world->problems.count, 2);
	assert_problem(world, 0, "main.conf: Permission denied");
	assert_problem(world, 1, "main.conf.d: Permission denied");
}

/* 1 MiB is taken, one byte more is not. */
static void test_size(void **state)
{
	struct world *world = *state;
	size_t most = (size_t)1 << 20;
	char *text = malloc(most + 1);

	assert_non_null(text);
	memset(text, '\n', most + 1);
	write_file(world->directory, "main.conf", text, most);
	assert_int_equal(load(world), 0);
	write_file(world->directory, "main.conf", text, most + 1);
	assert_int_equal(load(world), -EINVAL);
	assert_int_equal(world->problems.count, 1);
	assert_problem(world, 0, "main.conf: the file is larger than 1 MiB");
	free(text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_shipped_is_built_in),
		TEST(test_shipped_has_daemon_keys),
		TEST(test_nothing),
		TEST(test_main_replaces),
		TEST(test_drop_ins_alone),
		TEST(test_order),
		TEST(test_only_conf_files),
		TEST(test_explicit_file),
		TEST(test_problems),
		TEST(test_main_is_a_directory),
		TEST(test_drop_ins_are_a_file),
		TEST(test_unreadable),
		TEST(test_size),
	};

	return cmocka_run_group_tests_name("settings-load", tests, NULL, NULL);
}
