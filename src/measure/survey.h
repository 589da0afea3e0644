/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/exclusive.h"
#include "measure/table.h"
#include "model/port-model.h"
#include "model/sample.h"

#include <stdint.h>

/* Cgroups with bound sockets that are told apart; the sockets of those beyond belong to nobody. */
#define TW_SURVEY_CGROUPS_MAX 256u

/* A power of two: about as many fetches as a core keeps under way (10 to 16 line fill buffers). */
#define TW_SURVEY_PENDING_MAX 16

/* Living sockets that are remembered, to be asked for TCP timestamps: by the hash of their destination. */
#define TW_SURVEY_LIVING_SETS 64
#define TW_SURVEY_LIVING_WAYS 4

/*
 * Attributes sockets to destinations. A socket is on the connecting side when its local port is one that connect() may
 * pick: in the range, and no listener's. Then it holds that port towards its destination, whatever its state.
 */
struct tw_survey_work {
	struct tw_table table;
	struct tw_exclusive exclusive;
	struct tw_port_set listening; /* ports that are listened on, in the range or not */
	bool settled;		      /* what is exclusive has been decided on */
	uint32_t life_ms;	      /* of a TIME-WAIT */
	uint32_t young_ms;	      /* up to this age it is young */
	struct tw_reuse_rule rule;

	/* A ring of sockets on their way into the table, while the processor fetches their entries. */
	unsigned pending_next;
	struct tw_survey_pending {
		struct tw_destination key;
		uint32_t hash;
		enum tw_holder holder;
		bool young, unripe, far;
	} pending[TW_SURVEY_PENDING_MAX];

	unsigned cgroup_count, cgroups_asked; /* those whose unit has been asked for */
	struct {
		uint64_t id;	  /* 0: not known, which is one too */
		uint32_t sockets; /* bound and not connected */
	} cgroups[TW_SURVEY_CGROUPS_MAX];

	unsigned living_turn; /* of the ways, which is taken next */
	unsigned living_set;  /* to be asked next */
	struct {
		uint32_t hash;
		struct tw_flow flow; /* family 0: none */
	} living[TW_SURVEY_LIVING_SETS][TW_SURVEY_LIVING_WAYS];

	struct tw_survey survey; /* what it comes to: whole after tw_survey_work_results() */
};

/* In memory that is zero. Returns 0 or -ENOMEM. */
int tw_survey_work_init(struct tw_survey_work *work, const struct tw_hash_key *secret);
void tw_survey_work_done(struct tw_survey_work *work);

/*
 * Empties it for a survey. `usable`: ip_local_port_range without what is reserved; `listening`: every port that is
 * listened on; `gauge`: read just before; `baseline`: tcp_tw_reuse as it was before timewaitd changed it, or not known;
 * `past` is borrowed until the results.
 */
void tw_survey_work_begin(struct tw_survey_work *work, const struct tw_port_set *usable,
			  const struct tw_port_set *listening, const struct tw_gauge *gauge,
			  const struct tw_live_value *baseline, struct tw_parity_past *past);

/* One socket of any state but LISTEN. */
void tw_survey_work_add(struct tw_survey_work *work, const struct tw_flow *flow);

/* After the last socket, and tw_exclusive_ask(): a few questions. Returns true while there are more. */
bool tw_survey_work_step(struct tw_survey_work *work, struct tw_source *source);

/*
 * Then: fills work->survey but for what the scan knows, with as many rows as there is room for, those that are watched
 * among them. `at_usec` is of the survey; `previous` the one before, which tells where reuse takes nothing over, and
 * may be one that was never made. Of a partial one only what is remembered of that is left.
 */
void tw_survey_work_results(struct tw_survey_work *work, const struct tw_watched *watched,
			    const struct tw_survey *previous, usec_t at_usec, bool partial);

/* Two surveys further apart than this tell too little of the present growth. */
#define TW_FORECAST_SPAN_MAX_USEC (30 * TW_USEC_PER_SEC)

/*
 * Fills port_eta of each row of `survey`, and its own port_eta, from how many more ports are blocked than at the survey
 * before. A destination that is new among the rows counts from what was exclusive where the one before told of all,
 * else from its last row. Unknown where nothing grows, and where either survey is missing or partial, or the one before
 * is too old.
 */
void tw_survey_forecast(const struct tw_survey *previous, struct tw_survey *survey);
