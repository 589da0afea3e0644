/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/reading-ports.h"

#include "base/macros.h"
#include "base/text.h"
#include "model/port-model.h"

static bool in_scope(const struct tw_scope *scope, const struct tw_destination *key)
{
	return !scope->has_destination || (tw_address_equal(&scope->destination, &key->destination) &&
					   (scope->destination_port == 0 || scope->destination_port == key->port));
}

/* A burst on a quiet machine is no alarm: only from half of the level on does a forecast count. */
static bool is_soon(const struct tw_rule_settings *settings, struct tw_value use, struct tw_value eta)
{
	return settings->metric == TW_METRIC_PORT_USE && settings->forecast_usec > 0 &&
	       tw_rule_settings_upward(settings) && eta.known && eta.milli >= 0 &&
	       (usec_t)eta.milli <= settings->forecast_usec / TW_USEC_PER_MSEC && use.known &&
	       use.milli >= settings->raise_milli - settings->raise_milli / 2;
}

static struct tw_value share(uint64_t ports, uint32_t usable)
{
	return tw_value_percent(TW_MIN(ports, (uint64_t)usable), usable);
}

static uint32_t beyond(uint32_t ports, uint32_t exclusive)
{
	return ports - TW_MIN(ports, exclusive);
}

/*
 * Whether what is blocked for all is most of what the row cannot take, or could not without what timewaitd has changed:
 * who answers for it is the same before a change and after.
 */
static bool is_mostly_exclusive(const struct tw_survey *survey, const struct tw_destination_row *row)
{
	uint64_t wanted = row->port_demand.known ? (uint64_t)row->port_demand.milli * survey->usable / (100 * 1000) : 0;
	uint64_t blocked = TW_MAX(wanted, (uint64_t)TW_MAX(row->blocked, row->blocked_baseline));

	return blocked < 2 * (uint64_t)survey->exclusive_ports;
}

/* Not within a destination's scope, where nobody else tells it, and not where there is no level. */
static bool tells_holders(const struct tw_rule_settings *settings)
{
	return !settings->scope.has_destination && settings->raise_milli != settings->clear_milli;
}

/*
 * Whether what is blocked for all is over the level by itself, or is most of what the row cannot take. Then that is
 * told once, as the alert of who holds it, and the destination counts for what it blocks beyond.
 */
static bool is_told_for_all(const struct tw_survey *survey, const struct tw_rule_settings *settings,
			    const struct tw_destination_row *row)
{
	struct tw_value value = share(survey->exclusive_ports, survey->usable);

	return tells_holders(settings) && value.known &&
	       (value.milli >= settings->raise_milli || is_mostly_exclusive(survey, row));
}

/* What TIME-WAIT has no part in. */
static uint32_t steady_ports(const struct tw_destination_row *row, uint32_t exclusive)
{
	return beyond(row->ports, row->time_wait) + exclusive;
}

/* Reuse takes none of those that are bound first: of the young ones that is their part. */
static uint32_t young_takeable(const struct tw_destination_row *row)
{
	uint32_t first = row->bound_first_known ? TW_MIN(row->bound_first, row->ports) : 0;

	return row->ports > 0 ? (uint32_t)((uint64_t)row->young_time_wait * (row->ports - first) / row->ports) : 0;
}

static struct tw_reading read_row(const struct tw_survey *survey, const struct tw_rule_settings *settings,
				  const struct tw_destination_row *row)
{
	/* Those that it holds itself are in both. */
	uint32_t others = beyond(survey->exclusive_ports, row->bound_first_known ? row->bound_first : 0);
	uint32_t apart = is_told_for_all(survey, settings, row) ? survey->exclusive_ports : 0;
	uint32_t usable = tw_port_left(apart, survey->usable);
	struct tw_reading reading = {
		.eta = row->port_eta,
		.ports = {
			.known = true,
			.usable = usable,
			.steady = beyond(steady_ports(row, others), apart),
			.baseline = beyond(row->blocked_baseline, apart),
			.young = young_takeable(row),
		},
	};

	reading.value = apart > 0 ? share(beyond(row->blocked, apart), usable) : row->port_use;
	reading.pressure = reading.value;
	reading.soon = is_soon(settings, reading.value, row->port_eta);
	return reading;
}

static bool next_row(const struct tw_survey *survey, const struct tw_rule_settings *settings, unsigned *cursor,
		     struct tw_reading_row *ret)
{
	while (*cursor < survey->top_count) {
		const struct tw_destination_row *row = &survey->top[(*cursor)++];

		if (!in_scope(&settings->scope, &row->key))
			continue;
		*ret = (struct tw_reading_row){ .subject = { .has_destination = true, .destination = row->key } };
		ret->reading = read_row(survey, settings, row);
		return true;
	}
	return false;
}

/* Listening, and bound without a connection. */
static uint32_t idle_ports(const struct tw_survey *survey)
{
	return beyond(survey->exclusive_ports, survey->bound_first_ports);
}

/* What is blocked for all, and where that is most of what a destination cannot take, all that it cannot. */
static uint32_t answered_ports(const struct tw_survey *survey, const struct tw_rule_settings *settings)
{
	uint32_t ports = survey->exclusive_ports;

	for (unsigned i = 0; tells_holders(settings) && i < survey->top_count; i++)
		if (is_mostly_exclusive(survey, &survey->top[i]))
			ports = TW_MAX(ports, survey->top[i].blocked);
	return ports;
}

/*
 * Who holds most of what is blocked for all stands for all who do: several addresses may have bound the same port, so
 * that none of them could be told apart by what it gives back.
 */
static bool next_holder(const struct tw_survey *survey, const struct tw_rule_settings *settings, unsigned *cursor,
			struct tw_reading_row *ret)
{
	if (settings->scope.has_destination || *cursor > survey->top_count)
		return false;
	(*cursor)++;
	*ret = (struct tw_reading_row){ .subject.holds_for_all = true };
	if (survey->binder_count > 0 && survey->bound_first_ports > idle_ports(survey)) {
		ret->subject.has_binder = true;
		ret->subject.binder = survey->binders[0].source;
	} else if (survey->bound_row_count > 0 && (uint64_t)survey->bound_ports * 2 >= idle_ports(survey)) {
		/* Listeners have no unit here: who has the few others is not behind it. */
		(void)tw_text_copy(ret->subject.unit, sizeof(ret->subject.unit), survey->bound_rows[0].unit);
	}
	ret->reading.value = ret->reading.pressure = share(answered_ports(survey, settings), survey->usable);
	ret->reading.eta = survey->exclusive_eta;
	ret->reading.soon = is_soon(settings, ret->reading.value, survey->exclusive_eta);
	return true;
}

/* Who binds first and is left too few ports, where it does not hold most of those itself: that is told for all. */
static bool next_need(const struct tw_survey *survey, const struct tw_rule_settings *settings, unsigned *cursor,
		      struct tw_reading_row *ret)
{
	const unsigned first = survey->top_count + 1;

	while (tells_holders(settings) && *cursor >= first && *cursor - first < survey->need_count) {
		const struct tw_binder_need *need = &survey->needs[(*cursor)++ - first];

		if (!need->use.known || (uint64_t)need->own * 2 > need->ports)
			continue;
		*ret = (struct tw_reading_row){ .subject = { .has_binder = true, .binder = need->source } };
		ret->reading.value = ret->reading.pressure = need->use;
		return true;
	}
	return false;
}

/* A survey that does not tell the ports by destination: one that was read back from a record. */
static bool next_whole(const struct tw_survey *survey, const struct tw_rule_settings *settings, unsigned *cursor,
		       struct tw_reading_row *ret)
{
	bool eta = settings->metric == TW_METRIC_PORT_ETA;

	if ((*cursor)++ > 0 || (eta && !survey->port_eta.known))
		return false;
	*ret = (struct tw_reading_row){ .reading = { .eta = survey->port_eta } };
	ret->reading.value = eta ? survey->port_eta : survey->port_use;
	ret->reading.pressure = eta ? survey->port_eta : survey->port_demand;
	for (unsigned i = 0; i < survey->top_count; i++)
		ret->reading.soon |= is_soon(settings, survey->top[i].port_use, survey->top[i].port_eta);
	return true;
}

/* Every destination whose blocked ports grow, and who holds what is blocked for all where that does. */
static bool next_eta(const struct tw_survey *survey, const struct tw_rule_settings *settings, unsigned *cursor,
		     struct tw_reading_row *ret)
{
	while (next_row(survey, settings, cursor, ret) || next_holder(survey, settings, cursor, ret)) {
		if (!ret->reading.eta.known)
			continue;
		ret->reading.value = ret->reading.pressure = ret->reading.eta;
		/* Its level is a time: what is said of ports by their share has no part in it. */
		ret->reading.ports = (struct tw_reading_ports){ 0 };
		return true;
	}
	return false;
}

bool tw_reading_ports_next(const struct tw_sample *sample, const struct tw_rule_settings *settings, unsigned *cursor,
			   struct tw_reading_row *ret)
{
	const struct tw_survey *survey = &sample->survey;

	if (!survey->has_busiest && survey->exclusive_ports == 0)
		return next_whole(survey, settings, cursor, ret);
	if (settings->metric == TW_METRIC_PORT_ETA)
		return next_eta(survey, settings, cursor, ret);
	return next_row(survey, settings, cursor, ret) || next_holder(survey, settings, cursor, ret) ||
	       next_need(survey, settings, cursor, ret);
}
