/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/sentence.h"

#include "base/macros.h"

#include <inttypes.h>
#include <string.h>

static const char *rule_name(const struct tw_event *event)
{
	if (event->rule)
		return event->rule->name;
	return event->rule_name[0] != '\0' ? event->rule_name : "its rule";
}

static const char *sysctl_key(const struct tw_event *event)
{
	return event->has_sysctl ? tw_tunable_info(event->sysctl)->key : "a sysctl";
}

/* Ends the sentence, unless the text taken over from elsewhere did already. */
static void end_sentence(struct tw_text *text)
{
	if (text->length > 0 && text->bytes[text->length - 1] != '.')
		tw_text_add_char(text, '.');
}

/* Ends it with the advice, if there is one. A command stands last and bare, ready to be copied. */
static void end_with_advice(struct tw_text *text, const struct tw_event *event)
{
	if (event->advice[0] != '\0')
		tw_text_addf(text, "; what to do: %s", event->advice);
	else
		end_sentence(text);
}

/* ": REASON; what to do: ADVICE" with what there is of it. */
static void end_with_reason(struct tw_text *text, const struct tw_event *event)
{
	if (event->reason[0] != '\0')
		tw_text_addf(text, ": %s", event->reason);
	end_with_advice(text, event);
}

/* The parts of the subject, the first behind `before`, the others behind ", ". Returns whether there was one. */
static bool add_subject(struct tw_text *text, const struct tw_subject *subject, const char *before)
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
	if (subject->unit[0] != '\0')
		tw_text_addf(text, "%sunit %s", before, subject->unit);
	return subject->has_destination || subject->has_listener || subject->unit[0] != '\0';
}

/* "port-exhaustion (10.0.0.1 -> 10.0.0.2:8080)". */
static void add_rule(struct tw_text *text, const struct tw_event *event)
{
	tw_text_add(text, rule_name(event));
	if (add_subject(text, &event->subject, " ("))
		tw_text_add_char(text, ')');
}

static void add_live(struct tw_text *text, const struct tw_event *event, const struct tw_live_value *live)
{
	char value[TW_TUNABLE_VALUE_MAX];

	tw_text_add(text, live->known && event->has_sysctl ? tw_tunable_format(event->sysctl, &live->value, value)
							   : "an unknown value");
}

/* " from OLD to NEW", where both are known. */
static void add_from_to(struct tw_text *text, const struct tw_event *event)
{
	if (event->old.known) {
		tw_text_add(text, " from ");
		add_live(text, event, &event->old);
	}
	tw_text_add(text, " to ");
	add_live(text, event, &event->new);
}

static void add_lasted(struct tw_text *text, const struct tw_event *event)
{
	tw_value_add(text, tw_value_of((int64_t)(event->lasted_usec / TW_USEC_PER_MSEC)), TW_UNIT_SECONDS);
}

static void add_figure(struct tw_text *text, enum tw_metric metric, struct tw_value value)
{
	tw_value_add(text, value, tw_metric_info(metric)->unit);
}

static void add_threshold(struct tw_text *text, const struct tw_event *event)
{
	if (!event->threshold.known)
		return;
	tw_text_add(text, " (threshold ");
	add_figure(text, event->metric, event->threshold);
	tw_text_add_char(text, ')');
}

/* The destination's row of the sample's table. */
static const struct tw_destination_row *find_row(const struct tw_event *event)
{
	const struct tw_survey *survey = event->sample ? &event->sample->survey : NULL;
	const struct tw_destination *wanted = &event->subject.destination;

	if (!survey || !event->subject.has_destination)
		return NULL;
	for (unsigned i = 0; i < TW_MIN(survey->top_count, (unsigned)TW_TOP_MAX); i++) {
		const struct tw_destination *key = &survey->top[i].key;

		if (key->port == wanted->port && tw_address_equal(&key->source, &wanted->source) &&
		    tw_address_equal(&key->destination, &wanted->destination))
			return &survey->top[i];
	}
	return NULL;
}

/* "10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports (threshold 45%), 3871 of 8192, TIME-WAIT 3866". */
static void add_port_use(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_destination_row *row = find_row(event);

	tw_destination_add(text, &event->subject.destination);
	tw_text_add(text, " uses ");
	add_figure(text, event->metric, event->value);
	tw_text_add(text, " of its ports");
	add_threshold(text, event);
	if (row)
		tw_text_addf(text, ", %" PRIu32 " of %" PRIu32 ", %s %" PRIu32, row->ports,
			     tw_survey_usable(&event->sample->survey), tw_state_title(TW_STATE_TIME_WAIT),
			     row->time_wait);
}

/* What the rule saw. */
static void add_finding(struct tw_text *text, const struct tw_event *event)
{
	if (!event->has_metric) {
		(void)add_subject(text, &event->subject, "");
		return;
	}
	if (event->metric == TW_METRIC_PORT_USE && event->subject.has_destination) {
		add_port_use(text, event);
		return;
	}
	tw_text_addf(text, "%s ", tw_metric_info(event->metric)->name);
	add_figure(text, event->metric, event->value);
	add_threshold(text, event);
	(void)add_subject(text, &event->subject, ", ");
}

static void say_raised(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%s raised%s: ", rule_name(event), event->forecast ? " ahead of its threshold" : "");
	add_finding(text, event);
	end_with_reason(text, event);
}

static void say_reminded(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%s still raised after ", rule_name(event));
	add_lasted(text, event);
	tw_text_add(text, ": ");
	add_finding(text, event);
	if (event->has_count && event->count > 0)
		tw_text_addf(text, ", %" PRIu64 " %s not written since the last one", event->count,
			     event->count == 1 ? "record" : "records");
	end_with_reason(text, event);
}

/*
 * How the value lies to the level that clears the rule. A rule over port-use clears by what the ports in use come to at
 * the present rate of connections, so the value itself may still be on the other side.
 */
static const char *relation(const struct tw_event *event)
{
	bool upward = !event->rule || tw_rule_settings_upward(event->rule);

	if (event->value.milli == event->threshold.milli)
		return "at";
	if (event->value.milli < event->threshold.milli)
		return upward ? "below" : "rising above";
	return upward ? "falling below" : "above";
}

static void say_cleared(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%s cleared after ", rule_name(event));
	add_lasted(text, event);
	if (event->reason[0] == '\0' && event->has_metric && event->value.known && event->threshold.known) {
		tw_text_addf(text, ": %s ", tw_metric_info(event->metric)->name);
		add_figure(text, event->metric, event->value);
		tw_text_addf(text, ", %s ", relation(event));
		add_figure(text, event->metric, event->threshold);
	}
	end_with_reason(text, event);
}

/* The reason is always the mode, and the sentence says so. */
static void say_advice(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "Observe mode: %s would be set", sysctl_key(event));
	add_from_to(text, event);
	tw_text_add(text, " for ");
	add_rule(text, event);
	end_with_advice(text, event);
}

static void say_adjusted(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%s set", sysctl_key(event));
	add_from_to(text, event);
	tw_text_add(text, " for ");
	add_rule(text, event);
	end_with_reason(text, event);
}

static void say_restored(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%s put back", sysctl_key(event));
	add_from_to(text, event);
	tw_text_addf(text, ", as it was before %s", rule_name(event));
	end_with_reason(text, event);
}

/* The reason of this one says the same. Without a rule that wants it nothing is to clear. */
static void say_yielded(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%s was changed to ", sysctl_key(event));
	add_live(text, event, &event->old);
	tw_text_add(text, " by somebody else (timewaitd had set ");
	add_live(text, event, &event->new);
	tw_text_add(text, ", before that it was ");
	add_live(text, event, &event->baseline);
	tw_text_add(text, "): left alone");
	if (event->rule)
		tw_text_addf(text, " until %s clears", event->rule->name);
	end_with_advice(text, event);
}

static void say_refused(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%s not set to ", sysctl_key(event));
	add_live(text, event, &event->new);
	tw_text_add(text, " for ");
	add_rule(text, event);
	end_with_reason(text, event);
}

static void say_effect(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "Effect of %s = ", sysctl_key(event));
	add_live(text, event, &event->new);
	tw_text_add(text, " for ");
	add_rule(text, event);
	if (event->has_metric && event->value.known) {
		tw_text_addf(text, ", %s now ", tw_metric_info(event->metric)->name);
		add_figure(text, event->metric, event->value);
	}
	end_with_reason(text, event);
}

static void say_destroyed(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%" PRIu64 " %s destroyed for ", event->count, event->count == 1 ? "socket" : "sockets");
	add_rule(text, event);
	end_with_reason(text, event);
}

static void say_degraded(struct tw_text *text, const struct tw_event *event)
{
	tw_text_add(text, "Degraded");
	/* The reason is about the sysctl, and may name it already. */
	if (event->has_sysctl && !strstr(event->reason, sysctl_key(event)))
		tw_text_addf(text, ": %s", sysctl_key(event));
	end_with_reason(text, event);
}

/* "TIME-WAIT 3866, ESTABLISHED 12, port-use 47.3% (10.0.0.1 -> 10.0.0.2:8080)": the states that are not zero. */
static void say_sample(struct tw_text *text, const struct tw_event *event)
{
	const struct tw_sample *sample = event->sample;
	const char *before = "";
	bool known = false;
	struct tw_value port_use;

	for (unsigned i = 0; sample && i < TW_STATE_COUNT; i++) {
		struct tw_value count = tw_sample_metric(sample, TW_METRIC_STATE_FIRST + i);

		known = known || count.known;
		if (!count.known || count.milli == 0)
			continue;
		tw_text_addf(text, "%s%s %" PRId64, before, tw_state_title((enum tw_state)i), count.milli / 1000);
		before = ", ";
	}
	if (before[0] == '\0')
		tw_text_add(text, known ? "No TCP socket" : "TCP sockets not counted");
	port_use = sample ? tw_sample_metric(sample, TW_METRIC_PORT_USE) : tw_value_unknown();
	if (port_use.known && sample->survey.has_busiest && sample->survey.top_count > 0) {
		tw_text_add(text, ", port-use ");
		add_figure(text, TW_METRIC_PORT_USE, port_use);
		tw_text_add(text, " (");
		tw_destination_add(text, &sample->survey.top[0].key);
		tw_text_add_char(text, ')');
	}
	end_sentence(text);
}

static void say(struct tw_text *text, const char *words, const struct tw_event *event)
{
	tw_text_add(text, words);
	end_with_reason(text, event);
}

static void say_namespace(struct tw_text *text, const char *namespace, const char *words, const struct tw_event *event)
{
	tw_text_addf(text, "Network namespace %s %s", namespace, words);
	end_with_reason(text, event);
}

/* Whether the namespace goes in front: the host is where people look unless told, and some sentences name it. */
static bool names_namespace(const char *namespace, enum tw_event_kind kind)
{
	return strcmp(namespace, "host") != 0 && kind != TW_EVENT_NAMESPACE_NEW && kind != TW_EVENT_NAMESPACE_GONE;
}

void tw_sentence_add(struct tw_text *text, const char *namespace, const struct tw_event *event)
{
	if (names_namespace(namespace, event->kind))
		tw_text_addf(text, "%s: ", namespace);

	switch (event->kind) {
	case TW_EVENT_STARTED:
		return say(text, "Started", event);
	case TW_EVENT_STOPPED:
		return say(text, "Stopped", event);
	case TW_EVENT_RELOADED:
		return say(text, "Configuration reloaded", event);
	case TW_EVENT_RELOAD_FAILED:
		return say(text, "Configuration not reloaded, the old one stays in force", event);
	case TW_EVENT_SAMPLE:
		return say_sample(text, event);
	case TW_EVENT_RAISED:
		return say_raised(text, event);
	case TW_EVENT_REMINDED:
		return say_reminded(text, event);
	case TW_EVENT_CLEARED:
		return say_cleared(text, event);
	case TW_EVENT_ADVICE:
		return say_advice(text, event);
	case TW_EVENT_ADJUSTED:
		return say_adjusted(text, event);
	case TW_EVENT_RESTORED:
		return say_restored(text, event);
	case TW_EVENT_YIELDED:
		return say_yielded(text, event);
	case TW_EVENT_REFUSED:
		return say_refused(text, event);
	case TW_EVENT_EFFECT:
		return say_effect(text, event);
	case TW_EVENT_DESTROYED:
		return say_destroyed(text, event);
	case TW_EVENT_STRETCHED:
		return say(text, "Measuring less often", event);
	case TW_EVENT_PARTIAL:
		return say(text, "Measurement not complete", event);
	case TW_EVENT_DEGRADED:
		return say_degraded(text, event);
	case TW_EVENT_NAMESPACE_GONE:
		return say_namespace(text, namespace, "is gone and not watched any more", event);
	case TW_EVENT_NAMESPACE_NEW:
		return say_namespace(text, namespace, "is there and watched from now on", event);
	case TW_EVENT_COUNT:
		break;
	}
}
