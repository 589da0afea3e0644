/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#define COOLDOWN 600

/* A load that lasts, and the two sysctls that the rule wants in place. */
static int begin(void **state)
{
	struct sim *sim = sim_new();

	*state = sim;
	sim_start(sim, sim_settings());
	sim_run(sim, 5);
	sim_set_time_wait(sim, SIM_MANY, 1);
	sim_run(sim, 5);
	return sim->told[TW_EVENT_ADJUSTED] == 2 ? 0 : -1;
}

static void assert_live(const struct sim *sim, int64_t reuse, int64_t keepalive)
{
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), reuse);
	assert_int_equal(sim_live(sim, TW_TUNABLE_KEEPALIVE_TIME), keepalive);
}

static void test_restored_for_the_cooldown(void **state)
{
	struct sim *sim = *state;
	unsigned count = 0;

	assert_int_equal(tw_manager_restore(&sim->manager, &count), 0);
	assert_int_equal(count, 2);
	assert_live(sim, 2, 7200);
	assert_false(tw_ledger_owes(&sim->act.saved));
	sim_run(sim, COOLDOWN - 5);
	assert_live(sim, 2, 7200);
	assert_int_equal(sim->told[TW_EVENT_REFUSED], 2);
	assert_non_null(strstr(sim_last(sim, TW_EVENT_REFUSED)->event.reason, "put back on request"));
	assert_int_equal(sim->told[TW_EVENT_CLEARED], 0);
	sim_run(sim, 10);
	assert_live(sim, 1, 600);
	sim_stop(sim);
	assert_live(sim, 2, 7200);
}

static void test_restored_twice(void **state)
{
	struct sim *sim = *state;
	unsigned count = 7;

	assert_int_equal(tw_manager_restore(&sim->manager, &count), 0);
	assert_int_equal(tw_manager_restore(&sim->manager, &count), 0);
	assert_int_equal(count, 0);
}

static void test_what_cannot_go_back_is_told(void **state)
{
	struct sim *sim = *state;
	unsigned count = 0;

	sim->act.write_error = -EPERM;
	assert_int_equal(tw_manager_restore(&sim->manager, &count), -EPERM);
	assert_int_equal(count, 0);
	assert_true(tw_ledger_owes(&sim->act.saved));
	/* It is owed, and goes back as soon as that works. */
	sim->act.write_error = 0;
	sim_run(sim, 2);
	assert_live(sim, 2, 7200);
}

static void test_what_others_have_is_theirs(void **state)
{
	struct sim *sim = *state;
	unsigned count = 0;

	sim->act.live[TW_TUNABLE_KEEPALIVE_TIME].value.numbers[0] = 900;
	assert_int_equal(tw_manager_restore(&sim->manager, &count), 0);
	assert_int_equal(count, 1);
	assert_live(sim, 2, 900);
	assert_int_equal(sim->told[TW_EVENT_YIELDED], 1);
	sim_run(sim, COOLDOWN + 5);
	assert_live(sim, 1, 900);
	sim_stop(sim);
	assert_live(sim, 2, 900);
}

static void test_observe_puts_back_and_enforce_sets_again(void **state)
{
	struct sim *sim = *state;

	assert_int_equal(tw_manager_set_mode(&sim->manager, TW_MODE_OBSERVE), 0);
	assert_live(sim, 2, 7200);
	assert_string_equal(tw_manager_mode(&sim->manager), "observe");
	sim_run(sim, 60);
	assert_live(sim, 2, 7200);
	assert_int_equal(sim->told[TW_EVENT_ADVICE], 2);
	assert_int_equal(tw_manager_set_mode(&sim->manager, TW_MODE_ENFORCE), 0);
	sim_run(sim, 2);
	assert_live(sim, 1, 600);
}

static void test_the_same_mode_changes_nothing(void **state)
{
	struct sim *sim = *state;
	unsigned writes = sim->act.writes;

	assert_int_equal(tw_manager_set_mode(&sim->manager, TW_MODE_ENFORCE), 0);
	sim_run(sim, 2);
	assert_int_equal(sim->act.writes, writes);
	assert_live(sim, 1, 600);
}

static void test_a_reload_ends_the_mode(void **state)
{
	struct sim *sim = *state;

	assert_int_equal(tw_manager_set_mode(&sim->manager, TW_MODE_OBSERVE), 0);
	tw_manager_reload(&sim->manager, sim_settings());
	assert_string_equal(tw_manager_mode(&sim->manager), "enforce");
	sim_run(sim, 2);
	assert_live(sim, 1, 600);
}

static void test_a_snapshot(void **state)
{
	static char page[65536];
	struct sim *sim = *state;
	struct tw_text text;

	tw_text_init(&text, page, sizeof(page));
	tw_manager_snapshot(&sim->manager, 5 * TW_USEC_PER_SEC, 7 * TW_USEC_PER_SEC, &text);
	assert_false(text.cut);
	assert_non_null(
		strstr(page, "\"mode\":\"enforce\",\"started\":5,\"now\":7,\"namespaces\":[{\"name\":\"host\","));
	assert_non_null(strstr(page, "\"name\":\"port-exhaustion\",\"metric\":\"port-use\",\"state\":\"raised\""));
	assert_non_null(strstr(page, "\"sysctl\":\"net.ipv4.tcp_tw_reuse\",\"baseline\":\"2\",\"value\":\"1\","));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restored_for_the_cooldown, begin, sim_end),
		cmocka_unit_test_setup_teardown(test_restored_twice, begin, sim_end),
		cmocka_unit_test_setup_teardown(test_what_cannot_go_back_is_told, begin, sim_end),
		cmocka_unit_test_setup_teardown(test_what_others_have_is_theirs, begin, sim_end),
		cmocka_unit_test_setup_teardown(test_observe_puts_back_and_enforce_sets_again, begin, sim_end),
		cmocka_unit_test_setup_teardown(test_the_same_mode_changes_nothing, begin, sim_end),
		cmocka_unit_test_setup_teardown(test_a_reload_ends_the_mode, begin, sim_end),
		cmocka_unit_test_setup_teardown(test_a_snapshot, begin, sim_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
