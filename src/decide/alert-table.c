/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The alerts of one rule as measurements come: the part of the policy that holds them against the sample. */
#include "decide/policy.h"

#include "base/macros.h"
#include "base/text.h"
#include "decide/gate.h"

#include <string.h>

/*
 * So many measurements in a row without a value are worth telling. A rate has none on the very first gauge, and one
 * dump that broke off, or that came when what was just counted had ended, is made up for by the next.
 */
#define BLIND_LOOKS 2
/* So much is serious, whoever holds it. */
#define SERIOUS_MILLI (75 * 1000)

/* ---- what is told */

static struct tw_event rule_event(enum tw_event_kind kind, const struct tw_rule_settings *settings)
{
	return (struct tw_event){
		.kind = kind,
		.severity = settings->severity,
		.rule = settings,
		.has_metric = true,
		.metric = settings->metric,
		.threshold = tw_value_of(settings->raise_milli),
	};
}

struct tw_event tw_alert_event(enum tw_event_kind kind, const struct tw_rule_settings *settings,
			       const struct tw_alert *alert)
{
	struct tw_event event = rule_event(kind, settings);

	event.severity = tw_alert_severity(alert, settings);
	event.value = alert->value;
	event.subject = alert->subject;
	return event;
}

static void tell_frozen(const struct tw_rule_settings *settings, bool never_known, const struct tw_scene *scene)
{
	const struct tw_metric_info *info = tw_metric_info(settings->metric);
	struct tw_event event = rule_event(TW_EVENT_PARTIAL, settings);
	struct tw_text reason;

	event.severity = TW_SEVERITY_WARNING;
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_addf(&reason, "%s has no value now; rule %s stays as it is until it has one", info->name,
		     settings->name);
	if (never_known && info->host_only)
		tw_text_add(&reason, " (the kernel tells it in the first network namespace only)");
	if (never_known && info->since)
		tw_text_addf(&reason, " (the kernel tells it since %s)", info->since);
	tw_scene_tell(scene, &event);
}

void tw_alert_tell_cleared(const struct tw_alert *alert, const struct tw_rule_settings *settings, const char *reason,
			   const struct tw_scene *scene)
{
	struct tw_event event = tw_alert_event(TW_EVENT_CLEARED, settings, alert);

	if (alert->quiet)
		return;
	event.threshold = tw_value_of(settings->clear_milli);
	event.lasted_usec = tw_usec_since(scene->now_usec, alert->raised_usec);
	(void)tw_text_copy(event.reason, sizeof(event.reason), reason);
	tw_scene_tell(scene, &event);
}

/* What the raise rests on where it is not the level, and how many sockets it is about. */
static void add_grounds(struct tw_event *event, const struct tw_alert *alert, const struct tw_reading *reading,
			const struct tw_sample *sample)
{
	struct tw_text reason;

	if (alert->subject.unit[0] != '\0')
		event->has_count = tw_reading_count(sample, event->rule, alert->subject.unit, &event->count);
	tw_text_init(&reason, event->reason, sizeof(event->reason));
	if (alert->ahead && reading->eta.known) {
		/* With a long raise-for it can be at its level already. */
		event->forecast = alert->value.milli < event->rule->raise_milli;
		tw_text_add(&reason, "all ports are in use in ");
		tw_value_add(&reason, reading->eta, TW_UNIT_SECONDS);
		tw_text_add(&reason, " at the present rate");
	} else if (alert->eased && reading->judged.known) {
		tw_text_addf(&reason, "%s is in force; without that it would come to ",
			     tw_tunable_info(TW_TUNABLE_TW_REUSE)->key);
		tw_value_add(&reason, reading->judged, TW_UNIT_PERCENT);
	}
}

/* `reading` may be NULL. */
static void tell_edge(enum tw_alert_edge edge, const struct tw_alert *alert, const struct tw_reading *reading,
		      const struct tw_scene *scene)
{
	const struct tw_rule_settings *settings = &scene->settings->rules[alert->rule];
	bool raised = edge == TW_ALERT_EDGE_RAISED;
	struct tw_event event;

	if (edge == TW_ALERT_EDGE_CLEARED)
		tw_alert_tell_cleared(alert, settings, "", scene);
	if (alert->quiet || edge == TW_ALERT_NO_EDGE || edge == TW_ALERT_EDGE_CLEARED)
		return;
	event = tw_alert_event(raised ? TW_EVENT_RAISED : TW_EVENT_REMINDED, settings, alert);
	event.sample = scene->sample;
	event.top = scene->settings->top;
	event.lasted_usec = tw_usec_since(scene->now_usec, alert->raised_usec);
	if (raised && reading)
		add_grounds(&event, alert, reading, scene->sample);
	tw_scene_tell(scene, &event);
}

void tw_alert_tell_raised(struct tw_alert *alert, const struct tw_scene *scene)
{
	tw_alert_make_loud(alert, scene->now_usec);
	tell_edge(TW_ALERT_EDGE_RAISED, alert, NULL, scene);
}

/* ---- one rule's measurement */

/* A rule whose steps are still needed does not clear: a remedy that works looks as if there were nothing to cure. */
static void add_need(struct tw_reading *reading, const struct tw_rule_settings *settings,
		     const struct tw_stepper *steppers, const struct tw_sample *sample)
{
	for (unsigned i = 0; i < settings->action_count; i++)
		if (reading->pressure.known && tw_rule_settings_upward(settings) &&
		    tw_stepper_needed(&steppers[i], &settings->actions[i], sample))
			reading->pressure.milli = TW_MAX(reading->pressure.milli, settings->raise_milli);
}

/* Not over the level itself, so that it is what is in force that keeps it under. */
static bool is_eased(const struct tw_rule_settings *settings, const struct tw_reading *reading)
{
	return tw_rule_settings_upward(settings) && reading->value.milli < settings->raise_milli && !reading->soon;
}

/* Whether an action of the rule may be of use to this subject: its gate lets it through, or it has none. */
static bool any_open(const struct tw_rule_settings *settings, const struct tw_subject *subject,
		     const struct tw_scene *scene)
{
	for (unsigned i = 0; i < settings->action_count; i++) {
		const struct tw_action *action = &settings->actions[i];

		if (!settings->gate || action->kind != TW_ACTION_SET ||
		    tw_gate_check(action->tunable, &action->value, scene->sample, subject,
				  scene->in_force->rows[action->tunable].ours) == TW_GATE_OPEN)
			return true;
	}
	return false;
}

/*
 * Up to one half of the ports connect() finds one at once, and what was bound first is mostly in the other half. Nobody
 * has to do anything yet where none of the rule's actions would help, as with a pool of living connections, nor where
 * one does ahead of the level.
 */
static bool is_mild(const struct tw_alert *alert, const struct tw_reading *reading, const struct tw_scene *scene)
{
	const struct tw_rule_settings *settings = &scene->settings->rules[alert->rule];
	const struct tw_destination_row *row;

	if (settings->metric != TW_METRIC_PORT_USE || !alert->subject.has_destination || settings->action_count == 0 ||
	    !tw_rule_settings_upward(settings) || reading->value.milli >= SERIOUS_MILLI)
		return false;
	row = tw_gate_row(scene->sample, &alert->subject);
	if (row && (uint64_t)row->ports * 2 > scene->sample->survey.usable)
		return false;
	return (alert->ahead && reading->value.milli < settings->raise_milli) ||
	       !any_open(settings, &alert->subject, scene);
}

/* Told as nobody's business until now, and raised still: it is told once more, with what is refused for it. */
static bool becomes_serious(struct tw_alert *alert, const struct tw_reading *reading, const struct tw_scene *scene)
{
	const struct tw_rule_settings *settings = &scene->settings->rules[alert->rule];

	if ((!alert->eased || is_eased(settings, reading)) && (!alert->mild || is_mild(alert, reading, scene)))
		return false;
	alert->eased = alert->mild = false;
	alert->reminded_usec = scene->now_usec;
	for (unsigned i = 0; i < settings->action_count; i++)
		alert->actions[i].refused_told = false;
	return true;
}

/*
 * Who had bound first is not known to be gone where parity does not tell any more, of so many ports that it could be
 * over the level still.
 */
static bool is_hidden(const struct tw_alert *alert, const struct tw_rule_settings *settings,
		      const struct tw_reading *reading, const struct tw_survey *survey)
{
	struct tw_value most =
		tw_value_percent((uint64_t)survey->exclusive_ports + survey->unclear_ports, survey->usable);

	return alert->subject.has_binder && alert->subject.holds_for_all && survey->unclear_ports > 0 &&
	       (settings->metric != TW_METRIC_PORT_USE ||
		(reading->pressure.milli <= settings->clear_milli && most.milli > settings->clear_milli));
}

static void take_reading(struct tw_policy *policy, unsigned index, struct tw_reading_row *row,
			 const struct tw_scene *scene)
{
	const struct tw_rule_settings *settings = &scene->settings->rules[index];
	struct tw_policy_rule *rule = &policy->rules[index];
	struct tw_reading *reading = &row->reading;
	struct tw_alert *alert = tw_alert_list_find(policy, index, settings, &row->subject);
	struct tw_demand once = { 0 };
	struct tw_demand *demand = alert ? &alert->demand : &once;
	enum tw_alert_edge edge;

	if (alert && is_hidden(alert, settings, reading, &scene->sample->survey)) {
		alert->seen = true;
		tell_edge(tw_alert_wait(alert, settings, scene->now_usec), alert, NULL, scene);
		return;
	}
	if (reading->ports.known)
		tw_demand_add(demand, reading->ports.young, reading->at_usec);
	tw_demand_judge(demand, settings, scene->sample, scene->in_force, reading);
	add_need(reading, settings, rule->steppers, scene->sample);
	if (!alert) {
		if (!tw_alert_begins(settings, reading))
			return;
		alert = tw_alert_list_add(policy, index, settings, row);
		if (!alert) {
			rule->roomless += !is_eased(settings, reading);
			return;
		}
		alert->demand = once;
	}
	alert->seen = true;
	edge = tw_alert_step(alert, settings, reading, scene->now_usec);
	if (edge == TW_ALERT_EDGE_RAISED || alert->state == TW_RULE_RISING) {
		alert->eased = is_eased(settings, reading);
		alert->mild = is_mild(alert, reading, scene);
	} else if (tw_alert_active(alert) && becomes_serious(alert, reading, scene)) {
		edge = TW_ALERT_EDGE_REMINDED;
	}
	if (tw_alert_list_promote(policy, alert, scene->now_usec) && tw_alert_active(alert))
		edge = TW_ALERT_EDGE_RAISED;
	if (edge == TW_ALERT_EDGE_RAISED || edge == TW_ALERT_EDGE_REMINDED)
		alert->subject = row->subject;
	tell_edge(edge, alert, reading, scene);
}

/* Held as an alert is: as long as the rule says, and at two looks where one proves nothing. */
void tw_alert_table_tell_more(struct tw_policy *policy, unsigned index, const struct tw_scene *scene)
{
	const struct tw_rule_settings *settings = &scene->settings->rules[index];
	struct tw_policy_rule *rule = &policy->rules[index];
	struct tw_event event = rule_event(TW_EVENT_RAISED, settings);
	unsigned more = rule->roomless;
	const struct tw_alert *alert;
	usec_t hold_usec;
	bool once;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, index, &i));)
		more += alert->quiet && alert->seen && !alert->eased &&
			(alert->state == TW_RULE_RISING || alert->state == TW_RULE_RAISED);
	once = more == 0 || tw_metric_info(settings->metric)->source == TW_METRIC_FROM_SURVEY;
	hold_usec = more > 0 ? settings->raise_for_usec : settings->clear_for_usec;
	if ((more > 0) == rule->more_told) {
		rule->more_looks = 0;
		return;
	}
	if (rule->more_looks++ == 0)
		rule->more_usec = rule->measured_usec;
	if (rule->more_looks < (once ? 1 : 2) || rule->measured_usec - rule->more_usec < hold_usec)
		return;
	rule->more_looks = 0;
	rule->more_told = more > 0;
	event.has_count = event.more = true;
	event.count = more;
	if (more > 0)
		tw_scene_tell(scene, &event);
}

static void wait_all(struct tw_policy *policy, unsigned index, bool blind, const struct tw_scene *scene)
{
	struct tw_alert *alert;

	for (unsigned i = 0; (alert = tw_alert_list_next(policy, index, &i));) {
		bool frozen = alert->frozen;

		if (alert->state == TW_RULE_NORMAL)
			continue;
		tell_edge(tw_alert_wait(alert, &scene->settings->rules[index], scene->now_usec), alert, NULL, scene);
		alert->frozen = blind || frozen;
	}
}

static void go_blind(struct tw_policy *policy, unsigned index, usec_t at_usec, const struct tw_scene *scene)
{
	struct tw_policy_rule *rule = &policy->rules[index];

	wait_all(policy, index, true, scene);
	if (rule->blind > 0 && at_usec == rule->blind_usec)
		return;
	rule->blind_usec = at_usec;
	rule->blind = TW_MIN(rule->blind + 1, BLIND_LOOKS + 1);
	if (rule->blind == BLIND_LOOKS)
		tell_frozen(&scene->settings->rules[index], !rule->known, scene);
}

bool tw_alert_table_measure(struct tw_policy *policy, unsigned index, const struct tw_scene *scene)
{
	const struct tw_rule_settings *settings = &scene->settings->rules[index];
	usec_t at_usec = tw_reading_at(scene->sample, settings);
	struct tw_policy_rule *rule = &policy->rules[index];
	struct tw_readings readings;
	struct tw_alert *alert;

	if (!tw_reading_known(scene->sample, settings)) {
		go_blind(policy, index, at_usec, scene);
		return false;
	}
	/* The same measurement again says nothing new, but that time goes on. */
	if (rule->known && rule->blind == 0 && at_usec <= rule->measured_usec) {
		wait_all(policy, index, false, scene);
		return false;
	}
	rule->known = true;
	rule->blind = 0;
	rule->measured_usec = at_usec;
	rule->roomless = 0;
	tw_reading_all(scene->sample, settings, &readings);
	for (unsigned i = 0; i < readings.count; i++)
		take_reading(policy, index, &readings.rows[i], scene);
	/* What a whole measurement does not have any more is at 0. */
	for (unsigned i = 0; (alert = tw_alert_list_next(policy, index, &i));) {
		struct tw_reading_row row = { alert->subject, tw_reading_absent(scene->sample, settings) };

		if (!alert->seen)
			take_reading(policy, index, &row, scene);
	}
	return true;
}
