/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record.h"

#include "base/macros.h"
#include "tell/message.h"
#include "tell/rows.h"

#include <inttypes.h>
#include <string.h>

/* Digit of PRIORITY -> its name, as syslog(3) and journalctl -p have them. */
static const char *const priority_names[] = {
	"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
};

static void add_string(struct tw_record *record, const char *name, const char *value)
{
	if (value[0] != '\0')
		(void)tw_record_addf(record, "", name, "%s", value);
}

static void add_live(struct tw_record *record, const char *name, const struct tw_event *event,
		     const struct tw_live_value *live)
{
	char value[TW_TUNABLE_VALUE_MAX];

	if (live->known)
		add_string(record, name, tw_tunable_format(event->sysctl, &live->value, value));
}

/* With the port, unless it is negative. */
static void add_address(struct tw_record *record, const char *name, const struct tw_address *address, int port)
{
	struct tw_text text;

	tw_record_begin(record, &text, "", name);
	if (port < 0)
		tw_address_add(&text, address);
	else
		tw_endpoint_add(&text, address, (uint16_t)port);
	(void)tw_record_end(record, &text);
}

static void add_subject(struct tw_record *record, const struct tw_subject *subject)
{
	if (subject->has_destination) {
		add_address(record, "TIMEWAITD_SOURCE", &subject->destination.source, -1);
		add_address(record, "TIMEWAITD_DESTINATION", &subject->destination.destination,
			    subject->destination.port);
	}
	if (subject->has_binder)
		add_address(record, "TIMEWAITD_SOURCE", &subject->binder, -1);
	if (subject->has_listener)
		add_address(record, "TIMEWAITD_LISTENER", &subject->listener.address, subject->listener.port);
	add_string(record, "TIMEWAITD_UNIT", subject->unit);
}

/* Of a sample: its busiest destination, its fullest listener and the unit with most CLOSE-WAIT, which stand first. */
static struct tw_subject first_of(const struct tw_sample *sample)
{
	struct tw_subject subject = {
		.has_destination =
			tw_known_survey(sample) && sample->survey.has_busiest && sample->survey.top_count > 0,
		.has_listener = tw_known_accepting(sample) && sample->accepting.row_count > 0,
		.destination = sample->survey.top[0].key,
		.listener = sample->accepting.rows[0].address,
	};

	if (tw_known_close_wait(sample) && sample->close_wait.row_count > 0)
		(void)tw_text_copy(subject.unit, sizeof(subject.unit), sample->close_wait.rows[0].unit);
	return subject;
}

void tw_record_build(struct tw_record *record, const char *namespace, const struct tw_event *event)
{
	bool is_sample = event->kind == TW_EVENT_SAMPLE && event->sample;
	struct tw_subject subject = is_sample ? first_of(event->sample) : event->subject;
	struct tw_text text;

	tw_record_init(record);
	tw_record_begin(record, &text, "", "MESSAGE");
	tw_message_add(&text, namespace, event);
	(void)tw_record_end(record, &text);
	add_string(record, "MESSAGE_ID", tw_message_id(event->kind));
	(void)tw_record_addf(record, "", "PRIORITY", "%d", tw_message_priority(event));
	add_string(record, "SYSLOG_IDENTIFIER", "timewaitd");
	add_string(record, "TIMEWAITD_EVENT", tw_event_name(event->kind));
	(void)tw_record_addf(record, "", "TIMEWAITD_NAMESPACE", "%s", namespace);
	add_string(record, "TIMEWAITD_RULE", event->rule ? event->rule->name : event->rule_name);
	if (event->has_metric) {
		add_string(record, "TIMEWAITD_METRIC", tw_metric_info(event->metric)->name);
		tw_record_add_value(record, "", "TIMEWAITD_VALUE", tw_known_number(event->metric, event->value));
		tw_record_add_value(record, "", "TIMEWAITD_THRESHOLD", event->threshold);
	}
	if (event->has_sysctl) {
		add_string(record, "TIMEWAITD_SYSCTL", tw_tunable_info(event->sysctl)->key);
		add_live(record, "TIMEWAITD_OLD", event, &event->old);
		add_live(record, "TIMEWAITD_NEW", event, &event->new);
		add_live(record, "TIMEWAITD_BASELINE", event, &event->baseline);
	}
	add_string(record, "TIMEWAITD_REASON", event->reason);
	add_subject(record, &subject);
	if (event->has_count)
		(void)tw_record_addf(record, "", "TIMEWAITD_COUNT", "%" PRIu64, event->count);
	if (event->lasted_usec > 0)
		tw_record_add_value(record, "", "TIMEWAITD_LASTED",
				    tw_value_of((int64_t)(event->lasted_usec / TW_USEC_PER_MSEC)));
	if (event->forecast)
		add_string(record, "TIMEWAITD_FORECAST", "1");
	add_string(record, "TIMEWAITD_ADVICE", event->advice);
	if (event->sample)
		tw_record_add_sample(record, event);
}

void tw_record_add_text(const struct tw_record *record, struct tw_text *text)
{
	const char *priority = tw_record_get(record, "PRIORITY");
	const char *message = tw_record_get(record, "MESSAGE");

	if (priority && priority[0] >= '0' && priority[0] <= '7')
		tw_text_addf(text, "%s: ", priority_names[priority[0] - '0']);
	if (message)
		tw_text_add_scrubbed(text, message);
}

void tw_record_add_json(const struct tw_record *record, struct tw_text *json)
{
	char name[64 + 1]; /* journald takes names of at most 64 bytes */

	tw_json_begin(json, '{');
	for (size_t i = 0; i < record->count; i++) {
		size_t name_length = record->fields[i].name_length;

		(void)tw_text_copy_bytes(name, sizeof(name), record->fields[i].text, name_length);
		tw_json_key(json, name);
		tw_json_string_bytes(json, record->fields[i].text + name_length + 1,
				     record->fields[i].length - name_length - 1);
	}
	tw_json_end(json, '}');
}
