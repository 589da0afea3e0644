/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile.h"

#include "act/reconcile-step.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

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

static const struct tw_ledger_entry none;

static int look(struct tw_reconcile_turn *turn, struct tw_live_value *ret)
{
	struct tw_tunable_value value;
	int r = turn->reconciler->sysctl->read(turn->reconciler->sysctl, turn->tunable, &value);

	if (r < 0)
		return r;
	*ret = (struct tw_live_value){ .value = value, .known = true };
	return 0;
}

static bool is(const struct tw_reconcile_turn *turn, const struct tw_live_value *live,
	       const struct tw_tunable_value *value)
{
	return tw_tunable_equal(turn->tunable, &live->value, value);
}

/* Told once in a standing failure. */
static void fail(struct tw_reconcile_turn *turn, enum tw_reconcile_failure failure, int error,
		 const struct tw_live_value *found)
{
	if (!turn->said->failed)
		tw_reconcile_tell_failure(turn, failure, error, found);
	turn->said->failed = true;
}

static int save(struct tw_reconciler *reconciler)
{
	int r = reconciler->store->save(reconciler->store, &reconciler->ledger);

	reconciler->unsaved = r < 0;
	if (r >= 0)
		reconciler->unsaved_told = false;
	return r;
}

/* After the fact: nothing waits for it, and a failure is told once until it works. */
static void save_after(struct tw_reconciler *reconciler)
{
	int r = save(reconciler);

	if (r < 0 && !reconciler->unsaved_told) {
		reconciler->unsaved_told = true;
		tw_reconcile_tell_stale(reconciler, r);
	}
}

static void put_entry(struct tw_reconcile_turn *turn, const struct tw_ledger_entry *entry)
{
	*turn->entry = *entry;
	save_after(turn->reconciler);
}

/* `from` was read as ours, or made by the kernel of what we wrote. */
enum put_back {
	PUT_BACK_DONE,	  /* the baseline is in place and the entry dropped */
	PUT_BACK_FAILED,  /* *ret_error; the entry is still ours */
	PUT_BACK_FOREIGN, /* another value is in place now: *ret_found */
};

/* Needs no save before: the ledger has held the baseline since before the first write. */
static enum put_back put_back(struct tw_reconcile_turn *turn, const struct tw_tunable_value *from,
			      struct tw_live_value *ret_found, int *ret_error)
{
	struct tw_ledger_entry was = *turn->entry;
	struct tw_live_value found;
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
		put_entry(turn, &none);
		return PUT_BACK_DONE;
	}
	*turn->entry = was;
	*ret_found = found;
	*ret_error = written < 0 ? written : -EIO;
	return is(turn, &found, from) ? PUT_BACK_FAILED : PUT_BACK_FOREIGN;
}

static void remember_cause(struct tw_reconcile_turn *turn)
{
	struct tw_reconcile_cause *cause = &turn->reconciler->causes[turn->tunable];

	if (!turn->desire->wanted || !turn->desire->rule)
		return;
	(void)tw_text_copy(cause->rule, sizeof(cause->rule), turn->desire->rule->name);
	cause->subject = turn->desire->subject;
}

/* The value wanted is in place. */
static void confirm(struct tw_reconcile_turn *turn)
{
	struct tw_ledger_entry seen = *turn->entry;

	turn->entry->written = turn->entry->previous = turn->desire->value;
	remember_cause(turn);
	*turn->said = (struct tw_reconcile_said){ .wanted = turn->desire->wanted, .value = turn->desire->value };
	/* What the store holds knows the write as announced. It is as good, unless the value before was ours too. */
	if (!tw_tunable_equal(turn->tunable, &seen.previous, &seen.baseline))
		save_after(turn->reconciler);
	/* Else a restore did not take place, and the value was told of before. */
	if (tw_tunable_equal(turn->tunable, &seen.written, &turn->entry->written))
		tw_reconcile_tell_adjusted(turn, &seen);
}

/* The write went through, and the value that is there now is neither the one before nor the one written. */
static void undo(struct tw_reconcile_turn *turn, const struct tw_live_value *found)
{
	struct tw_ledger_entry made = *turn->entry;
	struct tw_live_value later;
	int error = 0;

	/* It came of our write, so it is ours: a crash from here on must put the baseline back all the same. */
	made.written = made.previous = found->value;
	put_entry(turn, &made);
	if (put_back(turn, &found->value, &later, &error) == PUT_BACK_DONE)
		fail(turn, TW_RECONCILE_FAILURE_KEPT, 0, found);
	else
		fail(turn, TW_RECONCILE_FAILURE_UNDO, error, found);
}

/* The ledger first, durably: where that fails, nothing is written. */
static void change(struct tw_reconcile_turn *turn)
{
	struct tw_ledger_entry was = *turn->entry, *entry = turn->entry;
	const struct tw_desire *desire = turn->desire;
	struct tw_live_value found;
	int r, looked;

	if (entry->owner == TW_OWNER_NOBODY)
		entry->baseline = turn->live.value;
	entry->owner = TW_OWNER_OURS;
	entry->previous = turn->live.value;
	entry->written = desire->value;
	(void)tw_text_copy(entry->rule, sizeof(entry->rule), desire->rule ? desire->rule->name : "");
	r = save(turn->reconciler);
	if (r < 0) {
		*turn->entry = was;
		fail(turn, TW_RECONCILE_FAILURE_SAVE, r, NULL);
		turn->reconciler->unsaved_told = true;
		return;
	}
	r = turn->reconciler->sysctl->write(turn->reconciler->sysctl, turn->tunable, &desire->value);
	looked = look(turn, &found);
	if (looked < 0) { /* the entry stays as announced: the next look tells whether the write took place */
		fail(turn, r < 0 ? TW_RECONCILE_FAILURE_WRITE : TW_RECONCILE_FAILURE_READ, r < 0 ? r : looked, NULL);
	} else if (is(turn, &found, &desire->value)) {
		confirm(turn);
	} else if (r < 0 || is(turn, &found, &turn->live.value)) {
		put_entry(turn, &was);
		fail(turn, r < 0 ? TW_RECONCILE_FAILURE_WRITE : TW_RECONCILE_FAILURE_KEPT, r, &found);
	} else {
		undo(turn, &found);
	}
}

static void yield(struct tw_reconcile_turn *turn)
{
	struct tw_ledger_entry was = *turn->entry, theirs = was;

	turn->said->failed = false;
	turn->reconciler->foreign[turn->tunable] = turn->live;
	theirs.owner = TW_OWNER_YIELDED;
	put_entry(turn, tw_reconcile_minds_theirs(turn->will) ? &theirs : &none);
	tw_reconcile_tell_yielded(turn, &was);
}

static int restore(struct tw_reconcile_turn *turn)
{
	struct tw_ledger_entry was = *turn->entry;
	struct tw_live_value found;
	int error = 0;

	switch (put_back(turn, &turn->live.value, &found, &error)) {
	case PUT_BACK_DONE:
		turn->said->failed = false;
		tw_reconcile_tell_restored(turn, &was, &turn->live.value);
		return 0;
	case PUT_BACK_FAILED:
		break;
	case PUT_BACK_FOREIGN: /* somebody wrote between our look and our write */
		if (tw_reconcile_step(turn->tunable, turn->entry, &found, turn->desire, turn->will) !=
		    TW_RECONCILE_YIELD)
			break;
		turn->live = found;
		yield(turn);
		return 0;
	}
	fail(turn, TW_RECONCILE_FAILURE_OWED, error, NULL);
	return error;
}

/* Returns 0, or -errno where it left something owed that should not be. */
static int carry_out(struct tw_reconcile_turn *turn, enum tw_reconcile_verb verb)
{
	struct tw_ledger_entry was = *turn->entry;

	switch (verb) {
	case TW_RECONCILE_LOOK:
	case TW_RECONCILE_NOTHING:
		turn->said->failed = false;
		if (turn->entry->owner == TW_OWNER_OURS)
			remember_cause(turn);
		break;
	case TW_RECONCILE_ADVISE:
		turn->said->failed = false;
		if (!turn->said->advised)
			tw_reconcile_tell_advice(turn);
		turn->said->advised = true;
		break;
	case TW_RECONCILE_REFUSE_BOUNDS:
		fail(turn, TW_RECONCILE_FAILURE_BOUNDS, 0, NULL);
		break;
	case TW_RECONCILE_REFUSE_LOWER:
		fail(turn, TW_RECONCILE_FAILURE_LOWER, 0, NULL);
		break;
	case TW_RECONCILE_WRITE:
		change(turn);
		break;
	case TW_RECONCILE_CONFIRM:
		confirm(turn);
		break;
	case TW_RECONCILE_RESTORE:
		return restore(turn);
	case TW_RECONCILE_YIELD:
		yield(turn);
		break;
	case TW_RECONCILE_RESTORED:
	case TW_RECONCILE_DROP:
		turn->said->failed = false;
		put_entry(turn, &none);
		if (verb == TW_RECONCILE_RESTORED)
			tw_reconcile_tell_restored(turn, &was, &was.previous);
		break;
	}
	return 0;
}

static int take_turn(struct tw_reconciler *reconciler, enum tw_tunable tunable, const struct tw_desire *desire,
		     enum tw_reconcile_will will)
{
	struct tw_reconcile_turn turn = {
		.reconciler = reconciler,
		.tunable = tunable,
		.desire = desire,
		.will = will,
		.entry = &reconciler->ledger.entries[tunable],
		.said = &reconciler->said[tunable],
	};
	enum tw_reconcile_verb verb;

	/* What is wanted now is another condition than before: what was said of that one is no longer said. */
	if (turn.said->wanted != desire->wanted ||
	    (desire->wanted && !tw_tunable_equal(tunable, &turn.said->value, &desire->value)))
		*turn.said = (struct tw_reconcile_said){ .wanted = desire->wanted, .value = desire->value };
	verb = tw_reconcile_step(tunable, turn.entry, &turn.live, desire, will);
	if (verb == TW_RECONCILE_LOOK) {
		bool ours = turn.entry->owner == TW_OWNER_OURS;
		int r = look(&turn, &turn.live);

		if (r < 0) {
			fail(&turn, ours ? TW_RECONCILE_FAILURE_OWED_READ : TW_RECONCILE_FAILURE_READ, r, NULL);
			return r;
		}
		verb = tw_reconcile_step(tunable, turn.entry, &turn.live, desire, will);
	}
	return carry_out(&turn, verb);
}

void tw_reconcile_run(struct tw_reconciler *reconciler, const struct tw_desires *desires, enum tw_mode mode)
{
	memset(reconciler->foreign, 0, sizeof(reconciler->foreign));
	if (reconciler->unsaved)
		save_after(reconciler);
	for (enum tw_tunable i = 0; i < TW_TUNABLE_COUNT; i++) {
		const struct tw_desire *desire = &desires->rows[i];
		enum tw_reconcile_will will = TW_RECONCILE_WILL_ENFORCE;

		if (!desire->wanted)
			will = TW_RECONCILE_WILL_LEAVE;
		else if (mode == TW_MODE_OBSERVE || desire->advised)
			will = TW_RECONCILE_WILL_OBSERVE;
		(void)take_turn(reconciler, i, desire, will);
	}
}

bool tw_reconcile_at_rest(const struct tw_reconciler *reconciler)
{
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++)
		if (reconciler->ledger.entries[i].owner != TW_OWNER_NOBODY)
			return false;
	return !reconciler->unsaved;
}

static int give_back(struct tw_reconciler *reconciler, enum tw_reconcile_will will)
{
	static const struct tw_desire nothing;
	int first = 0, saved;

	memset(reconciler->foreign, 0, sizeof(reconciler->foreign));
	for (enum tw_tunable i = 0; i < TW_TUNABLE_COUNT; i++) {
		int r = take_turn(reconciler, i, &nothing, will);

		if (r < 0 && first == 0)
			first = r;
	}
	saved = reconciler->unsaved ? save(reconciler) : 0;
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

int tw_reconcile_recover(struct tw_ledger *ledger, struct tw_sysctl_sink *sysctl, struct tw_ledger_store *store,
			 struct tw_recorder *recorder, const char *namespace)
{
	struct tw_reconciler reconciler;
	int r;

	tw_reconcile_init(&reconciler, ledger, sysctl, store, recorder, namespace);
	r = tw_reconcile_restore(&reconciler);
	*ledger = reconciler.ledger;
	return r;
}
