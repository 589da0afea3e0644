/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile-step.h"

#include "base/text.h"

/* The arguments of a step, to be handed on. */
struct step_case {
	enum tw_tunable tunable;
	const struct tw_ledger_entry *entry;
	const struct tw_live_value *live;
	const struct tw_reconcile_desired *desired;
};

enum tw_reconcile_will tw_reconcile_will_of(const struct tw_desire *desire, enum tw_mode mode)
{
	if (!desire->wanted)
		return TW_RECONCILE_WILL_LEAVE;
	return mode == TW_MODE_OBSERVE || desire->advised ? TW_RECONCILE_WILL_OBSERVE : TW_RECONCILE_WILL_ENFORCE;
}

static bool wants(const struct tw_reconcile_desired *desired)
{
	return desired->will == TW_RECONCILE_WILL_ENFORCE || desired->will == TW_RECONCILE_WILL_OBSERVE;
}

/* Whether what somebody else took over is to be remembered as theirs. */
static bool still_matters(const struct tw_reconcile_desired *desired)
{
	return wants(desired) || desired->will == TW_RECONCILE_WILL_PAUSE;
}

static bool equal(const struct step_case *it, const struct tw_tunable_value *a, const struct tw_tunable_value *b)
{
	return tw_tunable_equal(it->tunable, a, b);
}

/* Whether the value wanted takes away what `floor` gives and must not. */
static bool lowers(const struct step_case *it, const struct tw_tunable_value *floor)
{
	return tw_tunable_info(it->tunable)->raise_only && it->desired->value.numbers[0] < floor->numbers[0];
}

static struct tw_reconcile_step plain(const struct step_case *it, enum tw_reconcile_verb verb)
{
	return (struct tw_reconcile_step){ .verb = verb, .entry = *it->entry };
}

static struct tw_reconcile_step drop(enum tw_reconcile_verb verb)
{
	return (struct tw_reconcile_step){ .verb = verb };
}

static struct tw_reconcile_step write_over(const struct step_case *it, const struct tw_tunable_value *baseline)
{
	struct tw_reconcile_step step = {
		.verb = TW_RECONCILE_WRITE,
		.entry = {
			.owner = TW_OWNER_OURS,
			.baseline = *baseline,
			.written = it->desired->value,
			.previous = it->live->value,
		},
	};

	(void)tw_text_copy(step.entry.rule, sizeof(step.entry.rule), it->desired->rule ? it->desired->rule : "");
	return step;
}

static struct tw_reconcile_step step_nobody(const struct step_case *it)
{
	if (!wants(it->desired))
		return plain(it, TW_RECONCILE_NOTHING);
	if (!tw_tunable_in_bounds(it->tunable, &it->desired->value))
		return plain(it, TW_RECONCILE_REFUSE_BOUNDS);
	if (!it->live->known)
		return plain(it, TW_RECONCILE_LOOK);
	if (equal(it, &it->live->value, &it->desired->value))
		return plain(it, TW_RECONCILE_NOTHING);
	if (lowers(it, &it->live->value))
		return plain(it, TW_RECONCILE_REFUSE_LOWER);
	if (it->desired->will == TW_RECONCILE_WILL_OBSERVE)
		return plain(it, TW_RECONCILE_ADVISE);
	return write_over(it, &it->live->value);
}

static struct tw_reconcile_step step_yielded(const struct step_case *it)
{
	return still_matters(it->desired) ? plain(it, TW_RECONCILE_NOTHING) : drop(TW_RECONCILE_DROP);
}

/* Whether something of ours is to stay: a value that may not be written, or is the baseline, is none. */
static bool keeps(const struct step_case *it)
{
	return it->desired->will == TW_RECONCILE_WILL_ENFORCE &&
	       tw_tunable_in_bounds(it->tunable, &it->desired->value) && !lowers(it, &it->entry->baseline) &&
	       !equal(it, &it->desired->value, &it->entry->baseline);
}

/* The live value is neither of our last two. */
static struct tw_reconcile_step step_foreign(const struct step_case *it)
{
	struct tw_reconcile_step step = plain(it, TW_RECONCILE_YIELD);

	if (it->desired->will == TW_RECONCILE_WILL_RECOVER && equal(it, &it->live->value, &it->entry->baseline))
		return drop(TW_RECONCILE_DROP);
	if (!still_matters(it->desired))
		return drop(TW_RECONCILE_YIELD);
	step.entry.owner = TW_OWNER_YIELDED;
	return step;
}

static struct tw_reconcile_step step_keep(const struct step_case *it, bool pending)
{
	struct tw_reconcile_step step;

	if (!equal(it, &it->live->value, &it->desired->value))
		return write_over(it, &it->entry->baseline);
	step = plain(it, pending ? TW_RECONCILE_CONFIRM : TW_RECONCILE_NOTHING);
	step.entry.written = it->live->value;
	step.entry.previous = it->live->value;
	return step;
}

static struct tw_reconcile_step step_back(const struct step_case *it, bool pending)
{
	struct tw_reconcile_step step;

	if (equal(it, &it->live->value, &it->entry->baseline))
		return drop(pending && equal(it, &it->entry->written, &it->entry->baseline) ? TW_RECONCILE_RESTORED
											    : TW_RECONCILE_DROP);
	step = plain(it, TW_RECONCILE_RESTORE);
	step.entry.written = it->entry->baseline;
	step.entry.previous = it->live->value;
	return step;
}

static struct tw_reconcile_step step_ours(const struct step_case *it)
{
	bool pending = !equal(it, &it->entry->previous, &it->entry->written);

	if (!it->live->known)
		return plain(it, TW_RECONCILE_LOOK);
	/* A write that was announced may not have happened: then the value before it is still what we left. */
	if (!equal(it, &it->live->value, &it->entry->written) && !equal(it, &it->live->value, &it->entry->previous))
		return step_foreign(it);
	return keeps(it) ? step_keep(it, pending) : step_back(it, pending);
}

struct tw_reconcile_step tw_reconcile_step(enum tw_tunable tunable, const struct tw_ledger_entry *entry,
					   const struct tw_live_value *live, const struct tw_reconcile_desired *desired)
{
	const struct step_case it = { .tunable = tunable, .entry = entry, .live = live, .desired = desired };

	switch (entry->owner) {
	case TW_OWNER_NOBODY:
		return step_nobody(&it);
	case TW_OWNER_OURS:
		return step_ours(&it);
	case TW_OWNER_YIELDED:
		return step_yielded(&it);
	}
	return plain(&it, TW_RECONCILE_NOTHING);
}
