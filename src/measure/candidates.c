/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/candidates.h"

#include "base/macros.h"

#include <string.h>

void tw_candidates_begin(struct tw_candidates *candidates, const struct tw_kill_orders *orders,
			 const struct tw_kill_quota *quota)
{
	candidates->order_count = orders->count;
	for (unsigned i = 0; i < orders->count; i++)
		candidates->orders[i] = *orders->rows[i].destroy;
	candidates->quota = *quota;
	candidates->count = 0;
	memset(candidates->taken, 0, sizeof(candidates->taken));
	memset(candidates->seen, 0, sizeof(candidates->seen));
}

static bool is_wanted(const struct tw_candidates *candidates, unsigned order, enum tw_state state)
{
	return candidates->quota.wanted[order] && candidates->orders[order].state == state;
}

bool tw_candidates_want(const struct tw_candidates *candidates, enum tw_state state)
{
	for (unsigned i = 0; i < candidates->order_count; i++)
		if (is_wanted(candidates, i, state))
			return true;
	return false;
}

static bool is_unit(const struct tw_destroy *destroy, const char *unit)
{
	return destroy->unit[0] == '\0' || strcmp(destroy->unit, unit) == 0;
}

usec_t tw_candidates_least_age(const struct tw_candidates *candidates, enum tw_state state, const char *unit)
{
	usec_t least_usec = TW_USEC_INFINITY;

	for (unsigned i = 0; i < candidates->order_count; i++) {
		const struct tw_destroy *destroy = &candidates->orders[i];

		if (is_wanted(candidates, i, state) && is_unit(destroy, unit))
			least_usec = TW_MIN(least_usec, destroy->older_than_usec);
	}
	return least_usec;
}

static bool is_meant(const struct tw_destroy *destroy, const struct tw_flow *flow, usec_t age_usec, const char *unit)
{
	if (age_usec < destroy->older_than_usec)
		return false;
	if (destroy->port != 0 && destroy->port != flow->local.port)
		return false;
	if (destroy->has_destination &&
	    (!tw_address_equal(&destroy->destination, &flow->remote.address) ||
	     (destroy->destination_port != 0 && destroy->destination_port != flow->remote.port)))
		return false;
	return is_unit(destroy, unit);
}

static void take(struct tw_candidates *candidates, unsigned order, const struct tw_flow *flow, usec_t age_usec)
{
	usec_t age_ms = age_usec / TW_USEC_PER_MSEC;

	if (candidates->taken[order] >= candidates->quota.most[order] || candidates->count == TW_CANDIDATES_MAX)
		return;
	candidates->taken[order]++;
	candidates->rows[candidates->count++] = (struct tw_candidate){
		.id = { flow->local, flow->remote, flow->device, flow->cookie },
		.family = flow->family,
		.order = (uint8_t)order,
		.age_ms = (uint32_t)TW_MIN(age_ms, UINT32_MAX),
	};
}

void tw_candidates_offer(struct tw_candidates *candidates, const struct tw_flow *flow, usec_t age_usec,
			 const char *unit)
{
	if (flow->cookie == TW_COOKIE_ANY)
		return;
	for (unsigned i = 0; i < candidates->order_count; i++)
		if (is_wanted(candidates, i, flow->state) && is_meant(&candidates->orders[i], flow, age_usec, unit)) {
			candidates->seen[i]++;
			take(candidates, i, flow, age_usec);
			return;
		}
}

void tw_candidates_results(const struct tw_candidates *candidates, struct tw_destroy_found *ret)
{
	ret->rows = candidates->rows;
	ret->count = candidates->count;
	memcpy(ret->seen, candidates->seen, sizeof(ret->seen));
}
