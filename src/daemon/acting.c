/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/acting.h"

#include <stdlib.h>

struct tw_acting *tw_acting_new(const struct tw_acting_edges *edges, const struct tw_ledger *ledger, const char *name)
{
	struct tw_acting *acting = calloc(1, sizeof(*acting));

	if (!acting)
		return NULL;
	tw_chase_init(&acting->chase, edges->socket, edges->recorder, name);
	tw_hand_init(&acting->hand, ledger, edges->sysctl, edges->store, edges->recorder, name);
	tw_judge_init(&acting->judge);
	return acting;
}

struct tw_acting *tw_acting_free(struct tw_acting *acting)
{
	if (acting) {
		tw_chase_done(&acting->chase);
		free(acting);
	}
	return NULL;
}

static struct tw_in_force in_force(const struct tw_hand *hand)
{
	struct tw_in_force ret = { 0 };

	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		ret.rows[i].ours = hand->ledger.entries[i].owner == TW_OWNER_OURS;
		ret.rows[i].yielded = hand->ledger.entries[i].owner == TW_OWNER_YIELDED;
		ret.rows[i].value = hand->ledger.entries[i].written;
	}
	return ret;
}

void tw_acting_carry_out(struct tw_acting *acting, struct tw_desires *desires, const struct tw_settings *settings,
			 const struct tw_sample *sample, usec_t now_usec)
{
	struct tw_hand *hand = &acting->hand;
	struct tw_in_force force = in_force(hand);

	tw_judge_filter(&acting->judge, desires, &force, settings->max_changes, sample, now_usec, hand->recorder,
			hand->namespace);
	tw_hand_reconcile(hand, desires, settings->mode);
	force = in_force(hand);
	tw_judge_prove(&acting->judge, desires, &force, settings->proof_after_usec, sample, now_usec, hand->recorder,
		       hand->namespace);
	acting->at_rest = !desires->any && tw_hand_at_rest(hand);
}
