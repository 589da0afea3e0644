/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/sentence.h"

#include "tell/finding.h"

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
	if (text->length > 0 && !strchr(".?", text->bytes[text->length - 1]))
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

/* "port-exhaustion (10.0.0.1 -> 10.0.0.2:8080)". */
static void add_rule(struct tw_text *text, const struct tw_event *event)
{
	tw_text_add(text, rule_name(event));
	if (tw_finding_add_subject(text, &event->subject, " ("))
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

static void say(struct tw_text *text, const char *words, const struct tw_event *event)
{
	tw_text_add(text, words);
	end_with_reason(text, event);
}

/* What the rule sees, to the end. */
static void end_with_finding(struct tw_text *text, const struct tw_event *event)
{
	tw_text_add(text, ": ");
	if (tw_finding_add(text, event))
		end_with_advice(text, event);
	else
		end_with_reason(text, event);
}

static void say_raised(struct tw_text *text, const struct tw_event *event)
{
	if (event->more) {
		tw_text_addf(text,
			     "%s raised for %" PRIu64
			     " more: they are beyond the level as well, and are not told one by one.",
			     rule_name(event), event->count);
		return;
	}
	tw_text_addf(text, "%s raised%s", rule_name(event), event->forecast ? " ahead of its level" : "");
	end_with_finding(text, event);
}

static void say_reminded(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%s still raised after ", rule_name(event));
	tw_value_add_span(text, event->lasted_usec);
	if (event->has_count && event->count > 0)
		tw_text_addf(text, " (%" PRIu64 " %s not written since the last one)", event->count,
			     event->count == 1 ? "record" : "records");
	end_with_finding(text, event);
}

/*
 * How the value lies to the level that clears the rule. A rule over port-use clears by what the ports in use come to at
 * the present rate of connections, so the value itself may still be on the other side.
 */
static const char *relation(const struct tw_event *event)
{
	bool below = event->value.milli < event->threshold.milli;

	if (event->value.milli == event->threshold.milli)
		return "at";
	/* Of a rule that is gone it is not known where it went. */
	if (!event->rule || below == tw_rule_settings_upward(event->rule))
		return below ? "below" : "above";
	return below ? "rising above" : "falling below";
}

static void say_cleared(struct tw_text *text, const struct tw_event *event)
{
	tw_text_addf(text, "%s cleared after ", rule_name(event));
	tw_value_add_span(text, event->lasted_usec);
	if (event->reason[0] == '\0' && event->has_metric && event->value.known && event->threshold.known) {
		tw_text_addf(text, ": %s ", tw_metric_info(event->metric)->name);
		tw_finding_add_figure(text, event->metric, event->value);
		tw_text_addf(text, ", %s ", relation(event));
		tw_finding_add_figure(text, event->metric, event->threshold);
	}
	end_with_reason(text, event);
}

/* Why it is an advice the sentence begins with. Of sockets to be ended the reason says more than that. */
static void say_advice(struct tw_text *text, const struct tw_event *event)
{
	tw_text_add(text, event->elsewhere ? "No action in this namespace: " : "Observe mode: ");
	if (event->has_count) {
		tw_text_addf(text, "%" PRIu64 " %s would be ended for ", event->count,
			     event->count == 1 ? "socket" : "sockets");
		add_rule(text, event);
		end_with_reason(text, event);
		return;
	}
	tw_text_addf(text, "%s would be set", sysctl_key(event));
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

/* Why it is put back is left to the reason: who reads along has seen the rule clear, or the service stop. */
static void say_restored(struct tw_text *text, const struct tw_event *event)
{
	if (!event->has_sysctl)
		return say(text, "Put back", event);
	tw_text_addf(text, "%s put back", sysctl_key(event));
	add_from_to(text, event);
	tw_text_add(text, ", as it was before ");
	add_rule(text, event);
	end_with_advice(text, event);
}

/* The reason of this one says the same. Without a rule that wants it nothing is to clear. */
static void say_yielded(struct tw_text *text, const struct tw_event *event)
{
	if (!event->has_sysctl)
		return say(text, "Left alone", event);
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

/* Whether the value that was wanted is there all the same, for somebody else's sake. */
static bool is_there(const struct tw_event *event)
{
	return event->has_sysctl && event->old.known &&
	       event->new.known &&tw_tunable_equal(event->sysctl, &event->old.value, &event->new.value);
}

/* What would help instead stands as a sentence of its own. */
static void say_refused(struct tw_text *text, const struct tw_event *event)
{
	if (is_there(event))
		tw_text_addf(text, "%s=", sysctl_key(event));
	else if (event->has_sysctl)
		tw_text_addf(text, "%s was not set", sysctl_key(event));
	else
		tw_text_add(text, "Nothing was done");
	if (event->new.known) {
		tw_text_add(text, is_there(event) ? "" : " to ");
		add_live(text, event, &event->new);
	}
	tw_text_addf(text, is_there(event) ? " does not help %s" : " for %s", rule_name(event));
	if (event->reason[0] != '\0')
		tw_text_addf(text, ": %s", event->reason);
	end_sentence(text);
	if (event->advice[0] != '\0') {
		tw_text_addf(text, " Instead: %s", event->advice);
		end_sentence(text);
	}
}

/* The reason is the evidence; the advice, where it made no difference, what becomes of it. */
static void say_effect(struct tw_text *text, const struct tw_event *event)
{
	static const char *const answers[] = {
		[TW_EFFECT_HELPED] = " helped",
		[TW_EFFECT_NO_DIFFERENCE] = " made no difference",
		[TW_EFFECT_NOT_TESTED] = " is not tested yet, and stays",
	};

	tw_text_add(text, sysctl_key(event));
	if (event->new.known) {
		tw_text_add_char(text, '=');
		add_live(text, event, &event->new);
	}
	tw_text_add(text, answers[event->effect]);
	if (event->reason[0] != '\0')
		tw_text_addf(text, ": %s", event->reason);
	if (event->advice[0] != '\0')
		tw_text_addf(text, "; %s", event->advice);
	end_sentence(text);
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
		struct tw_value count = tw_sample_metric(sample, TW_METRIC_OF_STATE(i));

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
		tw_finding_add_figure(text, TW_METRIC_PORT_USE, port_use);
		tw_text_add(text, " (");
		tw_destination_add(text, &sample->survey.top[0].key);
		tw_text_add_char(text, ')');
	}
	end_sentence(text);
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
		return say_namespace(text, namespace, "is not watched any more", event);
	case TW_EVENT_NAMESPACE_NEW:
		return say_namespace(text, namespace, "is there and watched from now on", event);
	case TW_EVENT_REQUESTED:
		return say(text, "Asked over D-Bus", event);
	case TW_EVENT_COUNT:
		break;
	}
}
