/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/policy.h"

#include "base/macros.h"
#include "model/port-model.h"

/* Timers are late by some milliseconds, one more and the other less. */
#define APART_MIN_USEC (TW_SURVEY_YOUNG_USEC * 9 / 10)
/* One look may catch a moment that means nothing; two in a row do not. */
#define TW_LOOKS_NEEDED 2

static bool under(const struct tw_rule_settings *settings, int64_t milli)
{
	return tw_rule_settings_upward(settings) ? milli <= settings->clear_milli : milli >= settings->clear_milli;
}

static int64_t judged(const struct tw_reading *reading)
{
	return reading->judged.known ? reading->judged.milli : reading->value.milli;
}

bool tw_alert_begins(const struct tw_rule_settings *settings, const struct tw_reading *reading)
{
	return reading->value.known && (tw_rule_is_over(settings, judged(reading)) || reading->soon);
}

/* What is counted comes in clumps, and between them there are moments without any: of a rate the average is held. */
static bool is_averaged(const struct tw_rule_settings *settings)
{
	return tw_metric_info(settings->metric)->unit == TW_UNIT_PER_SECOND && tw_rule_settings_upward(settings) &&
	       settings->raise_milli > 0;
}

/* A moment counts for twice the level at the most, so that one alone does not come to it for long. */
static void add_to_average(struct tw_alert *alert, const struct tw_rule_settings *settings,
			   const struct tw_reading *reading, usec_t span_usec)
{
	int64_t milli = TW_MAX(judged(reading), 0);

	/* Its level is above 0. */
	if (is_averaged(settings))
		alert->risen +=
			(unsigned __int128)TW_MIN(milli, TW_MIN(settings->raise_milli, INT64_MAX / 2) * 2) * span_usec;
}

/* Takes a new measurement in. Returns false where it is none: the same one seen again. */
static bool take_in(struct tw_alert *alert, const struct tw_rule_settings *settings, const struct tw_reading *reading)
{
	if (alert->measured_usec != 0 && reading->at_usec <= alert->measured_usec)
		return false;
	if (alert->frozen && alert->measured_usec != 0)
		alert->since_usec = tw_usec_add(alert->since_usec, reading->at_usec - alert->measured_usec);
	else if (alert->looks > 0)
		add_to_average(alert, settings, reading, reading->at_usec - alert->measured_usec);
	alert->frozen = false;
	alert->measured_usec = reading->at_usec;
	alert->value = reading->value;
	alert->over = (tw_rule_is_over(settings, judged(reading)) && !reading->guessed) || reading->soon;
	return true;
}

static enum tw_alert_edge step_up(struct tw_alert *alert, const struct tw_rule_settings *settings,
				  const struct tw_reading *reading, usec_t now_usec)
{
	bool is_over = tw_rule_is_over(settings, judged(reading));
	bool holds = is_over || (alert->looks > 0 && is_averaged(settings) &&
				 alert->risen >= (unsigned __int128)settings->raise_milli *
							 (reading->at_usec - alert->since_usec));
	bool held, foreseen;

	if (holds && alert->looks == 0) {
		alert->since_usec = reading->at_usec;
		alert->risen = 0;
		/* It is of the time before, of which one second is sure to be. */
		add_to_average(alert, settings, reading, TW_USEC_PER_SEC);
		alert->looks = reading->confirmed ? 1 : 0;
	}
	alert->looks = holds ? alert->looks + 1 : 0;
	alert->foreseen = reading->soon ? alert->foreseen + 1 : 0;
	alert->state = holds || reading->soon ? TW_RULE_RISING : TW_RULE_NORMAL;
	held = is_over && !reading->guessed && alert->looks >= TW_LOOKS_NEEDED &&
	       reading->at_usec - alert->since_usec >= settings->raise_for_usec;
	/* Being over the level is the other look that a forecast needs. */
	foreseen = reading->soon && alert->foreseen + (is_over && !reading->guessed) >= TW_LOOKS_NEEDED;
	if (!held && !foreseen)
		return TW_ALERT_NO_EDGE;
	alert->state = TW_RULE_RAISED;
	alert->ahead = !held;
	alert->looks = alert->foreseen = 0;
	alert->raised_usec = alert->reminded_usec = now_usec;
	return TW_ALERT_EDGE_RAISED;
}

static enum tw_alert_edge step_down(struct tw_alert *alert, const struct tw_rule_settings *settings,
				    const struct tw_reading *reading)
{
	if (!under(settings, reading->pressure.milli) || reading->soon) {
		alert->state = TW_RULE_RAISED;
		return TW_ALERT_NO_EDGE;
	}
	if (alert->state == TW_RULE_RAISED) {
		alert->state = TW_RULE_CLEARING;
		alert->since_usec = reading->at_usec;
	}
	if (reading->at_usec - alert->since_usec < settings->clear_for_usec || !under(settings, reading->value.milli))
		return TW_ALERT_NO_EDGE;
	alert->state = TW_RULE_NORMAL;
	return TW_ALERT_EDGE_CLEARED;
}

static enum tw_alert_edge remind(struct tw_alert *alert, const struct tw_rule_settings *settings, usec_t now_usec)
{
	if (!tw_alert_active(alert) || settings->remind_usec == 0 ||
	    tw_usec_since(now_usec, alert->reminded_usec) < settings->remind_usec)
		return TW_ALERT_NO_EDGE;
	alert->reminded_usec = now_usec;
	return TW_ALERT_EDGE_REMINDED;
}

enum tw_alert_edge tw_alert_step(struct tw_alert *alert, const struct tw_rule_settings *settings,
				 const struct tw_reading *reading, usec_t now_usec)
{
	enum tw_rule_state before = alert->state;
	enum tw_alert_edge edge = TW_ALERT_NO_EDGE;

	if (take_in(alert, settings, reading))
		edge = tw_alert_active(alert) ? step_down(alert, settings, reading)
					      : step_up(alert, settings, reading, now_usec);
	if (alert->state != before || alert->entered_usec == 0)
		alert->entered_usec = now_usec;
	return edge != TW_ALERT_NO_EDGE ? edge : remind(alert, settings, now_usec);
}

enum tw_alert_edge tw_alert_wait(struct tw_alert *alert, const struct tw_rule_settings *settings, usec_t now_usec)
{
	alert->frozen = true;
	return remind(alert, settings, now_usec);
}

enum tw_severity tw_alert_severity(const struct tw_alert *alert, const struct tw_rule_settings *settings)
{
	if (alert->eased)
		return TW_SEVERITY_INFO;
	return alert->mild ? TW_MIN(settings->severity, TW_SEVERITY_NOTICE) : settings->severity;
}

/* ---- what it would come to without what is in force */

void tw_demand_add(struct tw_demand *demand, uint32_t young_time_wait, usec_t at_usec)
{
	if (demand->count > 0 && tw_usec_since(at_usec, demand->at_usec) < APART_MIN_USEC)
		return;
	demand->looks[demand->next] = (struct tw_demand_look){ at_usec, young_time_wait };
	demand->next = (demand->next + 1) % TW_DEMAND_LOOKS;
	demand->at_usec = at_usec;
	if (demand->count < TW_DEMAND_LOOKS)
		demand->count++;
}

struct tw_demand_count tw_demand_time_wait(const struct tw_demand *demand, uint32_t life_ms)
{
	usec_t life_usec = life_ms * TW_USEC_PER_MSEC, young_usec = TW_MIN(life_usec, TW_SURVEY_YOUNG_USEC);
	struct tw_demand_count ret = { 0 };
	unsigned count = 0;

	for (unsigned i = 0; i < demand->count; i++) {
		const struct tw_demand_look *look = &demand->looks[i];

		/* Looks further apart than they should be tell of a load that may be over. */
		if (tw_usec_since(demand->at_usec, look->at_usec) >= life_usec)
			continue;
		ret.seen += look->young;
		count++;
	}
	if (count > 0 && young_usec > 0)
		ret.expected = ret.seen * life_usec / young_usec / count;
	return ret;
}

void tw_demand_judge(const struct tw_demand *demand, const struct tw_rule_settings *settings,
		     const struct tw_sample *sample, const struct tw_in_force *in_force, struct tw_reading *reading)
{
	const struct tw_reading_ports *ports = &reading->ports;
	struct tw_demand_count waiting;
	struct tw_value seen;

	if (!ports->known || !in_force->rows[TW_TUNABLE_TW_REUSE].ours)
		return;
	waiting = tw_demand_time_wait(demand, tw_time_wait_life_ms(&sample->gauge));
	reading->pressure =
		tw_value_percent(TW_MAX(ports->steady + waiting.expected, (uint64_t)ports->baseline), ports->usable);
	if (reading->pressure.milli <= reading->value.milli)
		return;
	reading->judged = reading->pressure;
	seen = tw_value_percent(TW_MAX(ports->steady + waiting.seen, (uint64_t)ports->baseline), ports->usable);
	reading->guessed = tw_rule_settings_upward(settings) && reading->value.milli < settings->raise_milli &&
			   seen.milli < settings->raise_milli;
}

/* ---- the alerts of one rule */

struct tw_alert *tw_alert_list_next(const struct tw_policy *policy, unsigned rule, unsigned *at)
{
	while (*at < policy->alert_count) {
		const struct tw_alert *alert = &policy->alerts[(*at)++];

		if (alert->rule == rule)
			return (struct tw_alert *)alert;
	}
	return NULL;
}

struct tw_alert *tw_alert_list_find(const struct tw_policy *policy, unsigned rule,
				    const struct tw_rule_settings *settings, const struct tw_subject *subject)
{
	/* Who is behind the namespace's own number may change. */
	bool any = tw_metric_info(settings->metric)->subject == TW_SUBJECT_NAMESPACE;
	struct tw_alert *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, rule, &i));)
		if (any || tw_subject_equal(&alert->subject, subject))
			break;
	return alert;
}

/* The last places are kept for rules that have none. */
static bool has_room(const struct tw_policy *policy, unsigned rule, unsigned *ret_quiet)
{
	unsigned own = 0, told = 0;

	for (unsigned i = 0; i < policy->alert_count; i++) {
		told += !policy->alerts[i].quiet;
		own += policy->alerts[i].rule == rule && !policy->alerts[i].quiet;
	}
	*ret_quiet = policy->alert_count - told;
	return own < TW_ALERTS_PER_RULE && told < TW_ALERTS_TOLD_MAX - (own > 0 ? TW_RULES_MAX : 0);
}

void tw_alert_list_drop(struct tw_policy *policy, unsigned alert)
{
	policy->alert_count--;
	if (alert < policy->alert_count)
		policy->alerts[alert] = policy->alerts[policy->alert_count];
}

/* Whether `a` is to be told before `b`: what is raised, then the worse value. */
static bool is_worse(const struct tw_rule_settings *settings, const struct tw_alert *a, const struct tw_alert *b)
{
	if (tw_alert_active(a) != tw_alert_active(b))
		return tw_alert_active(a);
	return tw_rule_settings_upward(settings) ? a->value.milli > b->value.milli : a->value.milli < b->value.milli;
}

/*
 * Makes room among those of the rule that were not told: what rests is forgotten, and what rises and is less than this
 * is quiet from now on, or gone where there is no room for quiet ones.
 */
static bool make_room(struct tw_policy *policy, const struct tw_rule_settings *settings, const struct tw_alert *newer,
		      bool hush)
{
	struct tw_alert *least = NULL, *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, newer->rule, &i));)
		if (!alert->quiet && !tw_alert_active(alert) &&
		    (!least || alert->state == TW_RULE_NORMAL ||
		     (least->state != TW_RULE_NORMAL && is_worse(settings, least, alert))))
			least = alert;
	if (!least || (least->state != TW_RULE_NORMAL && !is_worse(settings, newer, least)))
		return false;
	if (hush && least->state != TW_RULE_NORMAL)
		least->quiet = true;
	else
		tw_alert_list_drop(policy, (unsigned)(least - policy->alerts));
	return true;
}

struct tw_alert *tw_alert_list_add(struct tw_policy *policy, unsigned rule, const struct tw_rule_settings *settings,
				   const struct tw_reading_row *row)
{
	struct tw_alert begun = { .rule = rule, .subject = row->subject, .value = row->reading.value };
	unsigned quiet;

	if (!has_room(policy, rule, &quiet)) {
		bool full = quiet >= TW_ALERTS_QUIET_MAX;

		begun.quiet = !make_room(policy, settings, &begun, !full);
		if (begun.quiet && full)
			return NULL;
	}
	if (policy->alert_count == TW_ALERTS_MAX)
		return NULL;
	policy->alerts[policy->alert_count] = begun;
	return &policy->alerts[policy->alert_count++];
}

/* One that is over and rests only to be remembered does that quietly as well. */
static bool hush_resting(struct tw_policy *policy, unsigned rule)
{
	struct tw_alert *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, rule, &i));)
		if (!alert->quiet && alert->state == TW_RULE_NORMAL)
			return alert->quiet = true;
	return false;
}

bool tw_alert_list_promote(struct tw_policy *policy, struct tw_alert *alert, usec_t now_usec)
{
	unsigned quiet;

	if (!alert->quiet || (alert->state != TW_RULE_RISING && alert->state != TW_RULE_RAISED) ||
	    (!has_room(policy, alert->rule, &quiet) && !hush_resting(policy, alert->rule)))
		return false;
	tw_alert_make_loud(alert, now_usec);
	return true;
}

void tw_alert_make_loud(struct tw_alert *alert, usec_t now_usec)
{
	alert->quiet = false;
	alert->reminded_usec = now_usec;
	/* It has told nothing yet. */
	for (unsigned i = 0; i < TW_ACTIONS_MAX; i++)
		alert->actions[i].refused_told = alert->actions[i].rest_told = false;
}

struct tw_alert *tw_alert_list_worst(const struct tw_policy *policy, unsigned rule,
				     const struct tw_rule_settings *settings)
{
	struct tw_alert *worst = NULL, *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, rule, &i));)
		if (alert->state != TW_RULE_NORMAL && (!worst || is_worse(settings, alert, worst)))
			worst = alert;
	return worst;
}
