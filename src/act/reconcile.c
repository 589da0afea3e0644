/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile.h"

#include "act/reconcile-save.h"
#include "act/reconcile-step.h"
#include "act/reconcile-tell.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* One tunable's turn: what the parts of a step need of it. */
struct turn {
	struct tw_reconciler *reconciler;
	enum tw_tunable tunable;
	const struct tw_desire *desire;
	struct tw_reconcile_desired desired;
	struct tw_live_value live;
	struct tw_ledger_entry *entry;
	struct tw_reconcile_said *said;
};

void tw_reconcile_init(struct tw_reconciler *reconciler, const struct tw_ledger *ledger, struct tw_sysctl_sink *sysctl,
		       struct tw_ledger_store *store, struct tw_recorder *recorder, const char *namespace)
{
	memset(reconciler, 0, sizeof(*reconciler));
	reconciler->ledger = *ledger;
	reconciler->sysctl = sysctl;
	reconciler->store = store;
	reconciler->recorder = recorder;
	reconciler->namespace = namespace;
}

static int look(struct turn *turn, struct tw_live_value *ret)
{
	struct tw_tunable_value value;
	int r = turn->reconciler->sysctl->read(turn->reconciler->sysctl, turn->tunable, &value);

	if (r < 0)
		return r;
	*ret = (struct tw_live_value){ .value = value, .known = true };
	return 0;
}

static bool is(const struct turn *turn, const struct tw_live_value *live, const struct tw_tunable_value *value)
{
	return live->known && tw_tunable_equal(turn->tunable, &live->value, value);
}

/* True once in a standing failure. */
static bool first_failure(struct turn *turn)
{
	bool first = !turn->said->failed;

	turn->said->failed = true;
	return first;
}

static void refuse(struct turn *turn, enum tw_reconcile_obstacle obstacle, int error, const struct tw_live_value *found)
{
	if (first_failure(turn))
		tw_reconcile_tell_refused(turn->reconciler, turn->tunable, turn->desire, obstacle, error, &turn->live,
					  found);
}

static void tell_owed(struct turn *turn, bool reading, int error)
{
	if (first_failure(turn))
		tw_reconcile_tell_owed(turn->reconciler, turn->tunable, turn->desire, reading, error);
}

/* `from` was read as ours, or made by the kernel of what we wrote. */
enum put_back {
	PUT_BACK_DONE,	  /* the baseline is in place and the entry dropped */
	PUT_BACK_FAILED,  /* *ret_error; the entry is still ours */
	PUT_BACK_FOREIGN, /* another value is in place now: *ret_found */
};

/* Needs no save before: the ledger has held the baseline since before the first write. */
static enum put_back put_back(struct turn *turn, const struct tw_tunable_value *from, struct tw_live_value *ret_found,
			      int *ret_error)
{
	struct tw_ledger_entry was = *turn->entry;
	struct tw_live_value found = { 0 };
	int written, looked;

	turn->entry->previous = *from;
	turn->entry->written = was.baseline;
	written = turn->reconciler->sysctl->write(turn->reconciler->sysctl, turn->tunable, &was.baseline);
	looked = look(turn, &found);
	if (looked < 0) {
		/* Whether it is back shows at the next look. */
		*ret_error = written < 0 ? written : looked;
		return PUT_BACK_FAILED;
	}
	if (is(turn, &found, &was.baseline)) {
		memset(turn->entry, 0, sizeof(*turn->entry));
		tw_reconcile_save_after(turn->reconciler);
		return PUT_BACK_DONE;
	}
	*turn->entry = was;
	*ret_found = found;
	*ret_error = written < 0 ? written : -EIO;
	return is(turn, &found, from) ? PUT_BACK_FAILED : PUT_BACK_FOREIGN;
}

static void remember_cause(struct turn *turn)
{
	struct tw_reconcile_cause *cause = &turn->reconciler->causes[turn->tunable];

	if (!turn->desire->wanted || !turn->desire->rule)
		return;
	(void)tw_text_copy(cause->rule, sizeof(cause->rule), turn->desire->rule->name);
	cause->subject = turn->desire->subject;
}

static void confirm(struct turn *turn, const struct tw_reconcile_step *step)
{
	struct tw_ledger_entry seen = *turn->entry;

	/* What the store holds knows the write as announced. It is as good, unless the value before was ours too. */
	bool save_again = !tw_tunable_equal(turn->tunable, &seen.previous, &seen.baseline);

	*turn->entry = step->entry;
	turn->entry->previous = turn->entry->written;
	remember_cause(turn);
	memset(turn->said, 0, sizeof(*turn->said));
	turn->said->wanted = turn->desire->wanted;
	turn->said->value = turn->desire->value;
	if (save_again)
		tw_reconcile_save_after(turn->reconciler);
	/* Else a restore did not take place, and the value was told of before. */
	if (tw_tunable_equal(turn->tunable, &seen.written, &turn->entry->written))
		tw_reconcile_tell_adjusted(turn->reconciler, turn->tunable, turn->desire, &seen);
}

static void give_up(struct turn *turn, const struct tw_ledger_entry *was, enum tw_reconcile_obstacle obstacle,
		    int error, const struct tw_live_value *found)
{
	*turn->entry = *was;
	tw_reconcile_save_after(turn->reconciler);
	refuse(turn, obstacle, error, found);
}

/* The write went through, and the value that is there now is neither the one before nor the one written. */
static void undo(struct turn *turn, const struct tw_live_value *found)
{
	struct tw_live_value later = *found;
	int error = 0;

	/* It came of our write, so it is ours: a crash from here on must put the baseline back all the same. */
	turn->entry->written = found->value;
	turn->entry->previous = found->value;
	tw_reconcile_save_after(turn->reconciler);
	if (put_back(turn, &found->value, &later, &error) == PUT_BACK_DONE)
		refuse(turn, TW_RECONCILE_OBSTACLE_KEPT, 0, found);
	else
		refuse(turn, TW_RECONCILE_OBSTACLE_BACK, error, found);
}

/* Into the ledger, durably. Returns false where that failed, which is told, with the ledger as it was. */
static bool announce(struct turn *turn, const struct tw_reconcile_step *step)
{
	struct tw_ledger_entry was = *turn->entry;
	int r;

	*turn->entry = step->entry;
	r = tw_reconcile_save(turn->reconciler);
	if (r >= 0)
		return true;
	*turn->entry = was;
	if (first_failure(turn))
		tw_reconcile_tell_unsaved(turn->reconciler, turn->tunable, turn->desire, r);
	turn->reconciler->unsaved_told = true;
	return false;
}

static void change(struct turn *turn, const struct tw_reconcile_step *step)
{
	struct tw_ledger_entry was = *turn->entry;
	struct tw_live_value found = { 0 };
	int r, looked;

	if (!announce(turn, step))
		return;
	r = turn->reconciler->sysctl->write(turn->reconciler->sysctl, turn->tunable, &step->entry.written);
	looked = look(turn, &found);
	if (looked < 0) /* the entry stays as announced: the next look tells whether the write took place */
		refuse(turn, r < 0 ? TW_RECONCILE_OBSTACLE_WRITE : TW_RECONCILE_OBSTACLE_READ, r < 0 ? r : looked,
		       &found);
	else if (is(turn, &found, &step->entry.written))
		confirm(turn, step);
	else if (r < 0)
		give_up(turn, &was, TW_RECONCILE_OBSTACLE_WRITE, r, &found);
	else if (is(turn, &found, &turn->live.value))
		give_up(turn, &was, TW_RECONCILE_OBSTACLE_KEPT, 0, &found);
	else
		undo(turn, &found);
}

static void yield(struct turn *turn, const struct tw_reconcile_step *step)
{
	struct tw_ledger_entry was = *turn->entry;

	*turn->entry = step->entry;
	turn->said->failed = false;
	turn->reconciler->foreign[turn->tunable] = turn->live;
	tw_reconcile_save_after(turn->reconciler);
	tw_reconcile_tell_yielded(turn->reconciler, turn->tunable, turn->desire, &was, &turn->live);
}

static void drop(struct turn *turn)
{
	memset(turn->entry, 0, sizeof(*turn->entry));
	turn->said->failed = false;
	tw_reconcile_save_after(turn->reconciler);
}

/* Somebody wrote between our look and our write. */
static int meet_foreign(struct turn *turn, const struct tw_live_value *found, int error)
{
	struct tw_reconcile_step step = tw_reconcile_step(turn->tunable, turn->entry, found, &turn->desired);

	if (step.verb != TW_RECONCILE_YIELD) {
		tell_owed(turn, false, error);
		return error;
	}
	turn->live = *found;
	yield(turn, &step);
	return 0;
}

static int restore(struct turn *turn)
{
	struct tw_ledger_entry was = *turn->entry;
	struct tw_live_value found = { 0 };
	int r = 0;

	switch (put_back(turn, &turn->live.value, &found, &r)) {
	case PUT_BACK_DONE:
		turn->said->failed = false;
		tw_reconcile_tell_restored(turn->reconciler, turn->tunable, turn->desired.will, &was,
					   &turn->live.value);
		return 0;
	case PUT_BACK_FAILED:
		tell_owed(turn, false, r);
		return r;
	case PUT_BACK_FOREIGN:
		return meet_foreign(turn, &found, r);
	}
	return 0;
}

static void advise(struct turn *turn)
{
	if (turn->said->advised)
		return;
	turn->said->advised = true;
	tw_reconcile_tell_advice(turn->reconciler, turn->tunable, turn->desire, &turn->live);
}

/* Returns 0, or -errno where it left something owed that should not be. */
static int carry_out(struct turn *turn, const struct tw_reconcile_step *step)
{
	struct tw_ledger_entry was = *turn->entry;

	switch (step->verb) {
	case TW_RECONCILE_LOOK:
	case TW_RECONCILE_NOTHING:
		turn->said->failed = false;
		if (turn->entry->owner == TW_OWNER_OURS)
			remember_cause(turn);
		return 0;
	case TW_RECONCILE_ADVISE:
		turn->said->failed = false;
		advise(turn);
		return 0;
	case TW_RECONCILE_REFUSE_BOUNDS:
		refuse(turn, TW_RECONCILE_OBSTACLE_BOUNDS, 0, &turn->live);
		return 0;
	case TW_RECONCILE_REFUSE_LOWER:
		refuse(turn, TW_RECONCILE_OBSTACLE_LOWER, 0, &turn->live);
		return 0;
	case TW_RECONCILE_WRITE:
		change(turn, step);
		return 0;
	case TW_RECONCILE_CONFIRM:
		confirm(turn, step);
		return 0;
	case TW_RECONCILE_RESTORE:
		return restore(turn);
	case TW_RECONCILE_RESTORED:
		drop(turn);
		tw_reconcile_tell_restored(turn->reconciler, turn->tunable, turn->desired.will, &was, &was.previous);
		return 0;
	case TW_RECONCILE_YIELD:
		yield(turn, step);
		return 0;
	case TW_RECONCILE_DROP:
		drop(turn);
		return 0;
	}
	return 0;
}

static int attend(struct turn *turn)
{
	struct tw_reconcile_step step = tw_reconcile_step(turn->tunable, turn->entry, &turn->live, &turn->desired);
	int r;

	if (step.verb == TW_RECONCILE_LOOK) {
		r = look(turn, &turn->live);
		if (r < 0) {
			if (turn->entry->owner == TW_OWNER_OURS)
				tell_owed(turn, true, r);
			else
				refuse(turn, TW_RECONCILE_OBSTACLE_READ, r, &turn->live);
			return r;
		}
		step = tw_reconcile_step(turn->tunable, turn->entry, &turn->live, &turn->desired);
	}
	return carry_out(turn, &step);
}

/* What is wanted now is another condition than before: what was said of that one is no longer said. */
static void note_desire(struct turn *turn)
{
	const struct tw_desire *desire = turn->desire;

	if (turn->said->wanted == desire->wanted &&
	    (!desire->wanted || tw_tunable_equal(turn->tunable, &turn->said->value, &desire->value)))
		return;
	*turn->said = (struct tw_reconcile_said){ .wanted = desire->wanted, .value = desire->value };
}

static int take_turn(struct tw_reconciler *reconciler, enum tw_tunable tunable, const struct tw_desire *desire,
		     enum tw_reconcile_will will)
{
	struct turn turn = {
		.reconciler = reconciler,
		.tunable = tunable,
		.desire = desire,
		.desired = { .will = will, .value = desire->value, .rule = desire->rule ? desire->rule->name : NULL },
		.entry = &reconciler->ledger.entries[tunable],
		.said = &reconciler->said[tunable],
	};

	note_desire(&turn);
	return attend(&turn);
}

void tw_reconcile_run(struct tw_reconciler *reconciler, const struct tw_desires *desires, enum tw_mode mode)
{
	memset(reconciler->foreign, 0, sizeof(reconciler->foreign));
	if (reconciler->unsaved)
		tw_reconcile_save_after(reconciler);
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++)
		(void)take_turn(reconciler, (enum tw_tunable)i, &desires->rows[i],
				tw_reconcile_will_of(&desires->rows[i], mode));
}

static int give_back(struct tw_reconciler *reconciler, enum tw_reconcile_will will)
{
	static const struct tw_desire none;
	int first = 0, saved;

	memset(reconciler->foreign, 0, sizeof(reconciler->foreign));
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		int r = take_turn(reconciler, (enum tw_tunable)i, &none, will);

		if (r < 0 && first == 0)
			first = r;
	}
	saved = reconciler->unsaved ? tw_reconcile_save(reconciler) : 0;
	return first < 0 ? first : saved;
}

int tw_reconcile_pause(struct tw_reconciler *reconciler)
{
	return give_back(reconciler, TW_RECONCILE_WILL_PAUSE);
}

int tw_reconcile_restore(struct tw_reconciler *reconciler)
{
	return give_back(reconciler, TW_RECONCILE_WILL_RECOVER);
}
