/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/destroyer.h"

#include "base/macros.h"
#include "fake/fake-act.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#define S TW_USEC_PER_SEC
#define ROWS_MAX 1000u

static struct tw_fake_act world;
static struct tw_destroyer destroyer;
static struct tw_kill_orders orders;
static struct tw_candidate rows[ROWS_MAX];
static struct tw_destroy_found found;
static usec_t now_usec;

static const struct tw_rule_settings full = { .name = "full" }, leak = { .name = "leak" };
static const struct tw_destroy time_wait = { .state = TW_STATE_TIME_WAIT,
					     .older_than_usec = 30 * S,
					     .max_per_second = 100 };
static const struct tw_destroy close_wait = {
	.state = TW_STATE_CLOSE_WAIT, .older_than_usec = 600 * S, .scope.unit = "web.service", .max_per_second = 10
};

static int set_up(void **state TW_UNUSED)
{
	tw_fake_act_init(&world);
	tw_destroyer_init(&destroyer, &world.socket, &world.recorder, "host");
	memset(&orders, 0, sizeof(orders));
	now_usec = 1000 * S;
	return 0;
}

static void order(const struct tw_rule_settings *rule, const struct tw_destroy *destroy)
{
	orders.rows[orders.count].rule = rule;
	orders.rows[orders.count++].destroy = destroy;
}

/* A search that finds `there` sockets of each order and takes what the quota allows. Returns how many were ended. */
static unsigned tick(enum tw_mode mode, usec_t passed_usec, unsigned there)
{
	unsigned before = world.ended_count;
	struct tw_kill_quota quota;

	now_usec += passed_usec;
	tw_destroyer_quota(&destroyer, &orders, mode, now_usec, &quota);
	found = (struct tw_destroy_found){ .rows = rows };
	for (unsigned i = 0; i < orders.count; i++) {
		if (!quota.wanted[i])
			continue;
		found.seen[i] = there;
		for (unsigned j = 0; j < TW_MIN(there, quota.most[i]) && found.count < ROWS_MAX; j++) {
			rows[found.count++] = (struct tw_candidate){ .id.cookie = 1 + j,
								     .order = (uint8_t)i,
								     .age_ms = 30000 + j * 100 };
		}
	}
	tw_destroyer_end(&destroyer, &orders, &found, mode);
	return world.ended_count - before;
}

static void test_the_pace_is_held(void **state TW_UNUSED)
{
	unsigned ended;

	order(&full, &time_wait);
	/* Nothing at first, then what the time since allows, to the socket. */
	assert_int_equal(tick(TW_MODE_ENFORCE, 0, 500), 0);
	assert_int_equal(tick(TW_MODE_ENFORCE, S / 2, 500), 50);
	assert_int_equal(tick(TW_MODE_ENFORCE, 5000, 500), 0);
	assert_int_equal(tick(TW_MODE_ENFORCE, 5000, 500), 1);
	/* One second's worth at once, however long nothing was ended. */
	assert_int_equal(tick(TW_MODE_ENFORCE, 60 * S, 500), 100);
	assert_int_equal(tick(TW_MODE_ENFORCE, 0, 500), 0);
	ended = world.ended_count;
	for (unsigned i = 0; i < 1000; i++)
		(void)tick(TW_MODE_ENFORCE, 10 * TW_USEC_PER_MSEC + i % 7, 500);
	assert_in_range(world.ended_count - ended, 999, 1001);
	assert_in_range(world.largest_batch, 1, TW_SOCKET_BATCH_MAX);
	/* A clock that stands still or goes back gives nothing. */
	now_usec -= 10 * S;
	assert_int_equal(tick(TW_MODE_ENFORCE, 0, 500), 0);
	assert_int_equal(world.probes, 1);
}

/* What a search finds beyond what may be ended is left alone. */
static void test_never_more_than_allowed(void **state TW_UNUSED)
{
	order(&full, &time_wait);
	(void)tick(TW_MODE_ENFORCE, 0, 0);
	(void)tick(TW_MODE_ENFORCE, S, 0);
	for (unsigned i = 0; i < ROWS_MAX; i++)
		rows[i] = (struct tw_candidate){ .id.cookie = i + 1 };
	found = (struct tw_destroy_found){ .rows = rows, .count = ROWS_MAX };
	tw_destroyer_end(&destroyer, &orders, &found, TW_MODE_ENFORCE);
	assert_int_equal(world.ended_count, 100);
	tw_destroyer_end(&destroyer, &orders, &found, TW_MODE_ENFORCE);
	assert_int_equal(world.ended_count, 100);
}

static void test_what_is_told(void **state TW_UNUSED)
{
	const struct tw_event *event;

	order(&full, &time_wait);
	(void)strcpy(orders.rows[0].subject.unit, "shop.service");
	(void)tick(TW_MODE_ENFORCE, 0, 0);
	world.gone_at_most = 2;
	assert_int_equal(tick(TW_MODE_ENFORCE, S, 80), 78);
	assert_int_equal(world.event_count, 1);
	event = tw_fake_act_last(&world);
	assert_int_equal(event->kind, TW_EVENT_DESTROYED);
	assert_ptr_equal(event->rule, &full);
	assert_true(event->has_count);
	assert_int_equal(event->count, 78);
	assert_string_equal(event->subject.unit, "shop.service");
	assert_string_equal(event->reason,
			    "TIME-WAIT older than 30s: the youngest for 30s 200ms, the oldest for 37s 900ms; "
			    "2 more were gone before");
	assert_string_equal(event->advice, "");
	/* Where all are gone, nothing is told. */
	world.gone_at_most = UINT64_MAX;
	assert_int_equal(tick(TW_MODE_ENFORCE, S, 80), 0);
	assert_int_equal(tick(TW_MODE_ENFORCE, S, 0), 0);
	assert_int_equal(world.event_count, 1);
}

static void test_close_wait_leaves_its_descriptor(void **state TW_UNUSED)
{
	const struct tw_event *event;

	order(&leak, &close_wait);
	(void)tick(TW_MODE_ENFORCE, 0, 0);
	assert_int_equal(tick(TW_MODE_ENFORCE, S, 30), 10);
	event = tw_fake_act_last(&world);
	assert_int_equal(event->kind, TW_EVENT_DESTROYED);
	assert_non_null(strstr(event->reason, "CLOSE-WAIT older than 10min"));
	assert_non_null(strstr(event->advice, "restart or mend web.service"));
	assert_non_null(strstr(event->advice, "descriptor stays leaked"));
}

static void test_observing_ends_nothing(void **state TW_UNUSED)
{
	const struct tw_event *event;

	order(&full, &time_wait);
	order(&leak, &close_wait);
	assert_int_equal(tick(TW_MODE_OBSERVE, S, 0), 0);
	assert_int_equal(world.event_count, 0);
	assert_int_equal(tick(TW_MODE_OBSERVE, S, 250), 0);
	assert_int_equal(tick(TW_MODE_OBSERVE, S, 250), 0);
	assert_int_equal(world.event_count, 2);
	assert_int_equal(world.probes + world.batches, 0);
	event = &world.events[0];
	assert_int_equal(event->kind, TW_EVENT_ADVICE);
	assert_int_equal(event->count, 250);
	assert_string_equal(event->reason, "TIME-WAIT older than 30s, at most 100 of them a second");
	/* No longer wanted, and wanted again: told again. */
	orders.count = 0;
	(void)tick(TW_MODE_OBSERVE, S, 250);
	orders.count = 2;
	(void)tick(TW_MODE_OBSERVE, S, 3);
	assert_int_equal(world.event_count, 4);
}

/* A rule that does not act in this namespace beside one that does. */
static void test_advised_orders_end_nothing(void **state TW_UNUSED)
{
	order(&full, &time_wait);
	order(&leak, &close_wait);
	orders.rows[0].advised = true;
	assert_int_equal(tick(TW_MODE_ENFORCE, 0, 250), 0);
	assert_int_equal(tick(TW_MODE_ENFORCE, S, 250), 10);
	assert_int_equal(world.event_count, 2);
	assert_int_equal(world.events[0].kind, TW_EVENT_ADVICE);
	assert_true(world.events[0].elsewhere);
	assert_int_equal(world.events[1].kind, TW_EVENT_DESTROYED);
	assert_ptr_equal(world.events[1].rule, &leak);
}

static void test_refusals_are_told_once(void **state TW_UNUSED)
{
	static const struct {
		int probe_answer, answer;
		const char *reason;
	} cases[] = {
		{ -EOPNOTSUPP, 0, "CONFIG_INET_DIAG_DESTROY" },
		{ -EINVAL, 0, "CONFIG_INET_DIAG_DESTROY" },
		{ -EPERM, 0, "CAP_NET_ADMIN" },
		{ -EACCES, 0, "CAP_NET_ADMIN" },
		{ -ENOENT, -EPERM, "CAP_NET_ADMIN" },
		{ -ENOENT, -EOPNOTSUPP, "Linux 6.0" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		(void)set_up(NULL);
		world.probe_answer = cases[i].probe_answer;
		world.socket_answer = cases[i].answer;
		order(&full, &time_wait);
		for (unsigned j = 0; j < 5; j++)
			(void)tick(TW_MODE_ENFORCE, S, 80);
		assert_int_equal(world.event_count, 1);
		assert_int_equal(world.events[0].kind, TW_EVENT_REFUSED);
		assert_non_null(strstr(world.events[0].reason, cases[i].reason));
		assert_int_equal(world.ended_count, 0);
		assert_in_range(world.batches, 0, 1);
		/* It rests until it is no longer wanted. */
		orders.count = 0;
		(void)tick(TW_MODE_ENFORCE, S, 0);
		orders.count = 1;
		(void)tick(TW_MODE_ENFORCE, S, 80);
		(void)tick(TW_MODE_ENFORCE, S, 80);
		assert_int_equal(world.event_count, 2);
	}
}

/* TIME-WAIT is refused by the kernel; CLOSE-WAIT goes on. */
static void test_one_refusal_does_not_stop_the_others(void **state TW_UNUSED)
{
	order(&full, &time_wait);
	(void)tick(TW_MODE_ENFORCE, S, 0);
	world.socket_answer = -EOPNOTSUPP;
	(void)tick(TW_MODE_ENFORCE, S, 80);
	world.socket_answer = 0;
	order(&leak, &close_wait);
	(void)tick(TW_MODE_ENFORCE, S, 80);
	assert_int_equal(tick(TW_MODE_ENFORCE, S, 80), 10);
	assert_int_equal(world.events[world.event_count - 1].rule == &leak, true);
}

static void test_failures_are_tried_again(void **state TW_UNUSED)
{
	order(&full, &time_wait);
	world.socket_error = -ENOBUFS;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(tick(TW_MODE_ENFORCE, S, 80), 0);
	assert_int_equal(world.event_count, 1);
	assert_int_equal(world.events[0].kind, TW_EVENT_DEGRADED);
	assert_non_null(strstr(world.events[0].reason, strerror(ENOBUFS)));
	world.socket_error = 0;
	assert_int_equal(tick(TW_MODE_ENFORCE, S, 80), 80);
	/* The same where the kernel fails at each socket. */
	world.socket_answer = -ENOMEM;
	(void)tick(TW_MODE_ENFORCE, S, 80);
	(void)tick(TW_MODE_ENFORCE, S, 80);
	assert_int_equal(world.event_count, 3);
	assert_int_equal(world.events[2].kind, TW_EVENT_DEGRADED);
}

/* A reload gives the same order at another place in memory and among the orders: its bucket goes on. */
static void test_an_order_is_what_it_says(void **state TW_UNUSED)
{
	struct tw_rule_settings copy = full;
	struct tw_destroy same = time_wait, other = time_wait;

	order(&full, &time_wait);
	(void)tick(TW_MODE_ENFORCE, 0, 0);
	assert_int_equal(tick(TW_MODE_ENFORCE, S, 80), 80);
	orders.count = 0;
	order(&leak, &close_wait);
	order(&copy, &same);
	assert_int_equal(tick(TW_MODE_ENFORCE, 0, 80), 20);
	other.older_than_usec = 31 * S;
	orders.rows[1].destroy = &other;
	assert_int_equal(tick(TW_MODE_ENFORCE, 0, 80), 0);
}

static void test_as_many_orders_as_there_can_be(void **state TW_UNUSED)
{
	static struct tw_destroy many[2 * TW_KILLS_MAX];

	for (unsigned i = 0; i < TW_ARRAY_SIZE(many); i++) {
		many[i] = time_wait;
		many[i].max_per_second = 1;
		many[i].port = (uint16_t)(i + 1);
	}
	/* All are replaced at once: there is a row for each. */
	for (unsigned i = 0; i < 2; i++) {
		orders.count = 0;
		for (unsigned j = 0; j < TW_KILLS_MAX; j++)
			order(&full, &many[i * TW_KILLS_MAX + j]);
		(void)tick(TW_MODE_ENFORCE, S, 5);
		assert_int_equal(tick(TW_MODE_ENFORCE, S, 5), TW_KILLS_MAX);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_pace_is_held, set_up),
		cmocka_unit_test_setup(test_never_more_than_allowed, set_up),
		cmocka_unit_test_setup(test_what_is_told, set_up),
		cmocka_unit_test_setup(test_close_wait_leaves_its_descriptor, set_up),
		cmocka_unit_test_setup(test_observing_ends_nothing, set_up),
		cmocka_unit_test_setup(test_advised_orders_end_nothing, set_up),
		cmocka_unit_test_setup(test_refusals_are_told_once, set_up),
		cmocka_unit_test_setup(test_one_refusal_does_not_stop_the_others, set_up),
		cmocka_unit_test_setup(test_failures_are_tried_again, set_up),
		cmocka_unit_test_setup(test_an_order_is_what_it_says, set_up),
		cmocka_unit_test_setup(test_as_many_orders_as_there_can_be, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
