/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-action.h"

#include "base/parse.h"
#include "config/settings-clause.h"
#include "config/settings-scope.h"
#include "model/sample.h"

#include <inttypes.h>
#include <string.h>

/*
 * `destroy`: which sockets a rule ends. Linux keeps TIME-WAIT for 60 s, two times the 30 s of its MSL: what is ended
 * before the last second saves something. CLOSE-WAIT has no end of its own; a program that is still at work closes
 * within seconds.
 */
static const struct state_row {
	enum tw_state state;
	usec_t older_low_usec, older_high_usec;
} state_rows[] = {
	{ TW_STATE_TIME_WAIT, TW_USEC_PER_SEC, TW_TIME_WAIT_USEC - TW_USEC_PER_SEC },
	{ TW_STATE_CLOSE_WAIT, 10 * TW_USEC_PER_SEC, 28 * TW_USEC_PER_DAY },
};

/* Sockets a second: where the rule does not say, and the most that it may say. */
#define MAX_DEFAULT 1000
#define MAX_HIGHEST 100000

enum clause {
	CLAUSE_OLDER_THAN,
	CLAUSE_PORT,
	CLAUSE_MAX,
	CLAUSE_NARROW, /* destination of TIME-WAIT, unit of CLOSE-WAIT */
	CLAUSE_COUNT,
};

static const struct state_row *find_state(const char *word, size_t length, struct tw_text *why)
{
	const char *names[TW_ARRAY_SIZE(state_rows)];
	char copy[TW_SETTINGS_LINE_MAX];

	for (size_t i = 0; i < TW_ARRAY_SIZE(state_rows); i++) {
		names[i] = tw_state_name(state_rows[i].state);
		if (tw_parse_is(word, length, names[i]))
			return &state_rows[i];
	}
	(void)tw_text_copy_bytes(copy, sizeof(copy), word, length);
	tw_text_addf(why, "expected time-wait or close-wait, found '%s'", copy);
	tw_key_suggest(why, copy, names, TW_ARRAY_SIZE(names));
	return NULL;
}

static bool parse_older_than(const struct tw_clause *clause, const struct state_row *row, struct tw_destroy *destroy,
			     struct tw_text *why)
{
	char low[TW_DURATION_TEXT_MAX], high[TW_DURATION_TEXT_MAX];

	if (clause->text && tw_duration_parse(clause->text, clause->length, &destroy->older_than_usec) == 0 &&
	    destroy->older_than_usec >= row->older_low_usec && destroy->older_than_usec <= row->older_high_usec)
		return true;
	tw_text_addf(why, "%s takes 'older-than SPAN', a time span from %s to %s", tw_state_name(row->state),
		     tw_duration_format(low, row->older_low_usec), tw_duration_format(high, row->older_high_usec));
	return false;
}

static bool parse_port(const struct tw_clause *clause, struct tw_destroy *destroy, struct tw_text *why)
{
	uint64_t port = 0;

	if (clause->text && (tw_parse_u64(clause->text, clause->length, &port) < 0 || port == 0 || port > UINT16_MAX)) {
		tw_text_add(why, "port: expected a local port from 1 to 65535");
		return false;
	}
	destroy->port = (uint16_t)port;
	return true;
}

static bool parse_max(const struct tw_clause *clause, struct tw_destroy *destroy, struct tw_text *why)
{
	int64_t milli = (int64_t)MAX_DEFAULT * 1000;

	if (clause->text && (tw_value_parse(clause->text, clause->length, TW_UNIT_PER_SECOND, &milli) < 0 ||
			     milli % 1000 != 0 || milli < 1000 || milli > (int64_t)MAX_HIGHEST * 1000)) {
		tw_text_addf(why, "max: expected whole sockets a second, from 1/s to %d/s", MAX_HIGHEST);
		return false;
	}
	destroy->max_per_second = (uint32_t)(milli / 1000);
	return true;
}

/* By the same words as the rule's own `destination` and `unit`. */
static bool parse_narrow(const struct tw_clause *clause, struct tw_destroy *destroy, struct tw_text *why)
{
	struct tw_scope scope = { 0 };
	char copy[TW_SETTINGS_LINE_MAX];
	bool good;

	if (!clause->text)
		return true;
	(void)tw_text_copy_bytes(copy, sizeof(copy), clause->text, clause->length);
	good = destroy->state == TW_STATE_TIME_WAIT ? tw_scope_parse_destination(&scope, copy, why)
						    : tw_scope_parse_unit(&scope, copy, why);
	if (!good)
		return false;
	destroy->has_destination = scope.has_destination;
	destroy->destination = scope.destination;
	destroy->destination_port = scope.destination_port;
	return tw_text_copy(destroy->unit, sizeof(destroy->unit), scope.unit);
}

bool tw_action_parse_destroy(struct tw_rule_draft *draft, const char *value, struct tw_text *why)
{
	struct tw_clause clauses[CLAUSE_COUNT] = {
		[CLAUSE_OLDER_THAN] = { .word = "older-than", .spaced = true },
		[CLAUSE_PORT] = { .word = "port" },
		[CLAUSE_MAX] = { .word = "max" },
	};
	const char *cursor = value, *end = value + strlen(value), *word = value;
	struct tw_action action = { .kind = TW_ACTION_DESTROY };
	struct tw_destroy *destroy = &action.destroy;
	const struct state_row *row;
	size_t length = 0;

	(void)tw_parse_word(&cursor, end, &word, &length);
	row = find_state(word, length, why);
	if (!row)
		return false;
	destroy->state = row->state;
	clauses[CLAUSE_NARROW].word = row->state == TW_STATE_TIME_WAIT ? "destination" : "unit";
	return tw_clauses_find(clauses, CLAUSE_COUNT, cursor, (size_t)(end - cursor), why) &&
	       parse_older_than(&clauses[CLAUSE_OLDER_THAN], row, destroy, why) &&
	       parse_port(&clauses[CLAUSE_PORT], destroy, why) && parse_max(&clauses[CLAUSE_MAX], destroy, why) &&
	       parse_narrow(&clauses[CLAUSE_NARROW], destroy, why) && tw_actions_add(draft, &action, why);
}
