/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record.h"

#include "tell/known.h"
#include "tell/message-id.h"
#include "tell/record-sample.h"
#include "tell/scrub.h"
#include "tell/sentence.h"

/* syslog(3): the event's own severity decides. */
#define AS_SEVERE_AS_THE_EVENT (-1)
#define WARNING 4
#define NOTICE 5
#define INFO 6

struct kind_info {
	const char *message_id;
	int priority;
};

static const struct kind_info kinds[TW_EVENT_COUNT] = {
	[TW_EVENT_STARTED] = { TW_MESSAGE_ID_STARTED, NOTICE },
	[TW_EVENT_STOPPED] = { TW_MESSAGE_ID_STOPPED, NOTICE },
	[TW_EVENT_RELOADED] = { TW_MESSAGE_ID_RELOADED, NOTICE },
	[TW_EVENT_RELOAD_FAILED] = { TW_MESSAGE_ID_RELOAD_FAILED, WARNING },
	[TW_EVENT_SAMPLE] = { TW_MESSAGE_ID_SAMPLE, INFO },
	[TW_EVENT_RAISED] = { TW_MESSAGE_ID_RAISED, AS_SEVERE_AS_THE_EVENT },
	[TW_EVENT_REMINDED] = { TW_MESSAGE_ID_REMINDED, AS_SEVERE_AS_THE_EVENT },
	[TW_EVENT_CLEARED] = { TW_MESSAGE_ID_CLEARED, NOTICE },
	[TW_EVENT_ADVICE] = { TW_MESSAGE_ID_ADVICE, NOTICE },
	[TW_EVENT_ADJUSTED] = { TW_MESSAGE_ID_ADJUSTED, NOTICE },
	[TW_EVENT_RESTORED] = { TW_MESSAGE_ID_RESTORED, NOTICE },
	[TW_EVENT_YIELDED] = { TW_MESSAGE_ID_YIELDED, WARNING },
	[TW_EVENT_REFUSED] = { TW_MESSAGE_ID_REFUSED, AS_SEVERE_AS_THE_EVENT },
	[TW_EVENT_EFFECT] = { TW_MESSAGE_ID_EFFECT, NOTICE },
	[TW_EVENT_DESTROYED] = { TW_MESSAGE_ID_DESTROYED, NOTICE },
	[TW_EVENT_STRETCHED] = { TW_MESSAGE_ID_STRETCHED, INFO },
	[TW_EVENT_PARTIAL] = { TW_MESSAGE_ID_PARTIAL, WARNING },
	[TW_EVENT_DEGRADED] = { TW_MESSAGE_ID_DEGRADED, WARNING },
	[TW_EVENT_NAMESPACE_GONE] = { TW_MESSAGE_ID_NAMESPACE_GONE, INFO },
	[TW_EVENT_NAMESPACE_NEW] = { TW_MESSAGE_ID_NAMESPACE_NEW, INFO },
	[TW_EVENT_REQUESTED] = { TW_MESSAGE_ID_REQUESTED, NOTICE },
};

/* Digit of PRIORITY -> its name, as syslog(3) and journalctl -p have them. */
static const char *const priority_names[] = {
	"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
};

static void add_where_said(struct tw_record *record, const char *name, const char *value)
{
	if (value[0] != '\0')
		(void)tw_record_add(record, name, value);
}

static void add_value(struct tw_record *record, const char *name, struct tw_value value)
{
	if (value.known)
		tw_record_add_milli(record, "", name, value.milli);
}

static void add_live(struct tw_record *record, const char *name, const struct tw_event *event,
		     const struct tw_live_value *live)
{
	char value[TW_TUNABLE_VALUE_MAX];

	if (live->known)
		(void)tw_record_add(record, name, tw_tunable_format(event->sysctl, &live->value, value));
}

static void add_endpoint(struct tw_record *record, const char *name, const struct tw_address *address, uint16_t port)
{
	struct tw_text text;

	tw_record_begin(record, &text, "", name);
	tw_endpoint_add(&text, address, port);
	(void)tw_record_end(record, &text);
}

static void add_head(struct tw_record *record, const char *namespace, const struct tw_event *event)
{
	const struct kind_info *info = &kinds[event->kind];
	struct tw_text text;

	tw_record_begin(record, &text, "", "MESSAGE");
	tw_sentence_add(&text, namespace, event);
	(void)tw_record_end(record, &text);
	(void)tw_record_add(record, "MESSAGE_ID", info->message_id);
	tw_record_begin(record, &text, "", "PRIORITY");
	tw_text_addf(&text, "%d",
		     info->priority == AS_SEVERE_AS_THE_EVENT ? tw_severity_priority(event->severity) : info->priority);
	(void)tw_record_end(record, &text);
	(void)tw_record_add(record, "SYSLOG_IDENTIFIER", "timewaitd");
	(void)tw_record_add(record, "TIMEWAITD_EVENT", tw_event_name(event->kind));
	(void)tw_record_add(record, "TIMEWAITD_NAMESPACE", namespace);
}

static void add_figures(struct tw_record *record, const struct tw_event *event)
{
	add_where_said(record, "TIMEWAITD_RULE", event->rule ? event->rule->name : event->rule_name);
	if (event->has_metric) {
		(void)tw_record_add(record, "TIMEWAITD_METRIC", tw_metric_info(event->metric)->name);
		add_value(record, "TIMEWAITD_VALUE", tw_known_number(event->metric, event->value));
		add_value(record, "TIMEWAITD_THRESHOLD", event->threshold);
	}
	if (event->has_sysctl) {
		(void)tw_record_add(record, "TIMEWAITD_SYSCTL", tw_tunable_info(event->sysctl)->key);
		add_live(record, "TIMEWAITD_OLD", event, &event->old);
		add_live(record, "TIMEWAITD_NEW", event, &event->new);
		add_live(record, "TIMEWAITD_BASELINE", event, &event->baseline);
	}
	add_where_said(record, "TIMEWAITD_REASON", event->reason);
}

static void add_source(struct tw_record *record, const struct tw_address *source)
{
	struct tw_text text;

	tw_record_begin(record, &text, "", "TIMEWAITD_SOURCE");
	tw_address_add(&text, source);
	(void)tw_record_end(record, &text);
}

static void add_destination(struct tw_record *record, const struct tw_destination *destination)
{
	add_source(record, &destination->source);
	add_endpoint(record, "TIMEWAITD_DESTINATION", &destination->destination, destination->port);
}

static void add_listener(struct tw_record *record, const struct tw_endpoint *listener)
{
	add_endpoint(record, "TIMEWAITD_LISTENER", &listener->address, listener->port);
}

/* Of a sample: its busiest destination, its fullest listener and the unit with most CLOSE-WAIT, which stand first. */
static void add_first(struct tw_record *record, const struct tw_sample *sample)
{
	if (tw_known_survey(sample) && sample->survey.has_busiest && sample->survey.top_count > 0)
		add_destination(record, &sample->survey.top[0].key);
	if (tw_known_accepting(sample) && sample->accepting.row_count > 0)
		add_listener(record, &sample->accepting.rows[0].address);
	if (tw_known_close_wait(sample) && sample->close_wait.row_count > 0)
		add_where_said(record, "TIMEWAITD_UNIT", sample->close_wait.rows[0].unit);
}

static void add_subject(struct tw_record *record, const struct tw_event *event)
{
	const struct tw_subject *subject = &event->subject;

	if (event->kind == TW_EVENT_SAMPLE && event->sample) {
		add_first(record, event->sample);
		return;
	}
	if (subject->has_destination)
		add_destination(record, &subject->destination);
	if (subject->has_binder)
		add_source(record, &subject->binder);
	if (subject->has_listener)
		add_listener(record, &subject->listener);
	add_where_said(record, "TIMEWAITD_UNIT", subject->unit);
}

void tw_record_build(struct tw_record *record, const char *namespace, const struct tw_event *event)
{
	tw_record_init(record);
	add_head(record, namespace, event);
	add_figures(record, event);
	add_subject(record, event);
	if (event->has_count)
		tw_record_add_u64(record, "", "TIMEWAITD_COUNT", event->count);
	if (event->lasted_usec > 0)
		add_value(record, "TIMEWAITD_LASTED", tw_value_of((int64_t)(event->lasted_usec / TW_USEC_PER_MSEC)));
	if (event->forecast)
		(void)tw_record_add(record, "TIMEWAITD_FORECAST", "1");
	add_where_said(record, "TIMEWAITD_ADVICE", event->advice);
	if (!event->sample)
		return;
	tw_record_add_numbers(record, event->sample);
	if (event->kind == TW_EVENT_SAMPLE)
		tw_record_add_basis(record, event->sample);
	if (event->kind == TW_EVENT_RAISED)
		tw_record_add_flight(record, event->sample, event->top);
}

void tw_record_add_text(const struct tw_record *record, struct tw_text *text)
{
	const char *priority = tw_record_get(record, "PRIORITY");
	const char *message = tw_record_get(record, "MESSAGE");

	if (priority && priority[0] >= '0' && priority[0] <= '7')
		tw_text_addf(text, "%s: ", priority_names[priority[0] - '0']);
	if (message)
		tw_scrub_add(text, message);
}

void tw_record_add_json(const struct tw_record *record, struct tw_json *json)
{
	char name[64 + 1]; /* journald takes names of at most 64 bytes */

	tw_json_object_begin(json);
	for (size_t i = 0; i < record->count; i++) {
		size_t name_length = record->fields[i].name_length;

		if (!tw_text_copy_bytes(name, sizeof(name), record->fields[i].text, name_length))
			continue;
		tw_json_key(json, name);
		tw_json_string_bytes(json, record->fields[i].text + name_length + 1,
				     record->fields[i].length - name_length - 1);
	}
	tw_json_object_end(json);
}
