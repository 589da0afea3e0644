/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-reader.h"

#include "base/parse.h"
#include "model/sample.h"

#include <inttypes.h>
#include <string.h>

/* A factor is above 1 and at most this: more would be a leap, not a step. In thousandths. */
#define FACTOR_MIN_MILLI 1001
#define FACTOR_MAX_MILLI 10000
/* How often a step is taken where the rule does not say; and what it may say. */
#define EVERY_USEC (30 * TW_USEC_PER_SEC)
#define EVERY_MIN_USEC TW_USEC_PER_SEC
#define EVERY_MAX_USEC TW_USEC_PER_DAY
/* Sockets a second: where the rule does not say, and the most that it may say. */
#define MAX_DEFAULT 1000
#define MAX_HIGHEST 100000

/* ---- the list */

static void drop_at(struct tw_rule_draft *draft, unsigned at)
{
	struct tw_rule_settings *rule = &draft->settings;
	size_t behind = --rule->action_count - at;

	memmove(&rule->actions[at], &rule->actions[at + 1], behind * sizeof(rule->actions[0]));
	memmove(&draft->action_places[at], &draft->action_places[at + 1], behind * sizeof(draft->action_places[0]));
}

void tw_actions_drop(struct tw_rule_draft *draft, enum tw_action_kind kind)
{
	for (unsigned i = draft->settings.action_count; i > 0; i--)
		if (draft->settings.actions[i - 1].kind == kind)
			drop_at(draft, i - 1);
}

void tw_actions_skip(struct tw_rule_draft *draft, struct tw_settings *settings)
{
	for (unsigned i = draft->settings.action_count; i > 0; i--) {
		const struct tw_action *action = &draft->settings.actions[i - 1];
		const struct tw_place *place = &draft->action_places[i - 1];
		struct tw_skipped *skipped = &settings->skipped[settings->skipped_count];
		struct tw_text text;

		if (action->kind != TW_ACTION_SET || tw_tunable_info(action->tunable)->class != TW_TUNABLE_ADVICE)
			continue;
		if (settings->skipped_count < TW_SKIPPED_MAX) {
			skipped->tunable = action->tunable;
			(void)tw_text_copy(skipped->rule, sizeof(skipped->rule), draft->settings.name);
			tw_text_init(&text, skipped->place, sizeof(skipped->place));
			tw_text_addf(&text, "%s:%u", place->file, place->line);
			settings->skipped_count++;
		}
		drop_at(draft, i - 1);
	}
}

/* One of an earlier text on the same sysctl gives way; one of the same text is a mistake. */
static bool add(struct tw_rule_draft *draft, const struct tw_action *action, struct tw_text *why)
{
	struct tw_rule_settings *rule = &draft->settings;

	for (unsigned i = 0; i < rule->action_count && action->kind != TW_ACTION_DESTROY; i++) {
		const struct tw_action *rival = &rule->actions[i];

		if (rival->kind == TW_ACTION_DESTROY || rival->tunable != action->tunable)
			continue;
		if (draft->action_places[i].rank >= draft->opened.rank)
			return tw_refuse(why, "the rule %s %s already",
					 rival->kind == TW_ACTION_STEP ? "steps" : "sets",
					 tw_tunable_info(action->tunable)->key);
		drop_at(draft, i);
		break;
	}
	if (rule->action_count >= TW_ACTIONS_MAX)
		return tw_refuse(why, "a rule takes at most %d actions", TW_ACTIONS_MAX);
	rule->actions[rule->action_count++] = *action;
	return true;
}

/* ---- the parts of an action */

/* One "WORD VALUE" of a value that is made of several: "limit 1048576", "older-than 1min 30s". */
struct clause {
	const char *word;
	bool spaced;	  /* its value may have blanks, as a time span has */
	const char *text; /* NULL: it is not given */
	size_t length;
};
#define CLAUSES_MAX 4

/* Whether the word goes on with the value of the clause. A time span has several, each of which is whole so far. */
static bool goes_on(const struct clause *open, const char *word, size_t length)
{
	usec_t span_usec;

	if (!open || open->length == 0)
		return open != NULL;
	return open->spaced && tw_duration_parse(open->text, (size_t)(word + length - open->text), &span_usec) == 0;
}

static bool is_whole(const struct clause *open, struct tw_text *why)
{
	return !open || open->length > 0 || tw_refuse(why, "expected a value behind '%s'", open->word);
}

/* Finds the clauses, in any order. False where a word is none of them, or one stands twice or without a value. */
static bool find_clauses(struct clause *clauses, size_t count, const char *text, struct tw_text *why)
{
	const char *cursor = text, *end = text + strlen(text), *word, *words[CLAUSES_MAX];
	struct clause *open = NULL;
	size_t length;

	for (size_t i = 0; i < count; i++)
		words[i] = clauses[i].word;
	while (tw_parse_word(&cursor, end, &word, &length)) {
		struct clause *next = clauses;

		while (next < clauses + count && !tw_parse_is(word, length, next->word))
			next++;
		if (next < clauses + count) {
			if (!is_whole(open, why))
				return false;
			if (next->text)
				return tw_refuse(why, "'%s' stands there twice", next->word);
			next->text = word + length;
			open = next;
		} else if (goes_on(open, word, length)) {
			if (open->length == 0)
				open->text = word;
			open->length = (size_t)(word + length - open->text);
		} else {
			tw_text_add(why, "expected ");
			tw_text_add_choice(why, words, count);
			return tw_refuse_word(why, word, length, words, count);
		}
	}
	return is_whole(open, why);
}

static bool parse_sysctl(const char *name, size_t length, enum tw_tunable *ret, struct tw_text *why)
{
	const char *keys[TW_TUNABLE_COUNT];
	char word[TW_SETTINGS_LINE_MAX];

	if (tw_tunable_from_key(name, length, ret))
		return true;
	(void)tw_text_copy_bytes(word, sizeof(word), name, length);
	tw_text_addf(why, "timewaitd knows no sysctl '%s'", word);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		size_t whole;

		keys[i] = tw_tunable_info((enum tw_tunable)i)->key;
		whole = strlen(keys[i]);
		/* What somebody means who leaves "net.ipv4." out. */
		if (whole > length && keys[i][whole - length - 1] == '.' && strcmp(keys[i] + whole - length, word) == 0)
			return tw_refuse(why, "; did you mean '%s'?", keys[i]);
	}
	tw_text_add_near(why, word, keys, TW_TUNABLE_COUNT);
	return false;
}

static bool refuse_bounds(struct tw_text *why, const struct tw_tunable_info *info)
{
	if (info->low == info->high)
		return tw_refuse(why, "%s takes only %" PRId64, info->key, info->low);
	return tw_refuse(why, "%s takes a number from %" PRId64 " to %" PRId64, info->key, info->low, info->high);
}

/* ---- set: "net.ipv4.tcp_tw_reuse=1" */

bool tw_parse_set(const struct tw_key_row *row TW_UNUSED, void *draft, const char *value, struct tw_text *why)
{
	struct tw_action action = { .kind = TW_ACTION_SET };
	const char *equals = strchr(value, '='), *name = value;
	size_t length;

	if (!equals)
		return tw_refuse(why, "expected SYSCTL=VALUE, such as net.ipv4.tcp_tw_reuse=1");
	length = (size_t)(equals - value);
	tw_parse_trim(&name, &length);
	if (!parse_sysctl(name, length, &action.tunable, why))
		return false;
	/* What is advice alone is skipped later, whatever its value. */
	if (tw_tunable_info(action.tunable)->class != TW_TUNABLE_ADVICE &&
	    (tw_tunable_parse(action.tunable, equals + 1, strlen(equals + 1), &action.value) < 0 ||
	     !tw_tunable_in_bounds(action.tunable, &action.value)))
		return refuse_bounds(why, tw_tunable_info(action.tunable));
	return add(draft, &action, why);
}

/* ---- step: "net.ipv4.tcp_max_tw_buckets x2 limit 1048576 every 30s" */

/* "x2", "+4096" or "-5", which is checked by its first byte. */
static bool read_by(const char *text, size_t length, const struct tw_tunable_info *info, struct tw_step *step)
{
	uint64_t number;

	step->multiplies = text[0] == 'x';
	if (step->multiplies)
		return tw_parse_milli(text + 1, length - 1, &step->by) == 0 && step->by >= FACTOR_MIN_MILLI &&
		       step->by <= FACTOR_MAX_MILLI;
	if ((text[0] != '+' && text[0] != '-') || tw_parse_u64(text + 1, length - 1, &number) < 0 || number == 0 ||
	    number > (uint64_t)info->high)
		return false;
	step->by = text[0] == '-' ? -(int64_t)number : (int64_t)number;
	return true;
}

static bool parse_by(const char *text, size_t length, const struct tw_tunable_info *info, struct tw_step *step,
		     struct tw_text *why)
{
	if (!read_by(text, length, info, step)) {
		tw_text_addf(why,
			     "expected a step such as x2 (above x1, up to x10, three decimals), +4096 or -5 (up to "
			     "%" PRId64 ")",
			     info->high);
		return tw_refuse_word(why, text, length, NULL, 0);
	}
	if (info->raise_only && step->by < 0)
		return tw_refuse(why, "%s is never lowered below what it was; expected xFACTOR or +NUMBER", info->key);
	return true;
}

static bool parse_limit(const struct clause *clause, const struct tw_tunable_info *info, struct tw_step *step,
			struct tw_text *why)
{
	if (!clause->text)
		return tw_refuse(why, "expected a limit, such as 'limit %" PRId64 "': no step goes beyond it",
				 step->by < 0 ? info->low : info->high);
	if (tw_parse_i64(clause->text, clause->length, &step->limit) == 0 && step->limit >= info->low &&
	    step->limit <= info->high)
		return true;
	tw_text_add(why, "limit: ");
	return refuse_bounds(why, info);
}

bool tw_parse_step(const struct tw_key_row *row TW_UNUSED, void *draft, const char *value, struct tw_text *why)
{
	struct clause limit_every[] = { { .word = "limit" }, { .word = "every", .spaced = true } };
	const struct clause *every = &limit_every[1];
	struct tw_action action = { .kind = TW_ACTION_STEP, .step.every_usec = EVERY_USEC };
	const char *cursor = value, *end = value + strlen(value), *name, *by;
	const struct tw_tunable_info *info;
	size_t name_length, by_length;

	if (!tw_parse_word(&cursor, end, &name, &name_length) || !tw_parse_word(&cursor, end, &by, &by_length))
		return tw_refuse(why, "expected SYSCTL STEP limit LIMIT every SPAN, such as "
				      "net.ipv4.tcp_max_tw_buckets x2 limit 1048576 every 30s");
	if (!parse_sysctl(name, name_length, &action.tunable, why))
		return false;
	info = tw_tunable_info(action.tunable);
	if (info->class == TW_TUNABLE_ADVICE)
		return tw_refuse(why, "timewaitd does not change %s; set it for good in a file of /etc/sysctl.d",
				 info->key);
	return parse_by(by, by_length, info, &action.step, why) &&
	       find_clauses(limit_every, TW_ARRAY_SIZE(limit_every), cursor, why) &&
	       parse_limit(&limit_every[0], info, &action.step, why) &&
	       (!every->text ||
		tw_read_span(every->text, every->length, EVERY_MIN_USEC, EVERY_MAX_USEC, &action.step.every_usec, why,
			     "every: expected a time span such as 30s,")) &&
	       add(draft, &action, why);
}

/* ---- destroy: "time-wait older-than 30s port 80 max 5000/s" */

/*
 * Which sockets a rule ends. Linux keeps TIME-WAIT for 60 s, two times the 30 s of its MSL: what is ended before the
 * last second saves something. CLOSE-WAIT has no end of its own; a program that is still at work closes within seconds.
 */
static const struct state_row {
	enum tw_state state;
	usec_t older_low_usec, older_high_usec;
	const char *older_than; /* what is expected */
	const char *narrow;	/* the word of what narrows it down further */
} state_rows[] = {
	{ TW_STATE_TIME_WAIT, TW_USEC_PER_SEC, TW_TIME_WAIT_USEC - TW_USEC_PER_SEC,
	  "time-wait takes 'older-than SPAN', a time span", "destination" },
	{ TW_STATE_CLOSE_WAIT, 10 * TW_USEC_PER_SEC, 28 * TW_USEC_PER_DAY,
	  "close-wait takes 'older-than SPAN', a time span", "unit" },
};

static const struct state_row *find_state(const char *word, size_t length, struct tw_text *why)
{
	const char *names[TW_ARRAY_SIZE(state_rows)];

	for (size_t i = 0; i < TW_ARRAY_SIZE(state_rows); i++) {
		names[i] = tw_state_name(state_rows[i].state);
		if (tw_parse_is(word, length, names[i]))
			return &state_rows[i];
	}
	tw_text_add(why, "expected time-wait or close-wait");
	(void)tw_refuse_word(why, word, length, names, TW_ARRAY_SIZE(names));
	return NULL;
}

static bool parse_max(const struct clause *clause, struct tw_destroy *destroy, struct tw_text *why)
{
	int64_t milli = (int64_t)MAX_DEFAULT * 1000;

	if (clause->text && (tw_value_parse(clause->text, clause->length, TW_UNIT_PER_SECOND, &milli) < 0 ||
			     milli % 1000 != 0 || milli < 1000 || milli > (int64_t)MAX_HIGHEST * 1000))
		return tw_refuse(why, "max: expected whole sockets a second, from 1/s to %d/s", MAX_HIGHEST);
	destroy->max_per_second = (uint32_t)(milli / 1000);
	return true;
}

/* By the same words as the rule's own `destination` and `unit`. */
static bool parse_narrow(const struct clause *clause, struct tw_destroy *destroy, struct tw_text *why)
{
	char copy[TW_SETTINGS_LINE_MAX];

	if (!clause->text)
		return true;
	(void)tw_text_copy_bytes(copy, sizeof(copy), clause->text, clause->length);
	if (destroy->state == TW_STATE_CLOSE_WAIT)
		return tw_parse_unit(NULL, destroy->scope.unit, copy, why);
	return tw_parse_destination(NULL, &destroy->scope, copy, why);
}

bool tw_parse_destroy(const struct tw_key_row *row TW_UNUSED, void *draft, const char *value, struct tw_text *why)
{
	struct clause clauses[] = {
		{ .word = "older-than", .spaced = true }, { .word = "port" }, { .word = "max" }, { 0 }
	};
	const struct clause *older = &clauses[0], *port = &clauses[1], *max = &clauses[2];
	struct clause *narrow = &clauses[3];
	const char *cursor = value, *word = value;
	struct tw_action action = { .kind = TW_ACTION_DESTROY };
	struct tw_destroy *destroy = &action.destroy;
	const struct state_row *state;
	size_t length = 0;

	(void)tw_parse_word(&cursor, value + strlen(value), &word, &length);
	state = find_state(word, length, why);
	if (!state)
		return false;
	destroy->state = state->state;
	narrow->word = state->narrow;
	if (!find_clauses(clauses, TW_ARRAY_SIZE(clauses), cursor, why) ||
	    !tw_read_span(older->text, older->length, state->older_low_usec, state->older_high_usec,
			  &destroy->older_than_usec, why, state->older_than))
		return false;
	if (port->text && tw_port_parse(port->text, port->length, &destroy->port) < 0)
		return tw_refuse(why, "port: expected a local port from 1 to 65535");
	return parse_max(max, destroy, why) && parse_narrow(narrow, destroy, why) && add(draft, &action, why);
}
