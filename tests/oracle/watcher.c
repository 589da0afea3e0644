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

static void tell(struct tw_recorder *recorder, const char *namespace TW_UNUSED, const struct tw_event *event)
{
	struct watcher *watcher = WATCHER_OF(recorder, recorder);
	struct watcher_claim *claim;

	if (event->kind == TW_EVENT_SAMPLE || watcher->claim_count == WATCHER_CLAIMS_MAX)
		return;
	claim = &watcher->claims[watcher->claim_count++];
	claim->at_usec = watcher->face.net->now_usec;
	claim->event = *event;
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

void watcher_init(struct watcher *watcher, struct net *net)
{
	face_init(&watcher->face, net);
	watcher->clock.read = read_clock;
	watcher->recorder.tell = tell;
	watcher->store.save = save;
	watcher->running = false;
	watcher->claim_count = 0;
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
	struct tw_hand recovery;

	tw_hand_init(&recovery, &watcher->saved, &watcher->face.sysctl, &watcher->store, &watcher->recorder, "host");
	(void)tw_hand_restore(&recovery);
	watcher->ledger = recovery.ledger;
	memset(&watcher->manager, 0, sizeof(watcher->manager));
	if (tw_manager_init(&watcher->manager, tw_settings_new(), &edges, &key) < 0)
		abort();
	watcher->running = true;
	watcher->next_usec = watcher->face.net->now_usec;
}

void watcher_tick(struct watcher *watcher)
{
	if (tw_manager_tick(&watcher->manager) < 0)
		abort();
	while (tw_manager_work(&watcher->manager) || tw_manager_busy(&watcher->manager))
		;
	watcher->next_usec = watcher->face.net->now_usec + tw_manager_interval(&watcher->manager);
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
