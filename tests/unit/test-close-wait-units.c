/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose the sockets in CLOSE-WAIT are. */
#include "measure/close-wait.h"

#include "base/macros.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND TW_USEC_PER_SEC
#define NOW (1000 * SECOND)
#define SOCKETS_MAX 4096

static struct tw_close_wait_work work;
static struct tw_close_wait_set known;
static struct tw_close_wait result;
static struct tw_flow flows[SOCKETS_MAX];
static uint32_t count;
/* By cgroup; those that are NULL or beyond are not known. */
static const char *const *names;
static size_t name_count;

static int set_up(void **state TW_UNUSED)
{
	count = 0;
	return 0;
}

static int tear_down(void **state TW_UNUSED)
{
	tw_close_wait_set_done(&known);
	tw_close_wait_work_done(&work);
	return 0;
}

static void add(uint64_t cgroup_id, unsigned age_seconds, uint32_t unread)
{
	assert_true(count < SOCKETS_MAX);
	flows[count] = (struct tw_flow){
		.state = TW_STATE_CLOSE_WAIT,
		.cookie = count, /* so that they stay in their order */
		.inode = 1,
		.receive_queue = unread + 1, /* and the FIN */
		.has_cgroup = cgroup_id != 0,
		.cgroup_id = cgroup_id,
		.has_idle = true,
		.idle = { UINT32_MAX, age_seconds * 1000, TW_TIMESTAMPS_UNKNOWN },
	};
	count++;
}

static int unit(struct tw_source *source TW_UNUSED, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	if (cgroup_id >= name_count || !names[cgroup_id])
		return -ENOENT;
	return tw_text_copy(ret, TW_UNIT_MAX, names[cgroup_id]) ? 0 : -ENOENT;
}

static void finish(const char *const of[], size_t of_count)
{
	struct tw_source source = { .unit = unit };

	names = of;
	name_count = of_count;
	tw_close_wait_work_begin(&work, &known, NOW, 0);
	for (uint32_t i = 0; i < count; i++)
		tw_close_wait_work_add(&work, &flows[i]);
	(void)tw_close_wait_work_sort(&work);
	for (uint32_t i = 0; i < count; i++)
		tw_close_wait_work_tell(&work, &flows[i]);
	work.asked = work.question_count;
	while (tw_close_wait_work_step(&work, &source))
		;
	memset(&result, 0x5a, sizeof(result));
	tw_close_wait_work_results(&work, false, &result);
	assert_ptr_equal(result.sockets, known.sockets);
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
	static const char *const of[] = { NULL, "web.service", "db.service", "web.service", NULL };
	static const uint32_t units[] = { 0, 1, 0, 2, 0, 1, 1 };

	add(1, 10, 100);
	add(4, 7, 3);
	add(3, 90, 1);
	add(2, 5, 0);
	add(1, 20, UINT32_MAX - 1);
	add(0, 8, 0);
	add(0, 1, 0);
	finish(of, TW_ARRAY_SIZE(of));
	assert_int_equal(result.row_count, 3);
	/* Equal numbers by name, and none comes first. */
	assert_row(0, "", 3, 8, 3);
	assert_row(1, "web.service", 3, 90, UINT64_C(100) + UINT32_MAX);
	assert_row(2, "db.service", 1, 5, 0);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(result.sockets[i].unit, units[i] == 0 ? 1 : units[i] == 1 ? 0 : 2);
}

static void test_most_rows(void **state TW_UNUSED)
{
	static char texts[150][16];
	static const char *of[150];

	for (unsigned i = 0; i < 150; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "u%03u.service", i);
		of[i] = texts[i];
	}
	/* Unit i has i / 10 + 1 sockets. */
	for (unsigned i = 0; i < 150; i++)
		for (unsigned k = 0; k <= i * 7 % 150 / 10; k++)
			add(i * 7 % 150, i, 1);
	finish(of, 150);
	assert_int_equal(result.row_count, TW_TOP_MAX);
	for (unsigned row = 0; row < TW_TOP_MAX; row++) {
		/* 149 to 50, each ten in rising order. */
		unsigned unit = (14 - row / 10) * 10 + row % 10;

		assert_string_equal(result.rows[row].unit, texts[unit]);
		assert_int_equal(result.rows[row].count, unit / 10 + 1);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (flows[i].cgroup_id < 50)
			assert_int_equal(result.sockets[i].unit, TW_NO_UNIT);
		else
			assert_string_equal(result.rows[result.sockets[i].unit].unit, texts[flows[i].cgroup_id]);
	}
}

/* More cgroups than are told apart: the rest belongs to nobody, and those that are known go on. */
static void test_bound(void **state TW_UNUSED)
{
	static char texts[TW_CLOSE_WAIT_CGROUPS_MAX][16];
	static const char *of[TW_CLOSE_WAIT_CGROUPS_MAX];

	for (uint64_t id = 0; id < TW_CLOSE_WAIT_CGROUPS_MAX + 50; id++)
		add(id << 32 | id, 1, 0);
	add(0, 1, 0);
	finish(NULL, 0);
	assert_int_equal(work.cgroup_count, TW_CLOSE_WAIT_CGROUPS_MAX);
	assert_int_equal(result.row_count, 1);
	assert_row(0, "", TW_CLOSE_WAIT_CGROUPS_MAX + 1, 1, 0);
	assert_int_equal(result.sockets[0].unit, 0);
	assert_int_equal(result.sockets[TW_CLOSE_WAIT_CGROUPS_MAX].unit, TW_NO_UNIT);
	assert_int_equal(result.sockets[count - 1].unit, 0);

	/* As many units as cgroups. */
	count = 0;
	for (uint32_t id = 0; id < TW_CLOSE_WAIT_CGROUPS_MAX; id++) {
		(void)snprintf(texts[id], sizeof(texts[id]), "%u", (unsigned)id);
		of[id] = texts[id];
		add(id, 1, 0);
	}
	finish(of, TW_CLOSE_WAIT_CGROUPS_MAX);
	assert_int_equal(work.unit_count, TW_CLOSE_WAIT_CGROUPS_MAX);
	assert_int_equal(result.row_count, TW_TOP_MAX);
}

/* Nothing is left of a scan. */
static void test_begun_anew(void **state TW_UNUSED)
{
	static const char *const of[] = { NULL, "a.service" };

	add(1, 1, 0);
	finish(of, 2);
	assert_row(0, "a.service", 1, 1, 0);
	count = 0;
	add(1, 1, 2);
	finish(NULL, 0);
	assert_int_equal(result.row_count, 1);
	assert_row(0, "", 1, 1, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_units, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_most_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_begun_anew, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
