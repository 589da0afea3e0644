/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/out.h"
#include "ctl/past/past.h"

/*
 * Below the chart: a line a series with its lowest, mean and highest figure, and the last things that happened, wrapped
 * at `width`.
 */
void tw_history_add_sums(const struct tw_series *series, unsigned count, struct tw_out *out);
void tw_history_add_events(const struct tw_happened *happened, unsigned width, struct tw_out *out);

/* All of it as one JSON object: namespace, from, to, series with their points, events. */
void tw_history_add_json(const char *namespace, usec_t from_usec, usec_t to_usec, const struct tw_series *series,
			 unsigned count, const struct tw_happened *happened, struct tw_out *out);
