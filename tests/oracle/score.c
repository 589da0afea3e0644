/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle/score.h"

#include "base/macros.h"
#include "oracle/trial.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* Fewer failures than this are nobody's shortage. */
#define FAILURES_MIN 3
/* The shipped forecast: what fills faster cannot be told before. */
#define FORECAST_USEC (15 * TW_USEC_PER_SEC)
/* What a remedy that was put back would have to be there for. */
#define NEEDED_WITHIN_USEC (2 * TW_USEC_PER_MINUTE)

/* What comes back so soon was not over. */
#define AGAIN_WITHIN_USEC (5 * TW_USEC_PER_SEC)

static double seconds(usec_t at_usec)
{
	return (double)at_usec / TW_USEC_PER_SEC - 1000;
}

static void lose(struct trial *trial, const char *format, ...) TW_PRINTF(2, 3);

static void lose(struct trial *trial, const char *format, ...)
{
	va_list arguments;

	if (!trial->story)
		return;
	if (trial->losses++ == 0)
		fprintf(trial->story, "seed %" PRIu64 ":\n", trial->alone->mix.seed);
	fprintf(trial->story, "  ");
	va_start(arguments, format);
	vfprintf(trial->story, format, arguments);
	va_end(arguments);
	fprintf(trial->story, "\n");
}

/* ---- the verdicts */

/*
 * Whether the sysctl is as would help, for whomever it was set, or has been left to an admin who set it otherwise. Who
 * needs ports that others block for all can be helped with those alone that it holds itself, once it does: nothing is
 * written for that (it is no cure of what the alert is about), and it is to be said.
 */
static bool is_remedied(const struct trial *trial, const struct world_shortage *shortage,
			const struct watcher_claim *raised)
{
	usec_t at_usec = trial_is_exclusive(shortage)
				 ? TW_MIN(shortage->last_usec, shortage->first_usec + NAMED_WITHIN_USEC)
				 : TW_MAX(shortage->first_usec, raised->at_usec + TW_USEC_PER_SEC);

	return trial_is_in_force(trial, trial_remedy_of(shortage), at_usec) ||
	       trial_is_yielded(trial, trial_remedy_of(shortage), shortage->first_usec) ||
	       (trial_is_exclusive(shortage) && trial_is_left_said(trial, shortage, raised->at_usec));
}

/* Where no sysctl helps, or none is set, it is to be said what is in the way; to a binder always. */
static bool needs_state(const struct world_shortage *shortage, enum help help, bool remedied)
{
	return shortage->cause < CAUSE_QUEUE &&
	       (help == HELP_NONE || !remedied || trial_is_exclusive(shortage) || shortage->by_bind);
}

static void judge_named(struct trial *trial, struct score *score, const struct world_shortage *shortage,
			const struct watcher_claim *raised)
{
	const struct watcher_claim *refused = trial_find_last(trial, shortage, raised->at_usec, TW_EVENT_REFUSED);
	const struct watcher_claim *effect = trial_find_last(trial, shortage, raised->at_usec, TW_EVENT_EFFECT);
	enum help help = trial_help_of(trial, shortage);
	bool remedied = is_remedied(trial, shortage, raised);

	if (effect && effect->event.effect == TW_EFFECT_NO_DIFFERENCE)
		refused = effect;
	if (shortage->cause != CAUSE_QUEUE &&
	    (help == HELP_SURE ? !remedied : help == HELP_NONE && remedied && !refused)) {
		score->wrong_remedy++;
		lose(trial, "%s by %s at %.1f: the remedy %s, and was %s: %s",
		     trial->alone->programs[shortage->program]->unit, world_cause_name(shortage->cause),
		     seconds(shortage->first_usec), help ? "helps" : "does not help", remedied ? "in force" : "refused",
		     refused ? refused->event.reason : "nothing was said");
		return;
	}
	if (needs_state(shortage, help, remedied) && !trial_is_state_said(trial, shortage, raised->at_usec)) {
		score->wrong_state++;
		lose(trial, "%s by %s at %.1f: the state was not named: %s",
		     trial->alone->programs[shortage->program]->unit, world_cause_name(shortage->cause),
		     seconds(shortage->first_usec), refused ? refused->event.reason : "nothing was said");
		return;
	}
	score->named_right++;
}

/*
 * Who holds the ports may be helped in time, so that who binds first comes to be short of them later, or never. What is
 * left of the shortage then; NULL: nothing of it is.
 */
static const struct world_shortage *find_left(const struct trial *trial, const struct world_shortage *shortage)
{
	const struct world_shortage *left = NULL;

	if (!shortage->by_bind && shortage->cause != CAUSE_BUCKETS)
		return shortage;
	for (unsigned i = 0; i < trial->watched->shortage_count; i++) {
		const struct world_shortage *other = &trial->watched->shortages[i];

		if (other->program == shortage->program && other->by_bind == shortage->by_bind &&
		    (other->cause == CAUSE_BUCKETS) == (shortage->cause == CAUSE_BUCKETS) &&
		    other->failures >= FAILURES_MIN && other->first_usec <= shortage->last_usec + WORLD_GAP_USEC &&
		    other->last_usec >= shortage->first_usec && (!left || other->first_usec < left->first_usec))
			left = other;
	}
	return left;
}

static void lose_subject(struct trial *trial, struct score *score, const struct world_shortage *shortage)
{
	score->wrong_subject++;
	lose(trial, "%s by %s of %s, %u failures from %.1f to %.1f: no alert for it",
	     trial->alone->programs[shortage->program]->unit, world_cause_name(shortage->cause),
	     shortage->cgroup_id ? trial->alone->programs[shortage->cgroup_id - 1]->unit : "nobody", shortage->failures,
	     seconds(shortage->first_usec), seconds(shortage->last_usec));
}

static void judge_shortage(struct trial *trial, struct score *score, const struct world_shortage *shortage)
{
	const struct world_shortage *left = find_left(trial, shortage);
	const struct watcher_claim *raised = left ? trial_find_raised(trial, left) : NULL;
	bool slow = shortage->near_usec > 0 && shortage->first_usec - shortage->near_usec >= FORECAST_USEC;
	bool before = !left || (raised && raised->at_usec < left->first_usec);

	if (shortage->unseen) {
		score->unseen++;
		return;
	}
	/* Averted by what was done for others. Where nothing was, the two worlds went apart for some other reason. */
	if (!left && !trial_is_remedy_near(trial, shortage))
		return;
	score->shortages++;
	score->told_before += before;
	score->slow_shortages += slow;
	score->slow_told_before += slow && before;
	if (slow && !before)
		lose(trial, "%s by %s: short since %.1f, failing since %.1f, told %.1f",
		     trial->alone->programs[shortage->program]->unit, world_cause_name(shortage->cause),
		     seconds(shortage->near_usec), seconds(left->first_usec), raised ? seconds(raised->at_usec) : 0);
	if (!left)
		score->named_right++;
	else if (raised)
		judge_named(trial, score, left, raised);
	else
		lose_subject(trial, score, left);
}

static bool is_near(const struct world_shortage *shortage, usec_t at_usec)
{
	return shortage->failures >= FAILURES_MIN && at_usec <= shortage->last_usec + NEEDED_WITHIN_USEC &&
	       at_usec + NEEDED_WITHIN_USEC >= shortage->first_usec;
}

/* A write on behalf of somebody for whom it makes no difference, when it makes none for others either. */
static void judge_write(struct trial *trial, struct score *score, const struct watcher_claim *claim)
{
	const struct world_shortage *helpless = NULL;

	for (unsigned i = 0; i < trial->alone->shortage_count; i++) {
		const struct world_shortage *shortage = &trial->alone->shortages[i];
		bool helps =
			claim->event.sysctl == trial_remedy_of(shortage) && trial_help_of(trial, shortage) != HELP_NONE;

		if (!is_near(shortage, claim->at_usec))
			continue;
		if (helps)
			return;
		if (!helpless && trial_is_about(trial, shortage, &claim->event))
			helpless = shortage;
	}
	if (!helpless)
		return;
	score->useless_writes++;
	lose(trial, "a write at %.1f that cannot help %s, by %s", seconds(claim->at_usec),
	     trial->alone->programs[helpless->program]->unit, world_cause_name(helpless->cause));
}

/* Put back, and somebody whom it helps fails before it is there again. What a start gives back had nobody to keep it.
 */
static void judge_restored(struct trial *trial, struct score *score, const struct watcher_claim *claim)
{
	if (claim->at_usec == trial->watched->killed_usec)
		return;
	for (unsigned i = 0; i < trial->watched->shortage_count; i++) {
		const struct world_shortage *shortage = &trial->watched->shortages[i];

		if (shortage->failures < FAILURES_MIN || shortage->first_usec < claim->at_usec ||
		    shortage->first_usec > claim->at_usec + NEEDED_WITHIN_USEC || shortage->cause == CAUSE_QUEUE ||
		    claim->event.sysctl != trial_remedy_of(shortage) || trial_help_of(trial, shortage) != HELP_SURE ||
		    trial_is_in_force(trial, claim->event.sysctl, shortage->first_usec) ||
		    trial_is_yielded(trial, claim->event.sysctl, shortage->first_usec))
			continue;
		score->remedies_taken_back++;
		lose(trial, "put back at %.1f, and %s fails at %.1f", seconds(claim->at_usec),
		     trial->alone->programs[shortage->program]->unit, seconds(shortage->first_usec));
		return;
	}
}

/* That it helped is claimed of ports of its own: where none was taken over it is not true. */
static void judge_effect(struct trial *trial, struct score *score, const struct watcher_claim *claim)
{
	const struct tw_event *event = &claim->event;

	if (event->effect != TW_EFFECT_HELPED || event->sysctl != TW_TUNABLE_TW_REUSE ||
	    !event->subject.has_destination || claim->reused > 0)
		return;
	score->false_claims++;
	lose(trial, "at %.1f it is said to have helped, and took no port over: %s", seconds(claim->at_usec),
	     event->reason);
}

/* Of one rule and subject, without a restart in between. */
static void judge_cleared(struct trial *trial, struct score *score, unsigned index)
{
	const struct watcher *watcher = trial->watched->watcher;
	const struct watcher_claim *cleared = &watcher->claims[index];

	for (unsigned i = index + 1; i < watcher->claim_count; i++) {
		const struct watcher_claim *claim = &watcher->claims[i];

		if (claim->at_usec > cleared->at_usec + AGAIN_WITHIN_USEC || claim->event.kind == TW_EVENT_STARTED)
			return;
		if (claim->event.kind != TW_EVENT_RAISED || strcmp(claim->rule, cleared->rule) != 0 ||
		    !tw_subject_equal(&claim->event.subject, &cleared->event.subject))
			continue;
		score->flapping++;
		lose(trial, "cleared at %.1f, and raised again at %.1f: %s", seconds(cleared->at_usec),
		     seconds(claim->at_usec), claim->rule);
		return;
	}
}

static void judge_claims(struct trial *trial, struct score *score)
{
	const struct watcher *watcher = trial->watched->watcher;
	bool healthy = trial->alone->shortage_count == 0 && trial->alone->net->far_parity == 0;

	score->healthy_seeds += healthy;
	for (unsigned i = 0; i < watcher->claim_count; i++) {
		const struct watcher_claim *claim = &watcher->claims[i];

		/* A notice says what is worth knowing, and asks nothing of anybody. */
		if (healthy && claim->event.severity >= TW_SEVERITY_WARNING) {
			score->healthy_alerts++;
			lose(trial, "nobody fails or waits, and at %.1f: %s %s %s", seconds(claim->at_usec),
			     tw_event_name(claim->event.kind), claim->rule, claim->event.reason);
		}
		if (claim->event.kind == TW_EVENT_CLEARED)
			judge_cleared(trial, score, i);
		if (claim->event.kind == TW_EVENT_ADJUSTED)
			judge_write(trial, score, claim);
		if (claim->event.kind == TW_EVENT_EFFECT)
			judge_effect(trial, score, claim);
		if (claim->event.kind == TW_EVENT_RESTORED)
			judge_restored(trial, score, claim);
	}
}

static void judge_contradictions(struct trial *trial, struct score *score)
{
	const struct watcher *watcher = trial->watched->watcher;

	if (watcher->contradictions == 0)
		return;
	score->contradictions++;
	lose(trial, "it contradicts itself at %s", watcher->contradiction);
}

static void judge_owed(struct trial *trial, struct score *score)
{
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		if (trial->watched->net->sysctls[i][0] == trial->watched->before[i])
			continue;
		score->owed++;
		lose(trial, "%s is %" PRId64 " at the end, was %" PRId64, tw_tunable_info((enum tw_tunable)i)->key,
		     trial->watched->net->sysctls[i][0], trial->watched->before[i]);
	}
}

static void tell_shortage(const struct trial *trial, const struct world_shortage *shortage, const char *world)
{
	fprintf(trial->story, "  # %s%s by %s of %s: %u failures, %.1f to %.1f, short since %.1f\n", world,
		trial->alone->programs[shortage->program]->unit, world_cause_name(shortage->cause),
		shortage->cgroup_id ? trial->alone->programs[shortage->cgroup_id - 1]->unit : "nobody",
		shortage->failures, seconds(shortage->first_usec), seconds(shortage->last_usec),
		shortage->near_usec ? seconds(shortage->near_usec) : 0);
}

/* All that was said, for who wants to know more of one seed. */
static void tell_all(const struct trial *trial)
{
	const struct watcher *watcher = trial->watched->watcher;

	for (unsigned i = 0; i < trial->alone->shortage_count; i++)
		tell_shortage(trial, &trial->alone->shortages[i], "");
	for (unsigned i = 0; i < trial->watched->shortage_count; i++)
		tell_shortage(trial, &trial->watched->shortages[i], "watched: ");
	for (unsigned i = 0; i < watcher->claim_count; i++) {
		const struct watcher_claim *claim = &watcher->claims[i];
		char subject[TW_DESTINATION_TEXT_MAX] = "";
		struct tw_text text;

		tw_text_init(&text, subject, sizeof(subject));
		if (claim->event.subject.has_destination)
			tw_destination_add(&text, &claim->event.subject.destination);
		else if (claim->event.subject.has_binder)
			tw_address_add(&text, &claim->event.subject.binder);
		fprintf(trial->story, "  # %.1f %s %s %s: %s\n", seconds(claim->at_usec),
			tw_event_name(claim->event.kind), claim->rule, subject, claim->event.reason);
	}
}

static struct world *play(const struct mix *mix, bool watched, enum tw_tunable forced, int64_t value)
{
	struct world *world = world_new(mix);

	if (forced < TW_TUNABLE_COUNT)
		world_force(world, forced, value);
	world->looks = !watched && forced == TW_TUNABLE_COUNT;
	world_play(world, watched);
	return world;
}

void score_mix(struct score *score, const struct mix *mix, FILE *story, bool whole)
{
	struct trial trial = { .story = story };
	bool buckets = false;

	trial.alone = play(mix, false, TW_TUNABLE_COUNT, 0);
	trial.watched = play(mix, true, TW_TUNABLE_COUNT, 0);
	for (unsigned i = 0; i < trial.alone->shortage_count; i++)
		buckets = buckets || trial.alone->shortages[i].cause == CAUSE_BUCKETS;
	if (trial.alone->shortage_count > 0 || trial.watched->watcher->claim_count > 0)
		trial.reusing = play(mix, false, TW_TUNABLE_TW_REUSE, 1);
	if (buckets)
		trial.larger = play(mix, false, TW_TUNABLE_MAX_TW_BUCKETS, 1 << 20);
	score->seeds++;
	for (unsigned i = 0; i < trial.alone->shortage_count; i++)
		if (trial.alone->shortages[i].failures >= FAILURES_MIN)
			judge_shortage(&trial, score, &trial.alone->shortages[i]);
	judge_claims(&trial, score);
	judge_owed(&trial, score);
	judge_contradictions(&trial, score);
	if (trial.losses > 0 && whole)
		tell_all(&trial);
	trial.alone = world_free(trial.alone);
	trial.watched = world_free(trial.watched);
	trial.reusing = world_free(trial.reusing);
	trial.larger = world_free(trial.larger);
}
