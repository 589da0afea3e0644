/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/destroyer-tell.h"

#include "act/destroy.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define SPAN_TEXT(usec) tw_duration_format((char[TW_DURATION_TEXT_MAX]){ 0 }, (usec))
/* Ages are told to the tenth of a second. */
#define AGE_STEP_MS 100

static struct tw_event event_of(const struct tw_kill_order *order, enum tw_event_kind kind, enum tw_severity severity)
{
	struct tw_event event = { .kind = kind, .severity = severity, .rule = order->rule, .subject = order->subject };

	(void)tw_text_copy(event.rule_name, sizeof(event.rule_name), order->rule->name);
	return event;
}

static void tell(const struct tw_destroyer *destroyer, const struct tw_event *event)
{
	destroyer->recorder->tell(destroyer->recorder, destroyer->namespace, event);
}

static void add_age(struct tw_text *text, uint32_t ms)
{
	tw_text_add(text, SPAN_TEXT(ms / AGE_STEP_MS * AGE_STEP_MS * TW_USEC_PER_MSEC));
}

/* "TIME-WAIT older than 30s". */
static void add_kind(struct tw_text *text, const struct tw_destroy *destroy)
{
	tw_text_addf(text, "%s older than %s", tw_state_title(destroy->state), SPAN_TEXT(destroy->older_than_usec));
}

/* What ending them does not do. */
static void advise(struct tw_event *event, const struct tw_destroy *destroy)
{
	const char *unit = destroy->unit[0] ? destroy->unit : event->subject.unit;
	struct tw_text text;

	if (destroy->state != TW_STATE_CLOSE_WAIT)
		return;
	tw_text_init(&text, event->advice, sizeof(event->advice));
	tw_text_addf(&text,
		     "restart or mend %s, which does not close() when its peer has closed: until then each descriptor "
		     "stays leaked in the process",
		     unit[0] ? unit : "the program");
}

void tw_destroyer_tell_destroyed(const struct tw_destroyer *destroyer, const struct tw_kill_order *order,
				 const struct tw_destroyer_tally *tally)
{
	struct tw_event event = event_of(order, TW_EVENT_DESTROYED, TW_SEVERITY_NOTICE);
	struct tw_text reason;

	event.has_count = true;
	event.count = tally->ended;
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	add_kind(&reason, order->destroy);
	tw_text_add(&reason, ": the youngest for ");
	add_age(&reason, tally->youngest_ms);
	tw_text_add(&reason, ", the oldest for ");
	add_age(&reason, tally->oldest_ms);
	if (tally->gone > 0)
		tw_text_addf(&reason, "; %" PRIu64 " more %s gone before", tally->gone,
			     tally->gone == 1 ? "was" : "were");
	if (tally->failed > 0)
		tw_text_addf(&reason, "; %" PRIu64 " could not be ended: %s", tally->failed, strerror(-tally->error));
	advise(&event, order->destroy);
	tell(destroyer, &event);
}

void tw_destroyer_tell_advice(const struct tw_destroyer *destroyer, const struct tw_kill_order *order, uint64_t count)
{
	struct tw_event event = event_of(order, TW_EVENT_ADVICE, TW_SEVERITY_NOTICE);
	struct tw_text reason;

	event.has_count = true;
	event.count = count;
	event.elsewhere = order->advised;
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	add_kind(&reason, order->destroy);
	tw_text_addf(&reason, ", at most %" PRIu32 " of them a second", order->destroy->max_per_second);
	advise(&event, order->destroy);
	tell(destroyer, &event);
}

void tw_destroyer_tell_refused(const struct tw_destroyer *destroyer, const struct tw_kill_order *order, int answer,
			       bool ever)
{
	struct tw_event event = event_of(order, TW_EVENT_REFUSED, TW_SEVERITY_WARNING);
	struct tw_text reason;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	add_kind(&reason, order->destroy);
	if (tw_destroy_verdict(answer) == TW_DESTROY_DENIED)
		tw_text_add(&reason, " is not ended: it takes CAP_NET_ADMIN, which timewaitd does not have");
	else if (ever || order->destroy->state != TW_STATE_TIME_WAIT)
		tw_text_add(&reason, " is not ended: this kernel is built without CONFIG_INET_DIAG_DESTROY");
	else
		tw_text_add(&reason, " is not ended: this kernel cannot; Linux 6.0 and later can");
	tell(destroyer, &event);
}

void tw_destroyer_tell_failed(const struct tw_destroyer *destroyer, const struct tw_kill_order *order, int error)
{
	struct tw_event event = event_of(order, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING);
	struct tw_text reason;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	add_kind(&reason, order->destroy);
	tw_text_addf(&reason, " could not be ended: %s; it is tried again", strerror(-error));
	tell(destroyer, &event);
}
