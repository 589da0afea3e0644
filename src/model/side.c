/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/side.h"

#include "base/macros.h"

#define TIME_WAIT_METRIC ((enum tw_metric)(TW_METRIC_STATE_FIRST + TW_STATE_TIME_WAIT))

uint64_t tw_side_accepting_time_wait(const struct tw_sample *sample, bool *ret_exact)
{
	const struct tw_survey *survey = &sample->survey;
	struct tw_value all = tw_sample_metric(sample, TIME_WAIT_METRIC);
	uint64_t total = all.known ? (uint64_t)(all.milli / 1000) : 0;
	uint64_t connecting = survey->dropped;
	uint32_t untold = survey->destinations - TW_MIN(survey->destinations, survey->top_count);

	for (unsigned i = 0; i < survey->top_count; i++)
		connecting += survey->top[i].time_wait;
	/* A destination that is not in the table has no more ports than the last that is. */
	if (untold > 0 && survey->top_count > 0)
		connecting += (uint64_t)untold * survey->top[survey->top_count - 1].ports;
	*ret_exact = untold == 0 && survey->dropped == 0;
	return total - TW_MIN(total, connecting);
}
