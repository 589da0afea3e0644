/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* Each call of the script fails, or is the last one before a crash, in turn; it has fewer than this. */
#define SCRIPT_CALLS_MAX 64

#define BASELINE 61
#define THEIRS 77
#define FIN TW_TUNABLE_FIN_TIMEOUT

static void begin(void)
{
	(void)set_up(NULL);
	tw_fake_act_set(&fake, FIN, BASELINE);
}

/* Raised, wanted otherwise, observed, enforced again, cleared. Returns the calls that it took. */
static unsigned run_script(void)
{
	static const int64_t wanted[] = { 20, 20, 30, 30 };
	unsigned before = fake.reads + fake.writes + fake.saves;

	for (size_t i = 0; i < TW_ARRAY_SIZE(wanted); i++) {
		want(FIN, wanted[i]);
		enforce();
	}
	observe();
	enforce();
	want_nothing();
	enforce();
	enforce();
	return fake.reads + fake.writes + fake.saves - before;
}

/* A process that starts after the crash; whatever stood in the way is gone. Twice, and the second changes nothing. */
static void recover(void)
{
	unsigned writes, saves;

	fake.fail_at = 0;
	tw_fake_act_start(&fake, &reconciler);
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	assert_false(tw_ledger_owes(&fake.saved));
	writes = fake.writes;
	saves = fake.saves;
	tw_fake_act_forget_events(&fake);
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	assert_int_equal(fake.writes, writes);
	assert_int_equal(fake.saves, saves);
	expect_silence();
	assert_int_equal(fake.rash_writes, 0);
}

/* `late`: the call on which the process dies has done its work; `admin`: somebody writes before the recovery. */
static void crash_at(unsigned call, bool late, bool admin)
{
	begin();
	fake.fail_at = call;
	fake.fail_for = UINT32_MAX;
	fake.fail_late = late;
	fake.fail_error = -EIO;
	(void)run_script();
	if (admin)
		tw_fake_act_set(&fake, FIN, THEIRS);
	recover();
	if (live(FIN) != (admin ? THEIRS : BASELINE))
		fail_msg("call %u, late %d, admin %d: %lld", call, late, admin, (long long)live(FIN));
}

static void test_dies_at_each_call(void **state TW_UNUSED)
{
	unsigned calls;

	begin();
	calls = run_script();
	assert_in_range(calls, 20, SCRIPT_CALLS_MAX);
	assert_int_equal(live(FIN), BASELINE);
	for (unsigned call = 1; call <= calls; call++)
		for (unsigned variant = 0; variant < 4; variant++)
			crash_at(call, variant & 1, variant & 2);
}

/* One call fails; the daemon goes on, and stops in order. */
static void test_one_failure_at_each_call(void **state TW_UNUSED)
{
	for (unsigned call = 1; call <= SCRIPT_CALLS_MAX; call++) {
		for (unsigned late = 0; late < 2; late++) {
			begin();
			fake.fail_at = call;
			fake.fail_for = 1;
			fake.fail_late = late;
			fake.fail_error = -EINVAL;
			(void)run_script();
			fake.fail_at = 0;
			if (tw_reconcile_restore(&reconciler) != 0 || live(FIN) != BASELINE ||
			    tw_ledger_owes(&fake.saved))
				fail_msg("call %u, late %u: %lld", call, late, (long long)live(FIN));
			assert_int_equal(fake.rash_writes, 0);
		}
	}
}

/* The kernel made something of its own of our write, and the process died before it could put that right. */
static void test_dies_with_another_value(void **state TW_UNUSED)
{
	begin();
	fake.keeps[FIN] = (struct tw_live_value){ .value = { { 25, 0 } }, .known = true };
	/* Look, save, write, look, save; the write of the baseline is the sixth call. */
	fake.fail_at = 6;
	fake.fail_for = UINT32_MAX;
	fake.fail_error = -EIO;
	want(FIN, 20);
	enforce();
	assert_int_equal(live(FIN), 25);
	fake.keeps[FIN].known = false;
	recover();
	assert_int_equal(live(FIN), BASELINE);
}

static unsigned calls_until_admin;

static void admin_in_between(struct tw_fake_act *act)
{
	if (calls_until_admin > 0 && --calls_until_admin == 0)
		tw_fake_act_set(act, FIN, THEIRS);
}

/* Between two calls nothing tells an admin's write from the moment before; what is never left behind is our value. */
static void test_admin_at_each_call(void **state TW_UNUSED)
{
	unsigned theirs = 0;

	for (unsigned call = 1; call <= SCRIPT_CALLS_MAX; call++) {
		begin();
		calls_until_admin = call;
		fake.interfere = admin_in_between;
		(void)run_script();
		assert_int_equal(tw_reconcile_restore(&reconciler), 0);
		if (live(FIN) != BASELINE && live(FIN) != THEIRS)
			fail_msg("call %u: %lld is left", call, (long long)live(FIN));
		theirs += live(FIN) == THEIRS;
		assert_false(tw_ledger_owes(&fake.saved));
		assert_int_equal(fake.rash_writes, 0);
	}
	assert_true(theirs > 10);
}

/* Between our baseline and our look at it. */
static void test_admin_at_the_last_moment(void **state TW_UNUSED)
{
	begin();
	want(FIN, 20);
	enforce();
	tw_fake_act_forget_events(&fake);
	calls_until_admin = 3;
	fake.interfere = admin_in_between;
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	expect_values(expect(1, TW_EVENT_YIELDED), THEIRS, 20, BASELINE);
	assert_int_equal(live(FIN), THEIRS);
	assert_false(tw_ledger_owes(&fake.saved));
}

/* ---- the random walk */

/* What timewaitd wants is even, what anybody else writes is odd. Of the last, the range, it only puts back. */
static const enum tw_tunable walked[] = { TW_TUNABLE_FIN_TIMEOUT, TW_TUNABLE_KEEPALIVE_TIME, TW_TUNABLE_MAX_TW_BUCKETS,
					  TW_TUNABLE_PORT_RANGE };
#define WANTED_COUNT (TW_ARRAY_SIZE(walked) - 1)

static uint64_t seed;
static struct tw_tunable_value foreign[TW_TUNABLE_COUNT]; /* the last value that was not ours */
static bool between_calls;				  /* the admin acts between two calls too */

/* splitmix64 (Steele, Lea, Flood): the same walk for the same seed everywhere. */
static uint64_t draw(uint64_t below)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % below;
}

/* Few values, so that they meet again. */
static struct tw_tunable_value draw_value(enum tw_tunable tunable, unsigned odd)
{
	int64_t number = 2000 + 2 * (int64_t)draw(6) + odd;

	if (tunable == TW_TUNABLE_PORT_RANGE)
		return (struct tw_tunable_value){ { number, 60000 + 2 * (int64_t)draw(3) + !odd } };
	return (struct tw_tunable_value){ { number, 0 } };
}

static void admin_writes(void)
{
	enum tw_tunable tunable = walked[draw(TW_ARRAY_SIZE(walked))];

	/* Now and then what was there before: `systemctl restart systemd-sysctl`. */
	if (draw(3) > 0)
		foreign[tunable] = draw_value(tunable, 1);
	fake.live[tunable].value = foreign[tunable];
}

static void admin_at_random(struct tw_fake_act *act TW_UNUSED)
{
	if (between_calls && draw(8) == 0)
		admin_writes();
}

static void change_desire(void)
{
	enum tw_tunable tunable = walked[draw(WANTED_COUNT)];

	desires.rows[tunable] = (struct tw_desire){ 0 };
	if (draw(3) > 0) {
		want(tunable, 0);
		desires.rows[tunable].value = draw_value(tunable, 0);
	}
}

static void draw_fault(void)
{
	static const int errors[] = { -EIO, -ENOSPC, -EROFS, -EINVAL, -ENOENT, -EACCES };

	fake.fail_at = (unsigned)draw(8);
	fake.fail_for = draw(3) ? 1 + (unsigned)draw(4) : UINT32_MAX;
	fake.fail_error = errors[draw(TW_ARRAY_SIZE(errors))];
	fake.fail_late = draw(2);
}

/* What is ours in the world can be undone by whoever starts next. */
static void require_undoable(void)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(walked); i++) {
		const struct tw_tunable_value *value = &fake.live[walked[i]].value;
		const struct tw_ledger_entry *saved = &fake.saved.entries[walked[i]];

		if (value->numbers[0] % 2 == 0 &&
		    (saved->owner != TW_OWNER_OURS || (!tw_tunable_equal(walked[i], value, &saved->written) &&
						       !tw_tunable_equal(walked[i], value, &saved->previous))))
			fail_msg("%s: %lld is ours, and the ledger does not know it", tw_tunable_info(walked[i])->key,
				 (long long)value->numbers[0]);
	}
	assert_int_equal(fake.rash_writes, 0);
}

static void require_given_back(void)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(walked); i++) {
		const struct tw_tunable_value *value = &fake.live[walked[i]].value;

		if (value->numbers[0] % 2 == 0)
			fail_msg("%s: ours is left: %lld", tw_tunable_info(walked[i])->key,
				 (long long)value->numbers[0]);
		if (!between_calls && !tw_tunable_equal(walked[i], value, &foreign[walked[i]]))
			fail_msg("%s: %lld is left, somebody else had set %lld", tw_tunable_info(walked[i])->key,
				 (long long)value->numbers[0], (long long)foreign[walked[i]].numbers[0]);
		foreign[walked[i]] = *value;
	}
}

static void stop_and_start(void)
{
	/* Half of the times without a word: a crash. */
	if (draw(2))
		(void)tw_reconcile_restore(&reconciler);
	if (draw(2))
		admin_writes();
	tw_fake_act_start(&fake, &reconciler);
	(void)tw_reconcile_restore(&reconciler);
	require_undoable();
	fake.fail_at = 0;
	fake.interfere = NULL;
	assert_int_equal(tw_reconcile_restore(&reconciler), 0);
	assert_false(tw_ledger_owes(&fake.saved));
	require_given_back();
	fake.interfere = admin_at_random;
}

static void step_at_random(void)
{
	switch (draw(16)) {
	case 0:
	case 1:
	case 2:
		change_desire();
		break;
	case 3:
		admin_writes();
		break;
	case 4:
		draw_fault();
		break;
	case 5:
		fake.fail_at = 0;
		break;
	case 6:
		if (draw(4) == 0)
			stop_and_start();
		break;
	case 7:
		observe();
		break;
	default:
		enforce();
	}
	require_undoable();
}

/* As an older timewaitd left it: a range that it widened. */
static void owe_range(void)
{
	struct tw_ledger_entry *entry = &fake.saved.entries[TW_TUNABLE_PORT_RANGE];

	*entry = (struct tw_ledger_entry){ .owner = TW_OWNER_OURS, .baseline = foreign[TW_TUNABLE_PORT_RANGE] };
	entry->written = entry->previous = draw_value(TW_TUNABLE_PORT_RANGE, 0);
	fake.live[TW_TUNABLE_PORT_RANGE].value = entry->written;
	tw_fake_act_start(&fake, &reconciler);
}

static void walk(unsigned steps)
{
	begin();
	for (size_t i = 0; i < TW_ARRAY_SIZE(walked); i++) {
		foreign[walked[i]] = draw_value(walked[i], 1);
		fake.live[walked[i]].value = foreign[walked[i]];
	}
	if (draw(2))
		owe_range();
	fake.interfere = admin_at_random;
	while (steps-- > 0)
		step_at_random();
	stop_and_start();
}

static void test_walks(void **state TW_UNUSED)
{
	const char *given = getenv("TW_SEED");
	uint64_t first;

	if (given)
		first = strtoull(given, NULL, 0);
	else
		assert_int_equal(getrandom(&first, sizeof(first), 0), sizeof(first));
	print_message("# TW_SEED=%llu\n", (unsigned long long)first);
	seed = first;
	for (unsigned i = 0; i < 400; i++) {
		between_calls = i % 2;
		walk(250);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dies_at_each_call),	 cmocka_unit_test(test_one_failure_at_each_call),
		cmocka_unit_test(test_dies_with_another_value),	 cmocka_unit_test(test_admin_at_each_call),
		cmocka_unit_test(test_admin_at_the_last_moment), cmocka_unit_test(test_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
