/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile-step.h"

/* Whether the value wanted takes away what `floor` gives and must not. */
static bool lowers(enum tw_tunable tunable, const struct tw_tunable_value *wanted, const struct tw_tunable_value *floor)
{
	return tw_tunable_info(tunable)->raise_only && wanted->numbers[0] < floor->numbers[0];
}

static enum tw_reconcile_verb step_nobody(enum tw_tunable tunable, const struct tw_live_value *live,
					  const struct tw_tunable_value *wanted, enum tw_reconcile_will will)
{
	if (will != TW_RECONCILE_WILL_ENFORCE && will != TW_RECONCILE_WILL_OBSERVE)
		return TW_RECONCILE_NOTHING;
	if (!tw_tunable_in_bounds(tunable, wanted))
		return TW_RECONCILE_REFUSE_BOUNDS;
	if (!live->known)
		return TW_RECONCILE_LOOK;
	if (tw_tunable_equal(tunable, &live->value, wanted))
		return TW_RECONCILE_NOTHING;
	if (lowers(tunable, wanted, &live->value))
		return TW_RECONCILE_REFUSE_LOWER;
	return will == TW_RECONCILE_WILL_OBSERVE ? TW_RECONCILE_ADVISE : TW_RECONCILE_WRITE;
}

/* Whether something of ours is to stay: a value that may not be written, or is the baseline, is none. */
static bool keeps(enum tw_tunable tunable, const struct tw_tunable_value *baseline,
		  const struct tw_tunable_value *wanted)
{
	return tw_tunable_in_bounds(tunable, wanted) && !lowers(tunable, wanted, baseline) &&
	       !tw_tunable_equal(tunable, wanted, baseline);
}

static enum tw_reconcile_verb step_ours(enum tw_tunable tunable, const struct tw_ledger_entry *entry,
					const struct tw_live_value *live, const struct tw_tunable_value *wanted,
					enum tw_reconcile_will will)
{
	bool pending = !tw_tunable_equal(tunable, &entry->previous, &entry->written);
	bool is_baseline = tw_tunable_equal(tunable, &live->value, &entry->baseline);

	if (!live->known)
		return TW_RECONCILE_LOOK;
	/* A write that was announced may not have happened: then the value before it is still what we left. */
	if (!tw_tunable_equal(tunable, &live->value, &entry->written) &&
	    !tw_tunable_equal(tunable, &live->value, &entry->previous))
		return will == TW_RECONCILE_WILL_RECOVER && is_baseline ? TW_RECONCILE_DROP : TW_RECONCILE_YIELD;
	if (will == TW_RECONCILE_WILL_ENFORCE && keeps(tunable, &entry->baseline, wanted)) {
		if (!tw_tunable_equal(tunable, &live->value, wanted))
			return TW_RECONCILE_WRITE;
		return pending ? TW_RECONCILE_CONFIRM : TW_RECONCILE_NOTHING;
	}
	if (!is_baseline)
		return TW_RECONCILE_RESTORE;
	return pending && tw_tunable_equal(tunable, &entry->written, &entry->baseline) ? TW_RECONCILE_RESTORED
										       : TW_RECONCILE_DROP;
}

enum tw_reconcile_verb tw_reconcile_step(enum tw_tunable tunable, const struct tw_ledger_entry *entry,
					 const struct tw_live_value *live, const struct tw_desire *desire,
					 enum tw_reconcile_will will)
{
	switch (entry->owner) {
	case TW_OWNER_NOBODY:
		return step_nobody(tunable, live, &desire->value, will);
	case TW_OWNER_OURS:
		return step_ours(tunable, entry, live, &desire->value, will);
	case TW_OWNER_YIELDED:
		return tw_reconcile_minds_theirs(will) ? TW_RECONCILE_NOTHING : TW_RECONCILE_DROP;
	}
	return TW_RECONCILE_NOTHING;
}
