/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/acting.h"

#include <stdlib.h>
#include <string.h>

struct tw_acting *tw_acting_new(const struct tw_acting_edges *edges, const struct tw_ledger *ledger, const char *name)
{
	struct tw_acting *acting = calloc(1, sizeof(*acting));

	if (!acting)
		return NULL;
	tw_destroyer_init(&acting->destroyer, edges->socket, edges->recorder, name);
	tw_reconcile_init(&acting->reconciler, ledger, edges->sysctl, edges->store, edges->recorder, name);
	return acting;
}

struct tw_acting *tw_acting_free(struct tw_acting *acting)
{
	if (acting) {
		(void)tw_destroy_search_free(acting->search);
		free(acting);
	}
	return NULL;
}

struct tw_in_force tw_acting_in_force(const struct tw_acting *acting)
{
	struct tw_in_force ret = { 0 };

	for (size_t i = 0; acting && i < TW_TUNABLE_COUNT; i++) {
		const struct tw_ledger_entry *entry = &acting->reconciler.ledger.entries[i];

		ret.rows[i].ours = entry->owner == TW_OWNER_OURS;
		ret.rows[i].yielded = entry->owner == TW_OWNER_YIELDED;
		ret.rows[i].value = entry->written;
	}
	return ret;
}

struct tw_live_value tw_acting_baseline(const struct tw_acting *acting, enum tw_tunable tunable)
{
	const struct tw_ledger_entry *entry = acting ? &acting->reconciler.ledger.entries[tunable] : NULL;

	if (!entry || entry->owner != TW_OWNER_OURS)
		return (struct tw_live_value){ 0 };
	return (struct tw_live_value){ .value = entry->baseline, .known = true };
}

void tw_acting_note_foreign(const struct tw_acting *acting, struct tw_sample *sample)
{
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++)
		if (acting->reconciler.foreign[i].known)
			sample->gauge.sysctls[i] = acting->reconciler.foreign[i];
}

void tw_acting_carry_out(struct tw_acting *acting, struct tw_desires *desires, const struct tw_settings *settings,
			 struct tw_sample *sample, usec_t now_usec)
{
	struct tw_reconciler *reconciler = &acting->reconciler;
	struct tw_in_force force = tw_acting_in_force(acting);
	const struct tw_scene scene = {
		settings, sample, &force, now_usec, reconciler->recorder, reconciler->namespace
	};

	tw_limits_filter(&acting->limits, desires, &scene);
	tw_reconcile_run(reconciler, desires, settings->mode);
	tw_acting_note_foreign(acting, sample);
	force = tw_acting_in_force(acting);
	tw_limits_note(&acting->limits, &force, now_usec);
	acting->at_rest = !desires->any && tw_reconcile_at_rest(reconciler);
}

void tw_acting_order(struct tw_acting *acting, const struct tw_kill_orders *orders, enum tw_mode mode, usec_t now_usec)
{
	/* A search that lasts longer than a tick finds what it was sent for. */
	if (acting->searching)
		return;
	acting->search_stopped = acting->search_wanted = false;
	acting->orders = *orders;
	acting->mode = mode;
	tw_destroyer_quota(&acting->destroyer, orders, mode, now_usec, &acting->quota);
	for (unsigned i = 0; i < orders->count; i++)
		acting->search_wanted = acting->search_wanted || acting->quota.wanted[i];
}

/* One that fails is not told: the next scan fails for the same reason and says so. Nor is a lack of memory. */
bool tw_acting_begin_search(struct tw_acting *acting, const struct tw_sample *sample, usec_t now_usec)
{
	if (!acting->search)
		acting->search = tw_destroy_search_new();
	if (acting->search_wanted && acting->search)
		acting->searching =
			tw_destroy_search_begin(acting->search, &acting->orders, &acting->quota, sample, now_usec);
	acting->search_wanted = false;
	return acting->searching;
}

void tw_acting_end_search(struct tw_acting *acting, int result)
{
	struct tw_destroy_found found;

	acting->searching = false;
	if (result == 0 && !acting->search_stopped) {
		tw_destroy_search_results(acting->search, &found);
		tw_destroyer_end(&acting->destroyer, &acting->orders, &found, acting->mode);
	}
}

void tw_acting_stop_search(struct tw_acting *acting)
{
	acting->search_wanted = false;
	acting->search_stopped = true;
	memset(&acting->orders, 0, sizeof(acting->orders));
}
