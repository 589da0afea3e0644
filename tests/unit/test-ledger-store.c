/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/ledger-store.h"

#include "base/fd.h"
#include "base/macros.h"
#include "temporary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOOT "6f4f2c0e-9c5b-4d0f-8f35-0f5c6a1c4a5e"

static char parent[TEMPORARY_MAX];
static char path[TEMPORARY_MAX + 10];
static struct tw_state_directory directory = { .fd = -1, .lock_fd = -1 };
static struct tw_ledger_file file;

static int make_parent(void **state TW_UNUSED)
{
	if (!make_temporary(parent))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/state", parent);
	return 0;
}

static int remove_parent(void **state TW_UNUSED)
{
	return rmdir(parent);
}

static int set_up(void **state TW_UNUSED)
{
	int r = tw_state_directory_open(&directory, path, NULL);

	if (r < 0)
		return r;
	tw_ledger_file_init(&file, directory.fd, 0);
	return 0;
}

static int tear_down(void **state TW_UNUSED)
{
	DIR *listing = opendir(path);
	struct dirent *entry;

	while (listing && (entry = readdir(listing)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(dirfd(listing), entry->d_name, 0);
	if (listing)
		(void)closedir(listing);
	tw_state_directory_close(&directory);
	return rmdir(path);
}

static const struct tw_netns_id here = { .inode = 7, .cookie = 70 };

static void owe(struct tw_ledger *ledger, int64_t baseline)
{
	tw_ledger_init(ledger, BOOT, &here);
	ledger->entries[TW_TUNABLE_TW_REUSE] = (struct tw_ledger_entry){
		.owner = TW_OWNER_OURS,
		.baseline = { { baseline, 0 } },
		.previous = { { 1, 0 } },
		.written = { { 1, 0 } },
		.rule = "port-exhaustion",
	};
}

static int save(const struct tw_ledger *ledger)
{
	return file.store.save(&file.store, ledger);
}

static unsigned count_files(void)
{
	DIR *listing = opendir(path);
	unsigned count = 0;

	assert_non_null(listing);
	while (readdir(listing))
		count++;
	(void)closedir(listing);
	return count - 2;
}

static mode_t mode_of(const char *name)
{
	struct stat status;

	assert_int_equal(fstatat(directory.fd, name, &status, 0), 0);
	return status.st_mode & 07777;
}

static void put(const char *name, const char *text, size_t length)
{
	int fd = openat(directory.fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	assert_int_equal(close(fd), 0);
}

static void test_saves_and_loads(void **state TW_UNUSED)
{
	struct tw_ledger ledger, loaded;

	owe(&ledger, 2);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), -ENOENT);
	assert_int_equal(save(&ledger), 0);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), 0);
	assert_int_equal(loaded.entries[TW_TUNABLE_TW_REUSE].baseline.numbers[0], 2);
	assert_string_equal(loaded.entries[TW_TUNABLE_TW_REUSE].rule, "port-exhaustion");
	owe(&ledger, 0);
	assert_int_equal(save(&ledger), 0);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), 0);
	assert_int_equal(loaded.entries[TW_TUNABLE_TW_REUSE].baseline.numbers[0], 0);
	/* The ledger and the lock, and no temporary. */
	assert_int_equal(count_files(), 2);
}

static void test_modes(void **state TW_UNUSED)
{
	struct tw_ledger ledger;

	owe(&ledger, 2);
	assert_int_equal(save(&ledger), 0);
	assert_int_equal(mode_of("."), 0755);
	assert_int_equal(mode_of("ledger"), 0600);
	assert_int_equal(mode_of("lock"), 0600);
}

static void test_nothing_owed_is_no_file(void **state TW_UNUSED)
{
	struct tw_ledger ledger, loaded;

	owe(&ledger, 2);
	assert_int_equal(save(&ledger), 0);
	ledger.entries[TW_TUNABLE_TW_REUSE].owner = TW_OWNER_YIELDED;
	assert_int_equal(save(&ledger), 0);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), -ENOENT);
	assert_int_equal(count_files(), 1);
	/* Again, with no file there to remove. */
	assert_int_equal(save(&ledger), 0);
}

static void test_whose_ledger(void **state TW_UNUSED)
{
	struct tw_ledger ledger, loaded;

	memset(&loaded, 0x5a, sizeof(loaded));
	owe(&ledger, 2);
	assert_int_equal(save(&ledger), 0);
	assert_int_equal(tw_ledger_file_load(&file, "6f4f2c0e-9c5b-4d0f-8f35-0f5c6a1c4a5f", &here, &loaded), -ESTALE);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &(struct tw_netns_id){ 8, 70 }, &loaded), -EXDEV);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &(struct tw_netns_id){ 7, 71 }, &loaded), -EXDEV);
	assert_int_equal(loaded.namespace.inode, 0x5a5a5a5a5a5a5a5a);
	/* Where a cookie is not known, the inode tells; and whoever asks for any gets it. */
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &(struct tw_netns_id){ 7, 0 }, &loaded), 0);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, NULL, &loaded), 0);
	assert_int_equal(loaded.namespace.cookie, 70);
}

static void test_damaged(void **state TW_UNUSED)
{
	static char large[2 * TW_LEDGER_TEXT_MAX];
	static const char newer[] = "timewaitd-ledger 4\n";
	struct tw_ledger loaded;

	put("ledger", "", 0);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), -EBADMSG);
	put("ledger", newer, strlen(newer));
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), -EPROTONOSUPPORT);
	memset(large, 'x', sizeof(large));
	put("ledger", large, sizeof(large));
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), -EBADMSG);
	/* A save makes it whole again. */
	owe(&loaded, 2);
	assert_int_equal(save(&loaded), 0);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), 0);
}

/* The save that fails leaves the ledger that was there, and no temporary. */
static void test_failed_save(void **state TW_UNUSED)
{
	struct rlimit before, limit;
	struct tw_ledger ledger, loaded;
	int r;

	owe(&ledger, 2);
	assert_int_equal(save(&ledger), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	owe(&ledger, 0);
	r = save(&ledger);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), 0);
	assert_int_equal(loaded.entries[TW_TUNABLE_TW_REUSE].baseline.numbers[0], 2);
	assert_int_equal(count_files(), 2);
}

/* What a crash left in the way, or somebody put there to have another file written. */
static void test_temporary_in_the_way(void **state TW_UNUSED)
{
	struct tw_ledger ledger, loaded;
	char text[8] = { 0 };
	int fd;

	owe(&ledger, 2);
	put(".ledger.new", "half", 4);
	assert_int_equal(save(&ledger), 0);
	put("other", "other", 5);
	assert_int_equal(symlinkat("other", directory.fd, ".ledger.new"), 0);
	assert_int_equal(save(&ledger), 0);
	fd = openat(directory.fd, "other", O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text) - 1), 5);
	assert_string_equal(text, "other");
	(void)close(fd);
	assert_int_equal(tw_ledger_file_load(&file, BOOT, &here, &loaded), 0);
	/* A directory in its place cannot be got rid of. */
	assert_int_equal(mkdirat(directory.fd, ".ledger.new", 0700), 0);
	assert_int_equal(save(&ledger), -EISDIR);
	assert_int_equal(unlinkat(directory.fd, ".ledger.new", AT_REMOVEDIR), 0);
}

static void test_one_owner(void **state TW_UNUSED)
{
	struct tw_state_directory second = TW_STATE_DIRECTORY_NONE;
	pid_t owner = -1;

	assert_int_equal(tw_state_directory_open(&second, path, &owner), -EBUSY);
	assert_int_equal(owner, getpid());
	assert_int_equal(second.fd, -1);
	assert_int_equal(second.lock_fd, -1);
	assert_int_equal(tw_state_directory_open(&second, path, NULL), -EBUSY);
	tw_state_directory_close(&directory);
	assert_int_equal(tw_state_directory_open(&second, path, NULL), 0);
	tw_state_directory_close(&second);
	tw_state_directory_close(&second);
	assert_int_equal(tw_state_directory_open(&directory, path, NULL), 0);
}

static void hold_until_killed(int told_fd)
{
	struct tw_state_directory mine = TW_STATE_DIRECTORY_NONE;
	char byte = tw_state_directory_open(&mine, path, NULL) == 0 ? 'y' : 'n';

	/* A test that failed kills nobody. */
	(void)alarm(30);
	(void)!write(told_fd, &byte, 1);
	for (;;)
		(void)pause();
}

/* The lock goes with its owner, however that ended; the pid in the file is the owner's while there is one. */
static void test_killed_owner(void **state TW_UNUSED)
{
	struct tw_state_directory second = TW_STATE_DIRECTORY_NONE;
	pid_t child, owner = -1;
	int ends[2], status;
	char byte = 0;

	tw_state_directory_close(&directory);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		hold_until_killed(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	assert_int_equal(tw_state_directory_open(&second, path, &owner), -EBUSY);
	assert_int_equal(owner, child);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(tw_state_directory_open(&directory, path, &owner), 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void test_unreadable_owner(void **state TW_UNUSED)
{
	static const char *const texts[] = { "", "\n", "nobody\n", "-5\n", "99999999999\n", "12 13\n" };
	struct tw_state_directory second = TW_STATE_DIRECTORY_NONE;

	for (size_t i = 0; i < TW_ARRAY_SIZE(texts); i++) {
		pid_t owner = -1;

		put("lock", texts[i], strlen(texts[i]));
		assert_int_equal(tw_state_directory_open(&second, path, &owner), -EBUSY);
		assert_int_equal(owner, 0);
	}
}

static void test_no_directory(void **state TW_UNUSED)
{
	struct tw_state_directory none = TW_STATE_DIRECTORY_NONE;

	assert_int_equal(tw_state_directory_open(&none, "/nonexistent/a/b", NULL), -ENOENT);
	assert_int_equal(tw_state_directory_open(&none, "/dev/null", NULL), -ENOTDIR);
	assert_int_equal(none.fd, -1);
}

/* A directory that is there already keeps the mode that it was given. */
static void test_directory_of_the_service(void **state TW_UNUSED)
{
	tw_state_directory_close(&directory);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(tw_state_directory_open(&directory, path, NULL), 0);
	assert_int_equal(mode_of("."), 0700);
}

static void test_names(void **state TW_UNUSED)
{
	struct tw_ledger_file other;

	assert_string_equal(file.name, "ledger");
	tw_ledger_file_init(&other, directory.fd, 4026532201);
	assert_string_equal(other.name, "ledger-4026532201");
	tw_ledger_file_init(&other, directory.fd, UINT64_MAX);
	assert_string_equal(other.name, "ledger-18446744073709551615");
}

static void test_this_boot(void **state TW_UNUSED)
{
	char id[TW_BOOT_ID_MAX] = "", again[TW_BOOT_ID_MAX];

	assert_int_equal(tw_boot_id_read(id), 0);
	assert_int_equal(strlen(id), TW_BOOT_ID_MAX - 1);
	assert_int_equal(strspn(id, "0123456789abcdef-"), TW_BOOT_ID_MAX - 1);
	assert_int_equal(tw_boot_id_read(again), 0);
	assert_string_equal(id, again);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_saves_and_loads),
		TEST(test_modes),
		TEST(test_nothing_owed_is_no_file),
		TEST(test_whose_ledger),
		TEST(test_damaged),
		TEST(test_failed_save),
		TEST(test_temporary_in_the_way),
		TEST(test_one_owner),
		TEST(test_killed_owner),
		TEST(test_unreadable_owner),
		TEST(test_no_directory),
		TEST(test_directory_of_the_service),
		TEST(test_names),
		TEST(test_this_boot),
	};

	/* What is made with a mode must not hang on what the service's mask happens to be. */
	(void)umask(0077);
	return cmocka_run_group_tests(tests, make_parent, remove_parent);
}
