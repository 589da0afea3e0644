/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-action.h"

#include "base/parse.h"
#include "config/settings-clause.h"

#include <inttypes.h>
#include <string.h>

/* Names longer than any that is known are no near miss of one; the kernel's own limit for a sysctl is far below. */
#define WORD_MAX 64
/* A factor is above 1 and at most this: more would be a leap, not a step. In thousandths. */
#define FACTOR_MIN_MILLI 1001
#define FACTOR_MAX_MILLI 10000
/* How often a step is taken where the rule does not say; and what it may say. */
#define EVERY_USEC (30 * TW_USEC_PER_SEC)
#define EVERY_MIN_USEC TW_USEC_PER_SEC
#define EVERY_MAX_USEC TW_USEC_PER_DAY

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

static bool is_of_sysctl(const struct tw_action *action)
{
	return action->kind == TW_ACTION_SET || action->kind == TW_ACTION_STEP;
}

void tw_actions_skip(struct tw_rule_draft *draft, struct tw_settings *settings)
{
	for (unsigned i = draft->settings.action_count; i > 0; i--) {
		const struct tw_action *action = &draft->settings.actions[i - 1];
		const struct tw_place *place = &draft->action_places[i - 1];
		struct tw_skipped *skipped = &settings->skipped[settings->skipped_count];
		struct tw_text text;

		if (!is_of_sysctl(action) || tw_tunable_info(action->tunable)->class != TW_TUNABLE_ADVICE)
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

/* The index of an action on the same sysctl; `action_count` for none. */
static unsigned find_rival(const struct tw_rule_settings *rule, const struct tw_action *action)
{
	unsigned i = 0;

	if (!is_of_sysctl(action))
		return rule->action_count;
	while (i < rule->action_count &&
	       !(is_of_sysctl(&rule->actions[i]) && rule->actions[i].tunable == action->tunable))
		i++;
	return i;
}

bool tw_actions_add(struct tw_rule_draft *draft, const struct tw_action *action, struct tw_text *why)
{
	struct tw_rule_settings *rule = &draft->settings;
	unsigned rival = find_rival(rule, action);

	if (rival < rule->action_count) {
		if (draft->action_places[rival].rank >= draft->opened.rank) {
			tw_text_addf(why, "the rule %s %s already",
				     rule->actions[rival].kind == TW_ACTION_STEP ? "steps" : "sets",
				     tw_tunable_info(action->tunable)->key);
			return false;
		}
		drop_at(draft, rival);
	}
	if (rule->action_count >= TW_ACTIONS_MAX) {
		tw_text_addf(why, "a rule takes at most %d actions", TW_ACTIONS_MAX);
		return false;
	}
	rule->actions[rule->action_count++] = *action;
	return true;
}

/* ---- the sysctl of an action */

/* The key that ends in ".word": what somebody means who leaves "net.ipv4." out. */
static const char *tunable_ending_in(const char *word)
{
	size_t length = strlen(word);

	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		const char *key = tw_tunable_info((enum tw_tunable)i)->key;
		size_t whole = strlen(key);

		if (length > 0 && whole > length && key[whole - length - 1] == '.' &&
		    strcmp(key + whole - length, word) == 0)
			return key;
	}
	return NULL;
}

static void explain_unknown_sysctl(struct tw_text *why, const char *name, size_t length)
{
	const char *keys[TW_TUNABLE_COUNT];
	const char *meant;
	char word[WORD_MAX];

	tw_text_add(why, "timewaitd knows no sysctl '");
	tw_text_add_bytes(why, name, length);
	tw_text_add(why, "'");
	if (!tw_text_copy_bytes(word, sizeof(word), name, length))
		return;
	meant = tunable_ending_in(word);
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		keys[i] = tw_tunable_info((enum tw_tunable)i)->key;
	if (meant)
		tw_text_addf(why, "; did you mean '%s'?", meant);
	else
		tw_key_suggest(why, word, keys, TW_TUNABLE_COUNT);
}

static bool parse_sysctl(const char *name, size_t length, enum tw_tunable *ret, struct tw_text *why)
{
	if (tw_tunable_from_key(name, length, ret))
		return true;
	explain_unknown_sysctl(why, name, length);
	return false;
}

static void explain_bounds(struct tw_text *why, const struct tw_tunable_info *info)
{
	tw_text_addf(why, "%s takes ", info->key);
	if (info->low == info->high)
		tw_text_addf(why, "only %" PRId64, info->low);
	else
		tw_text_addf(why, "a number from %" PRId64 " to %" PRId64, info->low, info->high);
}

/* ---- set */

bool tw_action_parse_set(struct tw_rule_draft *draft, const char *value, struct tw_text *why)
{
	struct tw_action action = { .kind = TW_ACTION_SET };
	const char *equals = strchr(value, '='), *name = value, *number;
	size_t name_length, number_length;

	if (!equals) {
		tw_text_add(why, "expected SYSCTL=VALUE, such as net.ipv4.tcp_tw_reuse=1");
		return false;
	}
	name_length = (size_t)(equals - value);
	tw_parse_trim(&name, &name_length);
	number = equals + 1;
	number_length = strlen(number);
	tw_parse_trim(&number, &number_length);
	if (!parse_sysctl(name, name_length, &action.tunable, why))
		return false;
	if (tw_tunable_info(action.tunable)->class != TW_TUNABLE_ADVICE &&
	    (tw_tunable_parse(action.tunable, number, number_length, &action.value) < 0 ||
	     !tw_tunable_in_bounds(action.tunable, &action.value))) {
		explain_bounds(why, tw_tunable_info(action.tunable));
		return false;
	}
	return tw_actions_add(draft, &action, why);
}

/* ---- step */

static bool parse_factor(const char *text, size_t length, struct tw_step *step)
{
	int64_t milli;

	if (tw_parse_milli(text, length, &milli) < 0 || milli < FACTOR_MIN_MILLI || milli > FACTOR_MAX_MILLI)
		return false;
	step->multiplies = true;
	step->by = milli;
	return true;
}

static bool parse_summand(const char *text, size_t length, const struct tw_tunable_info *info, struct tw_step *step)
{
	uint64_t number;

	if (tw_parse_u64(text + 1, length - 1, &number) < 0 || number == 0 || number > (uint64_t)info->high)
		return false;
	step->multiplies = false;
	step->by = text[0] == '-' ? -(int64_t)number : (int64_t)number;
	return true;
}

/* "x2", "+4096" or "-5". */
static bool parse_by(const char *text, size_t length, const struct tw_tunable_info *info, struct tw_step *step,
		     struct tw_text *why)
{
	bool multiplies = text[0] == 'x', adds = text[0] == '+' || text[0] == '-';

	if (length < 2 || !(multiplies ? parse_factor(text + 1, length - 1, step)
				       : adds && parse_summand(text, length, info, step))) {
		tw_text_addf(why,
			     "expected a step such as x2 (above x1, up to x10, three decimals), +4096 or -5 (up to "
			     "%" PRId64 "), found '",
			     info->high);
		tw_text_add_bytes(why, text, length);
		tw_text_add(why, "'");
		return false;
	}
	if (info->raise_only && step->by < 0) {
		tw_text_addf(why, "%s is never lowered below what it was; expected xFACTOR or +NUMBER", info->key);
		return false;
	}
	return true;
}

static bool parse_limit(const struct tw_clause *clause, const struct tw_tunable_info *info, struct tw_step *step,
			struct tw_text *why)
{
	if (!clause->text) {
		tw_text_add(why, "expected a limit, such as 'limit ");
		tw_text_addf(why, "%" PRId64 "': no step goes beyond it", step->by < 0 ? info->low : info->high);
		return false;
	}
	if (tw_parse_i64(clause->text, clause->length, &step->limit) < 0 || step->limit < info->low ||
	    step->limit > info->high) {
		tw_text_add(why, "limit: ");
		explain_bounds(why, info);
		return false;
	}
	return true;
}

static bool parse_every(const struct tw_clause *clause, struct tw_step *step, struct tw_text *why)
{
	char low[TW_DURATION_TEXT_MAX], high[TW_DURATION_TEXT_MAX];

	step->every_usec = EVERY_USEC;
	if (!clause->text || (tw_duration_parse(clause->text, clause->length, &step->every_usec) == 0 &&
			      step->every_usec >= EVERY_MIN_USEC && step->every_usec <= EVERY_MAX_USEC))
		return true;
	tw_text_addf(why, "every: expected a time span such as 30s, from %s to %s",
		     tw_duration_format(low, EVERY_MIN_USEC), tw_duration_format(high, EVERY_MAX_USEC));
	return false;
}

bool tw_action_parse_step(struct tw_rule_draft *draft, const char *value, struct tw_text *why)
{
	struct tw_clause clauses[] = { { .word = "limit" }, { .word = "every", .spaced = true } };
	struct tw_action action = { .kind = TW_ACTION_STEP };
	const char *cursor = value, *end = value + strlen(value), *name, *by;
	const struct tw_tunable_info *info;
	size_t name_length, by_length;

	if (!tw_parse_word(&cursor, end, &name, &name_length) || !tw_parse_word(&cursor, end, &by, &by_length)) {
		tw_text_add(why, "expected SYSCTL STEP limit LIMIT every SPAN, such as net.ipv4.tcp_max_tw_buckets x2 "
				 "limit 1048576 every 30s");
		return false;
	}
	if (!parse_sysctl(name, name_length, &action.tunable, why))
		return false;
	info = tw_tunable_info(action.tunable);
	if (info->class == TW_TUNABLE_ADVICE) {
		tw_text_addf(why, "timewaitd does not change %s; set it for good in a file of /etc/sysctl.d",
			     info->key);
		return false;
	}
	return parse_by(by, by_length, info, &action.step, why) &&
	       tw_clauses_find(clauses, TW_ARRAY_SIZE(clauses), cursor, (size_t)(end - cursor), why) &&
	       parse_limit(&clauses[0], info, &action.step, why) && parse_every(&clauses[1], &action.step, why) &&
	       tw_actions_add(draft, &action, why);
}
