/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-here.h"

#include "base/macros.h"
#include "ctl/explain/explain-topic.h"
#include "decide/gate.h"
#include "decide/reading.h"
#include "tell/message.h"
#include "tell/rows.h"

#include <inttypes.h>

/* Rows of a table that a person reads in a sentence. */
#define ROWS_MAX 3

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)

static struct tw_value count_of(uint64_t count)
{
	return tw_value_of(count > INT64_MAX / 1000 ? INT64_MAX : (int64_t)count * 1000);
}

static void note_metric(struct tw_page *page, const struct tw_sample *sample, enum tw_metric metric)
{
	tw_page_note(page, tw_metric_info(metric)->name, tw_known_number(metric, tw_sample_metric(sample, metric)));
}

/* ---- TIME-WAIT by its sides */

static uint64_t connecting_time_wait(const struct tw_survey *survey)
{
	return survey->time_wait - survey->accepting_time_wait - survey->outside_time_wait;
}

static void note_sides(struct tw_page *page, const struct tw_sample *sample)
{
	struct tw_value accepting = tw_value_unknown(), connecting = tw_value_unknown();

	if (tw_known_survey(sample)) {
		accepting = count_of(sample->survey.accepting_time_wait);
		connecting = count_of(connecting_time_wait(&sample->survey));
	}
	tw_page_note(page, "time-wait-accepting", accepting);
	tw_page_note(page, "time-wait-connecting", connecting);
}

static void add_memory(struct tw_text *text, uint64_t bytes)
{
	if (bytes >= MIB)
		tw_text_addf(text, "%" PRIu64 " MiB", (bytes + MIB / 2) / MIB);
	else
		tw_text_addf(text, "%" PRIu64 " KiB", (bytes + KIB - 1) / KIB);
}

static const char *is_or_are(uint64_t count)
{
	return count == 1 ? "socket in TIME-WAIT is" : "sockets in TIME-WAIT are";
}

static void say_accepting(struct tw_page *page, const struct tw_sample *sample)
{
	uint64_t count = sample->survey.accepting_time_wait;
	struct tw_text *text = tw_page_begin(page, "Here, accepting side");

	tw_text_addf(text, "%" PRIu64 " %s on the accepting side, because this side closed first. ", count,
		     is_or_are(count));
	tw_text_add(text, "That is harmless: about 256 bytes each, some ");
	add_memory(text, count * TW_TIME_WAIT_BYTES);
	tw_text_add(text,
		    " together, and no port, for they hang on their listener's. No alarm and no sysctl is needed; each "
		    "goes by itself after 60 s.");
}

/* On no listener's port that there is now, and on none that connect() picks: whose side they are on no row tells. */
static void say_outside(struct tw_page *page, const struct tw_sample *sample)
{
	uint64_t count = sample->survey.outside_time_wait;

	tw_text_addf(tw_page_begin(page, "Here, outside the range"),
		     "%" PRIu64
		     " %s on ports that nobody listens on now and that connect() does not pick from: left by a "
		     "listener that has ended, or by a program that chose its port itself. They cost connect() none.",
		     count, is_or_are(count));
}

static void say_connecting(struct tw_page *page, const struct tw_sample *sample)
{
	const struct tw_survey *survey = &sample->survey;
	uint64_t count = connecting_time_wait(survey);
	struct tw_text *text = tw_page_begin(page, "Here, connecting side");
	const struct tw_destination_row *busiest = &survey->top[0];

	tw_text_addf(text,
		     "%" PRIu64 " %s on the connecting side, where each holds a local port towards its destination",
		     count, is_or_are(count));
	if (survey->top_count > 0) {
		tw_text_add(text, ". The busiest, ");
		tw_destination_add(text, &busiest->key);
		tw_text_addf(text, ", has %" PRIu32 " of %" PRIu32 " ports in use, %" PRIu32 " of them in TIME-WAIT",
			     busiest->ports, survey->usable, busiest->time_wait);
		if (busiest->blocked != busiest->ports)
			tw_text_addf(text, "; connect() cannot take %" PRIu32, busiest->blocked);
	}
	/* connect() tries the ports of one parity first. */
	if (survey->port_use.known && survey->port_use.milli < 50 * 1000)
		tw_text_add(text, ": less than half, so connect() finds one at once");
	tw_text_add_char(text, '.');
}

void tw_here_say_time_wait(struct tw_page *page, const struct tw_sample *sample)
{
	if (!tw_known_survey(sample))
		return;
	if (sample->survey.accepting_time_wait > 0)
		say_accepting(page, sample);
	if (sample->survey.outside_time_wait > 0)
		say_outside(page, sample);
	if (connecting_time_wait(&sample->survey) > 0)
		say_connecting(page, sample);
}

/* ---- a state */

static void add_units(struct tw_text *text, const struct tw_sample *sample)
{
	const struct tw_close_wait *close_wait = &sample->close_wait;

	if (!tw_known_close_wait(sample))
		return;
	for (unsigned i = 0; i < tw_known_rows(close_wait->row_count, ROWS_MAX); i++) {
		const struct tw_close_wait_row *row = &close_wait->rows[i];

		tw_text_addf(text, "%s%s has %" PRIu32 ", the oldest for ", i == 0 ? ": " : "; ",
			     row->unit[0] != '\0' ? row->unit : "a program of no known unit", row->count);
		tw_value_add_span(text, row->oldest_usec);
	}
}

static void add_bound_units(struct tw_text *text, const struct tw_sample *sample)
{
	const struct tw_survey *survey = &sample->survey;

	if (!tw_known_survey(sample))
		return;
	tw_text_addf(text, ". They hold %" PRIu32 " ports that connect() could pick", survey->bound_ports);
	for (unsigned i = 0; i < tw_known_rows(survey->bound_row_count, ROWS_MAX); i++)
		tw_text_addf(text, "%s%s has %" PRIu32, i == 0 ? ": " : "; ",
			     survey->bound_rows[i].unit[0] != '\0' ? survey->bound_rows[i].unit
								   : "a program of no known unit",
			     survey->bound_rows[i].sockets);
}

/* The listener that accept-queue is about. */
static void add_fullest(struct tw_text *text, const struct tw_sample *sample)
{
	const struct tw_listener_row *row = &sample->accepting.rows[0];

	if (!tw_known_accepting(sample) || sample->accepting.row_count == 0)
		return;
	tw_text_add(text, ". The fullest accept queue is that of ");
	tw_endpoint_add(text, &row->address.address, row->address.port);
	tw_text_addf(text, ", %" PRIu32 " of %" PRIu32, row->queue, row->backlog);
}

static void say_state(struct tw_page *page, const struct tw_sample *sample, enum tw_state state, const char *title)
{
	const struct tw_census *census = &sample->census;
	const char *since = tw_metric_info(TW_METRIC_OF_STATE(state))->since;
	struct tw_text *text = tw_page_begin(page, title);

	if (!tw_known_census(sample) || !census->known[state]) {
		tw_text_add(text, "not known");
		if (since)
			tw_text_addf(text, "; the kernel tells it since %s", since);
		tw_text_add_char(text, '.');
		return;
	}
	tw_text_addf(text, "%" PRIu64 " now", census->count[state]);
	if (census->count_ipv6[state] > 0)
		tw_text_addf(text, ", %" PRIu64 " of them IPv6", census->count_ipv6[state]);
	if (state == TW_STATE_FIN_WAIT_2)
		tw_text_addf(text, ", %" PRIu64 " of them orphaned", census->mini_fin_wait_2);
	if (state == TW_STATE_CLOSE_WAIT)
		add_units(text, sample);
	if (state == TW_STATE_BOUND)
		add_bound_units(text, sample);
	if (state == TW_STATE_LISTEN)
		add_fullest(text, sample);
	tw_text_add_char(text, '.');
	if (state == TW_STATE_TIME_WAIT) {
		tw_here_say_time_wait(page, sample);
		note_sides(page, sample);
	}
}

/* ---- a metric */

static const char *why_unknown(enum tw_metric metric)
{
	const struct tw_metric_info *info = tw_metric_info(metric);

	if (info->host_only)
		return "not known; the kernel shows it in the first network namespace alone.";
	if (metric == TW_METRIC_PORT_ETA)
		return "not known; it takes two surveys, and ports that grow.";
	if (metric == TW_METRIC_CLOSE_WAIT_AGED)
		return "it takes the age that a rule names.";
	if (info->unit == TW_UNIT_PER_SECOND)
		return "not known; it takes two looks.";
	return "not known.";
}

void tw_here_say_metric(struct tw_page *page, const struct tw_sample *sample, enum tw_metric metric)
{
	struct tw_rule_settings whole = { .metric = metric };
	struct tw_reading_row worst;
	struct tw_event event = {
		.has_metric = true,
		.metric = metric,
		.value = tw_sample_metric(sample, metric),
		.sample = sample,
	};
	struct tw_text *text;

	note_metric(page, sample, metric);
	if (metric <= TW_METRIC_STATE_LAST) {
		say_state(page, sample, (enum tw_state)(metric - TW_METRIC_STATE_FIRST), "Here");
		return;
	}
	text = tw_page_begin(page, "Here");
	if (!event.value.known) {
		tw_text_add(text, why_unknown(metric));
		if (metric == TW_METRIC_CLOSE_WAIT_AGED)
			say_state(page, sample, TW_STATE_CLOSE_WAIT, "Here, of any age");
		return;
	}
	tw_reading_worst(sample, &whole, &worst);
	event.subject = worst.subject;
	/* A queue that is not full is no program that is slow. */
	if (metric == TW_METRIC_PORT_USE && event.subject.has_destination) {
		(void)tw_message_add_finding(text, &event);
	} else {
		tw_message_add_figure(text, metric, event.value);
		(void)tw_message_add_subject(text, &event.subject, ", ");
	}
	tw_text_add_char(text, '.');
	if (tw_known_survey(sample) && (metric == TW_METRIC_PORT_USE || metric == TW_METRIC_PORT_ETA))
		tw_page_note(page, "usable-ports", count_of(sample->survey.usable));
}

/* ---- a sysctl */

static const char *why_absent(enum tw_tunable tunable)
{
	if (tunable == TW_TUNABLE_TW_RECYCLE)
		return "this kernel does not have it; Linux 4.12 removed it.";
	if (tunable == TW_TUNABLE_TW_TIMEOUT)
		return "this kernel does not have it: TIME-WAIT lasts 60 s.";
	if (tunable == TW_TUNABLE_TW_REUSE_DELAY)
		return "this kernel does not have it; Linux 6.12 and older do not.";
	if (tunable == TW_TUNABLE_AUTOBIND_REUSE)
		return "this kernel does not have it; Linux 5.6 and older do not.";
	if (tw_tunable_info(tunable)->host_only)
		return "not known; the kernel shows it in the first network namespace alone.";
	return "this kernel does not have it.";
}

/* The value that an admin has in mind who asks; the checks of other sysctls do not depend on it. */
static struct tw_tunable_value wanted(enum tw_tunable tunable, const struct tw_live_value *live)
{
	if (tunable == TW_TUNABLE_TW_REUSE)
		return (struct tw_tunable_value){ .numbers = { 1 } };
	return (struct tw_tunable_value){ .numbers = { live->value.numbers[0] + 1, live->value.numbers[1] } };
}

static void add_gate(struct tw_page *page, const struct tw_sample *sample, enum tw_tunable tunable)
{
	struct tw_tunable_value value = wanted(tunable, &sample->gauge.sysctls[tunable]);
	const struct tw_subject nobody = { 0 };
	enum tw_gate_verdict verdict = tw_gate_check(tunable, &value, sample, &nobody, false);
	char advice[TW_REASON_MAX];
	struct tw_text rest, *text;

	if (verdict == TW_GATE_OPEN)
		return;
	text = tw_page_begin(page, verdict == TW_GATE_ALREADY ? "Now" : "A change of it now cannot help");
	tw_text_init(&rest, advice, sizeof(advice));
	tw_gate_explain(verdict, tunable, sample, &nobody, text, &rest);
	tw_text_addf(text, ". Instead: %s.", advice);
}

/* The metric that the sysctl is about. Returns false where it is about none. */
static bool find_metric(enum tw_tunable tunable, enum tw_metric *ret)
{
	switch (tw_tunable_info(tunable)->evidence) {
	case TW_EVIDENCE_TAKEOVERS:
	case TW_EVIDENCE_SHARED_PORTS:
		*ret = TW_METRIC_PORT_USE;
		return true;
	case TW_EVIDENCE_OVERFLOW:
		*ret = TW_METRIC_TIME_WAIT_OVERFLOW;
		return true;
	case TW_EVIDENCE_ORPHANED_FIN_WAIT_2:
		*ret = TW_METRIC_OF_STATE(TW_STATE_FIN_WAIT_2);
		return true;
	case TW_EVIDENCE_NONE:
		break;
	}
	*ret = TW_METRIC_PORT_USE;
	return tunable == TW_TUNABLE_PORT_RANGE;
}

void tw_here_say_tunable(struct tw_page *page, const struct tw_sample *sample, enum tw_tunable tunable)
{
	const struct tw_live_value *live = &sample->gauge.sysctls[tunable];
	const struct tw_tunable_info *info = tw_tunable_info(tunable);
	struct tw_text *text = tw_page_begin(page, "Here");
	char value[TW_TUNABLE_VALUE_MAX];
	enum tw_metric metric;

	if (info->kind == TW_TUNABLE_RANGE) {
		tw_page_note(page, "range-low",
			     live->known ? tw_value_of(live->value.numbers[0] * 1000) : tw_value_unknown());
		tw_page_note(page, "range-high",
			     live->known ? tw_value_of(live->value.numbers[1] * 1000) : tw_value_unknown());
	} else {
		tw_page_note(page, tw_tunable_short_name(tunable),
			     live->known ? tw_value_of(live->value.numbers[0] * 1000) : tw_value_unknown());
	}
	if (!live->known) {
		tw_text_add(text, why_absent(tunable));
		return;
	}
	tw_text_addf(text, "%s is %s", info->key, tw_tunable_format(tunable, &live->value, value));
	if (tunable == TW_TUNABLE_PORT_RANGE && tw_known_survey(sample))
		tw_text_addf(text, ", with %" PRIu32 " usable ports", sample->survey.usable);
	if (find_metric(tunable, &metric)) {
		note_metric(page, sample, metric);
		tw_text_addf(text, "; %s is ", tw_metric_info(metric)->name);
		tw_message_add_figure(text, metric, tw_sample_metric(sample, metric));
	}
	tw_text_add_char(text, '.');
	add_gate(page, sample, tunable);
}

void tw_here_note_all(struct tw_page *page, const struct tw_sample *sample)
{
	for (unsigned i = 0; i < TW_METRIC_COUNT; i++)
		note_metric(page, sample, (enum tw_metric)i);
	tw_page_note(page, "usable-ports",
		     tw_known_survey(sample) ? count_of(sample->survey.usable) : tw_value_unknown());
	note_sides(page, sample);
}
