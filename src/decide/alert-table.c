/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/alert-table.h"

#include "base/macros.h"
#include "base/text.h"
#include "decide/desired.h"
#include "decide/gate.h"
#include "decide/reading.h"

#include <string.h>

/*
 * So many measurements in a row without a value are worth telling. A rate has none on the very first gauge, and one
 * dump that broke off, or that came when what was just counted had ended, is made up for by the next.
 */
#define BLIND_LOOKS 2
/* So much is serious, whoever holds it. */
#define SERIOUS_MILLI (75 * 1000)

/* ---- what is told */

static struct tw_event alert_event(enum tw_event_kind kind, const struct tw_rule_settings *settings,
				   const struct tw_alert *alert)
{
	return (struct tw_event){
		.kind = kind,
		.severity = tw_alert_severity(alert, settings),
		.rule = settings,
		.has_metric = true,
		.metric = settings->metric,
		.value = alert->value,
		.threshold = tw_value_of(settings->raise_milli),
		.subject = alert->subject,
	};
}

static void tell_frozen(const struct tw_rule_settings *settings, const struct tw_policy_rule *rule,
			const struct tw_alert_scene *scene)
{
	const struct tw_metric_info *info = tw_metric_info(settings->metric);
	struct tw_event event = {
		.kind = TW_EVENT_PARTIAL,
		.severity = TW_SEVERITY_WARNING,
		.rule = settings,
		.has_metric = true,
		.metric = settings->metric,
		.threshold = tw_value_of(settings->raise_milli),
	};
	struct tw_text reason;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_addf(&reason, "%s has no value now; rule %s stays as it is until it has one", info->name,
		     settings->name);
	if (!rule->known && info->host_only)
		tw_text_add(&reason, " (the kernel tells it in the first network namespace only)");
	if (!rule->known && info->since)
		tw_text_addf(&reason, " (the kernel tells it since %s)", info->since);
	scene->recorder->tell(scene->recorder, scene->namespace, &event);
}

void tw_alert_table_tell_cleared(const struct tw_rule_settings *settings, const struct tw_alert *alert, usec_t now_usec,
				 const char *reason, struct tw_recorder *recorder, const char *namespace)
{
	struct tw_event event = alert_event(TW_EVENT_CLEARED, settings, alert);

	if (alert->quiet)
		return;
	event.threshold = tw_value_of(settings->clear_milli);
	event.lasted_usec = tw_usec_since(now_usec, alert->raised_usec);
	(void)tw_text_copy(event.reason, sizeof(event.reason), reason);
	recorder->tell(recorder, namespace, &event);
}

/* What the raise rests on where it is not the level, and how many sockets it is about. */
static void add_grounds(struct tw_event *event, const struct tw_rule_settings *settings, const struct tw_alert *alert,
			const struct tw_reading *reading, const struct tw_sample *sample)
{
	struct tw_text reason;

	if (alert->subject.unit[0] != '\0')
		event->has_count = tw_reading_count(sample, settings, alert->subject.unit, &event->count);
	tw_text_init(&reason, event->reason, sizeof(event->reason));
	if (alert->ahead && reading->eta.known) {
		/* With a long raise-for it can be at its level already. */
		event->forecast = alert->value.milli < settings->raise_milli;
		tw_text_add(&reason, "all ports are in use in ");
		tw_value_add(&reason, reading->eta, TW_UNIT_SECONDS);
		tw_text_add(&reason, " at the present rate");
	} else if (alert->eased && reading->judged.known) {
		tw_text_addf(&reason, "%s is in force; without that it would come to ",
			     tw_tunable_info(TW_TUNABLE_TW_REUSE)->key);
		tw_value_add(&reason, reading->judged, TW_UNIT_PERCENT);
	}
}

static void tell_over(enum tw_event_kind kind, const struct tw_rule_settings *settings, const struct tw_alert *alert,
		      const struct tw_reading *reading, const struct tw_alert_scene *scene)
{
	struct tw_event event = alert_event(kind, settings, alert);

	event.sample = scene->sample;
	event.top = scene->top;
	event.lasted_usec = tw_usec_since(scene->now_usec, alert->raised_usec);
	if (kind == TW_EVENT_RAISED && reading)
		add_grounds(&event, settings, alert, reading, scene->sample);
	scene->recorder->tell(scene->recorder, scene->namespace, &event);
}

void tw_alert_table_tell_raised(const struct tw_rule_settings *settings, struct tw_alert *alert,
				const struct tw_alert_scene *scene)
{
	tw_alert_table_make_loud(alert, scene->now_usec);
	tell_over(TW_EVENT_RAISED, settings, alert, NULL, scene);
}

/* That there are more subjects over the level than are told one by one. */
static void tell_more(const struct tw_rule_settings *settings, const struct tw_policy_rule *rule,
		      const struct tw_alert_scene *scene)
{
	struct tw_event event = {
		.kind = TW_EVENT_RAISED,
		.severity = settings->severity,
		.rule = settings,
		.has_metric = true,
		.metric = settings->metric,
		.threshold = tw_value_of(settings->raise_milli),
		.has_count = true,
		.count = rule->more,
		.more = true,
	};

	scene->recorder->tell(scene->recorder, scene->namespace, &event);
}

static void tell_edge(enum tw_alert_edge edge, const struct tw_rule_settings *settings, struct tw_alert *alert,
		      const struct tw_reading *reading, const struct tw_alert_scene *scene)
{
	if (alert->quiet)
		return;
	switch (edge) {
	case TW_ALERT_NO_EDGE:
		return;
	case TW_ALERT_EDGE_CLEARED:
		tw_alert_table_tell_cleared(settings, alert, scene->now_usec, "", scene->recorder, scene->namespace);
		return;
	case TW_ALERT_EDGE_RAISED:
	case TW_ALERT_EDGE_REMINDED:
		tell_over(edge == TW_ALERT_EDGE_RAISED ? TW_EVENT_RAISED : TW_EVENT_REMINDED, settings, alert, reading,
			  scene);
		return;
	}
}

/* ---- one rule's measurement */

/* A rule whose steps are still needed does not clear: a remedy that works looks as if there were nothing to cure. */
static void add_need(struct tw_reading *reading, const struct tw_rule_settings *settings,
		     const struct tw_stepper *steppers, const struct tw_sample *sample)
{
	if (!reading->pressure.known || !tw_rule_settings_upward(settings))
		return;
	for (unsigned i = 0; i < settings->action_count; i++)
		if (tw_stepper_needed(&steppers[i], &settings->actions[i], sample) &&
		    reading->pressure.milli < settings->raise_milli)
			reading->pressure.milli = settings->raise_milli;
}

/* Not over the level itself, so that it is what is in force that keeps it under. */
static bool is_eased(const struct tw_rule_settings *settings, const struct tw_reading *reading)
{
	return tw_rule_settings_upward(settings) && reading->value.milli < settings->raise_milli && !reading->soon;
}

/* Whether an action of the rule may be of use to this subject: its gate lets it through, or it has none. */
static bool any_open(const struct tw_rule_settings *settings, const struct tw_subject *subject,
		     const struct tw_alert_scene *scene)
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
static bool is_mild(const struct tw_rule_settings *settings, const struct tw_alert *alert,
		    const struct tw_reading *reading, const struct tw_alert_scene *scene)
{
	const struct tw_subject *subject = &alert->subject;
	const struct tw_destination_row *row;

	if (settings->metric != TW_METRIC_PORT_USE || !subject->has_destination || settings->action_count == 0 ||
	    !tw_rule_settings_upward(settings) || reading->value.milli >= SERIOUS_MILLI)
		return false;
	row = tw_gate_row(scene->sample, subject);
	if (row && (uint64_t)row->ports * 2 > scene->sample->survey.usable)
		return false;
	return (alert->ahead && reading->value.milli < settings->raise_milli) ||
	       !any_open(settings, subject, scene);
}

/* Told as nobody's business until now, and raised still: it is told once more, with what is refused for it. */
static bool becomes_serious(struct tw_alert *alert, const struct tw_rule_settings *settings,
			    const struct tw_reading *reading, const struct tw_alert_scene *scene)
{
	if ((!alert->eased || is_eased(settings, reading)) &&
	    (!alert->mild || is_mild(settings, alert, reading, scene)))
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
		      const struct tw_reading *reading, const struct tw_sample *sample)
{
	const struct tw_survey *survey = &sample->survey;
	struct tw_value most =
		tw_value_percent((uint64_t)survey->exclusive_ports + survey->unclear_ports, survey->usable);

	return alert->subject.has_binder && alert->subject.holds_for_all && survey->unclear_ports > 0 &&
	       (settings->metric != TW_METRIC_PORT_USE ||
		(reading->pressure.milli <= settings->clear_milli && most.milli > settings->clear_milli));
}

static void take_reading(struct tw_policy *policy, unsigned index, const struct tw_rule_settings *settings,
			 struct tw_reading_row *row, const struct tw_alert_scene *scene)
{
	struct tw_policy_rule *rule = &policy->rules[index];
	struct tw_alert *alert = tw_alert_table_find(policy, index, settings, &row->subject);
	struct tw_demand once = { 0 };
	struct tw_demand *demand = alert ? &alert->demand : &once;
	enum tw_alert_edge edge;

	if (alert && is_hidden(alert, settings, &row->reading, scene->sample)) {
		alert->seen = true;
		tell_edge(tw_alert_wait(alert, settings, scene->now_usec), settings, alert, NULL, scene);
		return;
	}
	if (row->reading.ports.known)
		tw_demand_add(demand, row->reading.ports.young, row->reading.at_usec);
	tw_demand_judge(demand, settings, scene->sample, scene->in_force, &row->reading);
	add_need(&row->reading, settings, rule->steppers, scene->sample);
	if (!alert) {
		if (!tw_alert_begins(settings, &row->reading))
			return;
		alert = tw_alert_table_add(policy, index, settings, row);
		if (!alert) {
			rule->roomless += !is_eased(settings, &row->reading);
			return;
		}
		alert->demand = once;
	}
	alert->seen = true;
	edge = tw_alert_step(alert, settings, &row->reading, scene->now_usec);
	if (edge == TW_ALERT_EDGE_RAISED || alert->state == TW_RULE_RISING) {
		alert->eased = is_eased(settings, &row->reading);
		alert->mild = is_mild(settings, alert, &row->reading, scene);
	} else if (tw_alert_active(alert) && becomes_serious(alert, settings, &row->reading, scene)) {
		edge = TW_ALERT_EDGE_REMINDED;
	}
	if (tw_alert_table_promote(policy, alert, scene->now_usec) && tw_alert_active(alert))
		edge = TW_ALERT_EDGE_RAISED;
	if (edge == TW_ALERT_EDGE_RAISED || edge == TW_ALERT_EDGE_REMINDED)
		alert->subject = row->subject;
	tell_edge(edge, settings, alert, &row->reading, scene);
}

static unsigned count_more(const struct tw_policy *policy, unsigned index)
{
	unsigned more = policy->rules[index].roomless;

	for (unsigned i = 0; i < policy->alert_count; i++) {
		const struct tw_alert *alert = &policy->alerts[i];

		more += alert->rule == index && alert->quiet && alert->seen && !alert->eased &&
			(alert->state == TW_RULE_RISING || alert->state == TW_RULE_RAISED);
	}
	return more;
}

/* Held as an alert is: as long as the rule says, and at two looks where one proves nothing. */
void tw_alert_table_tell_more(struct tw_policy *policy, unsigned index, const struct tw_rule_settings *settings,
			      const struct tw_alert_scene *scene)
{
	struct tw_policy_rule *rule = &policy->rules[index];
	unsigned more = count_more(policy, index);
	bool over = more > 0;
	bool once = !over || tw_metric_info(settings->metric)->source == TW_METRIC_FROM_SURVEY;
	usec_t hold_usec = over ? settings->raise_for_usec : settings->clear_for_usec;

	rule->more = more;
	if (over == rule->more_told) {
		rule->more_looks = 0;
		return;
	}
	if (rule->more_looks++ == 0)
		rule->more_usec = rule->measured_usec;
	if (rule->more_looks < (once ? 1 : 2) || rule->measured_usec - rule->more_usec < hold_usec)
		return;
	rule->more_looks = 0;
	rule->more_told = over;
	if (over)
		tell_more(settings, rule, scene);
}

/* What a whole measurement does not have any more is at 0. */
static void take_absent(struct tw_policy *policy, unsigned index, const struct tw_rule_settings *settings,
			const struct tw_alert_scene *scene)
{
	for (unsigned i = 0; i < policy->alert_count; i++) {
		struct tw_alert *alert = &policy->alerts[i];
		struct tw_reading_row row = { .subject = alert->subject };

		if (alert->rule != index || alert->seen)
			continue;
		row.reading = tw_reading_absent(scene->sample, settings);
		take_reading(policy, index, settings, &row, scene);
	}
}

static void wait_all(struct tw_policy *policy, unsigned index, const struct tw_rule_settings *settings, bool blind,
		     const struct tw_alert_scene *scene)
{
	for (unsigned i = 0; i < policy->alert_count; i++) {
		struct tw_alert *alert = &policy->alerts[i];
		bool frozen = alert->frozen;

		if (alert->rule != index || alert->state == TW_RULE_NORMAL)
			continue;
		tell_edge(tw_alert_wait(alert, settings, scene->now_usec), settings, alert, NULL, scene);
		alert->frozen = blind || frozen;
	}
}

static void go_blind(struct tw_policy *policy, unsigned index, const struct tw_rule_settings *settings,
		     const struct tw_alert_scene *scene)
{
	struct tw_policy_rule *rule = &policy->rules[index];
	usec_t at_usec = tw_reading_at(scene->sample, settings);

	wait_all(policy, index, settings, true, scene);
	if (rule->blind > 0 && at_usec == rule->blind_usec)
		return;
	rule->blind_usec = at_usec;
	rule->blind = TW_MIN(rule->blind + 1, BLIND_LOOKS + 1);
	if (rule->blind == BLIND_LOOKS)
		tell_frozen(settings, rule, scene);
}

/* Ends the alerts that are over, but for those that have to remember what made no difference. */
void tw_alert_table_sweep(struct tw_policy *policy, unsigned index, usec_t now_usec)
{
	bool any = false;

	for (unsigned i = policy->alert_count; i-- > 0;) {
		struct tw_alert *alert = &policy->alerts[i];

		alert->seen = false;
		if (alert->rule != index)
			continue;
		if (alert->state != TW_RULE_NORMAL)
			any = true;
		else if (!tw_desired_rests(alert, now_usec))
			tw_alert_table_drop(policy, i);
	}
	if (any)
		policy->rules[index].normal_usec = 0;
	else if (policy->rules[index].normal_usec == 0)
		policy->rules[index].normal_usec = now_usec;
}

bool tw_alert_table_measure(struct tw_policy *policy, unsigned index, const struct tw_rule_settings *settings,
			    const struct tw_alert_scene *scene)
{
	struct tw_policy_rule *rule = &policy->rules[index];
	struct tw_reading_cursor cursor = { 0 };
	struct tw_reading_row row;

	if (!tw_reading_known(scene->sample, settings)) {
		go_blind(policy, index, settings, scene);
		return false;
	}
	/* The same measurement again says nothing new, but that time goes on. */
	if (rule->known && rule->blind == 0 && tw_reading_at(scene->sample, settings) <= rule->measured_usec) {
		wait_all(policy, index, settings, false, scene);
		return false;
	}
	rule->known = true;
	rule->blind = 0;
	rule->measured_usec = tw_reading_at(scene->sample, settings);
	rule->roomless = 0;
	while (tw_reading_next(scene->sample, settings, &cursor, &row))
		take_reading(policy, index, settings, &row, scene);
	take_absent(policy, index, settings, scene);
	return true;
}
