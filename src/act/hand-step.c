/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/hand-step.h"

#include "base/text.h"

/* The arguments of a step, to be handed on. */
struct step_case {
	enum tw_tunable tunable;
	const struct tw_ledger_entry *entry;
	const struct tw_live_value *live;
	const struct tw_hand_wish *wish;
};

enum tw_hand_will tw_hand_will_of(const struct tw_desire *desire, enum tw_mode mode)
{
	if (!desire->wanted)
		return TW_HAND_WILL_LEAVE;
	return mode == TW_MODE_OBSERVE || desire->advised ? TW_HAND_WILL_OBSERVE : TW_HAND_WILL_ENFORCE;
}

static bool wants(const struct tw_hand_wish *wish)
{
	return wish->will == TW_HAND_WILL_ENFORCE || wish->will == TW_HAND_WILL_OBSERVE;
}

/* Whether what somebody else took over is to be remembered as theirs. */
static bool still_matters(const struct tw_hand_wish *wish)
{
	return wants(wish) || wish->will == TW_HAND_WILL_PAUSE;
}

static bool equal(const struct step_case *it, const struct tw_tunable_value *a, const struct tw_tunable_value *b)
{
	return tw_tunable_equal(it->tunable, a, b);
}

/* Whether the value wanted takes away what `floor` gives and must not. */
static bool lowers(const struct step_case *it, const struct tw_tunable_value *floor)
{
	return tw_tunable_info(it->tunable)->raise_only && it->wish->value.numbers[0] < floor->numbers[0];
}

static struct tw_hand_step plain(const struct step_case *it, enum tw_hand_verb verb)
{
	return (struct tw_hand_step){ .verb = verb, .entry = *it->entry };
}

static struct tw_hand_step drop(enum tw_hand_verb verb)
{
	return (struct tw_hand_step){ .verb = verb };
}

static struct tw_hand_step write_over(const struct step_case *it, const struct tw_tunable_value *baseline)
{
	struct tw_hand_step step = {
		.verb = TW_HAND_WRITE,
		.entry = {
			.owner = TW_OWNER_OURS,
			.baseline = *baseline,
			.written = it->wish->value,
			.previous = it->live->value,
		},
	};

	(void)tw_text_copy(step.entry.rule, sizeof(step.entry.rule), it->wish->rule ? it->wish->rule : "");
	return step;
}

static struct tw_hand_step step_nobody(const struct step_case *it)
{
	if (!wants(it->wish))
		return plain(it, TW_HAND_NOTHING);
	if (!tw_tunable_in_bounds(it->tunable, &it->wish->value))
		return plain(it, TW_HAND_REFUSE_BOUNDS);
	if (!it->live->known)
		return plain(it, TW_HAND_LOOK);
	if (equal(it, &it->live->value, &it->wish->value))
		return plain(it, TW_HAND_NOTHING);
	if (lowers(it, &it->live->value))
		return plain(it, TW_HAND_REFUSE_LOWER);
	if (it->wish->will == TW_HAND_WILL_OBSERVE)
		return plain(it, TW_HAND_ADVISE);
	return write_over(it, &it->live->value);
}

static struct tw_hand_step step_yielded(const struct step_case *it)
{
	return still_matters(it->wish) ? plain(it, TW_HAND_NOTHING) : drop(TW_HAND_DROP);
}

/* Whether something of ours is to stay: a value that may not be written, or is the baseline, is none. */
static bool keeps(const struct step_case *it)
{
	return it->wish->will == TW_HAND_WILL_ENFORCE && tw_tunable_in_bounds(it->tunable, &it->wish->value) &&
	       !lowers(it, &it->entry->baseline) && !equal(it, &it->wish->value, &it->entry->baseline);
}

/* The live value is neither of our last two. */
static struct tw_hand_step step_foreign(const struct step_case *it)
{
	struct tw_hand_step step = plain(it, TW_HAND_YIELD);

	if (it->wish->will == TW_HAND_WILL_RECOVER && equal(it, &it->live->value, &it->entry->baseline))
		return drop(TW_HAND_DROP);
	if (!still_matters(it->wish))
		return drop(TW_HAND_YIELD);
	step.entry.owner = TW_OWNER_YIELDED;
	return step;
}

static struct tw_hand_step step_keep(const struct step_case *it, bool pending)
{
	struct tw_hand_step step;

	if (!equal(it, &it->live->value, &it->wish->value))
		return write_over(it, &it->entry->baseline);
	step = plain(it, pending ? TW_HAND_CONFIRM : TW_HAND_NOTHING);
	step.entry.written = it->live->value;
	step.entry.previous = it->live->value;
	return step;
}

static struct tw_hand_step step_back(const struct step_case *it, bool pending)
{
	struct tw_hand_step step;

	if (equal(it, &it->live->value, &it->entry->baseline))
		return drop(pending && equal(it, &it->entry->written, &it->entry->baseline) ? TW_HAND_RESTORED
											    : TW_HAND_DROP);
	step = plain(it, TW_HAND_RESTORE);
	step.entry.written = it->entry->baseline;
	step.entry.previous = it->live->value;
	return step;
}

static struct tw_hand_step step_ours(const struct step_case *it)
{
	bool pending = !equal(it, &it->entry->previous, &it->entry->written);

	if (!it->live->known)
		return plain(it, TW_HAND_LOOK);
	/* A write that was announced may not have happened: then the value before it is still what we left. */
	if (!equal(it, &it->live->value, &it->entry->written) && !equal(it, &it->live->value, &it->entry->previous))
		return step_foreign(it);
	return keeps(it) ? step_keep(it, pending) : step_back(it, pending);
}

struct tw_hand_step tw_hand_step(enum tw_tunable tunable, const struct tw_ledger_entry *entry,
				 const struct tw_live_value *live, const struct tw_hand_wish *wish)
{
	const struct step_case it = { .tunable = tunable, .entry = entry, .live = live, .wish = wish };

	switch (entry->owner) {
	case TW_OWNER_NOBODY:
		return step_nobody(&it);
	case TW_OWNER_OURS:
		return step_ours(&it);
	case TW_OWNER_YIELDED:
		return step_yielded(&it);
	}
	return plain(&it, TW_HAND_NOTHING);
}
