/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/takeover.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define MS TW_USEC_PER_MSEC

/* The range of these tests: ten ports that connect() looks at first, the even ones, and ten others. */
#define LOW 40000
#define HIGH 40019

/* One port at both looks: a cookie of 0 is no socket, an expiry of 0 a living one. */
struct port {
	uint16_t port;
	uint64_t was;
	uint32_t was_ms;
	uint64_t is;
	uint32_t is_ms;
};

struct story {
	const char *name;
	unsigned span_ms;
	struct port ports[4];
	uint64_t reused; /* by how much TWRecycled grew */
	uint32_t early, taken, opened, waiting;
};

static const struct story stories[] = {
	{ "a TIME-WAIT that is gone before its time, and its port held again",
	  900,
	  { { 40000, 1, 50000, 2, 0 } },
	  1,
	  1,
	  1,
	  1,
	  1 },
	{ "and closed again meanwhile", 900, { { 40000, 1, 50000, 2, 59900 } }, 1, 1, 1, 1, 1 },
	{ "it is there still", 900, { { 40000, 1, 50000, 1, 49100 } }, 1, 0, 0, 0, 1 },
	{ "it is gone, and nobody holds its port: reset, or destroyed",
	  900,
	  { { 40000, 1, 50000, 0, 0 } },
	  1,
	  0,
	  0,
	  0,
	  1 },
	{ "it may have run out before its port was taken", 900, { { 40000, 1, 900, 2, 0 } }, 1, 0, 0, 1, 0 },
	{ "a dump is not of one moment", 900, { { 40000, 1, 1900, 2, 0 } }, 1, 0, 0, 1, 0 },
	{ "just longer than both", 900, { { 40000, 1, 1901, 2, 0 } }, 1, 1, 1, 1, 1 },
	{ "looks that are too far apart tell nothing of what waited",
	  60000,
	  { { 40000, 1, 60000, 2, 0 }, { 40002, 3, 60000, 3, 0 } },
	  1,
	  0,
	  0,
	  1,
	  0 },
	{ "the second one was repeated, and is later than it says",
	  900,
	  { { 40000, 1, 50000, 1, 44000 }, { 40001, 2, 7000, 3, 0 }, { 40002, 4, 7001, 5, 0 } },
	  9,
	  1,
	  1,
	  1,
	  2 },
	{ "a TIME-WAIT that began anew, for the peer sent its FIN again",
	  900,
	  { { 40000, 1, 50000, 1, 60000 }, { 40002, 4, 1901, 5, 0 } },
	  9,
	  1,
	  1,
	  1,
	  2 },
	{ "a living socket that made place for another one", 900, { { 40000, 1, 0, 2, 0 } }, 1, 0, 0, 1, 0 },
	{ "the same one that closed", 900, { { 40000, 1, 0, 1, 60000 } }, 1, 0, 0, 0, 0 },
	{ "a port that was free", 900, { { 40000, 0, 0, 2, 0 } }, 1, 0, 0, 1, 0 },
	{ "never more than the whole namespace has reused",
	  900,
	  { { 40000, 1, 50000, 5, 0 }, { 40002, 2, 50000, 6, 0 }, { 40004, 3, 50000, 7, 0 } },
	  2,
	  3,
	  2,
	  3,
	  3 },
	{ "none of it was reuse: it was reset, and opened again", 900, { { 40000, 1, 50000, 2, 0 } }, 0, 1, 0, 1, 1 },
	{ "the other half is not where connect() looks first",
	  900,
	  { { 40001, 1, 50000, 2, 0 }, { 40003, 3, 50000, 3, 0 }, { 40005, 0, 0, 4, 0 } },
	  1,
	  1,
	  1,
	  0,
	  0 },
	{ "nor are ports beyond the range",
	  900,
	  { { 39998, 1, 50000, 2, 0 }, { 40020, 3, 50000, 4, 0 }, { 700, 5, 50000, 5, 49100 } },
	  9,
	  2,
	  2,
	  0,
	  0 },
	{ "one second old is ripe", 900, { { 40000, 1, 59000, 1, 58100 } }, 0, 0, 0, 0, 1 },
	{ "younger is not", 900, { { 40000, 1, 59001, 1, 58101 } }, 0, 0, 0, 0, 0 },
	{ "but may become so", 900, { { 40000, 1, 59500, 2, 0 } }, 1, 1, 1, 1, 0 },
	{ "only the lower half of a cookie is kept", 900, { { 40000, 1, 50000, 0x500000002, 0 } }, 1, 1, 1, 1, 1 },
};

static struct tw_destination key;
static struct tw_gauge gauge;
static struct tw_takeover_look *before, *now;
static struct tw_takeovers ret;

static int begin(TW_UNUSED void **state)
{
	const uint8_t source[] = { 10, 0, 0, 1 }, destination[] = { 10, 0, 0, 2 };

	key = (struct tw_destination){ tw_address_from_ipv4(source), tw_address_from_ipv4(destination), 0, 80, 0 };
	memset(&gauge, 0, sizeof(gauge));
	gauge.counters[TW_COUNTER_TIME_WAIT_REUSED] = (struct tw_count){ 1000, true };
	gauge.sysctls[TW_TUNABLE_PORT_RANGE] = (struct tw_live_value){ { { LOW, HIGH } }, true };
	return 0;
}

static int end(TW_UNUSED void **state)
{
	free(before);
	free(now);
	before = now = NULL;
	return 0;
}

static struct tw_takeover_look *begin_look(struct tw_takeover_look *last, const struct tw_destination *of,
					   usec_t at_usec)
{
	struct tw_takeover_look *look = tw_takeover_look_new(of, &gauge, at_usec);

	assert_non_null(look);
	free(last);
	return look;
}

static struct tw_flow flow_of(uint16_t port, uint64_t cookie, uint32_t expires_ms)
{
	return (struct tw_flow){
		.state = expires_ms > 0 ? TW_STATE_TIME_WAIT : TW_STATE_ESTABLISHED,
		.local = { key.source, port },
		.remote = { key.destination, key.port },
		.device = key.device,
		/* A living socket has timers of its own. */
		.expires_ms = expires_ms > 0 ? expires_ms : 7200000,
		.cookie = cookie,
	};
}

static void add(struct tw_takeover_look *look, uint16_t port, uint64_t cookie, uint32_t expires_ms)
{
	const struct tw_flow flow = flow_of(port, cookie, expires_ms);

	if (cookie != 0)
		tw_takeover_look_add(look, &flow);
}

static void compare(const struct port *ports, unsigned count, unsigned span_ms, uint64_t reused)
{
	before = begin_look(before, &key, 100 * S);
	gauge.counters[TW_COUNTER_TIME_WAIT_REUSED].value += reused;
	now = begin_look(now, &key, 100 * S + span_ms * MS);
	for (unsigned i = 0; i < count; i++) {
		add(before, ports[i].port, ports[i].was, ports[i].was_ms);
		add(now, ports[i].port, ports[i].is, ports[i].is_ms);
	}
	tw_takeover_compare(before, now, &ret);
}

static void test_stories(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(stories); i++) {
		const struct story *it = &stories[i];

		compare(it->ports, TW_ARRAY_SIZE(it->ports), it->span_ms, it->reused);
		assert_int_equal(ret.from_usec, 100 * S);
		assert_int_equal(ret.until_usec, 100 * S + it->span_ms * MS);
		assert_memory_equal(&ret.key, &key, sizeof(key));
		assert_int_equal(ret.near_ports, 10);
		if (ret.early != it->early || ret.taken != it->taken || ret.opened != it->opened ||
		    ret.waiting != it->waiting)
			fail_msg("'%s': early %u, taken %u, opened %u, waiting %u", it->name, ret.early, ret.taken,
				 ret.opened, ret.waiting);
	}
}

/* Nearly all near ports are held by what waits, and connections go to the other ones: it is passed by. */
static void test_passed_by(TW_UNUSED void **state)
{
	for (unsigned held = 9; held <= 10; held++) {
		before = begin_look(before, &key, 100 * S);
		now = begin_look(now, &key, 101 * S);
		for (unsigned i = 0; i < held; i++) {
			add(before, (uint16_t)(LOW + 2 * i), 100 + i, 50000);
			add(now, (uint16_t)(LOW + 2 * i), 100 + i, 49000);
		}
		add(before, LOW + 1, 1, 50000);
		add(now, LOW + 1, 1, 49000);
		add(now, LOW + 3, 2, 0);
		add(now, HIGH + 2, 3, 0);
		tw_takeover_compare(before, now, &ret);
		assert_int_equal(ret.passed, held == 10 ? 1 : 0);
		assert_int_equal(ret.opened, 0);
		assert_int_equal(ret.waiting, held);
	}
}

/* Only this destination's sockets, from this source, over this device. */
static void test_others_are_passed_over(TW_UNUSED void **state)
{
	struct tw_flow flows[4];

	before = begin_look(before, &key, 100 * S);
	add(before, 40000, 1, 50000);
	gauge.counters[TW_COUNTER_TIME_WAIT_REUSED].value++;
	now = begin_look(now, &key, 101 * S);
	for (unsigned i = 0; i < TW_ARRAY_SIZE(flows); i++)
		flows[i] = flow_of(40000, 2, 0);
	flows[0].remote.port = 81;
	flows[1].remote.address.bytes[15] = 3;
	flows[2].local.address.bytes[15] = 3;
	flows[3].device = 2;
	for (unsigned i = 0; i < TW_ARRAY_SIZE(flows); i++)
		tw_takeover_look_add(now, &flows[i]);
	tw_takeover_compare(before, now, &ret);
	assert_int_equal(ret.from_usec, 100 * S);
	assert_int_equal(ret.opened + ret.taken, 0);
}

/* What cannot be compared is no evidence of anything. */
static void test_one_look_alone(TW_UNUSED void **state)
{
	enum { NO_LOOK, NEVER_MADE, SAME_TIME, OTHER_PORT, OTHER_DEVICE, NO_COUNTER, COUNTER_MADE_ANEW, CASES };

	for (int i = 0; i < CASES; i++) {
		struct tw_destination other = key;
		bool compares = i != NO_LOOK;

		other.port = (uint16_t)(other.port + (i == OTHER_PORT));
		other.device += i == OTHER_DEVICE ? 1 : 0;
		gauge.counters[TW_COUNTER_TIME_WAIT_REUSED] = (struct tw_count){ 1000, true };
		before = begin_look(before, &other, i == NEVER_MADE ? 0 : 100 * S);
		add(before, 40000, 1, 50000);
		gauge.counters[TW_COUNTER_TIME_WAIT_REUSED] =
			(struct tw_count){ i == COUNTER_MADE_ANEW ? 999 : 1001, i != NO_COUNTER };
		now = begin_look(now, &key, i == SAME_TIME ? 100 * S : 101 * S);
		add(now, 40000, 2, 0);
		tw_takeover_compare(compares ? before : NULL, now, &ret);
		assert_int_equal(ret.from_usec, 0);
		assert_int_equal(ret.until_usec, now->at_usec);
		assert_int_equal(ret.taken + ret.early + ret.opened + ret.waiting, 0);
	}
}

static void test_without_a_range(TW_UNUSED void **state)
{
	static const struct port ports[] = { { 40000, 1, 50000, 2, 0 }, { 0, 3, 50000, 3, 49000 } };
	static const struct tw_live_value ranges[] = {
		{ .known = false }, { { { 5, 4 } }, true }, { { { -1, 4 } }, true }, { { { 5, 65536 } }, true }
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(ranges); i++) {
		gauge.sysctls[TW_TUNABLE_PORT_RANGE] = ranges[i];
		compare(ports, 2, 900, 1);
		assert_int_equal(ret.taken, 1);
		assert_int_equal(ret.near_ports + ret.opened + ret.waiting, 0);
	}
	/* Of an odd lower bound the odd ones come first; the last port there is is looked at too. */
	gauge.sysctls[TW_TUNABLE_PORT_RANGE] = (struct tw_live_value){ { { 65533, 65535 } }, true };
	compare((const struct port[]){ { 65535, 1, 50000, 1, 49100 }, { 65534, 3, 50000, 3, 49100 } }, 2, 900, 0);
	assert_int_equal(ret.near_ports, 2);
	assert_int_equal(ret.waiting, 1);
}

/* tcp_tw_reuse_delay. */
static void test_delay(TW_UNUSED void **state)
{
	static const struct port port = { 40000, 1, 59500, 1, 58600 };

	gauge.sysctls[TW_TUNABLE_TW_REUSE_DELAY] = (struct tw_live_value){ { { 500 } }, true };
	compare(&port, 1, 900, 0);
	assert_int_equal(ret.waiting, 1);
	gauge.sysctls[TW_TUNABLE_TW_REUSE_DELAY].value.numbers[0] = 501;
	compare(&port, 1, 900, 0);
	assert_int_equal(ret.waiting, 0);
}

/* A vendor's kernel lets TIME-WAIT be shorter: what has just begun has all of that before it. */
static void test_short_life(TW_UNUSED void **state)
{
	static const struct port fresh = { 40000, 1, 10000, 1, 9100 }, ripe = { 40000, 1, 9000, 1, 8100 };

	gauge.sysctls[TW_TUNABLE_TW_TIMEOUT] = (struct tw_live_value){ { { 10 } }, true };
	compare(&fresh, 1, 900, 0);
	assert_int_equal(ret.waiting, 0);
	compare(&ripe, 1, 900, 0);
	assert_int_equal(ret.waiting, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stories, begin, end),
		cmocka_unit_test_setup_teardown(test_passed_by, begin, end),
		cmocka_unit_test_setup_teardown(test_others_are_passed_over, begin, end),
		cmocka_unit_test_setup_teardown(test_one_look_alone, begin, end),
		cmocka_unit_test_setup_teardown(test_without_a_range, begin, end),
		cmocka_unit_test_setup_teardown(test_delay, begin, end),
		cmocka_unit_test_setup_teardown(test_short_life, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
