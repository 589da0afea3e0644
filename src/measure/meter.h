/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Keeps dumps within their share of one core: what a scan costs is owed, and the debt is paid off at the budget's rate.
 * While something is owed, a routine scan waits. A twentieth of the budget is left aside: the budget is a limit, and
 * what a scan costs is known only once it is made.
 */
struct tw_meter {
	usec_t owed_usec;    /* CPU time spent beyond the budget so far */
	usec_t paid_at_usec; /* until when the debt is paid off */
	usec_t spent_usec;   /* CPU time of all scans */
};

/* The most debt that is remembered: a scan far beyond the budget delays the next by a bounded time. */
#define TW_METER_OWED_MAX (10 * TW_USEC_PER_SEC)

/* This part of the budget pays for nothing. */
#define TW_METER_ASIDE 20

void tw_meter_init(struct tw_meter *meter, usec_t now_usec);

/* Pays off what the time since the last call allows. `budget_milli`: percent of one core, in thousandths. */
void tw_meter_pay(struct tw_meter *meter, int64_t budget_milli, usec_t now_usec);

/* Books the CPU time of a scan. */
void tw_meter_spend(struct tw_meter *meter, usec_t cpu_usec);

/* Whether a routine scan may start. */
static inline bool tw_meter_allows(const struct tw_meter *meter)
{
	return meter->owed_usec == 0;
}
