/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/source.h"
#include "measure/table.h"
#include "model/flow.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the connections to a destination have TCP timestamps, without which tcp_tw_reuse takes none of them over. No
 * row of a dump says so, a living socket does when it is asked by itself. Of every destination that comes by the last
 * few sockets are remembered, as far as there is room; those of who holds many ports are asked. Apart from the survey,
 * which counts and asks nobody.
 */

#define TW_WITNESS_SETS 64
#define TW_WITNESS_WAYS 4

struct tw_witnesses {
	unsigned turn; /* of the ways, which is taken next */
	unsigned set;  /* to be asked next */
	struct {
		uint32_t hash; /* of its destination */
		enum tw_timestamps said;
		struct tw_flow flow; /* state TW_STATE_COUNT: none */
	} rows[TW_WITNESS_SETS][TW_WITNESS_WAYS];
};

void tw_witnesses_begin(struct tw_witnesses *witnesses);

/* One socket of the destination of this hash. */
static inline void tw_witnesses_add(struct tw_witnesses *witnesses, uint32_t hash, const struct tw_flow *flow)
{
	unsigned set = hash % TW_WITNESS_SETS, way;

	if (flow->mini || flow->state == TW_STATE_TIME_WAIT || flow->state == TW_STATE_SYN_SENT)
		return;
	way = witnesses->turn++ % TW_WITNESS_WAYS;
	witnesses->rows[set][way].hash = hash;
	witnesses->rows[set][way].flow = *flow;
}

/* Asks a few, of destinations that hold a good part of the ports that are left to all. True while there are others. */
bool tw_witnesses_step(struct tw_witnesses *witnesses, struct tw_source *source, const struct tw_table *table,
		       uint32_t left);

/* What they said; unknown where none was there any more, or they contradict each other. */
enum tw_timestamps tw_witnesses_said(const struct tw_witnesses *witnesses, uint32_t hash);

/*
 * When all of them said last that there are none: `at_usec`, or, where nobody says anything now, `before_usec`, which
 * holds for `life_usec`. 0: they did not.
 */
usec_t tw_witnesses_said_none(const struct tw_witnesses *witnesses, uint32_t hash, usec_t before_usec, usec_t at_usec,
			      usec_t life_usec);
