/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/roster.h"

#include "decide/survey-need.h"

/* While one rests, of so many pulses one is deep. */
#define DEEP_EVERY 10
/* Ticks are stretched no further. */
#define STRETCH_MAX 60u
/* So much in one slice, a pulse being one (some 4 us) and a tick so many more: nobody waits long behind it. */
#define SLICE_UNITS 1024u
#define TICK_UNITS 20u
/* Of what the budget leaves for namespaces, ticks may take this part; of all of it in any case that one. */
#define TICKS_SHARE 2
#define TICKS_SHARE_LEAST 8

static usec_t times(usec_t span_usec, unsigned factor)
{
	return span_usec > TW_USEC_INFINITY / factor ? TW_USEC_INFINITY : span_usec * factor;
}

/* Whether something has happened in one that rests, or the time has come to look at it closely. */
static bool stirs(struct tw_post *post, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_watch *watch = &post->watch;
	struct tw_source *source = watch->edges.source;
	bool deep = now_usec >= post->deep_due_usec;
	struct tw_pulse pulse;

	if (now_usec >= tw_watch_rescan_usec(watch, settings))
		return true;
	/* What cannot be read is for the tick to tell. */
	if (source->pulse(source, deep, &pulse) < 0 || !tw_gauge_has_pulse(&watch->sample.gauge, &pulse))
		return true;
	/* So that growth is seen against this moment, not against the last gauge. */
	tw_recent_peak_add(&watch->peak, tw_pulse_tally(&pulse, now_usec));
	if (deep) {
		post->deep_due_usec = tw_usec_add(now_usec, times(settings->interval_usec, DEEP_EVERY));
		tw_watch_confirm(watch, settings, now_usec);
		return !tw_policy_rests(&watch->policy);
	}
	return false;
}

/* Ports do not wait for a stretched tick. */
static bool rushes(struct tw_watch *watch, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_source *source = watch->edges.source;
	struct tw_tally tally;
	struct tw_pulse pulse;

	if (!source->pulse || source->pulse(source, false, &pulse) < 0)
		return false;
	tally = tw_pulse_tally(&pulse, now_usec);
	watch->sample.peak = tw_recent_peak_highest(&watch->peak, now_usec);
	if (tw_policy_would_hurry(settings, &watch->sample, tally))
		return true; /* the tick that follows adds it */
	tw_recent_peak_add(&watch->peak, tally);
	return false;
}

static bool is_due(const struct tw_roster *roster, struct tw_post *post, const struct tw_settings *settings,
		   usec_t now_usec)
{
	if (post->resting)
		return stirs(post, settings, now_usec);
	/* The loop comes a little early or late. */
	if (tw_usec_add(now_usec, settings->interval_usec / 8) >= post->tick_due_usec)
		return true;
	return roster->stretch > 1 && rushes(&post->watch, settings, now_usec);
}

/* Looks at one: a pulse, or a tick. Returns whether it was a tick. */
static bool tick_post(struct tw_roster *roster, struct tw_post *post, const struct tw_settings *settings,
		      struct tw_time time, struct tw_book *book)
{
	struct tw_watch *watch = &post->watch;
	usec_t interval_usec, cost_usec;

	if (post->leaves || !is_due(roster, post, settings, time.now_usec))
		return false;
	post->resting = false;
	if (post->newcomer && watch->sample.census.at_usec != 0) {
		post->newcomer = false;
		watch->payer = &watch->meter;
	}
	(void)book->enter(book, NULL);
	(void)tw_watch_tick(watch, settings, time);
	cost_usec = book->enter(book, &watch->meter);
	watch->sample.cost.tick_usec = cost_usec;
	roster->tick_cost_usec = roster->tick_cost_usec - roster->tick_cost_usec / 8 + cost_usec / 8;
	interval_usec = tw_watch_interval(watch, settings);
	if (!watch->hurries && !watch->ends_sockets)
		interval_usec = times(interval_usec, roster->stretch);
	post->tick_due_usec = tw_usec_add(time.now_usec, interval_usec);
	if (watch->edges.source->pulse && tw_watch_stands_still(watch)) {
		post->resting = true;
		post->deep_due_usec = tw_usec_add(time.now_usec, times(settings->interval_usec, DEEP_EVERY));
		watch->edges.source->rest(watch->edges.source);
	}
	return true;
}

/* So that all that are awake, at the cost of a tick as it is lately, stay within the part of the budget for them. */
static void set_stretch(struct tw_roster *roster, const struct tw_settings *settings)
{
	usec_t budget_usec = settings->interval_usec * (usec_t)settings->cpu_budget_milli / 100000;
	usec_t allowed_usec = TW_MAX(tw_usec_since(budget_usec, roster->own_cost_usec) / TICKS_SHARE,
				     budget_usec / TICKS_SHARE_LEAST);

	roster->awake = 0;
	for (unsigned i = 0; i < roster->count; i++)
		roster->awake += !roster->posts[i]->resting;
	roster->stretch = (unsigned)TW_MIN(roster->tick_cost_usec * roster->awake / TW_MAX(allowed_usec, 1u) + 1,
					   (usec_t)STRETCH_MAX);
}

bool tw_roster_tick(struct tw_roster *roster, const struct tw_settings *settings, struct tw_time time,
		    struct tw_book *book)
{
	unsigned units = 0;

	if (roster->taking_up && tw_roster_take_up(roster, settings, time.now_usec))
		return true;
	for (; roster->next_post < roster->count && units < SLICE_UNITS; roster->next_post++) {
		struct tw_post *post = roster->posts[roster->next_post];

		units += tick_post(roster, post, settings, time, book) ? TICK_UNITS : 1;
	}
	if (roster->next_post < roster->count)
		return true;
	roster->next_post = 0;
	set_stretch(roster, settings);
	return false;
}

void tw_roster_rebase(struct tw_roster *roster, const struct tw_settings *from, const struct tw_settings *to,
		      struct tw_time time)
{
	for (unsigned i = 0; i < roster->count; i++) {
		struct tw_post *post = roster->posts[i];

		tw_watch_rebase(&post->watch, from, to, time);
		post->resting = false;
		post->tick_due_usec = TW_MIN(post->tick_due_usec, tw_usec_add(time.now_usec, to->interval_usec));
		if (!tw_namespace_list_has(&to->namespaces, post->namespace.name)) {
			post->leaves = "the configuration does not have it any more";
			post->watch.left = true;
		}
	}
	roster->look_due_usec = roster->processes_due_usec = 0;
}
