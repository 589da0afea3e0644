/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a raised rule sees: apart from message.c for its length. */
#include "tell/message.h"

#include "base/macros.h"
#include "tell/rows.h"

#include <inttypes.h>
#include <string.h>

#define CLOSE_WAIT_METRIC TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT)

/* The figures of an event as text. */
struct figures {
	char value[TW_DURATION_TEXT_MAX];
	char threshold[TW_DURATION_TEXT_MAX + 16]; /* " (threshold 45%)", or "" */
};

static void fill_figures(struct figures *figures, const struct tw_event *event)
{
	struct tw_text text;

	tw_text_init(&text, figures->value, sizeof(figures->value));
	tw_message_add_figure(&text, event->metric, event->value);
	tw_text_init(&text, figures->threshold, sizeof(figures->threshold));
	if (!event->threshold.known)
		return;
	tw_text_add(&text, " (threshold ");
	tw_message_add_figure(&text, event->metric, event->threshold);
	tw_text_add_char(&text, ')');
}

/* ---- ports */

/* The states as people know them. */
static const char *const holders[TW_HOLDER_COUNT] = {
	[TW_HOLDER_TIME_WAIT] = "TIME-WAIT",   [TW_HOLDER_ESTABLISHED] = "ESTABLISHED",
	[TW_HOLDER_SYN_SENT] = "SYN-SENT",     [TW_HOLDER_FIN_WAIT_2_ORPHANED] = "orphaned FIN-WAIT-2",
	[TW_HOLDER_FIN_WAIT_2] = "FIN-WAIT-2", [TW_HOLDER_CLOSE_WAIT] = "CLOSE-WAIT",
	[TW_HOLDER_CLOSING] = "closing",
};

/* ", 3871 of 8192, TIME-WAIT 3866": the two states that hold most. */
static void add_holders(struct tw_text *text, const struct tw_destination_row *row, const struct tw_survey *survey)
{
	uint32_t own = row->bound_first_known ? row->bound_first : 0;
	uint32_t others = survey->exclusive_ports - TW_MIN(survey->exclusive_ports, own);
	int most = 0, second = -1;

	for (int i = 0; i < TW_HOLDER_COUNT; i++)
		most = row->held[i] > row->held[most] ? i : most;
	for (int i = 0; i < TW_HOLDER_COUNT; i++)
		if (i != most && row->held[i] > 0 && (second < 0 || row->held[i] > row->held[second]))
			second = i;
	tw_text_addf(text, ", %" PRIu32 " of %" PRIu32 ", %s %" PRIu32, row->blocked, survey->usable, holders[most],
		     row->held[most]);
	if (second >= 0)
		tw_text_addf(text, ", %s %" PRIu32, holders[second], row->held[second]);
	/* Some listeners are no news. */
	if ((uint64_t)others * 20 >= survey->usable && others > 0)
		tw_text_addf(text, ", held by others for all destinations %" PRIu32, others);
}

/*
 * "10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports (threshold 45%), 3871 of 8192, TIME-WAIT 3866", or of a forecast
 * "... uses 31% of its ports and runs out in 3.9s at the present rate (forecast 15s)". Returns whether it says when.
 */
static bool add_destination(struct tw_text *text, const struct tw_event *event, const struct figures *figures,
			    const struct tw_survey *survey)
{
	const struct tw_destination_row *row = survey ? tw_survey_row(survey, &event->subject.destination) : NULL;
	bool knows_when = row && row->port_eta.known && !tw_known_never(TW_METRIC_PORT_ETA, row->port_eta);

	tw_destination_add(text, &event->subject.destination);
	if (!event->forecast) {
		tw_text_addf(text, " uses %s of its ports%s", figures->value, figures->threshold);
		if (row)
			add_holders(text, row, survey);
		return false;
	}
	tw_text_add(text, " uses ");
	/* The one that runs out first need not be the busiest, whose figure the metric is. */
	tw_message_add_figure(text, TW_METRIC_PORT_USE, row && row->port_use.known ? row->port_use : event->value);
	tw_text_add(text, " of its ports");
	if (knows_when) {
		tw_text_add(text, " and runs out in ");
		tw_message_add_figure(text, TW_METRIC_PORT_ETA, row->port_eta);
		tw_text_add(text, " at the present rate");
	}
	if (event->rule && event->rule->forecast_usec > 0) {
		tw_text_add(text, " (forecast ");
		tw_value_add_span(text, event->rule->forecast_usec);
		tw_text_add_char(text, ')');
	}
	return knows_when;
}

/*
 * "192.168.77.1 and 7 other addresses hold 1300 of 2000 ports by bind() before connect() without
 * IP_BIND_ADDRESS_NO_PORT: blocked for every destination, and for every other program that connects without bind(); 65%
 * of the ports are in use (threshold 45%)".
 */
static void add_bound_first(struct tw_text *text, const struct tw_event *event, const struct figures *figures,
			    const struct tw_survey *survey)
{
	const struct tw_binder_row *row = survey ? tw_survey_binder(survey, &event->subject.binder) : NULL;
	unsigned others = row ? survey->binder_count - 1 : 0;

	tw_address_add(text, &event->subject.binder);
	if (others > 0)
		tw_text_addf(text, " and %u other %s", others, others > 1 ? "addresses" : "address");
	tw_text_add(text, others > 0 ? " hold " : " holds ");
	if (row)
		tw_text_addf(text, "%" PRIu32 " of %" PRIu32 " ", others > 0 ? survey->bound_first_ports : row->ports,
			     survey->usable);
	tw_text_addf(text,
		     "ports by bind() before connect() without IP_BIND_ADDRESS_NO_PORT: blocked for every destination, "
		     "and for every other program that connects without bind(); %s of the ports are in use%s",
		     figures->value, figures->threshold);
}

static const struct tw_bound_row *find_bound(const struct tw_survey *survey, const char *unit)
{
	for (unsigned i = 0; i < survey->bound_row_count; i++)
		if (strcmp(survey->bound_rows[i].unit, unit) == 0)
			return &survey->bound_rows[i];
	return NULL;
}

/*
 * "100% of the ports are in use (threshold 45%): batch.service holds 282 of the 282 that are bound and not connected".
 */
static void add_bound(struct tw_text *text, const struct tw_event *event, const struct figures *figures,
		      const struct tw_survey *survey)
{
	const char *unit = event->subject.unit;
	const struct tw_bound_row *row;

	tw_text_addf(text, "%s of the ports are in use%s", figures->value, figures->threshold);
	if (!survey)
		return;
	row = unit[0] != '\0' ? find_bound(survey, unit) : NULL;
	if (row) {
		tw_text_addf(text, ": %s holds %" PRIu32 " of the %" PRIu32 " that are bound and not connected", unit,
			     row->sockets, survey->bound_ports);
		return;
	}
	tw_text_addf(
		text, ": %" PRIu32 " of %" PRIu32 " are held for all destinations by sockets that listen or are bound",
		survey->exclusive_ports - TW_MIN(survey->bound_first_ports, survey->exclusive_ports), survey->usable);
}

/*
 * "bind() of 10.0.0.1 before connect() runs out of ports: 1520 of 2000 are held by sockets of this address, most in
 * ESTABLISHED; 52% of the half that has more room are in use (threshold 45%)".
 */
static void add_bind_short(struct tw_text *text, const struct tw_event *event, const struct figures *figures,
			   const struct tw_survey *survey)
{
	const struct tw_binder_need *need = survey ? tw_survey_binder_need(survey, &event->subject.binder) : NULL;

	tw_text_add(text, "bind() of ");
	tw_address_add(text, &event->subject.binder);
	tw_text_add(text, " before connect() runs out of ports: ");
	if (need)
		tw_text_addf(text, "%" PRIu32 " of %" PRIu32 " are held by sockets of this address, most in %s; ",
			     need->ports, survey->usable, holders[need->holder]);
	tw_text_addf(text, "%s of the half that has more room are in use%s", figures->value, figures->threshold);
}

/* ---- accept queues */

static const struct tw_listener_row *find_listener(const struct tw_event *event)
{
	const struct tw_endpoint *wanted = &event->subject.listener;

	if (!event->subject.has_listener || !event->sample || !tw_known_accepting(event->sample))
		return NULL;
	for (unsigned i = 0; i < tw_known_rows(event->sample->accepting.row_count, TW_TOP_MAX); i++) {
		const struct tw_listener_row *row = &event->sample->accepting.rows[i];

		if (row->address.port == wanted->port && tw_address_equal(&row->address.address, &wanted->address))
			return row;
	}
	return NULL;
}

/* Who would have to allow a longer queue: the program, which asks in listen(), or the sysctl that cuts what it asks. */
static void add_backlog(struct tw_text *text, const struct tw_event *event, const struct tw_listener_row *row)
{
	const struct tw_live_value *most = &event->sample->gauge.sysctls[TW_TUNABLE_SOMAXCONN];
	const char *key = tw_tunable_info(TW_TUNABLE_SOMAXCONN)->key;

	if (!most->known)
		return;
	if ((int64_t)row->backlog < most->value.numbers[0])
		tw_text_addf(text, "; a backlog of %" PRIu32 " is what it asks for, %s allows %" PRId64, row->backlog,
			     key, most->value.numbers[0]);
	else
		tw_text_addf(text, "; its backlog of %" PRIu32 " is all that %s allows", row->backlog, key);
}

/*
 * "the accept queue of 0.0.0.0:80 is 98.2% full (502 of 511): the program does not accept fast enough; a backlog of 511
 * is what it asks for, net.core.somaxconn allows 4096".
 */
static void add_accept_queue(struct tw_text *text, const struct tw_event *event, const struct figures *figures)
{
	const struct tw_listener_row *row = find_listener(event);

	if (event->subject.has_listener) {
		tw_text_add(text, "the accept queue of ");
		tw_endpoint_add(text, &event->subject.listener.address, event->subject.listener.port);
	} else {
		tw_text_add(text, "an accept queue");
	}
	tw_text_addf(text, " is %s full", figures->value);
	if (row)
		tw_text_addf(text, " (%" PRIu32 " of %" PRIu32 ")", row->queue, tw_listener_room(row->backlog));
	if (row && row->sockets > 1)
		tw_text_addf(text, ", at the fullest of its %" PRIu32 " sockets", row->sockets);
	tw_text_addf(text, ": %s does not accept fast enough",
		     event->subject.unit[0] != '\0' ? event->subject.unit : "the program");
	if (row)
		add_backlog(text, event, row);
}

/* ---- CLOSE-WAIT */

static const struct tw_close_wait_row *find_unit(const struct tw_event *event)
{
	if (event->subject.unit[0] == '\0' || !event->sample || !tw_known_close_wait(event->sample))
		return NULL;
	for (unsigned i = 0; i < tw_known_rows(event->sample->close_wait.row_count, TW_TOP_MAX); i++) {
		const struct tw_close_wait_row *row = &event->sample->close_wait.rows[i];

		if (strcmp(row->unit, event->subject.unit) == 0)
			return row;
	}
	return NULL;
}

static struct tw_value sample_metric(const struct tw_event *event, enum tw_metric metric)
{
	return event->sample ? tw_sample_metric(event->sample, metric) : tw_value_unknown();
}

static struct tw_count count_of(struct tw_value value)
{
	return (struct tw_count){ .value = (uint64_t)value.milli / 1000, .known = value.known && value.milli >= 0 };
}

/* Of the subject's unit: what the event says (but in a reminder, which counts records), else what the sample tells. */
static struct tw_count count_of_unit(const struct tw_event *event, const struct tw_close_wait_row *row)
{
	struct tw_count count = { .known = true };
	const struct tw_close_wait *close_wait;

	if (event->kind == TW_EVENT_RAISED && event->has_count)
		return (struct tw_count){ event->count, true };
	if (row && event->metric != TW_METRIC_CLOSE_WAIT_AGED)
		return (struct tw_count){ row->count, true };
	if (!row || !event->rule || !event->sample->close_wait.sockets)
		return (struct tw_count){ 0 };
	close_wait = &event->sample->close_wait;
	for (uint32_t i = 0; i < close_wait->socket_count; i++) {
		const struct tw_close_wait_socket *socket = &close_wait->sockets[i];

		count.value += socket->unit == (uint32_t)(row - close_wait->rows) &&
			       tw_usec_since(close_wait->at_usec, socket->since_usec) > event->rule->age_usec;
	}
	return count;
}

/*
 * "web.service has 120 sockets in CLOSE-WAIT older than 1min, the oldest for 2min 5s: it was told that its peers have
 * closed and has not closed them".
 */
static void add_close_wait(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_close_wait_row *row = find_unit(event);
	const char *unit = event->subject.unit;
	bool by_age = event->metric == TW_METRIC_CLOSE_WAIT_AGE;
	struct tw_value oldest = by_age ? event->value : sample_metric(event, TW_METRIC_CLOSE_WAIT_AGE);
	struct tw_count total = count_of(by_age ? sample_metric(event, CLOSE_WAIT_METRIC) : event->value);
	struct tw_count count = count_of_unit(event, row);
	bool shared = count.known && total.known && total.value > count.value;
	bool one;

	if (!count.known)
		count = total;
	if (row)
		oldest = tw_value_of((int64_t)(row->oldest_usec / TW_USEC_PER_MSEC));
	one = count.known && count.value == 1 && !shared;
	if (unit[0] != '\0')
		tw_text_addf(text, "%s has ", unit);
	if (count.known)
		tw_text_addf(text, "%" PRIu64 " ", count.value);
	if (shared)
		tw_text_addf(text, "of the %" PRIu64 " ", total.value);
	tw_text_addf(text, "%s in %s", one ? "socket" : "sockets", tw_state_title(TW_STATE_CLOSE_WAIT));
	if (event->metric == TW_METRIC_CLOSE_WAIT_AGED && event->rule) {
		tw_text_add(text, " older than ");
		tw_value_add_span(text, event->rule->age_usec);
	}
	if (oldest.known) {
		tw_text_add(text, one ? ", for " : ", the oldest for ");
		tw_value_add(text, oldest, TW_UNIT_SECONDS);
	}
	tw_text_addf(text, ": %s was told that its %s closed and has not closed %s",
		     unit[0] != '\0' ? "it" : "a program", one ? "peer has" : "peers have", one ? "it" : "them");
}

bool tw_message_add_finding(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_survey *survey =
		event->sample && tw_known_survey(event->sample) ? &event->sample->survey : NULL;
	const struct tw_subject *subject = &event->subject;
	enum tw_metric metric = event->metric;
	/* Of what a rule misses that fires downward nobody is to blame. */
	bool downward = event->rule && event->rule->raise_milli < event->rule->clear_milli;
	bool has_value = event->value.known && !downward;
	bool ports = metric == TW_METRIC_PORT_USE;
	struct figures figures;

	if (!event->has_metric) {
		(void)tw_message_add_subject(text, subject, "");
		return false;
	}
	fill_figures(&figures, event);
	if (ports && subject->has_destination && event->forecast)
		return add_destination(text, event, &figures, survey);
	/* A survey that was read back from a record does not say whose the ports are. */
	if (ports && subject->has_binder && !subject->holds_for_all)
		add_bind_short(text, event, &figures, survey);
	else if (ports && subject->has_binder)
		add_bound_first(text, event, &figures, survey);
	else if (ports && subject->holds_for_all)
		add_bound(text, event, &figures, survey);
	else if (ports && subject->has_destination)
		(void)add_destination(text, event, &figures, survey);
	else if (has_value && metric == TW_METRIC_ACCEPT_QUEUE)
		add_accept_queue(text, event, &figures);
	else if (has_value && (metric == CLOSE_WAIT_METRIC || metric == TW_METRIC_CLOSE_WAIT_AGE ||
			       metric == TW_METRIC_CLOSE_WAIT_AGED))
		add_close_wait(text, event);
	else {
		/* "listen-overflow 12/s (threshold 1/s), listener 0.0.0.0:80" */
		tw_text_addf(text, "%s %s%s", tw_metric_info(metric)->name, figures.value, figures.threshold);
		(void)tw_message_add_subject(text, subject, ", ");
	}
	return false;
}
