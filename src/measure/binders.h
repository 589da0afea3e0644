/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/source.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Who holds the ports that are bound and not connected: by cgroup while a dump is read, by systemd unit at its end.
 */

/* Cgroups told apart; the sockets of those beyond belong to nobody. A power of two. */
#define TW_BINDERS_MAX 256u
#define TW_BINDERS_SLOTS (2 * TW_BINDERS_MAX)

struct tw_binder {
	uint64_t cgroup_id; /* 0: not known, which is a binder too */
	uint32_t sockets;   /* 0: the slot is empty */
};

struct tw_binders {
	struct tw_binder slots[TW_BINDERS_SLOTS];
	uint32_t count;
	uint32_t asked; /* slots whose unit has been asked for */
	unsigned row_count;
	struct tw_bound_row rows[TW_BOUND_ROWS_MAX];
};

void tw_binders_clear(struct tw_binders *binders);

/* One bound-but-unconnected socket. */
void tw_binders_add(struct tw_binders *binders, const struct tw_flow *flow);

/* When all sockets are told: asks for a few of the units. Returns true while there are more to ask for. */
bool tw_binders_step(struct tw_binders *binders, struct tw_source *source);

/* After that: fills the bound rows of *ret, most sockets first, ties by name. */
void tw_binders_results(const struct tw_binders *binders, struct tw_survey *ret);
