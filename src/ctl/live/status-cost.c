/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/status-cost.h"

#include "ctl/live/status-say.h"

/* Milliseconds as seconds have them: 0.04 -> "0.04 ms". */
static struct tw_figure milliseconds(struct tw_value value)
{
	struct tw_figure figure;
	struct tw_text text;

	tw_text_init(&text, figure.bytes, sizeof(figure.bytes));
	if (value.known)
		tw_text_add_milli_rounded(&text, value.milli, 2);
	tw_text_add(&text, value.known ? " ms" : "none yet");
	return figure;
}

static struct tw_figure age(struct tw_value value)
{
	struct tw_figure figure = { "never" };
	struct tw_text text;

	if (!value.known)
		return figure;
	tw_text_init(&text, figure.bytes, sizeof(figure.bytes));
	tw_value_add(&text, value, TW_UNIT_SECONDS);
	tw_text_add(&text, " ago");
	return figure;
}

void tw_status_add_cost(struct tw_screen *screen, const struct tw_view_namespace *namespace)
{
	tw_screen_words(screen, TW_STYLE_TITLE, 0, "Watching:");
	SAY(screen, TW_STYLE_FAINT, 2, " gauge %s (%s), census %s (%s), survey %s (%s);",
	    age(namespace->age_gauge).bytes, milliseconds(namespace->cost_tick).bytes, age(namespace->age_census).bytes,
	    milliseconds(namespace->cost_census).bytes, age(namespace->age_survey).bytes,
	    milliseconds(namespace->cost_survey).bytes);
	SAY(screen, TW_STYLE_FAINT, 2, " %s of CPU time in all", milliseconds(namespace->cost_total).bytes);
	tw_screen_end(screen);
}
