/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>

#include <cmocka.h>

/* Ports that are below `clear` (25 %). */
#define FEW 100

/* A day on a quiet machine: nothing but history, no write, no survey beyond the one a minute. */
static void test_quiet_day(void **state)
{
	struct sim *sim = *state;
	unsigned dumps_before, surveys;

	sim_set_time_wait(sim, FEW, 1);
	sim_start(sim, sim_settings());
	sim_run(sim, 60);
	dumps_before = sim->source.port_ranges;
	sim_run(sim, 86400);
	surveys = sim->source.port_ranges - dumps_before;
	assert_in_range(surveys, 1430, 1441);
	if (sim->event_count > 0)
		fail_msg("told: %s", sim->events[0].event.reason);
	assert_in_range(sim->told[TW_EVENT_SAMPLE], 1440, 1442);
	assert_int_equal(sim->act.writes, 0);
	sim_stop(sim);
	sim_assert_untouched(sim);
}

/* The main story: a load comes, holds, and goes. */
static void test_load_comes_and_goes(void **state)
{
	struct sim *sim = *state;
	const struct sim_event *event;

	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 1);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
	if (sim_last(sim, TW_EVENT_REFUSED))
		fail_msg("refused: %s", sim_last(sim, TW_EVENT_REFUSED)->event.reason);
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 2);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_KEEPALIVE_TIME), 600);
	event = sim_last(sim, TW_EVENT_RAISED);
	assert_true(event->event.subject.has_destination);
	assert_int_equal(event->event.subject.destination.port, SIM_PORT);

	/* The ports in use fall, as they do with reuse, but connections are as young as ever: it stays. */
	sim_set_time_wait(sim, FEW * 10, 1);
	sim_run(sim, 600);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
	assert_int_equal(sim->told[TW_EVENT_CLEARED], 0);

	/* The load ends; what it left stays for a minute. */
	sim_set_time_wait(sim, SIM_MANY, 20);
	sim_run(sim, 30);
	sim_set_time_wait(sim, SIM_MANY, 50);
	sim_run(sim, 25);
	sim_set_time_wait(sim, 0, 0);
	/* Without reuse it would block the ports until now, so that the hold begins here. */
	sim_run(sim, 58);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
	sim_run(sim, 8);
	assert_int_equal(sim->told[TW_EVENT_CLEARED], 1);
	assert_int_equal(sim->told[TW_EVENT_RESTORED], 2);
	event = sim_last(sim, TW_EVENT_RESTORED);
	assert_string_equal(event->rule, "port-exhaustion");
	assert_true(event->event.subject.has_destination);
	sim_assert_untouched(sim);
	/* And it does not come back. */
	sim_run(sim, 3600);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
}

/* A hold that runs out while the ports are still taken must not clear, or it would be raised again at once. */
static void test_short_hold_does_not_flap(void **state)
{
	struct sim *sim = *state;
	struct tw_settings *settings = sim_settings();

	settings->rules[0].clear_for_usec = 2 * TW_USEC_PER_SEC;
	sim_start(sim, settings);
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 2);
	for (unsigned age = 10; age < 60; age++) {
		sim_set_time_wait(sim, SIM_MANY, age);
		sim_run(sim, 1);
	}
	assert_int_equal(sim->told[TW_EVENT_CLEARED], 0);
	sim_set_time_wait(sim, 0, 0);
	sim_run(sim, 3);
	assert_int_equal(sim->told[TW_EVENT_CLEARED], 1);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
}

static void test_observe_writes_nothing(void **state)
{
	struct sim *sim = *state;
	struct tw_settings *settings = sim_settings();

	settings->mode = TW_MODE_OBSERVE;
	sim_start(sim, settings);
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 600);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
	assert_int_equal(sim->told[TW_EVENT_ADVICE], 2);
	assert_int_equal(sim->act.writes, 0);
	sim_assert_untouched(sim);
}

static void test_admin_is_left_alone(void **state)
{
	struct sim *sim = *state;
	const struct sim_event *event;

	sim_start(sim, sim_settings());
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 2);
	tw_fake_act_set(&sim->act, TW_TUNABLE_TW_REUSE, 0);
	sim_run(sim, 300);
	assert_int_equal(sim->told[TW_EVENT_YIELDED], 1);
	event = sim_last(sim, TW_EVENT_YIELDED);
	assert_int_equal(event->event.old.value.numbers[0], 0);
	assert_int_equal(event->event.new.value.numbers[0], 1);
	assert_int_equal(event->event.baseline.value.numbers[0], 2);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 0);
	sim_set_time_wait(sim, 0, 0);
	sim_run(sim, 120);
	assert_int_equal(sim->told[TW_EVENT_CLEARED], 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 0);
	assert_int_equal(sim_live(sim, TW_TUNABLE_KEEPALIVE_TIME), 7200);
	sim_stop(sim);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 0);
}

static void test_reload_while_raised(void **state)
{
	struct sim *sim = *state;
	struct tw_settings *next;

	sim_start(sim, sim_settings());
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 2);

	/* The same rules: nothing is told again, nothing is written. */
	tw_manager_reload(&sim->manager, sim_settings());
	sim_run(sim, 10);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 2);

	/* One action less: it alone is put back. */
	next = sim_settings();
	next->rules[0].action_count = 1;
	tw_manager_reload(&sim->manager, next);
	sim_run(sim, 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_KEEPALIVE_TIME), 7200);

	/* Observe: what was written goes back, and the advice stays. */
	next = sim_settings();
	next->mode = TW_MODE_OBSERVE;
	tw_manager_reload(&sim->manager, next);
	sim_run(sim, 2);
	sim_assert_untouched(sim);
	assert_int_equal(sim->told[TW_EVENT_ADVICE], 2);

	tw_manager_reload(&sim->manager, sim_settings());
	sim_run(sim, 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);

	/* The rule itself goes. */
	next = sim_settings();
	next->rule_count = 0;
	tw_manager_reload(&sim->manager, next);
	assert_int_equal(sim->told[TW_EVENT_CLEARED], 1);
	sim_run(sim, 1);
	sim_assert_untouched(sim);
}

/* Nothing rests on a dump that moved too much; it is told once, and the daemon goes on when it works again. */
static void test_partial_dumps(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	tw_fake_source_fail(&sim->source, TW_FAKE_INTERRUPTED, 0, UINT_MAX, -EINTR);
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 60);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 0);
	assert_true(sim->told[TW_EVENT_PARTIAL] >= 1);
	assert_true(sim->told[TW_EVENT_PARTIAL] <= 4); /* the dump, and each rule that lost its value */
	assert_int_equal(sim->act.writes, 0);
	tw_fake_source_fail(&sim->source, TW_FAKE_INTERRUPTED, 0, 0, 0);
	sim_run(sim, 2);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
}

/* One scan that broke off three times is made up for by the next. */
static void test_one_partial_dump(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	tw_fake_source_fail(&sim->source, TW_FAKE_INTERRUPTED, 0, 3, -EINTR);
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 20);
	assert_int_equal(sim->source.plans[TW_FAKE_INTERRUPTED].times, 0);
	assert_int_equal(sim->told[TW_EVENT_PARTIAL], 0);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
}

static void test_no_gauge(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 5);
	tw_fake_source_fail(&sim->source, TW_FAKE_GAUGE, 0, 20, -EMFILE);
	sim_run(sim, 20);
	assert_int_equal(sim->told[TW_EVENT_DEGRADED], 1);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
	sim_run(sim, 5);
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
	/* Too long, and a fresh start is better. */
	tw_fake_source_fail(&sim->source, TW_FAKE_GAUGE, 0, UINT_MAX, -EMFILE);
	sim_run(sim, TW_MANAGER_MISSED_MAX);
	assert_int_equal(tw_manager_tick(&sim->manager), -EIO);
}

static void test_write_failures(void **state)
{
	struct sim *sim = *state;

	sim_start(sim, sim_settings());
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim->act.write_error = -EROFS;
	sim_run(sim, 30);
	assert_int_equal(sim->told[TW_EVENT_REFUSED], 2);
	assert_int_equal(sim->told[TW_EVENT_ADJUSTED], 0);
	sim_assert_untouched(sim);
	sim->act.write_error = 0;
	sim_run(sim, 2);
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 1);
	/* A ledger that cannot be written: no change is made without it. */
	sim_stop(sim);
	sim->act.save_error = -ENOSPC;
	sim->act.writes = 0;
	sim_start(sim, sim_settings());
	sim_run(sim, 10);
	assert_int_equal(sim->act.writes, 0);
	assert_true(sim->told[TW_EVENT_DEGRADED] >= 1);
}

/* More strangers than the table has room for: told once, and the busy destination is found among them. */
static void test_flood_of_destinations(void **state)
{
	struct sim *sim = *state;

	for (uint32_t i = 0; i < 150000; i++) {
		struct tw_flow flow = {
			.state = TW_STATE_ESTABLISHED,
			.family = AF_INET,
			.local = { .address = tw_address_from_ipv4((const uint8_t[]){ 10, 0, 0, 1 }), .port = 33000 },
			.remote = { .address = tw_address_from_ipv4(&i), .port = 443 },
		};

		tw_fake_source_add(&sim->source, &flow);
	}
	sim_start(sim, sim_settings());
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 30);
	assert_int_equal(sim->told[TW_EVENT_PARTIAL], 1);
	assert_non_null(strstr(sim_last(sim, TW_EVENT_PARTIAL)->event.reason, "more destinations"));
	assert_int_equal(sim->told[TW_EVENT_RAISED], 1);
	assert_int_equal(sim_last(sim, TW_EVENT_RAISED)->event.subject.destination.port, SIM_PORT);
}

/* ---- death at every step */

static jmp_buf death;
static unsigned steps_to_death;

static void die_at_step(struct tw_fake_act *act TW_UNUSED)
{
	if (steps_to_death > 0 && --steps_to_death == 0)
		longjmp(death, 1);
}

/* The story that the daemon dies in: raised, changed, and cleared. */
static void play(struct sim *sim)
{
	sim_run(sim, 2);
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 3);
	sim_set_time_wait(sim, 0, 0);
	sim_run(sim, 70);
}

/*
 * The daemon dies before each read, write and save in turn. Whatever the next start or --restore finds: every sysctl is
 * back at its baseline, and doing it twice changes nothing more.
 */
static void test_death_at_every_step(void **state TW_UNUSED)
{
	/* volatile: they outlive a longjmp(). */
	volatile unsigned step = 1;
	volatile bool died = true;

	for (; died; step++) {
		struct sim *sim = sim_new();
		unsigned writes;

		sim_start(sim, sim_settings());
		sim->act.interfere = die_at_step;
		steps_to_death = step;
		if (setjmp(death) == 0) {
			play(sim);
			died = false;
		}
		sim->act.interfere = NULL;
		sim_kill(sim);
		sim_set_time_wait(sim, 0, 0);
		sim_start(sim, sim_settings());
		sim_assert_untouched(sim);
		writes = sim->act.writes;
		sim_kill(sim);
		sim_start(sim, sim_settings());
		sim_assert_untouched(sim);
		assert_int_equal(sim->act.writes, writes);
		sim_free(sim);
	}
	/* Two sysctls, each looked at, saved, written, looked at, and the same on the way back. */
	assert_true(step > 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_quiet_day, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_load_comes_and_goes, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_short_hold_does_not_flap, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_observe_writes_nothing, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_admin_is_left_alone, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_reload_while_raised, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_partial_dumps, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_one_partial_dump, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_no_gauge, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_write_failures, sim_begin, sim_end),
		cmocka_unit_test_setup_teardown(test_flood_of_destinations, sim_begin, sim_end),
		cmocka_unit_test(test_death_at_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
