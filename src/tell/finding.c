/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/finding.h"

#include "base/macros.h"
#include "tell/finding-ports.h"
#include "tell/known.h"

#include <inttypes.h>
#include <string.h>

#define CLOSE_WAIT_METRIC TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT)

void tw_finding_add_figure(struct tw_text *text, enum tw_metric metric, struct tw_value value)
{
	if (tw_known_never(metric, value))
		tw_text_add(text, "none");
	else
		tw_value_add(text, value, tw_metric_info(metric)->unit);
}

bool tw_finding_add_subject(struct tw_text *text, const struct tw_subject *subject, const char *before)
{
	if (subject->has_destination) {
		tw_text_add(text, before);
		tw_destination_add(text, &subject->destination);
		before = ", ";
	}
	if (subject->has_listener) {
		tw_text_addf(text, "%slistener ", before);
		tw_endpoint_add(text, &subject->listener.address, subject->listener.port);
		before = ", ";
	}
	if (subject->has_binder) {
		tw_text_addf(text, "%s%s", before, subject->holds_for_all ? "ports bound first from " : "bind() of ");
		tw_address_add(text, &subject->binder);
	}
	if (subject->unit[0] != '\0')
		tw_text_addf(text, "%sunit %s", before, subject->unit);
	return subject->has_destination || subject->has_listener || subject->has_binder || subject->unit[0] != '\0';
}

void tw_finding_add_threshold(struct tw_text *text, const struct tw_event *event)
{
	if (event->threshold.known) {
		tw_text_add(text, " (threshold ");
		tw_finding_add_figure(text, event->metric, event->threshold);
		tw_text_add_char(text, ')');
	}
}

static struct tw_value seconds_of(usec_t span_usec)
{
	return tw_value_of((int64_t)(span_usec / TW_USEC_PER_MSEC));
}

/* The subject's rows of the sample's tables. */
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
static void add_accept_queue(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_listener_row *row = find_listener(event);

	if (event->subject.has_listener) {
		tw_text_add(text, "the accept queue of ");
		tw_endpoint_add(text, &event->subject.listener.address, event->subject.listener.port);
	} else {
		tw_text_add(text, "an accept queue");
	}
	tw_text_add(text, " is ");
	tw_finding_add_figure(text, event->metric, event->value);
	tw_text_add(text, " full");
	if (row)
		tw_text_addf(text, " (%" PRIu32 " of %" PRIu32 ")", row->queue, tw_listener_room(row->backlog));
	if (row && row->sockets > 1)
		tw_text_addf(text, ", at the fullest of its %" PRIu32 " sockets", row->sockets);
	tw_text_addf(text, ": %s does not accept fast enough",
		     event->subject.unit[0] != '\0' ? event->subject.unit : "the program");
	if (row)
		add_backlog(text, event, row);
}

/* What is known of the sockets that a CLOSE-WAIT rule is about. */
struct waiting {
	struct tw_count count;	 /* of the unit */
	struct tw_count total;	 /* of all units */
	struct tw_value oldest;	 /* seconds */
	struct tw_value minimum; /* seconds: only those older than this are counted */
};

static struct tw_count count_of(struct tw_value value)
{
	if (!value.known || value.milli < 0)
		return (struct tw_count){ 0 };
	return (struct tw_count){ .value = (uint64_t)value.milli / 1000, .known = true };
}

/* Those of the unit that are older than the rule's age. */
static struct tw_count count_aged(const struct tw_event *event, const struct tw_close_wait_row *row)
{
	const struct tw_close_wait *close_wait = &event->sample->close_wait;
	struct tw_count count = { .known = true };

	if (!event->rule || !close_wait->waiters)
		return (struct tw_count){ 0 };
	for (uint32_t i = 0; i < close_wait->waiter_count; i++) {
		const struct tw_waiter *waiter = &close_wait->waiters[i];

		if (waiter->unit == (uint32_t)(row - close_wait->rows) &&
		    tw_usec_since(close_wait->at_usec, waiter->since_usec) > event->rule->age_usec)
			count.value++;
	}
	return count;
}

static struct tw_value sample_metric(const struct tw_event *event, enum tw_metric metric)
{
	return event->sample ? tw_sample_metric(event->sample, metric) : tw_value_unknown();
}

/* Of the subject's unit: what the event says, else what the sample tells. */
static struct tw_count count_of_unit(const struct tw_event *event, const struct tw_close_wait_row *row)
{
	/* In a reminder it counts something else. */
	if (event->kind == TW_EVENT_RAISED && event->has_count)
		return (struct tw_count){ event->count, true };
	if (!row)
		return (struct tw_count){ 0 };
	return event->metric == TW_METRIC_CLOSE_WAIT_AGED ? count_aged(event, row)
							  : (struct tw_count){ row->count, true };
}

static struct waiting find_waiting(const struct tw_event *event)
{
	const struct tw_close_wait_row *row = find_unit(event);
	bool by_age = event->metric == TW_METRIC_CLOSE_WAIT_AGE;
	struct waiting waiting = {
		.count = count_of_unit(event, row),
		.total = count_of(by_age ? sample_metric(event, CLOSE_WAIT_METRIC) : event->value),
		.oldest = by_age ? event->value : sample_metric(event, TW_METRIC_CLOSE_WAIT_AGE),
	};

	if (!waiting.count.known)
		waiting.count = waiting.total;
	if (row)
		waiting.oldest = seconds_of(row->oldest_usec);
	if (event->metric == TW_METRIC_CLOSE_WAIT_AGED && event->rule)
		waiting.minimum = seconds_of(event->rule->age_usec);
	return waiting;
}

/*
 * "web.service has 120 sockets in CLOSE-WAIT older than 1min, the oldest for 2min 5s: it was told that its peers have
 * closed and has not closed them".
 */
static void add_close_wait(struct tw_text *text, const struct tw_event *event)
{
	struct waiting waiting = find_waiting(event);
	const char *unit = event->subject.unit;
	bool shared = waiting.count.known && waiting.total.known && waiting.total.value > waiting.count.value;
	bool one = waiting.count.known && waiting.count.value == 1 && !shared;

	if (unit[0] != '\0')
		tw_text_addf(text, "%s has ", unit);
	if (waiting.count.known)
		tw_text_addf(text, "%" PRIu64 " ", waiting.count.value);
	if (shared)
		tw_text_addf(text, "of the %" PRIu64 " ", waiting.total.value);
	tw_text_addf(text, "%s in %s", one ? "socket" : "sockets", tw_state_title(TW_STATE_CLOSE_WAIT));
	if (waiting.minimum.known) {
		tw_text_add(text, " older than ");
		tw_value_add(text, waiting.minimum, TW_UNIT_SECONDS);
	}
	if (waiting.oldest.known) {
		tw_text_add(text, one ? ", for " : ", the oldest for ");
		tw_value_add(text, waiting.oldest, TW_UNIT_SECONDS);
	}
	tw_text_addf(text, ": %s was told that its %s closed and has not closed %s",
		     unit[0] != '\0' ? "it" : "a program", one ? "peer has" : "peers have", one ? "it" : "them");
}

/* "listen-overflow 12/s (threshold 1/s), listener 0.0.0.0:80". */
static void add_plain(struct tw_text *text, const struct tw_event *event)
{
	if (!event->has_metric) {
		(void)tw_finding_add_subject(text, &event->subject, "");
		return;
	}
	tw_text_addf(text, "%s ", tw_metric_info(event->metric)->name);
	tw_finding_add_figure(text, event->metric, event->value);
	tw_finding_add_threshold(text, event);
	(void)tw_finding_add_subject(text, &event->subject, ", ");
}

static bool is_over_close_wait(enum tw_metric metric)
{
	return metric == CLOSE_WAIT_METRIC || metric == TW_METRIC_CLOSE_WAIT_AGE || metric == TW_METRIC_CLOSE_WAIT_AGED;
}

bool tw_finding_add(struct tw_text *text, const struct tw_event *event)
{
	/* Of what a rule misses that fires downward nobody is to blame. */
	bool downward = event->rule && event->rule->raise_milli < event->rule->clear_milli;
	bool has_value = event->has_metric && event->value.known && !downward;

	if (event->has_metric && event->metric == TW_METRIC_PORT_USE && tw_finding_is_over_ports(&event->subject))
		return tw_finding_add_ports(text, event);
	if (has_value && event->metric == TW_METRIC_ACCEPT_QUEUE)
		add_accept_queue(text, event);
	else if (has_value && is_over_close_wait(event->metric))
		add_close_wait(text, event);
	else
		add_plain(text, event);
	return false;
}
