/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/registry.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 8u

void tw_registry_init(struct tw_registry *registry, struct tw_discovery *discovery, struct tw_scratch *room,
		      struct tw_recorder *recorder)
{
	registry->discovery = discovery;
	registry->room = room;
	registry->recorder = recorder;
	registry->stretch = 1;
}

static void free_entry(struct tw_registry *registry, struct tw_registry_entry *entry)
{
	tw_watch_done(&entry->watch);
	registry->discovery->close(registry->discovery, &entry->watch.edges);
	free(entry);
}

void tw_registry_done(struct tw_registry *registry)
{
	struct tw_worker_end end;

	if (registry->looking && registry->room->worker) {
		tw_worker_give_up(registry->room->worker);
		tw_worker_wait(registry->room->worker, &end);
	}
	for (unsigned i = 0; i < registry->count; i++)
		free_entry(registry, registry->entries[i]);
	free(registry->entries);
	*registry = (struct tw_registry){ 0 };
}

/* ---- the look */

bool tw_registry_look_is_due(const struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	return registry->discovery && !registry->looking && !registry->taking_up &&
	       tw_namespace_list_is_wide(&settings->namespaces) &&
	       now_usec >= TW_MIN(registry->look_due_usec, registry->processes_due_usec);
}

static int step_look(void *context)
{
	struct tw_registry *registry = context;

	return registry->discovery->step(registry->discovery);
}

/* Half of `survey`, so that whoever comes or goes right behind a look is found within a whole one. */
void tw_registry_begin_look(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	bool processes = tw_namespace_list_is_open(&settings->namespaces) && now_usec >= registry->processes_due_usec;

	registry->looking = true;
	registry->looks_at_processes = processes;
	registry->look_due_usec = tw_usec_add(now_usec, TW_MIN(settings->census_usec, settings->survey_usec / 2));
	if (processes || !tw_namespace_list_is_open(&settings->namespaces))
		registry->processes_due_usec = tw_usec_add(now_usec, settings->survey_usec / 2);
	for (unsigned i = 0; i < registry->count; i++)
		registry->entries[i]->seen = false;
	registry->discovery->look(registry->discovery, processes);
	if (registry->room->worker)
		tw_worker_start(registry->room->worker, step_look, registry);
}

static void tell(struct tw_registry *registry, enum tw_event_kind kind, enum tw_severity severity,
		 const char *namespace, const char *reason)
{
	struct tw_event event = { .kind = kind, .severity = severity };

	(void)tw_text_copy(event.reason, sizeof(event.reason), reason);
	registry->recorder->tell(registry->recorder, namespace, &event);
}

/* Where hundreds come and go, a record each would be more than anybody reads. */
static void tell_news(struct tw_registry *registry, struct tw_registry_news *news, enum tw_event_kind kind,
		      const struct tw_namespace *namespace, const char *reason, usec_t now_usec)
{
	char bytes[TW_REASON_MAX];
	struct tw_text text;

	if (tw_usec_since(now_usec, news->since_usec) >= TW_USEC_PER_MINUTE) {
		news->since_usec = now_usec;
		news->told = 0;
	}
	if (news->told == TW_REGISTRY_TOLD_MAX) {
		news->untold++;
		return;
	}
	news->told++;
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_add(&text, reason);
	if (news->untold > 0)
		tw_text_addf(&text, "%s%u more were not told of", reason[0] ? "; " : "", news->untold);
	news->untold = 0;
	tell(registry, kind, TW_SEVERITY_INFO, namespace->name, bytes);
}

/* ---- those that come */

static struct tw_registry_entry *find_entry(const struct tw_registry *registry, uint64_t id)
{
	for (unsigned i = 0; i < registry->count; i++)
		if (registry->entries[i]->namespace.id == id)
			return registry->entries[i];
	return NULL;
}

static struct tw_registry_entry *find_called(const struct tw_registry *registry, const char *name)
{
	for (unsigned i = 0; i < registry->count; i++)
		if (strcmp(registry->entries[i]->namespace.name, name) == 0)
			return registry->entries[i];
	return NULL;
}

static bool is_taken(const struct tw_registry *registry, const char *name)
{
	return find_called(registry, name) || strcmp(name, TW_NAMESPACE_HOST) == 0;
}

/* Another has its name under /run/netns now: the rules that name it are no longer for this one. */
static void give_up_name(struct tw_registry_entry *entry, const struct tw_settings *settings)
{
	tw_namespace_tell_apart(&entry->namespace);
	tw_policy_init(&entry->watch.policy, settings, entry->watch.name);
}

/*
 * Whether a newcomer waits for who is called the same, and was made anew perhaps, to be let go: called differently, it
 * would not be the one that the configuration names. Of one that has lost its name it shows by the next look at
 * processes whether anybody is left in it; then the name goes over.
 */
static bool waits_for_name(struct tw_registry *registry, const struct tw_namespace *namespace, bool named,
			   const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_registry_entry *entry = find_called(registry, namespace->name);

	if (!entry)
		return false;
	if (entry->leaves || (named && entry->named && !entry->seen)) {
		registry->look_due_usec = TW_MIN(registry->look_due_usec, now_usec);
		registry->processes_due_usec = TW_MIN(registry->processes_due_usec, now_usec);
		return true;
	}
	if (named && !entry->named)
		give_up_name(entry, settings);
	return false;
}

static int make_room(struct tw_registry *registry)
{
	unsigned capacity = TW_MAX(ROOM_MIN, 2 * registry->capacity);
	struct tw_registry_entry **entries;

	if (registry->count < registry->capacity)
		return 0;
	entries = realloc(registry->entries, capacity * sizeof(struct tw_registry_entry *));
	if (!entries)
		return -ENOMEM;
	registry->entries = entries;
	registry->capacity = capacity;
	return 0;
}

static int open_entry(struct tw_registry *registry, unsigned index, const struct tw_namespace *namespace, bool named,
		      const struct tw_settings *settings)
{
	TW_CLEANUP_FREE struct tw_registry_entry *entry = calloc(1, sizeof(*entry));
	struct tw_watch_edges edges;
	int r = entry ? make_room(registry) : -ENOMEM;

	if (r >= 0)
		r = registry->discovery->open(registry->discovery, index, &edges);
	if (r < 0)
		return r;
	entry->namespace = *namespace;
	if (is_taken(registry, namespace->name))
		tw_namespace_tell_apart(&entry->namespace);
	entry->named = named;
	entry->seen = entry->newcomer = true;
	tw_watch_init(&entry->watch, entry->namespace.name, &edges, registry->room, settings);
	entry->watch.spared = true;
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
	char bytes[TW_REASON_MAX];
	struct tw_text text;

	if (error == -ENOENT || error == -ESTALE || error == -ESRCH || registry->failed_told)
		return;
	registry->failed_told = true;
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_addf(&text, "it cannot be watched: %s", strerror(-error));
	if (error == -EPERM || error == -EACCES)
		tw_text_add(&text, "; to enter another network namespace takes CAP_SYS_ADMIN, see timewaitd.conf(5)");
	if (error == -EMFILE)
		tw_text_add(&text, "; each one takes four descriptors and more, see LimitNOFILE= of the unit");
	tell(registry, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING, namespace->name, bytes);
}

static void take_up_one(struct tw_registry *registry, unsigned index, const struct tw_namespace *namespace, bool named,
			const struct tw_settings *settings, usec_t now_usec)
{
	int r = open_entry(registry, index, namespace, named, settings);

	if (r < 0) {
		tell_closed(registry, namespace, r);
		registry->failed++;
		return;
	}
	tell_news(registry, &registry->come, TW_EVENT_NAMESPACE_NEW, &registry->entries[registry->count - 1]->namespace,
		  "", now_usec);
}

bool tw_registry_take_up(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	for (unsigned taken = 0; taken < TW_REGISTRY_TAKE_UP_MAX; registry->next_found++) {
		bool named;
		const struct tw_namespace *namespace =
			registry->discovery->found(registry->discovery, registry->next_found, &named);

		if (!namespace) {
			registry->failed_told = registry->failed_told && registry->failed > 0;
			registry->taking_up = false;
			return false;
		}
		if (find_entry(registry, namespace->id) ||
		    !tw_namespace_list_has(&settings->namespaces, namespace->name) ||
		    waits_for_name(registry, namespace, named, settings, now_usec))
			continue;
		take_up_one(registry, registry->next_found, namespace, named, settings, now_usec);
		taken++;
	}
	return true;
}

/* ---- those that go */

static void mark_seen(struct tw_registry *registry)
{
	const struct tw_namespace *namespace;
	bool named;

	for (unsigned i = 0; (namespace = registry->discovery->found(registry->discovery, i, &named)); i++) {
		struct tw_registry_entry *entry = find_entry(registry, namespace->id);

		if (!entry)
			continue;
		entry->seen = true;
		entry->named = named;
	}
}

/* A look for names alone says nothing of those that have none; one that lost its name may still have a process. */
static void mark_gone(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	bool open = tw_namespace_list_is_open(&settings->namespaces);

	for (unsigned i = 0; i < registry->count; i++) {
		struct tw_registry_entry *entry = registry->entries[i];

		if (entry->seen || entry->leaves)
			continue;
		if (!open || registry->looks_at_processes)
			entry->leaves = "nobody is in it any more, and it has no name";
		else if (entry->named)
			registry->processes_due_usec = TW_MIN(registry->processes_due_usec, now_usec);
	}
}

static void tell_denied(struct tw_registry *registry)
{
	bool denied = registry->looks_at_processes && registry->discovery->denied(registry->discovery);

	if (denied && !registry->denied_told)
		tell(registry, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING, TW_NAMESPACE_HOST,
		     "most processes may not be asked for their network namespaces, so that those without a name are "
		     "not "
		     "found: that takes CAP_SYS_PTRACE, see timewaitd.conf(5)");
	if (registry->looks_at_processes)
		registry->denied_told = denied;
}

static void end_look(struct tw_registry *registry, int result, const struct tw_settings *settings, usec_t now_usec)
{
	char bytes[TW_REASON_MAX];
	struct tw_text text;

	registry->looking = false;
	if (result < 0) {
		if (result != -ECANCELED && !registry->failed_told) {
			tw_text_init(&text, bytes, sizeof(bytes));
			tw_text_addf(&text, "cannot look for network namespaces: %s; those that are known stay watched",
				     strerror(-result));
			tell(registry, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING, TW_NAMESPACE_HOST, bytes);
		}
		registry->failed_told = result != -ECANCELED;
		return;
	}
	tell_denied(registry);
	mark_seen(registry);
	mark_gone(registry, settings, now_usec);
	registry->taking_up = true;
	registry->next_found = registry->failed = 0;
}

bool tw_registry_work(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec,
		      usec_t *ret_cpu_usec)
{
	struct tw_worker_end end;
	int r;

	*ret_cpu_usec = 0;
	if (!registry->looking)
		return false;
	if (registry->room->worker) {
		if (!tw_worker_take(registry->room->worker, &end))
			return false;
		*ret_cpu_usec = end.cpu_usec;
		r = end.result;
	} else {
		r = step_look(registry);
		if (r > 0)
			return true;
	}
	end_look(registry, r, settings, now_usec);
	return false;
}

void tw_registry_tell_stretch(struct tw_registry *registry, unsigned late, const struct tw_settings *settings,
			      usec_t now_usec)
{
	char bytes[TW_REASON_MAX];
	struct tw_text text;

	if (late == 0 || (registry->stretch_told_usec != 0 &&
			  tw_usec_since(now_usec, registry->stretch_told_usec) < TW_USEC_PER_HOUR))
		return;
	registry->stretch_told_usec = now_usec;
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_addf(&text,
		     "counting the sockets of %u network namespaces costs more than cpu-budget = ", registry->count);
	tw_text_add_milli(&text, settings->cpu_budget_milli);
	tw_text_addf(&text, "%% allows: census and survey of %u of them come later than configured", late);
	tell(registry, TW_EVENT_STRETCHED, TW_SEVERITY_WARNING, TW_NAMESPACE_HOST, bytes);
}

void tw_registry_let_go(struct tw_registry *registry, const struct tw_settings *settings, usec_t now_usec)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < registry->count; i++) {
		struct tw_registry_entry *entry = registry->entries[i];

		if (!entry->leaves || tw_watch_busy(&entry->watch)) {
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
