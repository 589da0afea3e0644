/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/registry.h"

#include "decide/survey-need.h"

/* While one rests, of so many activity reads one is deep. */
#define DEEP_EVERY 10
/* Ticks are stretched no further. */
#define STRETCH_MAX 60u
/* So much in one slice, an activity read being one (some 4 us) and a tick so many more: nobody waits long behind it. */
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
static bool stirs(struct tw_registry_entry *entry, const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_watch *watch = &entry->watch;
	struct tw_source *source = watch->edges.source;
	bool deep = now_usec >= entry->deep_due_usec;
	struct tw_activity activity;

	if (now_usec >= tw_watch_rescan_usec(watch, settings))
		return true;
	/* What cannot be read is for the tick to tell. */
	if (source->activity(source, deep, &activity) < 0 || !tw_gauge_has_activity(&watch->sample.gauge, &activity))
		return true;
	/* So that growth is seen against this moment, not against the last gauge. */
	tw_recent_peak_add(&watch->peak, tw_activity_tally(&activity, now_usec));
	if (deep) {
		entry->deep_due_usec = tw_usec_add(now_usec, times(settings->interval_usec, DEEP_EVERY));
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
	struct tw_activity activity;

	if (!source->activity || source->activity(source, false, &activity) < 0)
		return false;
	tally = tw_activity_tally(&activity, now_usec);
	watch->sample.peak = tw_recent_peak_highest(&watch->peak, now_usec);
	if (tw_policy_would_hurry(settings, &watch->sample, tally))
		return true; /* the tick that follows adds it */
	tw_recent_peak_add(&watch->peak, tally);
	return false;
}

static bool is_due(const struct tw_registry *registry, struct tw_registry_entry *entry,
		   const struct tw_settings *settings, usec_t now_usec)
{
	if (entry->resting)
		return stirs(entry, settings, now_usec);
	/* The loop comes a little early or late. */
	if (tw_usec_add(now_usec, settings->interval_usec / 8) >= entry->tick_due_usec)
		return true;
	return registry->stretch > 1 && rushes(&entry->watch, settings, now_usec);
}

/* Looks at one: an activity read, or a tick. Returns whether it was a tick. */
static bool tick_entry(struct tw_registry *registry, struct tw_registry_entry *entry,
		       const struct tw_settings *settings, struct tw_time time, struct tw_cpu_account *account)
{
	struct tw_watch *watch = &entry->watch;
	usec_t interval_usec, cost_usec;

	if (entry->leaves || !is_due(registry, entry, settings, time.now_usec))
		return false;
	entry->resting = false;
	if (entry->newcomer && watch->sample.census.at_usec != 0) {
		entry->newcomer = false;
		watch->charged = &watch->cpu_budget;
	}
	(void)account->enter(account, NULL);
	(void)tw_watch_tick(watch, settings, time);
	cost_usec = account->enter(account, &watch->cpu_budget);
	watch->sample.cost.tick_usec = cost_usec;
	registry->tick_cost_usec = registry->tick_cost_usec - registry->tick_cost_usec / 8 + cost_usec / 8;
	interval_usec = tw_watch_interval(watch, settings);
	if (!watch->hurries && !watch->ends_sockets)
		interval_usec = times(interval_usec, registry->stretch);
	entry->tick_due_usec = tw_usec_add(time.now_usec, interval_usec);
	if (watch->edges.source->activity && tw_watch_stands_still(watch)) {
		entry->resting = true;
		entry->deep_due_usec = tw_usec_add(time.now_usec, times(settings->interval_usec, DEEP_EVERY));
		watch->edges.source->rest(watch->edges.source);
	}
	return true;
}

/* So that all that are awake, at the cost of a tick as it is lately, stay within the part of the budget for them. */
static void set_stretch(struct tw_registry *registry, const struct tw_settings *settings)
{
	usec_t budget_usec = settings->interval_usec * (usec_t)settings->cpu_budget_milli / 100000;
	usec_t allowed_usec = TW_MAX(tw_usec_since(budget_usec, registry->own_cost_usec) / TICKS_SHARE,
				     budget_usec / TICKS_SHARE_LEAST);

	registry->awake = 0;
	for (unsigned i = 0; i < registry->count; i++)
		registry->awake += !registry->entries[i]->resting;
	registry->stretch = (unsigned)TW_MIN(registry->tick_cost_usec * registry->awake / TW_MAX(allowed_usec, 1u) + 1,
					     (usec_t)STRETCH_MAX);
}

bool tw_registry_tick(struct tw_registry *registry, const struct tw_settings *settings, struct tw_time time,
		      struct tw_cpu_account *account)
{
	unsigned units = 0;

	if (registry->taking_up && tw_registry_take_up(registry, settings, time.now_usec))
		return true;
	for (; registry->next_entry < registry->count && units < SLICE_UNITS; registry->next_entry++) {
		struct tw_registry_entry *entry = registry->entries[registry->next_entry];

		units += tick_entry(registry, entry, settings, time, account) ? TICK_UNITS : 1;
	}
	if (registry->next_entry < registry->count)
		return true;
	registry->next_entry = 0;
	set_stretch(registry, settings);
	return false;
}

void tw_registry_rebase(struct tw_registry *registry, const struct tw_settings *from, const struct tw_settings *to,
			struct tw_time time)
{
	for (unsigned i = 0; i < registry->count; i++) {
		struct tw_registry_entry *entry = registry->entries[i];

		tw_watch_rebase(&entry->watch, from, to, time);
		entry->resting = false;
		entry->tick_due_usec = TW_MIN(entry->tick_due_usec, tw_usec_add(time.now_usec, to->interval_usec));
		if (!tw_namespace_list_has(&to->namespaces, entry->namespace.name)) {
			entry->leaves = "the configuration does not have it any more";
			entry->watch.left = true;
		}
	}
	registry->look_due_usec = registry->processes_due_usec = 0;
}
