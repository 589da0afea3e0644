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

/* The row that accept-queue reads; NULL where there is none. */
static const struct tw_listener_row *find_fullest(const struct tw_accepting *accepting, const struct tw_scope *scope)
{
	const struct tw_listener_row *fullest = NULL;

	for (unsigned i = 0; i < accepting->row_count; i++) {
		const struct tw_listener_row *row = &accepting->rows[i];

		if (is_listener(scope, &row->address) &&
		    (!fullest || tw_listener_fullness(row).milli > tw_listener_fullness(fullest).milli))
			fullest = row;
	}
	return fullest;
}

static struct tw_value read_accept_queue(const struct tw_sample *sample, const struct tw_scope *scope)
{
	const struct tw_accepting *accepting = &sample->accepting;
	const struct tw_listener_row *row;

	if (!accepting_holds(accepting))
		return tw_value_unknown();
	if (!scope->has_listener)
		return accepting->accept_queue;
	row = find_fullest(accepting, scope);
	if (row)
		return tw_listener_fullness(row);
	/* Beyond the table are emptier queues alone. With every listener in it, there is no such listener. */
	return accepting->row_count < accepting->listeners ? tw_value_of(0) : tw_value_unknown();
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

/* Connections are refused where the queue is full at this moment. */
static const struct tw_listener_row *find_overflowing(const struct tw_accepting *accepting,
						      const struct tw_scope *scope)
{
	const struct tw_listener_row *row = find_fullest(accepting, scope);

	return row && row->queue > 0 && row->queue >= row->backlog ? row : NULL;
}

static const struct tw_listener_row *find_listener(const struct tw_accepting *accepting,
						   const struct tw_rule_settings *settings)
{
	switch ((int)settings->metric) {
	case TW_METRIC_ACCEPT_QUEUE:
		return find_fullest(accepting, &settings->scope);
	case TW_METRIC_LISTEN_OVERFLOW:
		return find_overflowing(accepting, &settings->scope);
	case TW_METRIC_SYN_COOKIES:
		return find_flooded(accepting);
	}
	return NULL;
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
	       (close_wait->waiters || close_wait->waiter_count == 0);
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

static usec_t age_of(const struct choice *choice, const struct tw_waiter *waiter)
{
	return tw_usec_since(choice->close_wait->at_usec, waiter->since_usec);
}

static bool is_chosen(const struct choice *choice, const struct tw_waiter *waiter)
{
	/* TW_NO_UNIT stands for several units, and is none to be asked for. */
	if (choice->by_unit && (waiter->unit != choice->unit || waiter->unit == TW_NO_UNIT))
		return false;
	return !choice->by_age || age_of(choice, waiter) > choice->age_usec;
}

static uint64_t count_chosen(const struct choice *choice)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < choice->close_wait->waiter_count; i++)
		count += is_chosen(choice, &choice->close_wait->waiters[i]);
	return count;
}

/* NULL where none is chosen. */
static const struct tw_waiter *find_oldest(const struct choice *choice)
{
	const struct tw_waiter *oldest = NULL;

	for (uint32_t i = 0; i < choice->close_wait->waiter_count; i++) {
		const struct tw_waiter *waiter = &choice->close_wait->waiters[i];

		if (is_chosen(choice, waiter) && (!oldest || waiter->since_usec < oldest->since_usec))
			oldest = waiter;
	}
	return oldest;
}

static struct tw_value read_close_wait(const struct tw_sample *sample, const struct tw_rule_settings *settings)
{
	struct choice choice = choose(&sample->close_wait, settings, settings->scope.unit);
	const struct tw_waiter *oldest;

	if (!waiters_known(&sample->close_wait))
		return tw_value_unknown();
	if (settings->metric != TW_METRIC_CLOSE_WAIT_AGE)
		return tw_value_of((int64_t)count_chosen(&choice) * 1000);
	oldest = find_oldest(&choice);
	return tw_value_of(oldest ? (int64_t)(age_of(&choice, oldest) / TW_USEC_PER_MSEC) : 0);
}

/* The row with the most chosen sockets; TW_NO_UNIT where there is none. Those in no row are of smaller units. */
static uint32_t find_most(const struct choice *choice)
{
	uint64_t counts[TW_TOP_MAX] = { 0 };
	uint32_t most = 0;

	for (uint32_t i = 0; i < choice->close_wait->waiter_count; i++) {
		const struct tw_waiter *waiter = &choice->close_wait->waiters[i];

		if (waiter->unit < TW_TOP_MAX && is_chosen(choice, waiter))
			counts[waiter->unit]++;
	}
	for (uint32_t i = 1; i < TW_TOP_MAX; i++)
		if (counts[i] > counts[most])
			most = i;
	return counts[most] > 0 ? most : TW_NO_UNIT;
}

/* Of an age, the unit of the oldest socket; of a number, the one with the most of them. */
static void find_unit(const struct tw_sample *sample, const struct tw_rule_settings *settings, struct tw_subject *ret)
{
	const struct tw_close_wait *close_wait = &sample->close_wait;
	struct choice choice = choose(close_wait, settings, settings->scope.unit);
	const struct tw_waiter *oldest;
	uint32_t unit;

	if (!waiters_known(close_wait))
		return;
	if (settings->metric == TW_METRIC_CLOSE_WAIT_AGE) {
		oldest = find_oldest(&choice);
		unit = oldest ? oldest->unit : TW_NO_UNIT;
	} else {
		unit = find_most(&choice);
	}
	if (unit < close_wait->row_count)
		(void)tw_text_copy(ret->unit, sizeof(ret->unit), close_wait->rows[unit].unit);
}

/* ---- every metric */

static bool reads_waiters(const struct tw_rule_settings *settings)
{
	return is_over_close_wait(settings->metric) &&
	       (settings->metric != CLOSE_WAIT_METRIC || settings->scope.unit[0] != '\0');
}

struct tw_reading tw_reading_take(const struct tw_sample *sample, const struct tw_rule_settings *settings)
{
	struct tw_reading reading = {
		.at_usec = tw_sample_metric_at(sample, settings->metric),
		.confirmed = tw_metric_info(settings->metric)->source == TW_METRIC_FROM_SURVEY,
	};

	if (settings->metric == TW_METRIC_PORT_USE) {
		tw_reading_ports_use(sample, settings, &reading);
		return reading;
	}
	if (settings->metric == TW_METRIC_PORT_ETA) {
		reading.value = tw_reading_ports_eta(sample, &settings->scope);
	} else if (settings->metric == TW_METRIC_ACCEPT_QUEUE) {
		reading.value = read_accept_queue(sample, &settings->scope);
	} else if (reads_waiters(settings)) {
		reading.value = read_close_wait(sample, settings);
		reading.at_usec = sample->close_wait.at_usec;
	} else {
		reading.value = tw_sample_metric(sample, settings->metric);
	}
	reading.pressure = reading.value;
	return reading;
}

void tw_reading_subject(const struct tw_sample *sample, const struct tw_rule_settings *settings, struct tw_subject *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (settings->metric == TW_METRIC_PORT_USE || settings->metric == TW_METRIC_PORT_ETA)
		tw_reading_ports_subject(sample, settings, ret);
	else if (is_over_close_wait(settings->metric))
		find_unit(sample, settings, ret);
	else
		name_listener(sample, settings, ret);
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
