/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/reading-ports.h"

#include "base/macros.h"
#include "base/text.h"
#include "decide/reading.h"

static bool survey_holds(const struct tw_survey *survey)
{
	return survey->at_usec != 0 && !survey->partial;
}

static bool in_scope(const struct tw_scope *scope, const struct tw_destination *key)
{
	return !scope->has_destination || (tw_address_equal(&scope->destination, &key->destination) &&
					   (scope->destination_port == 0 || scope->destination_port == key->port));
}

static bool uses_more(const struct tw_destination_row *a, const struct tw_destination_row *b)
{
	return a->port_use.known && (!b->port_use.known || a->port_use.milli > b->port_use.milli);
}

/* The row that port-use reads; NULL where there is none. */
static const struct tw_destination_row *find_busiest(const struct tw_survey *survey, const struct tw_scope *scope)
{
	const struct tw_destination_row *busiest = NULL;

	if (!scope->has_destination)
		return survey->has_busiest && survey->top_count > 0 ? &survey->top[0] : NULL;
	for (unsigned i = 0; i < survey->top_count; i++)
		if (in_scope(scope, &survey->top[i].key) && (!busiest || uses_more(&survey->top[i], busiest)))
			busiest = &survey->top[i];
	return busiest;
}

/* The row that port-eta reads; NULL where none grows. */
static const struct tw_destination_row *find_soonest(const struct tw_survey *survey, const struct tw_scope *scope)
{
	const struct tw_destination_row *soonest = NULL;

	if (!scope->has_destination)
		return survey->port_eta.known && survey->soonest < survey->top_count ? &survey->top[survey->soonest]
										     : NULL;
	for (unsigned i = 0; i < survey->top_count; i++) {
		const struct tw_destination_row *row = &survey->top[i];

		if (in_scope(scope, &row->key) && row->port_eta.known &&
		    (!soonest || row->port_eta.milli < soonest->port_eta.milli))
			soonest = row;
	}
	return soonest;
}

/* What the survey's port_demand is for the whole namespace, for the scope alone: the highest of its rows. */
static struct tw_value demand_in_scope(const struct tw_survey *survey, const struct tw_scope *scope)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < survey->top_count; i++) {
		const struct tw_destination_row *row = &survey->top[i];
		uint64_t wanted = (uint64_t)(row->ports - TW_MIN(row->ports, row->time_wait)) + survey->bound_ports +
				  row->young_time_wait * TW_TIME_WAIT_USEC / TW_SURVEY_YOUNG_USEC;

		if (in_scope(scope, &row->key))
			most = TW_MAX(most, wanted);
	}
	return tw_value_percent(most, survey->range_ports);
}

static struct tw_value eta_of(const struct tw_survey *survey, const struct tw_scope *scope)
{
	const struct tw_destination_row *row;

	if (!scope->has_destination)
		return survey->port_eta;
	row = find_soonest(survey, scope);
	return row ? row->port_eta : tw_value_unknown();
}

static bool within_forecast(const struct tw_rule_settings *settings, struct tw_value eta)
{
	return eta.known && eta.milli >= 0 && (usec_t)eta.milli <= settings->forecast_usec / TW_USEC_PER_MSEC;
}

/*
 * The row that runs out first, within the forecast; NULL for none. A burst on a quiet machine is no alarm: only from
 * half of the level on does a row count.
 */
static const struct tw_destination_row *find_coming(const struct tw_survey *survey,
						    const struct tw_rule_settings *settings)
{
	const struct tw_destination_row *coming = NULL;

	if (settings->forecast_usec == 0 || !tw_rule_settings_upward(settings))
		return NULL;
	for (unsigned i = 0; i < survey->top_count; i++) {
		const struct tw_destination_row *row = &survey->top[i];

		if (in_scope(&settings->scope, &row->key) && within_forecast(settings, row->port_eta) &&
		    row->port_use.known && row->port_use.milli >= settings->raise_milli - settings->raise_milli / 2 &&
		    (!coming || row->port_eta.milli < coming->port_eta.milli))
			coming = row;
	}
	return coming;
}

void tw_reading_ports_use(const struct tw_sample *sample, const struct tw_rule_settings *settings,
			  struct tw_reading *ret)
{
	const struct tw_survey *survey = &sample->survey;
	const struct tw_scope *scope = &settings->scope;
	const struct tw_destination_row *row;

	if (!survey_holds(survey))
		return;
	if (scope->has_destination) {
		row = find_busiest(survey, scope);
		ret->value = row ? row->port_use : tw_value_percent(0, survey->range_ports);
		ret->pressure = demand_in_scope(survey, scope);
	} else {
		ret->value = survey->port_use;
		ret->pressure = survey->port_demand;
	}
	row = find_coming(survey, settings);
	ret->soon = row != NULL;
	ret->eta = row ? row->port_eta : eta_of(survey, scope);
}

struct tw_value tw_reading_ports_eta(const struct tw_sample *sample, const struct tw_scope *scope)
{
	struct tw_value eta;

	if (!survey_holds(&sample->survey))
		return tw_value_unknown();
	eta = eta_of(&sample->survey, scope);
	return eta.known ? eta : tw_value_of(TW_READING_ETA_FAR_MILLI);
}

/* Below the level it is the forecast that raises, and its row that is to be named. */
static const struct tw_destination_row *find_user(const struct tw_survey *survey,
						  const struct tw_rule_settings *settings)
{
	const struct tw_destination_row *busiest = find_busiest(survey, &settings->scope);
	const struct tw_destination_row *coming = find_coming(survey, settings);
	bool over = busiest && busiest->port_use.known && busiest->port_use.milli >= settings->raise_milli;

	return coming && !over ? coming : busiest;
}

/* Bound sockets take ports from every destination: where they hold more than the row does, it is they who matter. */
static bool held_by_binding(const struct tw_survey *survey, const struct tw_destination_row *row)
{
	return survey->bound_row_count > 0 && survey->bound_ports > (row ? row->ports : 0);
}

void tw_reading_ports_subject(const struct tw_sample *sample, const struct tw_rule_settings *settings,
			      struct tw_subject *ret)
{
	const struct tw_survey *survey = &sample->survey;
	const struct tw_destination_row *row;

	if (!survey_holds(survey))
		return;
	row = settings->metric == TW_METRIC_PORT_USE ? find_user(survey, settings)
						     : find_soonest(survey, &settings->scope);
	if (settings->metric == TW_METRIC_PORT_USE && held_by_binding(survey, row))
		(void)tw_text_copy(ret->unit, sizeof(ret->unit), survey->bound_rows[0].unit);
	if (!row)
		return;
	ret->has_destination = true;
	ret->destination = row->key;
}
