/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/alerts.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define ROOM_FIRST 32

void tw_alerts_done(struct tw_past_alerts *alerts)
{
	free(alerts->rows);
	*alerts = (struct tw_past_alerts){ 0 };
}

/* The one of the rule that is still up; NULL for none. */
static struct tw_past_alert *find_open(struct tw_past_alerts *alerts, const char *rule)
{
	for (size_t i = alerts->count; i > 0; i--)
		if (alerts->rows[i - 1].end == TW_ALERT_OPEN && strcmp(alerts->rows[i - 1].rule, rule) == 0)
			return &alerts->rows[i - 1];
	return NULL;
}

static int make_room(struct tw_past_alerts *alerts)
{
	size_t room = alerts->room > 0 ? 2 * alerts->room : ROOM_FIRST;
	struct tw_past_alert *rows;

	if (alerts->count < alerts->room)
		return 0;
	rows = reallocarray(alerts->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	alerts->rows = rows;
	alerts->room = room;
	return 0;
}

int tw_alerts_raise(struct tw_past_alerts *alerts, const char *rule, usec_t at_usec)
{
	struct tw_past_alert alert = { .raised_usec = at_usec, .twin = SIZE_MAX };
	int r;

	(void)tw_text_copy(alert.rule, sizeof(alert.rule), rule);
	if (find_open(alerts, alert.rule))
		return 0;
	r = make_room(alerts);
	if (r < 0)
		return r;
	alerts->rows[alerts->count++] = alert;
	return 0;
}

static void end(struct tw_past_alert *alert, enum tw_alert_end how, usec_t at_usec)
{
	alert->end = how;
	alert->ended_usec = at_usec;
}

void tw_alerts_clear(struct tw_past_alerts *alerts, const char *rule, usec_t at_usec)
{
	struct tw_past_alert *alert = find_open(alerts, rule);

	if (alert)
		end(alert, TW_ALERT_CLEARED, at_usec);
}

void tw_alerts_stop(struct tw_past_alerts *alerts, usec_t at_usec)
{
	for (size_t i = 0; i < alerts->count; i++)
		if (alerts->rows[i].end == TW_ALERT_OPEN)
			end(&alerts->rows[i], TW_ALERT_STOPPED, at_usec);
}

static usec_t end_of(const struct tw_past_alert *alert)
{
	return alert->end == TW_ALERT_OPEN ? TW_USEC_INFINITY : alert->ended_usec;
}

static bool meet(const struct tw_past_alert *a, const struct tw_past_alert *b, usec_t slack_usec)
{
	return strcmp(a->rule, b->rule) == 0 && a->raised_usec <= tw_usec_add(end_of(b), slack_usec) &&
	       b->raised_usec <= tw_usec_add(end_of(a), slack_usec);
}

void tw_alerts_match(struct tw_past_alerts *a, struct tw_past_alerts *b, usec_t slack_usec)
{
	for (size_t i = 0; i < a->count; i++)
		a->rows[i].twin = SIZE_MAX;
	for (size_t i = 0; i < b->count; i++)
		b->rows[i].twin = SIZE_MAX;
	for (size_t i = 0; i < a->count; i++) {
		for (size_t j = 0; j < b->count && a->rows[i].twin == SIZE_MAX; j++) {
			if (b->rows[j].twin != SIZE_MAX || !meet(&a->rows[i], &b->rows[j], slack_usec))
				continue;
			a->rows[i].twin = j;
			b->rows[j].twin = i;
		}
	}
}

static bool is_near(usec_t a, usec_t b, usec_t slack_usec)
{
	return tw_usec_since(a, b) <= slack_usec && tw_usec_since(b, a) <= slack_usec;
}

bool tw_alerts_same(const struct tw_past_alert *a, const struct tw_past_alert *b, usec_t slack_usec)
{
	return a->end == b->end && is_near(a->raised_usec, b->raised_usec, slack_usec) &&
	       is_near(a->ended_usec, b->ended_usec, slack_usec);
}
