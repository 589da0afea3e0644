/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/reading.h"

#include "base/text.h"
#include "decide/reading-ports.h"

#include <string.h>

#define CLOSE_WAIT_METRIC TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT)

/* ---- listeners */

static bool accepting_holds(const struct tw_accepting *accepting)
{
	return accepting->at_usec != 0 && !accepting->partial;
}

static bool is_listener(const struct tw_scope *scope, const struct tw_endpoint *address)
{
	if (!scope->has_listener)
		return true;
	return scope->listener_port == address->port &&
	       (tw_address_is_any(&scope->listener) || tw_address_equal(&scope->listener, &address->address));
}

/*
 * Half-open connections are answered by cookie when a listener has as many of them as its backlog is long
 * (inet_csk_reqsk_queue_is_full()). NULL where there is none: it may have passed since the kernel counted.
 */
static const struct tw_listener_row *find_flooded(const struct tw_accepting *accepting)
{
	const struct tw_listener_row *flooded = NULL;

	for (unsigned i = 0; i < accepting->row_count; i++) {
		const struct tw_listener_row *row = &accepting->rows[i];

		if (row->syn_recv > 0 && row->syn_recv >= row->backlog &&
		    (!flooded || row->syn_recv > flooded->syn_recv))
			flooded = row;
	}
	return flooded;
}

/* The fullest of those that refuse connections at this moment; NULL where there is none. */
static const struct tw_listener_row *find_overflowing(const struct tw_accepting *accepting,
						      const struct tw_scope *scope)
{
	const struct tw_listener_row *fullest = NULL;

	for (unsigned i = 0; i < accepting->row_count; i++) {
		const struct tw_listener_row *row = &accepting->rows[i];

		if (is_listener(scope, &row->address) && row->queue >= tw_listener_room(row->backlog) &&
		    (!fullest || tw_listener_fullness(row).milli > tw_listener_fullness(fullest).milli))
			fullest = row;
	}
	return fullest;
}

static const struct tw_listener_row *find_listener(const struct tw_accepting *accepting,
						   const struct tw_rule_settings *settings)
{
	switch ((int)settings->metric) {
	case TW_METRIC_LISTEN_OVERFLOW:
		return find_overflowing(accepting, &settings->scope);
	case TW_METRIC_SYN_COOKIES:
		return find_flooded(accepting);
	}
	return NULL;
}

static bool next_listener(const struct tw_sample *sample, const struct tw_rule_settings *settings,
			  struct tw_reading_cursor *cursor, struct tw_reading_row *ret)
{
	const struct tw_accepting *accepting = &sample->accepting;

	/* Without a listener, or read back from a record. */
	if (accepting->row_count == 0 && cursor->at++ == 0) {
		*ret = (struct tw_reading_row){ .reading = { .value = accepting->accept_queue,
							     .pressure = accepting->accept_queue } };
		return true;
	}
	while (cursor->at < accepting->row_count) {
		const struct tw_listener_row *row = &accepting->rows[cursor->at++];

		if (!is_listener(&settings->scope, &row->address))
			continue;
		*ret = (struct tw_reading_row){ .subject = { .has_listener = true, .listener = row->address } };
		ret->reading.value = ret->reading.pressure = tw_listener_fullness(row);
		return true;
	}
	return false;
}

static void name_listener(const struct tw_sample *sample, const struct tw_rule_settings *settings,
			  struct tw_subject *ret)
{
	const struct tw_listener_row *row = find_listener(&sample->accepting, settings);

	if (!row || !accepting_holds(&sample->accepting))
		return;
	ret->has_listener = true;
	ret->listener = row->address;
}

/* ---- CLOSE-WAIT */

/* Which sockets in CLOSE-WAIT count. */
struct choice {
	const struct tw_close_wait *close_wait;
	bool by_unit;
	uint32_t unit; /* its row */
	bool by_age;
	usec_t age_usec; /* older than this */
};

static bool waiters_known(const struct tw_close_wait *close_wait)
{
	return close_wait->at_usec != 0 && !close_wait->partial &&
	       (close_wait->sockets || close_wait->socket_count == 0);
}

static bool is_over_close_wait(enum tw_metric metric)
{
	return metric == CLOSE_WAIT_METRIC || metric == TW_METRIC_CLOSE_WAIT_AGE || metric == TW_METRIC_CLOSE_WAIT_AGED;
}

/* `unit` "" is every unit; one that is not in the table chooses no socket. */
static struct choice choose(const struct tw_close_wait *close_wait, const struct tw_rule_settings *settings,
			    const char *unit)
{
	struct choice choice = {
		.close_wait = close_wait,
		.by_unit = unit[0] != '\0',
		.unit = TW_NO_UNIT,
		.by_age = settings->metric == TW_METRIC_CLOSE_WAIT_AGED,
		.age_usec = settings->age_usec,
	};

	for (uint32_t i = 0; choice.by_unit && i < close_wait->row_count; i++)
		if (strcmp(close_wait->rows[i].unit, unit) == 0)
			choice.unit = i;
	return choice;
}

static usec_t age_of(const struct choice *choice, const struct tw_close_wait_socket *waiter)
{
	return tw_usec_since(choice->close_wait->at_usec, waiter->since_usec);
}

static bool is_chosen(const struct choice *choice, const struct tw_close_wait_socket *waiter)
{
	/* TW_NO_UNIT stands for several units, and is none to be asked for. */
	if (choice->by_unit && (waiter->unit != choice->unit || waiter->unit == TW_NO_UNIT))
		return false;
	return !choice->by_age || age_of(choice, waiter) > choice->age_usec;
}

static uint64_t count_chosen(const struct choice *choice)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < choice->close_wait->socket_count; i++)
		count += is_chosen(choice, &choice->close_wait->sockets[i]);
	return count;
}

/* What the metric comes to for each unit, in one pass over the sockets. */
static void count_units(const struct tw_sample *sample, const struct tw_rule_settings *settings,
			struct tw_reading_cursor *cursor)
{
	const struct tw_close_wait *close_wait = &sample->close_wait;
	const struct choice all = choose(close_wait, settings, "");

	for (uint32_t i = 0; i < close_wait->socket_count; i++) {
		const struct tw_close_wait_socket *waiter = &close_wait->sockets[i];
		int64_t *milli = &cursor->units_milli[TW_MIN(waiter->unit, (uint32_t)TW_TOP_MAX)];
		int64_t age_milli = (int64_t)(age_of(&all, waiter) / TW_USEC_PER_MSEC);

		if (settings->metric == TW_METRIC_CLOSE_WAIT_AGE)
			*milli = TW_MAX(*milli, age_milli);
		else if (is_chosen(&all, waiter))
			*milli += 1000;
	}
	cursor->counted = true;
}

/* Those without a row are the last subject, of no name. */
static bool next_unit(const struct tw_sample *sample, const struct tw_rule_settings *settings,
		      struct tw_reading_cursor *cursor, struct tw_reading_row *ret)
{
	const struct tw_close_wait *close_wait = &sample->close_wait;
	const char *wanted = settings->scope.unit;

	if (!cursor->counted)
		count_units(sample, settings, cursor);
	while (cursor->at <= close_wait->row_count) {
		unsigned row = cursor->at++;
		const char *unit = row < close_wait->row_count ? close_wait->rows[row].unit : "";
		int64_t milli = cursor->units_milli[row < close_wait->row_count ? row : TW_TOP_MAX];

		if (milli == 0 || (wanted[0] != '\0' && strcmp(wanted, unit) != 0))
			continue;
		*ret = (struct tw_reading_row){ 0 };
		(void)tw_text_copy(ret->subject.unit, sizeof(ret->subject.unit), unit);
		ret->reading.value = ret->reading.pressure = tw_value_of(milli);
		return true;
	}
	return false;
}

/* The row with the most chosen sockets; TW_NO_UNIT where there is none. Those in no row are of smaller units. */
static uint32_t find_most(const struct choice *choice)
{
	uint64_t counts[TW_TOP_MAX] = { 0 };
	uint32_t most = 0;

	for (uint32_t i = 0; i < choice->close_wait->socket_count; i++) {
		const struct tw_close_wait_socket *waiter = &choice->close_wait->sockets[i];

		if (waiter->unit < TW_TOP_MAX && is_chosen(choice, waiter))
			counts[waiter->unit]++;
	}
	for (uint32_t i = 1; i < TW_TOP_MAX; i++)
		if (counts[i] > counts[most])
			most = i;
	return counts[most] > 0 ? most : TW_NO_UNIT;
}

/* Of a number of sockets in CLOSE-WAIT, the unit with the most of them. */
static void name_unit(const struct tw_sample *sample, const struct tw_rule_settings *settings, struct tw_subject *ret)
{
	const struct tw_close_wait *close_wait = &sample->close_wait;
	struct choice choice = choose(close_wait, settings, settings->scope.unit);
	uint32_t unit = waiters_known(close_wait) ? find_most(&choice) : TW_NO_UNIT;

	if (unit < close_wait->row_count)
		(void)tw_text_copy(ret->unit, sizeof(ret->unit), close_wait->rows[unit].unit);
}

/* ---- every metric */

/* The number of sockets in CLOSE-WAIT of one unit: the census has only that of all. */
static bool counts_unit(const struct tw_rule_settings *settings)
{
	return settings->metric == CLOSE_WAIT_METRIC && settings->scope.unit[0] != '\0';
}

static struct tw_value read_whole(const struct tw_sample *sample, const struct tw_rule_settings *settings)
{
	struct choice choice = choose(&sample->close_wait, settings, settings->scope.unit);

	if (!counts_unit(settings))
		return tw_sample_metric(sample, settings->metric);
	return waiters_known(&sample->close_wait) ? tw_value_of((int64_t)count_chosen(&choice) * 1000)
						  : tw_value_unknown();
}

static bool next_whole(const struct tw_sample *sample, const struct tw_rule_settings *settings,
		       struct tw_reading_cursor *cursor, struct tw_reading_row *ret)
{
	if (cursor->at++ > 0)
		return false;
	*ret = (struct tw_reading_row){ 0 };
	ret->reading.value = ret->reading.pressure = read_whole(sample, settings);
	if (settings->metric == CLOSE_WAIT_METRIC)
		name_unit(sample, settings, &ret->subject);
	else
		name_listener(sample, settings, &ret->subject);
	return true;
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
		return waiters_known(&sample->close_wait);
	}
	return false;
}

usec_t tw_reading_at(const struct tw_sample *sample, const struct tw_rule_settings *settings)
{
	return counts_unit(settings) ? sample->close_wait.at_usec : tw_sample_metric_at(sample, settings->metric);
}

static bool next(const struct tw_sample *sample, const struct tw_rule_settings *settings,
		 struct tw_reading_cursor *cursor, struct tw_reading_row *ret)
{
	switch (tw_metric_info(settings->metric)->subject) {
	case TW_SUBJECT_NAMESPACE:
		return next_whole(sample, settings, cursor, ret);
	case TW_SUBJECT_PORTS:
		return tw_reading_ports_next(sample, settings, &cursor->at, ret);
	case TW_SUBJECT_LISTENER:
		return next_listener(sample, settings, cursor, ret);
	case TW_SUBJECT_UNIT:
		return next_unit(sample, settings, cursor, ret);
	}
	return false;
}

static void date(const struct tw_sample *sample, const struct tw_rule_settings *settings, struct tw_reading *reading)
{
	reading->at_usec = tw_reading_at(sample, settings);
	reading->confirmed = tw_metric_info(settings->metric)->source == TW_METRIC_FROM_SURVEY;
}

bool tw_reading_next(const struct tw_sample *sample, const struct tw_rule_settings *settings,
		     struct tw_reading_cursor *cursor, struct tw_reading_row *ret)
{
	if (!tw_reading_known(sample, settings) || !next(sample, settings, cursor, ret))
		return false;
	date(sample, settings, &ret->reading);
	return true;
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
	struct tw_reading_row row;
	struct tw_reading_cursor cursor = { 0 };
	bool any = false;

	*ret = (struct tw_reading_row){ 0 };
	if (!tw_reading_known(sample, settings)) {
		date(sample, settings, &ret->reading);
		return;
	}
	while (tw_reading_next(sample, settings, &cursor, &row))
		if (!any || is_worse(settings, &row.reading, &ret->reading)) {
			*ret = row;
			any = true;
		}
	if (!any)
		ret->reading = tw_reading_absent(sample, settings);
}

bool tw_reading_count(const struct tw_sample *sample, const struct tw_rule_settings *settings, const char *unit,
		      uint64_t *ret)
{
	struct choice choice = choose(&sample->close_wait, settings, unit);

	if (!is_over_close_wait(settings->metric) || !waiters_known(&sample->close_wait))
		return false;
	*ret = count_chosen(&choice);
	return true;
}
