/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Keeps the daemon within its share of one core: what work costs is owed, and debts are paid off at the budget's rate.
 * While something is owed, routine work waits. What could not wait is borrowed: it is paid off after all else, and
 * holds no routine work up, or a few seconds of haste would be followed by a minute of blindness.
 */
struct tw_cpu_budget {
	usec_t owed_usec;     /* CPU time spent beyond what was paid for */
	usec_t borrowed_usec; /* the same, for what could not wait */
	usec_t spent_usec;    /* CPU time of all work */
};

/* The most debt that is remembered: work far beyond the budget delays the next by a bounded time. */
#define TW_CPU_BUDGET_OWED_MAX (10 * TW_USEC_PER_SEC)

/* Books CPU time. A zero one has spent nothing. */
void tw_cpu_budget_spend(struct tw_cpu_budget *budget, usec_t cpu_usec);

/* Books CPU time of work that was begun although routine work might not. */
void tw_cpu_budget_borrow(struct tw_cpu_budget *budget, usec_t cpu_usec);

static inline usec_t tw_cpu_budget_debt(const struct tw_cpu_budget *budget)
{
	return budget->owed_usec + budget->borrowed_usec;
}

/* Pays a debt off as far as it goes, what is borrowed last. Returns what is left of the amount. */
usec_t tw_cpu_budget_pay(struct tw_cpu_budget *budget, usec_t amount_usec);

/* Whether routine work may begin. */
static inline bool tw_cpu_budget_allows(const struct tw_cpu_budget *budget)
{
	return budget->owed_usec == 0;
}

/* This part of the budget pays for nothing: it is a limit, and what work costs is known only once it is done. */
#define TW_INCOME_ASIDE 20

/* The budget as it comes in. What nothing is owed for is not kept. */
struct tw_income {
	usec_t taken_usec; /* until when */
};

/* CPU time that may be paid for the time since the last call. `budget_milli`: percent of one core, in thousandths. */
usec_t tw_income_take(struct tw_income *income, int64_t budget_milli, usec_t now_usec);
