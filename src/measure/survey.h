/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/binders.h"
#include "measure/table.h"
#include "model/ports.h"
#include "model/sample.h"

#include <stdint.h>

/*
 * Attributes sockets to destinations. A socket is on the connecting side when its local port is one that connect() may
 * pick: in the range, and no listener's. Then it holds that port towards its destination, whatever its state.
 */
struct tw_survey_work {
	struct tw_table table;
	struct tw_port_set range;  /* what connect() may pick from */
	struct tw_port_set bound;  /* of these, held by bound-but-unconnected sockets */
	struct tw_binders binders; /* who holds these */
	uint64_t time_wait;	   /* of both sides */
	uint64_t outside;	   /* of these, on a port out of `range` */
	uint32_t life_ms;	   /* of a TIME-WAIT */
	uint32_t young_ms;	   /* up to this age it is young */
};

/* Returns 0 or -ENOMEM. */
int tw_survey_work_init(struct tw_survey_work *work, const struct tw_hash_key *secret);
void tw_survey_work_done(struct tw_survey_work *work);

/*
 * Empties it for a survey. `range` is without the listeners' ports; `gauge` tells how long a TIME-WAIT lasts where the
 * kernel lets that be set.
 */
void tw_survey_work_begin(struct tw_survey_work *work, const struct tw_port_set *range, const struct tw_gauge *gauge);

/* One socket of any state but LISTEN. */
void tw_survey_work_add(struct tw_survey_work *work, const struct tw_flow *flow);

/* After the last socket. */
void tw_survey_work_end(struct tw_survey_work *work);

/* Fills all of *ret but at_usec, partial and the forecast, with as many rows as there is room for. */
void tw_survey_work_results(const struct tw_survey_work *work, struct tw_survey *ret);
