/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/binders.h"
#include "measure/exclusive.h"
#include "measure/table.h"
#include "measure/witness.h"
#include "model/port-model.h"
#include "model/ports.h"
#include "model/sample.h"

#include <stdint.h>

/*
 * Attributes sockets to destinations. A socket is on the connecting side when its local port is one that connect() may
 * pick: in the range, and no listener's. Then it holds that port towards its destination, whatever its state.
 */
struct tw_survey_work {
	struct tw_table table;
	struct tw_exclusive exclusive;
	struct tw_witnesses witnesses;
	struct tw_binders binders;    /* who holds what is bound and not connected */
	struct tw_port_set listening; /* ports that are listened on, in the range or not */
	uint32_t usable;	      /* ports of the range, listeners' too */
	bool settled;		      /* what is exclusive has been decided on */
	uint32_t left;		      /* then: ports that are not */
	uint64_t time_wait;	      /* of both sides */
	uint64_t accepting, outside;  /* of these, on a listener's port; on no listener's and out of the range */
	uint32_t life_ms;	      /* of a TIME-WAIT */
	uint32_t young_ms;	      /* up to this age it is young */
	struct tw_reuse_rule rule;
	struct tw_count reused, opened; /* TWRecycled and ActiveOpens just before */
};

/* What a survey begins with; everything borrows. */
struct tw_survey_ground {
	const struct tw_port_set *usable;     /* ip_local_port_range without what is reserved */
	const struct tw_port_set *listening;  /* every port that is listened on */
	const struct tw_gauge *gauge;	      /* read just before */
	const struct tw_live_value *baseline; /* tcp_tw_reuse as it was before timewaitd changed it; or not known */
};

/* Returns 0 or -ENOMEM. */
int tw_survey_work_init(struct tw_survey_work *work, const struct tw_hash_key *secret);
void tw_survey_work_done(struct tw_survey_work *work);

/* Empties it for a survey. */
void tw_survey_work_begin(struct tw_survey_work *work, const struct tw_survey_ground *ground);

/* One socket of any state but LISTEN. */
void tw_survey_work_add(struct tw_survey_work *work, const struct tw_flow *flow);

/* After the last socket. The kernel is to be asked about so many ports at most; 0: not at all. */
void tw_survey_work_end(struct tw_survey_work *work, uint32_t ask_most);

/* Then: a few questions. Returns true while there are more. */
bool tw_survey_work_step(struct tw_survey_work *work, struct tw_source *source, struct tw_parity_past *past);

/*
 * Fills all of *ret but partial and the forecast, with as many rows as there is room for, those that are watched among
 * them. `at_usec` is of the survey; `previous` the one before, which tells where reuse takes nothing over, and may be
 * one that was never made.
 */
void tw_survey_work_results(const struct tw_survey_work *work, const struct tw_parity_past *past,
			    const struct tw_watched *watched, const struct tw_survey *previous, usec_t at_usec,
			    struct tw_survey *ret);
