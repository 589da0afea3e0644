/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/event.h"

#include "base/macros.h"

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
