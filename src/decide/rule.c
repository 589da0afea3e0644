/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/rule.h"

#include <string.h>

/* One look may catch a moment that means nothing; two in a row do not. */
#define TW_LOOKS_NEEDED 2
/* A rate has no value on the very first gauge: only after that is silence worth telling. */
#define TW_BLIND_LOOKS 2

void tw_rule_init(struct tw_rule *rule)
{
	memset(rule, 0, sizeof(*rule));
}

static bool over(const struct tw_rule_settings *settings, int64_t milli)
{
	return tw_rule_settings_upward(settings) ? milli >= settings->raise_milli : milli <= settings->raise_milli;
}

static bool under(const struct tw_rule_settings *settings, int64_t milli)
{
	return tw_rule_settings_upward(settings) ? milli <= settings->clear_milli : milli >= settings->clear_milli;
}

static enum tw_rule_edge step_blind(struct tw_rule *rule, usec_t at_usec)
{
	if (rule->blind == 0 || at_usec != rule->blind_usec)
		rule->blind++;
	rule->blind_usec = at_usec;
	if (rule->frozen || (!rule->known && rule->blind < TW_BLIND_LOOKS))
		return TW_RULE_NO_EDGE;
	rule->frozen = true;
	return TW_RULE_EDGE_FROZEN;
}

/* Takes a new measurement in. Returns false where it is none: the same one seen again. */
static bool take_in(struct tw_rule *rule, const struct tw_reading *reading)
{
	if (rule->known && reading->at_usec <= rule->measured_usec)
		return false;
	if (rule->frozen && rule->known)
		rule->since_usec = tw_usec_add(rule->since_usec, reading->at_usec - rule->measured_usec);
	rule->frozen = false;
	rule->known = true;
	rule->measured_usec = reading->at_usec;
	rule->value = reading->value;
	return true;
}

static void count_looks(struct tw_rule *rule, const struct tw_reading *reading, bool is_over)
{
	rule->foreseen = reading->soon ? rule->foreseen + 1 : 0;
	if (!is_over) {
		rule->looks = 0;
		return;
	}
	if (rule->looks == 0) {
		rule->since_usec = reading->at_usec;
		rule->looks = reading->confirmed ? 1 : 0;
	}
	rule->looks++;
}

static enum tw_rule_edge step_up(struct tw_rule *rule, const struct tw_rule_settings *settings,
				 const struct tw_reading *reading, usec_t now_usec)
{
	bool is_over = over(settings, reading->value.milli);
	bool held, foreseen;

	count_looks(rule, reading, is_over);
	rule->state = is_over || reading->soon ? TW_RULE_RISING : TW_RULE_NORMAL;
	held = rule->looks >= TW_LOOKS_NEEDED && reading->at_usec - rule->since_usec >= settings->raise_for_usec;
	/* Being over the level is the other look that a forecast needs. */
	foreseen = reading->soon && rule->foreseen + is_over >= TW_LOOKS_NEEDED;
	if (!held && !foreseen)
		return TW_RULE_NO_EDGE;
	rule->state = TW_RULE_RAISED;
	rule->ahead = !held;
	rule->looks = rule->foreseen = 0;
	rule->raised_usec = rule->reminded_usec = now_usec;
	return TW_RULE_EDGE_RAISED;
}

static enum tw_rule_edge step_down(struct tw_rule *rule, const struct tw_rule_settings *settings,
				   const struct tw_reading *reading)
{
	if (!under(settings, reading->pressure.milli) || reading->soon) {
		rule->state = TW_RULE_RAISED;
		return TW_RULE_NO_EDGE;
	}
	if (rule->state == TW_RULE_RAISED) {
		rule->state = TW_RULE_CLEARING;
		rule->since_usec = reading->at_usec;
	}
	if (reading->at_usec - rule->since_usec < settings->clear_for_usec || !under(settings, reading->value.milli))
		return TW_RULE_NO_EDGE;
	rule->state = TW_RULE_NORMAL;
	return TW_RULE_EDGE_CLEARED;
}

static enum tw_rule_edge remind(struct tw_rule *rule, const struct tw_rule_settings *settings, usec_t now_usec)
{
	if (!tw_rule_active(rule) || settings->remind_usec == 0 ||
	    tw_usec_since(now_usec, rule->reminded_usec) < settings->remind_usec)
		return TW_RULE_NO_EDGE;
	rule->reminded_usec = now_usec;
	return TW_RULE_EDGE_REMINDED;
}

static enum tw_rule_edge step(struct tw_rule *rule, const struct tw_rule_settings *settings,
			      const struct tw_reading *reading, usec_t now_usec)
{
	enum tw_rule_edge edge = TW_RULE_NO_EDGE;

	if (!reading->value.known || !reading->pressure.known)
		return step_blind(rule, reading->at_usec);
	if (take_in(rule, reading))
		edge = tw_rule_active(rule) ? step_down(rule, settings, reading)
					    : step_up(rule, settings, reading, now_usec);
	return edge != TW_RULE_NO_EDGE ? edge : remind(rule, settings, now_usec);
}

enum tw_rule_edge tw_rule_step(struct tw_rule *rule, const struct tw_rule_settings *settings,
			       const struct tw_reading *reading, usec_t now_usec)
{
	enum tw_rule_state before = rule->state;
	enum tw_rule_edge edge = step(rule, settings, reading, now_usec);

	if (rule->state != before || rule->entered_usec == 0)
		rule->entered_usec = now_usec;
	return edge;
}
