/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record.h"

#include "base/macros.h"
#include "tell/message-id.h"
#include "tell/record-sample.h"
#include "tell/sentence.h"

#include <inttypes.h>
#include <string.h>

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
	[TW_EVENT_REFUSED] = { TW_MESSAGE_ID_REFUSED, WARNING },
	[TW_EVENT_EFFECT] = { TW_MESSAGE_ID_EFFECT, NOTICE },
	[TW_EVENT_DESTROYED] = { TW_MESSAGE_ID_DESTROYED, NOTICE },
	[TW_EVENT_STRETCHED] = { TW_MESSAGE_ID_STRETCHED, WARNING },
	[TW_EVENT_PARTIAL] = { TW_MESSAGE_ID_PARTIAL, WARNING },
	[TW_EVENT_DEGRADED] = { TW_MESSAGE_ID_DEGRADED, WARNING },
	[TW_EVENT_NAMESPACE_GONE] = { TW_MESSAGE_ID_NAMESPACE_GONE, INFO },
	[TW_EVENT_NAMESPACE_NEW] = { TW_MESSAGE_ID_NAMESPACE_NEW, INFO },
};

/* Digit of PRIORITY -> its name, as syslog(3) and journalctl -p have them. */
static const char *const priority_names[] = {
	"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
};

static char field_letter(char letter)
{
	if (letter >= 'a' && letter <= 'z')
		return (char)(letter - 'a' + 'A');
	return letter == '-' ? '_' : letter;
}

void tw_record_begin(struct tw_record *record, struct tw_text *ret_text, const char *prefix, const char *name)
{
	/* One byte stays behind the last field, so that a text always has memory of its own. */
	tw_text_init(ret_text, record->bytes + record->used, sizeof(record->bytes) - record->used);
	tw_text_add(ret_text, prefix);
	for (; *name != '\0'; name++)
		tw_text_add_char(ret_text, field_letter(*name));
	tw_text_add_char(ret_text, '=');
}

bool tw_record_end(struct tw_record *record, const struct tw_text *text)
{
	const char *equals = strchr(text->bytes, '=');

	if (!equals || record->count == TW_RECORD_FIELDS_MAX)
		return false;
	record->fields[record->count].text = text->bytes;
	record->fields[record->count].length = text->length;
	record->fields[record->count].name_length = (size_t)(equals - text->bytes);
	record->count++;
	record->used = TW_MIN(record->used + text->length + 1, sizeof(record->bytes) - 1);
	return !text->cut;
}

bool tw_record_add(struct tw_record *record, const char *name, const char *value)
{
	struct tw_text text;

	tw_record_begin(record, &text, "", name);
	tw_text_add(&text, value);
	return tw_record_end(record, &text);
}

static void add_where_said(struct tw_record *record, const char *name, const char *value)
{
	if (value[0] != '\0')
		(void)tw_record_add(record, name, value);
}

static void add_u64(struct tw_record *record, const char *name, uint64_t value)
{
	struct tw_text text;

	tw_record_begin(record, &text, "", name);
	tw_text_addf(&text, "%" PRIu64, value);
	(void)tw_record_end(record, &text);
}

static void add_value(struct tw_record *record, const char *name, struct tw_value value)
{
	struct tw_text text;

	if (!value.known)
		return;
	tw_record_begin(record, &text, "", name);
	tw_text_add_milli(&text, value.milli);
	(void)tw_record_end(record, &text);
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
		add_value(record, "TIMEWAITD_VALUE", event->value);
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

static void add_destination(struct tw_record *record, const struct tw_destination *destination)
{
	struct tw_text text;

	tw_record_begin(record, &text, "", "TIMEWAITD_SOURCE");
	tw_address_add(&text, &destination->source);
	(void)tw_record_end(record, &text);
	add_endpoint(record, "TIMEWAITD_DESTINATION", &destination->destination, destination->port);
}

/* Who is behind it; of a sample, its busiest destination. */
static void add_subject(struct tw_record *record, const struct tw_event *event)
{
	const struct tw_subject *subject = &event->subject;
	const struct tw_survey *survey = event->sample ? &event->sample->survey : NULL;

	if (subject->has_destination)
		add_destination(record, &subject->destination);
	else if (event->kind == TW_EVENT_SAMPLE && survey && survey->has_busiest && survey->top_count > 0)
		add_destination(record, &survey->top[0].key);
	if (subject->has_listener)
		add_endpoint(record, "TIMEWAITD_LISTENER", &subject->listener.address, subject->listener.port);
	add_where_said(record, "TIMEWAITD_UNIT", subject->unit);
}

void tw_record_build(struct tw_record *record, const char *namespace, const struct tw_event *event)
{
	record->count = 0;
	record->used = 0;
	add_head(record, namespace, event);
	add_figures(record, event);
	add_subject(record, event);
	if (event->has_count)
		add_u64(record, "TIMEWAITD_COUNT", event->count);
	if (event->lasted_usec > 0)
		add_value(record, "TIMEWAITD_LASTED", tw_value_of((int64_t)(event->lasted_usec / TW_USEC_PER_MSEC)));
	if (event->forecast)
		(void)tw_record_add(record, "TIMEWAITD_FORECAST", "1");
	add_where_said(record, "TIMEWAITD_ADVICE", event->advice);
	if (!event->sample)
		return;
	tw_record_add_numbers(record, event->sample);
	if (event->kind == TW_EVENT_RAISED)
		tw_record_add_flight(record, event->sample, event->top);
}

const char *tw_record_get(const struct tw_record *record, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < record->count; i++) {
		if (record->fields[i].name_length == length && memcmp(record->fields[i].text, name, length) == 0)
			return record->fields[i].text + length + 1;
	}
	return NULL;
}

/* A terminal obeys control bytes, and texts come from outside: a configuration, a unit's name. */
static void add_scrubbed(struct tw_text *text, const char *string)
{
	for (; *string != '\0'; string++) {
		bool control = (unsigned char)*string < 0x20 || *string == 0x7f;

		tw_text_add_char(text, control ? '?' : *string);
	}
}

void tw_record_add_text(const struct tw_record *record, struct tw_text *text)
{
	const char *priority = tw_record_get(record, "PRIORITY");
	const char *message = tw_record_get(record, "MESSAGE");

	if (priority && priority[0] >= '0' && priority[0] <= '7')
		tw_text_addf(text, "%s: ", priority_names[priority[0] - '0']);
	if (message)
		add_scrubbed(text, message);
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
