/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

/* Two surveys further apart than this tell too little of the present growth. */
#define TW_FORECAST_SPAN_MAX_USEC (30 * TW_USEC_PER_SEC)

/*
 * Fills port_eta of each row of `survey`, and its own port_eta, from how many more ports are blocked than
 * at the survey before. A destination that is new among the rows counts from what was exclusive where the one before
 * told of all, else from its last row. Unknown where nothing grows, and where either survey is missing or partial, or
 * the one before is too old.
 */
void tw_forecast_fill(const struct tw_survey *previous, struct tw_survey *survey);
