/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/alert.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define MS TW_USEC_PER_MSEC

/* So many looks, so far apart, see so many young TIME-WAIT; then other ones. */
struct part {
	unsigned looks, apart_ms;
	uint32_t young;
};

struct story {
	const char *name;
	struct part parts[4];
	uint64_t time_wait;
};

static const struct story stories[] = {
	{ "no look", { { 0 } }, 0 },
	{ "one look is taken for twelve", { { 1, 5000, 10 } }, 120 },
	{ "two", { { 1, 5000, 10 }, { 1, 5000, 20 } }, 180 },
	{ "a whole TIME-WAIT", { { 12, 5000, 10 } }, 120 },
	{ "a burst each minute comes to itself", { { 1, 5000, 600 }, { 11, 5000, 0 } }, 600 },
	{ "the burst of a minute ago is over", { { 1, 5000, 600 }, { 12, 5000, 0 } }, 0 },
	{ "what comes sooner sees the same sockets", { { 1, 5000, 10 }, { 3, 1000, 90 } }, 120 },
	{ "but timers are late, one more and the other less", { { 1, 5000, 10 }, { 1, 4500, 20 } }, 180 },
	{ "that is 4.5s", { { 1, 5000, 10 }, { 1, 4499, 20 } }, 120 },
	{ "of looks each second every fifth counts", { { 56, 1000, 10 }, { 5, 1000, 10 } }, 120 },
	{ "a load that is over is over with the next looks, however rare they are",
	  { { 12, 5000, 600 }, { 2, 30000, 0 } },
	  0 },
	{ "of rare looks those of the last minute count",
	  { { 1, 30000, 600 }, { 1, 30000, 300 }, { 1, 30000, 100 } },
	  200 * 12 },
	{ "one each minute stands alone", { { 12, 60000, 600 }, { 1, 60000, 1 } }, 12 },
	{ "more than any range", { { 12, 5000, UINT32_MAX } }, UINT64_C(12) * UINT32_MAX },
};

static void test_stories(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(stories); i++) {
		struct tw_demand demand = { 0 };
		struct tw_demand_count count;
		usec_t at_usec = 1000 * S;

		for (size_t k = 0; k < TW_ARRAY_SIZE(stories[i].parts); k++)
			for (unsigned look = 0; look < stories[i].parts[k].looks; look++) {
				at_usec += stories[i].parts[k].apart_ms * MS;
				tw_demand_add(&demand, stories[i].parts[k].young, at_usec);
			}
		count = tw_demand_time_wait(&demand, 60000);
		if (count.expected != stories[i].time_wait)
			fail_msg("'%s': %llu", stories[i].name, (unsigned long long)count.expected);
	}
}

/* Bursts, looked at each five seconds: what the looks of the last minute come to is what there is, to the socket. */
static void test_bursts(TW_UNUSED void **state)
{
	const char *given = getenv("TW_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20240601u;
	uint32_t closed[180]; /* sockets that began to wait in each second */

	print_message("# seed %u (set TW_SEED for another)\n", seed);
	srandom(seed);
	for (int walk = 0; walk < 200; walk++) {
		struct tw_demand demand = { 0 };
		uint64_t waiting = 0;
		unsigned at;

		for (size_t i = 0; i < TW_ARRAY_SIZE(closed); i++)
			closed[i] = random() % 8 == 0 ? (uint32_t)(random() % 2000) : 0;
		for (at = 5 + (unsigned)random() % 5; at < 170; at += 5) {
			uint32_t young = 0;

			for (unsigned i = at - 5; i < at; i++)
				young += closed[i];
			tw_demand_add(&demand, young, at * S);
		}
		at -= 5;
		for (unsigned i = at - 60; i < at; i++)
			waiting += closed[i];
		assert_int_equal(tw_demand_time_wait(&demand, 60000).expected, waiting);
	}
}

/* A vendor's kernel lets TIME-WAIT be shorter, down to less than what is young. */
static void test_short_life(TW_UNUSED void **state)
{
	struct tw_demand demand = { 0 };
	struct tw_demand_count count;

	tw_demand_add(&demand, 300, 100 * S);
	tw_demand_add(&demand, 100, 105 * S);
	count = tw_demand_time_wait(&demand, 60000);
	assert_int_equal(count.seen, 400);
	assert_int_equal(count.expected, 2400);
	count = tw_demand_time_wait(&demand, 20000);
	assert_int_equal(count.expected, 800);
	count = tw_demand_time_wait(&demand, 3000);
	assert_int_equal(count.seen, 100);
	assert_int_equal(count.expected, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_short_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
