/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/stepper.h"

#include <inttypes.h>
#include <string.h>

/* tcp_mem counts pages; those of a machine with larger pages only make the bound stricter. */
#define PAGE_BYTES UINT64_C(4096)
/* TIME-WAIT is not counted as TCP's memory, but it comes out of the same one: a quarter of that is enough for it. */
#define MEMORY_SHARE 4
#define MIB (UINT64_C(1) << 20)

void tw_stepper_init(struct tw_stepper *stepper)
{
	memset(stepper, 0, sizeof(*stepper));
}

static bool is_upward(const struct tw_step *step)
{
	return step->multiplies || step->by > 0;
}

/* One step from `from`, whatever the bounds say; held within 64 bits. */
static int64_t advance(const struct tw_step *step, int64_t from)
{
	__int128 to = (__int128)from + step->by;

	/* Rounded up, and by 1 at least, or a small value would stay where it is for ever. */
	if (step->multiplies)
		to = TW_MAX(((__int128)from * step->by + 999) / 1000, (__int128)from + 1);
	return (int64_t)TW_MAX(TW_MIN(to, (__int128)INT64_MAX), (__int128)INT64_MIN);
}

/* Not beyond the limit of the step, nor beyond the bounds of the tunable; what is beyond them already stays. */
static int64_t bounded(const struct tw_action *action, int64_t from, int64_t to)
{
	const struct tw_tunable_info *info = tw_tunable_info(action->tunable);

	if (is_upward(&action->step))
		return TW_MAX(from, TW_MIN(to, TW_MIN(action->step.limit, info->high)));
	return TW_MIN(from, TW_MAX(to, TW_MAX(action->step.limit, info->low)));
}

/* 0: not known. */
static uint64_t memory_for_time_wait(const struct tw_sample *sample)
{
	const struct tw_count *pages = &sample->gauge.memory_limit_pages;

	return pages->known ? TW_MIN(pages->value, UINT64_MAX / PAGE_BYTES) * PAGE_BYTES / MEMORY_SHARE : 0;
}

static bool fits_memory(enum tw_tunable tunable, int64_t to, const struct tw_sample *sample)
{
	uint64_t memory = memory_for_time_wait(sample);

	return tunable != TW_TUNABLE_MAX_TW_BUCKETS || memory == 0 || to <= 0 ||
	       (unsigned __int128)(uint64_t)to * TW_TIME_WAIT_BYTES <= memory;
}

static enum tw_stepper_stop take_step(struct tw_stepper *stepper, const struct tw_action *action,
				      const struct tw_sample *sample)
{
	int64_t to = bounded(action, stepper->wanted, advance(&action->step, stepper->wanted));

	stepper->refused = advance(&action->step, stepper->wanted);
	if (to == stepper->wanted)
		return TW_STEPPER_AT_LIMIT;
	stepper->refused = to;
	if (!fits_memory(action->tunable, to, sample))
		return TW_STEPPER_NO_MEMORY;
	stepper->wanted = to;
	return TW_STEPPER_GOES;
}

static bool start(struct tw_stepper *stepper, enum tw_tunable tunable, const struct tw_sample *sample)
{
	const struct tw_live_value *live = &sample->gauge.sysctls[tunable];

	if (!stepper->has_base && !live->known)
		return false;
	if (!stepper->has_base)
		stepper->base = live->value.numbers[0];
	stepper->started = stepper->has_base = true;
	stepper->wanted = stepper->base;
	return true;
}

/* Not where it is refused or held up, was put back on request, or somebody else's value has taken its place. */
static bool is_in_force(const struct tw_stepper *stepper, const struct tw_live_value *live)
{
	return live->known && live->value.numbers[0] == stepper->wanted;
}

/* An old measurement proves nothing: it was made before the last step could help. */
static bool is_due(const struct tw_stepper *stepper, const struct tw_step *step,
		   const struct tw_rule_settings *settings, const struct tw_rule *rule, usec_t now_usec)
{
	bool over = tw_rule_settings_upward(settings) ? rule->value.milli >= settings->raise_milli
						      : rule->value.milli <= settings->raise_milli;

	return over && rule->value.known && !rule->frozen && rule->measured_usec > stepper->stepped_usec &&
	       tw_usec_since(now_usec, stepper->stepped_usec) >= step->every_usec;
}

bool tw_stepper_step(struct tw_stepper *stepper, const struct tw_action *action,
		     const struct tw_rule_settings *settings, const struct tw_rule *rule,
		     const struct tw_sample *sample, usec_t now_usec)
{
	enum tw_stepper_stop before = stepper->stop;

	if (!tw_rule_active(rule)) {
		tw_stepper_init(stepper);
		return false;
	}
	if (!stepper->started) {
		if (!start(stepper, action->tunable, sample))
			return false;
	} else if (!is_in_force(stepper, &sample->gauge.sysctls[action->tunable])) {
		/* It has its span once it is: else the next one would be a leap. */
		stepper->stepped_usec = now_usec;
		return false;
	} else if (!is_due(stepper, &action->step, settings, rule, now_usec)) {
		return false;
	}
	stepper->stepped_usec = now_usec;
	stepper->stop = take_step(stepper, action, sample);
	return stepper->stop != TW_STEPPER_GOES && stepper->stop != before;
}

bool tw_stepper_needed(const struct tw_stepper *stepper, const struct tw_action *action, const struct tw_sample *sample)
{
	return action->kind == TW_ACTION_STEP && action->tunable == TW_TUNABLE_MAX_TW_BUCKETS &&
	       tw_stepper_wants(stepper) && sample->gauge.at_usec != 0 &&
	       (__int128)sample->gauge.time_wait * 10 > (__int128)stepper->base * 9;
}

static bool is_same(const struct tw_step *a, const struct tw_step *b)
{
	return a->multiplies == b->multiplies && a->by == b->by && a->limit == b->limit &&
	       a->every_usec == b->every_usec;
}

void tw_stepper_follow(struct tw_stepper *stepper, const struct tw_action *action, const struct tw_stepper *predecessor,
		       const struct tw_action *its_action)
{
	if (action->kind != TW_ACTION_STEP || its_action->kind != TW_ACTION_STEP ||
	    action->tunable != its_action->tunable)
		return;
	if (is_same(&action->step, &its_action->step)) {
		*stepper = *predecessor;
		return;
	}
	stepper->has_base = predecessor->has_base;
	stepper->base = predecessor->base;
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
			     "%" PRId64 " sockets in TIME-WAIT could take %" PRIu64
			     " MiB, more than a quarter of what net.ipv4.tcp_mem allows to TCP (%" PRIu64
			     " MiB); %s stays at %" PRId64,
			     stepper->refused, (uint64_t)stepper->refused * TW_TIME_WAIT_BYTES / MIB,
			     memory_for_time_wait(sample) / MIB, key, stepper->wanted);
		tw_text_add(advice,
			    "fewer connections that end here, by reusing them or by letting the peer close first");
		return;
	}
}
