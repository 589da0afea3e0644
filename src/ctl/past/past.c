/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/past.h"

#include "base/parse.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64
/* syslog(3): what a record without a priority has. */
#define PRIORITY_INFO 6

bool tw_past_keeps(const char *name, size_t length)
{
	static const char *const others[] = { "MESSAGE", "PRIORITY", "_HOSTNAME", "_BOOT_ID" };

	/* In JSON a name may be anything; with a "=" in it, it would be another one. */
	if (length > 10 && memcmp(name, "TIMEWAITD_", 10) == 0)
		return !memchr(name, '=', length);
	for (size_t i = 0; i < TW_ARRAY_SIZE(others); i++)
		if (tw_parse_is(name, length, others[i]))
			return true;
	return false;
}

bool tw_past_add(struct tw_record *record, const char *name, size_t name_length, const char *value, size_t length)
{
	struct tw_text text;
	char word[64 + 1]; /* journald takes names of at most 64 bytes */

	if (!tw_past_keeps(name, name_length) || !tw_text_copy_bytes(word, sizeof(word), name, name_length))
		return false;
	tw_record_begin(record, &text, "", word);
	tw_text_add_bytes(&text, value, strnlen(value, length));
	return tw_record_end(record, &text);
}

bool tw_past_event(const struct tw_record *record, enum tw_event_kind *ret)
{
	const char *name = tw_record_get(record, "TIMEWAITD_EVENT");

	for (unsigned i = 0; name && i < TW_EVENT_COUNT; i++) {
		if (strcmp(name, tw_event_name((enum tw_event_kind)i)) == 0) {
			*ret = (enum tw_event_kind)i;
			return true;
		}
	}
	return false;
}

struct tw_value tw_past_milli(const struct tw_record *record, const char *name)
{
	const char *text = tw_record_get(record, name);
	int64_t milli;

	if (!text || tw_parse_milli(text, strlen(text), &milli) < 0)
		return tw_value_unknown();
	return tw_value_of(milli);
}

struct tw_count tw_past_u64(const struct tw_record *record, const char *name)
{
	const char *text = tw_record_get(record, name);
	struct tw_count count = { 0 };

	count.known = text && tw_parse_u64(text, strlen(text), &count.value) >= 0;
	return count;
}

const char *tw_past_text(const struct tw_record *record, const char *name)
{
	const char *text = tw_record_get(record, name);

	return text ? text : "";
}

struct tw_value tw_past_metric(const struct tw_record *record, enum tw_metric metric)
{
	char name[64 + 1];

	tw_past_name(tw_metric_info(metric)->name, name);
	return tw_past_milli(record, name);
}

const char *tw_past_name(const char *word, char ret[TW_PAST_NAME_MAX])
{
	struct tw_text text;

	tw_text_init(&text, ret, TW_PAST_NAME_MAX);
	tw_text_add(&text, "TIMEWAITD_");
	for (; *word != '\0'; word++)
		tw_text_add_char(&text, *word == '-' ? '_' : *word >= 'a' && *word <= 'z' ? (char)(*word - 32) : *word);
	return ret;
}

void *tw_past_room(void *rows, size_t count, size_t *room, size_t size)
{
	size_t more = *room > 0 ? 2 * *room : ROOM_FIRST;
	void *moved;

	if (count < *room)
		return rows;
	moved = reallocarray(rows, more, size);
	if (moved)
		*room = more;
	return moved;
}

/* ---- what happened */

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

	struct tw_happening *rows =
		tw_past_room(happened->rows, happened->count, &happened->room, sizeof(*happened->rows));
	struct tw_chart_event *marks =
		tw_past_room(happened->marks, happened->count, &happened->mark_room, sizeof(*happened->marks));

	happened->rows = rows ? rows : happened->rows;
	happened->marks = marks ? marks : happened->marks;
	if (!row.rule || !row.message || !row.sysctl || !row.old || !row.new || !rows || !marks) {
		free_texts(&row);
		return -ENOMEM;
	}
	happened->marks[happened->count] = (struct tw_chart_event){ at_usec, kind };
	happened->rows[happened->count++] = row;
	return 0;
}

/* ---- what was raised */

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

int tw_alerts_raise(struct tw_past_alerts *alerts, const char *rule, usec_t at_usec)
{
	struct tw_past_alert alert = { .raised_usec = at_usec, .twin = SIZE_MAX };
	struct tw_past_alert *rows;

	(void)tw_text_copy(alert.rule, sizeof(alert.rule), rule);
	if (find_open(alerts, alert.rule))
		return 0;
	rows = tw_past_room(alerts->rows, alerts->count, &alerts->room, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	alerts->rows = rows;
	rows[alerts->count++] = alert;
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
