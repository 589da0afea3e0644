/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/page.h"
#include "model/metric.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/tunable.h"

/* What a sample says of one thing: paragraphs that begin with "Here", and the numbers that are in them. */

void tw_here_say_metric(struct tw_page *page, const struct tw_sample *sample, enum tw_metric metric);
void tw_here_say_tunable(struct tw_page *page, const struct tw_sample *sample, enum tw_tunable tunable);

/*
 * TIME-WAIT by its sides: what it costs here, and whether that is harm. Nothing where there is none, or the survey does
 * not hold.
 */
void tw_here_say_time_wait(struct tw_page *page, const struct tw_sample *sample);

/* Every state and metric, and how TIME-WAIT is shared out, as numbers alone. */
void tw_here_note_all(struct tw_page *page, const struct tw_sample *sample);
