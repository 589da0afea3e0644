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

/* Thousandths of an event and microseconds: what turns a delta over a span into a rate. */
#define MILLI_USEC_PER_SEC ((unsigned __int128)1000 * TW_USEC_PER_SEC)

struct tw_value tw_sample_rate(const struct tw_sample *sample, enum tw_counter counter)
{
	const struct tw_gauge *now = &sample->gauge;
	const struct tw_gauge *before = &sample->previous;
	const struct tw_count *count = &now->counters[counter];
	const struct tw_count *earlier = &before->counters[counter];
	unsigned __int128 milli;

	if (before->at_usec == 0 || now->at_usec <= before->at_usec)
		return tw_value_unknown();
	/* A counter that fell was reset: how far it had come before is not known. */
	if (!count->known || !earlier->known || count->value < earlier->value)
		return tw_value_unknown();

	milli = (count->value - earlier->value) * MILLI_USEC_PER_SEC / (now->at_usec - before->at_usec);
	return tw_value_of(milli > INT64_MAX ? INT64_MAX : (int64_t)milli);
}

/* a + b, held at the largest number: a bound that wraps is none. */
static uint64_t add_held(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

struct tw_tally tw_activity_tally(const struct tw_activity *activity, usec_t at_usec)
{
	return (struct tw_tally){
		.at_usec = at_usec,
		.sockets = add_held(add_held(activity->tcp_inuse, activity->tcp6_inuse), activity->time_wait),
	};
}

struct tw_tally tw_gauge_tally(const struct tw_gauge *gauge)
{
	const struct tw_activity activity = {
		.tcp_inuse = gauge->tcp_inuse,
		.tcp6_inuse = gauge->tcp6_inuse,
		.time_wait = gauge->time_wait,
	};

	return tw_activity_tally(&activity, gauge->at_usec);
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
	uint64_t count = sample->census.count[state];

	if (!census_holds(sample) || !sample->census.known[state])
		return tw_value_unknown();
	return tw_value_of(count > INT64_MAX / 1000 ? INT64_MAX : (int64_t)count * 1000);
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

static struct tw_value of_survey(const struct tw_survey *survey, struct tw_value value)
{
	return survey->at_usec == 0 || survey->partial ? tw_value_unknown() : value;
}

static struct tw_value accept_queue(const struct tw_accepting *accepting)
{
	return accepting->at_usec == 0 || accepting->partial ? tw_value_unknown() : accepting->accept_queue;
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

	if (metric <= TW_METRIC_STATE_LAST)
		return state_count(sample, (enum tw_state)(metric - TW_METRIC_STATE_FIRST));

	switch (metric) {
	case TW_METRIC_PORT_USE:
		return of_survey(&sample->survey, sample->survey.port_use);
	case TW_METRIC_PORT_ETA:
		return of_survey(&sample->survey, sample->survey.port_eta);
	case TW_METRIC_TIME_WAIT_BUCKETS:
		return share_of_limit(gauge, gauge->time_wait, TW_TUNABLE_MAX_TW_BUCKETS);
	case TW_METRIC_ORPHANS:
		return share_of_limit(gauge, gauge->orphan, TW_TUNABLE_MAX_ORPHANS);
	case TW_METRIC_TCP_MEMORY:
		return memory_share(gauge);
	case TW_METRIC_ACCEPT_QUEUE:
		return accept_queue(&sample->accepting);
	case TW_METRIC_CLOSE_WAIT_AGE:
		return close_wait_age(&sample->close_wait);
	case TW_METRIC_TIME_WAIT_OVERFLOW:
		return tw_sample_rate(sample, TW_COUNTER_TIME_WAIT_OVERFLOW);
	case TW_METRIC_LISTEN_OVERFLOW:
		return tw_sample_rate(sample, TW_COUNTER_LISTEN_OVERFLOW);
	case TW_METRIC_LISTEN_DROP:
		return tw_sample_rate(sample, TW_COUNTER_LISTEN_DROP);
	case TW_METRIC_SYN_COOKIES:
		return tw_sample_rate(sample, TW_COUNTER_SYN_COOKIES);
	case TW_METRIC_CONNECT_FAIL:
		return tw_sample_rate(sample, TW_COUNTER_CONNECT_FAIL);
	case TW_METRIC_RESET:
		return tw_sample_rate(sample, TW_COUNTER_RESET);
	case TW_METRIC_MEMORY_ABORT:
		return tw_sample_rate(sample, TW_COUNTER_MEMORY_ABORT);
	case TW_METRIC_TIME_WAIT_REUSED:
		return tw_sample_rate(sample, TW_COUNTER_TIME_WAIT_REUSED);
	/* Only a rule has the age that makes it a number. */
	case TW_METRIC_CLOSE_WAIT_AGED:
	/* Answered above, or none. */
	case TW_METRIC_STATE_FIRST:
	case TW_METRIC_STATE_LAST:
	case TW_METRIC_COUNT:
		break;
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

bool tw_count_grown(struct tw_count now, struct tw_count before, uint64_t *ret)
{
	if (!now.known || !before.known || now.value < before.value)
		return false;
	*ret = now.value - before.value;
	return true;
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
	return add_held(add_held(opened, bound), busiest_below(survey, ports));
}

uint64_t tw_sample_port_bound(const struct tw_sample *sample)
{
	return tw_sample_port_bound_below(sample, UINT64_MAX);
}

uint64_t tw_sample_port_bound_below(const struct tw_sample *sample, uint64_t ports)
{
	const struct tw_gauge *gauge = &sample->gauge;
	uint64_t sockets;

	/* Nothing known is no small number. */
	if (gauge->at_usec == 0)
		return UINT64_MAX;

	sockets = add_held(add_held(gauge->tcp_inuse, gauge->tcp6_inuse), gauge->time_wait);
	sockets = add_held(sockets, census_count(sample, TW_STATE_BOUND));
	return TW_MIN(sockets, surveyed_bound(sample, ports));
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
