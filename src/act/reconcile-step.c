/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile-step.h"

#include "base/text.h"

static bool wants(const struct tw_reconcile_desired *desired)
{
	return desired->will == TW_RECONCILE_WILL_ENFORCE || desired->will == TW_RECONCILE_WILL_OBSERVE;
}

/* Whether the value wanted takes away what `floor` gives and must not. */
static bool lowers(enum tw_tunable tunable, const struct tw_reconcile_desired *desired,
		   const struct tw_tunable_value *floor)
{
	return tw_tunable_info(tunable)->raise_only && desired->value.numbers[0] < floor->numbers[0];
}

static enum tw_reconcile_verb step_nobody(enum tw_tunable tunable, const struct tw_live_value *live,
					  const struct tw_reconcile_desired *desired)
{
	if (!wants(desired))
		return TW_RECONCILE_NOTHING;
	if (!tw_tunable_in_bounds(tunable, &desired->value))
		return TW_RECONCILE_REFUSE_BOUNDS;
	if (!live->known)
		return TW_RECONCILE_LOOK;
	if (tw_tunable_equal(tunable, &live->value, &desired->value))
		return TW_RECONCILE_NOTHING;
	if (lowers(tunable, desired, &live->value))
		return TW_RECONCILE_REFUSE_LOWER;
	return desired->will == TW_RECONCILE_WILL_OBSERVE ? TW_RECONCILE_ADVISE : TW_RECONCILE_WRITE;
}

/* Whether something of ours is to stay: a value that may not be written, or is the baseline, is none. */
static bool keeps(enum tw_tunable tunable, const struct tw_tunable_value *baseline,
		  const struct tw_reconcile_desired *desired)
{
	return desired->will == TW_RECONCILE_WILL_ENFORCE && tw_tunable_in_bounds(tunable, &desired->value) &&
	       !lowers(tunable, desired, baseline) && !tw_tunable_equal(tunable, &desired->value, baseline);
}

static enum tw_reconcile_verb step_ours(enum tw_tunable tunable, const struct tw_ledger_entry *entry,
					const struct tw_live_value *live, const struct tw_reconcile_desired *desired)
{
	bool pending = !tw_tunable_equal(tunable, &entry->previous, &entry->written);
	bool is_baseline = tw_tunable_equal(tunable, &live->value, &entry->baseline);

	if (!live->known)
		return TW_RECONCILE_LOOK;
	/* A write that was announced may not have happened: then the value before it is still what we left. */
	if (!tw_tunable_equal(tunable, &live->value, &entry->written) &&
	    !tw_tunable_equal(tunable, &live->value, &entry->previous))
		return desired->will == TW_RECONCILE_WILL_RECOVER && is_baseline ? TW_RECONCILE_DROP
										 : TW_RECONCILE_YIELD;
	if (keeps(tunable, &entry->baseline, desired)) {
		if (!tw_tunable_equal(tunable, &live->value, &desired->value))
			return TW_RECONCILE_WRITE;
		return pending ? TW_RECONCILE_CONFIRM : TW_RECONCILE_NOTHING;
	}
	if (!is_baseline)
		return TW_RECONCILE_RESTORE;
	return pending && tw_tunable_equal(tunable, &entry->written, &entry->baseline) ? TW_RECONCILE_RESTORED
										       : TW_RECONCILE_DROP;
}

struct tw_reconcile_step tw_reconcile_step(enum tw_tunable tunable, const struct tw_ledger_entry *entry,
					   const struct tw_live_value *live, const struct tw_reconcile_desired *desired)
{
	static const struct tw_ledger_entry none;
	/* Whether what somebody else took over is to be remembered as theirs. */
	bool theirs_matters = wants(desired) || desired->will == TW_RECONCILE_WILL_PAUSE;
	struct tw_reconcile_step step = { .entry = *entry };

	switch (entry->owner) {
	case TW_OWNER_NOBODY:
		step.verb = step_nobody(tunable, live, desired);
		break;
	case TW_OWNER_OURS:
		step.verb = step_ours(tunable, entry, live, desired);
		break;
	case TW_OWNER_YIELDED:
		step.verb = theirs_matters ? TW_RECONCILE_NOTHING : TW_RECONCILE_DROP;
		break;
	}

	switch (step.verb) {
	case TW_RECONCILE_NOTHING:
	case TW_RECONCILE_LOOK:
	case TW_RECONCILE_ADVISE:
	case TW_RECONCILE_REFUSE_BOUNDS:
	case TW_RECONCILE_REFUSE_LOWER:
		break;
	case TW_RECONCILE_WRITE:
		if (entry->owner == TW_OWNER_NOBODY)
			step.entry.baseline = live->value;
		step.entry.owner = TW_OWNER_OURS;
		step.entry.written = desired->value;
		step.entry.previous = live->value;
		(void)tw_text_copy(step.entry.rule, sizeof(step.entry.rule), desired->rule ? desired->rule : "");
		break;
	case TW_RECONCILE_CONFIRM:
		step.entry.written = step.entry.previous = live->value;
		break;
	case TW_RECONCILE_RESTORE:
		step.entry.written = entry->baseline;
		step.entry.previous = live->value;
		break;
	case TW_RECONCILE_YIELD:
		if (theirs_matters)
			step.entry.owner = TW_OWNER_YIELDED;
		else
			step.entry = none;
		break;
	case TW_RECONCILE_RESTORED:
	case TW_RECONCILE_DROP:
		step.entry = none;
		break;
	}
	return step;
}
