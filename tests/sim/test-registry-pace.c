/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often is looked, and who pays for it. */
#include "sim/machine.h"

/* So many connections, from this port on. */
static void fill(struct house *house, uint16_t from, unsigned count)
{
	tw_fake_source_add_many(&house->source, TW_STATE_ESTABLISHED, 2, 80, from, count, 0);
	tw_fake_source_settle(&house->source);
}

/* Where nothing happens, nothing is read but the activity; the first packet ends that. */
static void test_rests(void **state TW_UNUSED)
{
	struct tw_fake_source *source = &machine->houses[0].source;
	unsigned gauges, scans, deep;

	machine->houses[0].there = true;
	fill(&machine->houses[0], 40000, 5);
	start(settings_of("all"));
	run(5, NULL);
	assert_true(source->rests > 0);
	gauges = source->gauges;
	scans = source->scans;
	deep = source->deep_activity_reads;
	run(100, NULL);
	assert_int_equal(source->gauges, gauges);
	assert_int_equal(source->scans, scans);
	assert_in_range(source->deep_activity_reads - deep, 9, 11);
	/* Its gauge is as good as new, the age of its census is known. */
	assert_in_range(tw_usec_since(machine->now_usec, the("n0")->sample.gauge.at_usec), 0, 10 * S);
	assert_in_range(tw_usec_since(machine->now_usec, the("n0")->sample.census.at_usec), 100 * S, 106 * S);
	/* Seen by the next deep activity read where only packets tell of it, at once where sockets do. */
	stir(&machine->houses[0]);
	run(11, NULL);
	assert_true(source->gauges > gauges);
	assert_true(source->scans > scans);
	run(20, NULL);
	gauges = source->gauges;
	source->gauge.time_wait++;
	run(1, NULL);
	assert_int_equal(source->gauges, gauges + 1);
	/* After ten times `survey` it is counted again in any case. */
	run(30, NULL);
	scans = source->scans;
	run(600, NULL);
	assert_int_equal(source->scans, scans + 1);
}

/* What leaks does so without a packet: time alone raises that rule. */
static void test_a_leak_is_seen_in_its_sleep(void **state TW_UNUSED)
{
	struct tw_fake_source *source = &machine->houses[0].source;

	machine->houses[0].there = true;
	tw_fake_source_add_many(source, TW_STATE_CLOSE_WAIT, 2, 80, 40000, 150, 0);
	tw_fake_source_settle(source);
	start(settings_of("all"));
	run(50, NULL);
	assert_true(source->rests > 0);
	assert_int_equal(source->scans, 1);
	run(70, NULL);
	assert_int_equal(machine->told[TW_EVENT_RAISED], 1);
	assert_string_equal(machine->last[TW_EVENT_RAISED], "n0");
	assert_in_range(the("n0")->sample.close_wait.rows[0].oldest_usec, 110 * S, 121 * S);
}

static void all_are_busy(unsigned second TW_UNUSED)
{
	for (unsigned i = 0; i < MACHINE_MAX; i++)
		if (machine->houses[i].there)
			stir(&machine->houses[i]);
}

static usec_t oldest_census(unsigned first, unsigned count)
{
	usec_t oldest_usec = 0;

	for (unsigned i = first; i < first + count; i++) {
		const struct tw_watch *watch = the(machine->houses[i].namespace.name);

		oldest_usec = TW_MAX(oldest_usec, tw_usec_since(machine->now_usec, watch->sample.census.at_usec));
	}
	return oldest_usec;
}

/* One with a dump of 0.4 s among thirty small ones, all busy: it pays for itself, and they do not notice. */
static void test_a_hostile_one_delays_itself(void **state TW_UNUSED)
{
	usec_t before_usec, age_alone_usec = 0, age_usec = 0, hostile_usec = 0;

	for (unsigned i = 1; i <= 30; i++) {
		machine->houses[i].there = true;
		fill(&machine->houses[i], 40000, 20);
	}
	start(settings_of("all"));
	run(60, all_are_busy);
	for (unsigned i = 0; i < 60; i++) {
		run(2, all_are_busy);
		age_alone_usec = TW_MAX(age_alone_usec, oldest_census(1, 30));
	}
	assert_in_range(age_alone_usec, 0, 20 * S);

	machine->houses[0].there = true;
	machine->houses[0].source.rows_per_datagram = 1;
	fill(&machine->houses[0], 40000, 2000);
	run(60, all_are_busy);
	before_usec = read_clock(NULL).cpu_usec;
	for (unsigned i = 0; i < 300; i++) {
		run(2, all_are_busy);
		age_usec = TW_MAX(age_usec, oldest_census(1, 30));
		hostile_usec = TW_MAX(hostile_usec, oldest_census(0, 1));
	}
	assert_in_range(age_usec, 0, age_alone_usec + 2 * S);
	assert_true(hostile_usec > 20 * S);
	assert_in_range(read_clock(NULL).cpu_usec - before_usec, 600 * S / 100, 600 * S * 2 / 100);
	assert_int_equal(machine->told[TW_EVENT_STRETCHED], 1);
}

/* What is cheap becomes dear for all at once: each finds out by itself, but they do not all owe for it at once. */
static void test_all_become_dear(void **state TW_UNUSED)
{
	usec_t before_usec;

	for (unsigned i = 0; i < MACHINE_MAX; i++) {
		machine->houses[i].there = true;
		machine->houses[i].source.rows_per_datagram = 1;
		fill(&machine->houses[i], 40000, 5);
	}
	start(settings_of("all"));
	run(120, all_are_busy);
	for (unsigned i = 0; i < MACHINE_MAX; i++) {
		fill(&machine->houses[i], 41000, 750);
	}
	before_usec = read_clock(NULL).cpu_usec;
	run(200, all_are_busy);
	assert_in_range(read_clock(NULL).cpu_usec - before_usec, 200 * S / 100, 200 * S * 2 / 100 + S);
}

/* At the start all are counted, whatever that costs; one that comes behind it does not wait until that is paid. */
static void test_nobody_waits_for_the_start(void **state TW_UNUSED)
{
	for (unsigned i = 0; i < MACHINE_MAX; i++) {
		machine->houses[i].there = i > 0;
		machine->houses[i].source.rows_per_datagram = 1;
		fill(&machine->houses[i], 40000, 750);
	}
	start(settings_of("all"));
	run(10, NULL);
	machine->houses[0].there = true;
	run(15, NULL);
	assert_true(the("n0")->sample.census.at_usec != 0);
}

static void all_are_new(unsigned second)
{
	for (unsigned i = 0; i < MACHINE_MAX; i++) {
		machine->houses[i].there = (i + second) % 2 == 0;
		machine->houses[i].namespace.id += machine->houses[i].there ? 1000 : 0;
	}
}

/* Thirty come and go each second, each of which wants to be counted once: the budget holds all the same. */
static void test_newcomers_share_a_purse(void **state TW_UNUSED)
{
	struct tw_settings *settings = settings_of("all");
	usec_t before_usec;

	settings->census_usec = S;
	for (unsigned i = 0; i < MACHINE_MAX; i++) {
		fill(&machine->houses[i], 40000, 100);
	}
	start(settings);
	run(10, all_are_new);
	before_usec = read_clock(NULL).cpu_usec;
	run(300, all_are_new);
	assert_in_range(read_clock(NULL).cpu_usec - before_usec, 0, 300 * S * 2 / 100);
	/* A record each would be more than anybody reads. */
	assert_in_range(machine->told[TW_EVENT_NAMESPACE_NEW], 20, 6 * (TW_REGISTRY_TOLD_MAX + 1));
}

static void one_fills(unsigned second)
{
	all_are_busy(second);
	tw_fake_source_clear_state(&machine->houses[5].source, TW_STATE_TIME_WAIT);
	tw_fake_source_add_many(&machine->houses[5].source, TW_STATE_TIME_WAIT, 2, 80, 32768, 3000 * (second + 1),
				1000);
	tw_fake_source_settle(&machine->houses[5].source);
}

/* Ports do not wait: many are busy, their ticks are stretched, and one of them runs short. */
static void test_a_rush_is_not_stretched(void **state TW_UNUSED)
{
	struct tw_settings *settings = settings_of("all");

	settings->cpu_budget_milli = 100;
	(void)strcpy(settings->rules[0].namespaces.words, "all");
	for (unsigned i = 0; i < MACHINE_MAX; i++)
		machine->houses[i].there = true;
	start(settings);
	run(120, all_are_busy);
	assert_true(machine->manager.registry.stretch > 3);
	run(6, one_fills);
	assert_int_equal(machine->told[TW_EVENT_RAISED], 1);
	assert_string_equal(machine->last[TW_EVENT_ADJUSTED], "n5");
	assert_int_equal(machine->houses[5].act.live[TW_TUNABLE_TW_REUSE].value.numbers[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rests, begin, end),
		cmocka_unit_test_setup_teardown(test_a_leak_is_seen_in_its_sleep, begin, end),
		cmocka_unit_test_setup_teardown(test_a_hostile_one_delays_itself, begin, end),
		cmocka_unit_test_setup_teardown(test_all_become_dear, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_waits_for_the_start, begin, end),
		cmocka_unit_test_setup_teardown(test_newcomers_share_a_purse, begin, end),
		cmocka_unit_test_setup_teardown(test_a_rush_is_not_stretched, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
