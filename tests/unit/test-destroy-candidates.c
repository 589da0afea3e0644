/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sockets an order is for, and how many of them it gets. */
#include "measure/destroy-search.h"

#include "base/macros.h"
#include "fake/fake-source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#define S TW_USEC_PER_SEC
#define NOW (1000 * S)
#define IPV4(a, b, c, d)                                                                 \
	{                                                                                \
		{                                                                        \
			[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d \
		}                                                                        \
	}

static struct tw_fake_source fake;
static struct tw_destroy_search *search;
static struct tw_sample sample;
static struct tw_close_wait_socket known;
static const struct tw_rule_settings rule = { .name = "r" };

static int set_up(void **state TW_UNUSED)
{
	tw_fake_source_init(&fake);
	memset(&sample, 0, sizeof(sample));
	search = tw_destroy_search_new();
	return search ? 0 : -1;
}

static int tear_down(void **state TW_UNUSED)
{
	search = tw_destroy_search_free(search);
	tw_fake_source_done(&fake);
	return 0;
}

static const struct tw_flow base = {
	.state = TW_STATE_TIME_WAIT,
	.mini = true,
	.family = AF_INET,
	.local = { IPV4(10, 0, 0, 1), 40000 },
	.remote = { IPV4(10, 0, 0, 2), 8080 },
	.device = 3,
	.cookie = 7,
};

/* One socket. In CLOSE-WAIT the last scan knew its age and unit; in TIME-WAIT it tells its age itself. */
static void offer(const struct tw_flow *offered, usec_t age_usec, const char *unit)
{
	struct tw_flow flow = *offered;

	flow.mini = flow.state == TW_STATE_TIME_WAIT;
	flow.inode = flow.mini ? 0 : 5;
	flow.expires_ms = 60000 - (uint32_t)(age_usec / TW_USEC_PER_MSEC);
	tw_fake_source_add(&fake, &flow);
	known = (struct tw_close_wait_socket){ .cookie = flow.cookie, .since_usec = NOW - age_usec };
	(void)strcpy(sample.close_wait.rows[0].unit, unit);
	sample.close_wait.row_count = 1;
	sample.close_wait.sockets = &known;
	sample.close_wait.socket_count = 1;
}

static struct tw_destroy_found find(const struct tw_destroy *const destroys[], unsigned count, uint32_t most)
{
	struct tw_kill_orders orders = { .count = count };
	struct tw_kill_quota quota = { 0 };
	struct tw_destroy_found found;
	int r;

	for (unsigned i = 0; i < count; i++) {
		orders.rows[i].destroy = destroys[i];
		orders.rows[i].rule = &rule;
		quota.wanted[i] = true;
		quota.most[i] = most;
	}
	r = tw_destroy_search_begin(search, &orders, &quota, &sample, NOW);
	while (r > 0)
		r = tw_destroy_search_step(search, &fake.base);
	assert_int_equal(r, 0);
	tw_destroy_search_results(search, &found);
	return found;
}

static void test_who_is_meant(void **state TW_UNUSED)
{
	static const struct {
		const char *what;
		struct tw_destroy destroy;
		enum tw_state state;
		usec_t age_usec;
		const char *unit;
		bool meant;
	} cases[] = {
		{ "just old enough",
		  { .state = TW_STATE_TIME_WAIT, .older_than_usec = 5 * S },
		  TW_STATE_TIME_WAIT,
		  5 * S,
		  "",
		  true },
		{ "a millisecond too young",
		  { .state = TW_STATE_TIME_WAIT, .older_than_usec = 5 * S },
		  TW_STATE_TIME_WAIT,
		  5 * S - TW_USEC_PER_MSEC,
		  "",
		  false },
		{ "another state", { .state = TW_STATE_TIME_WAIT }, TW_STATE_CLOSE_WAIT, 5 * S, "", false },
		{ "never ESTABLISHED", { .state = TW_STATE_CLOSE_WAIT }, TW_STATE_ESTABLISHED, 5 * S, "", false },
		{ "its port", { .state = TW_STATE_TIME_WAIT, .port = 40000 }, TW_STATE_TIME_WAIT, 0, "", true },
		{ "the remote port is not its port",
		  { .state = TW_STATE_TIME_WAIT, .port = 8080 },
		  TW_STATE_TIME_WAIT,
		  0,
		  "",
		  false },
		{ "its destination, any port",
		  { .state = TW_STATE_TIME_WAIT,
		    .scope.has_destination = true,
		    .scope.destination = IPV4(10, 0, 0, 2) },
		  TW_STATE_TIME_WAIT,
		  0,
		  "",
		  true },
		{ "its destination and port",
		  { .state = TW_STATE_TIME_WAIT,
		    .scope.has_destination = true,
		    .scope.destination = IPV4(10, 0, 0, 2),
		    .scope.destination_port = 8080 },
		  TW_STATE_TIME_WAIT,
		  0,
		  "",
		  true },
		{ "its destination, another port",
		  { .state = TW_STATE_TIME_WAIT,
		    .scope.has_destination = true,
		    .scope.destination = IPV4(10, 0, 0, 2),
		    .scope.destination_port = 8081 },
		  TW_STATE_TIME_WAIT,
		  0,
		  "",
		  false },
		{ "the local address is no destination",
		  { .state = TW_STATE_TIME_WAIT,
		    .scope.has_destination = true,
		    .scope.destination = IPV4(10, 0, 0, 1) },
		  TW_STATE_TIME_WAIT,
		  0,
		  "",
		  false },
		{ "its unit",
		  { .state = TW_STATE_CLOSE_WAIT, .scope.unit = "web.service" },
		  TW_STATE_CLOSE_WAIT,
		  0,
		  "web.service",
		  true },
		{ "another unit",
		  { .state = TW_STATE_CLOSE_WAIT, .scope.unit = "web.service" },
		  TW_STATE_CLOSE_WAIT,
		  0,
		  "web.service2",
		  false },
		{ "an unknown unit",
		  { .state = TW_STATE_CLOSE_WAIT, .scope.unit = "web.service" },
		  TW_STATE_CLOSE_WAIT,
		  0,
		  "",
		  false },
		{ "any unit", { .state = TW_STATE_CLOSE_WAIT }, TW_STATE_CLOSE_WAIT, 0, "web.service", true },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		const struct tw_destroy *destroy = &cases[i].destroy;
		struct tw_flow flow = base;
		struct tw_destroy_found found;

		flow.state = cases[i].state;
		tw_fake_source_clear(&fake);
		offer(&flow, cases[i].age_usec, cases[i].unit);
		found = find(&destroy, 1, 10);
		if (found.count != cases[i].meant || found.seen[0] != cases[i].meant)
			fail_msg("%s", cases[i].what);
	}
}

static void test_a_candidate_is_the_socket(void **state TW_UNUSED)
{
	static const struct tw_destroy destroy = { .state = TW_STATE_TIME_WAIT, .older_than_usec = S };
	static const struct tw_destroy *const only[] = { &destroy };
	struct tw_flow any = base;
	struct tw_destroy_found found;

	any.cookie = TW_COOKIE_ANY;
	offer(&any, 30 * S, "");
	offer(&base, 30 * S, "");
	found = find(only, 1, 10);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.seen[0], 1);
	assert_int_equal(found.rows[0].id.cookie, 7);
	assert_int_equal(found.rows[0].family, AF_INET);
	assert_int_equal(found.rows[0].age_ms, 30000);
	assert_memory_equal(&found.rows[0].id.local, &base.local, sizeof(base.local));
	assert_memory_equal(&found.rows[0].id.remote, &base.remote, sizeof(base.remote));
	assert_int_equal(found.rows[0].id.device, 3);
}

/* Two orders want the same sockets: each socket is the matter of one, and neither gets more than its quota. */
static void test_quotas(void **state TW_UNUSED)
{
	static const struct tw_destroy narrow = { .state = TW_STATE_TIME_WAIT, .port = 40000 };
	static const struct tw_destroy wide = { .state = TW_STATE_TIME_WAIT };
	static const struct tw_destroy *const both[] = { &narrow, &wide };
	unsigned of[2] = { 0, 0 };
	struct tw_destroy_found found;

	for (unsigned i = 0; i < 10; i++) {
		struct tw_flow flow = base;

		flow.cookie = i + 1;
		flow.local.port = (uint16_t)(40000 + i % 2);
		offer(&flow, S, "");
	}
	found = find(both, 2, 3);
	for (unsigned i = 0; i < found.count; i++) {
		assert_int_equal(found.rows[i].id.local.port, 40000 + found.rows[i].order);
		of[found.rows[i].order]++;
	}
	assert_int_equal(of[0], 3);
	assert_int_equal(of[1], 3);
	assert_int_equal(found.seen[0], 5);
	assert_int_equal(found.seen[1], 5);
}

static void test_bounds(void **state TW_UNUSED)
{
	static const struct tw_destroy all = { .state = TW_STATE_TIME_WAIT };
	static const struct tw_destroy *const only[] = { &all };
	struct tw_destroy_found found;

	for (unsigned i = 0; i < TW_CANDIDATES_MAX + 5; i++)
		offer(&base, 60 * S, "");
	found = find(only, 1, UINT32_MAX);
	assert_int_equal(found.count, TW_CANDIDATES_MAX);
	assert_int_equal(found.seen[0], TW_CANDIDATES_MAX + 5);
	assert_int_equal(found.rows[0].age_ms, 60000);
	/* Begun anew, nothing is left. */
	tw_fake_source_clear(&fake);
	offer(&base, S, "");
	found = find(only, 1, 0);
	assert_int_equal(found.count, 0);
	assert_int_equal(found.seen[0], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_who_is_meant),
		TEST(test_a_candidate_is_the_socket),
		TEST(test_quotas),
		TEST(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
