/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/reading.h"

#include "base/macros.h"
#include "base/text.h"

#include <string.h>

#define CLOSE_WAIT_METRIC TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT)

/* ---- listeners */

static bool accepting_holds(const struct tw_accepting *accepting)
{
	return accepting->at_usec != 0 && !accepting->partial;
}

static bool is_listener(const struct tw_scope *scope, const struct tw_endpoint *address)
{
	return !scope->has_listener ||
	       (scope->listener_port == address->port &&
		(tw_address_is_any(&scope->listener) || tw_address_equal(&scope->listener, &address->address)));
}

static void add_listeners(struct tw_readings *readings, const struct tw_accepting *accepting,
			  const struct tw_scope *scope)
{
	/* Without a listener, or read back from a record. */
	if (accepting->row_count == 0)
		(void)tw_readings_add(readings, accepting->accept_queue);
	for (unsigned i = 0; i < accepting->row_count; i++) {
		const struct tw_listener_row *row = &accepting->rows[i];

		if (is_listener(scope, &row->address))
			tw_readings_add(readings, tw_listener_fullness(row))->subject =
				(struct tw_subject){ .has_listener = true, .listener = row->address };
	}
}

/* How much of the namespace's number the listener is behind, to be held against that of others; 0: of none. */
static int64_t part_in(const struct tw_rule_settings *settings, const struct tw_listener_row *row)
{
	switch ((int)settings->metric) {
	case TW_METRIC_LISTEN_OVERFLOW:
		/* Of those that refuse connections at this moment. */
		return is_listener(&settings->scope, &row->address) && row->queue >= tw_listener_room(row->backlog)
			       ? tw_listener_fullness(row).milli
			       : 0;
	case TW_METRIC_SYN_COOKIES:
		/*
		 * Half-open connections are answered by cookie when a listener has as many of them as its backlog is
		 * long (inet_csk_reqsk_queue_is_full()).
		 */
		return row->syn_recv >= row->backlog ? row->syn_recv : 0;
	}
	return 0;
}

/* None where it may have passed since the kernel counted. */
static void name_listener(const struct tw_accepting *accepting, const struct tw_rule_settings *settings,
			  struct tw_subject *ret)
{
	int64_t most = 0;

	for (unsigned i = 0; accepting_holds(accepting) && i < accepting->row_count; i++) {
		int64_t part = part_in(settings, &accepting->rows[i]);

		if (part <= most)
			continue;
		most = part;
		ret->has_listener = true;
		ret->listener = accepting->rows[i].address;
	}
}

/* ---- CLOSE-WAIT */

/* Of each unit, and last of those without a row. */
struct units {
	uint64_t counts[TW_TOP_MAX + 1]; /* sockets that count for the rule */
	usec_t oldest_usec[TW_TOP_MAX + 1];
};

static bool sockets_known(const struct tw_close_wait *close_wait)
{
	return close_wait->at_usec != 0 && !close_wait->partial &&
	       (close_wait->sockets || close_wait->socket_count == 0);
}

static void count_units(const struct tw_close_wait *close_wait, const struct tw_rule_settings *settings,
			struct units *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; i < close_wait->socket_count; i++) {
		const struct tw_close_wait_socket *socket = &close_wait->sockets[i];
		uint32_t unit = TW_MIN(socket->unit, (uint32_t)TW_TOP_MAX);
		usec_t age_usec = tw_usec_since(close_wait->at_usec, socket->since_usec);

		ret->counts[unit] += settings->metric != TW_METRIC_CLOSE_WAIT_AGED || age_usec > settings->age_usec;
		ret->oldest_usec[unit] = TW_MAX(ret->oldest_usec[unit], age_usec);
	}
}

/* Whether the rule looks at this unit, "" for those without a row. */
static bool is_unit(const struct tw_rule_settings *settings, const char *unit)
{
	return settings->scope.unit[0] == '\0' || strcmp(settings->scope.unit, unit) == 0;
}

/* Those without a row are the last subject, of no name. */
static void add_units(struct tw_readings *readings, const struct tw_close_wait *close_wait,
		      const struct tw_rule_settings *settings)
{
	struct units units;

	count_units(close_wait, settings, &units);
	for (unsigned i = 0; i <= close_wait->row_count; i++) {
		bool has_row = i < close_wait->row_count;
		const char *unit = has_row ? close_wait->rows[i].unit : "";
		unsigned at = has_row ? i : TW_TOP_MAX;
		int64_t milli = settings->metric == TW_METRIC_CLOSE_WAIT_AGE
					? (int64_t)(units.oldest_usec[at] / TW_USEC_PER_MSEC)
					: (int64_t)units.counts[at] * 1000;

		if (milli > 0 && is_unit(settings, unit))
			(void)tw_text_copy(tw_readings_add(readings, tw_value_of(milli))->subject.unit, TW_UNIT_MAX,
					   unit);
	}
}

bool tw_reading_count(const struct tw_sample *sample, const struct tw_rule_settings *settings, const char *unit,
		      uint64_t *ret)
{
	const struct tw_close_wait *close_wait = &sample->close_wait;
	struct units units;

	if (!sockets_known(close_wait) ||
	    (settings->metric != CLOSE_WAIT_METRIC && settings->metric != TW_METRIC_CLOSE_WAIT_AGE &&
	     settings->metric != TW_METRIC_CLOSE_WAIT_AGED))
		return false;
	count_units(close_wait, settings, &units);
	*ret = 0;
	for (unsigned i = 0; i < close_wait->row_count; i++)
		if (strcmp(close_wait->rows[i].unit, unit) == 0)
			*ret = units.counts[i];
	return true;
}

/* Of a number of sockets in CLOSE-WAIT, the unit with the most of them. Those in no row are of smaller units. */
static void name_unit(const struct tw_close_wait *close_wait, const struct tw_rule_settings *settings,
		      struct tw_subject *ret)
{
	struct units units;
	uint64_t most = 0;

	if (!sockets_known(close_wait))
		return;
	count_units(close_wait, settings, &units);
	for (unsigned i = 0; i < close_wait->row_count; i++)
		if (units.counts[i] > most && is_unit(settings, close_wait->rows[i].unit)) {
			most = units.counts[i];
			(void)tw_text_copy(ret->unit, sizeof(ret->unit), close_wait->rows[i].unit);
		}
}

/* ---- every metric */

/* The number of sockets in CLOSE-WAIT of one unit: the census has only that of all. */
static bool counts_unit(const struct tw_rule_settings *settings)
{
	return settings->metric == CLOSE_WAIT_METRIC && settings->scope.unit[0] != '\0';
}

static struct tw_value read_whole(const struct tw_sample *sample, const struct tw_rule_settings *settings)
{
	uint64_t count;

	if (!counts_unit(settings))
		return tw_sample_metric(sample, settings->metric);
	return tw_reading_count(sample, settings, settings->scope.unit, &count) ? tw_value_of((int64_t)count * 1000)
										: tw_value_unknown();
}

bool tw_reading_known(const struct tw_sample *sample, const struct tw_rule_settings *settings)
{
	switch (tw_metric_info(settings->metric)->subject) {
	case TW_SUBJECT_NAMESPACE:
		return read_whole(sample, settings).known;
	case TW_SUBJECT_PORTS:
		return sample->survey.at_usec != 0 && !sample->survey.partial &&
		       (settings->metric != TW_METRIC_PORT_USE || sample->survey.port_use.known);
	case TW_SUBJECT_LISTENER:
		return accepting_holds(&sample->accepting) &&
		       (sample->accepting.row_count > 0 || sample->accepting.accept_queue.known);
	case TW_SUBJECT_UNIT:
		return sockets_known(&sample->close_wait);
	}
	return false;
}

usec_t tw_reading_at(const struct tw_sample *sample, const struct tw_rule_settings *settings)
{
	return counts_unit(settings) ? sample->close_wait.at_usec : tw_sample_metric_at(sample, settings->metric);
}

static void date(const struct tw_sample *sample, const struct tw_rule_settings *settings, struct tw_reading *reading)
{
	reading->at_usec = tw_reading_at(sample, settings);
	reading->confirmed = tw_metric_info(settings->metric)->source == TW_METRIC_FROM_SURVEY;
}

void tw_reading_all(const struct tw_sample *sample, const struct tw_rule_settings *settings, struct tw_readings *ret)
{
	struct tw_subject *whole;

	ret->count = 0;
	if (!tw_reading_known(sample, settings))
		return;
	switch (tw_metric_info(settings->metric)->subject) {
	case TW_SUBJECT_NAMESPACE:
		whole = &tw_readings_add(ret, read_whole(sample, settings))->subject;
		if (settings->metric == CLOSE_WAIT_METRIC)
			name_unit(&sample->close_wait, settings, whole);
		else
			name_listener(&sample->accepting, settings, whole);
		break;
	case TW_SUBJECT_PORTS:
		tw_readings_add_ports(ret, &sample->survey, settings);
		break;
	case TW_SUBJECT_LISTENER:
		add_listeners(ret, &sample->accepting, &settings->scope);
		break;
	case TW_SUBJECT_UNIT:
		add_units(ret, &sample->close_wait, settings);
		break;
	}
	for (unsigned i = 0; i < ret->count; i++)
		date(sample, settings, &ret->rows[i].reading);
}

struct tw_reading tw_reading_absent(const struct tw_sample *sample, const struct tw_rule_settings *settings)
{
	int64_t milli = settings->metric == TW_METRIC_PORT_ETA ? TW_READING_ETA_FAR_MILLI : 0;
	struct tw_reading reading = { .value = tw_value_of(milli), .pressure = tw_value_of(milli) };

	date(sample, settings, &reading);
	return reading;
}

static bool is_worse(const struct tw_rule_settings *settings, const struct tw_reading *a, const struct tw_reading *b)
{
	/* A level that is not set yet watches for growth, but of the time that is left. */
	bool upward = settings->raise_milli == settings->clear_milli ? settings->metric != TW_METRIC_PORT_ETA
								     : tw_rule_settings_upward(settings);

	if (a->soon != b->soon)
		return a->soon;
	return upward ? a->value.milli > b->value.milli : a->value.milli < b->value.milli;
}

void tw_reading_worst(const struct tw_sample *sample, const struct tw_rule_settings *settings,
		      struct tw_reading_row *ret)
{
	struct tw_readings all;

	*ret = (struct tw_reading_row){ 0 };
	if (tw_reading_known(sample, settings))
		ret->reading = tw_reading_absent(sample, settings);
	else
		date(sample, settings, &ret->reading);
	tw_reading_all(sample, settings, &all);
	for (unsigned i = 0; i < all.count; i++)
		if (i == 0 || is_worse(settings, &all.rows[i].reading, &ret->reading))
			*ret = all.rows[i];
}
