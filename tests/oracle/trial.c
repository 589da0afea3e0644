/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle/trial.h"

#include "base/macros.h"

#include <string.h>

/* ---- what would have helped */

static unsigned failures_of(const struct world *world, const struct world_shortage *like)
{
	unsigned failures = 0;

	for (unsigned i = 0; i < world->shortage_count; i++) {
		const struct world_shortage *other = &world->shortages[i];

		/* What is blocked for all is one shortage whichever destination failed first. */
		if (other->program == like->program &&
		    (other->cause == CAUSE_BUCKETS) == (like->cause == CAUSE_BUCKETS) &&
		    (other->remote == like->remote || trial_is_exclusive(like) || trial_is_exclusive(other)) &&
		    other->first_usec <= like->last_usec + WORLD_GAP_USEC && other->last_usec >= like->first_usec)
			failures += other->failures;
	}
	return failures;
}

enum tw_tunable trial_remedy_of(const struct world_shortage *shortage)
{
	return shortage->cause == CAUSE_BUCKETS ? TW_TUNABLE_MAX_TW_BUCKETS : TW_TUNABLE_TW_REUSE;
}

enum help trial_help_of(const struct trial *trial, const struct world_shortage *shortage)
{
	const struct world *forced = shortage->cause == CAUSE_BUCKETS ? trial->larger : trial->reusing;
	uint64_t before = shortage->failures, after;

	if (shortage->cause == CAUSE_QUEUE)
		return HELP_NONE;
	/* Nobody was short of those where the watcher was not. */
	if (!forced)
		return HELP_UNSURE;
	after = failures_of(forced, shortage);
	if (after * 10 >= before * 9)
		return HELP_NONE;
	return after * 2 <= before && (before - after) * (before - after) > 4 * (before + after) ? HELP_SURE
												 : HELP_UNSURE;
}

/* ---- what was said */

bool trial_is_exclusive(const struct world_shortage *shortage)
{
	return shortage->cause == CAUSE_BOUND || shortage->cause == CAUSE_BOUND_FIRST;
}

bool trial_is_about(const struct trial *trial, const struct world_shortage *shortage, const struct tw_event *event)
{
	const struct tw_subject *subject = &event->subject;
	const struct net *net = trial->alone->net;

	if (shortage->cause == CAUSE_BUCKETS)
		return event->metric == TW_METRIC_TIME_WAIT_OVERFLOW;
	if (shortage->cause == CAUSE_QUEUE)
		return (event->metric == TW_METRIC_ACCEPT_QUEUE || event->metric == TW_METRIC_LISTEN_OVERFLOW) &&
		       subject->has_listener &&
		       subject->listener.port == trial->alone->programs[shortage->program]->port;
	if (trial_is_exclusive(shortage))
		return subject->holds_for_all;
	/* bind() finds the ports of its address taken: it is that address's trouble, wherever the program goes then. */
	if (shortage->by_bind)
		return subject->has_binder &&
		       tw_address_equal(&subject->binder, &net->addresses[shortage->local].address);
	return subject->has_destination && subject->destination.port == shortage->port &&
	       tw_address_equal(&subject->destination.source, &net->addresses[shortage->local].address) &&
	       tw_address_equal(&subject->destination.destination, &net->addresses[shortage->remote].address);
}

const struct watcher_claim *trial_find_raised(const struct trial *trial, const struct world_shortage *shortage)
{
	const struct watcher *watcher = trial->watched->watcher;
	/* Of an address there may be two: what it takes from all, and what it is left. */
	const struct watcher_claim *found[2] = { 0 };

	for (unsigned i = 0; i < watcher->claim_count; i++) {
		const struct watcher_claim *claim = &watcher->claims[i];
		const struct watcher_claim **one = &found[claim->event.subject.holds_for_all];

		if (claim->at_usec > shortage->first_usec + NAMED_WITHIN_USEC)
			break;
		if (!trial_is_about(trial, shortage, &claim->event))
			continue;
		if (claim->event.kind == TW_EVENT_RAISED && !*one)
			*one = claim;
		if (claim->event.kind == TW_EVENT_CLEARED && claim->at_usec < shortage->first_usec)
			*one = NULL;
	}
	if (found[0] && found[1])
		return found[0]->at_usec <= found[1]->at_usec ? found[0] : found[1];
	return found[0] ? found[0] : found[1];
}

const struct watcher_claim *trial_find_last(const struct trial *trial, const struct world_shortage *shortage,
					    usec_t from_usec, enum tw_event_kind kind)
{
	const struct watcher *watcher = trial->watched->watcher;
	const struct watcher_claim *found = NULL;

	for (unsigned i = 0; i < watcher->claim_count; i++) {
		const struct watcher_claim *claim = &watcher->claims[i];

		if (claim->at_usec < from_usec || claim->at_usec > shortage->last_usec + NAMED_WITHIN_USEC)
			continue;
		if (claim->event.kind == kind && trial_is_about(trial, shortage, &claim->event))
			found = claim;
	}
	return found;
}

/*
 * What was said last of a tunable, up to that moment: whether the watcher's change is in force, or left to others. That
 * ends without a word once no alert of the rule stands.
 */
static enum tw_event_kind last_said(const struct trial *trial, enum tw_tunable tunable, usec_t at_usec)
{
	const struct watcher *watcher = trial->watched->watcher;
	const struct watcher_claim *last = NULL;

	for (unsigned i = 0; i < watcher->claim_count && watcher->claims[i].at_usec <= at_usec; i++) {
		const struct watcher_claim *claim = &watcher->claims[i];

		if (watcher_is_change(claim, tunable))
			last = claim;
		else if (last && last->event.kind == TW_EVENT_YIELDED && claim->event.kind == TW_EVENT_CLEARED &&
			 watcher_standing(watcher, 0, i + 1, last->rule) == 0)
			last = NULL;
	}
	return last ? last->event.kind : TW_EVENT_COUNT;
}

bool trial_is_in_force(const struct trial *trial, enum tw_tunable tunable, usec_t at_usec)
{
	return last_said(trial, tunable, at_usec) == TW_EVENT_ADJUSTED;
}

bool trial_is_remedy_near(const struct trial *trial, const struct world_shortage *shortage)
{
	static const enum tw_tunable all[] = { TW_TUNABLE_TW_REUSE, TW_TUNABLE_MAX_TW_BUCKETS };

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (trial_is_in_force(trial, all[i], shortage->first_usec) ||
		    trial_is_in_force(trial, all[i], shortage->last_usec))
			return true;
	return false;
}

bool trial_is_yielded(const struct trial *trial, enum tw_tunable tunable, usec_t at_usec)
{
	return last_said(trial, tunable, at_usec) == TW_EVENT_YIELDED;
}

/* What waits is told as what most is, or by why it cannot be taken over; "0% by TIME-WAIT" says the contrary. */
static bool names_time_wait(const char *reason)
{
	return strstr(reason, "most by TIME-WAIT") || strstr(reason, "then by TIME-WAIT") ||
	       strstr(reason, "no TCP timestamps") || strstr(reason, "tcp_timestamps");
}

static bool names_cause(enum world_cause cause, const char *reason)
{
	static const char *const words[CAUSE_COUNT] = {
		[CAUSE_ESTABLISHED] = "(ESTABLISHED)",
		[CAUSE_SYN_SENT] = "(SYN-SENT)",
		[CAUSE_ORPHANED] = "FIN-WAIT-2: closed here",
		[CAUSE_CLOSE_WAIT] = "CLOSE-WAIT: the peer",
		[CAUSE_BOUND_FIRST] = "were taken by bind() before connect()",
		[CAUSE_BOUND] = "listen or are bound",
	};

	if (cause == CAUSE_TIME_WAIT)
		return names_time_wait(reason);
	return words[cause] && strstr(reason, words[cause]);
}

/* The one that holds most ports, or one of nearly as many. */
static bool names_state(const struct world_shortage *shortage, const char *reason)
{
	for (unsigned i = 1; i < CAUSE_QUEUE; i++)
		if (shortage->causes >> i & 1 && names_cause((enum world_cause)i, reason))
			return true;
	return false;
}

/* Whether something was said about it, from one moment to another, that says so. */
static bool is_said(const struct trial *trial, const struct world_shortage *shortage, usec_t from_usec,
		    usec_t until_usec,
		    bool (*says)(const struct world_shortage *shortage, const struct tw_event *event))
{
	const struct watcher *watcher = trial->watched->watcher;

	for (unsigned i = 0; i < watcher->claim_count; i++) {
		const struct watcher_claim *claim = &watcher->claims[i];

		if (claim->at_usec >= from_usec && claim->at_usec <= until_usec &&
		    trial_is_about(trial, shortage, &claim->event) && says(shortage, &claim->event))
			return true;
	}
	return false;
}

static bool says_state(const struct world_shortage *shortage, const struct tw_event *event)
{
	return (event->kind == TW_EVENT_REFUSED || event->kind == TW_EVENT_EFFECT) &&
	       names_state(shortage, event->reason);
}

static bool says_left(const struct world_shortage *shortage TW_UNUSED, const struct tw_event *event)
{
	return event->kind == TW_EVENT_REFUSED && strstr(event->reason, "would give back its");
}

bool trial_is_state_said(const struct trial *trial, const struct world_shortage *shortage, usec_t from_usec)
{
	return is_said(trial, shortage, from_usec, shortage->last_usec + NAMED_WITHIN_USEC, says_state);
}

bool trial_is_left_said(const struct trial *trial, const struct world_shortage *shortage, usec_t from_usec)
{
	return is_said(trial, shortage, from_usec,
		       TW_MIN(shortage->last_usec, shortage->first_usec + NAMED_WITHIN_USEC), says_left);
}
