/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/candidates.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#define S TW_USEC_PER_SEC
#define IPV4(a, b, c, d)                                                                 \
	{                                                                                \
		{                                                                        \
			[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d \
		}                                                                        \
	}

static struct tw_candidates candidates;
static const struct tw_rule_settings rule = { .name = "r" };

static const struct tw_flow base = {
	.state = TW_STATE_TIME_WAIT,
	.mini = true,
	.family = AF_INET,
	.local = { IPV4(10, 0, 0, 1), 40000 },
	.remote = { IPV4(10, 0, 0, 2), 8080 },
	.device = 3,
	.cookie = 7,
};

static void begin(const struct tw_destroy *const destroys[], unsigned count, uint32_t most)
{
	struct tw_kill_orders orders = { .count = count };
	struct tw_kill_quota quota = { 0 };

	for (unsigned i = 0; i < count; i++) {
		orders.rows[i].destroy = destroys[i];
		orders.rows[i].rule = &rule;
		quota.wanted[i] = true;
		quota.most[i] = most;
	}
	tw_candidates_begin(&candidates, &orders, &quota);
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
		{ "a microsecond too young",
		  { .state = TW_STATE_TIME_WAIT, .older_than_usec = 5 * S },
		  TW_STATE_TIME_WAIT,
		  5 * S - 1,
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
		  { .state = TW_STATE_TIME_WAIT, .has_destination = true, .destination = IPV4(10, 0, 0, 2) },
		  TW_STATE_TIME_WAIT,
		  0,
		  "",
		  true },
		{ "its destination and port",
		  { .state = TW_STATE_TIME_WAIT,
		    .has_destination = true,
		    .destination = IPV4(10, 0, 0, 2),
		    .destination_port = 8080 },
		  TW_STATE_TIME_WAIT,
		  0,
		  "",
		  true },
		{ "its destination, another port",
		  { .state = TW_STATE_TIME_WAIT,
		    .has_destination = true,
		    .destination = IPV4(10, 0, 0, 2),
		    .destination_port = 8081 },
		  TW_STATE_TIME_WAIT,
		  0,
		  "",
		  false },
		{ "the local address is no destination",
		  { .state = TW_STATE_TIME_WAIT, .has_destination = true, .destination = IPV4(10, 0, 0, 1) },
		  TW_STATE_TIME_WAIT,
		  0,
		  "",
		  false },
		{ "its unit",
		  { .state = TW_STATE_CLOSE_WAIT, .unit = "web.service" },
		  TW_STATE_CLOSE_WAIT,
		  0,
		  "web.service",
		  true },
		{ "another unit",
		  { .state = TW_STATE_CLOSE_WAIT, .unit = "web.service" },
		  TW_STATE_CLOSE_WAIT,
		  0,
		  "web.service2",
		  false },
		{ "an unknown unit",
		  { .state = TW_STATE_CLOSE_WAIT, .unit = "web.service" },
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
		begin(&destroy, 1, 10);
		tw_candidates_offer(&candidates, &flow, cases[i].age_usec, cases[i].unit);
		tw_candidates_results(&candidates, &found);
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
	begin(only, 1, 10);
	tw_candidates_offer(&candidates, &any, 30 * S, "");
	tw_candidates_offer(&candidates, &base, 30 * S, "");
	tw_candidates_results(&candidates, &found);
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

	begin(both, 2, 3);
	for (unsigned i = 0; i < 10; i++) {
		struct tw_flow flow = base;

		flow.cookie = i + 1;
		flow.local.port = (uint16_t)(40000 + i % 2);
		tw_candidates_offer(&candidates, &flow, S, "");
	}
	tw_candidates_results(&candidates, &found);
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

	begin(only, 1, UINT32_MAX);
	for (unsigned i = 0; i < TW_CANDIDATES_MAX + 5; i++)
		tw_candidates_offer(&candidates, &base, TW_USEC_INFINITY, "");
	tw_candidates_results(&candidates, &found);
	assert_int_equal(found.count, TW_CANDIDATES_MAX);
	assert_int_equal(found.seen[0], TW_CANDIDATES_MAX + 5);
	assert_int_equal(found.rows[0].age_ms, UINT32_MAX);
	/* Begun anew, nothing is left. */
	begin(only, 1, 0);
	tw_candidates_offer(&candidates, &base, S, "");
	tw_candidates_results(&candidates, &found);
	assert_int_equal(found.count, 0);
	assert_int_equal(found.seen[0], 1);
}

static void test_what_is_wanted(void **state TW_UNUSED)
{
	static const struct tw_destroy web = { .state = TW_STATE_CLOSE_WAIT,
					       .older_than_usec = 20 * S,
					       .unit = "web.service" };
	static const struct tw_destroy any = { .state = TW_STATE_CLOSE_WAIT, .older_than_usec = 60 * S };
	static const struct tw_destroy *const both[] = { &web, &any };

	begin(both, 2, 1);
	assert_true(tw_candidates_want(&candidates, TW_STATE_CLOSE_WAIT));
	assert_false(tw_candidates_want(&candidates, TW_STATE_TIME_WAIT));
	assert_int_equal(tw_candidates_least_age(&candidates, TW_STATE_CLOSE_WAIT, "web.service"), 20 * S);
	assert_int_equal(tw_candidates_least_age(&candidates, TW_STATE_CLOSE_WAIT, ""), 60 * S);
	assert_int_equal(tw_candidates_least_age(&candidates, TW_STATE_TIME_WAIT, ""), TW_USEC_INFINITY);
	candidates.quota.wanted[0] = false;
	assert_int_equal(tw_candidates_least_age(&candidates, TW_STATE_CLOSE_WAIT, "web.service"), 60 * S);
	candidates.quota.wanted[1] = false;
	assert_false(tw_candidates_want(&candidates, TW_STATE_CLOSE_WAIT));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_meant),   cmocka_unit_test(test_a_candidate_is_the_socket),
		cmocka_unit_test(test_quotas),	       cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_what_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
