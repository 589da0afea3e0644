/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scan gathers beside the counts: the accepting side, CLOSE-WAIT from scan to scan, the forecast. */
#include "measure/scan.h"

#include "../fake/fake-source.h"
#include "base/macros.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SECOND TW_USEC_PER_SEC
#define EPOCH (1000 * SECOND)

static const struct tw_hash_key secret = { .k0 = 3, .k1 = 4 };
static const enum tw_scan_kind kinds[] = { TW_SCAN_CENSUS, TW_SCAN_SURVEY };

struct fixture {
	struct tw_fake_source fake;
	struct tw_scan *scan;
	struct tw_scan_past past;
	struct tw_scan_order order;
	struct tw_sample sample;
	unsigned steps; /* of the last scan */
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	tw_fake_source_init(&fixture.fake);
	fixture.fake.rows_per_datagram = 7;
	fixture.scan = tw_scan_new(&secret);
	fixture.order = (struct tw_scan_order){ .bound_known = true };
	*state = &fixture;
	return fixture.scan ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	tw_scan_past_done(&fixture->past);
	fixture->scan = tw_scan_free(fixture->scan);
	tw_fake_source_done(&fixture->fake);
	return 0;
}

/* So many seconds after the epoch. */
static const struct tw_sample *run(struct fixture *fixture, enum tw_scan_kind kind, unsigned seconds)
{
	struct tw_source *source = &fixture->fake.base;
	int r;

	fixture->order.kind = kind;
	fixture->order.at_usec = EPOCH + seconds * SECOND;
	fixture->order.gauge = fixture->fake.gauge;
	assert_int_equal(tw_scan_begin(fixture->scan, &fixture->past, source, &fixture->order), 0);
	for (fixture->steps = 1; (r = tw_scan_step(fixture->scan, source)) > 0; fixture->steps++)
		assert_true(fixture->steps < 100000);
	assert_int_equal(r, 0);
	tw_scan_results(fixture->scan, &fixture->sample);
	return &fixture->sample;
}

/* In CLOSE-WAIT on port 80, cookies from `first` on. */
static void add_waiters(struct fixture *fixture, uint64_t first, unsigned count, uint64_t cgroup_id)
{
	for (unsigned i = 0; i < count; i++) {
		struct tw_flow flow = {
			.state = TW_STATE_CLOSE_WAIT,
			.family = i % 2 ? AF_INET6 : AF_INET,
			.local = { tw_address_from_ipv4("\x0a\x00\x00\x01"), 80 },
			.remote = { tw_address_from_ipv4("\x0a\x00\x00\x02"), (uint16_t)(10000 + i) },
			.receive_queue = 4, /* three bytes and the FIN */
			.cookie = first + i,
			.has_cgroup = cgroup_id != 0,
			.cgroup_id = cgroup_id,
		};

		tw_fake_source_add(&fixture->fake, &flow);
	}
}

static void remove_waiter(struct fixture *fixture, uint64_t cookie)
{
	for (size_t i = 0; i < fixture->fake.flow_count; i++)
		if (fixture->fake.flows[i].cookie == cookie)
			fixture->fake.flows[i].state = TW_STATE_LAST_ACK;
}

/* None of them. */
static const struct tw_close_wait_socket nobody;

static const struct tw_close_wait_socket *find(const struct tw_close_wait *close_wait, uint64_t cookie)
{
	for (uint32_t i = 0; i < close_wait->socket_count; i++)
		if (close_wait->sockets[i].cookie == cookie)
			return &close_wait->sockets[i];
	return &nobody;
}

/* Seconds since the epoch that it waits since. */
static void assert_since(const struct tw_close_wait *close_wait, uint64_t cookie, int64_t seconds)
{
	assert_int_equal(find(close_wait, cookie)->since_usec, (int64_t)EPOCH + seconds * (int64_t)SECOND);
}

static void test_accepting(void **state)
{
	struct fixture *fixture = *state;

	tw_fake_source_add_listener(&fixture->fake, 80);
	tw_fake_source_add_listener(&fixture->fake, 40000);
	fixture->fake.flows[1].receive_queue = 511;
	tw_fake_source_add_many(&fixture->fake, TW_STATE_ESTABLISHED, 1, 1, 80, 1, 0);
	tw_fake_source_add_many(&fixture->fake, TW_STATE_SYN_RECV, 1, 2, 80, 1, 0);
	tw_fake_source_add_many(&fixture->fake, TW_STATE_CLOSE_WAIT, 1, 3, 80, 1, 0);
	tw_fake_source_add_many(&fixture->fake, TW_STATE_TIME_WAIT, 1, 4, 80, 1, 0);
	tw_fake_source_add_many(&fixture->fake, TW_STATE_TIME_WAIT, 1, 443, 50000, 30, 0);
	tw_fake_source_add_many(&fixture->fake, TW_STATE_ESTABLISHED, 1, 443, 51000, 4, 0);
	tw_fake_source_settle(&fixture->fake);
	for (unsigned i = 0; i < 3; i++) {
		const struct tw_accepting *accepting;
		const struct tw_listener_row *web;

		fixture->order.derive_time_wait = i == 2;
		accepting = &run(fixture, i == 0 ? TW_SCAN_SURVEY : TW_SCAN_CENSUS, i)->accepting;
		assert_int_equal(accepting->at_usec, EPOCH + i * SECOND);
		assert_false(accepting->partial);
		assert_int_equal(accepting->listeners, 2);
		assert_int_equal(accepting->connections.value, 7);
		assert_int_equal(accepting->accept_queue.milli, 100000);
		assert_int_equal(accepting->row_count, 2);
		assert_int_equal(accepting->rows[0].address.port, 40000);
		assert_int_equal(accepting->rows[0].connections.value, 0);
		web = &accepting->rows[1];
		assert_int_equal(web->address.port, 80);
		assert_int_equal(web->connections.value, 3);
		assert_int_equal(web->close_wait, 1);
		assert_int_equal(web->syn_recv, 1);
		/* Left out of the dump: then nothing is known of them. */
		assert_int_equal(web->time_wait.known, i < 2);
		assert_int_equal(web->time_wait.value, i < 2 ? 1 : 0);
	}
}

static void test_close_wait(void **state)
{
	struct fixture *fixture = *state;
	const struct tw_close_wait *close_wait = &fixture->sample.close_wait;

	add_waiters(fixture, 100, 10, 7);
	add_waiters(fixture, 200, 5, 8);
	add_waiters(fixture, 300, 4, 0);
	tw_fake_source_name_unit(&fixture->fake, 7, "web.service");
	tw_fake_source_set_idle(&fixture->fake, 103, (struct tw_idle){ UINT32_MAX, 90000, TW_TIMESTAMPS_UNKNOWN });
	run(fixture, TW_SCAN_CENSUS, 0);
	assert_int_equal(close_wait->at_usec, EPOCH);
	assert_false(close_wait->partial);
	assert_int_equal(close_wait->untracked, 0);
	assert_int_equal(close_wait->socket_count, 19);
	assert_int_equal(close_wait->row_count, 2);
	assert_string_equal(close_wait->rows[0].unit, "web.service");
	assert_int_equal(close_wait->rows[0].count, 10);
	assert_int_equal(close_wait->rows[0].oldest_usec, 90 * SECOND);
	assert_int_equal(close_wait->rows[0].unread, 30);
	assert_string_equal(close_wait->rows[1].unit, "");
	assert_int_equal(close_wait->rows[1].count, 9);
	assert_int_equal(close_wait->rows[1].oldest_usec, 0);
	assert_since(close_wait, 103, -90);
	assert_since(close_wait, 104, 0);
	assert_int_equal(find(close_wait, 104)->unit, 0);
	assert_int_equal(find(close_wait, 204)->unit, 1);
	assert_int_equal(fixture->fake.scans, 1);
	assert_int_equal(fixture->fake.ages_asked, 19);
	assert_int_equal(fixture->fake.units_asked, 2);

	/* One goes, one comes; the others are older by now. Surveys and censuses go on from each other. */
	remove_waiter(fixture, 103);
	add_waiters(fixture, 400, 1, 8);
	tw_fake_source_set_idle(&fixture->fake, 400, (struct tw_idle){ 2000, 1000, TW_TIMESTAMPS_UNKNOWN });
	tw_fake_source_name_unit(&fixture->fake, 8, "db.service");
	for (unsigned i = 0; i < 2; i++) {
		run(fixture, kinds[1 - i], 10 * (i + 1));
		assert_int_equal(fixture->fake.ages_asked, 20);
		assert_ptr_equal(find(close_wait, 103), &nobody);
		assert_since(close_wait, 104, 0);
		assert_since(close_wait, 400, 9);
		assert_int_equal(close_wait->row_count, 3);
		assert_int_equal(close_wait->rows[0].oldest_usec, 10 * (i + 1) * SECOND);
		assert_string_equal(close_wait->rows[1].unit, "db.service");
		assert_int_equal(close_wait->rows[1].count, 6);
		assert_string_equal(close_wait->rows[2].unit, "");
	}

	tw_fake_source_clear(&fixture->fake);
	run(fixture, TW_SCAN_CENSUS, 30);
	assert_int_equal(close_wait->socket_count, 0);
	assert_int_equal(close_wait->row_count, 0);
}

/* A broken scan tells nothing of CLOSE-WAIT and forgets nothing; a repeated one counts nothing twice. */
static void test_close_wait_through_troubles(void **state)
{
	struct fixture *fixture = *state;
	const struct tw_close_wait *close_wait = &fixture->sample.close_wait;
	const struct tw_close_wait_socket *handed_on;
	struct tw_source *source = &fixture->fake.base;

	add_waiters(fixture, 100, 30, 7);
	run(fixture, TW_SCAN_CENSUS, 0);
	for (unsigned i = 0; i < TW_ARRAY_SIZE(kinds); i++) {
		tw_fake_source_fail(&fixture->fake, TW_FAKE_INTERRUPTED, 3, UINT_MAX, 0);
		run(fixture, kinds[i], 10);
		assert_true(close_wait->partial);
		assert_int_equal(close_wait->at_usec, EPOCH + 10 * SECOND);
		assert_int_equal(close_wait->row_count, 0);
		assert_int_equal(close_wait->socket_count, 0);
		assert_true(fixture->sample.accepting.partial);
		assert_int_equal(fixture->sample.accepting.row_count, 0);
		assert_false(fixture->sample.accepting.accept_queue.known);
	}
	/* A datagram for the listeners, 6 for the rest. */
	for (unsigned after = 0; after < 7; after++) {
		tw_fake_source_fail(&fixture->fake, TW_FAKE_INTERRUPTED, after, 2, 0);
		run(fixture, kinds[after % 2], 20 + after);
		assert_int_equal(fixture->fake.plans[TW_FAKE_INTERRUPTED].times, 0);
		assert_false(close_wait->partial);
		assert_int_equal(close_wait->socket_count, 30);
		assert_int_equal(close_wait->rows[0].count, 30);
		assert_since(close_wait, 129, 0);
	}
	/* What was handed on stands while the next scan is under way, also if that one is given up. */
	handed_on = close_wait->sockets;
	tw_fake_source_clear(&fixture->fake);
	add_waiters(fixture, 1000, 2000, 9);
	assert_int_equal(tw_scan_begin(fixture->scan, &fixture->past, source, &fixture->order), 0);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(tw_scan_step(fixture->scan, source), 1);
	for (unsigned i = 0; i < 30; i++) {
		assert_in_range(handed_on[i].cookie, 100, 129);
		assert_int_equal(handed_on[i].since_usec, EPOCH);
	}
	run(fixture, TW_SCAN_CENSUS, 50);
	assert_int_equal(close_wait->socket_count, 2000);
}

/* What the kernel does not answer is not known, and no more than that. */
static void test_questions_unanswered(void **state)
{
	static const struct {
		int error;
		unsigned asked;
	} cases[] = { { -ENOENT, 20 }, { -ENODATA, 20 }, { -ETIMEDOUT, 1 }, { -EPERM, 1 } };
	struct fixture *fixture = *state;
	const struct tw_close_wait *close_wait = &fixture->sample.close_wait;

	tw_fake_source_name_unit(&fixture->fake, 7, "web.service");
	for (unsigned i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		unsigned asked = fixture->fake.ages_asked;

		tw_fake_source_clear(&fixture->fake);
		add_waiters(fixture, 1000 * (i + 1), 20, 7);
		tw_fake_source_fail(&fixture->fake, TW_FAKE_AGE, 0, UINT_MAX, cases[i].error);
		tw_fake_source_fail(&fixture->fake, TW_FAKE_UNIT, 0, i % 2, -EIO);
		run(fixture, TW_SCAN_CENSUS, i);
		assert_int_equal(fixture->fake.ages_asked - asked, cases[i].asked);
		assert_false(close_wait->partial);
		assert_int_equal(close_wait->socket_count, 20);
		assert_since(close_wait, 1000 * (i + 1), i);
		assert_string_equal(close_wait->rows[0].unit, i % 2 ? "" : "web.service");
	}
}

/* Of many at a time in one walk, which counts none of them twice. */
static void test_many_are_due(void **state)
{
	struct fixture *fixture = *state;
	const struct tw_close_wait *close_wait = &fixture->sample.close_wait;
	struct tw_diag_query *last;
	unsigned dumps;

	add_waiters(fixture, 1, 300, 7);
	run(fixture, TW_SCAN_CENSUS, 0);
	dumps = fixture->fake.dumps;
	assert_int_equal(fixture->fake.ages_asked, TW_CLOSE_WAIT_ASKED_MAX);
	fixture->order.close_wait_age_usec = 30 * SECOND;
	run(fixture, TW_SCAN_CENSUS, 29);
	assert_int_equal(fixture->fake.dumps - dumps, dumps);
	tw_fake_source_set_idle(&fixture->fake, 17, (struct tw_idle){ 4000, 0, TW_TIMESTAMPS_UNKNOWN });
	for (unsigned kind = TW_SCAN_CENSUS; kind <= TW_SCAN_SURVEY; kind++) {
		run(fixture, kind, 30 * (kind + 1));
		last = &fixture->fake.queries[(fixture->fake.dumps - 1) % TW_ARRAY_SIZE(fixture->fake.queries)];
		assert_int_equal(last->states, tw_state_kernel_bit(TW_STATE_CLOSE_WAIT));
		assert_int_equal(last->extensions, TW_DIAG_INFO);
		assert_int_equal(fixture->fake.ages_asked, TW_CLOSE_WAIT_ASKED_MAX);
		assert_int_equal(fixture->sample.census.count[TW_STATE_CLOSE_WAIT], 300);
		assert_int_equal(close_wait->socket_count, 300);
		assert_since(close_wait, 16, 0);
		assert_since(close_wait, 17, 30 * (kind + 1) - 4);
	}
	/* Where it breaks the counts stand, and ages are not known until the next scan. */
	tw_fake_source_fail(&fixture->fake, TW_FAKE_DUMP_BEGIN, 2, 1, -ETIMEDOUT);
	run(fixture, TW_SCAN_CENSUS, 90);
	assert_int_equal(fixture->sample.census.count[TW_STATE_CLOSE_WAIT], 300);
	assert_false(fixture->sample.census.partial);
	assert_true(close_wait->partial);
	run(fixture, TW_SCAN_CENSUS, 91);
	assert_false(close_wait->partial);
	assert_since(close_wait, 17, 91 - 4);
}

/* Many questions are asked a few at a time, and not all of them. */
static void test_slices(void **state)
{
	struct fixture *fixture = *state;
	unsigned steps;

	run(fixture, TW_SCAN_CENSUS, 0);
	steps = fixture->steps;
	fixture->fake.rows_per_datagram = 128;
	add_waiters(fixture, 1, 1280, 7);
	run(fixture, TW_SCAN_CENSUS, 1);
	assert_int_equal(fixture->fake.ages_asked, TW_CLOSE_WAIT_ASKED_MAX);
	/* Ten datagrams of rows, and the questions eight a step. */
	assert_in_range(fixture->steps - steps, 10 + TW_CLOSE_WAIT_ASKED_MAX / 8, 12 + TW_CLOSE_WAIT_ASKED_MAX / 8);
	assert_int_equal(fixture->sample.close_wait.socket_count, 1280);
	/* The others are not asked for later: they have their age. */
	run(fixture, TW_SCAN_CENSUS, 2);
	assert_int_equal(fixture->fake.ages_asked, TW_CLOSE_WAIT_ASKED_MAX);
}

static void set_ports(struct fixture *fixture, unsigned count)
{
	tw_fake_source_clear(&fixture->fake);
	tw_fake_source_add_many(&fixture->fake, TW_STATE_ESTABLISHED, 1, 443, 32768, count, 0);
	tw_fake_source_add_many(&fixture->fake, TW_STATE_ESTABLISHED, 2, 443, 32768, 50, 0);
}

static void test_forecast(void **state)
{
	struct fixture *fixture = *state;
	const struct tw_survey *survey = &fixture->sample.survey;

	set_ports(fixture, 100);
	run(fixture, TW_SCAN_SURVEY, 0);
	assert_false(survey->port_eta.known);
	set_ports(fixture, 332);
	/* A census in between changes nothing. */
	run(fixture, TW_SCAN_CENSUS, 1);
	assert_false(survey->port_eta.known);
	run(fixture, TW_SCAN_SURVEY, 2);
	/* 28232 - 332 at 116 a second. */
	assert_true(survey->port_eta.known);
	assert_int_equal(survey->port_eta.milli, 27900 * 1000 / 116);
	assert_int_equal(survey->top[0].port_eta.milli, survey->port_eta.milli);
	assert_false(survey->top[1].port_eta.known);
	/* From the one before, not from the first. */
	set_ports(fixture, 333);
	run(fixture, TW_SCAN_SURVEY, 3);
	assert_int_equal(survey->port_eta.milli, 27899 * 1000);
	/* Nothing rests on a partial one, not the next forecast either. */
	tw_fake_source_fail(&fixture->fake, TW_FAKE_INTERRUPTED, 0, 3, 0);
	set_ports(fixture, 500);
	run(fixture, TW_SCAN_SURVEY, 4);
	assert_true(survey->partial);
	assert_false(survey->port_eta.known);
	run(fixture, TW_SCAN_SURVEY, 5);
	assert_false(survey->partial);
	assert_false(survey->port_eta.known);
	set_ports(fixture, 600);
	run(fixture, TW_SCAN_SURVEY, 6);
	assert_true(survey->port_eta.known);
	set_ports(fixture, 5000);
	run(fixture, TW_SCAN_SURVEY, 40);
	assert_false(survey->port_eta.known);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_accepting),	 TEST(test_close_wait),		  TEST(test_close_wait_through_troubles),
		TEST(test_many_are_due), TEST(test_questions_unanswered), TEST(test_slices),
		TEST(test_forecast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
