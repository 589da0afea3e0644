/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/event.h"

#include "base/text.h"

#include <string.h>

static const char *const names[] = {
	[TW_EVENT_STARTED] = "started",
	[TW_EVENT_STOPPED] = "stopped",
	[TW_EVENT_RELOADED] = "reloaded",
	[TW_EVENT_RELOAD_FAILED] = "reload-failed",
	[TW_EVENT_SAMPLE] = "sample",
	[TW_EVENT_RAISED] = "raised",
	[TW_EVENT_REMINDED] = "reminded",
	[TW_EVENT_CLEARED] = "cleared",
	[TW_EVENT_ADVICE] = "advice",
	[TW_EVENT_ADJUSTED] = "adjusted",
	[TW_EVENT_RESTORED] = "restored",
	[TW_EVENT_YIELDED] = "yielded",
	[TW_EVENT_REFUSED] = "refused",
	[TW_EVENT_EFFECT] = "effect",
	[TW_EVENT_DESTROYED] = "destroyed",
	[TW_EVENT_STRETCHED] = "stretched",
	[TW_EVENT_PARTIAL] = "partial",
	[TW_EVENT_DEGRADED] = "degraded",
	[TW_EVENT_NAMESPACE_GONE] = "namespace-gone",
	[TW_EVENT_NAMESPACE_NEW] = "namespace-new",
	[TW_EVENT_REQUESTED] = "requested",
};
_Static_assert(TW_ARRAY_SIZE(names) == TW_EVENT_COUNT, "each event has its name");

const char *tw_event_name(enum tw_event_kind kind)
{
	return names[kind];
}

bool tw_subject_equal(const struct tw_subject *a, const struct tw_subject *b)
{
	if (a->has_destination != b->has_destination || a->has_listener != b->has_listener ||
	    a->holds_for_all != b->holds_for_all)
		return false;
	if (a->has_destination)
		return memcmp(&a->destination, &b->destination, sizeof(a->destination)) == 0;
	if (a->has_listener)
		return a->listener.port == b->listener.port &&
		       tw_address_equal(&a->listener.address, &b->listener.address);
	if (a->holds_for_all)
		return true;
	if (a->has_binder || b->has_binder)
		return a->has_binder && b->has_binder && tw_address_equal(&a->binder, &b->binder);
	return strcmp(a->unit, b->unit) == 0;
}

void tw_event_of_skipped(const struct tw_skipped *skipped, struct tw_event *ret)
{
	struct tw_text reason, advice;

	*ret = (struct tw_event){
		.kind = TW_EVENT_REFUSED,
		.severity = TW_SEVERITY_WARNING,
		.has_sysctl = true,
		.sysctl = skipped->tunable,
	};
	(void)tw_text_copy(ret->rule_name, sizeof(ret->rule_name), skipped->rule);
	tw_text_init(&reason, ret->reason, sizeof(ret->reason));
	tw_text_addf(&reason,
		     "%s asks for it, and timewaitd does not change it any more: while services run, that can take a "
		     "port that one of them is about to use",
		     skipped->place);
	tw_text_init(&advice, ret->advice, sizeof(ret->advice));
	tw_text_addf(&advice, "set it for good in a file of /etc/sysctl.d; `timewaitctl explain %s` tells more",
		     tw_tunable_info(skipped->tunable)->key);
}

void tw_recorder_tell(struct tw_recorder *recorder, const char *namespace, enum tw_event_kind kind,
		      enum tw_severity severity, const char *format, ...)
{
	struct tw_event event = { .kind = kind, .severity = severity };
	struct tw_text text;
	va_list arguments;

	tw_text_init(&text, event.reason, sizeof(event.reason));
	va_start(arguments, format);
	tw_text_addv(&text, format, arguments);
	va_end(arguments);
	recorder->tell(recorder, namespace, &event);
}
