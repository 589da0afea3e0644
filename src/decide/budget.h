/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"

#include <stdbool.h>
#include <stdint.h>

/* An hour, and the minute under way. */
#define TW_BUDGET_MINUTES 61

/*
 * How often something was done within the last hour. Kept by the minute, so that it costs the same for any number: a
 * minute counts until an hour after its end, never shorter than the hour.
 */
struct tw_budget {
	uint64_t minute; /* the newest one that is counted, since time began */
	uint16_t counts[TW_BUDGET_MINUTES];
};

/* It was done once more. */
void tw_budget_note(struct tw_budget *budget, usec_t now_usec);

/* How often it was done within the hour; minutes that are over are forgotten. */
unsigned tw_budget_spent(struct tw_budget *budget, usec_t now_usec);

/* How long until one more is free, where `most` an hour are spent; 0 where there is one now. */
usec_t tw_budget_wait(struct tw_budget *budget, unsigned most, usec_t now_usec);
