/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/owners.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND TW_USEC_PER_SEC
#define NOW (1000 * SECOND)
#define WAITERS_MAX 4096

static struct tw_owners owners;
static struct tw_close_wait_socket waiters[WAITERS_MAX];
static uint32_t count;
static struct tw_close_wait result;

static int set_up(void **state TW_UNUSED)
{
	tw_owners_clear(&owners);
	count = 0;
	return 0;
}

static void add(uint64_t cgroup_id, unsigned age_seconds, uint32_t unread)
{
	assert_true(count < WAITERS_MAX);
	waiters[count] = (struct tw_close_wait_socket){
		.since_usec = NOW - age_seconds * SECOND,
		.cookie = cgroup_id, /* to know it again by */
		.unread = unread,
		.unit = tw_owners_add(&owners, cgroup_id),
	};
	count++;
}

/* Names every owner by its cgroup: those in the table by it, the others not at all. */
static void finish(const char *const names[], size_t name_count)
{
	for (uint32_t i = 0; i < owners.owner_count; i++) {
		uint64_t id = owners.owners[i].cgroup_id;

		tw_owners_name(&owners, i, id < name_count && names[id] ? names[id] : "");
	}
	memset(&result, 0x5a, sizeof(result));
	tw_owners_results(&owners, waiters, count, NOW, &result);
	assert_ptr_equal(result.sockets, waiters);
	assert_int_equal(result.socket_count, count);
}

static void assert_row(unsigned row, const char *unit, uint32_t sockets, unsigned oldest_seconds, uint64_t unread)
{
	assert_true(row < result.row_count);
	assert_string_equal(result.rows[row].unit, unit);
	assert_int_equal(result.rows[row].count, sockets);
	assert_int_equal(result.rows[row].oldest_usec, oldest_seconds * SECOND);
	assert_int_equal(result.rows[row].unread, unread);
}

static void test_none(void **state TW_UNUSED)
{
	finish(NULL, 0);
	assert_int_equal(result.row_count, 0);
}

/* Two cgroups of one unit, one of another, and some of which nothing is known. */
static void test_units(void **state TW_UNUSED)
{
	static const char *const names[] = { NULL, "web.service", "db.service", "web.service", NULL };
	static const uint32_t units[] = { 0, 1, 0, 2, 0, 1, 1 };

	add(1, 10, 100);
	add(4, 7, 3);
	add(3, 90, 1);
	add(2, 5, 0);
	add(1, 20, UINT32_MAX);
	add(0, 8, 0);
	add(0, 1, 0);
	finish(names, TW_ARRAY_SIZE(names));
	assert_int_equal(result.row_count, 3);
	/* Equal numbers by name, and none comes first. */
	assert_row(0, "", 3, 8, 3);
	assert_row(1, "web.service", 3, 90, UINT64_C(101) + UINT32_MAX);
	assert_row(2, "db.service", 1, 5, 0);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(waiters[i].unit, units[i] == 0 ? 1 : units[i] == 1 ? 0 : 2);
}

/* A socket may be younger than the scan's own time. */
static void test_younger_than_now(void **state TW_UNUSED)
{
	add(0, 0, 0);
	waiters[0].since_usec = NOW + SECOND;
	finish(NULL, 0);
	assert_row(0, "", 1, 0, 0);
}

/* An owner all of whose sockets are beyond what is tracked has no row. */
static void test_owner_without_sockets(void **state TW_UNUSED)
{
	add(7, 1, 0);
	assert_int_equal(tw_owners_add(&owners, 8), 1);
	finish(NULL, 0);
	assert_int_equal(result.row_count, 1);
}

static void test_most_rows(void **state TW_UNUSED)
{
	static char texts[150][16];
	static const char *names[150];

	for (unsigned i = 0; i < 150; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "u%03u.service", i);
		names[i] = texts[i];
	}
	/* Unit i has i / 10 + 1 sockets. */
	for (unsigned i = 0; i < 150; i++)
		for (unsigned k = 0; k <= i * 7 % 150 / 10; k++)
			add(i * 7 % 150, i, 1);
	finish(names, 150);
	assert_int_equal(result.row_count, TW_TOP_MAX);
	for (unsigned row = 0; row < TW_TOP_MAX; row++) {
		/* 149 to 50, each ten in rising order. */
		unsigned unit = (14 - row / 10) * 10 + row % 10;

		assert_string_equal(result.rows[row].unit, texts[unit]);
		assert_int_equal(result.rows[row].count, unit / 10 + 1);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (waiters[i].cookie < 50)
			assert_int_equal(waiters[i].unit, TW_NO_UNIT);
		else
			assert_string_equal(result.rows[waiters[i].unit].unit, texts[waiters[i].cookie]);
	}
}

/* More cgroups than are told apart: the rest belongs to nobody, and those that are known go on. */
static void test_bound(void **state TW_UNUSED)
{
	for (uint64_t id = 0; id < TW_OWNERS_MAX + 50; id++)
		add(id << 32 | id, 1, 0);
	add(0, 1, 0);
	assert_int_equal(owners.owner_count, TW_OWNERS_MAX);
	assert_int_equal(waiters[TW_OWNERS_MAX].unit, TW_NO_UNIT);
	assert_int_equal(waiters[count - 1].unit, 0);
	finish(NULL, 0);
	assert_int_equal(result.row_count, 1);
	assert_row(0, "", TW_OWNERS_MAX + 1, 1, 0);
	assert_int_equal(waiters[0].unit, 0);
	assert_int_equal(waiters[TW_OWNERS_MAX].unit, TW_NO_UNIT);

	/* As many units as owners. */
	tw_owners_clear(&owners);
	count = 0;
	for (uint64_t id = 0; id < TW_OWNERS_MAX; id++)
		add(id, 1, 0);
	for (uint32_t i = 0; i < TW_OWNERS_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%u", (unsigned)i);
		tw_owners_name(&owners, i, name);
	}
	tw_owners_results(&owners, waiters, count, NOW, &result);
	assert_int_equal(owners.unit_count, TW_OWNERS_MAX);
	assert_int_equal(result.row_count, TW_TOP_MAX);
}

static void test_clear(void **state TW_UNUSED)
{
	static const char *const names[] = { NULL, "a.service" };

	add(1, 1, 0);
	finish(names, 2);
	assert_row(0, "a.service", 1, 1, 0);
	tw_owners_clear(&owners);
	count = 0;
	add(1, 2, 0);
	assert_int_equal(owners.owner_count, 1);
	finish(NULL, 0);
	assert_int_equal(result.row_count, 1);
	assert_row(0, "", 1, 2, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, set_up),
		cmocka_unit_test_setup(test_units, set_up),
		cmocka_unit_test_setup(test_younger_than_now, set_up),
		cmocka_unit_test_setup(test_owner_without_sockets, set_up),
		cmocka_unit_test_setup(test_most_rows, set_up),
		cmocka_unit_test_setup(test_bound, set_up),
		cmocka_unit_test_setup(test_clear, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
