/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/budget.h"

#include <string.h>

static uint16_t *count_of(struct tw_budget *budget, uint64_t minute)
{
	return &budget->counts[minute % TW_BUDGET_MINUTES];
}

/* Forgets what lies too far back. */
static void turn_to(struct tw_budget *budget, usec_t now_usec)
{
	uint64_t minute = now_usec / TW_USEC_PER_MINUTE;

	if (minute <= budget->minute)
		return;
	if (minute - budget->minute >= TW_BUDGET_MINUTES)
		memset(budget->counts, 0, sizeof(budget->counts));
	else
		for (uint64_t i = budget->minute + 1; i <= minute; i++)
			*count_of(budget, i) = 0;
	budget->minute = minute;
}

void tw_budget_note(struct tw_budget *budget, usec_t now_usec)
{
	uint16_t *count;

	turn_to(budget, now_usec);
	count = count_of(budget, budget->minute);
	if (*count < UINT16_MAX)
		++*count;
}

unsigned tw_budget_spent(struct tw_budget *budget, usec_t now_usec)
{
	unsigned spent = 0;

	turn_to(budget, now_usec);
	for (unsigned i = 0; i < TW_BUDGET_MINUTES; i++)
		spent += budget->counts[i];
	return spent;
}

usec_t tw_budget_wait(struct tw_budget *budget, unsigned most, usec_t now_usec)
{
	unsigned spent = tw_budget_spent(budget, now_usec);
	uint64_t oldest = budget->minute + 1;

	/* The oldest minutes end first: the slot behind the newest minute is the oldest. */
	for (unsigned i = 0; i < TW_BUDGET_MINUTES && spent >= most; i++) {
		spent -= *count_of(budget, oldest);
		if (spent < most)
			return tw_usec_since((budget->minute + i + 1) * TW_USEC_PER_MINUTE, now_usec);
		oldest++;
	}
	return 0;
}
