/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/forecast.h"

#include "base/macros.h"
#include "model/port-model.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_comparable(const struct tw_survey *previous, const struct tw_survey *survey)
{
	return previous->at_usec != 0 && !previous->partial && !survey->partial &&
	       survey->at_usec > previous->at_usec && survey->at_usec - previous->at_usec <= TW_FORECAST_SPAN_MAX_USEC;
}

/* Those that are watched may stand behind it. */
#define LAST_BY_RANK (TW_TOP_MAX > TW_WATCHED_MAX ? TW_TOP_MAX - TW_WATCHED_MAX - 1 : 0)

static uint32_t beyond(uint32_t now, uint32_t before)
{
	return now - TW_MIN(now, before);
}

/* Without what reuse takes in a moment: where it is in force there are as many of those as come in that time, not more.
 */
static uint32_t lasting(const struct tw_survey *survey, const struct tw_destination_row *row)
{
	bool in_force = !row->reuse_refuted && tw_reuse_in_force(survey->reuse, &row->key);

	return in_force ? beyond(row->blocked, row->unripe_time_wait) : row->blocked;
}

static uint32_t blocked_before(const struct tw_survey *previous, const struct tw_destination *key)
{
	const struct tw_destination_row *row = tw_survey_row(previous, key);

	if (row)
		return lasting(previous, row);
	/* It had no more than the last row that is there for its rank, and no less than what is blocked for all. */
	return previous->top_count < TW_TOP_MAX ? previous->exclusive_ports : previous->top[LAST_BY_RANK].blocked;
}

/* Ports that are blocked now and were not before: in all, and of them those that are exclusive. */
struct growth {
	uint32_t ports, exclusive;
};

static struct tw_value eta_of(uint32_t blocked, uint32_t grown, uint32_t usable, usec_t span_usec)
{
	if (grown == 0)
		return tw_value_unknown();
	/* At most 65536 ports and 30 s: far from any overflow. */
	return tw_value_of((int64_t)((uint64_t)beyond(usable, blocked) * span_usec / grown / TW_USEC_PER_MSEC));
}

/* Where what grows is blocked for everybody it is not this destination that uses the ports up. */
static struct tw_value row_eta(const struct tw_destination_row *row, struct growth growth, uint32_t usable,
			       usec_t span_usec)
{
	return growth.exclusive * 2 > growth.ports ? tw_value_unknown()
						   : eta_of(row->blocked, growth.ports, usable, span_usec);
}

void tw_forecast_fill(const struct tw_survey *previous, struct tw_survey *survey)
{
	bool comparable = is_comparable(previous, survey);
	usec_t span_usec = comparable ? survey->at_usec - previous->at_usec : 0;
	struct growth growth = { .exclusive = beyond(survey->exclusive_ports, previous->exclusive_ports) };

	survey->exclusive_eta = comparable
					? eta_of(survey->exclusive_ports, growth.exclusive, survey->usable, span_usec)
					: tw_value_unknown();
	survey->port_eta = survey->exclusive_eta;
	for (unsigned i = 0; i < survey->top_count; i++) {
		struct tw_destination_row *row = &survey->top[i];

		row->port_eta = tw_value_unknown();
		if (!comparable)
			continue;
		growth.ports = beyond(lasting(survey, row), blocked_before(previous, &row->key));
		row->port_eta = row_eta(row, growth, survey->usable, span_usec);
		if (row->port_eta.known && (!survey->port_eta.known || row->port_eta.milli < survey->port_eta.milli))
			survey->port_eta = row->port_eta;
	}
}
