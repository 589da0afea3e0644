/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ports a survey says are blocked: reuse, devices, and what is exclusive. */
#include "survey-fixture.h"

#include "fake/fake-source.h"

#include <errno.h>

/* What reuse can take over is not blocked: by its value, the ends, the age, and what was there before us. */
static void test_reuse(void **state TW_UNUSED)
{
	static const struct {
		int64_t reuse, baseline; /* -1: not known */
		int64_t delay_ms;
		uint32_t blocked, blocked_baseline;
		int64_t demand_milli;
	} cases[] = {
		/* 100 of 30 s, 20 of 3 s, 10 of 0.5 s; 5 established */
		{ 0, -1, -1, 135, 135, 13500 },	 { 2, -1, -1, 135, 135, 13500 }, { 1, -1, -1, 15, 15, 1500 },
		{ -1, -1, -1, 135, 135, 13500 }, { 1, -1, 5000, 35, 35, 3500 },	 { 1, -1, 60000, 135, 135, 13500 },
		{ 1, 1, -1, 15, 15, 1500 },	 { 1, 2, -1, 15, 135, 36500 },	 { 1, 0, -1, 15, 135, 36500 },
		{ 2, 1, -1, 135, 15, 1500 }, /* an admin's own mind */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct fixture fixture;
		const struct tw_survey *survey;

		begin(&fixture, 1001, 2000);
		set_reuse(&fixture, cases[i].reuse);
		fixture.gauge.sysctls[TW_TUNABLE_TW_REUSE].known = cases[i].reuse >= 0;
		fixture.gauge.sysctls[TW_TUNABLE_TW_REUSE_DELAY] = (struct tw_live_value){
			.value.numbers = { cases[i].delay_ms },
			.known = cases[i].delay_ms >= 0,
		};
		fixture.baseline = (struct tw_live_value){
			.value.numbers = { cases[i].baseline },
			.known = cases[i].baseline >= 0,
		};
		again(&fixture);
		add(&fixture, TW_STATE_TIME_WAIT, 1, 1001, 100, 30000);
		add(&fixture, TW_STATE_TIME_WAIT, 1, 1101, 20, 57000);
		add(&fixture, TW_STATE_TIME_WAIT, 1, 1121, 10, 59500);
		add(&fixture, TW_STATE_ESTABLISHED, 1, 1131, 5, 0);
		survey = end(&fixture);
		assert_int_equal(survey->top[0].blocked, cases[i].blocked);
		assert_int_equal(survey->top[0].blocked_baseline, cases[i].blocked_baseline);
		assert_percent(survey->top[0].port_demand, cases[i].demand_milli);
		assert_percent(survey->port_demand, cases[i].demand_milli);
	}
}

/* Ports to 127.0.0.1:80 on a device. */
static void add_on(struct fixture *fixture, enum tw_state state, uint32_t device, uint16_t first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct tw_flow flow = {
			.state = state,
			.family = AF_INET,
			.local = { tw_address_from_ipv4("\x0a\x00\x00\x01"), (uint16_t)(first + i) },
			.remote = { tw_address_from_ipv4("\x0a\x00\x00\x02"), 80 },
			.device = device,
			.expires_ms = 1000,
		};

		tw_survey_work_add(&fixture->work, &flow);
	}
}

/* Sockets without a device stand in the way of those that have one, not the other way round; lo is loopback. */
static void test_devices(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1001, 2000);
	set_reuse(&fixture, 2);
	again(&fixture);
	add_on(&fixture, TW_STATE_ESTABLISHED, 0, 1001, 100);
	add_on(&fixture, TW_STATE_ESTABLISHED, 7, 1201, 20);
	add_on(&fixture, TW_STATE_TIME_WAIT, 7, 1301, 3);
	add_on(&fixture, TW_STATE_ESTABLISHED, 1, 1401, 7);
	add_on(&fixture, TW_STATE_TIME_WAIT, 1, 1501, 50);
	add_on(&fixture, TW_STATE_TIME_WAIT, 1, 1091, 10); /* both */
	survey = end(&fixture);
	assert_int_equal(survey->top_count, 3);
	assert_int_equal(survey->top[0].key.device, 7);
	assert_int_equal(survey->top[0].blocked, 123);
	assert_int_equal(survey->top[0].ports, 23);
	assert_int_equal(survey->top[1].key.device, 1);
	/* The 50 that wait on lo are taken over; ten of the plain ones have ports of theirs. */
	assert_int_equal(survey->top[1].blocked, 107);
	assert_int_equal(survey->top[1].ports, 67);
	assert_int_equal(survey->top[2].key.device, 0);
	assert_int_equal(survey->top[2].blocked, 100);
}

/* Those that are blocked come first, however many ports reuse can take elsewhere. */
static void test_order(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1001, 2000);
	set_reuse(&fixture, 1);
	again(&fixture);
	add(&fixture, TW_STATE_TIME_WAIT, 1, 1001, 600, 1000);
	add(&fixture, TW_STATE_ESTABLISHED, 2, 1001, 100, 0);
	add(&fixture, TW_STATE_TIME_WAIT, 3, 1001, 700, 1000);
	survey = end(&fixture);
	assert_int_equal(survey->top[0].key.destination.bytes[15], 2);
	assert_int_equal(survey->top[1].key.destination.bytes[15], 3);
	assert_int_equal(survey->top[2].key.destination.bytes[15], 1);
	assert_percent(survey->port_use, 10000);
}

/* Every second port from `first` on. */
static void add_half(struct fixture *fixture, enum tw_state state, uint8_t host, uint16_t first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add(fixture, state, host, (uint16_t)(first + 2 * i), 1, 1000);
}

/* Bound first to one destination: blocked for another too, and told with its source. */
static void test_bound_first(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1000, 1999);
	set_reuse(&fixture, 1);
	again(&fixture);
	add_half(&fixture, TW_STATE_TIME_WAIT, 1, 1001, 200);
	add_half(&fixture, TW_STATE_TIME_WAIT, 2, 1000, 50);
	add_half(&fixture, TW_STATE_ESTABLISHED, 2, 1100, 30);
	survey = end(&fixture);
	assert_int_equal(survey->exclusive_ports, 200);
	assert_int_equal(survey->bound_first_ports, 200);
	assert_int_equal(survey->unclear_ports, 0);
	assert_false(fixture.work.exclusive.asked);
	assert_int_equal(survey->binder_count, 1);
	assert_int_equal(survey->binders[0].ports, 200);
	assert_int_equal(survey->binders[0].destinations, 1);
	assert_int_equal(survey->binders[0].most.destination.bytes[15], 1);
	assert_int_equal(survey->top[0].key.destination.bytes[15], 2);
	assert_int_equal(survey->top[0].blocked, 230);
	assert_true(survey->top[0].bound_first_known);
	assert_int_equal(survey->top[0].bound_first, 0);
	assert_int_equal(survey->top[1].blocked, 200);
	assert_int_equal(survey->top[1].blocked_baseline, 200);
	assert_int_equal(survey->top[1].bound_first, 200);
}

/* In force, beyond half, connections go on, and nothing is taken over: credited at first, not any more then. */
static void test_refuted(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1000, 1999);
	set_reuse(&fixture, 1);
	fixture.gauge.counters[TW_COUNTER_TIME_WAIT_REUSED] = (struct tw_count){ 9, true };
	for (unsigned i = 0; i < 3; i++) {
		again(&fixture);
		add(&fixture, TW_STATE_TIME_WAIT, 1, 1000, 600, 30000);
		add(&fixture, TW_STATE_TIME_WAIT, 1, 1700, 50, 57000);
		survey = look(&fixture, 1000 + 5 * i);
		assert_int_equal(survey->top[0].reuse_refuted, i > 0);
		assert_int_equal(survey->top[0].blocked, i > 0 ? 650 : 0);
		/* Sticky, whatever else moves the counter. */
		fixture.gauge.counters[TW_COUNTER_TIME_WAIT_REUSED].value += i > 0;
	}
	again(&fixture);
	add(&fixture, TW_STATE_TIME_WAIT, 1, 1000, 500, 30000);
	survey = end(&fixture);
	assert_false(survey->top[0].reuse_refuted);
	assert_int_equal(survey->top[0].blocked, 0);
}

/* Asks the kernel about so many ports; the answers are the fake's. */
static const struct tw_survey *ask(struct fixture *fixture, struct tw_fake_source *fake, uint32_t most)
{
	tw_exclusive_ask(&fixture->work.exclusive, most);
	while (tw_survey_work_step(&fixture->work, &fake->base))
		;
	tw_survey_work_results(&fixture->work, &fixture->watched, &fixture->previous, TW_USEC_PER_SEC, false);
	fixture->survey = fixture->work.survey;
	tw_survey_work_done(&fixture->work);
	return &fixture->survey;
}

/* 300 ports of both parities, 100 of which some program has chosen itself; ten of these are bound only. */
static void add_explicit(struct fixture *fixture, struct tw_fake_source *fake)
{
	tw_fake_source_init(fake);
	fake->tells_exclusive = true;
	tw_port_set_add_range(&fake->exclusive, 1200, 1299);
	begin(fixture, 1000, 1999);
	add(fixture, TW_STATE_ESTABLISHED, 1, 1100, 100, 0);
	add(fixture, TW_STATE_ESTABLISHED, 2, 1200, 90, 0);
	add(fixture, TW_STATE_BOUND, 0, 1290, 10, 0);
	add(fixture, TW_STATE_ESTABLISHED, 3, 1500, 100, 0);
}

/* The kernel knows what parity cannot. */
static void test_asked(void **state TW_UNUSED)
{
	struct tw_fake_source fake;
	struct fixture fixture;
	const struct tw_survey *survey;

	add_explicit(&fixture, &fake);
	survey = ask(&fixture, &fake, 1000);
	assert_int_equal(fake.ports_asked, 290); /* what is bound needs no question */
	assert_true(fixture.work.exclusive.asked);
	assert_int_equal(survey->exclusive_ports, 100);
	assert_int_equal(survey->bound_first_ports, 90);
	assert_int_equal(survey->unclear_ports, 0);
	assert_int_equal(survey->top[0].blocked, 200);
	assert_true(survey->top[0].bound_first_known);
	assert_int_equal(survey->top[0].bound_first, 0);
	assert_int_equal(survey->top[2].blocked, 100);
	assert_int_equal(survey->top[2].bound_first, 90);
	assert_int_equal(survey->binders[0].ports, 90);
	assert_int_equal(survey->binders[0].most.destination.bytes[15], 2);
	tw_fake_source_done(&fake);
}

/* Of the ports that were bound first, those that several destinations have; what plain ones share does not count. */
static void test_shared(void **state TW_UNUSED)
{
	struct tw_fake_source fake;
	struct fixture fixture;
	const struct tw_survey *survey;

	add_explicit(&fixture, &fake);
	add(&fixture, TW_STATE_ESTABLISHED, 4, 1200, 20, 0);
	add(&fixture, TW_STATE_ESTABLISHED, 4, 1500, 30, 0);
	survey = ask(&fixture, &fake, 1000);
	assert_int_equal(survey->bound_first_ports, 90);
	assert_int_equal(survey->shared_ports, 20);
	tw_fake_source_done(&fake);
}

/* Two addresses may bind the same port, and both hold it: neither gives any back by what the other one takes. */
static void test_bound_by_two(void **state TW_UNUSED)
{
	struct tw_fake_source fake;
	struct fixture fixture;
	const struct tw_survey *survey;

	add_explicit(&fixture, &fake);
	add_of(&fixture, 2, TW_STATE_ESTABLISHED, 2, 1200, 60, 0);
	survey = ask(&fixture, &fake, 1000);
	assert_int_equal(survey->bound_first_ports, 90);
	assert_int_equal(survey->shared_ports, 0);
	assert_int_equal(survey->binder_count, 2);
	assert_int_equal(survey->binders[0].ports, 90);
	assert_int_equal(survey->binders[0].source.bytes[15], 1);
	assert_int_equal(survey->binders[1].ports, 60);
	assert_int_equal(survey->binders[1].source.bytes[15], 2);
	for (unsigned i = 0; i < survey->top_count; i++)
		if (survey->top[i].key.destination.bytes[15] == 2)
			assert_int_equal(survey->top[i].bound_first, survey->top[i].ports);
	tw_fake_source_done(&fake);
}

/* Where it is asked about some ports only, the rest is like them. */
static void test_asked_some(void **state TW_UNUSED)
{
	struct tw_fake_source fake;
	struct fixture fixture;
	const struct tw_survey *survey;

	add_explicit(&fixture, &fake);
	survey = ask(&fixture, &fake, 150);
	assert_in_range(fake.ports_asked, 50, 150);
	assert_in_range(survey->exclusive_ports, 70, 130);
	assert_in_range(survey->top[0].blocked, 170, 230);
	assert_in_range(survey->top[2].bound_first, 60, 90);
	tw_fake_source_done(&fake);
}

/* A kernel that cannot be asked, or fails midway: parity has to do, and here it tells nothing. */
static void test_not_asked(void **state TW_UNUSED)
{
	for (unsigned after = 0; after < 4; after++) {
		struct tw_fake_source fake;
		struct fixture fixture;
		const struct tw_survey *survey;

		add_explicit(&fixture, &fake);
		fake.tells_exclusive = after > 0;
		tw_fake_source_fail(&fake, TW_FAKE_EXCLUSIVE, after, UINT32_MAX, -EOPNOTSUPP);
		survey = ask(&fixture, &fake, 1000);
		assert_false(fixture.work.exclusive.asked);
		assert_int_equal(survey->exclusive_ports, 10);
		assert_int_equal(survey->unclear_ports, 290);
		assert_int_equal(survey->binder_count, 0);
		assert_int_equal(survey->top[0].blocked, 110);
		assert_false(survey->top[0].bound_first_known);
		tw_fake_source_done(&fake);
	}
}

/* Bound first to many destinations, one port each: together they are seen. */
static void test_crawler(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1000, 1999);
	for (unsigned i = 0; i < 200; i++)
		add(&fixture, TW_STATE_TIME_WAIT, (uint8_t)i, (uint16_t)(1001 + 2 * i), 1, 1000);
	add_half(&fixture, TW_STATE_ESTABLISHED, 250, 1000, 20);
	survey = end(&fixture);
	assert_int_equal(survey->bound_first_ports, 200);
	assert_int_equal(survey->unclear_ports, 0);
	assert_int_equal(survey->binders[0].destinations, 200);
	assert_int_equal(survey->top[0].blocked, 220);

	/* connect() gives one port to several of them: that was no bind(). */
	begin(&fixture, 1000, 1999);
	for (unsigned i = 0; i < 200; i++)
		add(&fixture, TW_STATE_TIME_WAIT, (uint8_t)i, (uint16_t)(1001 + 2 * (i / 2)), 1, 1000);
	survey = end(&fixture);
	assert_int_equal(survey->bound_first_ports, 0);
	assert_int_equal(survey->unclear_ports, 100);
}

/* Its near half was full once: what is left in the other one is no sign of bind(), as long as it is there. */
static void test_blind(void **state TW_UNUSED)
{
	struct fixture fixture;

	begin(&fixture, 1000, 1999);
	add(&fixture, TW_STATE_ESTABLISHED, 1, 1000, 900, 0);
	add(&fixture, TW_STATE_ESTABLISHED, 2, 1000, 900, 0);
	assert_int_equal(look(&fixture, 1000)->unclear_ports, 900);
	for (unsigned i = 1; i < 4; i++) {
		again(&fixture);
		add_half(&fixture, TW_STATE_ESTABLISHED, 1, 1001, 300);
		add_half(&fixture, TW_STATE_ESTABLISHED, 2, 1701, 100);
		assert_int_equal(look(&fixture, 1000 + i)->bound_first_ports, 0);
		assert_int_equal(fixture.survey.unclear_ports, 400);
		assert_false(fixture.survey.top[0].bound_first_known);
	}
	/* However few are left. */
	again(&fixture);
	add_half(&fixture, TW_STATE_ESTABLISHED, 1, 1001, 7);
	add_half(&fixture, TW_STATE_ESTABLISHED, 2, 1701, 7);
	assert_int_equal(look(&fixture, 1005)->bound_first_ports, 0);
	assert_int_equal(fixture.survey.unclear_ports, 14);
	again(&fixture);
	(void)look(&fixture, 1010);
	again(&fixture);
	add_half(&fixture, TW_STATE_ESTABLISHED, 1, 1001, 300);
	assert_int_equal(end(&fixture)->bound_first_ports, 300);
}

/* Where bind() has taken all of its own half it goes on in the other one: so many at least. */
static void test_beyond_half(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 1000, 1999);
	add_half(&fixture, TW_STATE_ESTABLISHED, 1, 1001, 500);
	add_half(&fixture, TW_STATE_ESTABLISHED, 1, 1000, 100);
	add_half(&fixture, TW_STATE_ESTABLISHED, 2, 1400, 100);
	survey = end(&fixture);
	assert_int_equal(survey->exclusive_ports, 500);
	assert_int_equal(survey->unclear_ports, 200);
	assert_true(!fixture.work.exclusive.asked && survey->binder_count == 1);
}

/* More sockets than there is room for by port: figures are of chosen ports, and stay near the truth. */
static void test_many(void **state TW_UNUSED)
{
	struct fixture fixture;
	const struct tw_survey *survey;

	begin(&fixture, 10000, 59999);
	add_half(&fixture, TW_STATE_ESTABLISHED, 1, 10001, 12000);
	for (unsigned host = 2; host < 22; host++)
		add_half(&fixture, TW_STATE_ESTABLISHED, (uint8_t)host, 10000, 10000);
	survey = end(&fixture);
	assert_int_equal(survey->usable, 50000);
	assert_in_range(survey->exclusive_ports, 10500, 13500);
	assert_in_range(survey->top[0].blocked, 20500, 23500);
	assert_in_range(survey->binders[0].ports, 10500, 13500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reuse),	     cmocka_unit_test(test_devices), cmocka_unit_test(test_order),
		cmocka_unit_test(test_bound_first),  cmocka_unit_test(test_refuted), cmocka_unit_test(test_asked),
		cmocka_unit_test(test_bound_by_two), cmocka_unit_test(test_shared),  cmocka_unit_test(test_asked_some),
		cmocka_unit_test(test_not_asked),    cmocka_unit_test(test_crawler), cmocka_unit_test(test_blind),
		cmocka_unit_test(test_beyond_half),  cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
