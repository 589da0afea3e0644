/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

#include <stdint.h>

/*
 * Who the sockets in CLOSE-WAIT belong to: by cgroup while a dump is read, by systemd unit at its end. A unit may have
 * several cgroups.
 */

/* Cgroups told apart; the sockets of those beyond belong to nobody. A power of two. */
#define TW_OWNERS_MAX 1024u
#define TW_OWNERS_SLOTS (2 * TW_OWNERS_MAX)

struct tw_owner {
	uint64_t cgroup_id;
	uint32_t unit; /* index into units */
};

struct tw_owner_unit {
	uint64_t name_hash; /* tells most names apart */
	char name[TW_UNIT_MAX];
	uint32_t count;
	uint32_t row; /* TW_NO_UNIT: none */
	usec_t oldest_usec;
	uint64_t unread;
};

struct tw_owners {
	uint32_t owner_count;
	uint32_t unit_count;
	uint16_t slots[TW_OWNERS_SLOTS]; /* index into owners and 1; 0: empty */
	struct tw_owner owners[TW_OWNERS_MAX];
	struct tw_owner_unit units[TW_OWNERS_MAX];
};

void tw_owners_clear(struct tw_owners *owners);

/* The index of the cgroup among `owners`, or TW_NO_UNIT. 0: not known, which is an owner too. */
uint32_t tw_owners_add(struct tw_owners *owners, uint64_t cgroup_id);

/* Says the unit of an owner: "" where it is not known. Each owner's is to be said once. */
void tw_owners_name(struct tw_owners *owners, uint32_t owner, const char *unit);

/*
 * Sums the waiters up, whose `unit` is an owner's index, and makes it the index of their unit's row: those of the units
 * with the most sockets, ties by name. Fills the rows and waiters of *ret.
 */
void tw_owners_results(struct tw_owners *owners, struct tw_close_wait_socket *waiters, uint32_t count, usec_t at_usec,
		       struct tw_close_wait *ret);
