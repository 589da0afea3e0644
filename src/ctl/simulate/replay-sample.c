/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/simulate/replay-sample.h"

#include "base/parse.h"
#include "tell/record.h"

#include <string.h>

/*
 * A rate is recorded, not the counters. Over a span of 1000 s a counter that grows by as many as the rate has
 * thousandths has just this rate, to the last digit.
 */
#define RATE_SPAN_USEC (1000 * TW_USEC_PER_SEC)
_Static_assert(TW_REPLAY_SHIFT_USEC > RATE_SPAN_USEC, "the gauge before is not before time began");
/* In the same way a share of 100000 has as many thousandths of a percent. */
#define SHARE_WHOLE 100000

static usec_t time_of(const struct tw_record *record, const char *name)
{
	struct tw_count at = tw_past_u64(record, name);

	return at.known && at.value > 0 ? tw_usec_add(at.value, TW_REPLAY_SHIFT_USEC) : 0;
}

static void set_live(struct tw_gauge *gauge, enum tw_tunable tunable, struct tw_count count)
{
	gauge->sysctls[tunable].known = count.known && count.value <= INT64_MAX;
	gauge->sysctls[tunable].value.numbers[0] = gauge->sysctls[tunable].known ? (int64_t)count.value : 0;
}

static void fill_rates(const struct tw_record *record, struct tw_sample *sample)
{
	static const struct {
		enum tw_metric metric;
		enum tw_counter counter;
	} rates[] = {
		{ TW_METRIC_TIME_WAIT_OVERFLOW, TW_COUNTER_TIME_WAIT_OVERFLOW },
		{ TW_METRIC_LISTEN_OVERFLOW, TW_COUNTER_LISTEN_OVERFLOW },
		{ TW_METRIC_LISTEN_DROP, TW_COUNTER_LISTEN_DROP },
		{ TW_METRIC_SYN_COOKIES, TW_COUNTER_SYN_COOKIES },
		{ TW_METRIC_CONNECT_FAIL, TW_COUNTER_CONNECT_FAIL },
		{ TW_METRIC_RESET, TW_COUNTER_RESET },
		{ TW_METRIC_MEMORY_ABORT, TW_COUNTER_MEMORY_ABORT },
		{ TW_METRIC_TIME_WAIT_REUSED, TW_COUNTER_TIME_WAIT_REUSED },
	};

	sample->previous.at_usec = sample->gauge.at_usec - RATE_SPAN_USEC;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rates); i++) {
		struct tw_value rate = tw_past_metric(record, rates[i].metric);

		if (!rate.known || rate.milli < 0)
			continue;
		sample->gauge.counters[rates[i].counter] = (struct tw_count){ (uint64_t)rate.milli, true };
		sample->previous.counters[rates[i].counter] = (struct tw_count){ 0, true };
	}
}

static void fill_gauge(const struct tw_record *record, struct tw_sample *sample)
{
	struct tw_gauge *gauge = &sample->gauge;
	struct tw_count time_wait = tw_past_u64(record, "TIMEWAITD_SOCKSTAT_TIME_WAIT");
	struct tw_value orphans = tw_past_metric(record, TW_METRIC_ORPHANS);

	fill_rates(record, sample);
	gauge->time_wait = time_wait.value;
	if (time_wait.known)
		set_live(gauge, TW_TUNABLE_MAX_TW_BUCKETS, tw_past_u64(record, "TIMEWAITD_SYSCTL_TCP_MAX_TW_BUCKETS"));
	if (orphans.known && orphans.milli >= 0) {
		gauge->orphan = (uint64_t)orphans.milli;
		set_live(gauge, TW_TUNABLE_MAX_ORPHANS, (struct tw_count){ SHARE_WHOLE, true });
	}
	gauge->memory_pages = tw_past_u64(record, "TIMEWAITD_MEMORY_PAGES").value;
	gauge->memory_limit_pages = tw_past_u64(record, "TIMEWAITD_MEMORY_LIMIT_PAGES");
	gauge->memory_bound_pages = gauge->memory_limit_pages.known
					    ? gauge->memory_limit_pages
					    : tw_past_u64(record, "TIMEWAITD_MEMORY_BOUND_PAGES");
}

static void fill_census(const struct tw_record *record, struct tw_census *census)
{
	census->partial = true;
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		struct tw_value value = tw_past_metric(record, TW_METRIC_OF_STATE(i));

		census->known[i] = value.known && value.milli >= 0;
		census->count[i] = census->known[i] ? (uint64_t)value.milli / 1000 : 0;
		census->partial = census->partial && !census->known[i];
	}
}

static void fill_forecasts(const struct tw_record *record, struct tw_survey *survey)
{
	const char *cursor = tw_past_text(record, "TIMEWAITD_PORT_FORECASTS");
	const char *end = cursor + strlen(cursor);
	const char *use, *eta;
	size_t use_length, eta_length;

	while (survey->top_count < TW_TOP_MAX && tw_parse_word(&cursor, end, &use, &use_length) &&
	       tw_parse_word(&cursor, end, &eta, &eta_length)) {
		struct tw_destination_row *row = &survey->top[survey->top_count];

		row->port_use.known = tw_parse_milli(use, use_length, &row->port_use.milli) >= 0;
		row->port_eta.known = tw_parse_milli(eta, eta_length, &row->port_eta.milli) >= 0;
		if (!row->port_use.known || !row->port_eta.known)
			return;
		survey->top_count++;
	}
}

static void fill_survey(const struct tw_record *record, struct tw_survey *survey)
{
	struct tw_count usable = tw_past_u64(record, "TIMEWAITD_USABLE_PORTS");

	survey->partial = !usable.known;
	survey->usable = usable.known && usable.value <= UINT16_MAX + 1 ? (uint32_t)usable.value : 0;
	survey->port_use = tw_past_metric(record, TW_METRIC_PORT_USE);
	survey->port_demand = tw_past_milli(record, "TIMEWAITD_PORT_DEMAND");
	survey->port_eta = tw_past_metric(record, TW_METRIC_PORT_ETA);
	fill_forecasts(record, survey);
}

/* So many sockets of one age. */
static void add_waiters(struct tw_close_wait *close_wait, struct tw_close_wait_socket *waiters, uint64_t count,
			usec_t age_usec)
{
	for (; count > 0 && close_wait->socket_count < TW_REPLAY_WAITERS_MAX; count--)
		waiters[close_wait->socket_count++] = (struct tw_close_wait_socket){
			.since_usec = tw_usec_since(close_wait->at_usec, age_usec),
			.unit = TW_NO_UNIT,
		};
}

/* The oldest is as old as is told, the others a little older than the age that they are known to be older than. */
static void fill_waiters(const struct tw_record *record, struct tw_close_wait_socket *waiters,
			 struct tw_close_wait *close_wait)
{
	const char *cursor = tw_past_text(record, "TIMEWAITD_CLOSE_WAIT_AGES");
	const char *end = cursor + strlen(cursor), *word;
	struct tw_value oldest = tw_past_metric(record, TW_METRIC_CLOSE_WAIT_AGE);
	usec_t oldest_usec = oldest.known && oldest.milli > 0 ? (usec_t)oldest.milli * TW_USEC_PER_MSEC : 0;
	uint64_t counts[TW_RECORD_AGES + 1] = { 0 };
	unsigned classes = 0;
	size_t length;

	while (classes < TW_RECORD_AGES && tw_parse_word(&cursor, end, &word, &length))
		if (tw_parse_u64(word, length, &counts[classes++]) < 0)
			return;
	if (classes == 0 && oldest_usec > 0)
		add_waiters(close_wait, waiters, 1, oldest_usec);
	for (unsigned i = classes; i > 0; i--) {
		uint64_t count = counts[i - 1] - TW_MIN(counts[i - 1], counts[i]);

		if (i == classes && count > 0) {
			add_waiters(close_wait, waiters, 1, TW_MAX(oldest_usec, tw_record_ages[i - 1] + 1));
			count--;
		}
		add_waiters(close_wait, waiters, count, tw_record_ages[i - 1] + 1);
	}
}

static void fill_close_wait(const struct tw_record *record, struct tw_close_wait_socket *waiters,
			    struct tw_close_wait *close_wait)
{
	close_wait->partial = !tw_past_metric(record, TW_METRIC_CLOSE_WAIT_AGE).known;
	close_wait->sockets = waiters;
	if (!close_wait->partial)
		fill_waiters(record, waiters, close_wait);
}

bool tw_replay_sample(const struct tw_record *record, struct tw_close_wait_socket *waiters, struct tw_sample *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->gauge.at_usec = time_of(record, "TIMEWAITD_GAUGE_AT");
	ret->census.at_usec = time_of(record, "TIMEWAITD_CENSUS_AT");
	ret->survey.at_usec = time_of(record, "TIMEWAITD_SURVEY_AT");
	/* What is later than the record is a lie, and nothing is as old as the machine's next century. */
	if (ret->gauge.at_usec == 0 || ret->gauge.at_usec > UINT64_MAX / 2 ||
	    ret->census.at_usec > ret->gauge.at_usec || ret->survey.at_usec > ret->gauge.at_usec)
		return false;
	fill_gauge(record, ret);
	if (ret->census.at_usec != 0) {
		ret->accepting.at_usec = ret->close_wait.at_usec = ret->census.at_usec;
		ret->accepting.accept_queue = tw_past_metric(record, TW_METRIC_ACCEPT_QUEUE);
		fill_census(record, &ret->census);
		fill_close_wait(record, waiters, &ret->close_wait);
	}
	if (ret->survey.at_usec != 0)
		fill_survey(record, &ret->survey);
	return true;
}
