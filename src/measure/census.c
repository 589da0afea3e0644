/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/census.h"

void tw_census_finish(struct tw_census *census, const struct tw_scan_order *order, bool asked_established,
		      bool asked_time_wait)
{
	uint64_t both = order->gauge.time_wait;

	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		census->known[i] = census->ipv6_known[i] = true;
	if (!order->bound_known) {
		census->known[TW_STATE_BOUND] = census->ipv6_known[TW_STATE_BOUND] = false;
		census->count[TW_STATE_BOUND] = 0;
		census->count_ipv6[TW_STATE_BOUND] = 0;
	}
	census->ipv6_known[TW_STATE_ESTABLISHED] = asked_established;
	census->ipv6_known[TW_STATE_TIME_WAIT] = asked_time_wait;
	/* The dump is later than the gauge, so that it may have seen more. */
	if (!asked_time_wait)
		census->count[TW_STATE_TIME_WAIT] = both > census->mini_fin_wait_2 ? both - census->mini_fin_wait_2 : 0;
}
