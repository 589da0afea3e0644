/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile-fixture.h"

/* What an older timewaitd owes: a range that it widened, and the reserved ports that it put in first. */

#define RANGE TW_TUNABLE_PORT_RANGE

static struct tw_port_set set_of(const char *text)
{
	struct tw_port_set set;

	assert_int_equal(tw_port_set_parse(text, strlen(text), &set), 0);
	return set;
}

static void expect_reserved(const char *text)
{
	struct tw_port_set expected = set_of(text);

	assert_true(tw_port_set_equal(&fake.reserved, &expected));
}

static void expect_range(int64_t low, int64_t high)
{
	assert_int_equal(fake.live[RANGE].value.numbers[0], low);
	assert_int_equal(fake.live[RANGE].value.numbers[1], high);
}

/* An older ledger: 8080 and 61000 were to be added to 5000 and 9001. */
static void owe(const char *previous, const char *live)
{
	struct tw_ledger_entry *entry = &fake.saved.entries[RANGE];
	struct tw_ledger_reserved *reserved = &fake.saved.reserved;

	*entry = (struct tw_ledger_entry){
		.owner = TW_OWNER_OURS,
		.baseline = { { 32768, 60999 } },
		.written = { { 1024, 65535 } },
		.previous = { { 1024, 65535 } },
		.rule = "wide",
	};
	reserved->ours = true;
	reserved->baseline = set_of("5000,9001");
	reserved->written = set_of("5000,8080,9001,61000");
	reserved->previous = set_of(previous);
	fake.reserved = set_of(live);
	tw_fake_act_set_range(&fake, 1024, 65535);
	tw_fake_act_start(&fake, &reconciler);
}

static void owe_all(void)
{
	owe("5000,8080,9001,61000", "5000,8080,9001,61000");
}

static void expect_nothing_owed(void)
{
	assert_false(tw_ledger_owes(&fake.saved));
	expect_range(32768, 60999);
	tw_fake_act_forget_events(&fake);
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	enforce();
	expect_silence();
}

/* By --restore or the next start, and by a daemon that goes on from such a ledger. */
static void test_goes_back(void **state TW_UNUSED)
{
	for (unsigned running = 0; running < 2; running++) {
		owe_all();
		if (running)
			enforce();
		else
			assert_int_equal(tw_reconcile_restore(&reconciler), 0);
		assert_int_equal(fake.event_count, 2);
		assert_true(fake.events[0].has_sysctl && fake.events[0].sysctl == RANGE);
		assert_false(fake.events[1].has_sysctl);
		assert_int_equal(fake.events[1].kind, TW_EVENT_RESTORED);
		assert_non_null(strstr(fake.events[1].reason,
				       "net.ipv4.ip_local_reserved_ports is as it was before the "
				       "range was widened: 5000,9001"));
		expect_reserved("5000,9001");
		expect_nothing_owed();
	}
}

/* It died before the list was written, before the range was, or before either: what is in place already is no news. */
static void test_died_in_between(void **state TW_UNUSED)
{
	owe("5000,9001", "5000,9001");
	tw_fake_act_set_range(&fake, 32768, 60999);
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	expect_silence();
	expect_nothing_owed();

	owe("5000,9001", "5000,8080,9001,61000");
	tw_fake_act_set_range(&fake, 32768, 60999);
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	(void)expect(1, TW_EVENT_RESTORED);
	expect_reserved("5000,9001");
	expect_nothing_owed();
}

/* The list of before the last write was ours too. */
static void test_one_write_behind(void **state TW_UNUSED)
{
	owe("5000,8080,9001", "5000,8080,9001");
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	(void)expect(2, TW_EVENT_RESTORED);
	expect_reserved("5000,9001");
	expect_nothing_owed();
}

static void test_somebody_elses_list_stays(void **state TW_UNUSED)
{
	owe("5000,8080,9001,61000", "7777");
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	assert_non_null(strstr(expect(2, TW_EVENT_YIELDED)->reason,
			       "set net.ipv4.ip_local_reserved_ports to 7777 after timewaitd had added 8080,61000"));
	expect_reserved("7777");
	expect_nothing_owed();
}

/* Told once, with what to type, and done as soon as it can be. */
static void test_cannot_be_put_back(void **state TW_UNUSED)
{
	const struct tw_event *event;

	owe_all();
	fake.list_write_error = -EACCES;
	assert_int_equal(tw_reconcile_restore(&reconciler), -EACCES);
	event = expect(2, TW_EVENT_DEGRADED);
	assert_string_equal(event->advice, "sysctl -w net.ipv4.ip_local_reserved_ports=5000,9001");
	enforce();
	expect_silence();
	assert_true(tw_ledger_owes(&fake.saved));
	fake.list_write_error = 0;
	fake.list_stays = true;
	assert_int_equal(tw_reconcile_restore(&reconciler), -EIO);
	fake.list_stays = false;
	fake.list_error = -EIO;
	assert_int_equal(tw_reconcile_restore(&reconciler), -EIO);
	expect_silence();
	fake.list_error = 0;
	enforce();
	(void)expect(1, TW_EVENT_RESTORED);
	expect_reserved("5000,9001");
	expect_nothing_owed();
}

/* While the range cannot be put back, who listens in it keeps its port. */
static void test_not_before_the_range(void **state TW_UNUSED)
{
	owe_all();
	fake.write_error = -EIO;
	assert_int_equal(tw_reconcile_restore(&reconciler), -EIO);
	expect_reserved("5000,8080,9001,61000");
	fake.write_error = 0;
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	expect_reserved("5000,9001");
	expect_nothing_owed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_goes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_died_in_between, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_write_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_somebody_elses_list_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cannot_be_put_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_before_the_range, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
