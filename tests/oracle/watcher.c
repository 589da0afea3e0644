/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle/watcher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WATCHER_OF(pointer, member) ((struct watcher *)(void *)((char *)(pointer)-offsetof(struct watcher, member)))

/* Its work takes no time. */
static struct tw_time read_clock(struct tw_clock *clock)
{
	return (struct tw_time){ .now_usec = WATCHER_OF(clock, clock)->face.net->now_usec };
}

/* Since the last change. */
static uint32_t reused_towards(const struct watcher *watcher, const struct tw_subject *subject)
{
	const struct net *net = watcher->face.net;

	for (unsigned i = 0; subject->has_destination && i < net->address_count; i++)
		if (tw_address_equal(&net->addresses[i].address, &subject->destination.destination))
			return net->reused[i] - watcher->reused_before[i];
	return 0;
}

static void tell(struct tw_recorder *recorder, const char *namespace TW_UNUSED, const struct tw_event *event)
{
	struct watcher *watcher = WATCHER_OF(recorder, recorder);
	struct watcher_claim *claim;

	if (event->kind == TW_EVENT_SAMPLE)
		return;
	if (watcher->claim_count == WATCHER_CLAIMS_MAX)
		abort();
	claim = &watcher->claims[watcher->claim_count++];
	claim->at_usec = watcher->face.net->now_usec;
	claim->event = *event;
	if (event->kind == TW_EVENT_ADJUSTED && event->sysctl == TW_TUNABLE_TW_REUSE)
		memcpy(watcher->reused_before, watcher->face.net->reused, sizeof(watcher->reused_before));
	claim->reused = reused_towards(watcher, &event->subject);
	(void)tw_text_copy(claim->rule, sizeof(claim->rule), event->rule ? event->rule->name : event->rule_name);
	claim->event.rule = NULL;
	claim->event.sample = NULL;
}

static int save(struct tw_ledger_store *store, const struct tw_ledger *ledger)
{
	WATCHER_OF(store, store)->saved = *ledger;
	return 0;
}

static int make_acting(void *context, const char *name, struct tw_acting **ret)
{
	struct watcher *watcher = context;
	const struct tw_acting_edges edges = {
		.sysctl = &watcher->face.sysctl,
		.socket = &watcher->face.socket,
		.store = &watcher->store,
		.recorder = &watcher->recorder,
	};

	*ret = tw_acting_new(&edges, &watcher->ledger, name);
	return *ret ? 0 : -ENOMEM;
}

/* ---- whether what it says by several ways is the same */

unsigned watcher_standing(const struct watcher *watcher, unsigned first, unsigned end, const char *rule)
{
	unsigned count = 0;

	for (unsigned i = first; i < end; i++) {
		const struct watcher_claim *claim = &watcher->claims[i];

		if (strcmp(claim->rule, rule) != 0)
			continue;
		count += claim->event.kind == TW_EVENT_RAISED;
		count -= claim->event.kind == TW_EVENT_CLEARED && count > 0;
	}
	return count;
}

bool watcher_is_change(const struct watcher_claim *claim, enum tw_tunable tunable)
{
	const struct tw_event *event = &claim->event;

	return event->has_sysctl && event->sysctl == tunable &&
	       (event->kind == TW_EVENT_ADJUSTED || event->kind == TW_EVENT_RESTORED ||
		event->kind == TW_EVENT_YIELDED);
}

static const struct watcher_claim *last_change(const struct watcher *watcher, enum tw_tunable tunable)
{
	for (unsigned i = watcher->claim_count; i-- > 0;)
		if (watcher_is_change(&watcher->claims[i], tunable))
			return &watcher->claims[i];
	return NULL;
}

static void contradict(struct watcher *watcher, const char *what, const char *name)
{
	struct tw_text text;

	if (watcher->contradictions++ > 0)
		return;
	tw_text_init(&text, watcher->contradiction, sizeof(watcher->contradiction));
	tw_text_addf(&text, "%.1f: %s (%s)", (double)watcher->face.net->now_usec / TW_USEC_PER_SEC - 1000, what, name);
}

static void compare_change(struct watcher *watcher, const struct tw_change_situation *change)
{
	const struct watcher_claim *last = last_change(watcher, change->sysctl);
	const char *key = tw_tunable_info(change->sysctl)->key;

	if (!last || last->event.kind != (change->yielded ? TW_EVENT_YIELDED : TW_EVENT_ADJUSTED))
		contradict(watcher, "the snapshot has a change that no record tells", key);
	if (change->value.known && change->value.value.numbers[0] != watcher->face.net->sysctls[change->sysctl][0])
		contradict(watcher, "the snapshot has another value than the kernel", key);
}

static bool is_listed(const struct tw_situation *now, enum tw_tunable tunable)
{
	for (unsigned i = 0; i < now->change_count; i++)
		if (now->changes[i].sysctl == tunable)
			return true;
	return false;
}

static void compare(struct watcher *watcher)
{
	struct tw_situation now;

	tw_watch_situation(&watcher->manager.host, watcher->manager.settings, watcher->face.net->now_usec, &now);
	for (unsigned i = 0; i < now.rule_count; i++) {
		const struct tw_rule_situation *rule = &now.rules[i];
		bool stands = rule->state == TW_RULE_RAISED || rule->state == TW_RULE_CLEARING;

		if (stands !=
		    (watcher_standing(watcher, watcher->first_claim, watcher->claim_count, rule->rule->name) > 0))
			contradict(watcher,
				   stands ? "raised in the snapshot, and no record tells it"
					  : "raised by the records, and not in the snapshot",
				   rule->rule->name);
		if (stands != tw_manager_is_raised(&watcher->manager, i))
			contradict(watcher, "raised and not raised", rule->rule->name);
	}
	for (unsigned i = 0; i < now.change_count; i++)
		compare_change(watcher, &now.changes[i]);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		const struct watcher_claim *last = last_change(watcher, (enum tw_tunable)i);

		if (last && last->event.kind == TW_EVENT_ADJUSTED && !is_listed(&now, (enum tw_tunable)i))
			contradict(watcher, "a change by the records, and not in the snapshot",
				   tw_tunable_info((enum tw_tunable)i)->key);
	}
}

void watcher_init(struct watcher *watcher, struct net *net)
{
	memset(watcher, 0, sizeof(*watcher));
	face_init(&watcher->face, net);
	watcher->clock.read = read_clock;
	watcher->recorder.tell = tell;
	watcher->store.save = save;
	tw_ledger_init(&watcher->saved, "00000000-0000-4000-8000-000000000000", &(struct tw_netns_id){ 1, 1 });
}

void watcher_start(struct watcher *watcher)
{
	static const struct tw_hash_key key = { 1, 2 };
	const struct tw_manager_edges edges = {
		.host = {
			.source = &watcher->face.source,
			.recorder = &watcher->recorder,
			.make_acting = make_acting,
			.context = watcher,
			.tells_bound = watcher->face.net->kernel.tells_bound,
		},
		.clock = &watcher->clock,
	};
	struct tw_reconciler recovery;

	tw_reconcile_init(&recovery, &watcher->saved, &watcher->face.sysctl, &watcher->store, &watcher->recorder,
			  "host");
	(void)tw_reconcile_restore(&recovery);
	watcher->ledger = recovery.ledger;
	memset(&watcher->manager, 0, sizeof(watcher->manager));
	if (tw_manager_init(&watcher->manager, tw_settings_new(), &edges, &key) < 0)
		abort();
	watcher->running = true;
	watcher->first_claim = watcher->claim_count;
	watcher->next_usec = watcher->face.net->now_usec;
}

void watcher_tick(struct watcher *watcher)
{
	if (tw_manager_tick(&watcher->manager) < 0)
		abort();
	while (tw_manager_work(&watcher->manager) || tw_manager_busy(&watcher->manager))
		;
	watcher->next_usec = watcher->face.net->now_usec + tw_manager_interval(&watcher->manager);
	compare(watcher);
}

void watcher_reload(struct watcher *watcher, struct tw_settings *settings)
{
	tw_manager_reload(&watcher->manager, settings);
}

void watcher_stop(struct watcher *watcher)
{
	if (!watcher->running)
		return;
	(void)tw_manager_stop(&watcher->manager);
	watcher_kill(watcher);
}

void watcher_kill(struct watcher *watcher)
{
	if (watcher->running)
		tw_manager_done(&watcher->manager);
	watcher->running = false;
}
