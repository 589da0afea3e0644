/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/message.h"

#include "tell/rows.h"

#include <inttypes.h>
#include <string.h>

/* A subject has two addresses and a port, an endpoint, another address and a unit at most. */
#define SUBJECT_MAX (4 * TW_ENDPOINT_TEXT_MAX + TW_UNIT_MAX)

/* What sentences are put together from, as text. */
struct parts {
	const char *rule;
	const char *sysctl;
	char old[TW_TUNABLE_VALUE_MAX];
	char new[TW_TUNABLE_VALUE_MAX];
	char baseline[TW_TUNABLE_VALUE_MAX];
	char change[2 * TW_TUNABLE_VALUE_MAX + 16]; /* " from OLD to NEW" */
	char subject[SUBJECT_MAX];		    /* " (10.0.0.1 -> 10.0.0.2:8080)", or "" */
	char lasted[TW_DURATION_TEXT_MAX];
};

static void fill_live(char bytes[TW_TUNABLE_VALUE_MAX], const struct tw_event *event, const struct tw_live_value *live)
{
	if (live->known && event->has_sysctl)
		(void)tw_tunable_format(event->sysctl, &live->value, bytes);
	else
		(void)tw_text_copy(bytes, TW_TUNABLE_VALUE_MAX, "an unknown value");
}

static void fill_parts(struct parts *parts, const struct tw_event *event)
{
	struct tw_text text;

	parts->rule = event->rule ? event->rule->name : event->rule_name[0] != '\0' ? event->rule_name : "its rule";
	parts->sysctl = event->has_sysctl ? tw_tunable_info(event->sysctl)->key : "a sysctl";
	fill_live(parts->old, event, &event->old);
	fill_live(parts->new, event, &event->new);
	fill_live(parts->baseline, event, &event->baseline);
	tw_text_init(&text, parts->change, sizeof(parts->change));
	if (event->old.known)
		tw_text_addf(&text, " from %s", parts->old);
	tw_text_addf(&text, " to %s", parts->new);
	tw_text_init(&text, parts->subject, sizeof(parts->subject));
	if (tw_message_add_subject(&text, &event->subject, " ("))
		tw_text_add_char(&text, ')');
	tw_text_init(&text, parts->lasted, sizeof(parts->lasted));
	tw_value_add_span(&text, event->lasted_usec);
}

/* Ends the sentence, unless the text taken over from elsewhere did already. */
static void end_sentence(struct tw_text *text)
{
	if (text->length > 0 && !strchr(".?", text->bytes[text->length - 1]))
		tw_text_add_char(text, '.');
}

static void add_reason(struct tw_text *text, const struct tw_event *event)
{
	if (event->reason[0] != '\0')
		tw_text_addf(text, ": %s", event->reason);
}

static void say_raised(struct tw_text *text, const struct tw_event *event, const struct parts *parts)
{
	if (event->more) {
		tw_text_addf(text,
			     "%s raised for %" PRIu64
			     " more: they are beyond the level as well, and are not told one by one.",
			     parts->rule, event->count);
		return;
	}
	tw_text_addf(text, "%s raised%s", parts->rule, event->forecast ? " ahead of its level" : "");
}

static void say_reminded(struct tw_text *text, const struct tw_event *event, const struct parts *parts)
{
	tw_text_addf(text, "%s still raised after %s", parts->rule, parts->lasted);
	if (event->has_count && event->count > 0)
		tw_text_addf(text, " (%" PRIu64 " %s not written since the last one)", event->count,
			     event->count == 1 ? "record" : "records");
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

static void say_cleared(struct tw_text *text, const struct tw_event *event, const struct parts *parts)
{
	tw_text_addf(text, "%s cleared after %s", parts->rule, parts->lasted);
	if (event->reason[0] == '\0' && event->has_metric && event->value.known && event->threshold.known) {
		tw_text_addf(text, ": %s ", tw_metric_info(event->metric)->name);
		tw_message_add_figure(text, event->metric, event->value);
		tw_text_addf(text, ", %s ", relation(event));
		tw_message_add_figure(text, event->metric, event->threshold);
	}
}

/* Why it is an advice the sentence begins with. Of sockets to be ended the reason says more than that. */
static void say_advice(struct tw_text *text, const struct tw_event *event, const struct parts *parts)
{
	tw_text_add(text, event->elsewhere ? "No action in this namespace: " : "Observe mode: ");
	if (event->has_count)
		tw_text_addf(text, "%" PRIu64 " %s would be ended", event->count,
			     event->count == 1 ? "socket" : "sockets");
	else
		tw_text_addf(text, "%s would be set%s", parts->sysctl, parts->change);
	tw_text_addf(text, " for %s%s", parts->rule, parts->subject);
	if (event->has_count)
		add_reason(text, event);
}

static void say_adjusted(struct tw_text *text, const struct tw_event *event TW_UNUSED, const struct parts *parts)
{
	tw_text_addf(text, "%s set%s for %s%s", parts->sysctl, parts->change, parts->rule, parts->subject);
}

/* Why it is put back is left to the reason: who reads along has seen the rule clear, or the service stop. */
static void say_restored(struct tw_text *text, const struct tw_event *event TW_UNUSED, const struct parts *parts)
{
	tw_text_addf(text, "%s put back%s, as it was before %s%s", parts->sysctl, parts->change, parts->rule,
		     parts->subject);
}

/* The reason of this one says the same. Without a rule that wants it nothing is to clear. */
static void say_yielded(struct tw_text *text, const struct tw_event *event, const struct parts *parts)
{
	tw_text_addf(text,
		     "%s was changed to %s by somebody else (timewaitd had set %s, before that it was %s): left alone",
		     parts->sysctl, parts->old, parts->new, parts->baseline);
	if (event->rule)
		tw_text_addf(text, " until %s clears", event->rule->name);
}

/* Whether the value that was wanted is there all the same, for somebody else's sake. */
static bool is_there(const struct tw_event *event)
{
	return event->has_sysctl && event->old.known &&
	       event->new.known &&tw_tunable_equal(event->sysctl, &event->old.value, &event->new.value);
}

/* What would help instead stands as a sentence of its own. */
static void say_refused(struct tw_text *text, const struct tw_event *event, const struct parts *parts)
{
	if (is_there(event)) {
		tw_text_addf(text, "%s=%s does not help %s", parts->sysctl, parts->new, parts->rule);
	} else {
		tw_text_addf(text, "%s", event->has_sysctl ? parts->sysctl : "Nothing was done");
		tw_text_add(text, event->has_sysctl ? " was not set" : "");
		tw_text_addf(text, "%s%s for %s", event->new.known ? " to " : "", event->new.known ? parts->new : "",
			     parts->rule);
	}
	add_reason(text, event);
	end_sentence(text);
	if (event->advice[0] != '\0') {
		tw_text_addf(text, " Instead: %s", event->advice);
		end_sentence(text);
	}
}

/* The reason is the evidence; the advice, where it made no difference, what becomes of it. */
static void say_effect(struct tw_text *text, const struct tw_event *event, const struct parts *parts)
{
	static const char *const answers[] = {
		[TW_EFFECT_HELPED] = "helped",
		[TW_EFFECT_NO_DIFFERENCE] = "made no difference",
		[TW_EFFECT_NOT_TESTED] = "is not tested yet, and stays",
	};

	tw_text_add(text, parts->sysctl);
	if (event->new.known)
		tw_text_addf(text, "=%s", parts->new);
	tw_text_addf(text, " %s", answers[event->effect]);
	add_reason(text, event);
	if (event->advice[0] != '\0')
		tw_text_addf(text, "; %s", event->advice);
	end_sentence(text);
}

static void say_destroyed(struct tw_text *text, const struct tw_event *event, const struct parts *parts)
{
	tw_text_addf(text, "%" PRIu64 " %s destroyed for %s%s", event->count, event->count == 1 ? "socket" : "sockets",
		     parts->rule, parts->subject);
}

static void say_degraded(struct tw_text *text, const struct tw_event *event, const struct parts *parts)
{
	tw_text_add(text, "Degraded");
	/* The reason is about the sysctl, and may name it already. */
	if (event->has_sysctl && !strstr(event->reason, parts->sysctl))
		tw_text_addf(text, ": %s", parts->sysctl);
}

/* "TIME-WAIT 3866, ESTABLISHED 12, port-use 47.3% (10.0.0.1 -> 10.0.0.2:8080)": the states that are not zero. */
static void say_sample(struct tw_text *text, const struct tw_event *event, const struct parts *parts TW_UNUSED)
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
		tw_message_add_figure(text, TW_METRIC_PORT_USE, port_use);
		tw_text_add(text, " (");
		tw_destination_add(text, &sample->survey.top[0].key);
		tw_text_add_char(text, ')');
	}
}

/* What stands behind the words; a command stands last and bare, ready to be copied. */
enum ending {
	REASON,	 /* ": REASON; what to do: ADVICE" with what there is of it */
	ADVICE,	 /* without the reason */
	FINDING, /* the same as REASON, with what the rule sees before it or instead */
	OWN,	 /* the sentence has ended */
};

/* syslog(3): the event's own severity decides. */
#define AS_SEVERE_AS_THE_EVENT (-1)
#define WARNING 4
#define NOTICE 5
#define INFO 6

/*
 * How each event is told: in words that the reason follows, or by a function; by both where the function needs a
 * sysctl, and of what is no sysctl that we know the reason says all.
 *
 * The ids are random 128-bit numbers, drawn once and fixed for ever. A reader filters by them (journalctl
 * MESSAGE_ID=...), and systemd/timewaitd.catalog explains each one to `journalctl -x`.
 */
static const struct {
	const char *id;
	int priority;
	const char *words;
	void (*say)(struct tw_text *text, const struct tw_event *event, const struct parts *parts);
	enum ending ending; /* of what the function says */
} messages[TW_EVENT_COUNT] = {
	[TW_EVENT_STARTED] = { "a3e40c0d98a74ff3a7f8e1ca95dc08bc", NOTICE, .words = "Started" },
	[TW_EVENT_STOPPED] = { "296e2e01887549feb5ba8f710efd259d", NOTICE, .words = "Stopped" },
	[TW_EVENT_RELOADED] = { "c4aeb1b94d9d41ae99225326310918d3", NOTICE, .words = "Configuration reloaded" },
	[TW_EVENT_RELOAD_FAILED] = { "1ca0085bfde141bd83fd57d197b25ffb", WARNING,
				     .words = "Configuration not reloaded, the old one stays in force" },
	[TW_EVENT_SAMPLE] = { "c40f0319b15544cbbc2575d9af5e3c44", INFO, .say = say_sample, .ending = ADVICE },
	[TW_EVENT_RAISED] = { "4e366c3b5718469d901c6895121e82dc", AS_SEVERE_AS_THE_EVENT, .say = say_raised,
			      .ending = FINDING },
	[TW_EVENT_REMINDED] = { "23ea057b0dbe4f0b816042d946f892a6", AS_SEVERE_AS_THE_EVENT, .say = say_reminded,
				.ending = FINDING },
	[TW_EVENT_CLEARED] = { "0caba380fc15491cbbba51c2852a57ab", NOTICE, .say = say_cleared },
	[TW_EVENT_ADVICE] = { "3347366e742643de8cdd1147fc304e52", NOTICE, .say = say_advice, .ending = ADVICE },
	[TW_EVENT_ADJUSTED] = { "53112759719742a5bf63d04c77ccb2d9", NOTICE, .say = say_adjusted },
	[TW_EVENT_RESTORED] = { "76c3ed2327ea44c6a8e372fb7ba692ba", NOTICE, "Put back", say_restored, ADVICE },
	[TW_EVENT_YIELDED] = { "29bdeb4d7f3e4ec490c8f8ec43754767", WARNING, "Left alone", say_yielded, ADVICE },
	[TW_EVENT_REFUSED] = { "5b3966399ba0444889ff13563b7f73e2", AS_SEVERE_AS_THE_EVENT, .say = say_refused,
			       .ending = OWN },
	[TW_EVENT_EFFECT] = { "a9bbccaf5a0246849c5c19d5bb5bb110", NOTICE, .say = say_effect, .ending = OWN },
	[TW_EVENT_DESTROYED] = { "434a573c729949da8dc49d2933484596", NOTICE, .say = say_destroyed },
	[TW_EVENT_STRETCHED] = { "94c30052fc6141d5a9efd4b25035428c", INFO, .words = "Measuring less often" },
	[TW_EVENT_PARTIAL] = { "114a7c21d44148dd9a2da3ff3791332b", WARNING, .words = "Measurement not complete" },
	[TW_EVENT_DEGRADED] = { "d703c6bfe40540c2904574a6831d1471", WARNING, .say = say_degraded },
	[TW_EVENT_NAMESPACE_GONE] = { "f4aa5911e2d747858be14fa927898967", INFO, .words = "is not watched any more" },
	[TW_EVENT_NAMESPACE_NEW] = { "19093a547d86409ca9c4d78f05a13cea", INFO,
				     .words = "is there and watched from now on" },
	[TW_EVENT_REQUESTED] = { "1e02646dbf9f4a619113fdce2444b3fd", NOTICE, .words = "Asked over D-Bus" },
};

const char *tw_message_id(enum tw_event_kind kind)
{
	return messages[kind].id;
}

int tw_message_priority(const struct tw_event *event)
{
	int priority = messages[event->kind].priority;

	return priority == AS_SEVERE_AS_THE_EVENT ? tw_severity_priority(event->severity) : priority;
}

void tw_message_add(struct tw_text *text, const char *namespace, const struct tw_event *event)
{
	bool has_function = messages[event->kind].say && (event->has_sysctl || !messages[event->kind].words);
	enum ending ending = has_function ? messages[event->kind].ending : REASON;
	struct parts parts;

	if (event->kind == TW_EVENT_NAMESPACE_NEW || event->kind == TW_EVENT_NAMESPACE_GONE)
		tw_text_addf(text, "Network namespace %s ", namespace);
	else if (strcmp(namespace, "host") != 0) /* the host is where people look unless told */
		tw_text_addf(text, "%s: ", namespace);
	fill_parts(&parts, event);
	if (has_function)
		messages[event->kind].say(text, event, &parts);
	else
		tw_text_add(text, messages[event->kind].words);
	if (ending == OWN || event->more)
		return;
	tw_text_add(text, ending == FINDING ? ": " : "");
	if (ending == REASON || (ending == FINDING && !tw_message_add_finding(text, event)))
		add_reason(text, event);
	if (event->advice[0] != '\0')
		tw_text_addf(text, "; what to do: %s", event->advice);
	else
		end_sentence(text);
}
