/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile-fixture.h"

static void test_adjusts_and_restores(void **state TW_UNUSED)
{
	const struct tw_event *event;

	want(REUSE, 1);
	enforce();
	event = expect(1, TW_EVENT_ADJUSTED);
	expect_values(event, 2, 1, 2);
	assert_int_equal(event->sysctl, REUSE);
	assert_ptr_equal(event->rule, &rule);
	assert_string_equal(event->rule_name, "port-exhaustion");
	assert_int_equal(event->metric, TW_METRIC_PORT_USE);
	assert_int_equal(event->value.milli, 51000);
	assert_int_equal(event->threshold.milli, 45000);
	assert_int_equal(event->subject.destination.port, 8080);
	assert_int_equal(fake.saved.entries[REUSE].owner, TW_OWNER_OURS);
	assert_string_equal(fake.saved.entries[REUSE].rule, "port-exhaustion");
	enforce();
	expect_silence();
	assert_int_equal(fake.writes, 1);

	want_nothing();
	enforce();
	event = expect(1, TW_EVENT_RESTORED);
	expect_values(event, 1, 2, 2);
	assert_null(event->rule);
	assert_string_equal(event->rule_name, "port-exhaustion");
	assert_true(event->subject.has_destination);
	assert_int_equal(event->subject.destination.port, 8080);
	assert_int_equal(live(REUSE), 2);
	assert_false(tw_ledger_owes(&fake.saved));
	enforce();
	expect_silence();
	assert_int_equal(fake.writes, 2);
}

static void test_idle_costs_nothing(void **state TW_UNUSED)
{
	enforce();
	observe();
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	assert_int_equal(fake.reads + fake.writes + fake.saves, 0);
	expect_silence();
}

/* From a desire until nothing is left of it, also where somebody else has taken the sysctl over. */
static void test_at_rest(void **state TW_UNUSED)
{
	assert_true(tw_reconcile_at_rest(&reconciler));
	want(REUSE, 1);
	enforce();
	assert_false(tw_reconcile_at_rest(&reconciler));
	tw_fake_act_set(&fake, REUSE, 0);
	enforce();
	assert_int_equal(reconciler.ledger.entries[REUSE].owner, TW_OWNER_YIELDED);
	assert_false(tw_reconcile_at_rest(&reconciler));
	want_nothing();
	enforce();
	assert_true(tw_reconcile_at_rest(&reconciler));
	/* A ledger that could not be saved is saved at the next call. */
	want(REUSE, 1);
	enforce();
	want_nothing();
	fake.save_error = -ENOSPC;
	enforce();
	assert_int_equal(live(REUSE), 0);
	assert_false(tw_reconcile_at_rest(&reconciler));
	fake.save_error = 0;
	enforce();
	assert_true(tw_reconcile_at_rest(&reconciler));
}

static void test_already_there(void **state TW_UNUSED)
{
	want(REUSE, 2);
	enforce();
	want_nothing();
	enforce();
	expect_silence();
	assert_int_equal(fake.writes + fake.saves, 0);
}

static void test_another_value(void **state TW_UNUSED)
{
	adjust();
	want(REUSE, 0);
	desires.rows[REUSE].rule = &other_rule;
	enforce();
	expect_values(expect(1, TW_EVENT_ADJUSTED), 1, 0, 2);
	assert_int_equal(fake.saved.entries[REUSE].baseline.numbers[0], 2);
	/* Seen in place, the value before is no longer ours. */
	assert_int_equal(fake.saved.entries[REUSE].previous.numbers[0], 0);
	want_nothing();
	enforce();
	assert_string_equal(expect(1, TW_EVENT_RESTORED)->rule_name, "other");
	assert_int_equal(live(REUSE), 2);
}

static void test_yields(void **state TW_UNUSED)
{
	const struct tw_event *event;

	adjust();
	tw_fake_act_set(&fake, REUSE, 0);
	enforce();
	event = expect(1, TW_EVENT_YIELDED);
	expect_values(event, 0, 1, 2);
	assert_non_null(strstr(event->reason, "set it to 0"));
	assert_true(reconciler.foreign[REUSE].known && reconciler.foreign[REUSE].value.numbers[0] == 0);
	enforce();
	assert_false(reconciler.foreign[REUSE].known);
	tw_fake_act_set(&fake, REUSE, 1);
	want(REUSE, 0);
	enforce();
	observe();
	want_nothing();
	enforce();
	expect_silence();
	assert_int_equal(live(REUSE), 1);
	assert_int_equal(reconciler.ledger.entries[REUSE].owner, TW_OWNER_NOBODY);
	assert_int_equal(fake.writes, 1);
	/* The rule's next life is another one. */
	want(REUSE, 0);
	enforce();
	expect_values(expect(1, TW_EVENT_ADJUSTED), 1, 0, 1);
}

/* Field by field, from the first write until nothing is known any more. */
static void expect_entry(enum tw_owner owner, int64_t baseline, int64_t previous, int64_t written, const char *name)
{
	const struct tw_ledger_entry *entry = &reconciler.ledger.entries[REUSE];

	assert_int_equal(entry->owner, owner);
	assert_int_equal(entry->baseline.numbers[0], baseline);
	assert_int_equal(entry->previous.numbers[0], previous);
	assert_int_equal(entry->written.numbers[0], written);
	assert_string_equal(entry->rule, name);
}

static void test_what_the_ledger_says(void **state TW_UNUSED)
{
	adjust();
	expect_entry(TW_OWNER_OURS, 2, 1, 1, rule.name);
	want(REUSE, 0);
	desires.rows[REUSE].rule = &other_rule;
	enforce();
	expect_entry(TW_OWNER_OURS, 2, 0, 0, other_rule.name);
	tw_fake_act_set(&fake, REUSE, 1);
	assert_int_equal(tw_reconcile_pause(&reconciler), 0);
	expect_entry(TW_OWNER_YIELDED, 2, 0, 0, other_rule.name);
	assert_int_equal(tw_reconcile_pause(&reconciler), 0);
	expect_entry(TW_OWNER_YIELDED, 2, 0, 0, other_rule.name);
	want_nothing();
	enforce();
	expect_entry(TW_OWNER_NOBODY, 0, 0, 0, "");
	/* A desire without a rule, whose write is seen only at the next look. */
	want(REUSE, 0);
	desires.rows[REUSE].rule = NULL;
	fake.fail_at = 4;
	fake.fail_for = 1;
	fake.fail_error = -EIO;
	enforce();
	expect_entry(TW_OWNER_OURS, 1, 1, 0, "");
	enforce();
	expect_entry(TW_OWNER_OURS, 1, 0, 0, "");
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	expect_entry(TW_OWNER_NOBODY, 0, 0, 0, "");
}

static void test_yields_to_the_baseline(void **state TW_UNUSED)
{
	adjust();
	tw_fake_act_set(&fake, REUSE, 2);
	enforce();
	expect_values(expect(1, TW_EVENT_YIELDED), 2, 1, 2);
	enforce();
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	expect_silence();
	assert_int_equal(live(REUSE), 2);
}

static void test_yields_when_cleared(void **state TW_UNUSED)
{
	adjust();
	tw_fake_act_set(&fake, REUSE, 0);
	want_nothing();
	enforce();
	assert_string_equal(expect(1, TW_EVENT_YIELDED)->rule_name, "port-exhaustion");
	assert_int_equal(reconciler.ledger.entries[REUSE].owner, TW_OWNER_NOBODY);
	enforce();
	expect_silence();
	assert_int_equal(live(REUSE), 0);
}

static void test_refused_by_us(void **state TW_UNUSED)
{
	want(BUCKETS, 4095);
	enforce();
	assert_non_null(strstr(expect(1, TW_EVENT_REFUSED)->reason, "lowered: it is 4096 now"));
	want(BUCKETS, 1);
	enforce();
	assert_non_null(strstr(expect(1, TW_EVENT_REFUSED)->reason, "1024 to 16777216"));
	enforce();
	observe();
	expect_silence();
	assert_int_equal(fake.writes + fake.saves, 0);
}

static void test_refused_while_ours(void **state TW_UNUSED)
{
	want(BUCKETS, 8192);
	enforce();
	(void)expect(1, TW_EVENT_ADJUSTED);
	want(BUCKETS, 2048);
	desires.rows[BUCKETS].rule = &other_rule;
	enforce();
	assert_string_equal(expect(1, TW_EVENT_RESTORED)->rule_name, "port-exhaustion");
	enforce();
	assert_string_equal(expect(1, TW_EVENT_REFUSED)->rule_name, "other");
	assert_int_equal(live(BUCKETS), 4096);
}

static void test_observes(void **state TW_UNUSED)
{
	const struct tw_event *event;

	want(REUSE, 1);
	observe();
	event = expect(1, TW_EVENT_ADVICE);
	assert_string_equal(event->advice, "sysctl -w net.ipv4.tcp_tw_reuse=1");
	observe();
	expect_silence();
	want(REUSE, 0);
	observe();
	assert_string_equal(expect(1, TW_EVENT_ADVICE)->advice, "sysctl -w net.ipv4.tcp_tw_reuse=0");
	want_nothing();
	observe();
	want(REUSE, 0);
	observe();
	(void)expect(1, TW_EVENT_ADVICE);
	assert_int_equal(fake.writes + fake.saves, 0);
}

/* A rule that does not act in this namespace: told with where to type it, and what was ours goes back. */
static void test_advised(void **state TW_UNUSED)
{
	const struct tw_event *event;

	reconciler.namespace = "web";
	want(REUSE, 1);
	desires.rows[REUSE].advised = true;
	enforce();
	enforce();
	event = expect(1, TW_EVENT_ADVICE);
	assert_string_equal(event->advice, "sysctl -w net.ipv4.tcp_tw_reuse=1, in the network namespace web");
	assert_string_equal(event->reason,
			    "by its namespaces, the rule does not act in this one: timewaitd would do this "
			    "now, and writes nothing");
	assert_true(event->elsewhere);
	assert_int_equal(fake.writes + fake.saves, 0);
	desires.rows[REUSE].advised = false;
	enforce();
	(void)expect(1, TW_EVENT_ADJUSTED);
	desires.rows[REUSE].advised = true;
	enforce();
	assert_int_equal(live(REUSE), 2);
	assert_false(tw_ledger_owes(&reconciler.ledger));
}

static void test_observes_from_now_on(void **state TW_UNUSED)
{
	adjust();
	observe();
	assert_non_null(strstr(expect(1, TW_EVENT_RESTORED)->reason, "observe"));
	assert_int_equal(live(REUSE), 2);
	observe();
	(void)expect(1, TW_EVENT_ADVICE);
	observe();
	expect_silence();
}

static const struct {
	int error;
	const char *words;
} write_errors[] = {
	{ -ENOENT, "no such sysctl" }, { -EROFS, "ProtectKernelTunables=no" }, { -EACCES, "CAP_NET_ADMIN" },
	{ -EPERM, "CAP_NET_ADMIN" },   { -EINVAL, "takes no such value" },     { -EIO, "Input/output error" },
};

static void test_refused_write(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(write_errors); i++) {
		const struct tw_event *event;

		(void)set_up(NULL);
		fake.write_error = write_errors[i].error;
		want(REUSE, 1);
		enforce();
		event = expect(1, TW_EVENT_REFUSED);
		expect_values(event, 2, 1, 2);
		assert_non_null(strstr(event->reason, write_errors[i].words));
		assert_false(tw_ledger_owes(&fake.saved));
		enforce();
		expect_silence();
		assert_int_equal(fake.writes, 2);
		/* The condition ends, and is told of again when it comes back. */
		want_nothing();
		enforce();
		want(REUSE, 1);
		enforce();
		(void)expect(1, TW_EVENT_REFUSED);
		fake.write_error = 0;
		enforce();
		(void)expect(1, TW_EVENT_ADJUSTED);
	}
}

static void test_refused_read(void **state TW_UNUSED)
{
	want(TW_TUNABLE_TW_TIMEOUT, 30);
	fake.live[TW_TUNABLE_TW_TIMEOUT].known = false;
	enforce();
	assert_non_null(strstr(expect(1, TW_EVENT_REFUSED)->reason, "no such sysctl"));
	enforce();
	expect_silence();
	assert_int_equal(fake.writes + fake.saves, 0);
}

static void test_unsaved_is_unwritten(void **state TW_UNUSED)
{
	const struct tw_event *event;

	fake.save_error = -ENOSPC;
	want(REUSE, 1);
	enforce();
	event = expect(1, TW_EVENT_DEGRADED);
	assert_non_null(strstr(event->reason, "state directory"));
	assert_non_null(strstr(event->reason, "full"));
	assert_int_equal(event->sysctl, REUSE);
	for (int i = 0; i < 5; i++)
		enforce();
	expect_silence();
	assert_int_equal(fake.writes, 0);
	fake.save_error = 0;
	enforce();
	(void)expect(1, TW_EVENT_ADJUSTED);
}

static void test_kernel_keeps_another(void **state TW_UNUSED)
{
	want(REUSE, 1);
	fake.keeps[REUSE] = fake.live[REUSE];
	enforce();
	assert_non_null(strstr(expect(1, TW_EVENT_REFUSED)->reason, "kept 2"));
	assert_false(tw_ledger_owes(&fake.saved));
	/* It makes something else of everything: what is there is ours until it can be put back. */
	fake.keeps[REUSE].value.numbers[0] = 0;
	want_nothing();
	enforce();
	want(REUSE, 1);
	enforce();
	assert_non_null(strstr(expect(1, TW_EVENT_REFUSED)->reason, "made 0 of it"));
	assert_true(tw_ledger_owes(&fake.saved));
	fake.keeps[REUSE].known = false;
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	assert_int_equal(live(REUSE), 2);
}

static void test_baseline_cannot_be_written(void **state TW_UNUSED)
{
	const struct tw_event *event;

	adjust();
	fake.write_error = -EROFS;
	want_nothing();
	enforce();
	event = expect(1, TW_EVENT_DEGRADED);
	assert_string_equal(event->advice, "sysctl -w net.ipv4.tcp_tw_reuse=2");
	assert_string_equal(event->rule_name, "port-exhaustion");
	enforce();
	expect_silence();
	assert_int_equal(tw_reconcile_restore(&reconciler), -EROFS);
	assert_true(tw_ledger_owes(&fake.saved));
	fake.write_error = 0;
	fake.read_error = -EIO;
	assert_int_equal(tw_reconcile_restore(&reconciler), -EIO);
	fake.read_error = 0;
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	(void)expect(1, TW_EVENT_RESTORED);
	assert_int_equal(live(REUSE), 2);
}

/* The baseline was written and could not be looked at: found in place, it is our doing and nobody else's. */
static void test_restored_unseen(void **state TW_UNUSED)
{
	adjust();
	want_nothing();
	fake.fail_at = 3;
	fake.fail_for = 1;
	fake.fail_error = -EIO;
	enforce();
	(void)expect(1, TW_EVENT_DEGRADED);
	assert_true(tw_ledger_owes(&fake.saved));
	enforce();
	expect_values(expect(1, TW_EVENT_RESTORED), 1, 2, 2);
	assert_false(tw_ledger_owes(&fake.saved));
}

/* The same with a change. */
static void test_adjusted_unseen(void **state TW_UNUSED)
{
	want(REUSE, 1);
	fake.fail_at = 4;
	fake.fail_for = 1;
	fake.fail_error = -EIO;
	enforce();
	(void)expect(1, TW_EVENT_REFUSED);
	enforce();
	expect_values(expect(1, TW_EVENT_ADJUSTED), 2, 1, 2);
	assert_int_equal(fake.writes, 1);
}

/* The baseline is back, but the store still says that it is owed: then something is owed, until it says so no more. */
static void test_store_out_of_date(void **state TW_UNUSED)
{
	adjust();
	fake.save_error = -ENOSPC;
	assert_int_equal(tw_reconcile_restore(&reconciler), -ENOSPC);
	(void)expect(2, TW_EVENT_RESTORED);
	assert_int_equal(live(REUSE), 2);
	want_nothing();
	enforce();
	expect_silence();
	fake.save_error = 0;
	enforce();
	expect_silence();
	assert_false(tw_ledger_owes(&fake.saved));
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_adjusts_and_restores),
		TEST(test_idle_costs_nothing),
		TEST(test_at_rest),
		TEST(test_already_there),
		TEST(test_another_value),
		TEST(test_yields),
		TEST(test_what_the_ledger_says),
		TEST(test_yields_to_the_baseline),
		TEST(test_yields_when_cleared),
		TEST(test_refused_by_us),
		TEST(test_refused_while_ours),
		TEST(test_observes),
		TEST(test_advised),
		TEST(test_observes_from_now_on),
		TEST(test_refused_write),
		TEST(test_refused_read),
		TEST(test_unsaved_is_unwritten),
		TEST(test_kernel_keeps_another),
		TEST(test_baseline_cannot_be_written),
		TEST(test_restored_unseen),
		TEST(test_adjusted_unseen),
		TEST(test_store_out_of_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
