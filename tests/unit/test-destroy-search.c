/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/destroy-search.h"

#include "base/macros.h"
#include "fake/fake-source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#define S TW_USEC_PER_SEC
#define NOW (1000 * S)

static struct tw_fake_source fake;
static struct tw_destroy_search *search;
static struct tw_sample sample;
static struct tw_kill_orders orders;
static struct tw_kill_quota quota;
static const struct tw_rule_settings rule = { .name = "r" };

static int set_up(void **state TW_UNUSED)
{
	tw_fake_source_init(&fake);
	memset(&sample, 0, sizeof(sample));
	memset(&orders, 0, sizeof(orders));
	memset(&quota, 0, sizeof(quota));
	search = tw_destroy_search_new();
	return search ? 0 : -1;
}

static int tear_down(void **state TW_UNUSED)
{
	search = tw_destroy_search_free(search);
	tw_fake_source_done(&fake);
	return 0;
}

static void order(const struct tw_destroy *destroy, uint32_t most)
{
	orders.rows[orders.count].destroy = destroy;
	orders.rows[orders.count].rule = &rule;
	quota.wanted[orders.count] = true;
	quota.most[orders.count++] = most;
}

static int run(usec_t at_usec, struct tw_destroy_found *ret)
{
	int r = tw_destroy_search_begin(search, &orders, &quota, &sample, at_usec);

	while (r > 0)
		r = tw_destroy_search_step(search, &fake.base);
	if (r == 0)
		tw_destroy_search_results(search, ret);
	return r;
}

static const struct tw_destroy time_wait_30 = { .state = TW_STATE_TIME_WAIT, .older_than_usec = 30 * S };
static const struct tw_destroy close_wait_600 = { .state = TW_STATE_CLOSE_WAIT, .older_than_usec = 600 * S };

static void test_only_old_time_wait(void **state TW_UNUSED)
{
	struct tw_destroy_found found;

	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 2, 8080, 40000, 300, 29999);
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 2, 8080, 50000, 200, 30000);
	tw_fake_source_add_many(&fake, TW_STATE_ESTABLISHED, 2, 8080, 30000, 100, 0);
	tw_fake_source_add_many(&fake, TW_STATE_FIN_WAIT_2, 2, 8080, 31000, 100, 0);
	order(&time_wait_30, 1000);
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(found.count, 200);
	for (unsigned i = 0; i < found.count; i++) {
		assert_in_range(found.rows[i].id.local.port, 50000, 50199);
		assert_int_equal(found.rows[i].age_ms, 30000);
		assert_int_not_equal(found.rows[i].id.cookie, 0);
	}
	/* TIME-WAIT alone is asked for, in both families at once. */
	assert_int_equal(fake.dumps, 1);
	assert_int_equal(fake.queries[0].states, tw_state_kernel_bit(TW_STATE_TIME_WAIT));
	assert_int_equal(fake.queries[0].family, AF_UNSPEC);
	assert_int_equal(fake.queries[0].extensions, 0);
}

static void test_nothing_wanted_is_nothing_asked(void **state TW_UNUSED)
{
	struct tw_destroy_found found;

	assert_int_equal(run(NOW, &found), 0);
	order(&time_wait_30, 1000);
	quota.wanted[0] = false;
	assert_int_equal(run(NOW, &found), 0);
	/* No socket in CLOSE-WAIT is known to be old enough. */
	orders.rows[0].destroy = &close_wait_600;
	quota.wanted[0] = true;
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(fake.dumps, 0);
	assert_int_equal(tw_destroy_search_step(search, &fake.base), 0);
}

static void test_a_vendors_life(void **state TW_UNUSED)
{
	struct tw_live_value *tw_timeout = &sample.gauge.sysctls[TW_TUNABLE_TW_TIMEOUT];
	struct tw_destroy_found found;

	/* 50 s left: at a life of 60 s it would be 10 s old. */
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 2, 8080, 40000, 1, 10000);
	order(&time_wait_30, 10);
	*tw_timeout = (struct tw_live_value){ .value = { { 90, 0 } }, .known = true };
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.rows[0].age_ms, 40000);
	/* More left than its life is: younger than anything. */
	tw_timeout->value.numbers[0] = 20;
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(found.count, 0);
	/* The life has grown: those of the shorter one may be left until they must be gone. */
	tw_timeout->value.numbers[0] = 90;
	assert_int_equal(run(NOW + 19 * S, &found), 0);
	assert_int_equal(found.count, 0);
	assert_int_equal(run(NOW + 20 * S, &found), 0);
	assert_int_equal(found.count, 1);
}

static struct tw_close_wait_socket known[4];

/* Four sockets with the cookies 1 to 4, of which the last scan knew this. */
static void leak(void)
{
	static const usec_t ages_usec[4] = { 700 * S, 599 * S, 800 * S, 900 * S };
	struct tw_close_wait *close_wait = &sample.close_wait;

	for (unsigned i = 0; i < 4; i++) {
		struct tw_flow flow = {
			.state = TW_STATE_CLOSE_WAIT,
			.family = AF_INET6,
			.local = { { { [15] = 1 } }, 80 },
			.remote = { { { [15] = 1 } }, (uint16_t)(50000 + i) },
			.cookie = i + 1,
			.inode = 5,
		};

		tw_fake_source_add(&fake, &flow);
		known[i] = (struct tw_close_wait_socket){ .cookie = i + 1,
							  .since_usec = NOW - ages_usec[i],
							  .unit = i == 3 ? TW_NO_UNIT : i / 2 };
	}
	close_wait->row_count = 2;
	(void)strcpy(close_wait->rows[0].unit, "web.service");
	(void)strcpy(close_wait->rows[1].unit, "api.service");
	close_wait->sockets = known;
	close_wait->socket_count = 4;
}

static void test_close_wait_by_what_the_scan_knows(void **state TW_UNUSED)
{
	struct tw_flow unknown = { .state = TW_STATE_CLOSE_WAIT, .family = AF_INET, .cookie = 99, .inode = 6 };
	struct tw_destroy_found found;

	leak();
	tw_fake_source_add(&fake, &unknown);
	order(&close_wait_600, 10);
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(found.count, 3);
	assert_int_equal(found.rows[0].id.cookie, 1);
	assert_int_equal(found.rows[0].age_ms, 700000);
	assert_int_equal(found.rows[0].family, AF_INET6);
	assert_int_equal(found.rows[1].id.cookie, 3);
	assert_int_equal(found.rows[2].id.cookie, 4);
	assert_int_equal(fake.dumps, 1);
	assert_int_equal(fake.queries[0].states, tw_state_kernel_bit(TW_STATE_CLOSE_WAIT));
}

/* Both in one dump. */
static void test_both_states_at_once(void **state TW_UNUSED)
{
	const uint32_t both = tw_state_kernel_bit(TW_STATE_TIME_WAIT) | tw_state_kernel_bit(TW_STATE_CLOSE_WAIT);
	struct tw_destroy_found found;

	leak();
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 2, 8080, 40000, 5, 30000);
	order(&time_wait_30, 1000);
	order(&close_wait_600, 10);
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(found.count, 8);
	assert_int_equal(fake.dumps, 1);
	assert_int_equal(fake.queries[0].states, both);
}

static void test_close_wait_of_one_unit(void **state TW_UNUSED)
{
	static const struct tw_destroy api = { .state = TW_STATE_CLOSE_WAIT,
					       .older_than_usec = 600 * S,
					       .scope.unit = "api.service" };
	struct tw_destroy_found found;

	leak();
	order(&api, 10);
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.rows[0].id.cookie, 3);
}

/* What each has sent since the scan is told by the dump itself: half-closed is not leaked. */
static void test_close_wait_that_sends(void **state TW_UNUSED)
{
	struct tw_destroy_found found;

	leak();
	/* Of 700, 800 and 900 s. */
	tw_fake_source_set_idle(&fake, 1, (struct tw_idle){ 650000, 0, TW_TIMESTAMPS_UNKNOWN });
	tw_fake_source_set_idle(&fake, 3, (struct tw_idle){ 599999, 0, TW_TIMESTAMPS_UNKNOWN });
	order(&close_wait_600, 10);
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(fake.queries[0].extensions, TW_DIAG_INFO);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.seen[0], 2);
	assert_int_equal(found.rows[0].id.cookie, 1);
	assert_int_equal(found.rows[0].age_ms, 650000);
	assert_int_equal(found.rows[1].id.cookie, 4);
	for (size_t i = 0; i < fake.flow_count; i++)
		fake.flows[i].send_queue = 1;
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(found.seen[0], 0);
}

/* The same socket in another state: who closed at last is left alone. */
static void test_close_wait_that_closed(void **state TW_UNUSED)
{
	struct tw_flow closed = { .state = TW_STATE_LAST_ACK, .family = AF_INET, .cookie = 1, .inode = 5 };
	struct tw_destroy_found found;

	leak();
	tw_fake_source_clear(&fake);
	tw_fake_source_add(&fake, &closed);
	order(&close_wait_600, 10);
	assert_int_equal(run(NOW, &found), 0);
	assert_int_equal(found.count, 0);
}

static void test_failures(void **state TW_UNUSED)
{
	static const struct {
		enum tw_fake_fault fault;
		int error, expected;
	} cases[] = {
		{ TW_FAKE_DUMP_BEGIN, -ENOBUFS, -ENOBUFS }, { TW_FAKE_DUMP_NEXT, -ETIMEDOUT, -ETIMEDOUT },
		{ TW_FAKE_INTERRUPTED, 0, -EINTR },	    { TW_FAKE_TRUNCATED, 0, -EPROTO },
		{ TW_FAKE_ERROR, -EPERM, -EPERM },
	};
	struct tw_destroy_found found;

	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 2, 8080, 40000, 300, 40000);
	order(&time_wait_30, 1000);
	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		tw_fake_source_fail(&fake, cases[i].fault, 0, 1, cases[i].error);
		assert_int_equal(run(NOW, &found), cases[i].expected);
		/* What failed is over, and the next one is whole. */
		assert_int_equal(tw_destroy_search_step(search, &fake.base), 0);
		assert_int_equal(run(NOW, &found), 0);
		assert_int_equal(found.count, 300);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_only_old_time_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_wanted_is_nothing_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_vendors_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_wait_by_what_the_scan_knows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_both_states_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_wait_of_one_unit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_wait_that_sends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_close_wait_that_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
