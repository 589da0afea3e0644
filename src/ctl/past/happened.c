/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/happened.h"

#include <errno.h>
#include <string.h>

#define ROOM_FIRST 64
/* syslog(3): what a record without a priority has. */
#define PRIORITY_INFO 6

static void free_texts(struct tw_happening *row)
{
	free(row->rule);
	free(row->message);
	free(row->sysctl);
	free(row->old);
	free(row->new);
}

void tw_happened_done(struct tw_happened *happened)
{
	for (size_t i = 0; i < happened->count; i++)
		free_texts(&happened->rows[i]);
	free(happened->rows);
	free(happened->marks);
	*happened = (struct tw_happened){ 0 };
}

static int make_room(struct tw_happened *happened)
{
	size_t room = happened->room > 0 ? 2 * happened->room : ROOM_FIRST;
	struct tw_happening *rows;
	struct tw_chart_event *marks;

	if (happened->count < happened->room)
		return 0;
	rows = reallocarray(happened->rows, room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	happened->rows = rows;
	marks = reallocarray(happened->marks, room, sizeof(*marks));
	if (!marks)
		return -ENOMEM;
	happened->marks = marks;
	happened->room = room;
	return 0;
}

static unsigned find_priority(const struct tw_record *record)
{
	const char *text = tw_past_text(record, "PRIORITY");

	return text[0] >= '0' && text[0] <= '7' && text[1] == '\0' ? (unsigned)(text[0] - '0') : PRIORITY_INFO;
}

int tw_happened_take(struct tw_happened *happened, usec_t at_usec, enum tw_event_kind kind,
		     const struct tw_record *record)
{
	struct tw_happening row = {
		.at_usec = at_usec,
		.kind = kind,
		.priority = find_priority(record),
		.rule = strdup(tw_past_text(record, "TIMEWAITD_RULE")),
		.message = strdup(tw_past_text(record, "MESSAGE")),
		.sysctl = strdup(tw_past_text(record, "TIMEWAITD_SYSCTL")),
		.old = strdup(tw_past_text(record, "TIMEWAITD_OLD")),
		.new = strdup(tw_past_text(record, "TIMEWAITD_NEW")),
	};

	if (!row.rule || !row.message || !row.sysctl || !row.old || !row.new || make_room(happened) < 0) {
		free_texts(&row);
		return -ENOMEM;
	}
	happened->marks[happened->count] = (struct tw_chart_event){ at_usec, kind };
	happened->rows[happened->count++] = row;
	return 0;
}
