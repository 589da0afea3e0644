/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile-step.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define NOT_KNOWN INT64_MIN

#define NONE TW_OWNER_NOBODY
#define OURS TW_OWNER_OURS
#define THEIRS TW_OWNER_YIELDED

#define LEAVE TW_RECONCILE_WILL_LEAVE
#define ENFORCE TW_RECONCILE_WILL_ENFORCE
#define OBSERVE TW_RECONCILE_WILL_OBSERVE
#define PAUSE TW_RECONCILE_WILL_PAUSE
#define RECOVER TW_RECONCILE_WILL_RECOVER

struct entry_row {
	enum tw_owner owner;
	int64_t baseline, previous, written;
};

struct row {
	const char *name;
	struct entry_row entry;
	int64_t live;
	enum tw_reconcile_will will;
	int64_t wanted;
	enum tw_reconcile_verb verb;
};

/* The transition table, on tcp_keepalive_intvl: 1 to 32767, free to fall. */
static const struct row rows[] = {
	/* nobody's */
	{ "idle", { NONE, 0, 0, 0 }, NOT_KNOWN, LEAVE, 0, TW_RECONCILE_NOTHING },
	{ "idle at recovery", { NONE, 0, 0, 0 }, NOT_KNOWN, RECOVER, 0, TW_RECONCILE_NOTHING },
	{ "wanted, to be seen", { NONE, 0, 0, 0 }, NOT_KNOWN, ENFORCE, 5, TW_RECONCILE_LOOK },
	{ "observed, to be seen", { NONE, 0, 0, 0 }, NOT_KNOWN, OBSERVE, 5, TW_RECONCILE_LOOK },
	{ "wanted", { NONE, 0, 0, 0 }, 75, ENFORCE, 5, TW_RECONCILE_WRITE },
	{ "wanted and there", { NONE, 0, 0, 0 }, 5, ENFORCE, 5, TW_RECONCILE_NOTHING },
	{ "too low", { NONE, 0, 0, 0 }, NOT_KNOWN, ENFORCE, 0, TW_RECONCILE_REFUSE_BOUNDS },
	{ "too high", { NONE, 0, 0, 0 }, 75, ENFORCE, 32768, TW_RECONCILE_REFUSE_BOUNDS },
	{ "too high to advise", { NONE, 0, 0, 0 }, 75, OBSERVE, 32768, TW_RECONCILE_REFUSE_BOUNDS },
	{ "advised", { NONE, 0, 0, 0 }, 75, OBSERVE, 5, TW_RECONCILE_ADVISE },
	{ "no advice needed", { NONE, 0, 0, 0 }, 5, OBSERVE, 5, TW_RECONCILE_NOTHING },
	{ "a live value out of our bounds is a baseline like any",
	  { NONE, 0, 0, 0 },
	  -1,
	  ENFORCE,
	  5,
	  TW_RECONCILE_WRITE },

	/* ours, written and seen */
	{ "ours, to be seen", { OURS, 75, 5, 5 }, NOT_KNOWN, ENFORCE, 5, TW_RECONCILE_LOOK },
	{ "ours no more, to be seen", { OURS, 75, 5, 5 }, NOT_KNOWN, LEAVE, 0, TW_RECONCILE_LOOK },
	{ "owed, to be seen", { OURS, 75, 5, 5 }, NOT_KNOWN, RECOVER, 0, TW_RECONCILE_LOOK },
	{ "in place", { OURS, 75, 5, 5 }, 5, ENFORCE, 5, TW_RECONCILE_NOTHING },
	{ "another value", { OURS, 75, 5, 5 }, 5, ENFORCE, 9, TW_RECONCILE_WRITE },
	{ "paused", { OURS, 75, 5, 5 }, 5, PAUSE, 0, TW_RECONCILE_RESTORE },
	{ "paused, not written", { OURS, 75, 75, 5 }, 75, PAUSE, 0, TW_RECONCILE_DROP },
	{ "the admin took it, then paused", { OURS, 75, 5, 5 }, 60, PAUSE, 0, TW_RECONCILE_YIELD },
	{ "somebody put it back, then paused", { OURS, 75, 5, 5 }, 75, PAUSE, 0, TW_RECONCILE_YIELD },
	{ "theirs while paused", { THEIRS, 75, 5, 5 }, 60, PAUSE, 0, TW_RECONCILE_NOTHING },
	{ "idle while paused", { NONE, 0, 0, 0 }, NOT_KNOWN, PAUSE, 0, TW_RECONCILE_NOTHING },
	{ "cleared", { OURS, 75, 5, 5 }, 5, LEAVE, 0, TW_RECONCILE_RESTORE },
	{ "recovered", { OURS, 75, 5, 5 }, 5, RECOVER, 0, TW_RECONCILE_RESTORE },
	{ "observed from now on", { OURS, 75, 5, 5 }, 5, OBSERVE, 5, TW_RECONCILE_RESTORE },
	{ "the baseline is wanted", { OURS, 75, 5, 5 }, 5, ENFORCE, 75, TW_RECONCILE_RESTORE },
	{ "out of bounds is wanted", { OURS, 75, 5, 5 }, 5, ENFORCE, 0, TW_RECONCILE_RESTORE },
	{ "the admin took it", { OURS, 75, 5, 5 }, 60, ENFORCE, 5, TW_RECONCILE_YIELD },
	{ "the admin set what is wanted next", { OURS, 75, 5, 5 }, 9, ENFORCE, 9, TW_RECONCILE_YIELD },
	{ "the admin took it, observed", { OURS, 75, 5, 5 }, 60, OBSERVE, 5, TW_RECONCILE_YIELD },
	{ "the admin took it, then cleared", { OURS, 75, 5, 5 }, 60, LEAVE, 0, TW_RECONCILE_YIELD },
	{ "the admin took it, recovered", { OURS, 75, 5, 5 }, 60, RECOVER, 0, TW_RECONCILE_YIELD },
	{ "somebody put it back", { OURS, 75, 5, 5 }, 75, ENFORCE, 5, TW_RECONCILE_YIELD },
	{ "somebody put it back, then cleared", { OURS, 75, 5, 5 }, 75, LEAVE, 0, TW_RECONCILE_YIELD },
	{ "it is back at recovery", { OURS, 75, 5, 5 }, 75, RECOVER, 0, TW_RECONCILE_DROP },

	/* ours, the first write announced and not seen */
	{ "not written, wanted", { OURS, 75, 75, 5 }, 75, ENFORCE, 5, TW_RECONCILE_WRITE },
	{ "not written, wanted otherwise", { OURS, 75, 75, 5 }, 75, ENFORCE, 9, TW_RECONCILE_WRITE },
	{ "not written, cleared", { OURS, 75, 75, 5 }, 75, LEAVE, 0, TW_RECONCILE_DROP },
	{ "not written, recovered", { OURS, 75, 75, 5 }, 75, RECOVER, 0, TW_RECONCILE_DROP },
	{ "written after all", { OURS, 75, 75, 5 }, 5, ENFORCE, 5, TW_RECONCILE_CONFIRM },
	{ "written after all, cleared", { OURS, 75, 75, 5 }, 5, LEAVE, 0, TW_RECONCILE_RESTORE },
	{ "written after all, recovered", { OURS, 75, 75, 5 }, 5, RECOVER, 0, TW_RECONCILE_RESTORE },
	{ "written or not, the admin's", { OURS, 75, 75, 5 }, 60, ENFORCE, 5, TW_RECONCILE_YIELD },

	/* ours, a later write announced and not seen */
	{ "not changed, wanted", { OURS, 75, 5, 9 }, 5, ENFORCE, 9, TW_RECONCILE_WRITE },
	{ "not changed, the one before wanted", { OURS, 75, 5, 9 }, 5, ENFORCE, 5, TW_RECONCILE_CONFIRM },
	{ "not changed, cleared", { OURS, 75, 5, 9 }, 5, LEAVE, 0, TW_RECONCILE_RESTORE },
	{ "not changed, recovered", { OURS, 75, 5, 9 }, 5, RECOVER, 0, TW_RECONCILE_RESTORE },
	{ "changed, recovered", { OURS, 75, 5, 9 }, 9, RECOVER, 0, TW_RECONCILE_RESTORE },
	{ "changed or not, put back", { OURS, 75, 5, 9 }, 75, ENFORCE, 9, TW_RECONCILE_YIELD },
	{ "changed or not, back at recovery", { OURS, 75, 5, 9 }, 75, RECOVER, 0, TW_RECONCILE_DROP },

	/* ours, the baseline written and not seen */
	{ "back", { OURS, 75, 5, 75 }, 75, LEAVE, 0, TW_RECONCILE_RESTORED },
	{ "back, recovered", { OURS, 75, 5, 75 }, 75, RECOVER, 0, TW_RECONCILE_RESTORED },
	{ "back, wanted anew", { OURS, 75, 5, 75 }, 75, ENFORCE, 5, TW_RECONCILE_WRITE },
	{ "not back", { OURS, 75, 5, 75 }, 5, LEAVE, 0, TW_RECONCILE_RESTORE },
	{ "not back, wanted anew", { OURS, 75, 5, 75 }, 5, ENFORCE, 5, TW_RECONCILE_CONFIRM },
	{ "back or not, the admin's", { OURS, 75, 5, 75 }, 60, LEAVE, 0, TW_RECONCILE_YIELD },

	/* theirs */
	{ "yielded", { THEIRS, 75, 5, 5 }, NOT_KNOWN, ENFORCE, 5, TW_RECONCILE_NOTHING },
	{ "yielded, wanted otherwise", { THEIRS, 75, 5, 5 }, 75, ENFORCE, 9, TW_RECONCILE_NOTHING },
	{ "yielded, our value is back", { THEIRS, 75, 5, 5 }, 5, ENFORCE, 5, TW_RECONCILE_NOTHING },
	{ "yielded, observed", { THEIRS, 75, 5, 5 }, 60, OBSERVE, 5, TW_RECONCILE_NOTHING },
	{ "yielded, cleared", { THEIRS, 75, 5, 5 }, NOT_KNOWN, LEAVE, 0, TW_RECONCILE_DROP },
	{ "yielded, recovered", { THEIRS, 75, 5, 5 }, 5, RECOVER, 0, TW_RECONCILE_DROP },
};

static struct tw_tunable_value number(int64_t value)
{
	return (struct tw_tunable_value){ .numbers = { value, 0 } };
}

static struct tw_ledger_entry entry_of(const struct entry_row *row)
{
	return (struct tw_ledger_entry){
		.owner = row->owner,
		.baseline = number(row->baseline),
		.written = number(row->written),
		.previous = number(row->previous),
	};
}

static struct tw_live_value live_of(int64_t value)
{
	return (struct tw_live_value){ .value = number(value == NOT_KNOWN ? 0 : value), .known = value != NOT_KNOWN };
}

static void test_table(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct tw_ledger_entry entry = entry_of(&row->entry);
		struct tw_live_value live = live_of(row->live);
		struct tw_desire desire = { .value = number(row->wanted) };
		enum tw_reconcile_verb verb =
			tw_reconcile_step(TW_TUNABLE_KEEPALIVE_INTVL, &entry, &live, &desire, row->will);

		if (verb != row->verb)
			fail_msg("%s: verb %d (expected %d)", row->name, (int)verb, (int)row->verb);
	}
}

struct lower_row {
	enum tw_tunable tunable;
	struct tw_tunable_value there, wanted;
	enum tw_reconcile_verb verb;	  /* where `there` is live and nobody's */
	enum tw_reconcile_verb ours_verb; /* where `there` is the baseline of what is ours */
};

/* The value of ours that the wanted one would take the place of. */
static const struct lower_row lower_rows[] = {
	{ TW_TUNABLE_MAX_TW_BUCKETS,
	  { { 4096, 0 } },
	  { { 4095, 0 } },
	  TW_RECONCILE_REFUSE_LOWER,
	  TW_RECONCILE_RESTORE },
	{ TW_TUNABLE_MAX_TW_BUCKETS, { { 4096, 0 } }, { { 4096, 0 } }, TW_RECONCILE_NOTHING, TW_RECONCILE_RESTORE },
	{ TW_TUNABLE_MAX_TW_BUCKETS, { { 4096, 0 } }, { { 4097, 0 } }, TW_RECONCILE_WRITE, TW_RECONCILE_WRITE },
	{ TW_TUNABLE_MAX_TW_BUCKETS,
	  { { 4096, 0 } },
	  { { 16777217, 0 } },
	  TW_RECONCILE_REFUSE_BOUNDS,
	  TW_RECONCILE_RESTORE },
	{ TW_TUNABLE_FIN_TIMEOUT, { { 60, 0 } }, { { 20, 0 } }, TW_RECONCILE_WRITE, TW_RECONCILE_WRITE },
	{ TW_TUNABLE_FIN_TIMEOUT, { { 60, 0 } }, { { 0, 0 } }, TW_RECONCILE_REFUSE_BOUNDS, TW_RECONCILE_RESTORE },
};

static void test_never_lowers(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(lower_rows); i++) {
		const struct lower_row *row = &lower_rows[i];
		struct tw_ledger_entry nobody = { 0 };
		struct tw_live_value live = { .value = row->there, .known = true };
		struct tw_desire desire = { .value = row->wanted };
		struct tw_tunable_value ours_value = { .numbers = { 10000, 65000 } };
		struct tw_ledger_entry ours = {
			.owner = TW_OWNER_OURS, .baseline = row->there, .previous = ours_value, .written = ours_value
		};

		if (tw_reconcile_step(row->tunable, &nobody, &live, &desire, ENFORCE) != row->verb)
			fail_msg("row %zu, nobody's", i);
		live.value = ours_value;
		if (tw_reconcile_step(row->tunable, &ours, &live, &desire, ENFORCE) != row->ours_verb)
			fail_msg("row %zu, ours", i);
	}
}

/* A range is not changed any more, but what an older ledger owes is put back, by both its ends. */
static void test_range_goes_back(void **state TW_UNUSED)
{
	struct tw_tunable_value ours_value = { .numbers = { 1024, 65535 } };
	struct tw_ledger_entry ours = { .owner = TW_OWNER_OURS,
					.baseline = { .numbers = { 32768, 60999 } },
					.previous = ours_value,
					.written = ours_value };
	struct tw_live_value live = { .value = { .numbers = { 1024, 65534 } }, .known = true };
	struct tw_desire desire = { 0 };

	assert_int_equal(tw_reconcile_step(TW_TUNABLE_PORT_RANGE, &ours, &live, &desire, LEAVE), TW_RECONCILE_YIELD);
	live.value.numbers[1] = 65535;
	assert_int_equal(tw_reconcile_step(TW_TUNABLE_PORT_RANGE, &ours, &live, &desire, LEAVE), TW_RECONCILE_RESTORE);
	live.value = ours.baseline;
	ours.written = ours.baseline;
	assert_int_equal(tw_reconcile_step(TW_TUNABLE_PORT_RANGE, &ours, &live, &desire, LEAVE), TW_RECONCILE_RESTORED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_never_lowers),
		cmocka_unit_test(test_range_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
