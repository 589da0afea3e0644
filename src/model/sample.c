/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sample.h"

#include "base/macros.h"
#include "model/port-model.h"

#include <string.h>

const char *tw_holder_name(enum tw_holder holder)
{
	static const char *const names[] = {
		[TW_HOLDER_TIME_WAIT] = "time-wait",   [TW_HOLDER_ESTABLISHED] = "established",
		[TW_HOLDER_SYN_SENT] = "syn-sent",     [TW_HOLDER_FIN_WAIT_2_ORPHANED] = "fin-wait-2-orphaned",
		[TW_HOLDER_FIN_WAIT_2] = "fin-wait-2", [TW_HOLDER_CLOSE_WAIT] = "close-wait",
		[TW_HOLDER_CLOSING] = "closing",
	};
	_Static_assert(TW_ARRAY_SIZE(names) == TW_HOLDER_COUNT, "a name for every holder");

	return names[holder];
}

bool tw_count_grown(struct tw_count now, struct tw_count before, uint64_t *ret)
{
	if (!now.known || !before.known || now.value < before.value)
		return false;
	*ret = now.value - before.value;
	return true;
}

/* Thousandths of an event and microseconds: what turns a delta over a span into a rate. */
#define MILLI_USEC_PER_SEC ((unsigned __int128)1000 * TW_USEC_PER_SEC)

struct tw_value tw_sample_rate(const struct tw_sample *sample, enum tw_counter counter)
{
	const struct tw_gauge *now = &sample->gauge, *before = &sample->previous;
	unsigned __int128 milli;
	uint64_t growth;

	if (before->at_usec == 0 || now->at_usec <= before->at_usec ||
	    !tw_count_grown(now->counters[counter], before->counters[counter], &growth))
		return tw_value_unknown();
	milli = growth * MILLI_USEC_PER_SEC / (now->at_usec - before->at_usec);
	return tw_value_of(milli > INT64_MAX ? INT64_MAX : (int64_t)milli);
}

struct tw_tally tw_activity_tally(const struct tw_activity *activity, usec_t at_usec)
{
	return (struct tw_tally){ at_usec, activity->tcp_inuse + activity->tcp6_inuse + activity->time_wait };
}

struct tw_tally tw_gauge_tally(const struct tw_gauge *gauge)
{
	return (struct tw_tally){ gauge->at_usec, gauge->tcp_inuse + gauge->tcp6_inuse + gauge->time_wait };
}

bool tw_gauge_has_activity(const struct tw_gauge *gauge, const struct tw_activity *activity)
{
	return gauge->tcp_inuse == activity->tcp_inuse && gauge->tcp6_inuse == activity->tcp6_inuse &&
	       gauge->time_wait == activity->time_wait &&
	       (!activity->segments.known || gauge->segments == activity->segments.value);
}

static bool census_holds(const struct tw_sample *sample)
{
	return sample->census.at_usec != 0 && !sample->census.partial;
}

static struct tw_value state_count(const struct tw_sample *sample, enum tw_state state)
{
	if (!census_holds(sample) || !sample->census.known[state])
		return tw_value_unknown();
	return tw_value_of((int64_t)sample->census.count[state] * 1000);
}

/* Of the limit that a sysctl sets. The kernel takes a negative one: then there is no share to tell. */
static struct tw_value share_of_limit(const struct tw_gauge *gauge, uint64_t part, enum tw_tunable limit)
{
	const struct tw_live_value *live = &gauge->sysctls[limit];

	if (gauge->at_usec == 0 || !live->known || live->value.numbers[0] < 0)
		return tw_value_unknown();
	return tw_value_percent(part, (uint64_t)live->value.numbers[0]);
}

static struct tw_value memory_share(const struct tw_gauge *gauge)
{
	if (gauge->at_usec == 0 || !gauge->memory_limit_pages.known)
		return tw_value_unknown();
	return tw_value_percent(gauge->memory_pages, gauge->memory_limit_pages.value);
}

void tw_sample_confirm(struct tw_sample *sample, usec_t now_usec)
{
	struct tw_close_wait *close_wait = &sample->close_wait;

	sample->previous = sample->gauge;
	sample->gauge.at_usec = now_usec;
	if (close_wait->at_usec == 0 || close_wait->partial)
		return;
	close_wait->at_usec = now_usec;
	/* The oldest stay so; and what waits to be sent grows no older. */
	for (uint32_t i = 0; i < close_wait->socket_count; i++) {
		const struct tw_close_wait_socket *waiter = &close_wait->sockets[i];
		usec_t age_usec = tw_usec_since(now_usec, waiter->since_usec);

		if (waiter->unit < close_wait->row_count)
			close_wait->rows[waiter->unit].oldest_usec =
				TW_MAX(close_wait->rows[waiter->unit].oldest_usec, age_usec);
	}
}

/* Of the oldest socket in CLOSE-WAIT; 0 where there is none. */
static struct tw_value close_wait_age(const struct tw_close_wait *close_wait)
{
	usec_t oldest_usec = 0;

	if (close_wait->at_usec == 0 || close_wait->partial || (!close_wait->sockets && close_wait->socket_count > 0))
		return tw_value_unknown();
	for (uint32_t i = 0; i < close_wait->socket_count; i++)
		oldest_usec =
			TW_MAX(oldest_usec, tw_usec_since(close_wait->at_usec, close_wait->sockets[i].since_usec));
	return tw_value_of((int64_t)(oldest_usec / TW_USEC_PER_MSEC));
}

struct tw_value tw_sample_metric(const struct tw_sample *sample, enum tw_metric metric)
{
	const struct tw_gauge *gauge = &sample->gauge;
	const struct tw_survey *survey = &sample->survey;
	const struct tw_accepting *accepting = &sample->accepting;
	bool surveyed = survey->at_usec != 0 && !survey->partial;

	if (metric <= TW_METRIC_STATE_LAST)
		return state_count(sample, (enum tw_state)(metric - TW_METRIC_STATE_FIRST));
	if (metric >= TW_METRIC_OF_RATE(0))
		return tw_sample_rate(sample, (enum tw_counter)(metric - TW_METRIC_OF_RATE(0)));

	/* Of close-wait-aged only a rule has the age that makes it a number. */
	switch ((int)metric) {
	case TW_METRIC_PORT_USE:
		return surveyed ? survey->port_use : tw_value_unknown();
	case TW_METRIC_PORT_ETA:
		return surveyed ? survey->port_eta : tw_value_unknown();
	case TW_METRIC_TIME_WAIT_BUCKETS:
		return share_of_limit(gauge, gauge->time_wait, TW_TUNABLE_MAX_TW_BUCKETS);
	case TW_METRIC_ORPHANS:
		return share_of_limit(gauge, gauge->orphan, TW_TUNABLE_MAX_ORPHANS);
	case TW_METRIC_TCP_MEMORY:
		return memory_share(gauge);
	case TW_METRIC_ACCEPT_QUEUE:
		return accepting->at_usec == 0 || accepting->partial ? tw_value_unknown() : accepting->accept_queue;
	case TW_METRIC_CLOSE_WAIT_AGE:
		return close_wait_age(&sample->close_wait);
	}
	return tw_value_unknown();
}

usec_t tw_sample_metric_at(const struct tw_sample *sample, enum tw_metric metric)
{
	/* They come with a census, but each part has its own fate. */
	if (metric == TW_METRIC_ACCEPT_QUEUE)
		return sample->accepting.at_usec;
	if (metric == TW_METRIC_CLOSE_WAIT_AGE || metric == TW_METRIC_CLOSE_WAIT_AGED)
		return sample->close_wait.at_usec;

	switch (tw_metric_info(metric)->source) {
	case TW_METRIC_FROM_GAUGE:
		return sample->gauge.at_usec;
	case TW_METRIC_FROM_CENSUS:
		return sample->census.at_usec;
	case TW_METRIC_FROM_SURVEY:
		return sample->survey.at_usec;
	}
	return 0;
}

bool tw_gauge_port_range(const struct tw_gauge *gauge, uint16_t *ret_low, uint16_t *ret_high)
{
	const struct tw_live_value *live = &gauge->sysctls[TW_TUNABLE_PORT_RANGE];
	int64_t low = live->value.numbers[0], high = live->value.numbers[1];

	if (!live->known || low < 0 || high > UINT16_MAX || low > high)
		return false;
	*ret_low = (uint16_t)low;
	*ret_high = (uint16_t)high;
	return true;
}

const struct tw_destination_row *tw_survey_row(const struct tw_survey *survey, const struct tw_destination *key)
{
	for (unsigned i = 0; i < TW_MIN(survey->top_count, (unsigned)TW_TOP_MAX); i++)
		if (memcmp(&survey->top[i].key, key, sizeof(*key)) == 0)
			return &survey->top[i];
	return NULL;
}

const struct tw_binder_row *tw_survey_binder(const struct tw_survey *survey, const struct tw_address *source)
{
	for (unsigned i = 0; i < TW_MIN(survey->binder_count, (unsigned)TW_BINDER_ROWS_MAX); i++)
		if (tw_address_equal(&survey->binders[i].source, source))
			return &survey->binders[i];
	return NULL;
}

const struct tw_binder_need *tw_survey_binder_need(const struct tw_survey *survey, const struct tw_address *source)
{
	for (unsigned i = 0; i < survey->need_count; i++)
		if (tw_address_equal(&survey->needs[i].source, source))
			return &survey->needs[i];
	return NULL;
}

static uint64_t census_count(const struct tw_sample *sample, enum tw_state state)
{
	return census_holds(sample) && sample->census.known[state] ? sample->census.count[state] : 0;
}

/* What the busiest of those had that had fewer blocked; where the table is cut, those without a row are among them. */
static uint64_t busiest_below(const struct tw_survey *survey, uint64_t ports)
{
	for (unsigned i = 0; i < survey->top_count; i++)
		if (survey->top[i].blocked < ports)
			return survey->top[i].blocked;
	return survey->destinations > survey->top_count && survey->top_count > 0
		       ? survey->top[survey->top_count - 1].blocked
		       : survey->exclusive_ports;
}

/* What the survey before has left, and all that can have come to it. */
static uint64_t surveyed_bound(const struct tw_sample *sample, uint64_t ports)
{
	const struct tw_survey *survey = &sample->survey;
	const struct tw_reuse_rule rule = tw_reuse_rule(&sample->gauge, &(struct tw_live_value){ 0 });
	uint64_t bound = census_count(sample, TW_STATE_BOUND) + census_count(sample, TW_STATE_LISTEN);
	uint64_t opened;

	if (survey->at_usec == 0 || survey->partial || !census_holds(sample) || rule.reuse != survey->reuse ||
	    rule.delay_ms != survey->reuse_delay_ms ||
	    !tw_count_grown(sample->gauge.counters[TW_COUNTER_ACTIVE_OPEN], survey->opened, &opened))
		return UINT64_MAX;
	bound -= TW_MIN(bound, survey->bound_sockets);
	return opened + bound + busiest_below(survey, ports);
}

uint64_t tw_sample_port_bound(const struct tw_sample *sample, uint64_t ports)
{
	uint64_t sockets = tw_gauge_tally(&sample->gauge).sockets + census_count(sample, TW_STATE_BOUND);
	uint64_t surveyed = surveyed_bound(sample, ports);

	/* Nothing known is no small number. */
	return sample->gauge.at_usec == 0 ? UINT64_MAX : TW_MIN(sockets, surveyed);
}

struct tw_value tw_listener_share(const struct tw_listener_row *row, const struct tw_accepting *accepting)
{
	if (!row->connections.known || !accepting->connections.known)
		return tw_value_unknown();
	return tw_value_percent(row->connections.value, accepting->connections.value);
}

void tw_recent_peak_add(struct tw_recent_peak *peak, struct tw_tally tally)
{
	struct tw_tally *held = &peak->seconds[tally.at_usec / TW_USEC_PER_SEC % TW_RECENT_PEAK_SECONDS];

	if (held->at_usec / TW_USEC_PER_SEC != tally.at_usec / TW_USEC_PER_SEC || held->sockets <= tally.sockets)
		*held = tally;
	peak->last = tally;
}

struct tw_tally tw_recent_peak_highest(const struct tw_recent_peak *peak, usec_t now_usec)
{
	struct tw_tally highest = peak->last;

	if (tw_usec_since(now_usec, highest.at_usec) > TW_RECENT_PEAK_SECONDS * TW_USEC_PER_SEC)
		return highest;
	for (size_t i = 0; i < TW_ARRAY_SIZE(peak->seconds); i++) {
		const struct tw_tally *held = &peak->seconds[i];

		if (tw_usec_since(now_usec, held->at_usec) <= TW_RECENT_PEAK_SECONDS * TW_USEC_PER_SEC &&
		    (held->sockets > highest.sockets ||
		     (held->sockets == highest.sockets && held->at_usec > highest.at_usec)))
			highest = *held;
	}
	return highest;
}
