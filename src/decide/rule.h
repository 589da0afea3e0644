/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "model/event.h"
#include "model/settings.h"
#include "model/situation.h"
#include "model/value.h"

#include <stdbool.h>
#include <stdint.h>

/* What one measurement says to a rule. */
struct tw_reading {
	struct tw_value value;
	/*
	 * What clearing is held against. For most metrics the value itself; for port-use what it would come to
	 * without the remedy: while tcp_tw_reuse is on, the ports in use do not tell whether it is still needed. Nor
	 * does an overflow of 0 while tcp_max_tw_buckets is higher than it was.
	 */
	struct tw_value pressure;
	struct tw_value eta; /* port-use: s until it is 100 % at its present growth; unknown where it does not grow */
	bool soon;	     /* that is within the rule's forecast */
	usec_t at_usec;	     /* when it was measured */
	bool confirmed;	     /* an independent measurement pointed there first: this one is already the second look */
};

/*
 * One rule's life:
 *
 *          value over raise, or soon     held for raise-for, looked at twice; or foreseen
 *   normal  -------------------> rising ----------------------------------> raised
 *     ^  ^                         |                                        |   ^
 *     |  '-- value under, not soon-'     pressure down to clear, not soon   |   | pressure up again, or soon
 *     |                                                                     v   |
 *     '------------- value under clear, held for clear-for ---------------- clearing
 *
 * "Over" is at or beyond the level, in the rule's direction. Hold times run between measurements, never over a number
 * of them: an old value proves nothing, and a missing one stops the clock. A forecast does not wait for raise-for:
 * "foreseen" is soon at two measurements in a row, or at one that is over the level already.
 */
struct tw_rule {
	enum tw_rule_state state;
	usec_t entered_usec;  /* when it came into that state; 0: it was never looked at */
	bool frozen;	      /* its value is missing, and that was told */
	bool known;	      /* it has had a value */
	unsigned blind;	      /* measurements without a value */
	usec_t blind_usec;    /* when the last of these was made */
	unsigned looks;	      /* measurements over the level, in a row, while rising */
	unsigned foreseen;    /* measurements that were soon, in a row, while rising */
	bool ahead;	      /* raised by the forecast, before the level was held */
	usec_t since_usec;    /* start of the hold that runs: rising or clearing */
	usec_t measured_usec; /* the last measurement taken in */
	usec_t raised_usec;
	usec_t reminded_usec;
	struct tw_value value;	   /* at that measurement */
	struct tw_subject subject; /* who was behind it when it was raised or last reminded of */
};

/* What a step may have to tell. */
enum tw_rule_edge {
	TW_RULE_NO_EDGE,
	TW_RULE_EDGE_RAISED,
	TW_RULE_EDGE_REMINDED,
	TW_RULE_EDGE_CLEARED,
	TW_RULE_EDGE_FROZEN,
};

void tw_rule_init(struct tw_rule *rule);

/* One step with the newest reading. Pure: the rule, the reading and the time in, the rule and an edge out. */
enum tw_rule_edge tw_rule_step(struct tw_rule *rule, const struct tw_rule_settings *settings,
			       const struct tw_reading *reading, usec_t now_usec);

/* Whether its actions are wanted. */
static inline bool tw_rule_active(const struct tw_rule *rule)
{
	return rule->state == TW_RULE_RAISED || rule->state == TW_RULE_CLEARING;
}
