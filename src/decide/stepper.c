/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of a rule, apart from desired.c for its length. */
#include "decide/desired.h"

#include <inttypes.h>

/* tcp_mem counts pages; those of a machine with larger pages only make the bound stricter. */
#define PAGE_BYTES UINT64_C(4096)
/* TIME-WAIT is not counted as TCP's memory, but it comes out of the same one: a quarter of that is enough for it. */
#define MEMORY_SHARE 4
#define MIB (UINT64_C(1) << 20)

/* One step from `from`, whatever the bounds say; held within 64 bits. */
static int64_t advance(const struct tw_step *step, int64_t from)
{
	__int128 to = (__int128)from + step->by;

	/* Rounded up, and by 1 at least, or a small value would stay where it is for ever. */
	if (step->multiplies)
		to = TW_MAX(((__int128)from * step->by + 999) / 1000, (__int128)from + 1);
	return (int64_t)TW_MAX(TW_MIN(to, (__int128)INT64_MAX), (__int128)INT64_MIN);
}

/*
 * Not beyond the limit of the step, nor beyond the bounds of the tunable; what is beyond them already stays. What comes
 * from below the bounds steps onto them at least, or it would be refused for ever.
 */
static int64_t bounded(const struct tw_action *action, int64_t from, int64_t to)
{
	const struct tw_tunable_info *info = tw_tunable_info(action->tunable);

	if (action->step.multiplies || action->step.by > 0)
		return TW_MAX(from, TW_MIN(TW_MAX(to, info->low), TW_MIN(action->step.limit, info->high)));
	return TW_MIN(from, TW_MAX(TW_MIN(to, info->high), TW_MAX(action->step.limit, info->low)));
}

static uint64_t memory_for_time_wait(const struct tw_sample *sample)
{
	return TW_MIN(sample->gauge.memory_bound_pages.value, UINT64_MAX / PAGE_BYTES) * PAGE_BYTES / MEMORY_SHARE;
}

static enum tw_stepper_stop take_step(struct tw_stepper *stepper, const struct tw_action *action,
				      const struct tw_sample *sample)
{
	int64_t next = advance(&action->step, stepper->wanted), to = bounded(action, stepper->wanted, next);
	bool at_limit = to == stepper->wanted;

	stepper->refused = at_limit ? next : to;
	if (at_limit)
		return TW_STEPPER_AT_LIMIT;
	if (action->tunable == TW_TUNABLE_MAX_TW_BUCKETS) {
		if (!sample->gauge.memory_bound_pages.known)
			return TW_STEPPER_MEMORY_UNKNOWN;
		if ((unsigned __int128)TW_MAX(to, 0) * TW_TIME_WAIT_BYTES > memory_for_time_wait(sample))
			return TW_STEPPER_NO_MEMORY;
	}
	stepper->wanted = to;
	return TW_STEPPER_GOES;
}

/* Not where it is refused or held up, was put back on request, or somebody else's value has taken its place. */
static bool is_in_force(const struct tw_stepper *stepper, const struct tw_live_value *live)
{
	return live->known && live->value.numbers[0] == stepper->wanted;
}

/* Returns whether a step is to be taken at once: not by who takes over a value that is in force. */
static bool start(struct tw_stepper *stepper, const struct tw_live_value *live, usec_t now_usec)
{
	if (!live->known)
		return false;
	stepper->started = true;
	stepper->stepped_usec = now_usec;
	if (stepper->follows_set && is_in_force(stepper, live))
		return false;
	stepper->has_base = true;
	stepper->wanted = stepper->base = live->value.numbers[0];
	return true;
}

/* An old measurement proves nothing: it was made before the last step could help. */
static bool is_due(const struct tw_stepper *stepper, const struct tw_step *step,
		   const struct tw_rule_settings *settings, const struct tw_alert *alert, usec_t now_usec)
{
	return tw_rule_is_over(settings, alert->value.milli) && alert->value.known && !alert->frozen &&
	       alert->measured_usec > stepper->stepped_usec &&
	       tw_usec_since(now_usec, stepper->stepped_usec) >= step->every_usec;
}

bool tw_stepper_step(struct tw_stepper *stepper, const struct tw_action *action,
		     const struct tw_rule_settings *settings, const struct tw_alert *alert,
		     const struct tw_sample *sample, usec_t now_usec)
{
	enum tw_stepper_stop before = stepper->stop;

	if (!alert || !tw_alert_active(alert)) {
		*stepper = (struct tw_stepper){ 0 };
		return false;
	}
	if (!stepper->started) {
		if (!start(stepper, &sample->gauge.sysctls[action->tunable], now_usec))
			return false;
	} else if (!is_in_force(stepper, &sample->gauge.sysctls[action->tunable])) {
		/* It has its span once it is: else the next one would be a leap. */
		stepper->stepped_usec = now_usec;
		return false;
	} else if (!is_due(stepper, &action->step, settings, alert, now_usec)) {
		return false;
	}
	stepper->stepped_usec = now_usec;
	stepper->stop = take_step(stepper, action, sample);
	return stepper->stop != TW_STEPPER_GOES && stepper->stop != before;
}

bool tw_stepper_needed(const struct tw_stepper *stepper, const struct tw_action *action, const struct tw_sample *sample)
{
	return action->kind == TW_ACTION_STEP && action->tunable == TW_TUNABLE_MAX_TW_BUCKETS &&
	       tw_stepper_wants(stepper) && stepper->has_base && sample->gauge.at_usec != 0 &&
	       is_in_force(stepper, &sample->gauge.sysctls[action->tunable]) &&
	       (__int128)sample->gauge.time_wait * 10 > (__int128)stepper->base * 9;
}

void tw_stepper_follow(struct tw_stepper *stepper, const struct tw_action *action, const struct tw_stepper *predecessor,
		       const struct tw_action *its_action)
{
	const struct tw_step *is = &action->step, *was = &its_action->step;

	if (action->kind != TW_ACTION_STEP || its_action->kind == TW_ACTION_DESTROY ||
	    action->tunable != its_action->tunable)
		return;
	if (its_action->kind == TW_ACTION_SET) {
		stepper->follows_set = true;
		stepper->wanted = its_action->value.numbers[0];
		return;
	}
	*stepper = *predecessor;
	if (is->multiplies != was->multiplies || is->by != was->by || is->limit != was->limit ||
	    is->every_usec != was->every_usec)
		stepper->stop = TW_STEPPER_GOES;
}

void tw_stepper_explain(const struct tw_stepper *stepper, const struct tw_action *action,
			const struct tw_sample *sample, struct tw_text *reason, struct tw_text *advice)
{
	const char *key = tw_tunable_info(action->tunable)->key;

	switch (stepper->stop) {
	case TW_STEPPER_GOES:
		return;
	case TW_STEPPER_AT_LIMIT:
		tw_text_addf(reason, "%s is at %" PRId64 ", and the rule's step ends at %" PRId64, key, stepper->wanted,
			     action->step.limit);
		tw_text_add(advice, "another limit in the rule's step, or the cause itself");
		return;
	case TW_STEPPER_NO_MEMORY:
		tw_text_addf(reason,
			     "%" PRId64 " sockets in TIME-WAIT could take %" PRIu64 " MiB, more than the %" PRIu64
			     " MiB that timewaitd leaves them of TCP's memory; %s stays at %" PRId64,
			     stepper->refused, (uint64_t)stepper->refused * TW_TIME_WAIT_BYTES / MIB,
			     memory_for_time_wait(sample) / MIB, key, stepper->wanted);
		tw_text_add(advice,
			    "fewer connections that end here, by reusing them or by letting the peer close first");
		return;
	case TW_STEPPER_MEMORY_UNKNOWN:
		tw_text_addf(reason, "how much memory TCP may take on this machine is not known; %s stays at %" PRId64,
			     key, stepper->wanted);
		tw_text_add(advice, "a value that the machine's memory allows, at 256 bytes each, in a 'set'");
		return;
	}
}
