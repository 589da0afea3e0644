/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-text.h"

#include "explain-fixture.h"

static void explain(const char *word)
{
	struct tw_topic topic;
	const char *near;

	tw_page_init(&page, page_bytes, sizeof(page_bytes));
	if (!word) {
		tw_explain_now(&page, settings, &sample);
		return;
	}
	assert_true(tw_topic_find(word, settings, &topic, &near));
	tw_explain_topic(&page, &topic, settings, &sample);
}

static void test_an_empty_machine(TW_UNUSED void **state)
{
	look();
	explain(NULL);
	has("Nothing is wrong: of ");
	has("rules none is over its level.");
	has_not("TIME-WAIT");
	assert_int_equal(number("time-wait").milli, 0);
	assert_int_equal(number("time-wait-accepting").milli, 0);
	assert_int_equal(number("usable-ports").milli, 28232000);
}

/* The number that admins are frightened of. */
static void test_many_on_the_accepting_side(TW_UNUSED void **state)
{
	add_accepted(200000);
	look();
	explain(NULL);
	has("Nothing is wrong");
	has("200000 sockets in TIME-WAIT are on the accepting side, because this side closed first");
	has("harmless: about 256 bytes each, some 49 MiB together, and no port");
	has("No alarm and no sysctl is needed");
	has_not("connecting side");
	assert_int_equal(number("time-wait-accepting").milli, 200000000);
	assert_int_equal(number("time-wait-connecting").milli, 0);
}

static void test_one_on_the_accepting_side(TW_UNUSED void **state)
{
	add_accepted(1);
	look();
	explain("time-wait");
	has("Here: 1 now.");
	has("1 socket in TIME-WAIT is on the accepting side");
	has("some 1 KiB");
}

/* A server that has ended leaves its TIME-WAIT behind: on a port out of the range it is nobody's port either. */
static void test_a_listener_that_is_gone(TW_UNUSED void **state)
{
	add_accepted(5);
	look();
	explain("time-wait");
	has("and no port, for they hang on their listener's.");
	tw_fake_source_clear_state(&fake, TW_STATE_LISTEN);
	look();
	explain("time-wait");
	has("Here, outside the range: 5 sockets in TIME-WAIT are on ports that nobody listens on now");
	has("They cost connect() none.");
}

static void test_ports_run_short(TW_UNUSED void **state)
{
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 7, 8080, 33000, 20000, 1000);
	look();
	explain(NULL);
	has_not("Nothing");
	has("Wrong now: port-exhaustion (warning): 10.0.0.1 -> 10.0.1.7:8080 uses 70.8% of its ports (threshold 45%)");
	has("Why: ");
	has("What it costs: connect()");
	has("The rule's own remedy: net.ipv4.tcp_tw_reuse=1");
	has("What does not help: net.ipv4.tcp_fin_timeout does not shorten TIME-WAIT");
	has("20000 sockets in TIME-WAIT are on the connecting side");
	has_not("less than half");
	has_not("accepting side, because");
}

static void test_ports_held_by_open_connections(TW_UNUSED void **state)
{
	tw_fake_source_add_many(&fake, TW_STATE_ESTABLISHED, 7, 8080, 33000, 20000, 0);
	look();
	explain(NULL);
	has("Wrong now: port-exhaustion");
	has("The rule's own remedy cannot help now: 20000 of 20000 ports towards 10.0.1.7:8080 are held by open "
	    "connections (ESTABLISHED), 0% by TIME-WAIT");
	has("20000 are ESTABLISHED. That is load");
}

/* Two rules over one metric: its words come once. */
static void test_words_once(TW_UNUSED void **state)
{
	const char *first;

	settings->rules[settings->rule_count] = settings->rules[0];
	(void)tw_text_copy(settings->rules[settings->rule_count++].name, TW_RULE_NAME_MAX, "again");
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 7, 8080, 33000, 20000, 1000);
	look();
	explain(NULL);
	has("Wrong now: again (warning)");
	first = strstr(page_bytes, "Why: ");
	assert_non_null(first);
	assert_null(strstr(first + 1, "Why: "));
}

static void test_what_is_not_known(TW_UNUSED void **state)
{
	look();
	sample.survey.partial = true;
	explain(NULL);
	has("Nothing that is known is wrong");
	has("changed too fast");
	has("Not judged: port-exhaustion");
	assert_false(number("port-use").known);
	assert_false(number("time-wait-accepting").known);
	explain("port-use");
	has("Here: not known.");
	has("so it cannot be judged");
}

static void test_states(TW_UNUSED void **state)
{
	struct tw_close_wait_socket waiters[4] = { { 0 } };

	tw_fake_source_add_many(&fake, TW_STATE_CLOSE_WAIT, 3, 443, 53000, 4, 0);
	tw_fake_source_add_many(&fake, TW_STATE_BOUND, 0, 0, 60000, 2, 0);
	tw_fake_source_add_listener(&fake, 80);
	look();
	explain("close-wait");
	has("CLOSE-WAIT: The peer has closed");
	has("Here: 4 now: ");
	explain("bound");
	has("Here: 2 now. They hold 2 ports that connect() could pick");
	explain("listen");
	has("Here: 1 now. The fullest accept queue is that of 0.0.0.0:80, 0 of ");
	explain(NULL);
	has("Here, CLOSE-WAIT: 4 wait for a program here to close them. Those");
	waiters[1].since_usec = waiters[2].since_usec = TW_USEC_INFINITY;
	sample.close_wait.sockets = waiters;
	sample.close_wait.socket_count = 4;
	explain(NULL);
	has("4 wait for a program here to close them, but for 2 that accept() has not handed out or that still send.");
	sample.census.known[TW_STATE_BOUND] = false;
	explain("bound");
	has("Here: not known; the kernel tells it since Linux 6.8.");
}

static void test_metrics(TW_UNUSED void **state)
{
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 7, 8080, 33000, 100, 1000);
	look();
	explain("port-use");
	has("Here: 10.0.0.1 -> 10.0.1.7:8080 uses 0.4% of its ports, 100 of 28232, TIME-WAIT 100.");
	has("Rule: port-exhaustion (warning) watches port-use");
	explain("time-wait-overflow");
	has("Here: 0/s.");
	has("Rule: time-wait-overflow");
	explain("close-wait-aged");
	has("Here: it takes the age that a rule names.");
	has("Here, of any age: 0 now.");
	explain("accept-queue");
	has("Here: 0%.");
	has("Rule: accept-queue");
}

static void test_tunables(TW_UNUSED void **state)
{
	look();
	explain("tcp_tw_reuse");
	has("Here: net.ipv4.tcp_tw_reuse is 2; port-use is 0%.");
	has("A change of it now cannot help: no destination is short of ports");
	has("Rule: port-exhaustion changes it while it is raised");
	assert_int_equal(number("tcp_tw_reuse").milli, 2000);
	explain("tcp_tw_recycle");
	has("Here: this kernel does not have it; Linux 4.12 removed it.");
	assert_false(number("tcp_tw_recycle").known);
	has("Not measured: A rule can set it within bounds");
	explain("ip_autobind_reuse");
	has("ports that were bound first stay closed to them");
	has_not("Not measured");
	explain("ip_local_port_range");
	has("Here: net.ipv4.ip_local_port_range is 32768 60999, with 28232 usable ports; port-use is 0%.");
	has("timewaitd itself does not change it");
	has_not("Not measured");
	assert_int_equal(number("range-high").milli, 60999000);
	fake.gauge.sysctls[TW_TUNABLE_TW_REUSE].value.numbers[0] = 1;
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 7, 8080, 33000, 20000, 1000);
	look();
	explain("tcp_tw_reuse");
	has("Now: net.ipv4.tcp_tw_reuse is 1 already");
}

static void test_a_rule(TW_UNUSED void **state)
{
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 7, 8080, 33000, 20000, 1000);
	look();
	explain("port-exhaustion");
	has("Rule: port-exhaustion (warning) watches port-use: raised at 45%");
	has("over its level");
	has("port-use: The share of the local ports");
	has("The rule's own remedy: net.ipv4.tcp_tw_reuse=1");
	assert_int_equal(number("raise").milli, 45000);
	assert_int_equal(number("clear").milli, 25000);
}

/* Whatever can be asked has a whole answer, on an empty machine and on one that tells nothing. */
static void test_every_topic(TW_UNUSED void **state)
{
	for (unsigned blind = 0; blind < 2; blind++) {
		if (blind)
			memset(&sample, 0, sizeof(sample));
		else
			look();
		for (unsigned i = 0; i < (unsigned)TW_METRIC_COUNT + TW_TUNABLE_COUNT; i++) {
			explain(i < TW_METRIC_COUNT ? tw_metric_info((enum tw_metric)i)->name
						    : tw_tunable_info((enum tw_tunable)(i - TW_METRIC_COUNT))->key);
			has("\nHere: ");
			has("\nWhat it costs: ");
			has("\nWhat helps: ");
			has("\nWhat does not help: ");
			has_not("\n\n");
			assert_false(page.text.cut);
			assert_int_not_equal(page.number_count, 0);
		}
	}
	explain(NULL);
	has("Nothing that is known is wrong");
}

/* All rules over at once are the longest page there is. */
static void test_it_fits(TW_UNUSED void **state)
{
	tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, 7, 8080, 33000, 20000, 1000);
	look();
	for (unsigned i = 0; i < TW_RULES_MAX; i++) {
		settings->rules[i] = settings->rules[0];
		settings->rules[i].gate = false;
		settings->rules[i].action_count = TW_ACTIONS_MAX;
		for (unsigned k = 1; k < TW_ACTIONS_MAX; k++)
			settings->rules[i].actions[k] = settings->rules[0].actions[0];
	}
	settings->rule_count = TW_RULES_MAX;
	explain(NULL);
	assert_false(page.text.cut);
	explain("port-use");
	assert_false(page.text.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_empty_machine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_on_the_accepting_side, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_on_the_accepting_side, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_listener_that_is_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ports_run_short, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ports_held_by_open_connections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_words_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_metrics, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tunables, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_rule, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_topic, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_fits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
