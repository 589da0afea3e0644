/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile-fixture.h"

/* What each step of one change can meet, and the record that stands for it. */

#define RECYCLE TW_TUNABLE_TW_RECYCLE
#define BASELINE 2
#define WANTED 1
#define THEIRS 0

/* One call of one kind, which fails with an error while the fault stands. */
enum step {
	STEP_LOOK,
	STEP_SAVE,
	STEP_WRITE,
	STEP_LATE_WRITE, /* it took place all the same: a short write of a value that the kernel reads by its digits */
	STEP_LOOK_BACK,
};

static const struct {
	const char *name;
	enum tw_tunable tunable;
	enum step step;
	int error;
	enum tw_event_kind kind;
	enum tw_severity severity;
	const char *words;
} faults[] = {
	{ "no such sysctl", REUSE, STEP_LOOK, -ENOENT, TW_EVENT_REFUSED, TW_SEVERITY_WARNING, "no such sysctl here" },
	{ "removed from the kernel", RECYCLE, STEP_LOOK, -ENOENT, TW_EVENT_REFUSED, TW_SEVERITY_WARNING,
	  "Linux 4.12 removed it, because it dropped connections of clients behind NAT" },
	{ "a vendor's", TW_TUNABLE_TW_TIMEOUT, STEP_LOOK, -ENOENT, TW_EVENT_REFUSED, TW_SEVERITY_WARNING,
	  "only some vendors' kernels" },
	{ "not there yet", TW_TUNABLE_TW_REUSE_DELAY, STEP_LOOK, -ENOENT, TW_EVENT_REFUSED, TW_SEVERITY_WARNING,
	  "Linux 6.12 and older have none" },
	{ "unreadable", REUSE, STEP_LOOK, -EACCES, TW_EVENT_REFUSED, TW_SEVERITY_WARNING, "cannot read it" },
	{ "no value", REUSE, STEP_LOOK, -EBADMSG, TW_EVENT_REFUSED, TW_SEVERITY_WARNING, "cannot read it" },
	{ "state directory full", REUSE, STEP_SAVE, -ENOSPC, TW_EVENT_DEGRADED, TW_SEVERITY_ERROR, "is full" },
	{ "over quota", REUSE, STEP_SAVE, -EDQUOT, TW_EVENT_DEGRADED, TW_SEVERITY_ERROR, "is full" },
	{ "state directory read-only", REUSE, STEP_SAVE, -EROFS, TW_EVENT_DEGRADED, TW_SEVERITY_ERROR,
	  "RuntimeDirectory=" },
	{ "state directory gone", REUSE, STEP_SAVE, -ENOENT, TW_EVENT_DEGRADED, TW_SEVERITY_ERROR,
	  "RuntimeDirectory=" },
	{ "gone meanwhile", REUSE, STEP_WRITE, -ENOENT, TW_EVENT_REFUSED, TW_SEVERITY_WARNING, "no such sysctl" },
	{ "/proc/sys read-only", REUSE, STEP_WRITE, -EROFS, TW_EVENT_REFUSED, TW_SEVERITY_WARNING,
	  "ProtectKernelTunables=no" },
	{ "not allowed", REUSE, STEP_WRITE, -EACCES, TW_EVENT_REFUSED, TW_SEVERITY_WARNING, "CAP_NET_ADMIN" },
	{ "not permitted", REUSE, STEP_WRITE, -EPERM, TW_EVENT_REFUSED, TW_SEVERITY_WARNING, "CAP_NET_ADMIN" },
	{ "not taken", REUSE, STEP_WRITE, -EINVAL, TW_EVENT_REFUSED, TW_SEVERITY_WARNING, "takes no such value" },
	{ "short write", REUSE, STEP_WRITE, -EIO, TW_EVENT_REFUSED, TW_SEVERITY_WARNING, "Input/output error" },
	{ "short write that took place", REUSE, STEP_LATE_WRITE, -EIO, TW_EVENT_ADJUSTED, TW_SEVERITY_NOTICE, "" },
	{ "unreadable after the write", REUSE, STEP_LOOK_BACK, -EIO, TW_EVENT_REFUSED, TW_SEVERITY_WARNING,
	  "cannot read it" },
};

/* The calls of a change: look, save, write, look. */
static void fail_once(enum step step, int error)
{
	static const unsigned calls[] = { 1, 2, 3, 3, 4 };

	fake.fail_at = calls[step];
	fake.fail_for = 1;
	fake.fail_error = error;
	fake.fail_late = step == STEP_LATE_WRITE;
}

static void test_faults(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(faults); i++) {
		enum tw_tunable tunable = faults[i].tunable;
		bool took_place = faults[i].step >= STEP_LATE_WRITE;
		const struct tw_event *event;

		(void)set_up(NULL);
		tw_fake_act_set(&fake, tunable, BASELINE);
		want(tunable, WANTED);
		fail_once(faults[i].step, faults[i].error);
		enforce();
		event = expect(1, faults[i].kind);
		if (event->severity != faults[i].severity || !strstr(event->reason, faults[i].words))
			fail_msg("%s: %s", faults[i].name, event->reason);
		assert_int_equal(event->sysctl, tunable);
		assert_ptr_equal(event->rule, &rule);
		assert_int_equal(live(tunable), took_place ? WANTED : BASELINE);
		assert_int_equal(tw_ledger_owes(&fake.saved), took_place);
		/* It is over: the change is made, and put back. */
		enforce();
		assert_int_equal(live(tunable), WANTED);
		assert_int_equal(tw_reconcile_restore(&reconciler), 0);
		assert_int_equal(live(tunable), BASELINE);
		assert_false(tw_ledger_owes(&fake.saved));
		assert_int_equal(fake.rash_writes, 0);
	}
}

static unsigned calls_until_admin;

static void admin_in_between(struct tw_fake_act *act)
{
	if (calls_until_admin > 0 && --calls_until_admin == 0)
		tw_fake_act_set(act, REUSE, THEIRS);
}

/* Somebody writes right before the nth call of a change: look, save, write, look, and the look of the next turn. */
static const struct {
	unsigned call;
	int64_t at_last; /* what is there once all is over: theirs, unless it was overwritten unseen */
} changes[] = { { 1, THEIRS }, { 2, BASELINE }, { 3, BASELINE }, { 4, BASELINE }, { 5, THEIRS } };

static void test_changed_in_between(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(changes); i++) {
		(void)set_up(NULL);
		calls_until_admin = changes[i].call;
		fake.interfere = admin_in_between;
		want(REUSE, WANTED);
		enforce();
		enforce();
		assert_int_equal(tw_reconcile_restore(&reconciler), 0);
		if (live(REUSE) != changes[i].at_last)
			fail_msg("before call %u: %lld", changes[i].call, (long long)live(REUSE));
		assert_false(tw_ledger_owes(&fake.saved));
		assert_int_equal(fake.rash_writes, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_faults),
		TEST(test_changed_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
