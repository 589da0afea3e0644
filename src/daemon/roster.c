/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/roster.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 8u

void tw_roster_init(struct tw_roster *roster, struct tw_neighbours *neighbours, struct tw_workroom *room,
		    struct tw_recorder *recorder)
{
	roster->neighbours = neighbours;
	roster->room = room;
	roster->recorder = recorder;
	roster->stretch = 1;
}

static void free_post(struct tw_roster *roster, struct tw_post *post)
{
	tw_watch_done(&post->watch);
	roster->neighbours->close(roster->neighbours, &post->watch.edges);
	free(post);
}

void tw_roster_done(struct tw_roster *roster)
{
	struct tw_worker_end end;

	if (roster->looking && roster->room->worker) {
		tw_worker_give_up(roster->room->worker);
		tw_worker_wait(roster->room->worker, &end);
	}
	for (unsigned i = 0; i < roster->count; i++)
		free_post(roster, roster->posts[i]);
	free(roster->posts);
	*roster = (struct tw_roster){ 0 };
}

/* ---- the look */

bool tw_roster_look_is_due(const struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec)
{
	return roster->neighbours && !roster->looking && !roster->taking_up &&
	       tw_namespace_list_is_wide(&settings->namespaces) &&
	       now_usec >= TW_MIN(roster->look_due_usec, roster->processes_due_usec);
}

static int step_look(void *context)
{
	struct tw_roster *roster = context;

	return roster->neighbours->step(roster->neighbours);
}

/* Half of `survey`, so that whoever comes or goes right behind a look is found within a whole one. */
void tw_roster_begin_look(struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec)
{
	bool processes = tw_namespace_list_is_open(&settings->namespaces) && now_usec >= roster->processes_due_usec;

	roster->looking = true;
	roster->looks_at_processes = processes;
	roster->look_due_usec = tw_usec_add(now_usec, TW_MIN(settings->census_usec, settings->survey_usec / 2));
	if (processes || !tw_namespace_list_is_open(&settings->namespaces))
		roster->processes_due_usec = tw_usec_add(now_usec, settings->survey_usec / 2);
	for (unsigned i = 0; i < roster->count; i++)
		roster->posts[i]->seen = false;
	roster->neighbours->look(roster->neighbours, processes);
	if (roster->room->worker)
		tw_worker_start(roster->room->worker, step_look, roster);
}

static void tell(struct tw_roster *roster, enum tw_event_kind kind, enum tw_severity severity, const char *namespace,
		 const char *reason)
{
	struct tw_event event = { .kind = kind, .severity = severity };

	(void)tw_text_copy(event.reason, sizeof(event.reason), reason);
	roster->recorder->tell(roster->recorder, namespace, &event);
}

/* Where hundreds come and go, a record each would be more than anybody reads. */
static void tell_news(struct tw_roster *roster, struct tw_roster_news *news, enum tw_event_kind kind,
		      const struct tw_namespace *namespace, const char *reason, usec_t now_usec)
{
	char bytes[TW_REASON_MAX];
	struct tw_text text;

	if (tw_usec_since(now_usec, news->since_usec) >= TW_USEC_PER_MINUTE) {
		news->since_usec = now_usec;
		news->told = 0;
	}
	if (news->told == TW_ROSTER_TOLD_MAX) {
		news->untold++;
		return;
	}
	news->told++;
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_add(&text, reason);
	if (news->untold > 0)
		tw_text_addf(&text, "%s%u more were not told of", reason[0] ? "; " : "", news->untold);
	news->untold = 0;
	tell(roster, kind, TW_SEVERITY_INFO, namespace->name, bytes);
}

/* ---- those that come */

static struct tw_post *find_post(const struct tw_roster *roster, uint64_t id)
{
	for (unsigned i = 0; i < roster->count; i++)
		if (roster->posts[i]->namespace.id == id)
			return roster->posts[i];
	return NULL;
}

static struct tw_post *find_called(const struct tw_roster *roster, const char *name)
{
	for (unsigned i = 0; i < roster->count; i++)
		if (strcmp(roster->posts[i]->namespace.name, name) == 0)
			return roster->posts[i];
	return NULL;
}

static bool is_taken(const struct tw_roster *roster, const char *name)
{
	return find_called(roster, name) || strcmp(name, TW_NAMESPACE_HOST) == 0;
}

/* Another has its name under /run/netns now: the rules that name it are no longer for this one. */
static void give_up_name(struct tw_post *post, const struct tw_settings *settings)
{
	tw_namespace_tell_apart(&post->namespace);
	tw_policy_init(&post->watch.policy, settings, post->watch.name);
}

/*
 * Whether a newcomer waits for who is called the same, and was made anew perhaps, to be let go: called differently, it
 * would not be the one that the configuration names. Of one that has lost its name it shows by the next look at
 * processes whether anybody is left in it; then the name goes over.
 */
static bool waits_for_name(struct tw_roster *roster, const struct tw_namespace *namespace, bool named,
			   const struct tw_settings *settings, usec_t now_usec)
{
	struct tw_post *post = find_called(roster, namespace->name);

	if (!post)
		return false;
	if (post->leaves || (named && post->named && !post->seen)) {
		roster->look_due_usec = TW_MIN(roster->look_due_usec, now_usec);
		roster->processes_due_usec = TW_MIN(roster->processes_due_usec, now_usec);
		return true;
	}
	if (named && !post->named)
		give_up_name(post, settings);
	return false;
}

static int make_room(struct tw_roster *roster)
{
	unsigned capacity = TW_MAX(ROOM_MIN, 2 * roster->capacity);
	struct tw_post **posts;

	if (roster->count < roster->capacity)
		return 0;
	posts = realloc(roster->posts, capacity * sizeof(struct tw_post *));
	if (!posts)
		return -ENOMEM;
	roster->posts = posts;
	roster->capacity = capacity;
	return 0;
}

static int open_post(struct tw_roster *roster, unsigned index, const struct tw_namespace *namespace, bool named,
		     const struct tw_settings *settings)
{
	TW_CLEANUP_FREE struct tw_post *post = calloc(1, sizeof(*post));
	struct tw_watch_edges edges;
	int r = post ? make_room(roster) : -ENOMEM;

	if (r >= 0)
		r = roster->neighbours->open(roster->neighbours, index, &edges);
	if (r < 0)
		return r;
	post->namespace = *namespace;
	if (is_taken(roster, namespace->name))
		tw_namespace_tell_apart(&post->namespace);
	post->named = named;
	post->seen = post->newcomer = true;
	tw_watch_init(&post->watch, post->namespace.name, &edges, roster->room, settings);
	post->watch.spared = true;
	post->watch.payer = &roster->newcomers;
	/* By the first tick. Without memory now, when a rule wants something. */
	if (edges.owes)
		(void)tw_watch_make_ready(&post->watch);
	roster->posts[roster->count++] = TW_TAKE_PTR(post);
	return 0;
}

/* One that is gone by now needs no word. All others fail for the same reason: it is told once. */
static void tell_closed(struct tw_roster *roster, const struct tw_namespace *namespace, int error)
{
	char bytes[TW_REASON_MAX];
	struct tw_text text;

	if (error == -ENOENT || error == -ESTALE || error == -ESRCH || roster->failed_told)
		return;
	roster->failed_told = true;
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_addf(&text, "it cannot be watched: %s", strerror(-error));
	if (error == -EPERM || error == -EACCES)
		tw_text_add(&text, "; to enter another network namespace takes CAP_SYS_ADMIN, see timewaitd.conf(5)");
	if (error == -EMFILE)
		tw_text_add(&text, "; each one takes four descriptors and more, see LimitNOFILE= of the unit");
	tell(roster, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING, namespace->name, bytes);
}

static void take_up_one(struct tw_roster *roster, unsigned index, const struct tw_namespace *namespace, bool named,
			const struct tw_settings *settings, usec_t now_usec)
{
	int r = open_post(roster, index, namespace, named, settings);

	if (r < 0) {
		tell_closed(roster, namespace, r);
		roster->failed++;
		return;
	}
	tell_news(roster, &roster->come, TW_EVENT_NAMESPACE_NEW, &roster->posts[roster->count - 1]->namespace, "",
		  now_usec);
}

bool tw_roster_take_up(struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec)
{
	for (unsigned taken = 0; taken < TW_ROSTER_TAKE_UP_MAX; roster->next_found++) {
		bool named;
		const struct tw_namespace *namespace =
			roster->neighbours->found(roster->neighbours, roster->next_found, &named);

		if (!namespace) {
			roster->failed_told = roster->failed_told && roster->failed > 0;
			roster->taking_up = false;
			return false;
		}
		if (find_post(roster, namespace->id) ||
		    !tw_namespace_list_has(&settings->namespaces, namespace->name) ||
		    waits_for_name(roster, namespace, named, settings, now_usec))
			continue;
		take_up_one(roster, roster->next_found, namespace, named, settings, now_usec);
		taken++;
	}
	return true;
}

/* ---- those that go */

static void mark_seen(struct tw_roster *roster)
{
	const struct tw_namespace *namespace;
	bool named;

	for (unsigned i = 0; (namespace = roster->neighbours->found(roster->neighbours, i, &named)); i++) {
		struct tw_post *post = find_post(roster, namespace->id);

		if (!post)
			continue;
		post->seen = true;
		post->named = named;
	}
}

/* A look for names alone says nothing of those that have none; one that lost its name may still have a process. */
static void mark_gone(struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec)
{
	bool open = tw_namespace_list_is_open(&settings->namespaces);

	for (unsigned i = 0; i < roster->count; i++) {
		struct tw_post *post = roster->posts[i];

		if (post->seen || post->leaves)
			continue;
		if (!open || roster->looks_at_processes)
			post->leaves = "nobody is in it any more, and it has no name";
		else if (post->named)
			roster->processes_due_usec = TW_MIN(roster->processes_due_usec, now_usec);
	}
}

static void tell_denied(struct tw_roster *roster)
{
	bool denied = roster->looks_at_processes && roster->neighbours->denied(roster->neighbours);

	if (denied && !roster->denied_told)
		tell(roster, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING, TW_NAMESPACE_HOST,
		     "most processes may not be asked for their network namespaces, so that those without a name are "
		     "not "
		     "found: that takes CAP_SYS_PTRACE, see timewaitd.conf(5)");
	if (roster->looks_at_processes)
		roster->denied_told = denied;
}

static void end_look(struct tw_roster *roster, int result, const struct tw_settings *settings, usec_t now_usec)
{
	char bytes[TW_REASON_MAX];
	struct tw_text text;

	roster->looking = false;
	if (result < 0) {
		if (result != -ECANCELED && !roster->failed_told) {
			tw_text_init(&text, bytes, sizeof(bytes));
			tw_text_addf(&text, "cannot look for network namespaces: %s; those that are known stay watched",
				     strerror(-result));
			tell(roster, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING, TW_NAMESPACE_HOST, bytes);
		}
		roster->failed_told = result != -ECANCELED;
		return;
	}
	tell_denied(roster);
	mark_seen(roster);
	mark_gone(roster, settings, now_usec);
	roster->taking_up = true;
	roster->next_found = roster->failed = 0;
}

bool tw_roster_work(struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec, usec_t *ret_cpu_usec)
{
	struct tw_worker_end end;
	int r;

	*ret_cpu_usec = 0;
	if (!roster->looking)
		return false;
	if (roster->room->worker) {
		if (!tw_worker_take(roster->room->worker, &end))
			return false;
		*ret_cpu_usec = end.cpu_usec;
		r = end.result;
	} else {
		r = step_look(roster);
		if (r > 0)
			return true;
	}
	end_look(roster, r, settings, now_usec);
	return false;
}

void tw_roster_tell_stretch(struct tw_roster *roster, unsigned late, const struct tw_settings *settings,
			    usec_t now_usec)
{
	char bytes[TW_REASON_MAX];
	struct tw_text text;

	if (late == 0 ||
	    (roster->stretch_told_usec != 0 && tw_usec_since(now_usec, roster->stretch_told_usec) < TW_USEC_PER_HOUR))
		return;
	roster->stretch_told_usec = now_usec;
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_text_addf(&text,
		     "counting the sockets of %u network namespaces costs more than cpu-budget = ", roster->count);
	tw_text_add_milli(&text, settings->cpu_budget_milli);
	tw_text_addf(&text, "%% allows: census and survey of %u of them come later than configured", late);
	tell(roster, TW_EVENT_STRETCHED, TW_SEVERITY_WARNING, TW_NAMESPACE_HOST, bytes);
}

void tw_roster_let_go(struct tw_roster *roster, const struct tw_settings *settings, usec_t now_usec)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < roster->count; i++) {
		struct tw_post *post = roster->posts[i];

		if (!post->leaves || tw_watch_busy(&post->watch)) {
			roster->posts[kept++] = post;
			continue;
		}
		tw_watch_leave(&post->watch, settings, now_usec, post->leaves);
		/* What stays owed stands in its ledger, and is put back when the namespace is taken up again, or at the
		 * next start if it is there then. */
		(void)tw_watch_restore(&post->watch);
		tell_news(roster, &roster->gone, TW_EVENT_NAMESPACE_GONE, &post->namespace, post->leaves, now_usec);
		free_post(roster, post);
	}
	roster->count = kept;
}
