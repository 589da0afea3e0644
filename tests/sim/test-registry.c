/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is watched. */
#include "sim/machine.h"

#include "base/fd.h"

#include <poll.h>
#include <time.h>

static void test_comes_and_goes(void **state TW_UNUSED)
{
	machine->houses[0].there = machine->houses[1].there = true;
	machine->houses[1].named = false;
	(void)strcpy(machine->houses[1].namespace.name, "host"); /* as nobody else may be called */
	start(settings_of("all"));
	assert_int_equal(tw_manager_count(&machine->manager), 3);
	assert_non_null(watch_of("n0"));
	assert_non_null(watch_of("host@101"));
	assert_int_equal(the("n0")->sample.census.at_usec, EPOCH);
	/* One with a name is found within a census, one without within half a survey. */
	machine->houses[2].there = machine->houses[3].there = true;
	machine->houses[3].named = false;
	run(6, NULL);
	assert_non_null(watch_of("n2"));
	assert_null(watch_of("n3"));
	run(30, NULL);
	assert_non_null(watch_of("n3"));
	assert_int_equal(machine->told[TW_EVENT_NAMESPACE_NEW], 4);
	/* One that loses its name but not its processes stays; one that is gone goes. */
	machine->houses[0].named = false;
	machine->houses[2].there = machine->houses[3].there = false;
	run(6 + 31, NULL);
	assert_non_null(watch_of("n0"));
	assert_null(watch_of("n2"));
	assert_null(watch_of("n3"));
	assert_int_equal(machine->told[TW_EVENT_NAMESPACE_GONE], 2);
	assert_int_equal(machine->houses[0].opened, 1);
	assert_int_equal(machine->houses[2].shut, 1);
}

/* The list decides; a new one narrows it, and puts back what was changed there. */
static void test_the_list_decides(void **state TW_UNUSED)
{
	struct tw_settings *settings = settings_of("n1* n2"), *narrow;
	struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

	tw_rule_settings_init(rule);
	(void)strcpy(rule->name, "listeners");
	(void)strcpy(rule->namespaces.words, "n1");
	rule->metric = TW_METRIC_STATE_FIRST;
	rule->raise_milli = 1000;
	rule->clear_for_usec = 0;
	rule->gate = rule->proof = false;
	rule->actions[rule->action_count++] =
		(struct tw_action){ .kind = TW_ACTION_SET, .tunable = TW_TUNABLE_TW_REUSE, .value.numbers[0] = 1 };
	for (unsigned i = 0; i < 4; i++) {
		machine->houses[i].there = true;
		tw_fake_source_add_listener(&machine->houses[i].source, 80);
		tw_fake_source_settle(&machine->houses[i].source);
	}
	tw_fake_source_add_listener(&machine->host.source, 80);
	tw_fake_source_settle(&machine->host.source);
	start(settings);
	run(20, NULL);
	assert_int_equal(tw_manager_count(&machine->manager), 2); /* not the host either */
	assert_int_equal(machine->host.source.gauges, 0);
	assert_int_equal(machine->told[TW_EVENT_RAISED], 2);
	assert_int_equal(machine->told[TW_EVENT_ADJUSTED], 1);
	assert_string_equal(machine->last[TW_EVENT_ADJUSTED], "n1");
	assert_int_equal(machine->told[TW_EVENT_ADVICE], 1);
	assert_string_equal(machine->last[TW_EVENT_ADVICE], "n2");
	assert_int_equal(machine->houses[1].act.live[TW_TUNABLE_TW_REUSE].value.numbers[0], 1);
	narrow = settings_of("host n2");
	narrow->rules[narrow->rule_count++] = settings->rules[settings->rule_count - 1];
	tw_manager_reload(&machine->manager, narrow);
	run(20, NULL);
	assert_null(watch_of("n1"));
	assert_non_null(watch_of("host"));
	assert_int_equal(machine->houses[1].act.live[TW_TUNABLE_TW_REUSE].value.numbers[0], 2);
	assert_false(tw_ledger_owes(&machine->houses[1].act.saved));
	assert_int_equal(machine->told[TW_EVENT_RESTORED], 1);
	assert_string_equal(machine->last[TW_EVENT_CLEARED], "n1");
	assert_int_equal(machine->houses[1].shut, 1);
}

/* With a rule that acts on the host from the first survey on: hardly a port is in use. */
static struct tw_settings *healing_host(const char *namespaces)
{
	struct tw_settings *settings = settings_of(namespaces);
	struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

	tw_rule_settings_init(rule);
	(void)strcpy(rule->name, "idle");
	rule->metric = TW_METRIC_PORT_USE;
	rule->raise_milli = 50000;
	rule->clear_milli = 90000;
	rule->raise_for_usec = 0;
	rule->gate = rule->proof = false;
	rule->actions[rule->action_count++] =
		(struct tw_action){ .kind = TW_ACTION_SET, .tunable = TW_TUNABLE_TW_REUSE, .value.numbers[0] = 1 };
	return settings;
}

static int64_t host_reuse(void)
{
	return machine->host.act.live[TW_TUNABLE_TW_REUSE].value.numbers[0];
}

/* What a scan finds that was begun before moves nobody any more. */
static void test_the_host_is_left_in_the_middle_of_a_scan(void **state TW_UNUSED)
{
	unsigned raised;

	machine->houses[0].there = true;
	start(healing_host("host n0"));
	assert_int_equal(host_reuse(), 1);
	raised = machine->told[TW_EVENT_RAISED];
	while (machine->manager.working != &machine->manager.host) {
		while (tw_manager_work(&machine->manager))
			;
		machine->now_usec += S;
		assert_int_equal(tw_manager_tick(&machine->manager), 0);
	}
	tw_manager_reload(&machine->manager, healing_host("n0"));
	assert_int_equal(host_reuse(), 2);
	while (tw_manager_work(&machine->manager))
		;
	run(20, NULL);
	assert_int_equal(machine->told[TW_EVENT_RAISED], raised);
	assert_int_equal(host_reuse(), 2);
	/* It is taken up again as if anew. */
	tw_manager_reload(&machine->manager, healing_host("host n0"));
	run(20, NULL);
	assert_int_equal(machine->told[TW_EVENT_RAISED], raised + 1);
	assert_int_equal(host_reuse(), 1);
}

/* What cannot be put back at once is put back as soon as it can. */
static void test_the_host_is_left_while_it_owes(void **state TW_UNUSED)
{
	machine->houses[0].there = true;
	start(healing_host("host n0"));
	assert_int_equal(host_reuse(), 1);
	machine->host.act.write_error = -EACCES;
	tw_manager_reload(&machine->manager, healing_host("n0"));
	run(20, NULL);
	assert_int_equal(host_reuse(), 1);
	assert_int_equal(machine->told[TW_EVENT_DEGRADED], 1);
	machine->host.act.write_error = 0;
	run(3, NULL);
	assert_int_equal(host_reuse(), 2);
	assert_false(tw_ledger_owes(&machine->host.act.saved));
}

/* One namespace gives way to another that is called the same. */
static void move(unsigned from, unsigned to)
{
	(void)strcpy(machine->houses[to].namespace.name, machine->houses[from].namespace.name);
	machine->houses[from].there = false;
	machine->houses[to].there = true;
}

/* Made anew between two looks, it is called as it was: the rules that name it are for it. */
static void test_made_anew(void **state TW_UNUSED)
{
	static const char *const lists[] = { "n0", "n*", "all" };

	for (unsigned i = 0; i < TW_ARRAY_SIZE(lists); i++) {
		if (i > 0) {
			assert_int_equal(end(NULL), 0);
			assert_int_equal(begin(NULL), 0);
		}
		machine->houses[0].there = true;
		start(settings_of(lists[i]));
		assert_non_null(watch_of("n0"));
		move(0, 1);
		run(10, NULL);
		assert_int_equal(machine->houses[0].shut, 1);
		assert_int_equal(machine->houses[1].opened, 1);
		assert_non_null(watch_of("n0"));
		assert_int_equal(machine->told[TW_EVENT_NAMESPACE_NEW], 2);
		/* A reload lets it stay. */
		tw_manager_reload(&machine->manager, settings_of(lists[i]));
		run(10, NULL);
		assert_int_equal(machine->houses[1].shut, 0);
	}
}

/* The same of a service with a network of its own, which is started anew. */
static void test_started_anew(void **state TW_UNUSED)
{
	machine->houses[0].there = true;
	machine->houses[0].named = machine->houses[1].named = false;
	start(settings_of("all"));
	move(0, 1);
	run(40, NULL);
	assert_int_equal(machine->houses[0].shut, 1);
	assert_int_equal(machine->houses[1].opened, 1);
	assert_non_null(watch_of("n0"));
}

/* The name goes over while somebody is still in the one that had it: who has it under /run/netns is called so. */
static void test_name_goes_over(void **state TW_UNUSED)
{
	unsigned looks;

	machine->houses[0].there = true;
	start(settings_of("all"));
	move(0, 1);
	machine->houses[0].there = true;
	machine->houses[0].named = false;
	(void)strcpy(machine->houses[0].namespace.name, "left.service");
	run(10, NULL);
	assert_non_null(watch_of("n0"));
	assert_ptr_equal(the("n0")->edges.context, &machine->houses[1]);
	assert_ptr_equal(the("n0@100")->edges.context, &machine->houses[0]);
	assert_int_equal(machine->told[TW_EVENT_NAMESPACE_GONE], 0);
	/* Processes are looked at no more often for it. */
	looks = machine->process_looks;
	run(60, NULL);
	assert_in_range(machine->process_looks - looks, 1, 3);
}

static int make_nothing(void *context TW_UNUSED, const char *name TW_UNUSED, struct tw_acting **ret TW_UNUSED)
{
	return -EACCES;
}

/* What acting takes cannot be had: told once, however often the sockets are counted well meanwhile. */
static void test_cannot_act(void **state TW_UNUSED)
{
	struct tw_settings *settings = healing_host("host n0");
	struct tw_watch *watch;

	(void)strcpy(settings->rules[settings->rule_count - 1].namespaces.words, "n0");
	machine->houses[0].there = true;
	start(settings_of("host n0"));
	watch = tw_manager_watch(&machine->manager, 1);
	watch->edges.make_acting = make_nothing;
	tw_manager_reload(&machine->manager, settings);
	run(60, NULL);
	assert_int_equal(machine->told[TW_EVENT_DEGRADED], 1);
	assert_string_equal(machine->last[TW_EVENT_DEGRADED], "n0");
	watch->edges.make_acting = make_acting;
	run(10, NULL);
	assert_int_equal(machine->houses[0].act.live[TW_TUNABLE_TW_REUSE].value.numbers[0], 1);
	assert_int_equal(machine->told[TW_EVENT_DEGRADED], 1);
}

/* What the daemon has used in all is told with the first namespace, whichever that is. */
static void test_the_cost_of_all(void **state TW_UNUSED)
{
	machine->houses[0].there = machine->houses[1].there = true;
	start(settings_of("n0 n1"));
	run(5, NULL);
	assert_ptr_equal(tw_manager_watch(&machine->manager, 0), the("n0"));
	assert_in_range(the("n0")->sample.cost.total_usec, GAUGE_USEC, S);
	machine->houses[0].there = false;
	run(40, NULL);
	assert_ptr_equal(tw_manager_watch(&machine->manager, 0), the("n1"));
	assert_int_equal(the("n1")->sample.cost.total_usec, machine->manager.spent_usec);
}

/* Until what the thread does has ended and is taken. */
static void wait_for_worker(struct tw_worker *worker)
{
	struct pollfd poll_fd = { .fd = tw_worker_fd(worker), .events = POLLIN };

	while (tw_manager_busy(&machine->manager)) {
		assert_int_equal(poll(&poll_fd, 1, 10000), 1);
		(void)tw_manager_work(&machine->manager);
	}
}

#define LOOK_CPU_USEC (20 * TW_USEC_PER_MSEC)

/* A look at many processes. */
static int look_long(struct tw_discovery *discovery TW_UNUSED)
{
	usec_t end_usec = tw_clock_read(CLOCK_THREAD_CPUTIME_ID) + LOOK_CPU_USEC;

	while (tw_clock_read(CLOCK_THREAD_CPUTIME_ID) < end_usec)
		;
	return 0;
}

/* What the thread beside the loop uses for it is the daemon's own, and within the budget like the rest. */
static void test_a_look_is_paid_for(void **state TW_UNUSED)
{
	struct tw_worker *worker = NULL;
	usec_t spent_usec, owed_usec;

	machine->houses[0].there = true;
	start(settings_of("all"));
	assert_int_equal(tw_worker_new(&worker), 0);
	machine->manager.worker = worker;
	machine->discovery.step = look_long;
	spent_usec = machine->manager.spent_usec;
	machine->now_usec += 40 * S;
	assert_int_equal(tw_manager_tick(&machine->manager), 0);
	owed_usec = machine->manager.owed_usec;
	assert_true(machine->manager.registry.looking);
	wait_for_worker(worker);
	assert_in_range(machine->manager.spent_usec - spent_usec, LOOK_CPU_USEC, 10 * LOOK_CPU_USEC);
	assert_in_range(machine->manager.owed_usec - owed_usec, LOOK_CPU_USEC, 10 * LOOK_CPU_USEC);
	tw_manager_done(&machine->manager);
	worker = tw_worker_free(worker);
}

/* Told once, with what it takes; and it is tried again with each look. */
static void test_may_not_enter(void **state TW_UNUSED)
{
	machine->houses[0].there = machine->houses[1].there = true;
	machine->houses[0].closed = machine->houses[1].closed = true;
	machine->denied = true;
	start(settings_of("all"));
	run(120, NULL);
	assert_int_equal(machine->told[TW_EVENT_DEGRADED], 2);
	assert_int_equal(tw_manager_count(&machine->manager), 1);
	machine->houses[0].closed = machine->houses[1].closed = false;
	run(40, NULL);
	assert_int_equal(tw_manager_count(&machine->manager), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_and_goes, begin, end),
		cmocka_unit_test_setup_teardown(test_the_list_decides, begin, end),
		cmocka_unit_test_setup_teardown(test_the_host_is_left_in_the_middle_of_a_scan, begin, end),
		cmocka_unit_test_setup_teardown(test_the_host_is_left_while_it_owes, begin, end),
		cmocka_unit_test_setup_teardown(test_made_anew, begin, end),
		cmocka_unit_test_setup_teardown(test_started_anew, begin, end),
		cmocka_unit_test_setup_teardown(test_name_goes_over, begin, end),
		cmocka_unit_test_setup_teardown(test_cannot_act, begin, end),
		cmocka_unit_test_setup_teardown(test_the_cost_of_all, begin, end),
		cmocka_unit_test_setup_teardown(test_a_look_is_paid_for, begin, end),
		cmocka_unit_test_setup_teardown(test_may_not_enter, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
