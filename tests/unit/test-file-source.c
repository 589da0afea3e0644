/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file-source.h"

#include "base/fd.h"
#include "base/macros.h"
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct place {
	int directory;
	char path[TEMPORARY_MAX];
};

static int set_up(void **state)
{
	static struct place place;

	if (!make_temporary(place.path))
		return -1;
	place.directory = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &place;
	return place.directory < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	(void)unlinkat(place->directory, "file", 0);
	place->directory = tw_close(place->directory);
	return rmdir(place->path);
}

static void write_file(const struct place *place, const char *content)
{
	TW_CLEANUP_CLOSE int fd = openat(place->directory, "file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t length = strlen(content);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, length), (ssize_t)length);
}

static void test_sizes(void **data)
{
	const struct place *place = *data;
	char buffer[8];

	write_file(place, "");
	assert_int_equal(tw_file_read(place->directory, "file", buffer, sizeof(buffer)), 0);
	assert_string_equal(buffer, "");
	assert_int_equal(tw_file_read(place->directory, "file", buffer, 1), 0);
	assert_int_equal(tw_file_read(place->directory, "file", buffer, 0), -EFBIG);

	write_file(place, "1234567");
	assert_int_equal(tw_file_read(place->directory, "file", buffer, sizeof(buffer)), 7);
	assert_string_equal(buffer, "1234567");

	write_file(place, "12345678");
	assert_int_equal(tw_file_read(place->directory, "file", buffer, sizeof(buffer)), -EFBIG);
}

static void test_errors(void **data)
{
	const struct place *place = *data;
	char buffer[8];

	assert_int_equal(tw_file_read(place->directory, "none", buffer, sizeof(buffer)), -ENOENT);
	assert_int_equal(tw_file_read(AT_FDCWD, place->path, buffer, sizeof(buffer)), -EISDIR);
	assert_int_equal(tw_file_reread(-1, buffer, sizeof(buffer)), -EBADF);
}

static void test_reread(void **data)
{
	const struct place *place = *data;
	char buffer[8];
	int fd;

	write_file(place, "first");
	fd = openat(place->directory, "file", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(tw_file_reread(fd, buffer, sizeof(buffer)), 5);
	assert_string_equal(buffer, "first");
	write_file(place, "2nd");
	assert_int_equal(tw_file_reread(fd, buffer, sizeof(buffer)), 3);
	assert_string_equal(buffer, "2nd");
	assert_int_equal(tw_close(fd), -1);
}

/* /proc hands out what it makes at the read, a page at a time at most. */
static void test_proc(void **data)
{
	static char text[1 << 20];

	(void)data;
	assert_true(tw_file_read(AT_FDCWD, "/proc/self/smaps", text, sizeof(text)) > 4096);
	/* Read whole: it ends at a line's end, with the fields of the last mapping. */
	assert_non_null(strstr(text, "VmFlags"));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

/* What is read anew in one go is all that there is. */
static void test_proc_in_one_go(void **data)
{
	static const char *const paths[] = { "/proc/net/sockstat", "/proc/net/snmp", "/proc/net/netstat",
					     "/proc/sys/net/ipv4/ip_local_port_range" };

	(void)data;
	for (size_t i = 0; i < TW_ARRAY_SIZE(paths); i++) {
		static char whole[1 << 16], again[1 << 16];
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		long lines = 0;

		assert_true(fd >= 0);
		assert_true(tw_file_read(AT_FDCWD, paths[i], whole, sizeof(whole)) > 0);
		for (unsigned time = 0; time < 2; time++)
			assert_true(tw_file_reread(fd, again, sizeof(again)) > 0);
		/* The numbers may move, the lines do not. */
		for (const char *at = whole; (at = strchr(at, '\n')); at++)
			lines++;
		for (const char *at = again; (at = strchr(at, '\n')); at++)
			lines--;
		assert_int_equal(lines, 0);
		assert_int_equal(again[strlen(again) - 1], '\n');
		assert_int_equal(tw_file_reread(fd, again, 4), -EFBIG);
		assert_int_equal(tw_close(fd), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes), cmocka_unit_test(test_errors),	     cmocka_unit_test(test_reread),
		cmocka_unit_test(test_proc),  cmocka_unit_test(test_proc_in_one_go),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
