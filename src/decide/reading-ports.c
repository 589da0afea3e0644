/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a survey says of ports, apart from the other readings for its length. */
#include "decide/reading.h"

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

static struct tw_reading read_row(const struct tw_survey *survey, const struct tw_rule_settings *settings,
				  const struct tw_destination_row *row)
{
	/* Those that it holds itself are in both. */
	uint32_t others = beyond(survey->exclusive_ports, row->bound_first_known ? row->bound_first : 0);
	uint32_t apart = is_told_for_all(survey, settings, row) ? survey->exclusive_ports : 0;
	uint32_t usable = tw_port_left(apart, survey->usable);
	uint32_t first = row->bound_first_known ? TW_MIN(row->bound_first, row->ports) : 0;
	struct tw_reading reading = {
		.eta = row->port_eta,
		.ports = {
			.known = true,
			.usable = usable,
			.steady = beyond(beyond(row->ports, row->time_wait) + others, apart),
			.baseline = beyond(row->blocked_baseline, apart),
		},
	};

	/* Reuse takes none of those that are bound first: of the young ones that is their part. */
	if (row->ports > 0)
		reading.ports.young = (uint32_t)((uint64_t)row->young_time_wait * (row->ports - first) / row->ports);
	reading.value = apart > 0 ? share(beyond(row->blocked, apart), usable) : row->port_use;
	reading.pressure = reading.value;
	reading.soon = is_soon(settings, reading.value, row->port_eta);
	return reading;
}

static void add_rows(struct tw_readings *readings, const struct tw_survey *survey,
		     const struct tw_rule_settings *settings)
{
	for (unsigned i = 0; i < survey->top_count; i++) {
		const struct tw_destination_row *row = &survey->top[i];

		if (in_scope(&settings->scope, &row->key))
			*tw_readings_add(readings, tw_value_unknown()) = (struct tw_reading_row){
				.subject = { .has_destination = true, .destination = row->key },
				.reading = read_row(survey, settings, row),
			};
	}
}

/*
 * Who holds most of what is blocked for all stands for all who do: several addresses may have bound the same port, so
 * that none of them could be told apart by what it gives back. What they answer for is what is blocked for all, and
 * where that is most of what a destination cannot take, all that it cannot.
 */
static void add_holder(struct tw_readings *readings, const struct tw_survey *survey,
		       const struct tw_rule_settings *settings)
{
	uint32_t ports = survey->exclusive_ports, idle = beyond(survey->exclusive_ports, survey->bound_first_ports);
	struct tw_reading_row *row;

	if (settings->scope.has_destination)
		return;
	for (unsigned i = 0; tells_holders(settings) && i < survey->top_count; i++)
		if (is_mostly_exclusive(survey, &survey->top[i]))
			ports = TW_MAX(ports, survey->top[i].blocked);
	row = tw_readings_add(readings, share(ports, survey->usable));
	row->subject.holds_for_all = true;
	if (survey->binder_count > 0 && survey->bound_first_ports > idle) {
		row->subject.has_binder = true;
		row->subject.binder = survey->binders[0].source;
	} else if (survey->bound_row_count > 0 && (uint64_t)survey->bound_ports * 2 >= idle) {
		/* Listeners have no unit here: who has the few others is not behind it. */
		(void)tw_text_copy(row->subject.unit, sizeof(row->subject.unit), survey->bound_rows[0].unit);
	}
	row->reading.eta = survey->exclusive_eta;
	row->reading.soon = is_soon(settings, row->reading.value, survey->exclusive_eta);
}

/* Who binds first and is left too few ports, where it does not hold most of those itself: that is told for all. */
static void add_needs(struct tw_readings *readings, const struct tw_survey *survey,
		      const struct tw_rule_settings *settings)
{
	for (unsigned i = 0; tells_holders(settings) && i < survey->need_count; i++) {
		const struct tw_binder_need *need = &survey->needs[i];

		if (need->use.known && (uint64_t)need->own * 2 <= need->ports)
			tw_readings_add(readings, need->use)->subject =
				(struct tw_subject){ .has_binder = true, .binder = need->source };
	}
}

/* A survey that does not tell the ports by destination: one that was read back from a record. */
static void add_whole(struct tw_readings *readings, const struct tw_survey *survey,
		      const struct tw_rule_settings *settings)
{
	bool eta = settings->metric == TW_METRIC_PORT_ETA;
	struct tw_reading *reading;

	if (eta && !survey->port_eta.known)
		return;
	reading = &tw_readings_add(readings, eta ? survey->port_eta : survey->port_use)->reading;
	reading->eta = survey->port_eta;
	if (!eta)
		reading->pressure = survey->port_demand;
	for (unsigned i = 0; i < survey->top_count; i++)
		reading->soon |= is_soon(settings, survey->top[i].port_use, survey->top[i].port_eta);
}

/* Of these those whose blocked ports grow. */
static void keep_growing(struct tw_readings *readings)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < readings->count; i++) {
		struct tw_reading_row row = readings->rows[i];

		if (!row.reading.eta.known)
			continue;
		row.reading.value = row.reading.pressure = row.reading.eta;
		/* Its level is a time: what is said of ports by their share has no part in it. */
		row.reading.ports = (struct tw_reading_ports){ 0 };
		readings->rows[kept++] = row;
	}
	readings->count = kept;
}

void tw_readings_add_ports(struct tw_readings *readings, const struct tw_survey *survey,
			   const struct tw_rule_settings *settings)
{
	if (!survey->has_busiest && survey->exclusive_ports == 0) {
		add_whole(readings, survey, settings);
		return;
	}
	add_rows(readings, survey, settings);
	add_holder(readings, survey, settings);
	if (settings->metric == TW_METRIC_PORT_ETA)
		keep_growing(readings);
	else
		add_needs(readings, survey, settings);
}
