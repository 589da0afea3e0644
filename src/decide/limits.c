/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/limits.h"

#include "base/text.h"
#include "decide/gate.h"

#include <string.h>

/* One tunable's hearing: what the parts of it need. */
struct hearing {
	enum tw_tunable tunable;
	const struct tw_desire *desire;
	const struct tw_sample *sample;
	usec_t now_usec;
	struct tw_recorder *recorder;
	const char *namespace;
};

/* That of one tunable, at the time and place of all. */
static struct hearing hear(const struct hearing *all, enum tw_tunable tunable, const struct tw_desires *desires)
{
	struct hearing hearing = *all;

	hearing.tunable = tunable;
	hearing.desire = &desires->rows[tunable];
	return hearing;
}

static struct tw_event hearing_event(const struct hearing *it, enum tw_event_kind kind, enum tw_severity severity)
{
	return (struct tw_event){
		.kind = kind,
		.severity = severity,
		.rule = it->desire->rule,
		.has_sysctl = true,
		.sysctl = it->tunable,
		.subject = it->desire->subject,
	};
}

/* ---- before the change */

static struct tw_event refused_event(const struct hearing *it)
{
	struct tw_event event = hearing_event(it, TW_EVENT_REFUSED, TW_SEVERITY_WARNING);

	event.has_metric = true;
	event.metric = it->desire->rule->metric;
	event.value = it->desire->metric_value;
	event.old = it->sample->gauge.sysctls[it->tunable];
	event.new = (struct tw_live_value){ .value = it->desire->value, .known = true };
	return event;
}

static usec_t pause_left(const struct tw_limits_row *row, usec_t now_usec)
{
	return tw_usec_since(tw_usec_add(row->paused_usec, row->pause_usec), now_usec);
}

void tw_limits_pause(struct tw_limits *limits, enum tw_tunable tunable, usec_t pause_usec, usec_t now_usec)
{
	struct tw_limits_row *row = &limits->rows[tunable];

	if (pause_left(row, now_usec) >= pause_usec)
		return;
	row->paused_usec = now_usec;
	row->pause_usec = pause_usec;
}

static bool refuse_paused(struct tw_limits_row *row, const struct hearing *it)
{
	usec_t left_usec = pause_left(row, it->now_usec);
	struct tw_event event;
	struct tw_text reason, advice;

	if (left_usec > 0 && !row->pause_told) {
		event = refused_event(it);
		tw_text_init(&reason, event.reason, sizeof(event.reason));
		tw_text_add(&reason, "everything was put back on request ");
		tw_value_add_span(&reason, tw_usec_since(it->now_usec, row->paused_usec));
		tw_text_add(&reason, " ago, and nothing is changed for another ");
		tw_value_add_span(&reason, left_usec);
		tw_text_init(&advice, event.advice, sizeof(event.advice));
		tw_text_add(&advice, tw_gate_other_remedy(it->tunable));
		it->recorder->tell(it->recorder, it->namespace, &event);
	}
	row->pause_told = left_usec > 0;
	return left_usec > 0;
}

static void tell_spent(const struct hearing *it, struct tw_limits_row *row, unsigned max_changes, usec_t wait_usec)
{
	struct tw_event event = refused_event(it);
	struct tw_text reason, advice;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_addf(&reason, "it was changed %u times within the last hour, and max-changes is %u; the next change ",
		     tw_budget_spent(&row->budget, it->now_usec), max_changes);
	tw_text_add(&reason, "can be in ");
	tw_value_add_span(&reason, wait_usec);
	tw_text_init(&advice, event.advice, sizeof(event.advice));
	tw_text_add(&advice, "a wider gap between raise and clear of the rule, or a longer clear-for");
	it->recorder->tell(it->recorder, it->namespace, &event);
}

/* What is in force stays: putting it back would be followed by one more change. */
static void hold(struct tw_limits_row *row, struct tw_desire *desire)
{
	if (row->was_ours)
		desire->value = row->was;
	else
		memset(desire, 0, sizeof(*desire));
}

/* Where nothing of ours is in force and the sysctl has the value that is wanted, nothing is refused. */
static bool is_there(const struct tw_limits_row *row, const struct hearing *it)
{
	const struct tw_live_value *live = &it->sample->gauge.sysctls[it->tunable];

	return !row->was_ours && live->known && tw_tunable_equal(it->tunable, &live->value, &it->desire->value);
}

/* Holds the row where the hour's changes are used up. */
static void keep_budget(struct tw_limits_row *row, const struct hearing *it, struct tw_desire *desire,
			unsigned max_changes, bool yielded)
{
	/* What is only told changes nothing, nor does what is somebody else's. */
	bool changes = !desire->advised && !yielded &&
		       !(row->was_ours && tw_tunable_equal(it->tunable, &row->was, &desire->value));
	usec_t wait_usec = max_changes > 0 ? tw_budget_wait(&row->budget, max_changes, it->now_usec) : 0;

	if (wait_usec == 0)
		row->budget_told = false;
	if (wait_usec == 0 || !changes)
		return;
	/* Held all the same: the gauge can be older than the last way back. */
	if (!is_there(row, it)) {
		if (!row->budget_told)
			tell_spent(it, row, max_changes, wait_usec);
		row->budget_told = true;
	}
	hold(row, desire);
}

void tw_limits_filter(struct tw_limits *limits, struct tw_desires *desires, const struct tw_in_force *in_force,
		      unsigned max_changes, const struct tw_sample *sample, usec_t now_usec,
		      struct tw_recorder *recorder, const char *namespace)
{
	const struct hearing all = {
		.sample = sample, .now_usec = now_usec, .recorder = recorder, .namespace = namespace
	};

	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		struct tw_limits_row *row = &limits->rows[i];
		const struct hearing hearing = hear(&all, (enum tw_tunable)i, desires);

		row->was_ours = in_force->rows[i].ours;
		row->was = in_force->rows[i].value;
		if (!hearing.desire->wanted)
			row->pause_told = false;
		/* What is somebody else's passes, or it would be forgotten that it is theirs. */
		else if (!in_force->rows[i].yielded && refuse_paused(row, &hearing))
			memset(&desires->rows[i], 0, sizeof(desires->rows[i]));
		else
			keep_budget(row, &hearing, &desires->rows[i], max_changes, in_force->rows[i].yielded);
	}
}

void tw_limits_note(struct tw_limits *limits, const struct tw_in_force *in_force, usec_t now_usec)
{
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		struct tw_limits_row *row = &limits->rows[i];
		const struct tw_tunable_value *value = &in_force->rows[i].value;

		if (in_force->rows[i].ours &&
		    !(row->was_ours && tw_tunable_equal((enum tw_tunable)i, &row->was, value)))
			tw_budget_note(&row->budget, now_usec);
	}
}
