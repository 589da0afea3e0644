/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/manager.h"

#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One that rests is counted again after so many times `survey`. */
#define RESCAN_SURVEYS 10
/* While one rests, of so many activity reads one is deep. */
#define DEEP_EVERY 10
/* Ticks are stretched no further. */
#define STRETCH_MAX 60u
/* This part of the budget may go into ticks: some 60 us each, where an activity read takes 4. */
#define TICKS_SHARE 3

static void free_entry(struct tw_registry *registry, struct tw_registry_entry *entry)
{
	tw_watch_done(&entry->watch);
	registry->discovery->close(registry->discovery, &entry->watch.edges);
	free(entry);
}

void tw_registry_done(struct tw_registry *registry)
{
	for (unsigned i = 0; i < registry->count; i++)
		free_entry(registry, registry->entries[i]);
	free(registry->entries);
	*registry = (struct tw_registry){ 0 };
}

/* Where hundreds come and go, a record each would be more than anybody reads. */
static void tell_news(struct tw_registry *registry, struct tw_registry_news *news, enum tw_event_kind kind,
		      const struct tw_namespace *namespace, const char *reason, usec_t now_usec)
{
	if (tw_usec_since(now_usec, news->since_usec) >= TW_USEC_PER_MINUTE) {
		news->since_usec = now_usec;
		news->told = 0;
	}
	if (news->told == TW_REGISTRY_TOLD_MAX) {
		news->untold++;
		return;
	}
	news->told++;
	if (news->untold > 0)
		tw_recorder_tell(registry->recorder, namespace->name, kind, TW_SEVERITY_INFO,
				 "%s%s%u more were not told of", reason, reason[0] ? "; " : "", news->untold);
	else
		tw_recorder_tell(registry->recorder, namespace->name, kind, TW_SEVERITY_INFO, "%s", reason);
	news->untold = 0;
}

/* ---- the look */

bool tw_registry_begin_look(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	bool open = tw_namespace_list_is_open(&settings->namespaces);

	if (!registry->discovery || !tw_namespace_list_is_wide(&settings->namespaces) ||
	    now_usec < TW_MIN(registry->look_due_usec, registry->processes_due_usec))
		return false;
	registry->looking = true;
	registry->looks_at_processes = open && now_usec >= registry->processes_due_usec;
	/* Half of `survey`, so that whoever comes or goes right behind a look is found within a whole one. */
	registry->look_due_usec = tw_usec_add(now_usec, TW_MIN(settings->census_usec, settings->survey_usec / 2));
	if (registry->looks_at_processes || !open)
		registry->processes_due_usec = tw_usec_add(now_usec, settings->survey_usec / 2);
	for (unsigned i = 0; i < registry->count; i++)
		registry->entries[i]->seen = false;
	registry->discovery->look(registry->discovery, registry->looks_at_processes);
	return true;
}

int tw_registry_step(void *context)
{
	struct tw_registry *registry = context;

	return registry->discovery->step(registry->discovery);
}

static struct tw_registry_entry *find_entry(const struct tw_registry *registry, uint64_t id)
{
	for (unsigned i = 0; i < registry->count; i++)
		if (registry->entries[i]->namespace.id == id)
			return registry->entries[i];
	return NULL;
}

/* A look for names alone says nothing of those that have none; one that lost its name may still have a process. */
static void mark(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	bool open = tw_namespace_list_is_open(&settings->namespaces), named;
	const struct tw_namespace *namespace;
	struct tw_registry_entry *entry;

	for (unsigned i = 0; (namespace = registry->discovery->found(registry->discovery, i, &named)); i++) {
		entry = find_entry(registry, namespace->id);
		if (!entry)
			continue;
		entry->seen = true;
		entry->named = named;
	}
	for (unsigned i = 0; i < registry->count; i++) {
		entry = registry->entries[i];
		if (entry->seen || entry->leaves)
			continue;
		if (!open || registry->looks_at_processes)
			entry->leaves = "nobody is in it any more, and it has no name";
		else if (entry->named)
			registry->processes_due_usec = TW_MIN(registry->processes_due_usec, now_usec);
	}
}

/* ---- those that come */

static struct tw_registry_entry *find_called(const struct tw_registry *registry, const char *name)
{
	for (unsigned i = 0; i < registry->count; i++)
		if (strcmp(registry->entries[i]->namespace.name, name) == 0)
			return registry->entries[i];
	return NULL;
}

/*
 * Whether a newcomer waits for who is called the same, and was made anew perhaps, to go: called differently, it would
 * not be the one that the configuration names. Of one that has lost its name it shows by the next look at
 * processes whether anybody is left in it; then the name goes over, and the rules that name it are no longer for the
 * one that had it.
 */
static bool waits_for_name(struct tw_registry *registry, const struct tw_namespace *namespace, bool named,
			   const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_registry_entry *entry = find_called(registry, namespace->name);

	if (!entry)
		return false;
	if (named && entry->named && !entry->seen) {
		registry->look_due_usec = TW_MIN(registry->look_due_usec, now_usec);
		registry->processes_due_usec = TW_MIN(registry->processes_due_usec, now_usec);
		return true;
	}
	if (named && !entry->named) {
		tw_namespace_tell_apart(&entry->namespace);
		tw_policy_init(&entry->watch.policy, settings, entry->watch.name);
	}
	return false;
}

static int open_entry(struct tw_registry *registry, unsigned index, const struct tw_namespace *namespace, bool named,
		      const struct tw_settings *settings)
{
	TW_CLEANUP_FREE struct tw_registry_entry *entry = calloc(1, sizeof(*entry));
	struct tw_registry_entry **entries =
		realloc(registry->entries, (registry->count + 1) * sizeof(struct tw_registry_entry *));
	struct tw_watch_edges edges;
	int r;

	if (entries)
		registry->entries = entries;
	if (!entry || !entries)
		return -ENOMEM;
	r = registry->discovery->open(registry->discovery, index, &edges);
	if (r < 0)
		return r;
	entry->namespace = *namespace;
	if (find_called(registry, namespace->name) || strcmp(namespace->name, TW_NAMESPACE_HOST) == 0)
		tw_namespace_tell_apart(&entry->namespace);
	entry->named = named;
	entry->seen = true;
	tw_watch_init(&entry->watch, entry->namespace.name, &edges, registry->scratch, settings);
	entry->watch.charged = &registry->newcomers;
	/* By the first tick. Without memory now, when a rule wants something. */
	if (edges.owes)
		(void)tw_watch_make_ready(&entry->watch);
	registry->entries[registry->count++] = TW_TAKE_PTR(entry);
	return 0;
}

/* One that is gone by now needs no word. All others fail for the same reason: it is told once. */
static void tell_closed(struct tw_registry *registry, const struct tw_namespace *namespace, int error)
{
	const char *hint = "";

	if (error == -ENOENT || error == -ESTALE || error == -ESRCH || registry->failed_told)
		return;
	registry->failed_told = true;
	if (error == -EPERM || error == -EACCES)
		hint = "; to enter another network namespace takes CAP_SYS_ADMIN, see timewaitd.conf(5)";
	else if (error == -EMFILE)
		hint = "; each one takes four descriptors and more, see LimitNOFILE= of the unit";
	tw_recorder_tell(registry->recorder, namespace->name, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING,
			 "it cannot be watched: %s%s", strerror(-error), hint);
}

static void take_up(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	const struct tw_namespace *namespace;
	bool named, failed = false;

	for (unsigned i = 0; (namespace = registry->discovery->found(registry->discovery, i, &named)); i++) {
		int r;

		if (find_entry(registry, namespace->id) ||
		    !tw_namespace_list_has(&settings->namespaces, namespace->name) ||
		    waits_for_name(registry, namespace, named, settings, now_usec))
			continue;
		r = open_entry(registry, i, namespace, named, settings);
		if (r < 0)
			tell_closed(registry, namespace, r);
		else
			tell_news(registry, &registry->come, TW_EVENT_NAMESPACE_NEW,
				  &registry->entries[registry->count - 1]->namespace, "", now_usec);
		failed = failed || r < 0;
	}
	registry->failed_told = registry->failed_told && failed;
}

/* ---- those that go */

static void let_go(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < registry->count; i++) {
		struct tw_registry_entry *entry = registry->entries[i];

		if (!entry->leaves || entry->watch.job != TW_WATCH_IDLE) {
			registry->entries[kept++] = entry;
			continue;
		}
		tw_watch_leave(&entry->watch, settings, now_usec, entry->leaves);
		/* What stays owed stands in its ledger, and is put back when the namespace is taken up again, or at the
		 * next start if it is there then. */
		(void)tw_watch_restore(&entry->watch);
		tell_news(registry, &registry->gone, TW_EVENT_NAMESPACE_GONE, &entry->namespace, entry->leaves,
			  now_usec);
		free_entry(registry, entry);
	}
	registry->count = kept;
}

void tw_registry_end_look(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec, int result)
{
	bool denied = registry->looks_at_processes && registry->discovery->denied(registry->discovery);

	registry->looking = false;
	if (result < 0) {
		if (!registry->failed_told)
			tw_recorder_tell(registry->recorder, TW_NAMESPACE_HOST, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING,
					 "cannot look for network namespaces: %s; those that are known stay watched",
					 strerror(-result));
		registry->failed_told = true;
		return;
	}
	if (denied && !registry->denied_told)
		tw_recorder_tell(registry->recorder, TW_NAMESPACE_HOST, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING,
				 "most processes may not be asked for their network namespaces, so that those without "
				 "a name are not found: that takes CAP_SYS_PTRACE, see timewaitd.conf(5)");
	if (registry->looks_at_processes)
		registry->denied_told = denied;
	mark(registry, settings, now_usec);
	/* No job is under way. Before others are taken up, which may be called the same. */
	let_go(registry, settings, now_usec);
	take_up(registry, settings, now_usec);
}

/* ---- ticks */

/*
 * Whether it is time for a tick. Of one that rests: whether something has happened in it, or the time has come to look
 * at it closely. Of one whose ticks are stretched: whether it cannot wait, since ports do not.
 */
static bool is_due(const struct tw_registry *registry, struct tw_registry_entry *entry,
		   const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_watch *watch = &entry->watch;
	struct tw_source *source = watch->edges.source;
	bool deep = entry->resting && now_usec >= entry->deep_due_usec;
	struct tw_activity activity;

	if (entry->resting &&
	    tw_usec_since(now_usec, watch->sample.census.at_usec) >= RESCAN_SURVEYS * settings->survey_usec)
		return true;
	/* The loop comes a little early or late. */
	if (!entry->resting && tw_usec_add(now_usec, settings->interval_usec / 8) >= entry->tick_due_usec)
		return true;
	if (!entry->resting && (registry->stretch == 1 || !source->activity))
		return false;
	/* What cannot be read is for the tick to tell. */
	if (source->activity(source, deep, &activity) < 0)
		return entry->resting;
	if (entry->resting && !tw_gauge_has_activity(&watch->sample.gauge, &activity))
		return true;
	watch->sample.peak = tw_recent_peak_highest(&watch->peak, now_usec);
	if (!entry->resting && tw_policy_hurries(settings, &watch->sample, tw_activity_tally(&activity, now_usec)))
		return true; /* the tick that follows adds it */
	/* So that growth is seen against this moment, not against the last gauge. */
	tw_recent_peak_add(&watch->peak, tw_activity_tally(&activity, now_usec));
	if (!deep)
		return false;
	entry->deep_due_usec = tw_usec_add(now_usec, DEEP_EVERY * settings->interval_usec);
	tw_watch_confirm(watch, settings, now_usec);
	return !tw_policy_rests(&watch->policy);
}

static void tick_entry(const struct tw_registry *registry, struct tw_registry_entry *entry,
		       const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_watch *watch = &entry->watch;
	usec_t interval_usec;

	if (watch->sample.census.at_usec != 0)
		watch->charged = &watch->debt;
	(void)tw_watch_tick(watch, settings, now_usec);
	interval_usec = tw_watch_interval(watch, settings);
	if (!watch->hurries && !watch->ends_sockets)
		interval_usec *= registry->stretch;
	entry->tick_due_usec = tw_usec_add(now_usec, interval_usec);
	entry->resting = watch->edges.source->activity && tw_watch_stands_still(watch);
	if (entry->resting) {
		entry->deep_due_usec = tw_usec_add(now_usec, DEEP_EVERY * settings->interval_usec);
		watch->edges.source->rest(watch->edges.source);
	}
}

usec_t tw_registry_tick(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	usec_t allowed_usec = settings->interval_usec * (usec_t)settings->cpu_budget_milli / 100000 / TICKS_SHARE;
	usec_t cost_usec = 0, owed_usec = 0; /* of a tick of each that is awake, and of those of this round */

	let_go(registry, settings, now_usec);
	for (unsigned i = 0; i < registry->count; i++) {
		struct tw_registry_entry *entry = registry->entries[i];

		if (!entry->leaves && is_due(registry, entry, settings, now_usec)) {
			tick_entry(registry, entry, settings, now_usec);
			owed_usec += entry->watch.sample.cost.tick_usec;
			tw_debt_owe(&entry->watch.debt.owed_usec, entry->watch.sample.cost.tick_usec);
		}
		if (!entry->resting)
			cost_usec += entry->watch.sample.cost.tick_usec;
	}
	registry->stretch = (unsigned)TW_MIN(cost_usec / TW_MAX(allowed_usec, 1u) + 1, (usec_t)STRETCH_MAX);
	return owed_usec;
}

void tw_registry_rebase(struct tw_registry *registry, const struct tw_settings *from, const struct tw_settings *to,
			usec_t now_usec)
{
	for (unsigned i = 0; i < registry->count; i++) {
		struct tw_registry_entry *entry = registry->entries[i];

		tw_watch_rebase(&entry->watch, from, to, now_usec);
		entry->resting = false;
		entry->tick_due_usec = TW_MIN(entry->tick_due_usec, tw_usec_add(now_usec, to->interval_usec));
		if (!tw_namespace_list_has(&to->namespaces, entry->namespace.name)) {
			entry->leaves = "the configuration does not have it any more";
			entry->watch.left = true;
		}
	}
	registry->look_due_usec = registry->processes_due_usec = 0;
}
