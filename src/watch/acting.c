/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/acting.h"

#include <stdlib.h>

struct tw_acting *tw_acting_new(const struct tw_acting_edges *edges, const struct tw_ledger *ledger, const char *name)
{
	struct tw_acting *acting = calloc(1, sizeof(*acting));

	if (!acting)
		return NULL;
	tw_destroy_job_init(&acting->destroying, edges->socket, edges->recorder, name);
	tw_reconcile_init(&acting->reconciler, ledger, edges->sysctl, edges->store, edges->recorder, name);
	return acting;
}

struct tw_acting *tw_acting_free(struct tw_acting *acting)
{
	if (acting) {
		tw_destroy_job_done(&acting->destroying);
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
	struct tw_live_value baseline = { 0 };

	if (acting && acting->reconciler.ledger.entries[tunable].owner == TW_OWNER_OURS) {
		baseline.known = true;
		baseline.value = acting->reconciler.ledger.entries[tunable].baseline;
	}
	return baseline;
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

	tw_limits_filter(&acting->limits, desires, &force, settings->max_changes, sample, now_usec,
			 reconciler->recorder, reconciler->namespace);
	tw_reconcile_run(reconciler, desires, settings->mode);
	tw_acting_note_foreign(acting, sample);
	force = tw_acting_in_force(acting);
	tw_limits_note(&acting->limits, &force, now_usec);
	acting->at_rest = !desires->any && tw_reconcile_at_rest(reconciler);
}
