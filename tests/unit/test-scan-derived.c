/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ESTABLISHED left out of a census: when, what takes its place, and what is not known then. */
#include "measure/scan.h"

#include "scan-fixture.h"

static void expect_dumps(struct fixture *fixture, unsigned dumps, uint32_t last_states)
{
	struct tw_fake_source *fake = &fixture->fake;

	fake->dumps = 0;
	fixture->order.derive_established = true;
	assert_int_equal(run(fixture, TW_SCAN_CENSUS), 0);
	assert_false(fixture->sample.census.partial);
	assert_true(fixture->sample.census.known[TW_STATE_ESTABLISHED]);
	assert_int_equal(fake->dumps, dumps);
	assert_int_equal(fake->queries[dumps - 1].states, last_states);
}

/* ESTABLISHED is left out once it is known how the gauge counts, and what cannot be known then is said not to be. */
static void test_established_derived(void **state)
{
	struct fixture *fixture = *state;
	const struct tw_sample *sample = &fixture->sample;
	const uint32_t rest = 0x2f7e & ~BIT(LISTEN);

	populate(fixture);
	tw_fake_source_add_many(&fixture->fake, TW_STATE_CLOSE_WAIT, 3, 443, 53000, 50, 0);
	tw_fake_source_settle(&fixture->fake);
	fixture->order.gauge = fixture->fake.gauge;
	/* Nothing is known yet; these dumps show it. */
	expect_dumps(fixture, 2, rest);
	expect_dumps(fixture, 2, rest);
	assert_int_equal(sample->census.count[TW_STATE_ESTABLISHED], 12);
	assert_true(sample->census.ipv6_known[TW_STATE_ESTABLISHED]);
	assert_true(sample->accepting.connections.known);
	assert_int_equal(sample->accepting.connections.value, 12 + 51 + 7 + 2 + 5);
	assert_true(sample->accepting.rows[0].connections.known);

	expect_dumps(fixture, 2, rest & ~BIT(ESTABLISHED));
	assert_int_equal(sample->census.count[TW_STATE_ESTABLISHED], 12);
	assert_int_equal(sample->census.count[TW_STATE_CLOSE_WAIT], 51);
	assert_int_equal(sample->census.count_ipv6[TW_STATE_ESTABLISHED], 0);
	assert_false(sample->census.ipv6_known[TW_STATE_ESTABLISHED]);
	assert_true(sample->census.ipv6_known[TW_STATE_TIME_WAIT]);
	assert_false(sample->accepting.connections.known);
	assert_int_equal(sample->accepting.row_count, 2);
	assert_false(sample->accepting.rows[0].connections.known);
	assert_true(sample->accepting.accept_queue.known);
	assert_int_equal(sample->close_wait.socket_count, 51);

	/* Both at once; and neither in a survey. */
	fixture->order.derive_time_wait = true;
	expect_dumps(fixture, 2, rest & ~BIT(ESTABLISHED) & ~BIT(TIME_WAIT));
	assert_int_equal(sample->census.count[TW_STATE_ESTABLISHED], 12);
	assert_int_equal(sample->census.count[TW_STATE_TIME_WAIT], 30);
	assert_false(sample->census.ipv6_known[TW_STATE_TIME_WAIT]);
	fixture->fake.dumps = 0;
	assert_int_equal(run(fixture, TW_SCAN_SURVEY), 0);
	assert_int_equal(fixture->fake.queries[1].states, rest);
	assert_true(sample->census.ipv6_known[TW_STATE_ESTABLISHED]);

	/* That survey could have shown that the gauge is not to be trusted. */
	fixture->order.gauge.established = 1000;
	expect_dumps(fixture, 2, rest & ~BIT(ESTABLISHED) & ~BIT(TIME_WAIT));
	assert_int_equal(run(fixture, TW_SCAN_SURVEY), 0);
	expect_dumps(fixture, 2, rest & ~BIT(TIME_WAIT));
	assert_int_equal(sample->census.count[TW_STATE_ESTABLISHED], 12);
}

/*
 * It is not known how CLOSE-WAIT is counted, and the dump that left ESTABLISHED out finds more than a few: the scan is
 * begun anew with it.
 */
static void test_established_asked_for_after_all(void **state)
{
	struct fixture *fixture = *state;
	const struct tw_sample *sample = &fixture->sample;
	const uint32_t rest = 0x2f7e & ~BIT(LISTEN);

	populate(fixture);
	tw_fake_source_clear_state(&fixture->fake, TW_STATE_CLOSE_WAIT);
	tw_fake_source_settle(&fixture->fake);
	fixture->order.gauge = fixture->fake.gauge;
	expect_dumps(fixture, 2, rest);
	expect_dumps(fixture, 2, rest & ~BIT(ESTABLISHED));
	assert_int_equal(sample->census.count[TW_STATE_ESTABLISHED], 12);

	tw_fake_source_add_many(&fixture->fake, TW_STATE_CLOSE_WAIT, 9, 55555, 80, 20, 0);
	fixture->order.gauge.established = 32;
	/* The second time at once. */
	for (unsigned i = 0; i < 2; i++) {
		expect_dumps(fixture, i == 0 ? 4 : 2, rest);
		assert_int_equal(sample->census.count[TW_STATE_ESTABLISHED], 12);
		assert_int_equal(sample->census.count[TW_STATE_CLOSE_WAIT], 20);
		assert_int_equal(sample->census.count[TW_STATE_TIME_WAIT], 30);
		assert_true(sample->census.ipv6_known[TW_STATE_ESTABLISHED]);
		assert_true(sample->accepting.connections.known);
		assert_int_equal(sample->close_wait.socket_count, 20);
	}
	tw_fake_source_clear_state(&fixture->fake, TW_STATE_CLOSE_WAIT);
	fixture->order.gauge.established = 12;
	expect_dumps(fixture, 2, rest);
	expect_dumps(fixture, 2, rest & ~BIT(ESTABLISHED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_established_derived, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_established_asked_for_after_all, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
