/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/forecast.h"

#include "base/macros.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_comparable(const struct tw_survey *previous, const struct tw_survey *survey)
{
	return previous->at_usec != 0 && !previous->partial && !survey->partial &&
	       survey->at_usec > previous->at_usec && survey->at_usec - previous->at_usec <= TW_FORECAST_SPAN_MAX_USEC;
}

static uint32_t ports_before(const struct tw_survey *previous, const struct tw_destination *key)
{
	for (unsigned i = 0; i < previous->top_count; i++)
		if (memcmp(&previous->top[i].key, key, sizeof(*key)) == 0)
			return previous->top[i].ports;
	/* It had no more than the last row that was told. */
	return previous->top_count < TW_TOP_MAX ? 0 : previous->top[TW_TOP_MAX - 1].ports;
}

static struct tw_value eta_of(const struct tw_destination_row *row, uint32_t before, uint32_t usable, usec_t span_usec)
{
	uint64_t left = usable > row->ports ? usable - row->ports : 0;

	if (row->ports <= before)
		return tw_value_unknown();
	/* At most 65536 ports and 30 s: far from any overflow. */
	return tw_value_of((int64_t)(left * span_usec / (row->ports - before) / TW_USEC_PER_MSEC));
}

void tw_forecast_fill(const struct tw_survey *previous, struct tw_survey *survey)
{
	uint32_t usable = tw_survey_usable(survey);
	bool comparable = is_comparable(previous, survey);

	survey->port_eta = tw_value_unknown();
	survey->soonest = 0;
	for (unsigned i = 0; i < survey->top_count; i++) {
		struct tw_destination_row *row = &survey->top[i];

		row->port_eta = tw_value_unknown();
		if (comparable)
			row->port_eta = eta_of(row, ports_before(previous, &row->key), usable,
					       survey->at_usec - previous->at_usec);
		if (row->port_eta.known && (!survey->port_eta.known || row->port_eta.milli < survey->port_eta.milli)) {
			survey->port_eta = row->port_eta;
			survey->soonest = i;
		}
	}
}
