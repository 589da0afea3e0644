/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that read timewaitd.conf share and nobody else knows: what was read so far, and where it stood. */
#pragma once

#include "base/text.h"
#include "config/settings-load.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest line that inih takes in one piece: its INI_MAX_LINE of 200 without newline and NUL. */
#define TW_SETTINGS_LINE_MAX 198

/* Every key, section by section. */
enum tw_key {
	TW_KEY_MODE,
	TW_KEY_INTERVAL,
	TW_KEY_CENSUS,
	TW_KEY_SURVEY,
	TW_KEY_CPU_BUDGET,
	TW_KEY_NAMESPACES,
	TW_KEY_TOP,
	TW_KEY_SAMPLE_RECORD,
	TW_KEY_PROOF_AFTER,
	TW_KEY_ALLOW_UNSAFE,
	TW_KEY_MAX_CHANGES,
	TW_KEY_ALLOW,
	TW_KEY_METRIC,
	TW_KEY_RAISE,
	TW_KEY_CLEAR,
	TW_KEY_AGE,
	TW_KEY_UNIT,
	TW_KEY_DESTINATION,
	TW_KEY_LISTENER,
	TW_KEY_RAISE_FOR,
	TW_KEY_CLEAR_FOR,
	TW_KEY_FORECAST,
	TW_KEY_SEVERITY,
	TW_KEY_REMIND,
	TW_KEY_SET,
	TW_KEY_STEP,
	TW_KEY_DESTROY,
	TW_KEY_GATE,
	TW_KEY_PROOF,
	TW_KEY_COOLDOWN,
	TW_KEY_RULE_NAMESPACES,
	TW_KEY_COUNT,
};

/*
 * One key: how its value is read, where it goes in tw_settings or tw_rule_draft, and of a number what is accepted.
 * `parse` returns false, with what was expected in `why`, where the value is none for this key; nothing is changed
 * then. `value` is trimmed, not empty and at most TW_SETTINGS_LINE_MAX - 1 long.
 */
struct tw_key_row {
	const char *name;
	const char *section; /* "daemon", "destroy" or "rule" */
	size_t offset;
	bool (*parse)(const struct tw_key_row *row, void *field, const char *value, struct tw_text *why);
	uint64_t low, high; /* inclusive, in the unit of the field */
};
extern const struct tw_key_row tw_key_rows[TW_KEY_COUNT];

/* Where in the configuration something stands. */
struct tw_place {
	const char *file; /* borrows; NULL: nowhere, it is built in */
	unsigned rank;	  /* which text it was, counted from 1 in the order of reading */
	unsigned line;	  /* counted from 1; 0: the file as a whole */
};

/* What the texts said of a key. */
struct tw_key_mark {
	bool given; /* by a text, or built in */
	bool bad;   /* its value was refused: a problem is noted already */
	struct tw_place place;
};

/* A rule while it is read: what its metric has yet to interpret is kept as text. */
struct tw_rule_draft {
	struct tw_rule_settings settings;
	struct tw_place section; /* where it was opened first */
	struct tw_place opened;	 /* and last */
	struct tw_key_mark marks[TW_KEY_COUNT];
	struct tw_place action_places[TW_ACTIONS_MAX];
	enum tw_unit preset_unit; /* of the levels that have no text: they are built in */
	char raise_text[TW_SETTINGS_LINE_MAX];
	char clear_text[TW_SETTINGS_LINE_MAX];
};

struct tw_settings_reader {
	struct tw_problems *problems; /* borrows */
	struct tw_place problem_places[TW_PROBLEMS_MAX];
	struct tw_settings *settings;		/* borrows; its rules are written by tw_settings_check() alone */
	struct tw_key_mark marks[TW_KEY_COUNT]; /* of all sections but those of rules */
	unsigned rule_count;
	struct tw_rule_draft rules[TW_RULES_MAX];
	struct tw_rule_draft dump; /* takes the keys of a rule that cannot be kept, so that they are judged too */
	/* The text being read. */
	struct tw_place place; /* of the line */
	const char *cursor, *end;
	unsigned daemon_line, destroy_line; /* where they were opened; 0: not yet */
	/* The section being read. */
	bool in_section;
	const char *section; /* NULL: none, or one whose keys are passed over, for nobody knows what they are */
	unsigned section_line;
	char title[TW_RULE_NAME_MAX + 8]; /* "[daemon]" or "[rule NAME]" */
	struct tw_rule_draft *rule;	  /* where the section is that of one */
};

/*
 * Notes "FILE:LINE: " and the text. Keeps the problems in the order of files and lines, in whatever order they are
 * found; beyond TW_PROBLEMS_MAX it only counts.
 */
void tw_settings_problem(struct tw_settings_reader *reader, const struct tw_place *place, const char *format, ...)
	TW_PRINTF(3, 4);

/* Whether `a` was read before `b`; what is built in comes before all. */
bool tw_place_before(const struct tw_place *a, const struct tw_place *b);

/* Adds to `why`, and returns false. */
bool tw_refuse(struct tw_text *why, const char *format, ...) TW_PRINTF(2, 3);
/* "limit, every or max". */
void tw_text_add_choice(struct tw_text *text, const char *const *words, size_t count);
/* "; did you mean 'raise'?", or nothing where none of the words is near. */
void tw_text_add_near(struct tw_text *text, const char *word, const char *const *words, size_t count);
/* ", found 'limt'; did you mean 'limit'?" Returns false. */
bool tw_refuse_word(struct tw_text *why, const char *word, size_t length, const char *const *words, size_t count);
/* Reads a span within these bounds; NULL for none. Else `why` gets what was expected, and the bounds. */
bool tw_read_span(const char *text, size_t length, usec_t low, usec_t high, usec_t *ret_usec, struct tw_text *why,
		  const char *expected);

/* Keys with values of more than one word, by `parse` of the table. An action is added to the draft. */
bool tw_parse_unit(const struct tw_key_row *row, void *scope, const char *value, struct tw_text *why);
bool tw_parse_destination(const struct tw_key_row *row, void *scope, const char *value, struct tw_text *why);
bool tw_parse_set(const struct tw_key_row *row, void *draft, const char *value, struct tw_text *why);
bool tw_parse_step(const struct tw_key_row *row, void *draft, const char *value, struct tw_text *why);
bool tw_parse_destroy(const struct tw_key_row *row, void *draft, const char *value, struct tw_text *why);

/* Removes the actions of one kind, for a later text has its own. */
void tw_actions_drop(struct tw_rule_draft *draft, enum tw_action_kind kind);
/* Takes out what is advice alone by now, and remembers it in `settings`. */
void tw_actions_skip(struct tw_rule_draft *draft, struct tw_settings *settings);
