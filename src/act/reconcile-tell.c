/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile-tell.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

/* A value as text that lives until the end of the expression's block. */
#define VALUE_TEXT(tunable, value) tw_tunable_format((tunable), (value), (char[TW_TUNABLE_VALUE_MAX]){ 0 })

static const char *key_of(enum tw_tunable tunable)
{
	return tw_tunable_info(tunable)->key;
}

static struct tw_live_value known(const struct tw_tunable_value *value)
{
	return (struct tw_live_value){ .value = *value, .known = true };
}

/* With the rule, its figure and its subject: those of the desire, else those remembered. */
static struct tw_event event_of(const struct tw_reconciler *reconciler, enum tw_event_kind kind,
				enum tw_severity severity, enum tw_tunable tunable, const struct tw_desire *desire)
{
	const struct tw_reconcile_cause *cause = &reconciler->causes[tunable];
	const struct tw_ledger_entry *entry = &reconciler->ledger.entries[tunable];
	struct tw_event event = { .kind = kind, .severity = severity, .has_sysctl = true, .sysctl = tunable };

	if (desire->wanted && desire->rule) {
		event.rule = desire->rule;
		event.has_metric = true;
		event.metric = desire->rule->metric;
		event.value = desire->metric_value;
		event.threshold = tw_value_of(desire->rule->raise_milli);
		event.subject = desire->subject;
		(void)tw_text_copy(event.rule_name, sizeof(event.rule_name), desire->rule->name);
		return event;
	}
	event.subject = cause->subject;
	(void)tw_text_copy(event.rule_name, sizeof(event.rule_name), cause->rule[0] ? cause->rule : entry->rule);
	return event;
}

static void tell(const struct tw_reconciler *reconciler, const struct tw_event *event)
{
	reconciler->recorder->tell(reconciler->recorder, reconciler->namespace, event);
}

static struct tw_text reason_of(struct tw_event *event)
{
	struct tw_text text;

	tw_text_init(&text, event->reason, sizeof(event->reason));
	return text;
}

/* The command that an admin would type; the shell needs quotes around a range. */
static void advise(const struct tw_reconciler *reconciler, struct tw_event *event, const struct tw_tunable_value *value)
{
	const char *quote = tw_tunable_info(event->sysctl)->kind == TW_TUNABLE_RANGE ? "\"" : "";
	struct tw_text text;

	tw_text_init(&text, event->advice, sizeof(event->advice));
	tw_text_addf(&text, "sysctl -w %s=%s%s%s", key_of(event->sysctl), quote, VALUE_TEXT(event->sysctl, value),
		     quote);
	if (strcmp(reconciler->namespace, TW_NAMESPACE_HOST) != 0)
		tw_text_addf(&text, ", in the network namespace %s", reconciler->namespace);
}

void tw_reconcile_tell_advice(struct tw_reconciler *reconciler, enum tw_tunable tunable, const struct tw_desire *desire,
			      const struct tw_live_value *live)
{
	struct tw_event event = event_of(reconciler, TW_EVENT_ADVICE, TW_SEVERITY_NOTICE, tunable, desire);
	struct tw_text reason = reason_of(&event);

	event.old = *live;
	event.new = known(&desire->value);
	event.elsewhere = desire->advised;
	tw_text_add(&reason,
		    desire->advised ? "by its namespaces, the rule does not act in this one" : "mode = observe");
	tw_text_add(&reason, ": timewaitd would do this now, and writes nothing");
	advise(reconciler, &event, &desire->value);
	tell(reconciler, &event);
}

void tw_reconcile_tell_adjusted(struct tw_reconciler *reconciler, enum tw_tunable tunable,
				const struct tw_desire *desire, const struct tw_ledger_entry *now)
{
	struct tw_event event = event_of(reconciler, TW_EVENT_ADJUSTED, TW_SEVERITY_NOTICE, tunable, desire);

	event.old = known(&now->previous);
	event.new = known(&now->written);
	event.baseline = known(&now->baseline);
	if (tw_tunable_info(tunable)->class == TW_TUNABLE_PLAIN)
		(void)tw_text_copy(event.reason, sizeof(event.reason), "whether it helps is not measured");
	tell(reconciler, &event);
}

static const char *why_restored(enum tw_reconcile_will will)
{
	switch (will) {
	case TW_RECONCILE_WILL_LEAVE:
		return "no rule wants another value any more";
	case TW_RECONCILE_WILL_ENFORCE:
		return "the value wanted now is not one to keep in place of the baseline";
	case TW_RECONCILE_WILL_OBSERVE:
		return "mode = observe, or a rule that does not act here: timewaitd gives back what it changed before";
	case TW_RECONCILE_WILL_PAUSE:
		return "somebody asked for it";
	case TW_RECONCILE_WILL_RECOVER:
		return "timewaitd gives back what it changed";
	}
	return "";
}

void tw_reconcile_tell_restored(struct tw_reconciler *reconciler, enum tw_tunable tunable, enum tw_reconcile_will will,
				const struct tw_ledger_entry *was, const struct tw_tunable_value *from)
{
	static const struct tw_desire none;
	struct tw_event event = event_of(reconciler, TW_EVENT_RESTORED, TW_SEVERITY_NOTICE, tunable, &none);

	if (!event.rule_name[0])
		(void)tw_text_copy(event.rule_name, sizeof(event.rule_name), was->rule);
	event.old = known(from);
	event.new = known(&was->baseline);
	event.baseline = known(&was->baseline);
	(void)tw_text_copy(event.reason, sizeof(event.reason), why_restored(will));
	reconciler->restored++;
	tell(reconciler, &event);
}

void tw_reconcile_tell_yielded(struct tw_reconciler *reconciler, enum tw_tunable tunable,
			       const struct tw_desire *desire, const struct tw_ledger_entry *was,
			       const struct tw_live_value *live)
{
	struct tw_event event = event_of(reconciler, TW_EVENT_YIELDED, TW_SEVERITY_WARNING, tunable, desire);
	struct tw_text reason = reason_of(&event);

	if (!event.rule_name[0])
		(void)tw_text_copy(event.rule_name, sizeof(event.rule_name), was->rule);
	event.old = *live;
	event.new = known(&was->written);
	event.baseline = known(&was->baseline);
	tw_text_addf(&reason, "somebody else set it to %s%s after timewaitd had written %s; it is left to them",
		     VALUE_TEXT(tunable, &live->value),
		     tw_tunable_equal(tunable, &live->value, &was->baseline) ? " (as it was before)" : "",
		     VALUE_TEXT(tunable, &was->written));
	if (desire->wanted)
		tw_text_add(&reason, " until the rule has cleared");
	tell(reconciler, &event);
}

/* Of each that not every kernel has: why. */
static const char *why_absent(enum tw_tunable tunable)
{
	if (tunable == TW_TUNABLE_TW_RECYCLE)
		return "this kernel has no such sysctl: Linux 4.12 removed it, because it dropped connections of "
		       "clients behind NAT";
	if (tunable == TW_TUNABLE_TW_TIMEOUT)
		return "this kernel has no such sysctl: only some vendors' kernels do, and in Linux itself the 60 s "
		       "of TIME-WAIT are fixed";
	if (tunable == TW_TUNABLE_TW_REUSE_DELAY)
		return "this kernel has no such sysctl: Linux 6.12 and older have none";
	if (tunable == TW_TUNABLE_AUTOBIND_REUSE)
		return "this kernel has no such sysctl: Linux 5.6 and older have none";
	return "this kernel has no such sysctl here";
}

static void add_sysctl_error(struct tw_text *reason, enum tw_tunable tunable, int error)
{
	switch (-error) {
	case ENOENT:
		tw_text_add(reason, why_absent(tunable));
		break;
	case EROFS:
		tw_text_add(reason, "/proc/sys is read-only for the service: its unit needs ProtectKernelTunables=no");
		break;
	case EACCES:
	case EPERM:
		tw_text_add(reason,
			    "permission denied: the service needs CAP_NET_ADMIN in the user namespace that owns "
			    "the network namespace (AmbientCapabilities=CAP_NET_ADMIN in its unit)");
		break;
	case EINVAL:
		tw_text_add(reason, "the kernel takes no such value");
		break;
	default:
		tw_text_add(reason, strerror(-error));
	}
}

static void add_obstacle(struct tw_text *reason, enum tw_tunable tunable, enum tw_reconcile_obstacle obstacle,
			 int error, const struct tw_live_value *live, const struct tw_live_value *found)
{
	const struct tw_tunable_info *info = tw_tunable_info(tunable);

	switch (obstacle) {
	case TW_RECONCILE_OBSTACLE_BOUNDS:
		tw_text_addf(reason, "the value is out of bounds: timewaitd writes %lld to %lld", (long long)info->low,
			     (long long)info->high);
		return;
	case TW_RECONCILE_OBSTACLE_LOWER:
		tw_text_addf(reason, "it would be lowered: it is %s now", VALUE_TEXT(tunable, &live->value));
		return;
	case TW_RECONCILE_OBSTACLE_READ:
		if (error != -ENOENT)
			tw_text_add(reason, "cannot read it: ");
		add_sysctl_error(reason, tunable, error);
		return;
	case TW_RECONCILE_OBSTACLE_WRITE:
		add_sysctl_error(reason, tunable, error);
		return;
	case TW_RECONCILE_OBSTACLE_KEPT:
		tw_text_addf(reason, "the kernel kept %s", VALUE_TEXT(tunable, &found->value));
		return;
	case TW_RECONCILE_OBSTACLE_BACK:
		tw_text_addf(reason, "the kernel made %s of it, and the value before could not be put back yet: ",
			     VALUE_TEXT(tunable, &found->value));
		add_sysctl_error(reason, tunable, error);
		return;
	}
}

void tw_reconcile_tell_refused(struct tw_reconciler *reconciler, enum tw_tunable tunable,
			       const struct tw_desire *desire, enum tw_reconcile_obstacle obstacle, int error,
			       const struct tw_live_value *live, const struct tw_live_value *found)
{
	struct tw_event event = event_of(reconciler, TW_EVENT_REFUSED, TW_SEVERITY_WARNING, tunable, desire);
	const struct tw_ledger_entry *entry = &reconciler->ledger.entries[tunable];
	struct tw_text reason = reason_of(&event);

	event.old = *live;
	event.new = known(&desire->value);
	event.baseline = entry->owner == TW_OWNER_OURS ? known(&entry->baseline) : *live;
	add_obstacle(&reason, tunable, obstacle, error, live, found);
	tell(reconciler, &event);
}

static void add_ledger_error(struct tw_text *reason, int error)
{
	tw_text_addf(reason, "the ledger cannot be written in the state directory (%s)", strerror(-error));
	if (error == -EROFS || error == -EACCES || error == -ENOENT)
		tw_text_add(reason, "; the unit's RuntimeDirectory= gives the service one");
	if (error == -ENOSPC || error == -EDQUOT)
		tw_text_add(reason, "; its file system is full");
}

void tw_reconcile_tell_unsaved(struct tw_reconciler *reconciler, enum tw_tunable tunable,
			       const struct tw_desire *desire, int error)
{
	struct tw_event event = event_of(reconciler, TW_EVENT_DEGRADED, TW_SEVERITY_ERROR, tunable, desire);
	struct tw_text reason = reason_of(&event);

	event.new = known(&desire->value);
	add_ledger_error(&reason, error);
	tw_text_add(&reason, "; nothing is changed that a crash could leave behind");
	tell(reconciler, &event);
}

void tw_reconcile_tell_stale(struct tw_reconciler *reconciler, int error)
{
	struct tw_event event = { .kind = TW_EVENT_DEGRADED, .severity = TW_SEVERITY_ERROR };
	struct tw_text reason = reason_of(&event);

	add_ledger_error(&reason, error);
	tw_text_add(&reason, "; it still tells of changes that are over, and is written again until it works");
	tell(reconciler, &event);
}

void tw_reconcile_tell_owed(struct tw_reconciler *reconciler, enum tw_tunable tunable, const struct tw_desire *desire,
			    bool reading, int error)
{
	struct tw_event event = event_of(reconciler, TW_EVENT_DEGRADED, TW_SEVERITY_ERROR, tunable, desire);
	const struct tw_ledger_entry *entry = &reconciler->ledger.entries[tunable];
	struct tw_text reason = reason_of(&event);

	event.new = known(&entry->baseline);
	event.baseline = known(&entry->baseline);
	tw_text_add(&reason, reading ? "cannot read what timewaitd wrote before: "
				     : "cannot put the value back that was there before timewaitd: ");
	add_sysctl_error(&reason, tunable, error);
	advise(reconciler, &event, &entry->baseline);
	tell(reconciler, &event);
}
