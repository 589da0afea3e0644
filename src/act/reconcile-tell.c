/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile-step.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

/* A value as text that lives until the end of the expression's block. */
#define VALUE_TEXT(tunable, value) tw_tunable_format((tunable), (value), (char[TW_TUNABLE_VALUE_MAX]){ 0 })

static struct tw_live_value known(const struct tw_tunable_value *value)
{
	return (struct tw_live_value){ .value = *value, .known = true };
}

/* On behalf of the desire, with its figure; where nothing is wanted, of what the tunable was touched for last. */
static struct tw_event event_of(const struct tw_reconcile_turn *turn, enum tw_event_kind kind,
				enum tw_severity severity, const struct tw_desire *desire, const char *rule)
{
	const struct tw_reconcile_cause *cause = &turn->reconciler->causes[turn->tunable];
	struct tw_event event = { .kind = kind, .severity = severity, .has_sysctl = true, .sysctl = turn->tunable };

	if (desire && desire->wanted && desire->rule) {
		event.rule = desire->rule;
		event.has_metric = true;
		event.metric = desire->rule->metric;
		event.value = desire->metric_value;
		event.threshold = tw_value_of(desire->rule->raise_milli);
		event.subject = desire->subject;
		rule = desire->rule->name;
	} else {
		event.subject = cause->subject;
		rule = cause->rule[0] ? cause->rule : rule;
	}
	(void)tw_text_copy(event.rule_name, sizeof(event.rule_name), rule);
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
static void advise(const struct tw_reconciler *reconciler, struct tw_event *event)
{
	const struct tw_tunable_info *info = tw_tunable_info(event->sysctl);
	const char *quote = info->kind == TW_TUNABLE_RANGE ? "\"" : "";
	struct tw_text text;

	tw_text_init(&text, event->advice, sizeof(event->advice));
	tw_text_addf(&text, "sysctl -w %s=%s%s%s", info->key, quote, VALUE_TEXT(event->sysctl, &event->new.value),
		     quote);
	if (strcmp(reconciler->namespace, TW_NAMESPACE_HOST) != 0)
		tw_text_addf(&text, ", in the network namespace %s", reconciler->namespace);
}

void tw_reconcile_tell_advice(const struct tw_reconcile_turn *turn)
{
	struct tw_event event = event_of(turn, TW_EVENT_ADVICE, TW_SEVERITY_NOTICE, turn->desire, turn->entry->rule);
	struct tw_text reason = reason_of(&event);

	event.old = turn->live;
	event.new = known(&turn->desire->value);
	event.elsewhere = turn->desire->advised;
	tw_text_addf(&reason, "%s: timewaitd would do this now, and writes nothing",
		     event.elsewhere ? "by its namespaces, the rule does not act in this one" : "mode = observe");
	advise(turn->reconciler, &event);
	tell(turn->reconciler, &event);
}

void tw_reconcile_tell_adjusted(const struct tw_reconcile_turn *turn, const struct tw_ledger_entry *now)
{
	struct tw_event event = event_of(turn, TW_EVENT_ADJUSTED, TW_SEVERITY_NOTICE, turn->desire, now->rule);

	event.old = known(&now->previous);
	event.new = known(&now->written);
	event.baseline = known(&now->baseline);
	if (tw_tunable_info(turn->tunable)->class == TW_TUNABLE_PLAIN)
		(void)tw_text_copy(event.reason, sizeof(event.reason), "whether it helps is not measured");
	tell(turn->reconciler, &event);
}

void tw_reconcile_tell_restored(const struct tw_reconcile_turn *turn, const struct tw_ledger_entry *was,
				const struct tw_tunable_value *from)
{
	static const char *const why[] = {
		[TW_RECONCILE_WILL_LEAVE] = "no rule wants another value any more",
		[TW_RECONCILE_WILL_ENFORCE] = "the value wanted now is not one to keep in place of the baseline",
		[TW_RECONCILE_WILL_OBSERVE] =
			"mode = observe, or a rule that does not act here: timewaitd gives back what it changed before",
		[TW_RECONCILE_WILL_PAUSE] = "somebody asked for it",
		[TW_RECONCILE_WILL_RECOVER] = "timewaitd gives back what it changed",
	};
	struct tw_event event = event_of(turn, TW_EVENT_RESTORED, TW_SEVERITY_NOTICE, NULL, was->rule);

	event.old = known(from);
	event.new = event.baseline = known(&was->baseline);
	(void)tw_text_copy(event.reason, sizeof(event.reason), why[turn->will]);
	turn->reconciler->restored++;
	tell(turn->reconciler, &event);
}

void tw_reconcile_tell_yielded(const struct tw_reconcile_turn *turn, const struct tw_ledger_entry *was)
{
	struct tw_event event = event_of(turn, TW_EVENT_YIELDED, TW_SEVERITY_WARNING, turn->desire, was->rule);
	struct tw_text reason = reason_of(&event);

	event.old = turn->live;
	event.new = known(&was->written);
	event.baseline = known(&was->baseline);
	tw_text_addf(&reason, "somebody else set it to %s%s after timewaitd had written %s; it is left to them%s",
		     VALUE_TEXT(turn->tunable, &turn->live.value),
		     tw_tunable_equal(turn->tunable, &turn->live.value, &was->baseline) ? " (as it was before)" : "",
		     VALUE_TEXT(turn->tunable, &was->written),
		     turn->desire->wanted ? " until the rule has cleared" : "");
	tell(turn->reconciler, &event);
}

/* Of each that not every kernel has: why. */
static const char *why_absent(enum tw_tunable tunable)
{
	if (tunable == TW_TUNABLE_TW_RECYCLE)
		return ": Linux 4.12 removed it, because it dropped connections of clients behind NAT";
	if (tunable == TW_TUNABLE_TW_TIMEOUT)
		return ": only some vendors' kernels do, and in Linux itself the 60 s of TIME-WAIT are fixed";
	if (tunable == TW_TUNABLE_TW_REUSE_DELAY)
		return ": Linux 6.12 and older have none";
	if (tunable == TW_TUNABLE_AUTOBIND_REUSE)
		return ": Linux 5.6 and older have none";
	return " here";
}

static void add_sysctl_error(struct tw_text *reason, enum tw_tunable tunable, int error)
{
	switch (-error) {
	case ENOENT:
		tw_text_addf(reason, "this kernel has no such sysctl%s", why_absent(tunable));
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

static void add_ledger_error(struct tw_text *reason, int error)
{
	tw_text_addf(reason, "the ledger cannot be written in the state directory (%s)", strerror(-error));
	if (error == -EROFS || error == -EACCES || error == -ENOENT)
		tw_text_add(reason, "; the unit's RuntimeDirectory= gives the service one");
	if (error == -ENOSPC || error == -EDQUOT)
		tw_text_add(reason, "; its file system is full");
}

static void add_failure(struct tw_text *reason, const struct tw_reconcile_turn *turn, enum tw_reconcile_failure failure,
			int error, const struct tw_live_value *found)
{
	const struct tw_tunable_info *info = tw_tunable_info(turn->tunable);

	switch (failure) {
	case TW_RECONCILE_FAILURE_BOUNDS:
		tw_text_addf(reason, "the value is out of bounds: timewaitd writes %lld to %lld", (long long)info->low,
			     (long long)info->high);
		return;
	case TW_RECONCILE_FAILURE_LOWER:
		tw_text_addf(reason, "it would be lowered: it is %s now", VALUE_TEXT(turn->tunable, &turn->live.value));
		return;
	case TW_RECONCILE_FAILURE_KEPT:
		tw_text_addf(reason, "the kernel kept %s", VALUE_TEXT(turn->tunable, &found->value));
		return;
	case TW_RECONCILE_FAILURE_SAVE:
		add_ledger_error(reason, error);
		tw_text_add(reason, "; nothing is changed that a crash could leave behind");
		return;
	case TW_RECONCILE_FAILURE_READ:
		tw_text_add(reason, error != -ENOENT ? "cannot read it: " : "");
		break;
	case TW_RECONCILE_FAILURE_WRITE:
		break;
	case TW_RECONCILE_FAILURE_UNDO:
		tw_text_addf(reason, "the kernel made %s of it, and the value before could not be put back yet: ",
			     VALUE_TEXT(turn->tunable, &found->value));
		break;
	case TW_RECONCILE_FAILURE_OWED_READ:
		tw_text_add(reason, "cannot read what timewaitd wrote before: ");
		break;
	case TW_RECONCILE_FAILURE_OWED:
		tw_text_add(reason, "cannot put the value back that was there before timewaitd: ");
		break;
	}
	add_sysctl_error(reason, turn->tunable, error);
}

void tw_reconcile_tell_failure(const struct tw_reconcile_turn *turn, enum tw_reconcile_failure failure, int error,
			       const struct tw_live_value *found)
{
	bool degraded = failure >= TW_RECONCILE_FAILURE_SAVE, owed = failure >= TW_RECONCILE_FAILURE_OWED_READ;
	struct tw_event event =
		event_of(turn, degraded ? TW_EVENT_DEGRADED : TW_EVENT_REFUSED,
			 degraded ? TW_SEVERITY_ERROR : TW_SEVERITY_WARNING, turn->desire, turn->entry->rule);
	struct tw_text reason = reason_of(&event);

	add_failure(&reason, turn, failure, error, found);
	event.new = known(owed ? &turn->entry->baseline : &turn->desire->value);
	if (owed) {
		event.baseline = event.new;
		advise(turn->reconciler, &event);
	} else if (!degraded) {
		event.old = turn->live;
		event.baseline = turn->entry->owner == TW_OWNER_OURS ? known(&turn->entry->baseline) : turn->live;
	}
	tell(turn->reconciler, &event);
}

void tw_reconcile_tell_stale(const struct tw_reconciler *reconciler, int error)
{
	struct tw_event event = { .kind = TW_EVENT_DEGRADED, .severity = TW_SEVERITY_ERROR };
	struct tw_text reason = reason_of(&event);

	add_ledger_error(&reason, error);
	tw_text_add(&reason, "; it still tells of changes that are over, and is written again until it works");
	tell(reconciler, &event);
}
