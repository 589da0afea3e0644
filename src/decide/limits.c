/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the desires passes, apart from how they come to be for its length. */
#include "decide/desired.h"

#include "base/text.h"
#include "decide/gate.h"

#include <string.h>

/* ---- changes within the hour */

/* Forgets what lies too far back. */
static void turn_to(struct tw_budget *budget, usec_t now_usec)
{
	uint64_t minute = now_usec / TW_USEC_PER_MINUTE;

	if (minute <= budget->minute)
		return;
	if (minute - budget->minute >= TW_BUDGET_MINUTES)
		memset(budget->counts, 0, sizeof(budget->counts));
	else
		for (uint64_t i = budget->minute + 1; i <= minute; i++)
			budget->counts[i % TW_BUDGET_MINUTES] = 0;
	budget->minute = minute;
}

void tw_budget_note(struct tw_budget *budget, usec_t now_usec)
{
	uint16_t *count;

	turn_to(budget, now_usec);
	count = &budget->counts[budget->minute % TW_BUDGET_MINUTES];
	if (*count < UINT16_MAX)
		++*count;
}

unsigned tw_budget_spent(struct tw_budget *budget, usec_t now_usec)
{
	unsigned spent = 0;

	turn_to(budget, now_usec);
	for (unsigned i = 0; i < TW_BUDGET_MINUTES; i++)
		spent += budget->counts[i];
	return spent;
}

usec_t tw_budget_wait(struct tw_budget *budget, unsigned most, usec_t now_usec)
{
	unsigned spent = tw_budget_spent(budget, now_usec);

	/* The oldest minutes end first: the slot behind the newest minute is the oldest. */
	for (unsigned i = 1; i <= TW_BUDGET_MINUTES && spent >= most; i++) {
		spent -= budget->counts[(budget->minute + i) % TW_BUDGET_MINUTES];
		if (spent < most)
			return tw_usec_since((budget->minute + i) * TW_USEC_PER_MINUTE, now_usec);
	}
	return 0;
}

/* ---- before the change */

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

static bool refuse_paused(struct tw_limits_row *row, enum tw_tunable tunable, const struct tw_desire *desire,
			  const struct tw_scene *scene)
{
	usec_t left_usec = pause_left(row, scene->now_usec);
	struct tw_notice notice;

	if (left_usec > 0 && !row->pause_told) {
		tw_notice_init(&notice, TW_EVENT_REFUSED, tunable, desire, scene);
		tw_text_add(&notice.reason, "everything was put back on request ");
		tw_value_add_span(&notice.reason, tw_usec_since(scene->now_usec, row->paused_usec));
		tw_text_add(&notice.reason, " ago, and nothing is changed for another ");
		tw_value_add_span(&notice.reason, left_usec);
		tw_text_add(&notice.advice, tw_gate_other_remedy(tunable));
		tw_scene_tell(scene, &notice.event);
	}
	row->pause_told = left_usec > 0;
	return left_usec > 0;
}

static void tell_spent(struct tw_limits_row *row, enum tw_tunable tunable, const struct tw_desire *desire,
		       usec_t wait_usec, const struct tw_scene *scene)
{
	struct tw_notice notice;

	tw_notice_init(&notice, TW_EVENT_REFUSED, tunable, desire, scene);
	tw_text_addf(&notice.reason,
		     "it was changed %u times within the last hour, and max-changes is %u; the next change can be in ",
		     tw_budget_spent(&row->budget, scene->now_usec), scene->settings->max_changes);
	tw_value_add_span(&notice.reason, wait_usec);
	tw_text_add(&notice.advice, "a wider gap between raise and clear of the rule, or a longer clear-for");
	tw_scene_tell(scene, &notice.event);
}

/* Whether the row was in force with this value. */
static bool was(const struct tw_limits_row *row, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	return row->was_ours && tw_tunable_equal(tunable, &row->was, value);
}

/* Holds the row where the hour's changes are used up. */
static void keep_budget(struct tw_limits_row *row, enum tw_tunable tunable, struct tw_desire *desire,
			const struct tw_scene *scene)
{
	const struct tw_live_value *live = &scene->sample->gauge.sysctls[tunable];
	unsigned most = scene->settings->max_changes;
	usec_t wait_usec = most > 0 ? tw_budget_wait(&row->budget, most, scene->now_usec) : 0;

	if (wait_usec == 0)
		row->budget_told = false;
	/* What is only told changes nothing, nor does what is somebody else's. */
	if (wait_usec == 0 || desire->advised || scene->in_force->rows[tunable].yielded ||
	    was(row, tunable, &desire->value))
		return;
	/*
	 * Where nothing of ours is in force and the sysctl has the value that is wanted, nothing is refused. Held all
	 * the same: the gauge can be older than the last way back.
	 */
	if (row->was_ours || !live->known || !tw_tunable_equal(tunable, &live->value, &desire->value)) {
		if (!row->budget_told)
			tell_spent(row, tunable, desire, wait_usec, scene);
		row->budget_told = true;
	}
	/* What is in force stays: putting it back would be followed by one more change. */
	if (row->was_ours)
		desire->value = row->was;
	else
		memset(desire, 0, sizeof(*desire));
}

void tw_limits_filter(struct tw_limits *limits, struct tw_desires *desires, const struct tw_scene *scene)
{
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		const enum tw_tunable tunable = (enum tw_tunable)i;
		struct tw_limits_row *row = &limits->rows[i];
		struct tw_desire *desire = &desires->rows[i];

		row->was_ours = scene->in_force->rows[i].ours;
		row->was = scene->in_force->rows[i].value;
		if (!desire->wanted)
			row->pause_told = false;
		/* What is somebody else's passes, or it would be forgotten that it is theirs. */
		else if (!scene->in_force->rows[i].yielded && refuse_paused(row, tunable, desire, scene))
			memset(desire, 0, sizeof(*desire));
		else
			keep_budget(row, tunable, desire, scene);
	}
}

void tw_limits_note(struct tw_limits *limits, const struct tw_in_force *in_force, usec_t now_usec)
{
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		if (in_force->rows[i].ours && !was(&limits->rows[i], (enum tw_tunable)i, &in_force->rows[i].value))
			tw_budget_note(&limits->rows[i].budget, now_usec);
}
